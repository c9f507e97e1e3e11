use std::net::Ipv4Addr;

use super::packet::{finish_frame, write_ethernet};
use super::{BROADCAST, put16};

/// A station as ARP speaks of it, RFC 826.
#[derive(Clone, Copy)]
pub(crate) struct Station {
    pub(crate) mac: [u8; 6],
    pub(crate) ip: Ipv4Addr,
}

/// "Who has this address?", asked of everyone. Asked for one's own address it announces it (RFC 5227 §2.3), and
/// with the address 0.0.0.0 as the asker's it probes (§2.1).
pub(crate) fn request(asker: Station, wanted: Ipv4Addr) -> Vec<u8> {
    message(1, asker, Station { mac: [0; 6], ip: wanted }, BROADCAST)
}

/// "I have it."
pub(crate) fn reply(owner: Station, asker: Station) -> Vec<u8> {
    message(2, owner, asker, asker.mac)
}

fn message(operation: u16, sender: Station, target: Station, to: [u8; 6]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(60);
    write_ethernet(to, sender.mac, 0x0806, &mut frame);
    frame.extend_from_slice(&[0, 1, 8, 0, 6, 4]);
    put16(&mut frame, operation);
    for station in [sender, target] {
        frame.extend_from_slice(&station.mac);
        frame.extend_from_slice(&station.ip.octets());
    }
    let length = frame.len();
    finish_frame(length, usize::MAX, &mut frame);
    frame
}
