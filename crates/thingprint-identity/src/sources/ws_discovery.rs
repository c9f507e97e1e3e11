use super::{Claims, Reads, Record, Source};
use crate::markup::all_texts;
use crate::{Certainty, Field, Said, Statement};

/// What devices announce and answer by WS-Discovery (OASIS WS-Discovery 1.1 §4, §5), with the scopes of cameras (ONVIF Core
/// Specification §7.3.2.2). A probe says nothing of who sends it.
pub(super) const SOURCE: Source = Source {
    name: "ws_discovery",
    title: "announcements and answers of WS-Discovery, with ONVIF scopes",
    reads: Reads::Payloads(read),
    claims,
};

/// Both versions of the protocol.
const NAMESPACES: [&str; 2] =
    ["schemas.xmlsoap.org/ws/2005/04/discovery", "docs.oasis-open.org/ws-dd/ns/discovery/2009/01"];
/// Messages in which a device speaks of itself.
const SAYINGS: [&str; 3] = ["Hello", "ProbeMatch", "ResolveMatch"];
const SCOPE: &str = "onvif://www.onvif.org/";

fn read(payload: &[u8], record: &mut Record) {
    let is_markup = payload.first() == Some(&b'<');
    let Some(text) = Some(payload).filter(|_| is_markup).map(String::from_utf8_lossy) else { return };
    let is_discovery = NAMESPACES.iter().any(|namespace| text.contains(namespace));
    let speaks =
        SAYINGS.iter().any(|name| text.contains(&format!("{name}>")) || text.contains(&format!("{name} ")));
    if !is_discovery || !speaks {
        return;
    }
    for (key, value) in all_texts(&text, &["Types", "Scopes"]) {
        for word in value.split_ascii_whitespace() {
            match word.strip_prefix(SCOPE).and_then(|scope| scope.split_once('/')) {
                Some((key, value)) => record.say(format!("scope {key}"), &percent_decoded(value)),
                None if key == "Types" => {
                    record.say("type", word.rsplit(':').next().unwrap_or_default());
                }
                None => {}
            }
        }
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        let value = &*statement.value;
        match &*statement.key {
            "scope hardware" => claims.declared(Field::Model, value, statement),
            "scope name" => claims.likely(Field::Name, value, statement),
            "scope manufacturer" | "scope mfr" => claims.declared(Field::Vendor, value, statement),
            "type" => claims.by_type_code("ws-discovery", value, Certainty::Declared, statement),
            _ => {}
        }
    }
}

/// A text with its `%20` and the like as letters; as it is where that gives no text.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (Some(byte), Some(rest)) = (byte, part.get(2..)) else { return text.to_owned() };
        bytes.push(byte);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
