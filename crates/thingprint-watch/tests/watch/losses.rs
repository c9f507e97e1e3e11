//! What caps left out is told also of flows that go on to the end of a watch.

use thingprint_flow::{Frame, LinkType, MacAddr, Timestamp};
use thingprint_watch::{EventKind, Resume, WatchOptions, Watcher};

use crate::Kept;

/// A TLS record with a client's hello that offers so many suites of no meaning, each of which a policy could refuse.
fn hello(suites: u16) -> Vec<u8> {
    let codes = (0..suites).flat_map(|code| (0x7000 + code).to_be_bytes());
    let mut body = [&[3, 3][..], &[b'R'; 32], &[0], &(2 * suites).to_be_bytes()].concat();
    body.extend(codes);
    body.extend([1, 0]);
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let message = [&[1], &length[1..], &body].concat();
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    [&[22, 3, 1], &length[..], &message].concat()
}

/// A TCP segment of a camera to a server behind its gateway.
fn segment(seq: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let tcp = [
        &[0xc0, 0, 1, 187][..],
        &seq.to_be_bytes(),
        &[0; 4],
        &[0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
        payload,
    ]
    .concat();
    let length = u16::try_from(20 + tcp.len()).unwrap().to_be_bytes();
    let ethernet = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    let ip = [&[0x45, 0][..], &length, &[0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 2, 52, 0, 0, 1]].concat();
    [&ethernet[..], &ip, &tcp].concat()
}

#[test]
fn what_is_left_out_of_flows_that_end_with_the_watch_is_told() {
    let options = WatchOptions::default();
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    for (second, bytes) in [(0, segment(1, 2, &[])), (1, segment(2, 0x18, &hello(2000)))] {
        let time = Timestamp::from_seconds(1_700_000_000 + second);
        let wire_bytes = u32::try_from(bytes.len()).unwrap();
        let frame =
            Frame { time, link: LinkType::Ethernet, wire_bytes, bytes: &bytes, begins_segment: false };
        let _ = watcher.frame(0, frame);
        kept.take(watcher.step());
    }
    assert!(watcher.left_out().is_empty(), "the flow is open yet");
    let (account, _, left_out) = watcher.finish(true);
    kept.take(account);
    let camera = thingprint_flow::DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 2]));
    let counts = left_out.of(camera).unwrap();
    let findings = counts.iter().find(|(kind, _)| kind.name() == "findings").map(|(_, count)| *count);
    assert!(findings.is_some_and(|count| count >= 2000 - 512), "{counts:?}");
    let events = kept.of_kind(EventKind::LeftOut);
    assert_eq!(events.iter().map(|event| event.device).collect::<Vec<_>>(), [Some(camera)]);
}
