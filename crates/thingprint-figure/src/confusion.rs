//! Confusion matrices.

use crate::class::Colour;
use crate::drawing::{Anchor, Drawing, Figure, Label, MARGIN, Paint, Rect, SMALL, TEXT, polyline, widest};
use crate::frame::WIDTH;
use crate::lettering::width;
use crate::number::percent;

/// Smallest and greatest cell, in pixels.
const CELL: std::ops::RangeInclusive<f64> = 19.0..=46.0;
/// Greatest width of class names, in pixels.
const NAMES: f64 = 170.0;
/// Room for the number of instances of a row, in pixels.
const COUNTS: f64 = 52.0;
/// From this share on a cell is so dark that its text turns light.
const DARK: f64 = 0.6;

/// How instances of each class were classified, as percentages of the class' instances.
///
/// A cell where actual and predicted class have the same name is blue, a mistake is vermillion; the darker, the more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Confusion {
    /// What the figure shows.
    pub title: String,
    /// The same in more words, for those who cannot see it.
    pub description: String,
    /// Classes that instances have, from top to bottom.
    pub actual: Vec<String>,
    /// Classes that they were given, from left to right; may hold more than `actual`, such as "unknown".
    pub predicted: Vec<String>,
    /// Instances by actual, then by predicted class, or means over several runs; what is missing or negative is 0.
    pub counts: Vec<Vec<f64>>,
}

impl Figure for Confusion {
    fn draw(&self) -> Drawing {
        let cells = self.predicted.len().max(1) as f64;
        let rows = widest(self.actual.iter().map(String::as_str), TEXT, NAMES);
        let left = MARGIN + 18.0 + rows + 8.0;
        let cell = ((WIDTH - left - COUNTS - MARGIN) / cells).clamp(*CELL.start(), *CELL.end());
        let width = (left + cell * cells + COUNTS + MARGIN).max(WIDTH);
        let mut drawing = Drawing::new(&self.title, &self.description, width);
        let has_counts = (0..self.actual.len()).any(|row| self.total(row) > 0.0);
        if self.predicted.is_empty() || !has_counts {
            return drawing.no_data();
        }
        let columns = widest(self.predicted.iter().map(String::as_str), TEXT, NAMES);
        let (x, y) = (left, drawing.bottom() + 20.0 + columns + 6.0);
        let area = Rect { x, y, width: cell * cells, height: cell * self.actual.len() as f64 };
        self.names(&mut drawing, area, cell);
        drawing.path(&grid(area, cell), Paint::new("grid"), "");
        for row in 0..self.actual.len() {
            self.row(&mut drawing, area, cell, row);
        }
        drawing.path(&outline(area), Paint::new("axis"), "");
        drawing.reach(area.bottom() + 8.0);
        drawing.note(
            "Percent of the instances of each row. Blue: right, vermillion: mistaken, and the stronger the \
                      more. n: instances of the class.",
        );
        drawing
    }
}

impl Confusion {
    fn count(&self, row: usize, column: usize) -> f64 {
        let count = self.counts.get(row).and_then(|counts| counts.get(column)).copied();
        count.filter(|count| count.is_finite()).unwrap_or(0.0).max(0.0)
    }

    /// Instances of a row, without those that have no column.
    fn total(&self, row: usize) -> f64 {
        (0..self.predicted.len()).map(|column| self.count(row, column)).sum()
    }

    fn names(&self, drawing: &mut Drawing, area: Rect, cell: f64) {
        for (column, name) in self.predicted.iter().enumerate() {
            let x = area.x + cell * (column as f64 + 0.5) + 4.0;
            drawing.label(Label::new(name, x, area.y - 6.0).turn(-90.0).limit(NAMES));
        }
        for (row, name) in self.actual.iter().enumerate() {
            let y = area.y + cell * (row as f64 + 0.5) + 4.0;
            drawing.label(Label::new(name, area.x - 7.0, y).anchor(Anchor::End).limit(NAMES));
            let count = format!("n = {}", amount(self.total(row)));
            let label = Label::new(&count, area.right() + 6.0, y).size(SMALL - 1.0);
            drawing.label(label.limit(COUNTS).class("m"));
        }
        let (middle, center) = (area.x + area.width / 2.0, area.y + area.height / 2.0);
        let top = drawing.bottom() + 12.0;
        drawing.label(
            Label::new("classified as", middle, top)
                .anchor(Anchor::Middle)
                .class("b")
                .limit(area.width.max(90.0)),
        );
        let side = Label::new("class", MARGIN + TEXT, center).anchor(Anchor::Middle).turn(-90.0);
        drawing.label(side.class("b"));
    }

    fn row(&self, drawing: &mut Drawing, area: Rect, cell: f64, row: usize) {
        let total = self.total(row);
        let actual = self.actual.get(row).map_or("", String::as_str);
        for (column, predicted) in self.predicted.iter().enumerate() {
            let (x, y) = (area.x + cell * column as f64, area.y + cell * row as f64);
            let rect = Rect { x, y, width: cell, height: cell };
            let count = self.count(row, column);
            if count <= 0.0 {
                continue;
            }
            let share = count / total;
            let colour = if actual == predicted { Colour::Blue } else { Colour::Vermillion };
            let (part, all) = (amount(count), amount(total));
            let tip = format!("{actual} as {predicted}: {} ({part} of {all})", percent(share));
            drawing.rect(rect, Paint::new(colour.fill()).opacity(0.12 + 0.88 * share), &tip);
            cell_text(drawing, rect, share, &tip);
        }
    }
}

/// A number of instances, with two decimals where it is no whole one.
fn amount(count: f64) -> String {
    let text = format!("{count:.2}");
    text.strip_suffix(".00").map_or_else(|| text.clone(), str::to_owned)
}

/// Writes the percentage into a cell, if it can be read there.
fn cell_text(drawing: &mut Drawing, cell: Rect, share: f64, tip: &str) {
    let hundredths = share * 100.0;
    let text = if hundredths < 0.5 { "<1".to_owned() } else { format!("{hundredths:.0}") };
    let size = if cell.width >= 26.0 { SMALL } else { 9.0 };
    if width(&text, size) > cell.width - 1.0 {
        return;
    }
    let (x, y) = (cell.x + cell.width / 2.0, cell.y + cell.height / 2.0 + size * 0.36);
    let class = if share >= DARK { "on" } else { "" };
    drawing.label(Label::new(&text, x, y).size(size).anchor(Anchor::Middle).class(class).tip(tip));
}

/// Lines between cells.
fn grid(area: Rect, cell: f64) -> String {
    let places = |length: f64| {
        (1_u32..).map(move |index| f64::from(index) * cell).take_while(move |at| at + 1.0 < length)
    };
    let upright =
        places(area.width).map(|at| polyline(&[(area.x + at, area.y), (area.x + at, area.bottom())]));
    let level = places(area.height).map(|at| polyline(&[(area.x, area.y + at), (area.right(), area.y + at)]));
    upright.chain(level).collect()
}

fn outline(rect: Rect) -> String {
    let corners =
        [(rect.x, rect.y), (rect.right(), rect.y), (rect.right(), rect.bottom()), (rect.x, rect.bottom())];
    format!("{}Z", polyline(&corners))
}
