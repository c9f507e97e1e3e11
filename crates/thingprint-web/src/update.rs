use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use thingprint_table::rfc3339;
use thingprint_watch::{EventKind, Update};

/// Longest message: what waits for slow clients is bounded by this and the number of messages that wait.
const MOST_BYTES: usize = 16 * 1024;
/// So many updates at once are told as one: whoever looks loads the view again in any case.
const MOST_AT_ONCE: usize = 64;

/// What clients of live updates are told: the name of an event of the stream, and its data as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) event: &'static str,
    pub(crate) data: Arc<str>,
}

impl Message {
    fn new(event: &'static str, data: &impl Serialize) -> Self {
        let data = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
        let data = if data.len() > MOST_BYTES { short(&data) } else { data };
        Self { event, data: data.into() }
    }

    /// Updates were left out: the view has to be loaded again.
    pub(crate) fn resync() -> Self {
        Self::new("resync", &json!({}))
    }

    /// Training began or ended.
    pub(crate) fn training(state: &'static str) -> Self {
        Self::new("training", &json!({ "state": state }))
    }

    /// Somebody asked for something, which other clients see now.
    pub(crate) fn requested() -> Self {
        Self::new("request", &json!({}))
    }
}

/// Messages about updates. Many are told as one, except for what people are told in words: events and changed verdicts.
pub(crate) fn messages(updates: &[Update]) -> Vec<Message> {
    let (told, silent): (Vec<&Update>, Vec<&Update>) = updates.iter().partition(|update| is_told(update));
    let skipped = told.len() > MOST_AT_ONCE || silent.len() > MOST_AT_ONCE;
    let told = told.into_iter().rev().take(MOST_AT_ONCE).rev();
    let silent = silent.into_iter().take(if skipped { 0 } else { MOST_AT_ONCE });
    let mut messages: Vec<Message> = silent.chain(told).map(message).collect();
    if skipped {
        messages.push(Message::resync());
    }
    messages
}

fn is_told(update: &Update) -> bool {
    match update {
        Update::Event(event) => event.kind != EventKind::Finding,
        update => matches!(update, Update::Changed(_)),
    }
}

fn message(update: &Update) -> Message {
    match update {
        Update::Device(sighting) => Message::new(
            "device",
            &json!({
                "device": sighting.device.to_string(),
                "host_name": sighting.host_name,
                "identity": sighting.identity,
                "last_seen": rfc3339::format(sighting.last_seen),
                "packets_up": sighting.packets_up,
                "packets_down": sighting.packets_down,
            }),
        ),
        Update::Window(window) => Message::new("window", window),
        Update::Provisional(window) => Message::new("provisional", window),
        Update::Standing(device, standing) => {
            Message::new("standing", &json!({ "device": device.to_string(), "verdict": standing }))
        }
        Update::Changed(change) => Message::new("change", change),
        Update::Finding(finding) => Message::new("finding", finding),
        Update::Event(event) => Message::new("event", event),
    }
}

/// What names the subject of a message that is too long; the API has the rest.
fn short(data: &str) -> String {
    let value: Value = serde_json::from_str(data).unwrap_or_default();
    let key = |name: &str| value.get(name).cloned().unwrap_or_default();
    json!({ "id": key("id"), "device": key("device"), "is_shortened": true }).to_string()
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{DeviceId, Timestamp};
    use thingprint_watch::StandingChange;

    use super::*;

    fn change(to: String) -> Update {
        let device: DeviceId = "0a:00:00:00:00:01".parse().unwrap();
        Update::Changed(StandingChange {
            device,
            at: Timestamp::MIN,
            from: None,
            to: Some(to),
            confidence: 0.9,
        })
    }

    #[test]
    fn a_message_is_never_long() {
        let long = messages(&[change("x".repeat(MOST_BYTES))]);
        assert_eq!(long.len(), 1);
        let data: Value = serde_json::from_str(&long[0].data).unwrap();
        assert_eq!(data, json!({ "id": null, "device": "0a:00:00:00:00:01", "is_shortened": true }));
    }

    #[test]
    fn many_updates_are_one_message_to_load_again() {
        let few: Vec<Update> = (0..MOST_AT_ONCE).map(|number| change(number.to_string())).collect();
        assert!(messages(&few).iter().all(|message| message.event == "change"));
        let many: Vec<Update> = (0..10_000).map(|number| change(number.to_string())).collect();
        let messages = messages(&many);
        assert_eq!(messages.len(), MOST_AT_ONCE + 1);
        assert_eq!(messages.last(), Some(&Message::resync()));
        assert!(messages[MOST_AT_ONCE - 1].data.contains("9999"), "the last are the newest");
    }
}
