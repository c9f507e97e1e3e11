use thingprint_flow::NonIp;

use super::elements::elements;
use super::{Claims, Reads, Record, Source};
use crate::{Field, Said, Statement};

/// Frames of the Cisco Discovery Protocol, which other vendors send as well.
pub(super) const SOURCE: Source = Source {
    name: "cdp",
    title: "frames of the Cisco Discovery Protocol",
    reads: Reads::Frames(read),
    claims,
};

/// The protocol number behind SNAP.
const PROTOCOL: u16 = 0x2000;
/// Version, time to live and checksum.
const HEADER_BYTES: usize = 4;
/// Type and length in front of each value; the length counts them.
const ELEMENT_BYTES: usize = 4;
const DEVICE_ID: u16 = 1;
const SOFTWARE: u16 = 5;
const PLATFORM: u16 = 6;

fn read(frame: &NonIp<'_>, record: &mut Record) {
    let Some(rest) = frame.payload.get(HEADER_BYTES..).filter(|_| frame.ether_type == PROTOCOL) else {
        return;
    };
    for (kind, value) in elements(rest, head) {
        let text = String::from_utf8_lossy(value);
        match kind {
            DEVICE_ID => record.say("device_id", &text),
            SOFTWARE => record.say("software", text.lines().next().unwrap_or_default()),
            PLATFORM => record.say("platform", &text),
            _ => {}
        }
    }
}

fn head([kind_high, kind_low, length_high, length_low]: [u8; ELEMENT_BYTES]) -> Option<(u16, usize)> {
    let length = usize::from(u16::from_be_bytes([length_high, length_low])).checked_sub(ELEMENT_BYTES)?;
    Some((u16::from_be_bytes([kind_high, kind_low]), length))
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        let value = &*statement.value;
        match &*statement.key {
            "platform" => {
                let model = value.split_once(' ').filter(|(first, _)| first.eq_ignore_ascii_case("cisco"));
                if model.is_some() {
                    claims.declared(Field::Vendor, "Cisco", statement);
                }
                claims.declared(Field::Model, model.map_or(value, |(_, model)| model), statement);
            }
            "software" => claims.declared(Field::Os, value, statement),
            "device_id" => claims.likely(Field::Name, value, statement),
            _ => {}
        }
    }
}
