use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use thingprint_watch::Event;

/// The longest event in JSON. Evidence is some names and numbers; what a hostile device makes longer is left out.
const MAX_EVENT_BYTES: usize = 64 * 1024;

/// An event as all sinks get it.
#[derive(Debug)]
pub(crate) struct Letter {
    /// The event.
    pub(crate) event: Event,
    /// The event in JSON, one line.
    pub(crate) json: String,
    /// Tells it apart from every other event of every run, so that a receiver can notice a repetition.
    pub(crate) key: String,
    /// When it was accepted.
    pub(crate) accepted: Instant,
}

impl Letter {
    /// An event of a run. Evidence and texts that are too long are cut, which the evidence says.
    pub(crate) fn new(event: &Event, run: &str) -> Self {
        let mut event = event.clone();
        let mut json = to_json(&event);
        if json.len() > MAX_EVENT_BYTES {
            shorten(&mut event, json.len());
            json = to_json(&event);
        }
        let key = format!("{run}-{}", event.id);
        Self { event, json, key, accepted: Instant::now() }
    }
}

fn to_json(event: &Event) -> String {
    // Numbers, texts and a map of values: nothing in it can fail.
    thingprint_table::json::text(event).unwrap_or_default()
}

/// Leaves out the evidence and cuts texts to a quarter of the room each: JSON may escape a character with six.
fn shorten(event: &mut Event, whole_bytes: usize) {
    event.evidence.clear();
    event.evidence.insert("left_out_bytes".to_owned(), json!(whole_bytes));
    for text in [&mut event.text, &mut event.subject] {
        text.truncate(text.floor_char_boundary(MAX_EVENT_BYTES / 16));
    }
}

/// A letter on its way to one sink. It stays the same over all attempts.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// The event.
    pub(crate) letter: Arc<Letter>,
    /// Events that the sink never got before this one.
    pub(crate) left_out: u64,
}

impl Delivery {
    /// The event in JSON, one line; with what was left out before it.
    pub(crate) fn json(&self) -> String {
        self.json_with("")
    }

    /// The same with further members, each with a comma behind it, in front.
    pub(crate) fn json_with(&self, members: &str) -> String {
        let body = self.letter.json.strip_prefix('{').unwrap_or(&self.letter.json);
        let left_out = match self.left_out {
            0 => String::new(),
            count => format!("\"left_out\":{count},"),
        };
        format!("{{{members}{left_out}{body}")
    }
}

/// Why a sink did not take an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may take it later; the receiver may say when, in seconds.
    Later {
        /// Why.
        why: String,
        /// The pause that the receiver asks for.
        pause_s: Option<u64>,
    },
    /// It will never take it.
    Never {
        /// Why, and what to do.
        why: String,
    },
}

impl Failure {
    /// A failure that may pass.
    pub(crate) fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), pause_s: None }
    }

    /// A failure that stays.
    pub(crate) fn never(why: impl Into<String>) -> Self {
        Self::Never { why: why.into() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use thingprint_flow::Timestamp;
    use thingprint_watch::{EventKind, Severity};

    use super::*;

    proptest! {
        #[test]
        fn any_event_is_one_line_of_json_and_comes_back(text in any::<String>(), key in any::<String>(), left_out in 0_u64..3) {
            let mut event = event(7, &text);
            event.evidence.insert(key, text.into());
            let line = delivery(&event, left_out).json_with("\"event_type\":\"x\",");
            prop_assert!(!line.contains(['\n', '\r']));
            prop_assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
        }
    }

    /// An event about a device that chose its texts.
    pub(crate) fn event(id: u64, text: &str) -> Event {
        Event {
            id,
            at: Timestamp::from_nanos(1_700_000_000_123_456_789),
            kind: EventKind::NewDevice,
            severity: Severity::Warning,
            device: Some("a8:40:7c:0b:33:f2".parse().unwrap()),
            subject: "a8:40:7c:0b:33:f2".to_owned(),
            text: text.to_owned(),
            evidence: serde_json::Map::new(),
            times: 1,
            acknowledged_at: None,
        }
    }

    /// An event on its way.
    pub(crate) fn delivery(event: &Event, left_out: u64) -> Delivery {
        Delivery { letter: Arc::new(Letter::new(event, "run")), left_out }
    }

    #[test]
    fn json_is_the_event_with_what_was_left_out() {
        let event = event(7, "a new device \"x\"\n");
        let plain: Event = serde_json::from_str(&delivery(&event, 0).json()).unwrap();
        assert_eq!(plain, event);
        let json = delivery(&event, 3).json_with("\"event_type\":\"x\",");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((value["left_out"].as_u64(), value["event_type"].as_str()), (Some(3), Some("x")));
        assert_eq!(value["id"], 7);
        assert!(!json.contains('\n'));
    }

    #[test]
    fn every_kind_is_described_in_the_documentation() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/events.md");
        let page = std::fs::read_to_string(page).unwrap();
        let is_missing = |kind: &&EventKind| !page.contains(&format!("\n| `{kind}` |"));
        assert_eq!(EventKind::ALL.iter().filter(is_missing).collect::<Vec<_>>(), [&EventKind::Finding; 0]);
    }

    #[test]
    fn a_huge_event_is_cut_and_says_so() {
        let mut huge = event(1, &"\u{1}\u{fc}".repeat(100_000));
        huge.subject = "\n".repeat(100_000);
        huge.evidence.insert("names".to_owned(), json!("x".repeat(1_000_000)));
        let letter = Letter::new(&huge, "run");
        assert!(letter.json.len() <= MAX_EVENT_BYTES, "{}", letter.json.len());
        assert!(letter.event.evidence["left_out_bytes"].as_u64().unwrap() > 1_000_000);
        let back: Event = serde_json::from_str(&letter.json).unwrap();
        assert_eq!(back.id, 1);
    }
}
