use thingprint_flow::{DevicePacket, SynFields};

use crate::evidence::bag::{BagDefinition, BagSource, WordCounter};
use crate::evidence::decimal::push_decimal;
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
/// Bytes of an offer: eight before the options.
const KEY_BYTES: usize = 8 + SynFields::MOST_OPTIONS;
/// Bytes that the word of an offer has as a rule, at most.
const OFFER_BYTES: usize = 48;

#[inline]
fn packet(packet: &DevicePacket<'_, '_>, _: &InstanceOptions, words: &mut WordCounter<'_>) {
    if !packet.is_sent {
        return;
    }
    let ip = packet.ip;
    words.number(u64::from(ip.transport.number()) << 8 | u64::from(ip.ttl));
    words.number(TOS | u64::from(ip.stack.tos));
    if let Some(syn) = &ip.stack.syn {
        words.said("syn", &key(syn, ip.ttl), || Some(offer(syn, ip.ttl)));
    }
}

fn spell(word: u64, _: &InstanceOptions) -> String {
    if word & TOS == TOS {
        format!("tos:{}", word & 0xff)
    } else {
        format!("ttl{}:{}", word >> 8, word & 0xff)
    }
}

/// What an offer is known by.
fn key(syn: &SynFields, ttl: u8) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    let flags = u8::from(syn.is_unfragmentable) | u8::from(syn.is_unidentified) << 1;
    let present = u8::from(syn.segment_bytes.is_some()) << 2 | u8::from(syn.window_shift.is_some()) << 3;
    let [window, segment] = [syn.window, syn.segment_bytes.unwrap_or(0)].map(u16::to_be_bytes);
    let fields =
        [ttl, flags | present, window[0], window[1], segment[0], segment[1], syn.window_shift.unwrap_or(0)];
    let options = syn.options.iter().map_while(|kind| *kind);
    // How many options there are, since the kind 0 is one, too.
    let count = u8::try_from(options.clone().count()).unwrap_or(u8::MAX);
    key.iter_mut()
        .zip(fields.into_iter().chain([count]).chain(options))
        .for_each(|(key, field)| *key = field);
    key
}

/// `syn:64:df:id0:64240:1460:7:2.4.8.1.3`: time to live, whether it may not be fragmented and has no identification,
/// window, segment size, shift, options.
fn offer(syn: &SynFields, ttl: u8) -> String {
    let mut word = String::with_capacity(OFFER_BYTES);
    word.push_str("syn:");
    push_decimal(&mut word, ttl.into());
    word.push_str(if syn.is_unfragmentable { ":df" } else { ":-" });
    word.push_str(if syn.is_unidentified { ":id0:" } else { ":-:" });
    push_decimal(&mut word, syn.window.into());
    for number in [syn.segment_bytes, syn.window_shift.map(u16::from)] {
        word.push(':');
        match number {
            Some(number) => push_decimal(&mut word, number.into()),
            None => word.push('-'),
        }
    }
    word.push(':');
    for (at, kind) in syn.options.iter().map_while(|kind| *kind).enumerate() {
        if at > 0 {
            word.push('.');
        }
        push_decimal(&mut word, kind.into());
    }
    word
}

#[cfg(test)]
mod tests {
    use thingprint_flow::SynFields;

    use super::offer;

    #[test]
    fn an_offer_is_a_word_with_a_place_for_each_trait() {
        let mut options = [None; SynFields::MOST_OPTIONS];
        assert_eq!(
            offer(&SynFields { window: 512, options, ..SynFields::default() }, 255),
            "syn:255:-:-:512:-:-:"
        );
        options[..5].copy_from_slice(&[2, 4, 8, 1, 3].map(Some));
        let syn = SynFields {
            is_unfragmentable: true,
            is_unidentified: true,
            window: 64240,
            segment_bytes: Some(1460),
            window_shift: Some(7),
            options,
        };
        assert_eq!(offer(&syn, 64), "syn:64:df:id0:64240:1460:7:2.4.8.1.3");
    }
}
