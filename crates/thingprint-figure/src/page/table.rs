//! Tables of a page, which readers can sort.

use crate::number::{is_drawable, place};
use crate::page::badge::Badge;
use crate::page::prose::Prose;
use crate::xml::escape;

/// Most decimals of a number.
const MOST_DECIMALS: usize = 12;
/// Distance of thousands in digits.
const THOUSANDS: usize = 3;
/// From here on digits are parted by thousands, since years and ports are no amounts.
const PARTED_FROM: usize = 5;

/// A table with typed cells.
///
/// ```
/// use thingprint_figure::{Badge, PageCell, PageColumn, PageTable, Tone};
///
/// let table = PageTable {
///     caption: "Findings".into(),
///     columns: vec![PageColumn::new("Device"), PageColumn::new("Severity"), PageColumn::new("Flows")],
///     rows: vec![vec!["lamp".into(), Badge::new("high", Tone::High).into(), PageCell::number(12.0, 0)]],
/// };
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageTable {
    /// What the table shows.
    pub caption: Prose,
    /// The columns.
    pub columns: Vec<PageColumn>,
    /// The rows, with a cell for each column; missing ones are absent, more than columns are dropped.
    pub rows: Vec<Vec<PageCell>>,
}

/// A column of a [`PageTable`]. It is aligned by what its cells are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageColumn {
    name: String,
    help: String,
}

impl PageColumn {
    /// A column of a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), help: String::new() }
    }

    /// The column with a sentence that shows when the pointer rests on its name.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    fn html(&self, is_numeric: bool) -> String {
        let class = if is_numeric { " class=\"n\"" } else { "" };
        let help = match self.help.as_str() {
            "" => String::new(),
            help => format!(" title=\"{}\"", escape(help)),
        };
        format!("<th scope=\"col\"{class}{help}>{}</th>", escape(&self.name))
    }
}

/// A cell of a [`PageTable`].
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PageCell {
    /// No value, written as a dash and sorted last.
    #[default]
    Absent,
    /// Plain text.
    Text(String),
    /// A name or value as a program knows it.
    Code(String),
    /// Text with emphasis and links.
    Prose(Prose),
    /// A number and its unit.
    Quantity {
        /// The value; absent if not finite.
        value: f64,
        /// Digits behind the point.
        decimals: usize,
        /// The unit, empty where there is none.
        unit: String,
    },
    /// A share of 1, written as a percentage.
    Percent {
        /// The share; absent if not finite.
        share: f64,
        /// Digits behind the point.
        decimals: usize,
    },
    /// Badges, sorted by the weightiest.
    Badges(Vec<Badge>),
}

impl PageCell {
    /// A number without a unit; `None` is absent.
    pub fn number(value: impl Into<Option<f64>>, decimals: usize) -> Self {
        Self::quantity(value, decimals, "")
    }

    /// A number with a unit; `None` is absent.
    pub fn quantity(value: impl Into<Option<f64>>, decimals: usize, unit: impl Into<String>) -> Self {
        let unit = unit.into();
        value.into().map_or(Self::Absent, |value| Self::Quantity { value, decimals, unit })
    }

    /// A share of 1 as a percentage; `None` is absent.
    pub fn percent(share: impl Into<Option<f64>>, decimals: usize) -> Self {
        share.into().map_or(Self::Absent, |share| Self::Percent { share, decimals })
    }

    fn is_numeric(&self) -> bool {
        matches!(self, Self::Quantity { .. } | Self::Percent { .. })
    }

    /// The element, with what it is sorted by where that is not its text. An absent value stands where the others of
    /// its column do.
    fn html(&self, is_column_numeric: bool) -> String {
        match self {
            Self::Quantity { value, decimals, unit } if is_drawable(*value) => {
                let unit = if unit.is_empty() {
                    unit
                } else {
                    &format!(" <span class=\"unit\">{}</span>", escape(unit))
                };
                number_cell(*value, &format!("{}{unit}", parted(*value, *decimals)))
            }
            Self::Percent { share, decimals } if is_drawable(*share * 100.0) => {
                let text = parted(*share * 100.0, *decimals);
                number_cell(*share, &format!("{text} <span class=\"unit\">%</span>"))
            }
            Self::Text(text) => format!("<td>{}</td>", escape(text)),
            Self::Code(text) => format!("<td><code>{}</code></td>", escape(text)),
            Self::Prose(prose) => format!("<td>{}</td>", prose.html()),
            Self::Badges(badges) if !badges.is_empty() => badge_cell(badges),
            _ => {
                let class = if is_column_numeric { "n absent" } else { "absent" };
                format!("<td class=\"{class}\" data-absent=\"\">–</td>")
            }
        }
    }
}

impl From<&str> for PageCell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for PageCell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for PageCell {
    fn from(count: u64) -> Self {
        Self::number(count as f64, 0)
    }
}

impl From<usize> for PageCell {
    fn from(count: usize) -> Self {
        Self::number(count as f64, 0)
    }
}

impl From<Prose> for PageCell {
    fn from(prose: Prose) -> Self {
        Self::Prose(prose)
    }
}

impl From<Badge> for PageCell {
    fn from(badge: Badge) -> Self {
        Self::Badges(vec![badge])
    }
}

impl PageTable {
    pub(crate) fn html(&self) -> String {
        if self.rows.is_empty() || self.columns.is_empty() {
            return format!("<p>{}</p>\n", self.caption.clone().text(" No data.").html());
        }
        let numeric: Vec<bool> = (0..self.columns.len()).map(|column| self.is_numeric(column)).collect();
        let head: String =
            self.columns.iter().zip(&numeric).map(|(column, numeric)| column.html(*numeric)).collect();
        let rows: String = self.rows.iter().map(|row| row_html(row, &numeric)).collect();
        let caption = match self.caption.html() {
            caption if caption.is_empty() => caption,
            caption => format!("<caption>{caption}</caption>\n"),
        };
        format!(
            "<div class=\"table\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">\n<table class=\"sortable\">\n\
             {caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
        )
    }

    /// Whether all values of a column are numbers.
    fn is_numeric(&self, column: usize) -> bool {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let mut present = cells.filter(|cell| **cell != PageCell::Absent).peekable();
        present.peek().is_some() && present.all(PageCell::is_numeric)
    }
}

fn row_html(row: &[PageCell], numeric: &[bool]) -> String {
    let cell = |(index, numeric): (usize, &bool)| row.get(index).unwrap_or(&PageCell::Absent).html(*numeric);
    format!("<tr>{}</tr>\n", numeric.iter().enumerate().map(cell).collect::<String>())
}

fn number_cell(value: f64, html: &str) -> String {
    format!("<td class=\"n\" data-sort=\"{value:e}\">{html}</td>")
}

fn badge_cell(badges: &[Badge]) -> String {
    let rank = badges.iter().map(|badge| badge.tone().rank()).max().unwrap_or(0);
    let html: String = badges.iter().map(Badge::html).collect();
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
        let check = |cell: PageCell, expected: &str| assert_eq!(cell.html(false), expected);
        check(
            PageCell::percent(0.9988, 2),
            "<td class=\"n\" data-sort=\"9.988e-1\">99.88 <span class=\"unit\">%</span></td>",
        );
        check(PageCell::number(None, 2), "<td class=\"absent\" data-absent=\"\">–</td>");
        check(PageCell::number(f64::NAN, 2), "<td class=\"absent\" data-absent=\"\">–</td>");
        assert_eq!(PageCell::Absent.html(true), "<td class=\"n absent\" data-absent=\"\">–</td>");
        let badges =
            PageCell::Badges(vec![Badge::new("x", crate::Tone::High), Badge::new("y", crate::Tone::Good)]);
        assert!(badges.html(false).starts_with("<td data-sort=\"5\">"));
    }
}
