use std::collections::BTreeMap;

use thingprint_flow::DeviceLosses;
use thingprint_taps::{Name, TapState};

use super::collection::lacks;
use crate::exit::Outcome;
use crate::left_out::report_left_out;
use crate::messages::{Messages, counted};

/// What a collection did.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    /// The taps as they were known when it began.
    pub(super) at_start: BTreeMap<Name, TapState>,
    pub(super) parcels: u64,
    pub(super) repeats: u64,
    pub(super) refused: u64,
    pub(super) windows: u64,
    pub(super) shared_windows: u64,
    pub(super) shared_flows: u64,
    pub(super) messages_cut: u64,
    pub(super) left_out: DeviceLosses,
}

impl Totals {
    /// Of a collection that begins with what is known of these taps.
    pub(super) fn since(at_start: BTreeMap<Name, TapState>) -> Self {
        Self { at_start, ..Self::default() }
    }

    /// These and those of a collection behind it.
    pub(super) fn and(self, later: &Self) -> Self {
        let later = later.clone();
        let is_first = self.at_start.is_empty();
        Self {
            at_start: if is_first { later.at_start } else { self.at_start },
            parcels: self.parcels + later.parcels,
            repeats: self.repeats + later.repeats,
            refused: self.refused + later.refused,
            windows: self.windows + later.windows,
            shared_windows: self.shared_windows + later.shared_windows,
            shared_flows: self.shared_flows + later.shared_flows,
            messages_cut: self.messages_cut.max(later.messages_cut),
            left_out: later.left_out,
        }
    }

    /// Says what is missing, and what counts twice.
    pub(super) fn report(&self, taps: &BTreeMap<Name, TapState>, messages: Messages) -> Outcome {
        let taken = counted(self.parcels, "part", "parts");
        messages.note(format!("{taken}, {}", counted(self.windows, "window", "windows")));
        if self.repeats > 0 {
            messages.detail(format!(
                "{} came again, and changed nothing",
                counted(self.repeats, "part", "parts")
            ));
        }
        if self.shared_windows > 0 {
            messages.warn(format!(
                "{} seen by several taps at the same time: {} may count more than once",
                counted(self.shared_windows, "window of a device", "windows of devices"),
                counted(self.shared_flows, "flow", "flows"),
            ));
        }
        if self.messages_cut > 0 {
            let cut = counted(self.messages_cut, "message", "messages");
            messages.warn(format!("{cut} in progress at the end of a part: missing or counted twice"));
        }
        let mut is_partial = self.refused > 0;
        for (name, tap) in taps {
            let before = self.at_start.get(name).cloned().unwrap_or_default();
            for text in lacks(name, &before, tap) {
                is_partial = true;
                messages.warn(text);
            }
        }
        let whole = report_left_out(&self.left_out, messages);
        if is_partial { Outcome::Partial } else { whole }
    }
}
