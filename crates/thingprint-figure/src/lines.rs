//! Lines through points, with deviations as bands.

use crate::axis::{Axis, Guide};
use crate::class::{Colour, dash};
use crate::drawing::{Drawing, Figure, Paint, polyline};
use crate::frame::{Frame, HEIGHT, WIDTH, reserve};
use crate::legend::{Entry, Sign, legend, marker};
use crate::number::is_drawable;
use crate::range::Range;
use crate::series::Estimate;

/// Radius of markers, in pixels.
const RADIUS: f64 = 4.0;
/// From here on markers would hide the line.
const MOST_MARKERS: usize = 120;

/// Lines through points in the order of `x`, with a marker at each and a band of one standard deviation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// What the figure shows.
    pub title: String,
    /// The same in more words, for those who cannot see it.
    pub description: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines.
    pub series: Vec<LineSeries>,
    /// Values that matter.
    pub guides: Vec<Guide>,
}

/// A line of [`Lines`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineSeries {
    /// What the legend calls it.
    pub name: String,
    /// The points, in any order.
    pub points: Vec<LinePoint>,
}

/// A point of a [`LineSeries`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinePoint {
    /// Value on the horizontal axis.
    pub x: f64,
    /// Value on the vertical axis, with its deviation.
    pub y: Estimate,
}

impl Figure for Lines {
    fn draw(&self) -> Drawing {
        let mut drawing = Drawing::new(&self.title, &self.description, WIDTH);
        let points = || self.series.iter().flat_map(|series| &series.points);
        let drawable = || points().filter(|point| is_drawable(point.x) && is_drawable(point.y.mean));
        let values = drawable().flat_map(|point| point.y.extent());
        let ranges = (Range::of(&self.x, drawable().map(|point| point.x)), Range::of(&self.y, values));
        let (Some(x), Some(y)) = ranges else { return drawing.no_data() };
        let entries = self.series.iter().enumerate().map(|(index, series)| Entry {
            name: &series.name,
            colour: Colour::of(index),
            sign: Sign::MarkedLine(index),
        });
        legend(&mut drawing, &entries.collect::<Vec<_>>());
        reserve(&mut drawing, &self.guides);
        let frame = Frame::draw(&mut drawing, (&self.x, x), (&self.y, y), HEIGHT);
        let places: Vec<_> = self.series.iter().map(|series| placed(&frame, series)).collect();
        for (index, places) in places.iter().enumerate() {
            band(&mut drawing, &frame, places, index);
        }
        for (index, places) in places.iter().enumerate() {
            self.line(&mut drawing, places, index);
        }
        frame.guides(&mut drawing, &self.guides);
        let left_out = points().count() - places.iter().map(Vec::len).sum::<usize>();
        drawing.note_left_out(left_out);
        drawing
    }
}

/// Points with the places where they are drawn, from left to right.
type Places = Vec<((f64, f64), LinePoint)>;

fn placed(frame: &Frame, series: &LineSeries) -> Places {
    let place = |point: &LinePoint| Some((frame.place(point.x, point.y.mean)?, *point));
    let mut places: Places = series.points.iter().filter_map(place).collect();
    places.sort_by(|(_, a), (_, b)| a.x.total_cmp(&b.x).then(a.y.mean.total_cmp(&b.y.mean)));
    places
}

/// From the mean less a deviation to the mean and a deviation; points without one close the band at the line.
fn band(drawing: &mut Drawing, frame: &Frame, places: &Places, index: usize) {
    if !places.iter().any(|(_, point)| point.y.spread().is_some()) {
        return;
    }
    let ends = |point: &LinePoint| point.y.spread().unwrap_or((point.y.mean, point.y.mean));
    let edge = |value: f64| frame.up(frame.y.clamped(value));
    let upper = places.iter().map(|((x, _), point)| (*x, edge(ends(point).1)));
    let lower = places.iter().rev().map(|((x, _), point)| (*x, edge(ends(point).0)));
    let path = format!("{}Z", polyline(&upper.chain(lower).collect::<Vec<_>>()));
    drawing.path(&path, Paint::new(Colour::of(index).fill()).opacity(0.18), "");
    if let [((x, _), point)] = places.as_slice() {
        let (low, high) = ends(point);
        drawing.line((*x, edge(low)), (*x, edge(high)), Paint::new("ink"));
    }
}

impl Lines {
    fn line(&self, drawing: &mut Drawing, places: &Places, index: usize) {
        let name = self.series.get(index).map_or("", |series| series.name.as_str());
        let line: Vec<_> = places.iter().map(|(place, _)| *place).collect();
        let class = format!("line {}", Colour::of(index).line());
        if line.len() > 1 {
            drawing.path(&polyline(&line), Paint::new(&class).dash(dash(index)), name);
        }
        if line.len() > MOST_MARKERS {
            return;
        }
        let class = format!("{} edge", Colour::of(index).fill());
        for (place, point) in places {
            drawing.path(&marker(*place, index, RADIUS), Paint::new(&class), &self.tip(name, point));
        }
    }

    fn tip(&self, name: &str, point: &LinePoint) -> String {
        format!("{name}, {} {}: {}", self.x.exact(point.x), self.x.unit, point.y.text(&self.y))
    }
}
