//! Legends: what stands for which class or series.

use crate::class::{Colour, dash, hatch};
use crate::drawing::{Drawing, Label, MARGIN, Paint, Rect, SMALL};
use crate::lettering::width;
use crate::number::place;

/// Greatest width of a name, in pixels.
const NAME: f64 = 230.0;
/// Width of a line with its distance to the name, in pixels.
const LINE: f64 = 28.0;
/// Width of any other sign with its distance to the name, in pixels.
const SIGN: f64 = 20.0;
/// Distance between entries, in pixels.
const GAP: f64 = 18.0;
/// Height of a row, in pixels.
const ROW: f64 = 18.0;

/// An entry of a legend.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) colour: Colour,
    pub(crate) sign: Sign,
}

/// What stands before the name, each with the index of its series or class.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sign {
    /// A filled and hatched box.
    Box(usize),
    /// A dashed line.
    Line(usize),
    /// A dashed line with a marker.
    MarkedLine(usize),
    /// A bar of a height, as a share of the full one.
    Bar(f64),
}

impl Sign {
    fn width(self) -> f64 {
        match self {
            Self::Line(_) | Self::MarkedLine(_) => LINE,
            Self::Box(_) | Self::Bar(_) => SIGN,
        }
    }
}

/// Writes the legend in rows below what there is so far. One entry needs none if the figure says it elsewhere.
pub(crate) fn legend(drawing: &mut Drawing, entries: &[Entry<'_>]) {
    if entries.is_empty() {
        return;
    }
    let right = drawing.width() - MARGIN;
    let (mut x, mut y) = (MARGIN, drawing.bottom() + ROW / 2.0);
    for entry in entries {
        let sign_width = entry.sign.width();
        let room = sign_width + width(entry.name, SMALL).min(NAME);
        if x > MARGIN && x + room > right {
            (x, y) = (MARGIN, y + ROW);
        }
        sign(drawing, entry, (x, y));
        drawing.label(Label::new(entry.name, x + sign_width, y + 4.0).size(SMALL).limit(NAME));
        x += room + GAP;
    }
    drawing.reach(y + ROW / 2.0 + 4.0);
}

/// A marker around a place: its form tells the class, besides the colour.
pub(crate) fn marker((x, y): (f64, f64), index: usize, radius: f64) -> String {
    let corners = |corners: &[(f64, f64)]| {
        let corner = |(dx, dy): &(f64, f64)| format!("{},{}", place(x + dx * radius), place(y + dy * radius));
        format!("M{}Z", corners.iter().map(corner).collect::<Vec<_>>().join("L"))
    };
    match index % 7 {
        0 => circle((x, y), radius),
        1 => corners(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        2 => corners(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]),
        3 => corners(&[(0.0, -1.3), (1.1, 0.0), (0.0, 1.3), (-1.1, 0.0)]),
        4 => corners(&[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)]),
        5 => corners(&[
            (-0.4, -1.2),
            (0.4, -1.2),
            (0.4, -0.4),
            (1.2, -0.4),
            (1.2, 0.4),
            (0.4, 0.4),
            (0.4, 1.2),
            (-0.4, 1.2),
            (-0.4, 0.4),
            (-1.2, 0.4),
            (-1.2, -0.4),
            (-0.4, -0.4),
        ]),
        _ => corners(&[(-1.2, -0.5), (1.2, -0.5), (1.2, 0.5), (-1.2, 0.5)]),
    }
}

fn circle((x, y): (f64, f64), radius: f64) -> String {
    let (left, right, y, radius) = (place(x - radius), place(x + radius), place(y), place(radius));
    format!("M{left},{y}A{radius},{radius} 0 1 1 {right},{y}A{radius},{radius} 0 1 1 {left},{y}Z")
}

fn sign(drawing: &mut Drawing, entry: &Entry<'_>, (x, y): (f64, f64)) {
    let (fill, stroke) = (Paint::new(entry.colour.fill()), format!("line {}", entry.colour.line()));
    let middle = (x + 11.0, y);
    let mut line = |index: usize| drawing.line((x, y), (x + 22.0, y), Paint::new(&stroke).dash(dash(index)));
    match entry.sign {
        Sign::Box(index) => {
            let area = Rect { x, y: y - 6.0, width: 15.0, height: 12.0 };
            drawing.rect(area, fill, "");
            if let Some(hatch) = hatch(index) {
                drawing.rect(area, Paint::hatch(hatch), "");
            }
        }
        Sign::Line(index) => line(index),
        Sign::MarkedLine(index) => {
            line(index);
            drawing.path(&marker(middle, index, 4.0), fill, "");
        }
        Sign::Bar(share) => {
            let height = 14.0 * share;
            drawing.rect(Rect { x: x + 3.0, y: y + 7.0 - height, width: 8.0, height }, fill, "");
        }
    }
}
