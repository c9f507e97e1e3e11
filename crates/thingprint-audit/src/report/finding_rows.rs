use crate::{Coverage, DeviceAudit, Finding, Grade, Recommended, Rule};
use thingprint_flow::protocol_name;
use thingprint_profile::Likeness;
use thingprint_table::{Cell, Table, Type};

use super::Report;
use super::lines::{side, title};

/// Columns of a finding behind what was seen, up to the capture.
const COLUMNS_BEHIND_SEEN: usize = 10;

/// A row for each finding, and one without a rule for each device and protocol of which no flow could be judged.
pub(crate) fn findings(report: &Report) -> Table {
    let mut table = Table::new([
        ("device", Type::Text),
        ("class", Type::Text),
        ("label", Type::Text),
        ("policy", Type::Text),
        ("rule", Type::Text),
        ("title", Type::Text),
        ("severity", Type::Text),
        ("by", Type::Text),
        ("flows", Type::Unsigned),
        ("total", Type::Unsigned),
        ("seen", Type::Text),
        ("grade", Type::Text),
        ("recommended", Type::Text),
        ("expected", Type::Text),
        ("reference", Type::Text),
        ("operator", Type::Text),
        ("remediation", Type::Text),
        ("first_time", Type::Time),
        ("first_proto", Type::Text),
        ("first_client", Type::Text),
        ("first_server", Type::Text),
        ("first_capture", Type::Text),
        ("protocol_flows", Type::Unsigned),
        ("protocol_judged", Type::Unsigned),
        ("looks_like_answer", Type::Text),
        ("looks_like", Type::List),
        ("looks_like_score", Type::Real),
    ]);
    for device in &report.audit.devices {
        for finding in &device.findings {
            table.add(cells(report, device, finding));
        }
        for (protocol, coverage) in device.coverage.iter().filter(|(_, coverage)| coverage.judged == 0) {
            table.add(unjudged_cells(report, device, protocol, *coverage));
        }
    }
    table
}

fn cells(report: &Report, device: &DeviceAudit, finding: &Finding) -> Vec<Cell> {
    let example = &finding.example;
    let mut cells = vec![
        Cell::from(device.device.to_string()),
        Cell::from(device.class()),
        Cell::from(device.label.clone()),
        Cell::from(report.audit.policy.as_str()),
        Cell::from(finding.rule),
        Cell::from(title(finding.rule)),
        Cell::from(finding.severity.as_str()),
        Cell::from(side(finding.by)),
        Cell::from(finding.flows),
        Cell::from(finding.total),
        Cell::from(finding.seen.as_str()),
        Cell::from(finding.suite.and_then(|suite| suite.grade).map(Grade::as_str)),
        Cell::from(finding.suite.and_then(|suite| suite.recommended).map(Recommended::as_str)),
        Cell::from(finding.expected.as_str()),
        Cell::from(finding.reference.as_str()),
        Cell::from(finding.operator),
        Cell::from(finding.remediation),
        Cell::from(example.time),
        Cell::from(protocol_name(example.protocol).into_owned()),
        Cell::from(example.client.to_string()),
        Cell::from(example.server.to_string()),
        Cell::from(example.capture.clone()),
    ];
    cells.extend(coverage_cells(coverage_of(device, finding.rule)));
    cells.extend(likeness_cells(report.likeness(device.device)));
    cells
}

/// The flows of a rule's protocols; `None` where it is about none.
fn coverage_of(device: &DeviceAudit, rule: &str) -> Option<Coverage> {
    let protocols = Rule::of(rule)?.protocols;
    let mut all = Coverage::default();
    protocols.iter().filter_map(|protocol| device.coverage.get(protocol)).for_each(|of| all.add(*of));
    Some(all)
}

fn coverage_cells(coverage: Option<Coverage>) -> [Cell; 2] {
    [Cell::from(coverage.map(|coverage| coverage.seen)), Cell::from(coverage.map(|coverage| coverage.judged))]
}

fn unjudged_cells(report: &Report, device: &DeviceAudit, protocol: &str, coverage: Coverage) -> Vec<Cell> {
    let mut cells = vec![
        Cell::from(device.device.to_string()),
        Cell::from(device.class()),
        Cell::from(device.label.clone()),
        Cell::from(report.audit.policy.as_str()),
        Cell::Absent,
        Cell::from("not judged"),
        Cell::Absent,
        Cell::Absent,
        Cell::from(coverage.seen),
        Cell::from(coverage.judged),
        Cell::from(format!("{protocol}: {}", coverage.reasons())),
    ];
    cells.extend(std::iter::repeat_n(Cell::Absent, COLUMNS_BEHIND_SEEN));
    cells.extend(coverage_cells(Some(coverage)));
    cells.extend(likeness_cells(report.likeness(device.device)));
    cells
}

/// The answer, the known devices that it names, and the score of the best; nothing where none is known.
fn likeness_cells(likeness: Option<&Likeness>) -> [Cell; 3] {
    let Some(likeness) = likeness else { return [Cell::Absent, Cell::Absent, Cell::Absent] };
    let names = likeness.answer.names().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let score = likeness.candidates.first().map(|best| best.score);
    [Cell::from(likeness.answer.word()), Cell::from(names), Cell::from(score)]
}
