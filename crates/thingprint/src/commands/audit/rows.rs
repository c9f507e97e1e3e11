use thingprint_audit::{DeviceAudit, Finding, Grade, Recommended};
use thingprint_instance::protocol_name;
use thingprint_report::{Cell, Table, Type};

use super::lines::{side, title};
use super::report::Report;

/// A row for each finding.
pub(super) fn findings(report: &Report) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("device", Type::Text),
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
        ("first_time", Type::Time),
        ("first_proto", Type::Text),
        ("first_client", Type::Text),
        ("first_server", Type::Text),
    ]);
    for device in &report.audit.devices {
        for finding in &device.findings {
            table.push(cells(report, device, finding))?;
        }
    }
    Ok(table)
}

fn cells(report: &Report, device: &DeviceAudit, finding: &Finding) -> Vec<Cell> {
    let example = &finding.example;
    vec![
        Cell::from(device.device.to_string()),
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
        Cell::from(example.time),
        Cell::from(protocol_name(example.protocol).into_owned()),
        Cell::from(example.client.to_string()),
        Cell::from(example.server.to_string()),
    ]
}
