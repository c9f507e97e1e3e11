//! A label file to fill in.

use std::collections::BTreeSet;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_identity::{Certainty, Field, Identity};
use thingprint_instance::{Bag, DeviceEntry, Kind, Label};
use thingprint_report::{LabelRow, Labels};
use thingprint_table::{csv_text, rfc3339};

use super::several_addresses::Pair;

/// Types of devices that run what their owner installs.
const GENERAL_PURPOSE: [&str; 4] = ["computer", "phone", "server", "tablet"];

/// A label file: what is labelled as it is, also when it was not seen; for others a proposal where they declare who they are,
/// else commented, with what helps to recognise them.
pub(super) fn template(devices: &[(&DeviceEntry, Option<&Identity>)], labels: &Labels) -> String {
    let columns = TemplateColumns::of(labels);
    let mut text = format!(
        "# Give each device a label (its class) and a kind: iot or non-iot. Remove the # of the rows you fill in.\n\
         {}mac,label,kind{}{}\n",
        if columns.capture { "capture," } else { "" },
        if columns.family { ",family" } else { "" },
        if columns.period { ",from,to" } else { "" },
    );
    let mut labelled = BTreeSet::new();
    labelled.extend(labels.same().map(|(device, _)| device));
    for row in labels.rows() {
        labelled.insert(row.device);
        text.push_str(&columns.line(&row));
    }
    // A device of several networks has one label.
    let unlabelled: Vec<_> = devices.iter().filter(|(entry, _)| labelled.insert(entry.device)).collect();
    if unlabelled.iter().any(|(_, identity)| Proposal::of(*identity).is_some_and(|it| it.is_declared)) {
        text.push_str(
            "# A label behind a question mark is what a device declares itself to be. Remove the mark where it is right:\n\
             # train takes no label that nobody confirmed, unless it is told to trust what devices declare.\n",
        );
    }
    text.extend(unlabelled.into_iter().map(|(entry, identity)| columns.proposal(entry, *identity)));
    text
}

/// Rows that say which addresses are of one device: those of the label file, and proposals, commented, with the reason.
pub(super) fn same_as(pairs: &[Pair], labels: &Labels) -> String {
    let columns = TemplateColumns::of(labels);
    let mut text = String::new();
    for (device, same) in labels.same() {
        text.push_str(&columns.same(device, same));
    }
    let new: Vec<&Pair> = pairs.iter().filter(|pair| labels.same_as(pair.other).is_none()).collect();
    if !new.is_empty() {
        text.push_str("# One device may have several addresses. Remove the # where it is so, and label the other address.\n");
    }
    text.extend(new.into_iter().map(|Pair { first, other, reason }| {
        let reason = remark(reason);
        format!("# {reason}\n#{}", columns.same(*other, *first))
    }));
    text
}

/// Which columns a label file has beside device, label and kind.
#[derive(Clone, Copy, Debug)]
struct TemplateColumns {
    capture: bool,
    family: bool,
    period: bool,
}

impl TemplateColumns {
    fn of(labels: &Labels) -> Self {
        Self {
            capture: labels.has_captures(),
            family: labels.rows().any(|row| row.label.family.is_some()),
            period: labels.rows().any(|row| row.from.or(row.to).is_some()),
        }
    }

    fn line(self, row: &LabelRow<'_>) -> String {
        let time = |time: Option<Timestamp>| time.map(rfc3339::format).unwrap_or_default();
        let mut cells = Vec::new();
        cells.extend(self.capture.then(|| cell(row.capture.unwrap_or("*"))));
        cells.extend([row.device.to_string(), cell(&row.label.class), row.label.kind.to_string()]);
        cells.extend(self.family.then(|| cell(row.label.family.as_deref().unwrap_or_default())));
        if self.period {
            cells.extend([time(row.from), time(row.to)]);
        }
        cells.join(",") + "\n"
    }

    fn same(self, device: DeviceId, same: DeviceId) -> String {
        let capture = if self.capture { "*," } else { "" };
        let rest = ",".repeat(usize::from(self.family) + 2 * usize::from(self.period));
        format!("{capture}{device},same-as {same},{rest}\n")
    }

    /// A device that nobody labelled, behind a line of what is known of it.
    fn proposal(self, entry: &DeviceEntry, identity: Option<&Identity>) -> String {
        let proposal = Proposal::of(identity);
        let is_declared = proposal.as_ref().is_some_and(|proposal| proposal.is_declared);
        let (mark, question) = if is_declared { ("", Label::PROPOSED) } else { ("#", "") };
        let (class, kind) =
            proposal.map_or((String::new(), Kind::Iot), |proposal| (proposal.class, proposal.kind));
        let capture = if self.capture { "*," } else { "" };
        let rest = ",".repeat(usize::from(self.family) + 2 * usize::from(self.period));
        let class = cell(&format!("{question}{class}"));
        let why = identity.map(said).unwrap_or_default();
        format!("# {why}{}\n{mark}{capture}{},{class},{kind}{rest}\n", hint(entry), entry.device)
    }
}

/// A class that follows from what a device says of itself.
struct Proposal {
    class: String,
    kind: Kind,
    /// Whether the device declares it, and does not only look like it.
    is_declared: bool,
}

impl Proposal {
    /// The vendor with the model, or else the type; `None` where neither is known.
    fn of(identity: Option<&Identity>) -> Option<Self> {
        let identity = identity?;
        let field = [Field::Model, Field::Type].into_iter().find(|field| identity.value(*field).is_some())?;
        let what = identity.value(field)?;
        let class = match identity.value(Field::Vendor) {
            Some(vendor) if !what.to_lowercase().starts_with(&vendor.to_lowercase()) => {
                format!("{vendor} {what}")
            }
            _ => what.to_owned(),
        };
        let is_general = identity.value(Field::Type).is_some_and(|kind| GENERAL_PURPOSE.contains(&kind));
        let kind = if is_general { Kind::NonIot } else { Kind::Iot };
        let is_declared = identity.answer(field).certainty == Some(Certainty::Declared);
        Some(Self { class: class.replace(['\n', '\r'], " "), kind, is_declared })
    }
}

/// Who a device is by what it says, and why.
fn said(identity: &Identity) -> String {
    let of_field = |field: Field| {
        let answer = identity.answer(field);
        let (value, certainty) = (answer.value.as_ref()?, answer.certainty?);
        let value = remark(value);
        Some(format!("{field} {value} ({certainty}, by {}), ", answer.sources().join(" and ")))
    };
    [Field::Vendor, Field::Model, Field::Type].into_iter().filter_map(of_field).collect()
}

fn hint(entry: &DeviceEntry) -> String {
    if entry.packets_up == 0 {
        let addresses: Vec<String> = entry.addresses.keys().map(ToString::to_string).collect();
        let at = if addresses.is_empty() { String::new() } else { format!(" for {}", addresses.join(" ")) };
        let last =
            entry.last_seen.map_or_else(String::new, |last| format!(", last at {}", rfc3339::format(last)));
        return format!(
            "sent frames of the local network alone (such as ARP{at}){last}: look for it at the router"
        );
    }
    format!(
        "host name {}, vendor class {}, asks for {}, uses {}, {} packets sent",
        remark(entry.host_name.as_deref().unwrap_or("-")),
        remark(entry.vendor_class.as_deref().unwrap_or("-")),
        remark(&most_frequent(&entry.names, 3)),
        most_frequent(&entry.server_ports, 6),
        entry.packets_up,
    )
}

/// The words that come most often.
fn most_frequent(bag: &Bag, most: usize) -> String {
    let mut words: Vec<_> = bag.iter().collect();
    words.sort_by_key(|(word, count)| (std::cmp::Reverse(**count), *word));
    let words: Vec<&str> = words.into_iter().take(most).map(|(word, _)| word.as_str()).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

/// A cell of a label file, where `#` begins a comment.
fn cell(text: &str) -> String {
    let cell = csv_text::cell(text);
    if cell.contains('#') && !cell.starts_with('"') { format!("\"{cell}\"") } else { cell }
}

/// A text inside a comment, with nothing that begins a line or a cell: a spreadsheet knows no comments.
fn remark(text: &str) -> String {
    csv_text::neutral(text).replace(',', ";")
}
