use thingprint_flow::DevicePacket;

use crate::evidence::bag::{BagDefinition, BagSource, WordCounter};
use crate::evidence::decimal::push_decimal;
use crate::options::InstanceOptions;

pub(super) static DEFINITION: BagDefinition = BagDefinition {
    name: "sizes",
    title: "Packet sizes",
    words: "packet sizes",
    about: "Sizes of the packets that the device sent (`u`) and received (`d`), as `u17:123:76`: IP protocol, the lower of \
            both ports (`hi` from 32768 on), IP length.",
    cost: None,
    is_of_paper: false,
    is_trained_on: true,
    source: BagSource::Traffic { packet, frame: None, spell },
};

/// Ports from here on are those of clients.
const FIRST_HIGH: u16 = 32768;
/// Services whose packets are as long as the names in them: DHCP, `NetBIOS`, SSDP, mDNS, LLMNR.
const NAMING: [u16; 7] = [67, 68, 137, 138, 1900, 5353, 5355];
/// Letters of most words at most.
const MOST_LETTERS: usize = 16;
/// Longest packet that has a word of its own, in bytes.
const MOST_BYTES: u32 = 0x000f_ffff;

/// A bit for the direction, eight for the protocol, sixteen for the service, and twenty for the length.
#[inline]
fn packet(packet: &DevicePacket<'_, '_>, _: &InstanceOptions, words: &mut WordCounter<'_>) {
    let ip = packet.ip;
    let service = ip.src_port.min(ip.dst_port).min(FIRST_HIGH);
    let length = if NAMING.contains(&service) { 0 } else { ip.total_bytes.min(MOST_BYTES) };
    let head = u64::from(packet.is_sent) << 24 | u64::from(ip.transport.number()) << 16 | u64::from(service);
    words.number(head << 20 | u64::from(length));
}

fn spell(word: u64, _: &InstanceOptions) -> String {
    let (protocol, service, length) = (word >> 36 & 0xff, word >> 20 & 0xffff, word & u64::from(MOST_BYTES));
    let mut text = String::with_capacity(MOST_LETTERS);
    text.push(if word >> 44 & 1 == 1 { 'u' } else { 'd' });
    push_decimal(&mut text, protocol);
    text.push(':');
    if service >= u64::from(FIRST_HIGH) {
        text.push_str("hi");
    } else {
        push_decimal(&mut text, service);
    }
    if length > 0 {
        text.push(':');
        push_decimal(&mut text, length);
    }
    text
}
