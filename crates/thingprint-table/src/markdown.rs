use std::fmt::Write as _;

use crate::escape;
use crate::table::{Column, Table};

/// The first rows of a table, at most `most_rows`, as a table of Markdown without a line break at its end.
pub fn markdown(table: &Table, most_rows: usize) -> String {
    let line = |text: &dyn Fn(&Column) -> String| {
        table.columns().iter().map(|column| escape::markdown(&text(column))).collect::<Vec<_>>().join(" | ")
    };
    let rule = "|---".repeat(table.columns().len());
    let mut text = format!("| {} |\n{rule}|", line(&|column| column.name().to_owned()));
    for row in 0..table.rows().min(most_rows) {
        let _ = write!(text, "\n| {} |", line(&|column| column.text(row)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Cell;

    #[test]
    fn hostile_names_stay_in_their_cells() {
        let mut table = Table::new([Column::texts("a|b"), Column::percent("share", 1)]);
        table.add([Cell::from("x | y\n| z"), Cell::from(0.5)]);
        table.add([Cell::Absent, Cell::Absent]);
        let expected = "| a\\|b | share |\n|---|---|\n| x \\| y \\| z | 50.0 % |\n| - | - |";
        assert_eq!(markdown(&table, 9), expected);
        assert_eq!(markdown(&table, 1).lines().count(), 3);
    }
}
