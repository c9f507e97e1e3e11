//! What the frames of the default home say to readers that know nothing of the simulation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};

use etherparse::{Ipv4Slice, NetSlice, SlicedPacket, TcpOptionElement, TcpSlice, TransportSlice};
use thingprint_sim::{Home, Simulation, SimulationOptions, home};

/// One direction of a TCP connection or UDP conversation.
type Flow = ([u8; 4], u16, [u8; 4], u16);

/// What one direction of a TCP connection carries.
#[derive(Default)]
struct Stream {
    /// The sequence number of the first byte.
    first: Option<u32>,
    bytes: Vec<u8>,
    /// Which bytes have been seen.
    seen: Vec<bool>,
}

impl Stream {
    /// Puts a segment in its place; what comes twice must be the same.
    fn put(&mut self, seq: u32, payload: &[u8]) {
        let first = self.first.unwrap();
        let place = usize::try_from(seq.wrapping_sub(first)).unwrap();
        let end = place + payload.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
            self.seen.resize(end, false);
        }
        for (offset, byte) in payload.iter().enumerate() {
            assert!(
                !self.seen[place + offset] || self.bytes[place + offset] == *byte,
                "resent with other bytes"
            );
            self.bytes[place + offset] = *byte;
            self.seen[place + offset] = true;
        }
    }
}

/// The default home where this share of segments is lost.
fn home_that_loses(loss: f64) -> Home {
    let mut home = home().unwrap();
    home.network.loss = loss;
    home
}

/// The default home captured where segments come put together, as far as the windows of its devices let them.
fn home_with_offload() -> Home {
    let mut home = home_that_loses(0.01);
    for profile in &mut home.profiles {
        if profile.stack.window_bytes > 20_000 {
            profile.stack.offload_bytes = Some(14_480);
        }
    }
    home
}

/// Every frame of some hours of a morning, read strictly.
fn each_packet(home: &Home, hours: u64, mut visit: impl FnMut(&[u8], &SlicedPacket<'_>)) {
    let duration_s = hours * 3600;
    let options = SimulationOptions { start_s: 1_717_405_200, duration_s, ..SimulationOptions::default() };
    let offload = home.profiles.iter().filter_map(|profile| profile.stack.offload_bytes).max();
    let longest = usize::from(offload.unwrap_or(1460)) + 54;
    let mut simulation = Simulation::new(home, options).unwrap();
    while let Some(frame) = simulation.next_frame() {
        assert_eq!(frame.bytes.len(), usize::try_from(frame.original_bytes).unwrap());
        assert!((60..=longest).contains(&frame.bytes.len()));
        visit(frame.bytes, &SlicedPacket::from_ethernet(frame.bytes).unwrap());
    }
}

fn check_ipv4(packet: &SlicedPacket<'_>, ip: &Ipv4Slice<'_>) {
    let header = ip.header().to_header();
    assert_eq!(header.header_checksum, header.calc_header_checksum());
    match packet.transport.as_ref().unwrap() {
        TransportSlice::Tcp(tcp) => {
            assert_eq!(tcp.checksum(), tcp.calc_checksum_ipv4(header.source, header.destination).unwrap());
        }
        TransportSlice::Udp(udp) => {
            assert_eq!(udp.checksum(), udp.to_header().calc_checksum_ipv4(&header, udp.payload()).unwrap());
        }
        TransportSlice::Icmpv4(icmp) => {
            assert_eq!(icmp.checksum(), icmp.icmp_type().calc_checksum(icmp.payload()));
        }
        other => panic!("{other:?} over IPv4"),
    }
}

#[test]
fn every_frame_is_sound_and_every_device_is_heard() {
    let mut heard: BTreeMap<String, u32> = BTreeMap::new();
    let mut ipv6 = 0;
    each_packet(&home().unwrap(), 8, |frame, packet| {
        let source: Vec<String> = frame[6..12].iter().map(|octet| format!("{octet:02x}")).collect();
        *heard.entry(source.join(":")).or_default() += 1;
        match &packet.net {
            Some(NetSlice::Ipv4(ip)) => check_ipv4(packet, ip),
            Some(NetSlice::Ipv6(ip)) => {
                ipv6 += 1;
                let (source, destination) = (ip.header().source(), ip.header().destination());
                match packet.transport.as_ref().unwrap() {
                    TransportSlice::Icmpv6(icmp) => assert!(icmp.is_checksum_valid(source, destination)),
                    TransportSlice::Udp(udp) => {
                        let header = ip.header().to_header();
                        assert_eq!(
                            udp.checksum(),
                            udp.to_header().calc_checksum_ipv6(&header, udp.payload()).unwrap()
                        );
                    }
                    other => panic!("{other:?} over IPv6"),
                }
            }
            _ => assert_eq!(frame[12..14], [8, 6], "neither IP nor ARP"),
        }
    });
    assert!(ipv6 > 10, "{ipv6}");
    for device in home().unwrap().labels() {
        assert!(heard.get(&device.mac).is_some_and(|frames| *frames > 20), "{}", device.name);
    }
}

#[test]
fn names_are_answered_before_they_are_used_and_almost_always() {
    let (mut asked, mut answered): (BTreeSet<([u8; 4], u16, u16)>, u32) = (BTreeSet::new(), 0);
    each_packet(&home().unwrap(), 4, |_, packet| {
        let (Some(NetSlice::Ipv4(ip)), Some(TransportSlice::Udp(udp))) = (&packet.net, &packet.transport)
        else {
            return;
        };
        let id = || u16::from_be_bytes([udp.payload()[0], udp.payload()[1]]);
        if udp.destination_port() == 53 {
            asked.insert((ip.header().source(), udp.source_port(), id()));
        } else if udp.source_port() == 53 {
            assert!(asked.contains(&(ip.header().destination(), udp.destination_port(), id())));
            answered += 1;
        }
    });
    let unanswered = asked.len() - usize::try_from(answered).unwrap();
    assert!(asked.len() > 300 && unanswered * 100 <= asked.len(), "{unanswered} of {}", asked.len());
}

/// Checks that a stream is one TLS record after the other; the types of its records.
fn records(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<5>() {
        assert!((20..=23).contains(&head[0]) && head[1] == 3 && head[2] <= 3, "{head:02x?}");
        let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
        assert!(length <= 16_384 + 2048);
        kinds.push(head[0]);
        bytes = rest.get(length..).unwrap_or_default();
    }
    kinds
}

/// What is known of one side of a TCP connection from its own segments.
#[derive(Clone, Copy, Default)]
struct Sender {
    /// The sequence number after the last byte sent, SYN and FIN counted.
    sent: Option<u32>,
    /// The highest byte that it acknowledged.
    acknowledged: u32,
    window_bytes: u32,
    scale: u8,
}

/// How far a sequence number lies ahead of another; negative when it lies behind.
fn ahead(number: u32, of: u32) -> i32 {
    i32::from_ne_bytes(number.wrapping_sub(of).to_ne_bytes())
}

/// Checks that a segment acknowledges only what the capture has seen, and that it fits the room that the other side
/// has told of.
fn check_segment(own: &mut Sender, other: &Sender, tcp: &TcpSlice<'_>) {
    let opening = u32::from(tcp.syn()) + u32::from(tcp.fin());
    let end = tcp.sequence_number().wrapping_add(opening + u32::try_from(tcp.payload().len()).unwrap());
    if tcp.syn() {
        let scales = tcp.options_iterator().filter_map(|option| match option.unwrap() {
            TcpOptionElement::WindowScale(scale) => Some(scale),
            _ => None,
        });
        *own = Sender { scale: scales.last().unwrap_or(0), ..Sender::default() };
    }
    if tcp.ack() {
        let sent = other.sent.unwrap();
        assert!(ahead(tcp.acknowledgment_number(), sent) <= 0, "acknowledges what nobody has seen");
        own.acknowledged = tcp.acknowledgment_number();
    }
    own.window_bytes = u32::from(tcp.window_size()) << if tcp.syn() { 0 } else { own.scale };
    if !tcp.payload().is_empty() {
        let under_way = ahead(end, other.acknowledged);
        assert!(i64::from(under_way) <= i64::from(other.window_bytes), "{under_way} bytes under way");
    }
    if own.sent.is_none_or(|sent| ahead(end, sent) > 0) {
        own.sent = Some(end);
    }
}

#[test]
fn segments_acknowledge_what_was_seen_and_fit_the_window() {
    let homes = [0.0, 0.001, 0.1].map(home_that_loses);
    for home in homes.into_iter().chain([home_with_offload()]) {
        let mut senders: BTreeMap<Flow, Sender> = BTreeMap::new();
        let mut segments = 0;
        each_packet(&home, 6, |_, packet| {
            let (Some(NetSlice::Ipv4(ip)), Some(TransportSlice::Tcp(tcp))) = (&packet.net, &packet.transport)
            else {
                return;
            };
            let (source, destination) = (ip.header().source(), ip.header().destination());
            let own = (source, tcp.source_port(), destination, tcp.destination_port());
            let other = (destination, tcp.destination_port(), source, tcp.source_port());
            let theirs = senders.get(&other).copied().unwrap_or_default();
            check_segment(senders.entry(own).or_default(), &theirs, tcp);
            segments += 1;
        });
        assert!(segments > 10_000, "{segments}");
    }
}

#[test]
fn tcp_streams_are_whole_and_tls_streams_are_records() {
    check_streams(&home().unwrap());
}

#[test]
fn segments_put_together_make_whole_streams_too() {
    check_streams(&home_with_offload());
    let mut longest = 0;
    each_packet(&home_with_offload(), 6, |frame, _| longest = longest.max(frame.len()));
    assert_eq!(longest, 14_480 + 54);
}

#[test]
fn what_is_lost_is_sent_again() {
    check_streams(&home_that_loses(0.1));
}

fn check_streams(home: &Home) {
    let mut streams: BTreeMap<Flow, Stream> = BTreeMap::new();
    let mut done: Vec<(u16, u16, Stream)> = Vec::new();
    each_packet(home, 8, |_, packet| {
        let (Some(NetSlice::Ipv4(ip)), Some(TransportSlice::Tcp(tcp))) = (&packet.net, &packet.transport)
        else {
            return;
        };
        let flow =
            (ip.header().source(), tcp.source_port(), ip.header().destination(), tcp.destination_port());
        let stream = streams.entry(flow).or_default();
        if tcp.syn() {
            stream.first = Some(tcp.sequence_number().wrapping_add(1));
        }
        if !tcp.payload().is_empty() {
            stream.put(tcp.sequence_number(), tcp.payload());
        }
        if tcp.fin() || tcp.rst() {
            let stream = std::mem::take(stream);
            done.push((tcp.source_port(), tcp.destination_port(), stream));
        }
    });
    assert!(done.len() > 500, "{}", done.len());
    let mut hellos_in_two_segments = 0;
    for (source, destination, stream) in &done {
        assert!(stream.seen.iter().all(|seen| *seen), "{source} to {destination}: a hole");
        if [source, destination].iter().any(|port| [443, 8443, 8883, 993].contains(*port)) {
            let kinds = records(&stream.bytes);
            assert!(kinds.starts_with(&[22, 20]) || kinds.starts_with(&[22, 22]), "{kinds:?}");
            assert!(kinds.contains(&23) && kinds.contains(&20), "{kinds:?}");
            let hello = usize::from(u16::from_be_bytes([stream.bytes[3], stream.bytes[4]]));
            hellos_in_two_segments += usize::from(*destination == 443 && hello > 1460);
        }
    }
    assert!(hellos_in_two_segments > 3, "{hellos_in_two_segments}");
}
