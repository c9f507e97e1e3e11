//! `report.html`: the report in one file that needs no network.
use thingprint_figure::{Badge, Figure as _, Page, PageCell, PageColumn, PageTable, Tone};

use super::{IN_BAND, OUTSIDE, Report, one_line};
use crate::outcome::{Table, Value, telling_decimals};

/// Rows beyond which a table is folded away.
const MANY_ROWS: usize = 40;
/// Columns beyond which it is.
const MANY_COLUMNS: usize = 12;

pub(super) fn page(report: &Report<'_>) -> String {
    let definition = report.definition;
    let mut page = Page::new(definition.title.as_str());
    page.summary(format!("{} {}.", report.data_line(), report.seeds_line()));
    if report.source.is_simulated {
        page.note(
            Tone::Note,
            "Simulated data: what is found here holds for the simulation, not for devices that are sold.",
        );
    }
    if report.outcome.absent.is_empty() {
        page.paragraph(report.read_line());
    } else {
        page.note(Tone::Note, report.read_line());
    }
    for (heading, prose) in [
        ("What is asked", &definition.asks),
        ("What the paper found", &definition.found),
        ("How this may mislead", &definition.misleads),
    ] {
        page.section(heading).paragraph(one_line(prose));
    }
    page.paragraph(format!("In the paper: {}.", definition.place));
    if let Some(comparison) = report.comparison() {
        page.section("Paper and run").table(&table(&comparison, ""));
        if let Some(line) = report.easier_line() {
            page.paragraph(line);
        }
    }
    for section in &report.outcome.sections {
        page.section(section.heading.as_str()).paragraph(one_line(&section.prose));
        if let Some(chart) = &section.chart {
            let drawing = chart.draw();
            page.drawing(&drawing, drawing.description());
        }
        let (rows, columns) = (section.table.rows.len(), section.table.columns.len());
        if rows > MANY_ROWS || columns > MANY_COLUMNS {
            let summary = format!("Table of {rows} rows and {columns} columns");
            page.details(summary.as_str(), |page| {
                page.table(&table(&section.table, ""));
            });
        } else {
            let caption = if section.chart.is_some() { "The numbers" } else { "" };
            page.table(&table(&section.table, caption));
        }
    }
    if let Some(costs) = report.costs() {
        page.section("Time and memory").paragraph(report.costs_line()).table(&table(&costs, ""));
    }
    if !report.outcome.attachments.is_empty() {
        page.section("Files beside this report").list(report.attached());
    }
    if !report.outcome.remarks.is_empty() {
        page.section("Remarks").list(report.outcome.remarks.iter().map(String::as_str));
    }
    page.section("Environment").code(report.environment);
    page.html()
}

fn table(table: &Table, caption: &str) -> PageTable {
    PageTable {
        caption: caption.into(),
        columns: table.columns.iter().map(|column| PageColumn::new(column.as_str())).collect(),
        rows: table.rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
    }
}

fn cell(value: &Value) -> PageCell {
    match value {
        Value::Absent => PageCell::Absent,
        Value::Text(text) if text == IN_BAND => Badge::new(IN_BAND, Tone::Good).into(),
        Value::Text(text) if text.starts_with(OUTSIDE) => Badge::new(text.as_str(), Tone::High).into(),
        Value::Text(text) => PageCell::from(text.as_str()),
        Value::Count(count) => PageCell::from(*count),
        Value::Real(value, decimals) => PageCell::number(*value, *decimals),
        Value::Share(share, decimals) => PageCell::percent(*share, telling_decimals(*share, *decimals)),
    }
}
