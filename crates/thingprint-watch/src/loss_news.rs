use std::collections::BTreeSet;

use serde_json::Value;
use thingprint_flow::{DeviceId, LossCounts, Timestamp};

use crate::book::Happened;
use crate::records::{EventKind, LeftOut, Severity};

/// Devices that have an event of their own; what further ones lose is in the counts.
const MOST_TOLD: usize = 64;
/// What events of losses are about.
const SUBJECT: &str = "limits";

/// Makes an event of the first loss of each device.
#[derive(Debug, Default)]
pub(crate) struct LossNews {
    told: BTreeSet<DeviceId>,
    has_told_others: bool,
}

impl LossNews {
    /// Events of devices that lost something for the first time, and of those that are not told apart; `name` is what a
    /// person calls a device.
    pub(crate) fn of(
        &mut self,
        left_out: &LeftOut,
        at: Timestamp,
        name: impl Fn(DeviceId) -> String,
    ) -> Vec<Happened> {
        let mut events = Vec::new();
        for lost in &left_out.devices {
            if self.told.len() < MOST_TOLD && self.told.insert(lost.device) {
                events.push(happened(at, Some(lost.device), &name(lost.device), &lost.counts));
            }
        }
        if !left_out.others.is_empty() && !std::mem::replace(&mut self.has_told_others, true) {
            events.push(happened(at, None, "addresses that nobody answered, and others", &left_out.others));
        }
        events
    }
}

fn happened(at: Timestamp, device: Option<DeviceId>, name: &str, counts: &LossCounts) -> Happened {
    let evidence = counts.iter().map(|(kind, count)| (kind.name().to_owned(), Value::from(*count)));
    Happened {
        at,
        kind: EventKind::LeftOut,
        severity: Severity::Warning,
        device,
        subject: SUBJECT.to_owned(),
        text: format!("{name}: a limit was reached, and left out {} so far", LeftOut::in_words(counts)),
        evidence: evidence.collect(),
    }
}
