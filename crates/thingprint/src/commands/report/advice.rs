//! What to do about findings, by rule: in a sentence for the top of a page, and as a table.

use thingprint_audit::Severity;
use thingprint_audit::report::Advice;
use thingprint_figure::Page;
use thingprint_table::{Badge, Cell, Column, Prose, Table, Tone, Type};

/// Devices that a sentence names.
const MOST_NAMED: usize = 5;
/// Things to do that stand at the top.
const MOST_ADVICE: usize = 5;

/// The worst rules in a sentence each.
pub(super) fn items(all: &[Advice]) -> Vec<Prose> {
    all.iter().take(MOST_ADVICE).map(item).collect()
}

fn item(advice: &Advice) -> Prose {
    let devices = &advice.devices;
    let names: Vec<&str> = devices.iter().take(MOST_NAMED).map(|device| device.name.as_str()).collect();
    let more = devices.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let to_do = if advice.operator.is_empty() { "" } else { " What to do: " };
    Prose::new().strong(format!("{} ({})", advice.title, advice.severity)).text(format!(
        ": {}{more}.{to_do}{}",
        names.join(", "),
        advice.operator
    ))
}

/// Errors and warnings by rule.
pub(super) fn table(page: &mut Page, all: &[Advice]) {
    let mut table = Table::new([
        Column::new("severity", Type::Badges),
        Column::new("finding", Type::Prose),
        Column::texts("devices"),
        Column::texts("seen, for example"),
        Column::texts("what to do"),
        Column::texts("what the maker has to do"),
    ]);
    for advice in all {
        let tone = if advice.severity == Severity::Error { Tone::Critical } else { Tone::Medium };
        let finding =
            Prose::new().strong(advice.rule.clone()).text(format!(" {}. {}", advice.title, advice.why));
        let names: Vec<&str> = advice.devices.iter().map(|device| device.name.as_str()).collect();
        table.add([
            Cell::from(Badge::new(advice.severity.as_str(), tone)),
            Cell::from(finding),
            Cell::from(names.join(", ")),
            Cell::from(advice.devices.first().map(|device| device.seen.clone())),
            Cell::from(advice.operator.clone()),
            Cell::from(advice.remediation),
        ]);
    }
    page.table(&table, "Errors and warnings by rule, the most severe first");
}
