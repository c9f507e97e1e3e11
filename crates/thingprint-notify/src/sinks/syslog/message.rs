use std::fmt::Write as _;
use std::fs;

use thingprint_flow::Timestamp;
use thingprint_table::{escape, json, rfc3339};
use thingprint_watch::{Event, Severity};

use crate::delivery::Delivery;

/// The facility `daemon`.
const FACILITY: u8 = 3;

/// The number after `@` is that of documentation (RFC 5612): the project has none of its own.
const STRUCTURE: &str = "thingprint@32473";

/// Names of hosts are cut here (RFC 5424, section 6).
const MAX_HOST_NAME_BYTES: usize = 255;

/// Where the system keeps its name, the running one first.
const HOST_NAME_FILES: [&str; 2] = ["/proc/sys/kernel/hostname", "/etc/hostname"];

/// What a subject keeps where the message would be too long.
const SHORT_SUBJECT_BYTES: usize = 128;

/// Writes events as messages of RFC 5424.
pub(crate) struct Writer {
    host_name: String,
    process: u32,
}

impl Writer {
    /// A writer on the host of this name; `None` for what the system says.
    pub(crate) fn new(host_name: Option<&str>) -> Self {
        let host_name = host_name.map(str::to_owned).or_else(system_host_name).unwrap_or_default();
        Self { host_name: header_field(&host_name, MAX_HOST_NAME_BYTES), process: std::process::id() }
    }

    /// An event in at most so many bytes: evidence goes first, then the end of the subject, then that of the text. What is
    /// cut has `cut="1"`.
    pub(crate) fn write(&self, delivery: &Delivery, most_bytes: usize) -> Vec<u8> {
        let event = &delivery.letter.event;
        let whole = self.message(event, &structured_data(delivery, Extent::Whole), usize::MAX);
        if whole.len() <= most_bytes {
            return whole;
        }
        let without_evidence = structured_data(delivery, Extent::WithoutEvidence);
        let message = self.message(event, &without_evidence, usize::MAX);
        if message.len() <= most_bytes {
            return message;
        }
        self.message(event, &structured_data(delivery, Extent::Short), most_bytes)
    }

    fn message(&self, event: &Event, structured_data: &str, most_bytes: usize) -> Vec<u8> {
        let priority = FACILITY * 8 + severity_number(event.severity);
        let mut message = format!(
            "<{priority}>1 {} {} thingprint {} {} {structured_data} \u{feff}",
            time(event.at),
            self.host_name,
            self.process,
            event.kind,
        );
        let text = one_line(&event.text);
        let end = text.floor_char_boundary(most_bytes.saturating_sub(message.len()));
        message.push_str(text.get(..end).unwrap_or_default());
        message.into_bytes()
    }
}

/// How much of an event is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    WithoutEvidence,
    Short,
}

/// RFC 5424, table 2.
const fn severity_number(severity: Severity) -> u8 {
    match severity {
        Severity::Error => 3,
        Severity::Warning => 4,
        Severity::Note => 5,
    }
}

/// A time with at most six decimals (RFC 5424, section 6.2.3).
fn time(at: Timestamp) -> String {
    rfc3339::format(Timestamp::from_nanos(at.as_nanos().div_euclid(1000).saturating_mul(1000)))
}

fn structured_data(delivery: &Delivery, extent: Extent) -> String {
    let event = &delivery.letter.event;
    let mut data = format!("[{STRUCTURE} id=\"{}\" severity=\"{}\"", event.id, event.severity);
    if let Some(device) = event.device {
        parameter(&mut data, "device", &device.to_string());
    }
    let subject = one_line(&event.subject);
    let subject_bytes = if extent == Extent::Short { SHORT_SUBJECT_BYTES } else { subject.len() };
    parameter(
        &mut data,
        "subject",
        subject.get(..subject.floor_char_boundary(subject_bytes)).unwrap_or_default(),
    );
    parameter(&mut data, "times", &event.times.to_string());
    if delivery.left_out > 0 {
        parameter(&mut data, "left_out", &delivery.left_out.to_string());
    }
    if extent != Extent::Whole {
        parameter(&mut data, "cut", "1");
    } else if !event.evidence.is_empty() {
        // A map of texts and values is always JSON.
        parameter(&mut data, "evidence", &json::text(&event.evidence).unwrap_or_default());
    }
    data.push(']');
    data
}

/// Adds a value. Three characters are escaped (RFC 5424, section 6.3.3).
fn parameter(data: &mut String, name: &str, value: &str) {
    // Writing to a text cannot fail.
    let _ = write!(data, " {name}=\"");
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            data.push('\\');
        }
        data.push(c);
    }
    data.push('"');
}

/// Text from outside without characters that end a line or change how it is shown: receivers write it to files.
fn one_line(text: &str) -> String {
    escape::terminal(text)
}

/// A field of the header: printable ASCII without spaces, or `-` where nothing is left.
fn header_field(text: &str, most_bytes: usize) -> String {
    let field: String = text.trim().chars().filter(char::is_ascii_graphic).take(most_bytes).collect();
    if field.is_empty() { "-".to_owned() } else { field }
}

fn system_host_name() -> Option<String> {
    HOST_NAME_FILES.iter().find_map(|path| fs::read_to_string(path).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Stands before the text (RFC 5424, section 6.4).
    const BOM: char = '\u{feff}';
    use crate::delivery::tests::{delivery, event};

    fn write(event: &Event, left_out: u64, most_bytes: usize) -> String {
        let writer = Writer { host_name: "attic".to_owned(), process: 42 };
        String::from_utf8(writer.write(&delivery(event, left_out), most_bytes)).unwrap()
    }

    #[test]
    fn an_event_is_a_message_of_rfc_5424() {
        let mut event = event(7, "a8:40:7c:0b:33:f2 is new");
        event.evidence.insert("host_name".to_owned(), "hub".into());
        let expected = "<28>1 2023-11-14T22:13:20.123456Z attic thingprint 42 new-device \
                        [thingprint@32473 id=\"7\" severity=\"warning\" device=\"a8:40:7c:0b:33:f2\" \
                        subject=\"a8:40:7c:0b:33:f2\" times=\"1\" left_out=\"2\" \
                        evidence=\"{\\\"host_name\\\":\\\"hub\\\"}\"] \u{feff}a8:40:7c:0b:33:f2 is new";
        assert_eq!(write(&event, 2, 8192), expected);
    }

    #[test]
    fn hostile_text_stays_inside_its_place() {
        let mut event = event(7, "x\n<0>1 - - - - - - forged\r\u{85}\u{2028}\u{0}\u{202e}");
        event.subject = "\"] [fake@1 a=\"b\\".to_owned();
        let message = write(&event, 0, 8192);
        assert!(!message.replacen(BOM, "", 1).chars().any(escape::is_control), "{message:?}");
        assert!(message.contains("subject=\"\\\"\\] [fake@1 a=\\\"b\\\\\" times="), "{message}");
        assert!(message.contains("x\\n<0>1 - - - - - - forged\\r"), "{message}");
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let mut event = event(7, &"\u{20ac}".repeat(3000));
        event.subject = "s".repeat(5000);
        event.evidence.insert("x".to_owned(), "y".repeat(5000).into());
        for most in 600..620 {
            let message = write(&event, 0, most);
            assert!(message.len() <= most && message.len() > most - 3, "{most}: {}", message.len());
            assert!(message.contains(" cut=\"1\"]") && !message.contains("evidence="), "{message}");
        }
        event.text = "short".to_owned();
        event.subject = "s".repeat(500);
        let message = write(&event, 0, 2048);
        assert!(message.contains(&"s".repeat(500)) && message.ends_with("short"), "{message}");
    }

    proptest! {
        #[test]
        fn any_text_is_one_message_within_its_bytes(
            text in any::<String>(),
            subject in any::<String>(),
            key in any::<String>(),
            value in any::<String>(),
            most in 400_usize..4000,
        ) {
            let mut event = event(7, &text);
            event.subject = subject;
            event.evidence.insert(key, value.into());
            let message = write(&event, 1, most);
            prop_assert!(!message.replacen(BOM, "", 1).chars().any(escape::is_control), "{message:?}");
            // A subject of 128 bytes may take twice as many escaped, beside 270 of everything else.
            prop_assert!(message.len() <= most.max(700), "{} of {most}: {message}", message.len());
            // The structured data end where they should: behind an even number of backslashes, before the text.
            let (data, _) = message.split_once("] \u{feff}").unwrap();
            let backslashes = data.chars().rev().take_while(|c| *c == '\\').count();
            prop_assert!(backslashes % 2 == 0 && data.matches("[thingprint@").count() >= 1);
        }
    }

    #[test]
    fn a_header_field_is_printable_ascii() {
        let check = |text, expected: &str| assert_eq!(header_field(text, 8), expected);
        check("attic\n", "attic");
        check("at tic\u{fc}", "attic");
        check("", "-");
        check("123456789", "12345678");
    }
}
