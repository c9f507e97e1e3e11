//! The registry of sources: where devices say who they are. A further one is a file here and a line in the list.

mod cdp;
mod certificate;
mod dhcp;
mod dns;
mod dns_sd;
mod edimax;
mod eq3;
mod http;
mod hue;
mod lifx;
mod lldp;
mod mqtt;
mod netbios;
mod oui;
mod ssdp;
mod tp_link;
mod tuya;
mod upnp;
mod ws_discovery;
mod yeelight;

mod claims;
mod elements;
mod record;

use thingprint_flow::{DevicePacket, NonIp};
use thingprint_protocol::{Message, Protocol};

pub(crate) use claims::Claims;
pub(crate) use dhcp::{NAME as DHCP, read as read_dhcp};
pub(crate) use oui::statement as address_statement;
pub(crate) use record::Record;

use crate::{Said, Statement};

/// Every source; where two say as much, what stands first is shown first.
const SOURCES: &[Source] = &[
    dns_sd::SOURCE,
    upnp::SOURCE,
    tp_link::SOURCE,
    lifx::SOURCE,
    yeelight::SOURCE,
    hue::SOURCE,
    edimax::SOURCE,
    eq3::SOURCE,
    lldp::SOURCE,
    cdp::SOURCE,
    ws_discovery::SOURCE,
    ssdp::SOURCE,
    dhcp::SOURCE,
    http::SOURCE,
    mqtt::SOURCE,
    netbios::SOURCE,
    certificate::SOURCE,
    tuya::SOURCE,
    dns::SOURCE,
    oui::SOURCE,
];

/// Where devices say who they are.
pub(crate) struct Source {
    /// Its name in outputs.
    pub(crate) name: &'static str,
    /// What it is, for people.
    pub(crate) title: &'static str,
    /// What statements are read from.
    pub(crate) reads: Reads,
    /// What follows from the statements of a device.
    pub(crate) claims: fn(&[(&Statement, Said)], &mut Claims<'_>),
}

/// What a source reads. It gets what the device sent, and nothing that others sent to it.
pub(crate) enum Reads {
    /// Messages of these protocols.
    Messages(&'static [Protocol], fn(Heard<'_, '_, '_>, &mut Record)),
    /// Payloads of UDP and TCP packets, as they are.
    Payloads(fn(&[u8], &mut Record)),
    /// Frames without an IP packet.
    Frames(fn(&NonIp<'_>, &mut Record)),
    /// Documents of XML and JSON in answers over HTTP.
    Documents(fn(&str, &mut Record)),
    /// The device's address.
    Address,
}

/// A message that a device sent.
#[derive(Clone, Copy)]
pub(crate) struct Heard<'a, 'p, 'f> {
    pub(crate) message: &'a Message,
    /// The packet that completed it; `None` where that was the flow's end.
    pub(crate) packet: Option<&'a DevicePacket<'p, 'f>>,
}

/// A source, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDescription {
    /// Its name in outputs.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
}

/// Every source, in the order in which claims of the same certainty are preferred.
pub fn source_descriptions() -> Vec<SourceDescription> {
    SOURCES.iter().map(|source| SourceDescription { name: source.name, title: source.title }).collect()
}

/// Every source.
pub(crate) const fn all() -> &'static [Source] {
    SOURCES
}

/// The place of a source among the others.
pub(crate) fn place(name: &str) -> usize {
    SOURCES.iter().position(|source| source.name == name).unwrap_or(SOURCES.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use thingprint_flow::NonIp;

    use super::{Reads, Record, SOURCES};

    /// How messages begin that sources without a parser look for.
    const BEGINNINGS: [&[u8]; 10] = [
        b"",
        b"NOTIFY * HTTP/1.1\r\nLocation: yeelight://\r\n",
        b"<d:Hello xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><d:Types>",
        &[0, 0, 0x55, 0xaa],
        &[0xd0, 0xf2],
        b"\x02\0\0\0\0\x07EDIMAX\0\0\0\0\0\0\x01\xa1\xfe\x5eSP",
        b"eQ3MaxAp",
        &[0, 1, 0x29, 0x10, 0, 1, 0, 0, 0, 0, 0, 1, 32],
        b"\x11\x02\x00\x01\\MAILSLOT\\BROWSE\x00\x01",
        &[36, 0, 0, 0x14],
    ];

    proptest! {
        #[test]
        fn any_bytes_are_read(
            beginning in prop::sample::select(&BEGINNINGS[..]),
            rest in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let bytes = [beginning, &rest].concat();
            for source in SOURCES {
                let mut record = Record::default();
                match source.reads {
                    Reads::Payloads(read) => read(&bytes, &mut record),
                    Reads::Documents(read) => read(&String::from_utf8_lossy(&bytes), &mut record),
                    Reads::Frames(read) => {
                        for ether_type in [0x88cc, 0x2000] {
                            read(&NonIp { ether_type, payload: &bytes }, &mut record);
                        }
                    }
                    Reads::Messages(..) | Reads::Address => {}
                }
            }
        }
    }

    #[test]
    fn every_source_has_a_name_of_its_own_and_a_title() {
        let names: BTreeSet<&str> = SOURCES.iter().map(|source| source.name).collect();
        assert_eq!(names.len(), SOURCES.len());
        assert!(SOURCES.iter().all(|source| !source.title.is_empty()));
    }
}
