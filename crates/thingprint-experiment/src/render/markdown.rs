//! `report.md`: what is asked, what came out, and how the two papers compare.
use std::fmt::Write as _;

use thingprint_table::{escape, markdown};

use super::{Report, one_line};
use crate::outcome::Section;

/// Most rows of a table in the report; its CSV file has them all.
const MOST_ROWS: usize = 60;

/// Most columns of a table in the report.
const MOST_COLUMNS: usize = 16;

pub(super) fn page(report: &Report<'_>) -> String {
    let definition = report.definition;
    let mut text = format!("# {}\n\n", definition.title);
    let mut add = |line: &str| {
        let _ = write!(text, "{line}\n\n");
    };
    add(&format!("{} {}.", report.data_line(), report.seeds_line()));
    add(&report.read_line());
    add(&format!("In the paper: {}.", definition.place));
    for (heading, prose) in [
        ("What is asked", &definition.asks),
        ("What the paper found", &definition.found),
        ("How this may mislead", &definition.misleads),
    ] {
        add(&format!("## {heading}"));
        add(&one_line(prose));
    }
    if let Some(comparison) = report.comparison() {
        add("## Paper and run");
        add(&markdown(&comparison, MOST_ROWS));
        if let Some(line) = report.easier_line() {
            add(&line);
        }
    }
    for section in &report.outcome.sections {
        add(&part(section));
    }
    if let Some(costs) = report.costs() {
        add("## Time and memory");
        add(&report.costs_line());
        add(&markdown(&costs, MOST_ROWS));
    }
    for section in &report.outcome.clocked {
        add(&format!("{}\n\n{}", part(section), report.clocked_line()));
    }
    for (heading, lines) in
        [("## Files beside this report", &report.attached()), ("## Remarks", &report.outcome.remarks)]
    {
        if !lines.is_empty() {
            add(heading);
            let lines: Vec<String> =
                lines.iter().map(|line| format!("- {}", escape::markdown(line))).collect();
            add(&lines.join("\n"));
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn part(section: &Section) -> String {
    let mut text = format!("## {}\n\n{}\n\n", section.heading, one_line(&section.prose));
    if section.chart.is_some() {
        let _ = write!(text, "![{}]({}.svg)\n\n", section.heading, section.name);
    }
    if section.table.columns().len() > MOST_COLUMNS {
        let _ = write!(text, "The table is wide: see [{0}.csv]({0}.csv).", section.name);
        return text;
    }
    text.push_str(&markdown(&section.table, MOST_ROWS));
    if section.table.rows() > MOST_ROWS {
        let (shown, all, name) = (MOST_ROWS, section.table.rows(), &section.name);
        let _ = write!(text, "\n\nThe first {shown} of {all} rows: see [{name}.csv]({name}.csv).");
    }
    text
}
