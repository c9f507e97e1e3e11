use thingprint_flow::NonIp;

use super::elements::elements;
use super::{Claims, Reads, Record, Source};
use crate::knowledge::PatternKind;
use crate::{Certainty, Field, Said, Statement};

/// Frames of LLDP (IEEE 802.1AB §8), with the inventory of LLDP-MED (ANSI/TIA-1057 §10.2.6).
pub(super) const SOURCE: Source = Source {
    name: "lldp",
    title: "frames of LLDP, with the inventory of LLDP-MED",
    reads: Reads::Frames(read),
    claims,
};

const ETHER_TYPE: u16 = 0x88cc;
const END: u16 = 0;
const SYSTEM_NAME: u16 = 5;
const SYSTEM_DESCRIPTION: u16 = 6;
const CAPABILITIES: u16 = 7;
const ORGANISATION: u16 = 127;
/// The number of TIA, in front of a subtype.
const TIA: [u8; 3] = [0x00, 0x12, 0xbb];
const FIRMWARE: u8 = 6;
const SOFTWARE: u8 = 7;
const MANUFACTURER: u8 = 9;
const MODEL: u8 = 10;
/// Capabilities that are enabled, by their bits (IEEE 802.1AB §8.5.8).
const CAPABILITY_NAMES: [(u16, &str); 5] = [
    (1 << 5, "telephone"),
    (1 << 3, "access point"),
    (1 << 4, "router"),
    (1 << 2, "bridge"),
    (1 << 7, "station"),
];

fn read(frame: &NonIp<'_>, record: &mut Record) {
    if frame.ether_type != ETHER_TYPE {
        return;
    }
    for (kind, value) in
        elements(frame.payload, |bytes| Some(head(bytes))).take_while(|(kind, _)| *kind != END)
    {
        match (kind, value) {
            (SYSTEM_NAME, name) => record.say("system_name", &text(name)),
            (SYSTEM_DESCRIPTION, description) => record.say("system_description", &text(description)),
            (CAPABILITIES, [_, _, high, low]) => {
                let enabled = u16::from_be_bytes([*high, *low]);
                let named = CAPABILITY_NAMES.iter().find(|(bit, _)| enabled & bit != 0);
                record.say("capability", named.map_or("", |(_, name)| name));
            }
            (ORGANISATION, value) => inventory(value, record),
            _ => {}
        }
    }
}

fn inventory(value: &[u8], record: &mut Record) {
    let Some([subtype, value @ ..]) = value.strip_prefix(&TIA) else { return };
    let key = match *subtype {
        FIRMWARE => "firmware",
        SOFTWARE => "software",
        MANUFACTURER => "manufacturer",
        MODEL => "model",
        _ => return,
    };
    record.say(key, &text(value));
}

/// Seven bits of type, nine bits of length.
fn head(bytes: [u8; 2]) -> (u16, usize) {
    let head = u16::from_be_bytes(bytes);
    (head >> 9, usize::from(head & 0x01ff))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        let value = &*statement.value;
        match &*statement.key {
            "manufacturer" => claims.declared(Field::Vendor, value, statement),
            "model" => claims.declared(Field::Model, value, statement),
            "system_name" => claims.likely(Field::Name, value, statement),
            "system_description" => {
                claims.by_pattern((PatternKind::Model, value), Certainty::Declared, statement);
            }
            "capability" => claims.by_type_code("lldp", value, Certainty::Likely, statement),
            _ => {}
        }
    }
}
