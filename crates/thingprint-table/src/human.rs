//! Aligned columns for people: nothing is drawn, numbers stand to the right, `-` stands for absent.

mod cell;
mod layout;

use crate::escape;
use crate::table::{Column, Table};
use crate::writer::Style;

use cell::{Shown, pad, wrap_header};

pub(crate) use cell::most_frequent_first;
use layout::{Need, Stretch};

/// Spaces between columns.
const GAP: usize = 2;
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";
/// The escape sequences that a table may hold, which a terminal should be given as they are.
pub const MARKS: [&str; 2] = [BOLD, PLAIN];

/// The whole table as text, a header above its rows; all rows are there however many they are.
pub(crate) fn render(table: &Table, style: Style) -> String {
    let columns: Vec<Sheet> = table.columns().iter().map(|column| Sheet::new(column, table.rows())).collect();
    let needs: Vec<Need> = columns.iter().map(|sheet| sheet.need(style)).collect();
    let widths = layout::widths(&needs, GAP, style.width);
    let mut text = String::new();
    let header = columns.iter().zip(&widths).map(|(sheet, width)| sheet.header(*width)).collect();
    let marks = if style.colour { (BOLD, PLAIN) } else { ("", "") };
    push_block(&mut text, &bottom_aligned(header), marks);
    for row in 0..table.rows() {
        let block: Vec<_> =
            columns.iter().zip(&widths).map(|(sheet, width)| sheet.lines(row, *width)).collect();
        push_block(&mut text, &block, ("", ""));
    }
    text
}

/// A column with its values made ready to show.
struct Sheet {
    name: String,
    right: bool,
    cells: Vec<Shown>,
}

impl Sheet {
    fn new(column: &Column, rows: usize) -> Self {
        let cells = (0..rows).map(|row| Shown::of(column, row)).collect();
        Self { name: escape::terminal(column.name()), right: cell::is_right(column.values().r#type()), cells }
    }

    fn need(&self, style: Style) -> Need {
        let widest = self.cells.iter().map(Shown::width).max().unwrap_or(0);
        let stretch = self.cells.iter().map(Shown::stretch).max().unwrap_or(Stretch::Rigid);
        Need {
            header: cell::width(&self.name),
            header_word: cell::widest_header_word(&self.name),
            content: if style.width.is_none() { stretch.limit(widest) } else { widest },
            stretch,
        }
    }

    fn header(&self, width: usize) -> Vec<String> {
        wrap_header(&self.name, width).iter().map(|line| pad(line, width, self.right)).collect()
    }

    fn lines(&self, row: usize, width: usize) -> Vec<String> {
        let lines = self.cells.get(row).map(|cell| cell.lines(width)).unwrap_or_default();
        lines.iter().map(|line| pad(line, width, self.right)).collect()
    }
}

/// Moves short headers down to the line that stands right above the values.
fn bottom_aligned(mut header: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let height = header.iter().map(Vec::len).max().unwrap_or(0);
    for lines in &mut header {
        let width = lines.first().map_or(0, |line| cell::width(line));
        let missing = height.saturating_sub(lines.len());
        lines.splice(0..0, std::iter::repeat_n(" ".repeat(width), missing));
    }
    header
}

/// Writes cells side by side, each of which may take several lines.
fn push_block(text: &mut String, block: &[Vec<String>], (before, after): (&str, &str)) {
    let height = block.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> =
        block.iter().map(|lines| lines.first().map_or(0, |line| cell::width(line))).collect();
    for line in 0..height {
        let parts: Vec<String> = block
            .iter()
            .zip(&widths)
            .map(|(lines, width)| lines.get(line).cloned().unwrap_or_else(|| " ".repeat(*width)))
            .collect();
        text.push_str(before);
        text.push_str(parts.join(&" ".repeat(GAP)).trim_end());
        text.push_str(after);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests;
