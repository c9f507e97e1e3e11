use std::fmt::Write as _;

use thingprint_flow::{DevicePacket, SynFields};

use crate::evidence::bag::{BagDefinition, BagSource, TrafficWords};
use crate::options::InstanceOptions;

pub(super) static DEFINITION: BagDefinition = BagDefinition {
    name: "stack",
    title: "Network stack",
    words: "stack traits",
    about: "Traits of the device's network stack: time to live by IP protocol, type of service, and what segments with SYN \
            offer.",
    cost: None,
    is_of_paper: false,
    is_trained_on: true,
    source: BagSource::Traffic { packet, frame: None, spell },
};

const TOS: u64 = 1 << 16;

#[inline]
fn packet(packet: &DevicePacket<'_, '_>, _: &InstanceOptions, words: &mut TrafficWords<'_>) {
    if !packet.is_sent {
        return;
    }
    let ip = packet.ip;
    words.number(u64::from(ip.transport.number()) << 8 | u64::from(ip.ttl));
    words.number(TOS | u64::from(ip.stack.tos));
    if let Some(syn) = &ip.stack.syn {
        words.text(&offer(syn, ip.ttl));
    }
}

fn spell(word: u64, _: &InstanceOptions) -> String {
    if word & TOS == TOS {
        format!("tos:{}", word & 0xff)
    } else {
        format!("ttl{}:{}", word >> 8, word & 0xff)
    }
}

/// `syn:64:df:id0:64240:1460:7:2.4.8.1.3`: time to live, whether it may not be fragmented and has no identification,
/// window, segment size, shift, options.
fn offer(syn: &SynFields, ttl: u8) -> String {
    let mut word = format!("syn:{ttl}");
    word.push_str(if syn.is_unfragmentable { ":df" } else { ":-" });
    word.push_str(if syn.is_unidentified { ":id0" } else { ":-" });
    // Writing to a string cannot fail.
    let _ = write!(word, ":{}", syn.window);
    let number = |number: Option<u64>| number.map_or_else(|| ":-".to_owned(), |number| format!(":{number}"));
    word.push_str(&number(syn.segment_bytes.map(u64::from)));
    word.push_str(&number(syn.window_shift.map(u64::from)));
    let kinds: Vec<String> =
        syn.options.iter().map_while(|kind| *kind).map(|kind| kind.to_string()).collect();
    let _ = write!(word, ":{}", kinds.join("."));
    word
}
