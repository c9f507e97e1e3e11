//! What the page on captures and the page on a store say in the same words.

use std::collections::BTreeSet;
use std::fmt::Write;

use thingprint_audit::Severity;
use thingprint_flow::DeviceId;
use thingprint_table::{Badge, Prose, Tone};

use crate::commands::compare::Compared;
use crate::messages::counted;

/// Devices that a sentence names.
pub(super) const MOST_NAMED: usize = 5;
/// Causes for which a page is not complete that stand at the top.
const MOST_CAUSES: usize = 3;
/// Changes that stand at the top.
const MOST_CHANGES: usize = 3;

/// Why a page is not complete, the first causes by name; `None` where it is.
pub(super) fn not_complete(causes: &[String]) -> Option<String> {
    let named = causes.get(..causes.len().min(MOST_CAUSES)).unwrap_or_default();
    if named.is_empty() {
        return None;
    }
    let more = match causes.len() - named.len() {
        0 => String::new(),
        more => format!("; and {more} more, under \u{201c}How much was seen\u{201d}"),
    };
    Some(format!("This page is not complete: {}{more}.", named.join("; ")))
}

/// Which devices nobody knows, of at least one device.
pub(super) fn unknown_devices(names: &[String], has_model: bool) -> String {
    let who = match (names.len(), has_model) {
        (0, _) => return "All are known.".to_owned(),
        (1, true) => "1 has no label, and no class of the model fits",
        (1, false) => "1 has no label",
        (_, true) => "have no label, and no class of the model fits",
        (_, false) => "have no label",
    };
    let count = if names.len() == 1 { String::new() } else { format!("{} ", names.len()) };
    format!("{count}{who}: {}.", some_of(names))
}

/// The first of some names, and how many more there are.
pub(super) fn some_of(names: &[String]) -> String {
    let first = names.get(..names.len().min(MOST_NAMED)).unwrap_or_default();
    first.join(", ") + &more(names.len(), first.len())
}

/// How many more there are than were named, in words.
pub(super) fn more(all: usize, named: usize) -> String {
    match all.saturating_sub(named) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

/// How much changed since the earlier time, in sentences.
pub(super) fn changes_since(changes: &Compared) -> String {
    let count = match changes.changes() as u64 {
        0 => "Nothing unusual changed".to_owned(),
        rows => counted(rows, "unusual change", "unusual changes"),
    };
    let mut text = format!("{count} since the earlier time.");
    let gone = changes.gone_findings();
    if !gone.is_empty() {
        _ = write!(text, " Of the earlier findings: {}.", gone.join(", "));
    }
    text
}

/// How much was found, in a line.
pub(super) fn summary(devices: &str, unknown: usize, found: &str, changes: Option<&Compared>) -> String {
    let unknown = counted(unknown as u64, "unknown", "unknown");
    let changes = changes.map_or_else(String::new, |changes| {
        let counts = [vec![counted(changes.changes() as u64, "change", "changes")], changes.gone_findings()];
        format!("; {}", counts.concat().join(", "))
    });
    format!("{devices}, {unknown}; {found}{changes}")
}

/// What to look at of the changes since the earlier time.
pub(super) fn changes_first(changes: &Compared) -> Vec<Prose> {
    let mut items = Vec::new();
    if changes.changes() > 0 {
        let count = counted(changes.changes() as u64, "unusual change", "unusual changes");
        let most = changes.most(MOST_CHANGES).join("; ");
        let first = if changes.changes() > MOST_CHANGES { ", the first of them" } else { "" };
        items.push(Prose::new().strong(count).text(format!(
            "{first}: {most}. What to do: see under \u{201c}What changed\u{201d} whether you know the reason."
        )));
    }
    let not_judged = changes.findings_not_judged_again();
    if not_judged > 0 {
        let count = counted(not_judged, "earlier finding was", "earlier findings were");
        items.push(Prose::new().strong(format!("{count} not judged again")).text(
            ": nobody knows whether they are mended. What to do: see under \u{201c}What changed\u{201d} why, and capture until these \
             devices do it again.",
        ));
    }
    items
}

/// The earlier findings of a device that were not judged again.
pub(super) fn not_judged_again(changes: Option<&Compared>, device: DeviceId) -> Option<Badge> {
    let (severity, rules) = changes?.not_judged_again(device)?;
    let text = format!("earlier {severity} not judged again: {}", rules.join(", "));
    Some(Badge::new(text, if severity > Severity::Note { Tone::Medium } else { Tone::Plain }))
}

/// Names that several devices have.
pub(super) fn shared_names(names: impl Iterator<Item = String>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    names.filter(|name| !seen.insert(name.clone())).collect()
}

/// A name, with the end of the address where another device has the same name.
pub(super) fn told_apart(name: String, device: DeviceId, shared_names: &BTreeSet<String>) -> String {
    if shared_names.contains(&name) { format!("{name} ({})", end_of(device)) } else { name }
}

/// What tells devices of one name apart: the half of a MAC address that its vendor gave, or the whole IP address.
fn end_of(device: DeviceId) -> String {
    match device {
        DeviceId::Mac(mac) => {
            let [.., a, b, c] = mac.octets();
            format!("\u{2026}{a:02x}:{b:02x}:{c:02x}")
        }
        DeviceId::Ip(address) => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_fits_the_number_of_devices() {
        let names = |count: usize| (1..=count).map(|name| format!("d{name}")).collect::<Vec<_>>();
        assert_eq!(unknown_devices(&names(0), false), "All are known.");
        assert_eq!(unknown_devices(&names(1), false), "1 has no label: d1.");
        assert_eq!(
            unknown_devices(&names(7), true),
            "7 have no label, and no class of the model fits: d1, d2, d3, d4, d5 and 2 more."
        );
    }

    #[test]
    fn the_first_causes_are_named_and_the_others_counted() {
        let causes = |count: usize| (1..=count).map(|cause| format!("c{cause}")).collect::<Vec<_>>();
        assert_eq!(not_complete(&causes(0)), None);
        assert_eq!(not_complete(&causes(3)).unwrap(), "This page is not complete: c1; c2; c3.");
        assert!(not_complete(&causes(5)).unwrap().contains("c3; and 2 more, under"));
    }
}
