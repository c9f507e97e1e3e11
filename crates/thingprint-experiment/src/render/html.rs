//! `report.html`: the report in one file that needs no network.
use thingprint_figure::{Figure as _, Page};
use thingprint_table::Tone;

use super::{Report, one_line};
use crate::outcome::Section;

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
        page.section("Paper and run").table(&comparison, "");
        if let Some(line) = report.easier_line() {
            page.paragraph(line);
        }
    }
    for section in &report.outcome.sections {
        add_section(&mut page, section);
    }
    if let Some(costs) = report.costs() {
        page.section("Time and memory").paragraph(report.costs_line()).table(&costs, "");
    }
    for section in &report.outcome.clocked {
        add_section(&mut page, section);
        page.paragraph(report.clocked_line());
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

fn add_section(page: &mut Page, section: &Section) {
    page.section(section.heading.as_str()).paragraph(one_line(&section.prose));
    if let Some(chart) = &section.chart {
        let drawing = chart.draw();
        page.drawing(&drawing, drawing.description());
    }
    let (rows, columns) = (section.table.rows(), section.table.columns().len());
    if rows > MANY_ROWS || columns > MANY_COLUMNS {
        let summary = format!("Table of {rows} rows and {columns} columns");
        page.details(summary.as_str(), |page| {
            page.table(&section.table, "");
        });
    } else {
        let caption = if section.chart.is_some() { "The numbers" } else { "" };
        page.table(&section.table, caption);
    }
}
