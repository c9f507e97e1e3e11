//! What fails now and may work later, where a store is shared and its server comes back.

use std::fmt;

use thingprint_store::StoreError;
use thingprint_taps::TapsError;

use crate::commands::watch::station::failed;

/// A failure that may pass.
#[derive(Debug)]
pub(super) struct Setback(String);

impl fmt::Display for Setback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Setback {}

/// A failure of the store.
pub(super) fn stored(error: StoreError) -> anyhow::Error {
    if error.problem.may_pass() { Setback(format!("failed to {error}")).into() } else { failed(error) }
}

/// A failure of what carries parts, or keeps them.
pub(super) fn carried(error: TapsError) -> anyhow::Error {
    if matches!(error, TapsError::Unreachable { .. }) {
        Setback(format!("failed to {error}")).into()
    } else {
        failed(error)
    }
}
