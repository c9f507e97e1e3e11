//! `report.md`: what is asked, what came out, and how the two papers compare.
use std::fmt::Write as _;

use super::{Report, one_line};
use crate::outcome::{Section, Table};

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
        add(&table(&comparison));
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
        add(&table(&costs));
    }
    for (heading, lines) in
        [("## Files beside this report", &report.attached()), ("## Remarks", &report.outcome.remarks)]
    {
        if !lines.is_empty() {
            add(heading);
            let lines: Vec<String> = lines.iter().map(|line| format!("- {}", escaped(line))).collect();
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
    if section.table.columns.len() > MOST_COLUMNS {
        let _ = write!(text, "The table is wide: see [{0}.csv]({0}.csv).", section.name);
        return text;
    }
    text.push_str(&table(&section.table));
    if section.table.rows.len() > MOST_ROWS {
        let (shown, all, name) = (MOST_ROWS, section.table.rows.len(), &section.name);
        let _ = write!(text, "\n\nThe first {shown} of {all} rows: see [{name}.csv]({name}.csv).");
    }
    text
}

fn table(table: &Table) -> String {
    let header: Vec<String> = table.columns.iter().map(|column| escaped(column)).collect();
    let rule = "|---".repeat(header.len());
    let mut text = format!("| {} |\n{rule}|", header.join(" | "));
    for row in table.rows.iter().take(MOST_ROWS) {
        let cells: Vec<String> = row.iter().map(|value| escaped(&value.to_string())).collect();
        let _ = write!(text, "\n| {} |", cells.join(" | "));
    }
    text
}

/// A text that cannot end a cell or begin markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in one_line(text).chars() {
        if matches!(c, '|' | '*' | '_' | '`' | '<' | '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
