//! What is kept where somebody makes up devices, by the thousand, to fill the memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::io::Cursor;

use thingprint_audit::{Audit, AuditLimits, Auditor, Policy, Severity};
use thingprint_flow::{
    Capture, CaptureWriter, DeviceId, Flow, FlowOptions, Timestamp, Trace, TraceOptions, Tracker,
};
use thingprint_protocol::{Detector, Engine, Heard};

const POLICY: &str = "name = 'own'\ndate = '2026-01-01'\ndescription = 'One rule.'\n\
                      [rules.SSDP-001]\nerror = ['x:bad']\nwarning = ['x:poor']\notherwise = 'note'\nreferences = ['ours']\n";
/// Addresses that are made up.
const SPOOFED: u32 = 3000;
/// What each of them says.
const SAYS: [&str; 2] = ["x:odd", "x:poor"];

/// A notification by SSDP from the device of a number.
fn frame(device: u32, nts: &str) -> Vec<u8> {
    let payload = format!("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: x\r\nNTS: {nts}\r\n\r\n");
    let udp_length = u16::try_from(8 + payload.len()).unwrap();
    let [_, a, b, c] = device.to_be_bytes();
    let mut frame = vec![0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa, 0x02, 0x00, 0x00, a, b, c, 0x08, 0x00];
    frame.extend([0x45, 0]);
    frame.extend((20 + udp_length).to_be_bytes());
    frame.extend([0, 0, 0, 0, 2, 17, 0, 0, 10, a, b, c, 239, 255, 255, 250]);
    frame.extend([0xc0, 0x00, 0x07, 0x6c]);
    frame.extend(udp_length.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload.as_bytes());
    frame
}

/// A capture of what devices say, in this order.
fn capture_of(said: &[(u32, &str)]) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for (at, (device, nts)) in (0..).zip(said) {
        let frame = frame(*device, nts);
        writer
            .write(Timestamp::from_nanos(at * 1_000_000), &frame, u32::try_from(frame.len()).unwrap())
            .unwrap();
    }
    writer.finish().unwrap()
}

fn audit_of(bytes: &[u8], limits: AuditLimits, are_established: bool) -> Audit {
    let bytes = bytes.to_vec();
    let open = move || Ok(Box::new(Cursor::new(bytes.clone())) as _);
    let mut trace = Trace::new(vec![Capture::new("many devices", open)], TraceOptions::default());
    let engine = Engine::default();
    let mut auditor = Auditor::with_limits(Policy::from_toml("own", POLICY).unwrap(), limits);
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| {
        if are_established {
            auditor.establish(flow.device);
        }
        auditor.flow(&engine, &flow);
    });
    let mut tracker = Tracker::new(FlowOptions::default(), detector);
    while let Some(packet) = trace.next_packet() {
        tracker.push(&packet);
    }
    let devices = tracker.finish().devices;
    auditor.finish(&devices, &BTreeMap::new())
}

/// Everything that the made-up devices say and, last, a device of number 0 that does worse.
fn audit(limits: AuditLimits) -> Audit {
    let said = SAYS.iter().flat_map(|nts| (1..=SPOOFED).map(|device| (device, *nts)));
    let said: Vec<(u32, &str)> = said.chain([(0, "x:bad"), (0, "x:odd")]).collect();
    audit_of(&capture_of(&said), limits, false)
}

#[test]
fn findings_of_made_up_addresses_take_no_room_of_a_device() {
    let all = audit(AuditLimits::default());
    let said = u64::from(SPOOFED) * SAYS.len() as u64 + 2;
    assert_eq!((all.at_or_over(Severity::Note).count() as u64, all.dropped()), (said, 0));

    // What 3000 addresses say that nobody answered counts as what one device says.
    let most = 1000;
    let some = audit(AuditLimits { all: most, ..AuditLimits::default() });
    assert_eq!(some.devices.len(), all.devices.len(), "devices without findings are there, too");
    let kept = some.at_or_over(Severity::Note).count();
    assert!((most * 7 / 8..=most).contains(&kept), "{kept}");
    assert_eq!(some.dropped(), said - kept as u64);
    let has_lower_bound =
        |audit: &Audit| audit.at_or_over(Severity::Note).any(|(_, finding)| finding.is_lower_bound);
    assert!(!has_lower_bound(&all));
    assert!(!has_lower_bound(&some), "what was left out of a device is less severe than what is kept of it");
    assert_eq!(found(&some, 0), (vec!["x:bad", "x:odd"], 0), "it came last");
    assert_eq!(some, audit(AuditLimits { all: most, ..AuditLimits::default() }));
}

/// What was found of a device, and how much was left out of it.
fn found(audit: &Audit, number: u32) -> (Vec<&str>, u64) {
    let device: DeviceId = format!("02:00:00:00:00:{number:02x}").parse().unwrap();
    let device = audit.devices.iter().find(|audit| audit.device == device).unwrap();
    (device.findings.iter().map(|finding| finding.seen.as_str()).collect(), device.dropped)
}

#[test]
fn a_device_that_says_a_great_deal_gives_up_its_least_severe_findings_and_nothing_of_others() {
    // Device 1 is answered, and still it is the one that pays: 400 notes, and an error between them.
    let words: Vec<String> = (0..400).map(|number| format!("x:{number}")).collect();
    let flood = words.iter().map(|word| (1, word.as_str()));
    let home = [(2, "x:odd"), (2, "x:bad"), (3, "x:poor"), (1, "x:bad")];
    let said: Vec<(u32, &str)> = flood.clone().take(200).chain(home).chain(flood.skip(200)).collect();
    let limits = AuditLimits { all: 100, ..AuditLimits::default() };
    let audit = audit_of(&capture_of(&said), limits, true);
    assert_eq!(found(&audit, 2), (vec!["x:bad", "x:odd"], 0));
    assert_eq!(found(&audit, 3), (vec!["x:poor"], 0));
    let (kept, dropped) = found(&audit, 1);
    assert_eq!((kept[0], kept.len() as u64 + dropped), ("x:bad", 401));
    assert!((80..=97).contains(&kept.len()), "{}", kept.len());
}

#[test]
fn one_device_and_rule_have_a_limit_of_their_own_and_none_is_no_limit() {
    let few = audit(AuditLimits { per_rule: 1, ..AuditLimits::default() });
    assert!(few.devices.iter().all(|device| device.findings.len() == 1));
    assert_eq!(few.dropped(), u64::from(SPOOFED) + 1);
    assert!(few.has_at_or_over(Severity::Error));
    let least = audit(AuditLimits { per_rule: 0, all: 0 });
    assert_eq!(least.at_or_over(Severity::Note).count(), 1);
}
