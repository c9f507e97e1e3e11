//! What an earlier reading left in the store.

use std::collections::BTreeMap;

use thingprint_flow::DeviceId;
use thingprint_live::Progress;
use thingprint_store::{StateValue, Store, StoreError};
use thingprint_watch::{Remembered, Resume, ResumedDevice};

/// The name of what the watcher remembers.
const WATCHER: &str = "watcher";
/// The name of what was read of folders.
const FOLDERS: &str = "folders";
/// The name of the model that was trained on the page, and of the hash of the file that it took the place of.
const MODEL: &str = "model";
const MODEL_OF: &str = "model-in-place-of";

/// What ends the list of devices before what the watcher remembers.
const END_OF_LIST: u8 = 0;

/// What a watcher goes on from.
pub(in crate::commands) fn resume(store: &Store) -> Result<Resume, StoreError> {
    let stored = store.resume()?;
    let state = store.state(WATCHER, None)?.and_then(|state| without_list(&state));
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
    let findings = stored.findings.into_iter().map(|key| (key.device, key.rule, key.seen)).collect();
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

/// What the watcher remembers, behind a list of the devices that it is about: the store forgets a value with a device whose
/// address it contains as text.
fn with_list(memory: Vec<u8>, devices: &[DeviceId]) -> Vec<u8> {
    let mut state = Vec::with_capacity(memory.len() + devices.len() * 18 + 1);
    for device in devices {
        state.extend_from_slice(device.to_string().as_bytes());
        state.push(b' ');
    }
    state.push(END_OF_LIST);
    state.extend(memory);
    state
}

fn without_list(state: &[u8]) -> Option<Vec<u8>> {
    let end = state.iter().position(|byte| *byte == END_OF_LIST)?;
    state.get(end + 1..).map(<[u8]>::to_vec)
}

/// What belongs into the store with an account; `memory` is what the watcher remembers.
pub(in crate::commands) fn state(memory: Option<Remembered>, progress: Option<&Progress>) -> Vec<StateValue> {
    let progress = progress.and_then(|progress| serde_json::to_vec(progress).ok());
    let value = |name: &str, value| StateValue { name: name.to_owned(), device: None, value: Some(value) };
    let memory = memory.map(|memory| value(WATCHER, with_list(memory.bytes, &memory.devices)));
    memory.into_iter().chain(progress.map(|progress| value(FOLDERS, progress))).collect()
}

/// The model that was trained on the page in place of that of a file, by the file's hash; `None` for any file.
pub(super) fn trained_model(store: &Store, of: Option<&str>) -> Result<Option<Vec<u8>>, StoreError> {
    let stored = store.state(MODEL_OF, None)?;
    if of.is_some_and(|of| stored.as_deref() != Some(of.as_bytes())) {
        return Ok(None);
    }
    store.state(MODEL, None)
}

/// No model was trained on the page.
pub(super) fn no_model() -> Vec<StateValue> {
    [MODEL_OF, MODEL].map(|name| StateValue { name: name.to_owned(), device: None, value: None }).to_vec()
}

/// The model that judges from now on, in place of that of a file.
pub(super) fn model_state(of: &str, model: Vec<u8>) -> Vec<StateValue> {
    let value = |name: &str, value| StateValue { name: name.to_owned(), device: None, value: Some(value) };
    vec![value(MODEL_OF, of.as_bytes().to_vec()), value(MODEL, model)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_names_its_devices_as_text() {
        let device: DeviceId = "02:00:00:00:00:01".parse().unwrap();
        let state = with_list(vec![1, 0, 2], &[device]);
        assert!(state.starts_with(b"02:00:00:00:00:01 "));
        assert_eq!(without_list(&state), Some(vec![1, 0, 2]));
    }
}
