use super::{Claims, Reads, Record, Source};
use crate::{Field, Said, Statement};

/// Announcements and answers of Yeelight lamps (Yeelight's "`WiFi` Light Inter-Operation Specification" §3): heads of HTTP messages
/// over UDP, with a location of their own kind.
pub(super) const SOURCE: Source = Source {
    name: "yeelight",
    title: "announcements and answers of Yeelight lamps",
    reads: Reads::Payloads(read),
    claims,
};

const BEGINNINGS: [&[u8]; 2] = [b"NOTIFY * HTTP/1.1", b"HTTP/1.1 200 OK"];
const LOCATION: &str = "yeelight://";

fn read(payload: &[u8], record: &mut Record) {
    if !BEGINNINGS.iter().any(|beginning| payload.starts_with(beginning)) {
        return;
    }
    let Some(text) = std::str::from_utf8(payload).ok().filter(|text| text.contains(LOCATION)) else { return };
    for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let keys = ["model", "name", "fw_ver", "support"];
        if let Some(key) = keys.into_iter().find(|known| key.eq_ignore_ascii_case(known)) {
            record.say(key, value.trim());
        }
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        match &*statement.key {
            "model" => {
                claims.declared(Field::Vendor, "Yeelight", statement);
                claims.declared(Field::Model, &statement.value, statement);
                claims.likely(Field::Type, "light", statement);
            }
            "name" => claims.likely(Field::Name, &statement.value, statement),
            _ => {}
        }
    }
}
