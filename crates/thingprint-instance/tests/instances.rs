//! Instances from stories of packets: numbers worked by hand, and parts that merge to the whole.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::net::IpAddr;

use thingprint_flow::{
    GatewayPolicy, Ip, MacAddr, Packet, TcpFlags, TcpSegment, Timestamp, Transport, WindowLength,
};
use thingprint_instance::{
    Assembled, Attribute, Bag, BagName, Builder, EvidenceSet, Instance, InstanceOptions, NameSource, Part,
    PartId, Partial, PortScope, PortWord, RateMean,
};
use thingprint_protocol::{Engine, Limits};

const HOUR_MS: i64 = 3_600_000;
const CAMERA: [u8; 6] = [0x70, 0xee, 0x50, 0, 0, 1];
const ROUTER: [u8; 6] = [0x14, 0xcc, 0x20, 0, 0, 3];

#[derive(Clone, Debug)]
struct Said {
    at_ms: i64,
    is_up: bool,
    transport: Transport,
    local_port: u16,
    peer: (&'static str, u16),
    bytes: u32,
    payload: Vec<u8>,
}

impl Said {
    fn tcp(at_ms: i64, is_up: bool, flags: u8, local_port: u16) -> Self {
        let transport =
            Transport::Tcp(TcpSegment { seq: u32::from(flags & 2 == 0), ack: 1, flags: TcpFlags(flags) });
        Self { at_ms, is_up, transport, local_port, peer: ("52.1.2.3", 443), bytes: 100, payload: Vec::new() }
    }

    fn udp(at_ms: i64, peer: (&'static str, u16), payload: Vec<u8>) -> Self {
        let bytes = 28 + u32::try_from(payload.len()).unwrap();
        Self { at_ms, is_up: true, transport: Transport::Udp, local_port: 40_000, peer, bytes, payload }
    }

    fn dns(at_ms: i64, name: &str) -> Self {
        Self::udp(at_ms, ("192.168.1.1", 53), query(name))
    }

    fn ntp(at_ms: i64) -> Self {
        let mut request = vec![0x23];
        request.resize(48, 0);
        Self::udp(at_ms, ("129.6.15.28", 123), request)
    }

    fn show(&self, with: impl FnOnce(&Packet<'_>)) {
        let local = ("192.168.1.10".parse::<IpAddr>().unwrap(), self.local_port, CAMERA);
        let peer = (self.peer.0.parse::<IpAddr>().unwrap(), self.peer.1, ROUTER);
        let (from, to) = if self.is_up { (local, peer) } else { (peer, local) };
        with(&Packet {
            time: Timestamp::from_nanos(self.at_ms * 1_000_000),
            src_mac: Some(MacAddr::new(from.2)),
            dst_mac: Some(MacAddr::new(to.2)),
            wire_bytes: self.bytes + 14,
            ip: Some(Ip {
                total_bytes: self.bytes,
                transport: self.transport,
                ..Ip::udp((from.0, from.1), (to.0, to.1), &self.payload)
            }),
            other: None,
        });
    }
}

/// A DNS query for one address, RFC 1035 §4.1.
fn query(name: &str) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes
}

fn part(story: &[Said], options: &InstanceOptions, id: &str) -> Option<Part> {
    let engine = Engine::new(Limits::default());
    let mut builder = Builder::new(options.clone(), &engine);
    for said in story {
        said.show(|packet| builder.push(packet));
    }
    builder.finish(PartId::of_text(id), Some(id.to_owned())).0
}

fn assemble(parts: impl IntoIterator<Item = Part>, options: &InstanceOptions) -> Assembled {
    let mut partial = Partial::default();
    for part in parts {
        partial.insert(part);
    }
    let labelled = BTreeSet::from([MacAddr::new(CAMERA)]);
    partial.assemble(options, &GatewayPolicy { labelled, ..GatewayPolicy::default() })
}

fn options() -> InstanceOptions {
    let mut options = InstanceOptions::default();
    options.flow.gateways = BTreeSet::from([MacAddr::new(ROUTER)]);
    options
}

fn instances(story: &[Said], options: &InstanceOptions) -> Vec<Instance> {
    assemble(part(story, options, "one"), options).instances
}

fn bag(instance: &Instance, name: BagName) -> &Bag {
    instance.bags.get(name).unwrap()
}

fn value(instance: &Instance, attribute: Attribute) -> Option<f64> {
    instance.attributes.get(attribute)
}

#[test]
fn flows_give_volume_duration_and_rate() {
    let story = [
        Said::tcp(0, true, 0x02, 40_001),
        Said::tcp(2_000, false, 0x12, 40_001),
        Said::tcp(10_000, true, 0x02, 40_002),
    ];
    let all = instances(&story, &options());
    let [instance] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(value(instance, Attribute::FLOW_VOLUME_BYTES), Some(150.0));
    assert_eq!(value(instance, Attribute::FLOW_DURATION_S), Some(1.0));
    assert_eq!(value(instance, Attribute::FLOW_RATE_BPS), Some(800.0), "of the one flow with a duration");
    let spread = instance.spread[&Attribute::FLOW_VOLUME_BYTES];
    assert_eq!((spread.count, spread.sum, spread.sd, spread.min, spread.max), (2, 300.0, 50.0, 100.0, 200.0));
    assert_eq!((instance.counts.packets_up, instance.counts.packets_down), (2, 1));
    assert_eq!(*bag(instance, BagName::PORTS), [("443".to_owned(), 2)].into());
    let sum = InstanceOptions { rate: RateMean::Sum, ..options() };
    assert_eq!(value(&instances(&story, &sum)[0], Attribute::FLOW_RATE_BPS), Some(800.0));
}

#[test]
fn what_cannot_be_formed_is_absent() {
    let all = instances(&[Said::tcp(0, true, 0x02, 40_001)], &options());
    for attribute in Attribute::all().skip(2) {
        assert_eq!(value(&all[0], attribute), None, "{attribute:?}");
    }
}

#[test]
fn a_device_that_sent_nothing_has_no_instance() {
    assert_eq!(instances(&[Said::tcp(0, false, 0x10, 40_001)], &options()), []);
    let options = InstanceOptions { min_packets: 2, ..options() };
    assert_eq!(instances(&[Said::tcp(0, true, 0x10, 40_001)], &options), []);
}

#[test]
fn sleep_belongs_to_the_window_in_which_activity_resumes() {
    let story = [
        Said::tcp(0, true, 0x02, 40_001),
        // 0.9 s is no gap, 9.1 s is one; then an hour less 10 s, which ends in the next window.
        Said::tcp(900, true, 0x02, 40_002),
        Said::tcp(10_000, true, 0x02, 40_003),
        Said::tcp(HOUR_MS, true, 0x02, 40_004),
    ];
    let all = instances(&story, &options());
    assert_eq!(value(&all[0], Attribute::SLEEP_TIME_S), Some(9.1));
    assert_eq!(value(&all[1], Attribute::SLEEP_TIME_S), Some(3590.0));
}

#[test]
fn a_connection_kept_alive_never_sleeps() {
    let story: Vec<_> = (0..62).map(|minute| Said::tcp(minute * 60_000, true, 0x18, 40_001)).collect();
    let all = instances(&story, &options());
    assert_eq!(all.len(), 2);
    assert_eq!(value(&all[0], Attribute::SLEEP_TIME_S), None);
    assert_eq!(value(&all[1], Attribute::SLEEP_TIME_S), None);
    assert_eq!(all[1].counts.flows, 1, "cut at the edge all the same");
}

#[test]
fn a_gap_is_covered_by_a_flow_that_goes_on_after_it() {
    let story = [
        Said::tcp(HOUR_MS - 20_000, true, 0x18, 40_001),
        Said::tcp(HOUR_MS - 10_000, true, 0x18, 40_002),
        Said::tcp(HOUR_MS + 100_000, true, 0x18, 40_001),
    ];
    let all = instances(&story, &options());
    assert_eq!(value(&all[0], Attribute::SLEEP_TIME_S), None);
    assert_eq!(value(&all[1], Attribute::SLEEP_TIME_S), None);
}

#[test]
fn a_packet_behind_the_clock_still_splits_a_gap() {
    let story = [
        Said::tcp(HOUR_MS - 400_000, true, 0x02, 40_001),
        Said::tcp(HOUR_MS + 1_500, true, 0x02, 40_002),
        // The clock passes the hour's lateness, and then something comes from before it.
        Said::tcp(HOUR_MS + 2_500, true, 0x02, 40_003),
        Said::tcp(HOUR_MS + 500, true, 0x02, 40_004),
    ];
    let all = instances(&story, &options());
    let sleep = all[1].spread[&Attribute::SLEEP_TIME_S];
    assert_eq!((sleep.count, sleep.sum), (3, 402.5));
}

#[test]
fn gaps_over_a_day_are_dropped() {
    let day = 24 * HOUR_MS;
    let check = |gap_ms, expected| {
        let story = [Said::tcp(0, true, 0x02, 1), Said::tcp(gap_ms, true, 0x02, 2)];
        let all = instances(&story, &options());
        assert_eq!(value(all.last().unwrap(), Attribute::SLEEP_TIME_S), expected);
    };
    check(day, Some(86_400.0));
    check(day + 1, None);
}

#[test]
fn joy_sleeps_between_flows_as_they_were_cut() {
    let mut options = InstanceOptions::joy();
    options.flow.gateways = BTreeSet::from([MacAddr::new(ROUTER)]);
    // A keep-alive each 60 s: flows of 60 s and sleeps of 60 s, as the paper's Fig. 3 shows.
    let story: Vec<_> = (0..10).map(|minute| Said::tcp(minute * 60_000, true, 0x18, 40_001)).collect();
    let all = instances(&story, &options);
    assert_eq!(value(&all[0], Attribute::FLOW_DURATION_S), Some(60.0));
    assert_eq!(value(&all[0], Attribute::SLEEP_TIME_S), Some(60.0));
}

#[test]
fn dns_bursts_are_chained_queries() {
    let names = ["a.example", "A.Example", "b.example", "a.example"];
    let times = [0, 900, 1_800, 300_000];
    let story: Vec<_> = times.iter().zip(names).map(|(at, name)| Said::dns(*at, name)).collect();
    let all = instances(&story, &options());
    assert_eq!(value(&all[0], Attribute::DNS_INTERVAL_S), Some(300.0), "from start to start");
    assert_eq!(
        *bag(&all[0], BagName::DOMAINS),
        [("a.example".to_owned(), 3), ("b.example".to_owned(), 1)].into()
    );
}

#[test]
fn multicast_dns_and_its_kin_are_no_lookups() {
    for peer in [("192.168.1.1", 5353), ("192.168.1.1", 5355), ("192.168.1.1", 137), ("224.0.0.251", 53)] {
        let all = instances(&[Said::udp(0, peer, query("a.example"))], &options());
        assert!(bag(&all[0], BagName::DOMAINS).is_empty(), "{peer:?}");
    }
    let all = instances(&[Said::udp(0, ("192.168.1.1", 9953), query("a.example"))], &options());
    assert_eq!(bag(&all[0], BagName::DOMAINS).len(), 1, "on any other port it is one");
}

#[test]
fn ntp_intervals_reach_over_the_edge() {
    let story = [Said::ntp(HOUR_MS - 10_000), Said::ntp(HOUR_MS + 54_000)];
    let all = instances(&story, &options());
    assert_eq!(value(&all[0], Attribute::NTP_INTERVAL_S), None);
    assert_eq!(value(&all[1], Attribute::NTP_INTERVAL_S), Some(64.0));
}

/// A ClientHello (RFC 5246 §7.4.1.2) that offers two cipher suites, in one record.
fn client_hello() -> Vec<u8> {
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 4, 0xc0, 0x2f, 0x00, 0x2f, 1, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    [vec![22, 3, 1, 0, length + 4, 1, 0, 0, length], hello].concat()
}

/// A segment of the device's stream, from the byte `at` on.
fn segment(at_ms: i64, at: usize, bytes: &[u8]) -> Said {
    let mut said = Said::tcp(at_ms, true, 0x18, 40_001);
    let seq = 1001 + u32::try_from(at).unwrap();
    said.transport = Transport::Tcp(TcpSegment { seq, ack: 0, flags: TcpFlags(0x18) });
    said.payload = bytes.to_vec();
    said.bytes = 40 + u32::try_from(bytes.len()).unwrap();
    said
}

fn syn(at_ms: i64) -> Said {
    let mut said = Said::tcp(at_ms, true, 0x02, 40_001);
    said.transport = Transport::Tcp(TcpSegment { seq: 1000, ack: 0, flags: TcpFlags(0x02) });
    said
}

#[test]
fn a_hello_over_the_edge_counts_where_it_is_whole() {
    let hello = client_hello();
    let story = [
        syn(HOUR_MS - 200),
        segment(HOUR_MS - 100, 0, &hello[..20]),
        segment(HOUR_MS + 100, 20, &hello[20..]),
    ];
    let all = instances(&story, &options());
    assert!(bag(&all[0], BagName::CIPHER_SUITES).is_empty());
    assert_eq!(*bag(&all[1], BagName::CIPHER_SUITES), [("c02f-002f".to_owned(), 1)].into());
}

#[test]
fn a_hello_resent_after_the_edge_counts_once() {
    let hello = client_hello();
    let story = [syn(HOUR_MS - 200), segment(HOUR_MS - 100, 0, &hello), segment(HOUR_MS + 3_000, 0, &hello)];
    let all = instances(&story, &options());
    assert_eq!(bag(&all[0], BagName::CIPHER_SUITES).len(), 1);
    assert!(bag(&all[1], BagName::CIPHER_SUITES).is_empty());
}

#[test]
fn ports_are_words_by_option() {
    let story = [Said::ntp(0), Said::dns(1_000, "a.example")];
    let words = |options: &InstanceOptions| -> Vec<String> {
        bag(&instances(&story, options)[0], BagName::PORTS).keys().cloned().collect()
    };
    assert_eq!(words(&options()), ["123", "53"]);
    let with_proto = InstanceOptions { port_word: PortWord::ProtoPort, ..options() };
    assert_eq!(words(&with_proto), ["udp/123", "udp/53"]);
    let internet = InstanceOptions { port_scope: PortScope::Internet, ..options() };
    assert_eq!(words(&internet), ["123"]);
    let no_names = InstanceOptions { names: BTreeSet::from([NameSource::Sni]), ..options() };
    assert!(bag(&instances(&story, &no_names)[0], BagName::DOMAINS).is_empty());
}

/// A packet between the device and another host of its network.
fn from_host(at_ms: i64, is_up: bool, flags: u8, local_port: u16) -> Said {
    Said { peer: ("192.168.1.20", 50_001), ..Said::tcp(at_ms, is_up, flags, local_port) }
}

#[test]
fn ports_at_which_a_device_answers_are_served() {
    let datagram = |at_ms, is_up, local_port| Said {
        transport: Transport::Udp,
        ..from_host(at_ms, is_up, 0, local_port)
    };
    let story = [
        // Accepted, then reset by the host: a half-open scan.
        from_host(0, false, 0x02, 80),
        from_host(1, true, 0x12, 80),
        from_host(2, false, 0x04, 80),
        // Refused twice, and never answered.
        from_host(3, false, 0x02, 22),
        from_host(4, true, 0x14, 22),
        from_host(5, false, 0x02, 22),
        from_host(6, true, 0x14, 22),
        from_host(7, false, 0x02, 23),
        datagram(8, false, 5683),
        datagram(9, true, 5683),
        datagram(10, false, 161),
        // The device is the client.
        Said::tcp(11, true, 0x02, 40_001),
    ];
    let words = |port_word| {
        let evidence = EvidenceSet::all();
        let all = instances(&story, &InstanceOptions { evidence, port_word, ..options() });
        let bag = |name| bag(&all[0], name).keys().cloned().collect::<Vec<_>>().join(" ");
        [bag(BagName::SERVED_PORTS), bag(BagName::PORTS)]
    };
    assert_eq!(words(PortWord::Port), ["tcp/80 udp/5683", "443"]);
    assert_eq!(words(PortWord::ProtoPort), ["tcp/80 udp/5683", "tcp/443"]);
    assert_eq!(instances(&story, &options())[0].bags.get(BagName::SERVED_PORTS), None);
}

/// The words of a bag beyond the paper's.
fn words_of(story: &[Said], bag_name: BagName) -> Vec<String> {
    let all = instances(story, &InstanceOptions { evidence: bag_name.into(), ..options() });
    bag(&all[0], bag_name).iter().map(|(word, count)| format!("{word} {count}")).collect()
}

#[test]
fn packets_give_sizes_and_traits_of_the_stack() {
    let answer = Said { is_up: false, ..Said::dns(5, "a.example") };
    let story =
        [Said::dns(0, "a.example"), answer, Said::ntp(10), Said::ntp(20), Said::tcp(30, true, 2, 40_000)];
    let sizes = words_of(&story, BagName::SIZES);
    assert_eq!(sizes, ["d17:53:55 1", "u17:123:76 2", "u17:53:55 1", "u6:443:100 1"]);
    assert_eq!(words_of(&story, BagName::STACK), ["tos:0 4", "ttl17:64 3", "ttl6:64 1"], "its own packets");
}

#[test]
fn names_in_packets_do_not_give_their_sizes() {
    let announcement = Said::udp(0, ("224.0.0.251", 5353), vec![0; 40]);
    let between_clients = Said { peer: ("52.1.2.3", 50_000), ..Said::tcp(5, true, 0x18, 40_000) };
    let story = [announcement, between_clients];
    assert_eq!(words_of(&story, BagName::SIZES), ["u17:5353 1", "u6:hi:100 1"]);
}

#[test]
fn groups_and_messages_of_the_local_network_are_counted() {
    let igmp = Said { transport: Transport::Other(2), payload: vec![0x16, 0], ..Said::ntp(0) };
    let ping = Said { transport: Transport::Other(1), payload: vec![8, 0], ..Said::ntp(1) };
    let group = Said::udp(2, ("239.255.255.250", 1900), vec![0; 20]);
    let neighbours = Said::udp(3, ("255.255.255.255", 9999), vec![0; 20]);
    let words = words_of(&[igmp, ping, group, neighbours], BagName::NETWORK);
    assert_eq!(words, ["239.255.255.250:1900 1", "broadcast:9999 1", "icmp:8 1", "igmp:22 1"]);
}

#[test]
fn organisations_are_those_that_registered_a_name() {
    let story = [Said::dns(0, "a.b.example"), Said::dns(5, "c.b.example"), Said::dns(9, "x.vendor.co.uk")];
    assert_eq!(words_of(&story, BagName::ORGANISATIONS), ["b.example 2", "vendor.co.uk 1"]);
}

#[test]
fn a_dhcp_client_is_known_by_its_options_and_not_by_its_unit() {
    let discover = |client: [u8; 6]| {
        let mut bytes = vec![0; 236];
        bytes[..3].copy_from_slice(&[1, 1, 6]);
        bytes[28..34].copy_from_slice(&client);
        bytes.extend([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 57, 2, 2, 0x40, 55, 3, 1, 3, 6, 12, 8]);
        bytes.extend(b"Cam-EE50\x3c\x04udhc\xff");
        bytes
    };
    let story = [
        Said::udp(0, ("255.255.255.255", 67), discover(CAMERA)),
        Said::udp(5, ("255.255.255.255", 67), discover([2, 0, 0, 0, 0, 9])),
    ];
    let expected = ["asks:1,3,6 1", "class:udhc 1", "host:cam-* 1", "most:576 1", "order1:53,57,55,12,60 1"];
    assert_eq!(words_of(&story, BagName::DHCP), expected, "what it sends for another client is not its own");
}

#[test]
fn what_a_device_declares_has_a_star_for_the_unit() {
    let search = b"M-SEARCH * HTTP/1.1\r\nST: uuid:2f402f80-da50-11e1-9b23-001788685f61\r\nMAN: \"ssdp:discover\"\r\n\r\n";
    let story = [Said::udp(0, ("239.255.255.250", 1900), search.to_vec())];
    let expected =
        ["ssdp-fields:st,man 1", "ssdp-man:\"ssdp:discover\" 1", "ssdp-st:uuid:* 1", "ssdp:m-search 1"];
    assert_eq!(words_of(&story, BagName::DECLARED), expected);
}

#[test]
fn words_have_a_cap() {
    let story: Vec<_> = (0..10).map(|n| Said::dns(n * 10, &format!("host{n}.example"))).collect();
    let options = InstanceOptions { max_words: 4, ..options() };
    assert_eq!(bag(&instances(&story, &options)[0], BagName::DOMAINS).len(), 4);
}

#[test]
fn words_have_a_cap_in_bytes() {
    let story: Vec<_> = (0..100).map(|n| Said::dns(n * 10, &format!("host{n}.example"))).collect();
    let options = InstanceOptions { max_device_bytes: 1200, ..options() };
    let words = bag(&instances(&story, &options)[0], BagName::DOMAINS).len();
    assert_eq!(words, 11, "each takes 96 bytes and its text");
    let options = InstanceOptions { max_device_bytes: 120, ..options };
    let words = bag(&instances(&story, &options)[0], BagName::DOMAINS).len();
    assert_eq!(words, 1);
}

#[test]
fn only_the_chosen_evidence_is_extracted() {
    let story =
        [Said::ntp(0), Said::dns(1_000, "a.example"), Said::ntp(64_000), Said::dns(99_000, "b.example")];
    let evidence: EvidenceSet = "ntp_interval_s,domains".parse().unwrap();
    let chosen = &instances(&story, &InstanceOptions { evidence, ..options() })[0];
    let every = &instances(&story, &options())[0];
    assert_eq!(chosen.evidence(), evidence);
    assert_eq!(chosen.bags.get(BagName::PORTS), None);
    assert_eq!(bag(chosen, BagName::DOMAINS), bag(every, BagName::DOMAINS));
    assert_eq!(value(chosen, Attribute::NTP_INTERVAL_S), Some(64.0));
    assert_eq!(chosen.spread.keys().collect::<Vec<_>>(), [&Attribute::NTP_INTERVAL_S]);
    assert_eq!(chosen.counts, every.counts);
}

#[test]
fn a_capture_window_is_the_file() {
    let mut options = options();
    options.flow.window = WindowLength::Capture;
    let story = [Said::dns(5_000, "a.example"), Said::dns(2 * HOUR_MS, "a.example")];
    let parts = ["one.pcap", "two.pcap"].map(|name| part(&story, &options, name).unwrap());
    let all = assemble(parts, &options).instances;
    assert_eq!(all.len(), 2, "every file is a trace of its own");
    assert_eq!(all[0].window_start, Timestamp::from_seconds(5));
    assert!((all[0].window_s - 7_195.0).abs() < 1e-9);
    assert_eq!(all[1].capture.as_deref(), Some("two.pcap"));
}
