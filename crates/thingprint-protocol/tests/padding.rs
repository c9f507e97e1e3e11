//! Link padding that the IP length counts by mistake, in front of the data of a stream.

mod wire;

use thingprint_protocol::{Limits, Message, Sender};
use wire::{ACK, Flow, PUSH_ACK, SYN_ACK, Segment, client_hello, records, syn};

const START: u32 = 0xffff_ff00;

/// The messages of a stream that begins with this payload, sent again with the first data.
fn check(flags: u8, payload: &[u8], expected: usize) {
    let mut flow = Flow::new(Limits::default());
    flow.tcp(Sender::Device, syn(START));
    flow.tcp(Sender::Peer, Segment { flags: SYN_ACK, ..syn(7) });
    flow.tcp(Sender::Device, Segment { seq: START, flags, payload });
    let hello = records(&client_hello(&[0x1301, 0xc02b], 400), 16384);
    flow.tcp(Sender::Device, Segment { seq: START, flags: PUSH_ACK, payload: &hello });
    let hellos = flow.messages().into_iter().filter(|message| matches!(message, Message::ClientHello(_)));
    assert_eq!(hellos.count(), expected, "{payload:?}");
}

#[test]
fn up_to_six_zeros_without_push_never_enter_a_stream() {
    check(ACK, &[0; 6], 1);
    check(ACK, &[0], 1);
    check(ACK, &[], 1);
}

#[test]
fn other_payloads_are_data() {
    check(ACK, &[0; 7], 0);
    check(PUSH_ACK, &[0; 6], 0);
    check(ACK, &[0, 0, 1], 0);
}

#[test]
fn padding_of_a_syn_is_no_data_either() {
    let mut flow = Flow::new(Limits::default());
    flow.tcp(Sender::Device, Segment { payload: &[0; 6], ..syn(START) });
    let hello = records(&client_hello(&[0x1301], 0), 16384);
    flow.tcp(Sender::Device, Segment { seq: START, flags: ACK, payload: &hello });
    assert_eq!(flow.found.len(), 1);
}

/// A sender may cut its stream so small that a segment is nothing but zeros.
#[test]
fn zeros_are_data_where_the_stream_goes_on_behind_them() {
    let hello = records(&client_hello(&[0x1301, 0xc02b], 40), 16384);
    let most = u32::try_from(hello.len()).unwrap();
    for cut in [1, 2, 5] {
        let mut flow = Flow::new(Limits::default());
        flow.tcp(Sender::Device, syn(START));
        for (at, part) in (0..most).step_by(cut).zip(hello.chunks(cut)) {
            let seq = START.wrapping_add(at);
            flow.tcp(Sender::Device, Segment { seq, flags: ACK, payload: part });
            // A bare acknowledgement in between, with padding.
            let behind = seq.wrapping_add(u32::try_from(part.len()).unwrap());
            if part.iter().any(|byte| *byte != 0) {
                flow.tcp(Sender::Device, Segment { seq: behind, flags: ACK, payload: &[] });
            }
        }
        // The last zeros of the stream are data once something follows.
        let end = START.wrapping_add(most);
        flow.tcp(Sender::Device, Segment { seq: end, flags: PUSH_ACK, payload: b"\x17\x03\x03\0\x01x" });
        assert_eq!(flow.found.len(), 1, "cut into segments of {cut}");
        assert!(!flow.state.is_partly_read());
    }
}

#[test]
fn zeros_are_data_where_what_follows_came_first() {
    let hello = records(&client_hello(&[0x1301, 0xc02b], 3), 16384);
    let (head, zeros) = hello.split_at(hello.len() - 3);
    assert_eq!(zeros, [0; 3]);
    let mut flow = Flow::new(Limits::default());
    let at = |bytes: usize| START.wrapping_add(u32::try_from(bytes).unwrap());
    flow.tcp(Sender::Device, syn(START));
    flow.tcp(Sender::Device, Segment { seq: START, flags: ACK, payload: head });
    flow.tcp(Sender::Device, Segment { seq: at(hello.len()), flags: PUSH_ACK, payload: b"\x17\x03\x03" });
    flow.tcp(Sender::Device, Segment { seq: at(head.len()), flags: ACK, payload: zeros });
    assert_eq!(flow.found.len(), 1);
}
