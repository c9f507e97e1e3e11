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
