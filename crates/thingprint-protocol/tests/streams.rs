//! Messages in TCP streams, whichever way their segments come.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod wire;

use proptest::prelude::*;
use thingprint_protocol::{Budget, Limits, Losses, Message, Protocol, Sender};
use wire::{Flow, SYN, SYN_ACK, Segment, client_hello, data, record, records, syn};

const START: u32 = 0xffff_ff00;

fn lossless() -> Losses {
    Losses::default()
}

fn suites(message: &Message) -> String {
    match message {
        Message::ClientHello(hello) => hello.cipher_suites_word(),
        other => panic!("expected a ClientHello, found {other:?}"),
    }
}

#[test]
fn a_hello_in_one_segment_is_read_in_place() {
    let mut flow = Flow::new(Limits { buffered_bytes: 0, ..Limits::default() });
    flow.tcp(Sender::Device, syn(START));
    flow.tcp(Sender::Peer, Segment { flags: SYN_ACK, ..syn(7) });
    flow.tcp(Sender::Device, data(START, &records(&client_hello(&[0x1301, 0xc02b], 400), 16384)));
    flow.tcp(
        Sender::Peer,
        data(7, &[record(22, &wire::server_hello(0x1301)), record(23, &[0; 900])].concat()),
    );
    assert_eq!(flow.found.len(), 2);
    assert_eq!((flow.found[0].0, suites(&flow.found[0].1)), (Sender::Device, "1301-c02b".to_owned()));
    assert!(matches!(flow.found[1], (Sender::Peer, Message::ServerHello(_))));
    assert_eq!(flow.state.protocol(), Some(Protocol::Tls));
    assert_eq!((flow.budget.used_bytes(), flow.budget.losses()), (0, lossless()));
}

#[test]
fn a_hello_over_many_segments_is_put_together_and_freed() {
    let mut flow = Flow::new(Limits::default());
    flow.tcp(Sender::Device, syn(START));
    let stream = records(&client_hello(&[0xc02f], 2000), 500);
    let mut seq = START;
    let mut most_used = 0;
    for part in stream.chunks(100) {
        flow.tcp(Sender::Device, data(seq, part));
        seq = seq.wrapping_add(100);
        most_used = most_used.max(flow.budget.used_bytes());
    }
    assert_eq!(flow.messages().iter().map(suites).collect::<Vec<_>>(), ["c02f"]);
    assert!(most_used > 1900);
    assert_eq!((flow.budget.used_bytes(), flow.budget.losses()), (0, lossless()));
}

#[test]
fn a_stream_joined_late_starts_with_its_first_payload() {
    let mut flow = Flow::new(Limits::default());
    let hello = records(&client_hello(&[0xc02f], 0), 16384);
    let (first, second) = hello.split_at(30);
    flow.tcp(Sender::Device, data(500, &[]));
    flow.tcp(Sender::Device, data(500, first));
    flow.tcp(Sender::Device, data(530, second));
    assert_eq!(flow.found.len(), 1);
}

#[test]
fn a_second_hello_counts_and_a_resent_one_does_not() {
    let mut flow = Flow::new(Limits::default());
    let first = records(&client_hello(&[0x1301], 0), 16384);
    let change = record(20, &[1]);
    let second = records(&client_hello(&[0x1301], 40), 16384);
    let behind = START.wrapping_add(u32::try_from(first.len()).unwrap());
    let again = [change, second].concat();
    flow.tcp(Sender::Device, syn(START));
    flow.tcp(Sender::Device, data(START, &first));
    flow.tcp(Sender::Device, data(START, &first));
    assert_eq!(flow.found.len(), 1);
    flow.tcp(Sender::Peer, data(9, &records(&wire::retry_request(), 16384)));
    flow.tcp(Sender::Device, data(behind, &again));
    flow.tcp(Sender::Device, data(behind, &again));
    flow.tcp(Sender::Peer, data(9 + 49, &records(&wire::server_hello(0x1301), 16384)));
    let kinds: Vec<_> = flow.found.iter().map(|(sender, message)| (*sender, message.protocol())).collect();
    let (device, peer) = ((Sender::Device, Protocol::Tls), (Sender::Peer, Protocol::Tls));
    assert_eq!(kinds, [device, peer, device, peer]);
    assert!(matches!(&flow.found[1].1, Message::ServerHello(hello) if hello.is_retry_request));
    assert!(matches!(&flow.found[3].1, Message::ServerHello(hello) if !hello.is_retry_request));
}

#[test]
fn a_new_connection_on_the_same_ports_is_read_from_its_start() {
    let mut flow = Flow::new(Limits::default());
    let hello = records(&client_hello(&[0x1301], 0), 16384);
    let mut connect = |start: u32| {
        flow.tcp(Sender::Device, syn(start));
        flow.tcp(Sender::Device, data(start, &hello));
        flow.tcp(Sender::Device, syn(start));
        flow.tcp(Sender::Device, data(start, &hello));
        flow.found.len()
    };
    assert_eq!(connect(START), 1);
    assert_eq!(connect(0x5000_0000), 2);
}

#[test]
fn both_directions_of_a_new_connection_are_read_anew() {
    let mut flow = Flow::new(Limits::default());
    let hello = records(&client_hello(&[0x1301], 0), 16384);
    let reply = records(&wire::server_hello(0x1301), 16384);
    for (start, is_syn_captured) in [(1000, true), (0x2000_0000, true), (0x4000_0000, false)] {
        if is_syn_captured {
            flow.tcp(Sender::Device, syn(start));
            flow.tcp(Sender::Device, data(start, &hello));
        }
        flow.tcp(Sender::Peer, Segment { flags: SYN_ACK, ..syn(start + 9) });
        flow.tcp(Sender::Peer, data(start + 9, &reply));
    }
    let senders: Vec<_> = flow.found.iter().map(|(sender, _)| *sender).collect();
    let (device, peer) = (Sender::Device, Sender::Peer);
    assert_eq!(senders, [device, peer, device, peer, peer]);
}

#[test]
fn data_in_a_syn_counts() {
    let mut flow = Flow::new(Limits::default());
    let hello = records(&client_hello(&[0x1301], 0), 16384);
    flow.tcp(Sender::Device, Segment { seq: 99, flags: SYN, payload: &hello });
    assert_eq!(flow.found.len(), 1);
}

#[test]
fn dns_messages_are_read_all_through_a_stream() {
    let mut flow = Flow::new(Limits { stream_bytes: 300, ..Limits::default() });
    let too_long = wire::framed(&[0; 400]);
    let queries: Vec<_> = (0..50).map(|id| wire::framed(&wire::dns_query(id, "lamp"))).collect();
    let mut stream = queries[0].clone();
    for query in &queries[1..] {
        stream.extend_from_slice(&too_long);
        stream.extend_from_slice(query);
    }
    flow.tcp(Sender::Device, syn(START));
    let mut seq = START;
    for part in stream.chunks(333) {
        flow.tcp(Sender::Device, data(seq, part));
        seq = seq.wrapping_add(333);
    }
    let ids: Vec<_> = flow
        .messages()
        .iter()
        .map(|message| match message {
            Message::Dns(query) => query.id,
            other => panic!("expected a query, found {other:?}"),
        })
        .collect();
    assert_eq!(ids, (0..50).collect::<Vec<_>>());
    assert_eq!((flow.budget.used_bytes(), flow.budget.losses()), (0, lossless()));
}

#[test]
fn bytes_that_came_first_stay() {
    let mut flow = Flow::new(Limits::default());
    let query = wire::framed(&wire::dns_query(1, "first"));
    let other = wire::framed(&wire::dns_query(1, "other"));
    flow.tcp(Sender::Device, syn(START));
    flow.tcp(Sender::Device, data(START.wrapping_add(10), &query[10..]));
    flow.tcp(Sender::Device, data(START.wrapping_add(5), &other[5..]));
    flow.tcp(Sender::Device, data(START, &other));
    assert!(
        matches!(&flow.messages()[..], [Message::Dns(query)] if query.questions[0].name == "first.example.com")
    );
}

#[test]
fn a_full_budget_drops_the_stream_and_says_so() {
    let mut flow = Flow::new(Limits { buffered_bytes: 50, ..Limits::default() });
    let hello = records(&client_hello(&[0x1301], 500), 16384);
    flow.tcp(Sender::Device, syn(START));
    flow.tcp(Sender::Device, data(START, &hello[..40]));
    assert_eq!(flow.budget.used_bytes(), 40);
    flow.tcp(Sender::Device, data(START.wrapping_add(40), &hello[40..80]));
    flow.tcp(Sender::Device, data(START.wrapping_add(80), &hello[80..]));
    assert_eq!(flow.found, []);
    let losses = Losses { buffers_dropped: 1, ..Losses::default() };
    assert_eq!((flow.budget.used_bytes(), flow.budget.losses()), (0, losses));
}

/// Sends these segments behind a SYN.
fn losses_of(limits: Limits, segments: &[(u32, &[u8])]) -> Losses {
    let mut flow = Flow::new(limits);
    flow.tcp(Sender::Device, syn(START));
    for (offset, payload) in segments {
        flow.tcp(Sender::Device, data(START.wrapping_add(*offset), payload));
    }
    assert_eq!(flow.found, []);
    flow.budget.losses()
}

#[test]
fn a_gap_that_never_closes_is_skipped() {
    let limits = Limits { pending_segments: 3, ..Limits::default() };
    let islands = [(2, &[0x7f][..]), (4, &[0x7f]), (6, &[0x7f]), (8, &[0x7f])];
    assert_eq!(losses_of(limits, &islands[..3]), lossless());
    let losses = losses_of(limits, &islands);
    assert_eq!((losses.gaps, losses.gap_bytes), (1, 2));
    // What touches is one piece.
    assert_eq!(losses_of(limits, &[(2, &[1]), (3, &[1]), (4, &[1]), (5, &[1]), (6, &[1])]), lossless());
    let far = [(16384, &[1][..]), (20000, &[1]), (30000, &[1]), (40000, &[1])];
    assert_eq!(losses_of(limits, &far[..3]), lossless());
    assert!(losses_of(limits, &far).skipped_bytes > 0);
}

#[test]
fn a_hello_longer_than_the_limit_ends_the_stream() {
    let limits = Limits { stream_bytes: 500, ..Limits::default() };
    let hello = records(&client_hello(&[0x1301], 600), 16384);
    let given_up = Losses { streams_given_up: 1, ..Losses::default() };
    assert_eq!(losses_of(limits, &[(0, &hello[..499])]), lossless());
    assert_eq!(losses_of(limits, &[(0, &hello[..499]), (499, &hello[499..])]), given_up);
    assert_eq!(losses_of(limits, &[(0, &hello)]), given_up);
}

#[test]
fn a_segment_cut_in_the_capture_is_a_gap() {
    let mut flow = Flow::new(Limits::default());
    let hello = records(&client_hello(&[0x1301], 600), 16384);
    let transport = |seq| {
        thingprint_flow::Transport::Tcp(thingprint_flow::TcpSegment {
            seq,
            ack: 0,
            flags: thingprint_flow::TcpFlags(wire::ACK),
        })
    };
    let mut packet = wire::packet(transport(START), &hello[..80]);
    packet.payload_bytes = 400;
    flow.send(Sender::Device, &packet);
    let losses = flow.budget.losses();
    assert_eq!((losses.gaps, losses.gap_bytes, losses.streams_given_up), (1, 320, 0));
    assert_eq!(flow.budget.used_bytes(), 0);
}

#[test]
fn closing_a_flow_gives_back_what_it_holds() {
    let mut flow = Flow::new(Limits::default());
    let hello = records(&client_hello(&[0x1301], 600), 16384);
    flow.tcp(Sender::Device, data(START, &hello[..80]));
    flow.tcp(Sender::Peer, data(7, &hello[..90]));
    flow.tcp(Sender::Peer, data(200, &hello[..90]));
    assert!(flow.budget.used_bytes() >= 260);
    flow.state.close(&mut flow.budget);
    let losses = Losses { streams_given_up: 1, ..Losses::default() };
    assert_eq!((flow.budget.used_bytes(), flow.budget.losses()), (0, losses), "one has a gap");
}

/// A response in chunks with a second one behind, in segments of 500 bytes.
fn chunked() -> Vec<Vec<u8>> {
    let chunk = [b"1f4\r\n".as_slice(), &[b'x'; 500], b"\r\n"].concat();
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice();
    let next = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".as_slice();
    let stream = [head, &chunk.repeat(40), b"0\r\n\r\n", next].concat();
    stream.chunks(500).map(<[u8]>::to_vec).collect()
}

#[test]
fn a_stream_that_stalls_is_counted_when_it_ends() {
    let parts = chunked();
    let send = |order: &[usize]| {
        let mut flow = Flow::new(Limits::default());
        flow.tcp(Sender::Peer, syn(START));
        for &place in order {
            let seq = START.wrapping_add(u32::try_from(500 * place).unwrap());
            flow.tcp(Sender::Peer, data(seq, &parts[place]));
        }
        flow.state.close(&mut flow.budget);
        assert_eq!(flow.budget.used_bytes(), 0);
        (flow.found.len(), flow.budget.losses().streams_given_up)
    };
    let in_order: Vec<usize> = (0..parts.len()).collect();
    assert_eq!(send(&in_order), (2, 0));
    let mut late = in_order.clone();
    late.remove(3);
    late.push(3);
    assert_eq!(send(&late), (1, 1), "what was beyond the window is lost");
    assert_eq!(send(&[&late[..], &in_order[30..]].concat()), (2, 0), "but may be sent again");
    assert_eq!(send(&late[..late.len() - 1]), (1, 1), "a gap that never closes");
}

#[test]
fn stray_segments_do_not_end_a_stream_that_goes_on() {
    let parts = chunked();
    let mut flow = Flow::new(Limits::default());
    flow.tcp(Sender::Peer, syn(START));
    for (place, part) in parts.iter().enumerate() {
        for sender in [Sender::Peer, Sender::Device, Sender::Peer] {
            flow.tcp(sender, data(START.wrapping_add(0x1000_0000), b"?"));
        }
        let seq = START.wrapping_add(u32::try_from(500 * place).unwrap());
        flow.tcp(Sender::Peer, data(seq, part));
    }
    flow.state.close(&mut flow.budget);
    assert_eq!((flow.found.len(), flow.budget.losses()), (2, lossless()));
}

#[test]
fn a_second_connection_leaves_the_protocol_told() {
    let mut flow = Flow::new(Limits::default());
    flow.tcp(Sender::Device, syn(START));
    flow.tcp(Sender::Device, data(START, &records(&client_hello(&[0x1301], 0), 16384)));
    flow.tcp(Sender::Device, syn(0x5000_0000));
    assert_eq!(flow.state.protocol(), Some(Protocol::Tls));
    assert!(flow.state.model().is_some());
    flow.tcp(Sender::Device, data(0x5000_0000, b"GET / HTTP/1.1\r\n\r\n"));
    assert_eq!((flow.found.len(), flow.state.protocol()), (2, Some(Protocol::Http)), "it is told anew");
}

#[test]
fn the_state_of_a_flow_is_small() {
    assert!(size_of::<thingprint_protocol::Inspection>() <= 32);
    assert_eq!(Budget::new(9).used_bytes(), 0);
}

/// A segment of a stream: where it begins, and how long it is.
type Cut = (usize, usize);

/// What a client or a server may send.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let hello = (1_usize..200, 0_usize..3000, 1_usize..4000).prop_map(|(count, padding, most)| {
        let suites: Vec<u16> = (0..count).map(|suite| u16::try_from(suite).unwrap()).collect();
        records(&client_hello(&suites, padding), most)
    });
    let reply = prop_oneof![Just(wire::server_hello(0xc02f)), Just(wire::retry_request())];
    let server = (reply, 1_usize..100).prop_map(|(reply, most)| records(&reply, most));
    let dns = (0_u16..9, "[a-z]{1,20}").prop_map(|(id, label)| wire::framed(&wire::dns_query(id, &label)));
    let bulk = prop::collection::vec(any::<u8>(), 0..2000).prop_map(|bytes| record(23, &bytes));
    let any_bytes = prop::collection::vec(any::<u8>(), 0..60);
    let part = prop_oneof![4 => hello, 2 => server, 4 => dns, 1 => Just(record(20, &[1])), 1 => bulk, 1 => any_bytes];
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.concat())
}

/// Segments that cover a stream of `length` bytes, some of it more than once, in any order.
fn cuts(length: usize) -> impl Strategy<Value = Vec<Cut>> {
    let places = prop::collection::vec(0..=length, 0..24);
    let extras = prop::collection::vec((0..=length, 0..2000_usize), 0..8);
    (places, extras).prop_flat_map(move |(mut places, extras)| {
        places.extend([0, length]);
        places.sort_unstable();
        let mut cuts: Vec<Cut> = places.windows(2).map(|pair| (pair[0], pair[1] - pair[0])).collect();
        cuts.extend(extras.into_iter().map(|(at, count)| (at, count.min(length - at))));
        Just(cuts).prop_shuffle()
    })
}

fn sent_whole(stream: &[u8]) -> Vec<Message> {
    let mut flow = Flow::new(Limits::default());
    flow.tcp(Sender::Device, syn(START));
    flow.tcp(Sender::Device, data(START, stream));
    flow.messages()
}

#[test]
fn a_connection_that_was_there_before_is_told_however_it_is_cut() {
    for (kind, length) in [(20, 1), (21, 26), (22, 40), (23, 40)] {
        let record = [&[kind, 3, 3, 0, length][..], &vec![1; usize::from(length)]].concat();
        // What begins like a hello is none that can be read.
        let record = if kind == 22 { [&record[..5], &[20; 40]].concat() } else { record };
        let stream = [record, vec![0; 20]].concat();
        for cut in 0..=stream.len() {
            let mut flow = Flow::new(Limits::default());
            flow.tcp(Sender::Device, syn(START));
            flow.tcp(Sender::Device, data(START, &stream[..cut]));
            flow.tcp(Sender::Device, data(START + u32::try_from(cut).unwrap(), &stream[cut..]));
            assert_eq!(flow.engine.service(&flow.state), Some("tls"), "record {kind} cut at {cut}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_cutting_and_order_gives_the_same_messages(
        (stream, cuts) in stream().prop_flat_map(|stream| {
            let length = stream.len();
            (Just(stream), cuts(length))
        }),
        start in any::<u32>(),
    ) {
        let mut flow = Flow::new(Limits::default());
        flow.tcp(Sender::Device, syn(start));
        for (at, count) in cuts {
            let seq = start.wrapping_add(u32::try_from(at).unwrap());
            flow.tcp(Sender::Device, data(seq, &stream[at..at + count]));
            flow.tcp(Sender::Device, syn(start));
        }
        prop_assert_eq!(flow.messages(), sent_whole(&stream));
        flow.state.close(&mut flow.budget);
        prop_assert_eq!(flow.budget.used_bytes(), 0);
    }

    #[test]
    fn where_segments_differ_the_first_counts(
        (stream, cuts, fakes) in stream().prop_flat_map(|stream| {
            let length = stream.len();
            (Just(stream), cuts(length), prop::collection::vec(prop::option::of(any::<u8>()), 8))
        }),
    ) {
        let mut flow = Flow::new(Limits::default());
        flow.tcp(Sender::Device, syn(START));
        let mut agreed: Vec<Option<u8>> = vec![None; stream.len()];
        for (index, (at, count)) in cuts.into_iter().enumerate() {
            let mut payload = stream[at..at + count].to_vec();
            if let Some(fake) = fakes.get(index).copied().flatten() {
                payload.iter_mut().step_by(9).for_each(|byte| *byte ^= fake);
            }
            for (place, byte) in agreed[at..].iter_mut().zip(&payload) {
                place.get_or_insert(*byte);
            }
            let seq = START.wrapping_add(u32::try_from(at).unwrap());
            flow.tcp(Sender::Device, data(seq, &payload));
        }
        let agreed: Vec<u8> = agreed.into_iter().flatten().collect();
        prop_assert_eq!(flow.messages(), sent_whole(&agreed));
    }

    #[test]
    fn any_segments_are_survived_and_accounted_for(
        segments in prop::collection::vec(
            (any::<bool>(), 0_u32..40000, any::<u8>(), prop::collection::vec(any::<u8>(), 0..100)),
            0..100,
        ),
        prefix in stream(),
        limits in (0_u16..3000, 0_u8..9, 0_usize..5000),
    ) {
        let (stream_bytes, pending_segments, buffered_bytes) = limits;
        let mut flow = Flow::new(Limits { stream_bytes, pending_segments, buffered_bytes, ..Limits::default() });
        for (index, (is_device, seq, flags, payload)) in segments.iter().enumerate() {
            let sender = if *is_device { Sender::Device } else { Sender::Peer };
            let payload = if index == 7 { &prefix[..] } else { payload };
            flow.tcp(sender, Segment { seq: *seq, flags: *flags & 0x12, payload });
            // An eighth more may be taken until flows are asked to let go, which only a tracker does.
            prop_assert!(flow.budget.used_bytes() <= buffered_bytes + buffered_bytes / 8);
        }
        flow.state.close(&mut flow.budget);
        prop_assert_eq!(flow.budget.used_bytes(), 0);
    }
}

#[test]
fn a_hello_with_a_broken_body_is_tls_and_says_so() {
    let mut hello = client_hello(&[0x1301, 0xc02b], 0);
    hello[4 + 2 + 32 + 1 + 1] = 3; // the length of the suites is odd
    let mut flow = Flow::new(Limits::default());
    flow.tcp(Sender::Device, syn(START));
    flow.tcp(Sender::Device, data(START, &records(&hello, 16384)));
    let [Message::ClientHello(found)] = &flow.messages()[..] else { panic!("{:?}", flow.found) };
    assert!(found.is_malformed && found.cipher_suites.is_empty());
    assert_eq!(serde_json::to_value(&flow.found[0].1).unwrap()["malformed"], true);
    assert_eq!(flow.engine.service(&flow.state), Some("tls"));
}

#[test]
fn a_hello_of_which_the_beginning_was_captured_is_tls() {
    let hello = records(&client_hello(&[0x1301], 600), 16384);
    let mut flow = Flow::new(Limits::default());
    flow.tcp(Sender::Device, syn(START));
    flow.tcp(Sender::Device, data(START, &hello[..100]));
    assert_eq!(flow.engine.service(&flow.state), Some("tls"));
    assert_eq!(flow.found, []);
}
