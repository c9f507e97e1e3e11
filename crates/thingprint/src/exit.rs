use std::fmt;
use std::io;
use std::process::ExitCode;

use thingprint_model::ModelError;
use thingprint_report::ReportError;

/// A command line that cannot be understood: 2.
pub(crate) const USAGE: u8 = 2;

/// A model and data that do not fit each other: 5.
pub(crate) const MISFIT: u8 = 5;

/// Result of a command that succeeded; scripts rely on the numbers. The greatest of several counts: findings take
/// precedence over unreadable input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Everything was done: 0.
    #[default]
    Done,
    /// Done, but some input was unreadable, cut short or missing: 4.
    Partial,
    /// Done, and there were findings at or over the level that `--fail-on` names: 3.
    Findings,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Findings => Self::from(3),
            Outcome::Partial => Self::from(4),
        }
    }
}

/// A usage error that clap does not detect: exit status 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A model and data that do not fit each other: exit status 5.
#[derive(Debug)]
pub(crate) struct Misfit(pub(crate) String);

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misfit {}

/// Exit status of a failure; `None` when the reader of the output went away, which is not reported.
pub(crate) fn status(error: &anyhow::Error) -> Option<u8> {
    if error.chain().any(is_broken_pipe) {
        return None;
    }
    let is_option = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref::<ModelError>(), Some(ModelError::Option { .. }))
    };
    let is_place = |cause: &(dyn std::error::Error + 'static)| {
        let report = cause.downcast_ref::<ReportError>();
        matches!(report, Some(ReportError::ReplacesInput { .. } | ReportError::SameResult { .. }))
    };
    if error.chain().any(|cause| cause.is::<Usage>() || is_option(cause) || is_place(cause)) {
        return Some(USAGE);
    }
    let is_misfit = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref::<ModelError>(), Some(ModelError::MissingEvidence { .. }))
    };
    if error.chain().any(|cause| cause.is::<Misfit>() || is_misfit(cause)) {
        return Some(MISFIT);
    }
    Some(1)
}

fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
    let report = cause.downcast_ref::<ReportError>().and_then(|error| match error {
        ReportError::Output { source, .. } => Some(source.kind()),
        _ => None,
    });
    let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
    io.or(report).or(json) == Some(io::ErrorKind::BrokenPipe)
}
