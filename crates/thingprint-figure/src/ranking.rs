//! Level bars with a name each, as for the most frequent ports.

use crate::axis::{Axis, Scale};
use crate::class::{Class, Colour, hatch};
use crate::drawing::{Anchor, Drawing, Figure, Label, MARGIN, Paint, Rect, SMALL, TEXT, polyline, widest};
use crate::frame::{WIDTH, upright_lines, x_marks};
use crate::legend::{Entry, Sign, legend};
use crate::number::is_drawable;
use crate::range::Range;
use crate::series::Estimate;

/// Height of a row, in pixels.
const ROW: f64 = 20.0;
/// Greatest width of names, in pixels.
const NAMES: f64 = 240.0;
/// Room for values at the right, in pixels.
const VALUES: f64 = 56.0;

/// Named values as level bars, in the order given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranking {
    /// What the figure shows.
    pub title: String,
    /// The same in more words, for those who cannot see it.
    pub description: String,
    /// What the length of bars means; on a logarithmic scale bars begin at the left end of the axis.
    pub value: Axis,
    /// Classes that rows belong to, such as costs; empty where there are none.
    pub classes: Vec<Class>,
    /// The rows from top to bottom.
    pub rows: Vec<RankingRow>,
}

/// A row of a [`Ranking`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RankingRow {
    /// Name of the row.
    pub label: String,
    /// Its value.
    pub value: Estimate,
    /// Index of its class; of no meaning where there are no classes.
    pub class: usize,
}

impl Figure for Ranking {
    fn draw(&self) -> Drawing {
        let mut drawing = Drawing::new(&self.title, &self.description, WIDTH);
        let values = self.rows.iter().map(|row| row.value).filter(|value| is_drawable(value.mean));
        let Some(range) = Range::from_zero(&self.value, values.flat_map(Estimate::extent)) else {
            return drawing.no_data();
        };
        let entries = self.classes.iter().enumerate().map(|(index, class)| Entry {
            name: &class.name,
            colour: class.colour,
            sign: Sign::Box(index),
        });
        legend(&mut drawing, &entries.collect::<Vec<_>>());
        let area = self.area(&mut drawing);
        upright_lines(&mut drawing, area, &range);
        let mut left_out = 0;
        for (index, row) in self.rows.iter().enumerate() {
            let at = area.y + ROW * index as f64;
            let name = Label::new(&row.label, area.x - 6.0, at + ROW / 2.0 + 4.0);
            drawing.label(name.anchor(Anchor::End).limit(NAMES));
            if self.is_shown(row) {
                self.draw_row(&mut drawing, Rect { y: at, height: ROW, ..area }, &range, row);
            } else {
                left_out += 1;
            }
        }
        x_marks(&mut drawing, area, &self.value, &range);
        drawing.note_left_out(left_out);
        drawing
    }
}

impl Ranking {
    fn area(&self, drawing: &mut Drawing) -> Rect {
        let names = widest(self.rows.iter().map(|row| row.label.as_str()), TEXT, NAMES);
        let (x, y) = (MARGIN + names + 6.0, drawing.bottom() + 2.0);
        let area =
            Rect { x, y, width: drawing.width() - x - VALUES - MARGIN, height: ROW * self.rows.len() as f64 };
        drawing.reach(area.bottom());
        area
    }

    fn is_shown(&self, row: &RankingRow) -> bool {
        is_drawable(row.value.mean) && (self.value.scale == Scale::Linear || row.value.mean > 0.0)
    }

    fn draw_row(&self, drawing: &mut Drawing, row: Rect, range: &Range, data: &RankingRow) {
        let x = |value: f64| row.x + row.width * range.clamped(value);
        let zero = if self.value.scale == Scale::Linear { x(0.0) } else { row.x };
        let end = x(data.value.mean);
        let (y, height) = (row.y + 3.0, row.height - 6.0);
        let bar = Rect { x: zero.min(end), y, width: (end - zero).abs().max(0.5), height };
        let colour = self.classes.get(data.class).map_or(Colour::Blue, |class| class.colour);
        let tip = self.tip(data);
        drawing.rect(bar, Paint::new(colour.fill()), &tip);
        if let Some(hatch) = hatch(data.class).filter(|_| data.class < self.classes.len()) {
            drawing.rect(bar, Paint::hatch(hatch), &tip);
        }
        let mut right = zero.max(end);
        let middle = row.y + row.height / 2.0;
        if let Some((low, high)) = data.value.spread() {
            let (low, high) = (x(low), x(high));
            let upright = |x: f64| polyline(&[(x, middle - 4.0), (x, middle + 4.0)]);
            let path =
                format!("{}{}{}", polyline(&[(low, middle), (high, middle)]), upright(low), upright(high));
            drawing.path(&path, Paint::new("ink").stroke_width(1.3), &tip);
            right = right.max(high);
        }
        let text = self.value.short(data.value.mean);
        drawing.label(Label::new(&text, right + 5.0, middle + 4.0).size(SMALL).limit(VALUES).class("halo"));
    }

    fn tip(&self, row: &RankingRow) -> String {
        let class = self.classes.get(row.class).map(|class| format!(" ({})", class.name)).unwrap_or_default();
        format!("{}{class}: {}", row.label, row.value.text(&self.value))
    }
}
