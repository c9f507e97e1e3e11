//! Strips of signs in a row, as for lists of cipher suites in the order in which they are offered.

use crate::class::{Class, Colour};
use crate::drawing::{Anchor, Drawing, Figure, Label, MARGIN, Paint, Rect, SMALL, TEXT, widest};
use crate::frame::{WIDTH, x_label};
use crate::legend::{Entry, Sign, legend};

/// Greatest width of a cell, in pixels.
const WIDEST: f64 = 14.0;
/// Height of a row, and of the highest bar in it, in pixels.
const ROW: f64 = 26.0;
const BAR: f64 = 20.0;
/// Greatest width of names, in pixels.
const NAMES: f64 = 220.0;
/// Room for the number of a place, in pixels.
const NUMBER: f64 = 40.0;
/// Height of the bars of the last class, as a share of those of the first.
const LOWEST: f64 = 0.3;

/// Rows of bars, each of a class, in an order that means something.
///
/// Classes differ by colour and by height: the first is the highest, so that what matters most should come first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strips {
    /// What the figure shows.
    pub title: String,
    /// The same in more words, for those who cannot see it.
    pub description: String,
    /// What the order is.
    pub x_label: String,
    /// Classes of cells.
    pub classes: Vec<Class>,
    /// The rows from top to bottom.
    pub rows: Vec<Strip>,
}

/// A row of [`Strips`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strip {
    /// Name of the row.
    pub label: String,
    /// What is in it, in order.
    pub cells: Vec<StripCell>,
}

/// A cell of a [`Strip`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StripCell {
    /// What shows under the pointer.
    pub label: String,
    /// Index of its class; grey if there is none.
    pub class: usize,
}

impl Figure for Strips {
    fn draw(&self) -> Drawing {
        let mut drawing = Drawing::new(&self.title, &self.description, WIDTH);
        let most = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        if most == 0 {
            return drawing.no_data();
        }
        let entries = self.classes.iter().enumerate().map(|(index, class)| Entry {
            name: &class.name,
            colour: class.colour,
            sign: Sign::Bar(self.height(index)),
        });
        legend(&mut drawing, &entries.collect::<Vec<_>>());
        let names = widest(self.rows.iter().map(|row| row.label.as_str()), TEXT, NAMES);
        let (x, y) = (MARGIN + names + 8.0, drawing.bottom() + 2.0);
        let width = drawing.width() - x - MARGIN - 30.0;
        let area = Rect { x, y, width, height: ROW * self.rows.len() as f64 };
        let cell = (width / most as f64).min(WIDEST);
        for (index, row) in self.rows.iter().enumerate() {
            let row_area = Rect { y: y + ROW * index as f64, height: ROW, ..area };
            self.row(&mut drawing, row_area, cell, row);
        }
        drawing.reach(area.bottom() + 4.0);
        positions(&mut drawing, area, cell, most);
        x_label(&mut drawing, area, &self.x_label);
        drawing
    }
}

impl Strips {
    fn row(&self, drawing: &mut Drawing, area: Rect, cell: f64, row: &Strip) {
        let base = area.bottom() - 3.0;
        let name = Label::new(&row.label, area.x - 8.0, base - 5.0).anchor(Anchor::End);
        drawing.label(name.limit(NAMES));
        let gap = if cell >= 4.0 { 1.0 } else { 0.0 };
        for (index, data) in row.cells.iter().enumerate() {
            let class = self.classes.get(data.class);
            let height = BAR * self.height(data.class);
            let x = area.x + cell * index as f64;
            let rect = Rect { x, y: base - height, width: cell - gap, height };
            let colour = class.map_or(Colour::Grey, |class| class.colour);
            let class = class.map(|class| format!(" ({})", class.name)).unwrap_or_default();
            let tip = format!("{}. {}{class}", index + 1, data.label);
            drawing.rect(rect, Paint::new(colour.fill()), &tip);
        }
        let right = area.x + cell * row.cells.len() as f64;
        drawing.line((area.x, base), (right, base), Paint::new("axis"));
        let count = row.cells.len().to_string();
        drawing.label(Label::new(&count, right + 5.0, base - 5.0).size(SMALL).class("m").limit(36.0));
    }

    /// Height of a class' bars, as a share of the greatest.
    fn height(&self, class: usize) -> f64 {
        let last = self.classes.len().saturating_sub(1).max(1) as f64;
        (1.0 - class as f64 / last * (1.0 - LOWEST)).max(LOWEST)
    }
}

/// Numbers the first place and every tenth.
fn positions(drawing: &mut Drawing, area: Rect, cell: f64, most: usize) {
    let has_room = |stride: &usize| cell * *stride as f64 >= NUMBER;
    let stride = [10, 20, 50, 100, 1_000, 10_000].into_iter().find(has_room).unwrap_or(100_000);
    for position in (1..=most).filter(|position| *position == 1 || position % stride == 0) {
        let x = area.x + cell * (position as f64 - 0.5);
        let text = position.to_string();
        let label = Label::new(&text, x, area.bottom() + 12.0).size(SMALL).anchor(Anchor::Middle);
        drawing.label(label.class("m"));
    }
    drawing.reach(area.bottom() + 18.0);
}
