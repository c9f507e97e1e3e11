//! What an earlier reading left in the store.

use std::collections::BTreeMap;

use thingprint_live::Progress;
use thingprint_store::{StateValue, Store, StoreError};
use thingprint_watch::{Resume, ResumedDevice};

/// The name of what the watcher remembers.
const WATCHER: &str = "watcher";
/// The name of what was read of folders.
const FOLDERS: &str = "folders";
/// The name of the model that was trained on the page, and of the hash of the file that it took the place of.
const MODEL: &str = "model";
const MODEL_OF: &str = "model-in-place-of";

/// What a watcher goes on from.
pub(super) fn resume(store: &Store) -> Result<Resume, StoreError> {
    let stored = store.resume()?;
    let state = store.state(WATCHER, None)?;
    let final_until = stored.final_until;
    let mut parts = BTreeMap::new();
    let mut devices = Vec::with_capacity(stored.devices.len());
    for record in stored.devices {
        let device = record.sighting.device;
        let mut windows = stored.windows.get(&device).cloned().unwrap_or_default();
        // The store has the latest first.
        windows.reverse();
        for window in &windows {
            parts.insert((device, window.window_start), stored_parts(&windows, window.window_start));
        }
        devices.push(ResumedDevice {
            sighting: record.sighting,
            label: record.label,
            is_muted: record.is_muted,
            standing: record.verdict,
            windows,
        });
    }
    let findings = stored.findings.into_iter().map(|key| (key.device, key.rule)).collect();
    Ok(Resume {
        devices,
        next_event: stored.next_event,
        open_events: stored.open_events,
        findings,
        parts,
        final_until,
        state,
    })
}

fn stored_parts(windows: &[thingprint_watch::WindowRecord], start: thingprint_flow::Timestamp) -> u32 {
    let of_start = windows.iter().filter(|window| window.window_start == start);
    of_start.map(|window| window.part.saturating_add(1)).max().unwrap_or(0)
}

/// What was read of folders. What another version of the program wrote is read again.
pub(super) fn progress(store: &Store) -> Result<Progress, StoreError> {
    let bytes = store.state(FOLDERS, None)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
}

/// What belongs into the store with an account.
pub(super) fn state(memory: Option<Vec<u8>>, progress: Option<&Progress>) -> Vec<StateValue> {
    let progress = progress.and_then(|progress| serde_json::to_vec(progress).ok());
    let value = |name: &str, value| StateValue { name: name.to_owned(), device: None, value: Some(value) };
    let memory = memory.map(|memory| value(WATCHER, memory));
    memory.into_iter().chain(progress.map(|progress| value(FOLDERS, progress))).collect()
}

/// The model that was trained on the page in place of that of a file, by the file's hash.
pub(super) fn trained_model(store: &Store, of: &str) -> Result<Option<Vec<u8>>, StoreError> {
    if store.state(MODEL_OF, None)?.as_deref() != Some(of.as_bytes()) {
        return Ok(None);
    }
    store.state(MODEL, None)
}

/// The model that judges from now on, in place of that of a file.
pub(super) fn model_state(of: &str, model: Vec<u8>) -> Vec<StateValue> {
    let value = |name: &str, value| StateValue { name: name.to_owned(), device: None, value: Some(value) };
    vec![value(MODEL_OF, of.as_bytes().to_vec()), value(MODEL, model)]
}
