use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::DeviceLosses;
use thingprint_table::rfc3339;
use thingprint_taps::{Name, TapState};

use super::collection::{Pace, lacks};
use crate::exit::Outcome;
use crate::left_out::report_left_out;
use crate::messages::{Messages, counted};

/// What a collection did.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    /// The taps as they were known when it began; `None` where none did.
    pub(super) at_start: Option<BTreeMap<Name, TapState>>,
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
        Self { at_start: Some(at_start), ..Self::default() }
    }

    /// These and those of a collection behind it.
    pub(super) fn and(mut self, later: Self) -> Self {
        self.leave_out(&later.left_out);
        Self {
            at_start: self.at_start.or(later.at_start),
            parcels: self.parcels + later.parcels,
            repeats: self.repeats + later.repeats,
            refused: self.refused + later.refused,
            windows: self.windows + later.windows,
            shared_windows: self.shared_windows + later.shared_windows,
            shared_flows: self.shared_flows + later.shared_flows,
            messages_cut: self.messages_cut.max(later.messages_cut),
            left_out: self.left_out,
        }
    }

    /// Notes what caps left out of parts. Most of them are the same as before, so the greater number counts: what is said is
    /// the least that was left out.
    pub(super) fn leave_out(&mut self, parts: &DeviceLosses) {
        for (device, counts) in parts.by_size() {
            for (kind, count) in counts {
                let known = self.left_out.of(device).and_then(|known| known.get(kind)).copied().unwrap_or(0);
                self.left_out.add(device, kind.clone(), count.saturating_sub(known));
            }
        }
        for (kind, count) in parts.others() {
            let known = self.left_out.others().get(kind).copied().unwrap_or(0);
            self.left_out.add_other(kind.clone(), count.saturating_sub(known));
        }
    }

    /// Says what is missing, and what counts twice.
    pub(super) fn report(&self, taps: &BTreeMap<Name, TapState>, messages: Messages) -> Outcome {
        if self.at_start.is_some() {
            let taken = counted(self.parcels, "part", "parts");
            messages.note(format!("{taken}, {}", counted(self.windows, "window", "windows")));
        }
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
        // Where no collection began, what is missing is said by whoever stores the windows.
        for (name, tap) in taps.iter().filter(|_| self.at_start.is_some()) {
            let before = self.at_start.as_ref().and_then(|taps| taps.get(name)).cloned().unwrap_or_default();
            for text in lacks(name, &before, tap) {
                is_partial = true;
                messages.warn(text);
            }
        }
        let whole = report_left_out(&self.left_out, messages);
        if is_partial { Outcome::Partial } else { whole }
    }
}

/// Names the taps that hold windows back. Where the collection ends with them left out, that is a warning.
pub(super) fn report_holding(
    taps: &BTreeMap<Name, TapState>,
    holding: &BTreeSet<Name>,
    pace: Pace,
    messages: Messages,
) {
    for name in holding {
        let heard = match taps.get(name).and_then(|tap| tap.until) {
            Some(until) => format!("was heard until {} and did not end", rfc3339::format(until)),
            None => "was not heard yet".to_owned(),
        };
        let text = format!(
            "tap {name} {heard}: windows that other taps saw after that wait for it, and are stored when it sends more or ends, or \
             by a collector without --once after --wait"
        );
        if pace.is_once {
            messages.warn(text);
        } else {
            messages.note(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{DeviceId, LossKind, MacAddr};

    use super::*;

    fn taps(missing: u64) -> BTreeMap<Name, TapState> {
        BTreeMap::from([("attic".parse().unwrap(), TapState { missing, ..TapState::default() })])
    }

    fn outcome(totals: &Totals, missing: u64) -> Outcome {
        totals.report(&taps(missing), Messages::new(true, false))
    }

    #[test]
    fn what_was_lost_before_a_later_begin_stays_lost() {
        let fresh = Totals::since(BTreeMap::new()).and(Totals::since(taps(3)));
        assert_eq!(outcome(&fresh, 3), Outcome::Partial);
        let later = Totals::default().and(Totals::since(taps(3)));
        assert_eq!(outcome(&later, 3), Outcome::Done);
        assert_eq!(outcome(&Totals::default(), 3), Outcome::Done, "another collector says it");
    }

    #[test]
    fn what_caps_left_out_is_kept_and_counts_once() {
        let device = |last| DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, last]));
        let losses = |last, count| {
            let mut losses = DeviceLosses::default();
            losses.add(device(last), LossKind::FLOWS, count);
            losses.add_other(LossKind::DEVICES, count);
            losses
        };
        let mut first = Totals::since(taps(0));
        first.leave_out(&losses(1, 5));
        first.leave_out(&losses(2, 7));
        let both = first.and(Totals::since(taps(0)));
        let of = |last| both.left_out.of(device(last)).unwrap()[&LossKind::FLOWS];
        assert_eq!((of(1), of(2), both.left_out.others()[&LossKind::DEVICES]), (5, 7, 7));
        assert_eq!(outcome(&both, 0), Outcome::Partial);
    }
}
