use etherparse::{IpFragOffset, IpNumber, Ipv4Header};
use proptest::prelude::*;
use thingprint_flow::{
    DecodeCounts, Decoder, DeviceId, Frame, LinkType, LossCounts, LossKind, Malformed, Timestamp, Transport,
};

use crate::frames::{CAMERA_IP, SERVER_IP, ipv4, ipv6, udp};
use crate::reading::{Seen, SeenIp};

const SECOND: i64 = 1_000_000_000;

/// A UDP datagram of 8 + 3000 bytes.
fn datagram() -> Vec<u8> {
    let payload: Vec<u8> = (0..3000_u32).map(|n| (n % 251) as u8).collect();
    udp(&payload)
}

/// One fragment of an IPv4 datagram.
fn four(id: u16, body: &[u8], range: std::ops::Range<usize>) -> Vec<u8> {
    four_between((CAMERA_IP, SERVER_IP), id, body, range)
}

/// One fragment of an IPv4 datagram from one host to another.
fn four_between(
    (src, dst): ([u8; 4], [u8; 4]),
    id: u16,
    body: &[u8],
    range: std::ops::Range<usize>,
) -> Vec<u8> {
    let part = &body[range.clone()];
    let length = u16::try_from(part.len()).unwrap();
    let mut header = Ipv4Header::new(length, 64, IpNumber::UDP, src, dst).unwrap();
    header.identification = id;
    header.fragment_offset = IpFragOffset::try_new(u16::try_from(range.start / 8).unwrap()).unwrap();
    header.more_fragments = range.end < body.len();
    [header.to_bytes().as_slice(), part].concat()
}

/// One fragment of an IPv6 datagram.
fn six(id: u32, body: &[u8], range: std::ops::Range<usize>) -> Vec<u8> {
    let more = u16::from(range.end < body.len());
    let offset = u16::try_from(range.start).unwrap() | more;
    let header = [&[17, 0][..], &offset.to_be_bytes(), &id.to_be_bytes()].concat();
    ipv6(44, &[&header, &body[range]].concat())
}

/// Decodes raw IP packets, each at its time.
fn decode(packets: &[(i64, &[u8])]) -> (Vec<Option<SeenIp>>, DecodeCounts) {
    let mut decoder = Decoder::default();
    let seen = packets.iter().map(|(nanos, bytes)| {
        let time = Timestamp::from_nanos(*nanos);
        let wire_bytes = u32::try_from(bytes.len()).unwrap();
        Seen::of(&decoder.decode(Frame {
            time,
            link: LinkType::RawIp,
            wire_bytes,
            bytes,
            ..Frame::default()
        }))
        .ip
    });
    let seen = seen.collect();
    decoder.finish();
    (seen, decoder.counts().clone())
}

/// All of them at once.
fn decode_now(packets: &[Vec<u8>]) -> (Vec<Option<SeenIp>>, DecodeCounts) {
    decode(&packets.iter().map(|packet| (0, &packet[..])).collect::<Vec<_>>())
}

/// The three fragments of [`datagram`] in either version.
fn fragments(version: u8, id: u16) -> Vec<Vec<u8>> {
    [0..1480, 1480..2960, 2960..3008]
        .map(
            |range| {
                if version == 4 { four(id, &datagram(), range) } else { six(id.into(), &datagram(), range) }
            },
        )
        .to_vec()
}

/// Asserts that this is [`datagram`] with the sizes of its three fragments.
fn assert_whole(version: u8, ip: &SeenIp) {
    let header_bytes = if version == 4 { 20 } else { 48 };
    assert_eq!((ip.transport, ip.ports, ip.ttl), (Transport::Udp, (40_000, 123), 64));
    assert_eq!(ip.total_bytes, 3008 + 3 * header_bytes);
    assert_eq!(ip.payload_bytes, 3000);
    assert_eq!(ip.payload, datagram()[8..]);
}

#[test]
fn a_datagram_comes_with_the_fragment_that_completes_it() {
    for version in [4, 6] {
        let (seen, counts) = decode_now(&fragments(version, 1));
        assert_eq!(seen[..2], [None, None]);
        assert_whole(version, seen[2].as_ref().unwrap());
        let expected = DecodeCounts {
            frames: 3,
            ip_packets: 1,
            fragments_held: 2,
            datagrams: 1,
            ..DecodeCounts::default()
        };
        assert_eq!(counts, expected);
    }
}

#[test]
fn the_frames_of_a_datagram_count_together_on_the_wire() {
    let mut decoder = Decoder::default();
    let parts = fragments(4, 1);
    let wire: Vec<u32> = parts
        .iter()
        .map(|bytes| {
            let wire_bytes = u32::try_from(bytes.len()).unwrap() + 14;
            decoder
                .decode(Frame {
                    time: Timestamp::MIN,
                    link: LinkType::RawIp,
                    wire_bytes,
                    bytes,
                    ..Frame::default()
                })
                .wire_bytes
        })
        .collect();
    assert_eq!(wire, [1514, 1514, 3008 + 3 * (20 + 14)]);
}

#[test]
fn datagrams_are_told_apart_by_number_addresses_and_protocol() {
    let mut mixed = Vec::new();
    for (a, b) in fragments(4, 1).into_iter().zip(fragments(4, 2)) {
        let mut other_protocol = a.clone();
        other_protocol[9] = 1;
        let mut other_host = a.clone();
        other_host[15] += 1;
        mixed.extend([a, b, other_protocol, other_host]);
    }
    mixed.extend(fragments(6, 1));
    let (seen, counts) = decode_now(&mixed);
    assert_eq!((counts.datagrams, counts.datagrams_expired), (5, 0));
    assert_eq!(seen.iter().flatten().filter(|ip| ip.transport == Transport::Udp).count(), 4);
}

#[test]
fn icmp_is_reassembled_too() {
    let echo = vec![8; 2000];
    let parts = [0..1480, 1480..2000].map(|range| {
        let mut part = four(3, &echo, range);
        part[9] = 1;
        part
    });
    let (seen, _) = decode_now(&parts);
    let ip = seen[1].as_ref().unwrap();
    assert_eq!((ip.transport, ip.ports, ip.payload_bytes), (Transport::Other(1), (0, 0), 2000));
}

#[test]
fn a_datagram_has_sixty_seconds_from_its_first_fragment() {
    for (late, complete) in [(60 * SECOND, true), (60 * SECOND + 1, false)] {
        let parts = fragments(4, 1);
        let (seen, counts) = decode(&[(0, &parts[0]), (30 * SECOND, &parts[1]), (late, &parts[2])]);
        assert_eq!(seen[2].is_some(), complete);
        // The fragment that came too late waits in vain as well.
        assert_eq!(counts.datagrams_expired, if complete { 0 } else { 2 });
    }
}

#[test]
fn the_clock_never_goes_back() {
    let parts = fragments(4, 1);
    let (seen, _) = decode(&[(100 * SECOND, &parts[0]), (0, &parts[1]), (101 * SECOND, &parts[2])]);
    assert!(seen[2].is_some());
}

#[test]
fn what_never_completes_is_counted_at_the_end() {
    let (seen, counts) = decode_now(&fragments(4, 1)[..2]);
    assert_eq!(seen, [None, None]);
    assert_eq!((counts.datagrams_expired, counts.fragments_held), (1, 2));
    assert_eq!(counts.datagrams_cut, 1);
}

#[test]
fn a_fragment_captured_twice_counts_once() {
    for version in [4, 6] {
        let doubled: Vec<_> =
            fragments(version, 1).into_iter().flat_map(|part| [part.clone(), part]).collect();
        let (seen, counts) = decode_now(&doubled);
        let whole: Vec<_> = seen.into_iter().flatten().collect();
        assert_eq!(whole.len(), 1);
        assert_whole(version, &whole[0]);
        assert_eq!((counts.datagrams, counts.fragments_repeated, counts.datagrams_expired), (1, 3, 0));
    }
}

#[test]
fn a_number_used_again_begins_a_new_datagram() {
    let mut other = datagram();
    other[100..].fill(1);
    let again = [0..1480, 1480..2960, 2960..3008].map(|range| four(1, &other, range));
    let (seen, counts) = decode_now(&[fragments(4, 1), again.to_vec()].concat());
    assert_eq!(seen[5].as_ref().unwrap().payload, other[8..]);
    assert_eq!((counts.datagrams, counts.fragments_repeated), (2, 0));
}

#[test]
fn where_fragments_overlap_the_first_stays() {
    let (first, second) = (udp(&[1; 56]), udp(&[2; 56]));
    let (seen, _) = decode_now(&[four(1, &first, 0..32), four(1, &second, 16..48), four(1, &second, 40..64)]);
    let ip = seen[2].as_ref().unwrap();
    assert_eq!(ip.payload, [vec![1; 24], vec![2; 32]].concat());
    assert_eq!(ip.total_bytes, 3 * 20 + 32 + 32 + 24);
}

#[test]
fn a_snap_length_leaves_the_sizes_of_a_datagram_alone() {
    for version in [4, 6] {
        let mut parts = fragments(version, 1);
        parts[1].truncate(100);
        let (seen, counts) = decode_now(&parts);
        let ip = seen[2].as_ref().unwrap();
        let header_bytes = if version == 4 { 20 } else { 48 };
        assert_eq!((ip.payload_bytes, ip.total_bytes), (3000, 3008 + 3 * header_bytes));
        // Up to the first hole.
        assert_eq!(ip.payload.len(), 1480 - 8 + 100 - header_bytes as usize);
        assert_eq!(ip.payload, datagram()[8..8 + ip.payload.len()]);
        assert_eq!(counts.datagrams, 1);
    }
}

#[test]
fn a_repeat_fills_in_what_a_snap_length_cut() {
    let parts = fragments(4, 1);
    let cut = parts[0][..60].to_vec();
    let (seen, counts) = decode_now(&[&[cut][..], &parts].concat());
    assert_whole(4, seen[3].as_ref().unwrap());
    assert_eq!(counts.fragments_repeated, 1);
}

#[test]
fn extension_headers_inside_a_datagram_are_stepped_over() {
    let body = [&[17, 0, 1, 4, 0, 0, 0, 0][..], &udp(&[7; 92])].concat();
    let parts = [0..56, 56..108].map(|range| {
        let mut part = six(1, &body, range);
        part[40] = 60;
        part
    });
    let (seen, counts) = decode_now(&parts);
    let ip = seen[1].as_ref().unwrap();
    assert_eq!((ip.transport, ip.ports, &ip.payload[..]), (Transport::Udp, (40_000, 123), &[7; 92][..]));
    assert!(counts.malformed.is_empty());
}

#[test]
fn a_fragment_within_a_datagram_is_not_reassembled() {
    let inner = [&[17, 0, 0, 1, 0, 0, 0, 9][..], &[0; 40]].concat();
    let parts = [0..24, 24..48].map(|range| {
        let mut part = six(1, &inner, range);
        part[40] = 44;
        part
    });
    let (seen, counts) = decode_now(&parts);
    let ip = seen[1].as_ref().unwrap();
    assert_eq!((ip.transport, ip.ports), (Transport::Other(44), (0, 0)));
    assert_eq!(counts.malformed, [(Malformed::ExtensionHeader, 1)].into());
}

#[test]
fn impossible_fragments_are_malformed() {
    let body = vec![0; 65_000];
    let mut past_the_end = four(1, &body, 64_000..64_992);
    past_the_end[6..8].copy_from_slice(&(0x2000_u16 | 0x1ffe).to_be_bytes());
    let misaligned = four(1, &body, 0..13);
    let empty = four(1, &body, 8..8);
    for packet in [past_the_end, misaligned, empty] {
        let (seen, counts) = decode_now(&[packet]);
        assert_eq!(seen, [None]);
        assert_eq!(counts.malformed, [(Malformed::Fragment, 1)].into());
        assert_eq!((counts.unreadable, counts.fragments_held), (1, 0));
    }
}

#[test]
fn fragments_that_contradict_the_end_are_malformed() {
    let (short, long) = (udp(&[1; 40]), udp(&[1; 80]));
    // The last fragment says 48, then others say 88 and 56.
    let parts =
        [four(1, &short, 40..48), four(1, &long, 80..88), four(1, &long, 48..56), four(1, &short, 0..40)];
    let (seen, counts) = decode_now(&parts);
    assert_eq!(seen[3].as_ref().unwrap().payload_bytes, 40);
    assert_eq!(counts.malformed, [(Malformed::Fragment, 2)].into());
    // What is there already reaches past the end that comes.
    let (_, counts) = decode_now(&[four(1, &long, 48..56), four(1, &short, 40..48)]);
    assert_eq!(counts.malformed, [(Malformed::Fragment, 1)].into());
}

#[test]
fn the_oldest_datagrams_give_way_when_there_are_too_many() {
    // 8 bytes, 128 for the fragment and 512 for the datagram: 25,890 fit into 16 MiB, and an eighth of that is freed at once.
    let flood: Vec<_> = (0..25_891).map(|id| four(id, &datagram(), 0..8)).collect();
    let (seen, counts) = decode_now(&[&flood[..], &fragments(4, 0), &fragments(4, 25_890)].concat());
    assert_eq!(counts.datagrams_dropped, 3_237);
    assert_eq!(seen.iter().flatten().count(), 2);
    assert_eq!(counts.fragments_repeated, 0, "the first one began anew, and the last one has other parts");
}

/// Datagrams that are never completed, from a host with this last byte.
fn open_datagrams(host: u8, many: u16) -> Vec<Vec<u8>> {
    let (from, body) = ([192, 168, 1, host], vec![0; 1000]);
    (0..many).map(|id| four_between((from, SERVER_IP), id, &body, 0..992)).collect()
}

#[test]
fn a_flood_of_fragments_takes_no_datagrams_of_others() {
    // 24 MB of one host, and a datagram of another whose last fragment comes behind them.
    let parts = fragments(4, 7);
    let packets = [&parts[..2], &open_datagrams(9, 24_000), &parts[2..]].concat();
    let (seen, counts) = decode_now(&packets);
    assert_whole(4, seen.last().unwrap().as_ref().unwrap());
    let flooder = DeviceId::Ip([192, 168, 1, 9].into());
    assert!(counts.datagrams_dropped > 10_000, "{counts:?}");
    let lost = LossCounts::from([(LossKind::DATAGRAMS, counts.datagrams_dropped)]);
    assert_eq!(counts.left_out.by_size(), [(flooder, &lost)]);
    assert_eq!(counts.datagrams_dropped + counts.datagrams_expired, 24_000, "all are counted");
}

#[test]
fn a_flood_to_one_host_behind_a_gateway_takes_no_datagrams_for_others() {
    // As with a gateway, one sender has all of them.
    let (from, body) = ([192, 168, 1, 9], vec![7; 100]);
    let for_other = |range| four_between((from, [10, 0, 0, 6]), 1, &body, range);
    let packets = [&[for_other(0..96)], &open_datagrams(9, 24_000)[..], &[for_other(96..100)]].concat();
    let (seen, counts) = decode_now(&packets);
    assert_eq!(seen.last().unwrap().as_ref().map(|packet| packet.payload_bytes), Some(92));
    assert!(counts.datagrams_dropped > 10_000, "{counts:?}");
}

#[test]
fn made_up_senders_take_no_datagrams_of_a_host_whose_datagrams_were_complete() {
    let parts = fragments(4, 8);
    let hosts = (11..=255).flat_map(|host| open_datagrams(host, 100)).collect::<Vec<_>>();
    let packets = [&fragments(4, 7)[..], &parts[..2], &hosts, &parts[2..]].concat();
    let (seen, counts) = decode_now(&packets);
    assert_whole(4, seen.last().unwrap().as_ref().unwrap());
    assert!(counts.datagrams_dropped > 10_000, "{counts:?}");
}

#[test]
fn the_oldest_datagrams_give_way_when_they_take_too_much_memory() {
    let body = vec![0; 64_000];
    // Each needs 64,000 bytes of memory for its last 8.
    let flood: Vec<_> = (0..300).map(|id| four(id, &body, 63_992..64_000)).collect();
    let (_, counts) = decode_now(&flood);
    // 259 fit with 640 bytes for each beside its own, and 33 are an eighth of the bytes.
    assert_eq!((counts.datagrams_dropped, counts.datagrams_expired), (66, 234));
}

#[test]
fn packets_that_may_be_but_are_not_fragmented_pass() {
    let (seen, counts) = decode_now(&[ipv4(IpNumber::UDP, &udp(b"x")), six(1, &udp(b"x"), 0..9)]);
    assert_eq!(seen.iter().flatten().count(), 2);
    assert_eq!(counts.fragments_held, 0);
}

proptest! {
    #[test]
    fn any_order_and_any_repeats_give_the_same_datagram(
        version in prop_oneof![Just(4_u8), Just(6)],
        order in proptest::collection::vec(0..6_usize, 6..40).prop_shuffle(),
        size in 1..60_usize,
    ) {
        let body = udp(&(0..=255).cycle().take(size * 48 - 7).collect::<Vec<u8>>());
        let step = size * 8;
        let part = |n: usize| {
            let range = n * step..(n * step + step).min(body.len());
            if version == 4 { four(9, &body, range) } else { six(9, &body, range) }
        };
        prop_assert_eq!(body.len(), size * 48 + 1);
        let mut packets: Vec<_> = order.iter().map(|n| part(*n)).collect();
        // Whatever the order lacks comes at the end, and so does the odd byte.
        packets.extend((0..7).map(part));
        let (seen, counts) = decode_now(&packets);
        let whole: Vec<_> = seen.into_iter().flatten().collect();
        prop_assert_eq!(whole.len(), 1);
        let header_bytes = if version == 4 { 20 } else { 48 };
        prop_assert_eq!(whole[0].total_bytes as usize, body.len() + 7 * header_bytes);
        prop_assert_eq!(&whole[0].payload, &body[8..]);
        prop_assert_eq!(counts.fragments_repeated, order.len() as u64);
        prop_assert_eq!(counts.datagrams_expired, 0);
    }
}
