//! Tables of a page, which readers can sort.

use thingprint_table::escape::html as escape;
use thingprint_table::{Badge, Column, Notation, Prose, Table, Type, Values, View, percent_decimals};

use super::prose;
use crate::number::{is_drawable, place};

/// Most decimals of a number.
const MOST_DECIMALS: usize = 12;
/// Distance of thousands in digits.
const THOUSANDS: usize = 3;
/// From here on digits are parted by thousands, since years and ports are no amounts.
const PARTED_FROM: usize = 5;

/// A table, or its caption alone where it has no rows.
pub(super) fn html(table: &Table, caption: &Prose) -> String {
    if table.rows() == 0 {
        return format!("<p>{}</p>\n", prose::html(&caption.clone().text(" No data.")));
    }
    let columns: Vec<(&Column, bool)> =
        table.columns().iter().map(|column| (column, is_numeric(column.values()))).collect();
    let head: String = columns.iter().map(|(column, is_numeric)| header(column, *is_numeric)).collect();
    let row = |row: usize| {
        let cells = columns.iter().map(|(column, is_numeric)| cell(column, row, *is_numeric));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let rows: String = (0..table.rows()).map(row).collect();
    let caption = match prose::html(caption) {
        caption if caption.is_empty() => caption,
        caption => format!("<caption>{caption}</caption>\n"),
    };
    format!(
        "<div class=\"table\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">\n<table class=\"sortable\">\n\
         {caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )
}

/// Whether a column has numbers.
fn is_numeric(values: &Values) -> bool {
    let is_number = matches!(values.r#type(), Type::Unsigned | Type::Signed | Type::Real);
    is_number && (0..values.len()).any(|row| values.view(row).is_some())
}

fn header(column: &Column, is_numeric: bool) -> String {
    let class = if is_numeric { " class=\"n\"" } else { "" };
    let help = match column.explanation() {
        "" => String::new(),
        help => format!(" title=\"{}\"", escape(help)),
    };
    format!("<th scope=\"col\"{class}{help}>{}</th>", escape(column.name()))
}

/// A cell, with what it is sorted by where that is not its text. An absent value stands where the others of its column
/// do.
fn cell(column: &Column, row: usize, is_numeric: bool) -> String {
    match column.values().view(row) {
        Some(View::Unsigned(count)) => {
            let count = *count as f64;
            number_cell(count, &parted(count, 0))
        }
        Some(View::Signed(number)) => {
            let number = *number as f64;
            number_cell(number, &parted(number, 0))
        }
        Some(View::Real(measure)) if is_drawable(*measure * 100.0) => {
            number_cell(*measure, &measured(*measure, column.notation()))
        }
        Some(View::Prose(text)) => format!("<td>{}</td>", prose::html(text)),
        Some(View::Badges(badges)) if !badges.is_empty() => badge_cell(badges),
        None | Some(View::Real(_) | View::Badges(_)) => {
            let class = if is_numeric { "n absent" } else { "absent" };
            format!("<td class=\"{class}\" data-absent=\"\">–</td>")
        }
        Some(_) => format!("<td>{}</td>", escape(&column.text(row))),
    }
}

fn measured(measure: f64, notation: Notation) -> String {
    match notation {
        Notation::Significant => escape(&notation.text(measure)),
        Notation::Decimals(decimals) => parted(measure, decimals),
        Notation::Percent(decimals) => {
            let text = parted(measure * 100.0, percent_decimals(measure, decimals));
            format!("{text} <span class=\"unit\">%</span>")
        }
    }
}

fn number_cell(value: f64, html: &str) -> String {
    format!("<td class=\"n\" data-sort=\"{value:e}\">{html}</td>")
}

/// Badges, sorted by the weightiest.
fn badge_cell(badges: &[Badge]) -> String {
    let rank = badges.iter().map(|badge| prose::rank(badge.tone())).max().unwrap_or(0);
    let html: String = badges.iter().map(prose::badge).collect();
    format!("<td data-sort=\"{}\">{html}</td>", place(f64::from(rank)))
}

/// A number with its thousands parted by thin spaces that do not break.
fn parted(value: f64, decimals: usize) -> String {
    let text = format!("{:.*}", decimals.min(MOST_DECIMALS), value.abs());
    let (whole, rest) = text.find('.').map_or((text.as_str(), ""), |at| text.split_at(at));
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    let mut parted = if value < 0.0 && !is_zero { "−".to_owned() } else { String::new() };
    for (index, digit) in whole.chars().enumerate() {
        let behind = whole.len() - index;
        if index > 0 && whole.len() >= PARTED_FROM && behind % THOUSANDS == 0 {
            parted.push('\u{202f}');
        }
        parted.push(digit);
    }
    parted + rest
}

#[cfg(test)]
mod tests {
    use thingprint_table::{Cell, Tone};

    use super::*;

    #[test]
    fn numbers_are_parted_by_thousands() {
        let check = |value: f64, decimals, expected: &str| assert_eq!(parted(value, decimals), expected);
        check(50_378.0, 0, "50\u{202f}378");
        check(1_234_567.891, 2, "1\u{202f}234\u{202f}567.89");
        check(4_177.0, 0, "4177");
        check(-0.5, 1, "−0.5");
        check(-0.001, 1, "0.0");
    }

    #[test]
    fn cells_sort_by_what_they_mean() {
        let check = |column: Column, value: Cell, expected: &str| {
            let mut table = Table::new([column]);
            table.add([value]);
            assert_eq!(cell(&table.columns()[0], 0, false), expected);
        };
        check(
            Column::percent("x", 2),
            Cell::from(0.9988),
            "<td class=\"n\" data-sort=\"9.988e-1\">99.88 <span class=\"unit\">%</span></td>",
        );
        let absent = "<td class=\"absent\" data-absent=\"\">–</td>";
        check(Column::decimals("x", 2), Cell::Absent, absent);
        check(Column::decimals("x", 2), Cell::from(f64::NAN), absent);
        let badges = vec![Badge::new("x", Tone::High), Badge::new("y", Tone::Good)];
        let html = "<span class=\"badge high\">x</span><span class=\"badge good\">y</span>";
        check(
            Column::new("x", Type::Badges),
            Cell::Badges(badges),
            &format!("<td data-sort=\"5\">{html}</td>"),
        );
        check(Column::texts("x"), Cell::from("<b>\u{202e}"), "<td>&lt;b&gt;\u{fffd}</td>");
    }
}
