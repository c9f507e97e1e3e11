//! What a report lacks, because it could not be read, was cut, or was too much; and what may be wrong with it.

use thingprint_audit::Severity;
use thingprint_audit::report::Notice;
use thingprint_flow::DeviceLosses;

use crate::commands::compare::Compared;
use crate::commands::compare::side::SideRead;
use crate::exit::Outcome;

/// What stands before what is about the earlier time.
const EARLIER: &str = "In the earlier time: ";

/// What there is to know about the readings behind a report.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// Warnings and notes; those about the earlier time say so.
    notices: Vec<Notice>,
    /// What caps left out of the time that is reported.
    pub(super) left_out: DeviceLosses,
    /// Whether caps left out something of the earlier time.
    is_earlier_cut: bool,
    /// What a comparison of both could not compare.
    not_compared: Vec<String>,
}

impl Missing {
    /// What is missing of the time that is reported, and of the earlier one.
    pub(super) fn of(now: &SideRead, before: Option<&SideRead>) -> Self {
        let earlier = |notice: &Notice| Notice { text: format!("{EARLIER}{notice}"), ..notice.clone() };
        let earlier = before.into_iter().flat_map(|side| side.notices.iter().map(earlier));
        Self {
            notices: now.notices.iter().cloned().chain(earlier).collect(),
            left_out: now.left_out.clone(),
            is_earlier_cut: before.is_some_and(|side| !side.left_out.is_empty()),
            not_compared: Vec::new(),
        }
    }

    /// Notes what a comparison of both times lacks.
    pub(super) fn add(&mut self, compared: &Compared) {
        self.not_compared.clone_from(&compared.lacks);
    }

    /// The status that follows: a report that lacks something is a partial one.
    pub(super) fn outcome(&self) -> Outcome {
        if self.causes().is_empty() { Outcome::Done } else { Outcome::Partial }
    }

    /// Why the page is not complete; nothing where it is.
    pub(super) fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> =
            self.notices.iter().filter(|notice| notice.incomplete).map(ToString::to_string).collect();
        if !self.left_out.is_empty() {
            causes.push("limits were reached, and what was too much was left out".to_owned());
        }
        if self.is_earlier_cut {
            causes.push(format!("{EARLIER}limits were reached, and what was too much was left out"));
        }
        causes.extend(self.not_compared.iter().cloned());
        causes
    }

    /// What makes the page doubtful, though nothing is missing.
    pub(super) fn warnings(&self) -> impl Iterator<Item = &Notice> {
        self.notices.iter().filter(|notice| notice.level > Severity::Note && !notice.incomplete)
    }

    /// What there is to know beside.
    pub(super) fn notes(&self) -> impl Iterator<Item = &Notice> {
        self.notices.iter().filter(|notice| notice.level == Severity::Note && !notice.is_fact)
    }
}
