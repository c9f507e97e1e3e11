//! Dots in rows and columns, as for which device offers which cipher suite.

use crate::class::{Class, Colour};
use crate::drawing::{Anchor, Drawing, Figure, Label, MARGIN, Paint, Rect, SMALL, TEXT, widest};
use crate::frame::WIDTH;
use crate::legend::{Entry, Sign, legend, marker};

/// Smallest and greatest distance of columns, in pixels.
const COLUMN: std::ops::RangeInclusive<f64> = 12.0..=30.0;
/// Height of a row, in pixels.
const ROW: f64 = 19.0;
/// Greatest width of names, in pixels.
const NAMES: f64 = 190.0;

/// Which rows have which columns, with a dot of a class where they do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DotMatrix {
    /// What the figure shows.
    pub title: String,
    /// The same in more words, for those who cannot see it.
    pub description: String,
    /// What rows are.
    pub row_label: String,
    /// What columns are.
    pub column_label: String,
    /// Names from top to bottom.
    pub rows: Vec<String>,
    /// Names from left to right.
    pub columns: Vec<String>,
    /// Classes of dots; each has a form besides its colour.
    pub classes: Vec<Class>,
    /// The dots, one at each place at most; those of no row, column or class are left out.
    pub dots: Vec<Dot>,
}

/// A dot of a [`DotMatrix`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dot {
    /// Index of its row.
    pub row: usize,
    /// Index of its column.
    pub column: usize,
    /// Index of its class.
    pub class: usize,
}

impl Figure for DotMatrix {
    fn draw(&self) -> Drawing {
        let names = widest(self.rows.iter().map(String::as_str), TEXT, NAMES);
        let side = if self.row_label.is_empty() { 0.0 } else { 18.0 };
        let left = MARGIN + side + names + 8.0;
        let columns = self.columns.len().max(1) as f64;
        let step = ((WIDTH - left - MARGIN) / columns).clamp(*COLUMN.start(), *COLUMN.end());
        let width = (left + step * columns + MARGIN).max(WIDTH);
        let mut drawing = Drawing::new(&self.title, &self.description, width);
        let shown: Vec<Dot> = self.dots.iter().copied().filter(|dot| self.has(*dot)).collect();
        if shown.is_empty() {
            return drawing.no_data();
        }
        let entries = self.classes.iter().enumerate().map(|(index, class)| Entry {
            name: &class.name,
            colour: class.colour,
            sign: Sign::Marker(index),
        });
        legend(&mut drawing, &entries.collect::<Vec<_>>());
        let above = widest(self.columns.iter().map(String::as_str), SMALL, NAMES);
        let label = if self.column_label.is_empty() { 0.0 } else { 18.0 };
        let y = drawing.bottom() + label + above + 8.0;
        let area = Rect { x: left, y, width: step * columns, height: ROW * self.rows.len() as f64 };
        self.grid(&mut drawing, area, step);
        for dot in shown {
            self.dot(&mut drawing, area, step, dot);
        }
        drawing.reach(area.bottom() + MARGIN);
        drawing
    }
}

impl DotMatrix {
    fn has(&self, dot: Dot) -> bool {
        dot.row < self.rows.len() && dot.column < self.columns.len() && dot.class < self.classes.len()
    }

    /// Names, and lines that lead the eye to them.
    fn grid(&self, drawing: &mut Drawing, area: Rect, step: f64) {
        let top = drawing.bottom() + 12.0;
        let middle = area.x + area.width / 2.0;
        drawing.label(
            Label::new(&self.column_label, middle, top).anchor(Anchor::Middle).class("b").limit(area.width),
        );
        if !self.row_label.is_empty() {
            let label = Label::new(&self.row_label, MARGIN + TEXT, area.y + area.height / 2.0).turn(-90.0);
            drawing.label(label.anchor(Anchor::Middle).class("b").limit(area.height));
        }
        for (index, name) in self.columns.iter().enumerate() {
            let x = area.x + step * (index as f64 + 0.5);
            drawing.line((x, area.y), (x, area.bottom()), Paint::new("grid"));
            drawing.label(Label::new(name, x + 4.0, area.y - 5.0).size(SMALL).turn(-90.0).limit(NAMES));
        }
        for (index, name) in self.rows.iter().enumerate() {
            let y = area.y + ROW * (index as f64 + 0.5);
            drawing.line((area.x, y), (area.right(), y), Paint::new("grid"));
            drawing.label(Label::new(name, area.x - 7.0, y + 4.0).anchor(Anchor::End).limit(NAMES));
        }
    }

    fn dot(&self, drawing: &mut Drawing, area: Rect, step: f64, dot: Dot) {
        let place = (area.x + step * (dot.column as f64 + 0.5), area.y + ROW * (dot.row as f64 + 0.5));
        let class = self.classes.get(dot.class);
        let colour = class.map_or(Colour::Grey, |class| class.colour);
        let name = |names: &[String], index: usize| names.get(index).cloned().unwrap_or_default();
        let class = class.map_or("", |class| class.name.as_str());
        let tip = format!("{}: {} ({class})", name(&self.rows, dot.row), name(&self.columns, dot.column));
        let radius = (step * 0.36).min(5.0);
        drawing.path(&marker(place, dot.class, radius), Paint::new(colour.fill()), &tip);
    }
}
