//! What a device says against its verdict, and what packets say against the gateway that was named.

use std::num::NonZeroUsize;
use std::sync::Arc;

use thingprint_flow::{DeviceId, Frame, LinkType, MacAddr};
use thingprint_identity::Knowledge;
use thingprint_instance::{Kind, Label};
use thingprint_model::{Acceptance, Model, TrainOptions};
use thingprint_watch::{Event, EventKind, Resume, WatchOptions, Watcher};

use crate::{Kept, SECOND_NS, gateway, labelled, options, play};

/// The camera of the home, and its address.
const CAMERA: &str = "7c:51:0e:4a:02:9c";
const CAMERA_IP: [u8; 4] = [192, 168, 20, 21];

/// A frame by which the camera announces itself as a printer.
fn announcement() -> Vec<u8> {
    let payload = b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNTS: ssdp:alive\r\n\
        NT: urn:schemas-upnp-org:device:Printer:1\r\nUSN: uuid:1::urn:schemas-upnp-org:device:Printer:1\r\n\r\n";
    let udp_length = u16::try_from(8 + payload.len()).unwrap();
    let mut ip = vec![0x45, 0];
    ip.extend((20 + udp_length).to_be_bytes());
    ip.extend([0, 1, 0, 0, 4, 17, 0, 0]);
    ip.extend(CAMERA_IP);
    ip.extend([239, 255, 255, 250]);
    let sum: u32 = ip.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let sum = !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut frame = vec![1, 0, 0x5e, 0x7f, 0xff, 0xfa, 0x7c, 0x51, 0x0e, 0x4a, 0x02, 0x9c, 8, 0];
    frame.extend(ip);
    frame.extend([0x07, 0x6c, 0x07, 0x6c]);
    frame.extend(udp_length.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}

/// A model of the devices of the home in which the camera has this name.
fn model_that_calls_the_camera(class: &str) -> Arc<Model> {
    let camera: DeviceId = CAMERA.parse().unwrap();
    let mut rows = labelled(12);
    for row in rows.iter_mut().filter(|row| row.instance.device == camera) {
        row.label = Some(Label::new(class, Kind::Iot));
    }
    Arc::new(Model::fit(&rows, &TrainOptions::default(), NonZeroUsize::MIN).unwrap())
}

#[test]
fn what_a_device_says_against_its_verdict_is_an_event_until_it_ends() {
    let camera: DeviceId = CAMERA.parse().unwrap();
    let (options, knowledge) = (options(), Arc::new(Knowledge::builtin().unwrap()));
    let stage = options.stage();
    let judged = |resume: Resume, model: Arc<Model>| {
        let mut watcher = Watcher::new(&options, &stage, resume);
        watcher.identify_by(Arc::clone(&knowledge));
        watcher.judge_by(Some((model, Acceptance::default())));
        watcher
    };
    let announce = |watcher: &mut Watcher<'_>| {
        let bytes = announcement();
        let time = watcher.clock().unwrap().plus_nanos(1);
        let wire_bytes = u32::try_from(bytes.len()).unwrap();
        let link = LinkType::Ethernet;
        watcher.frame(0, Frame { time, begins_segment: false, link, wire_bytes, bytes: &bytes });
        time
    };
    let by_name = model_that_calls_the_camera("porch camera");
    let mut kept = Kept::default();
    let mut watcher = judged(Resume::default(), Arc::clone(&by_name));
    play(&mut watcher, 12, (0, 5400), &mut kept);
    assert_eq!(kept.standing[&camera].class.as_deref(), Some("porch camera"));
    assert_eq!(kept.of_kind(EventKind::IdentityContradicted).len(), 0, "it said nothing yet");

    let said = announce(&mut watcher);
    play(&mut watcher, 12, (5400, 7000), &mut kept);
    announce(&mut watcher);
    play(&mut watcher, 12, (7000, 3 * 3600), &mut kept);
    let contradiction = |kept: &Kept| -> Event {
        let events = kept.of_kind(EventKind::IdentityContradicted);
        assert_eq!(events.len(), 1, "{events:?}");
        events[0].clone()
    };
    let event = contradiction(&kept);
    assert_eq!((event.device, event.times, event.acknowledged_at), (Some(camera), 1, None));
    assert_eq!(event.subject, "type printer, not camera");
    assert!(event.text.ends_with(
        "behaves like porch camera and says otherwise: type printer (likely, by ssdp), not camera"
    ));
    assert_eq!(event.evidence["class"], "porch camera");
    assert_eq!(event.evidence["contradictions"][0]["said"], "printer");
    assert_eq!(event.evidence["identity"]["type"]["sources"][0], "ssdp");
    assert!(event.evidence["ended_at"].is_null());
    assert!((0..60 * SECOND_NS).contains(&event.at.nanos_since(said)), "as soon as it is said");
    assert_eq!(kept.devices[&camera].identity.as_ref().unwrap().contradictions.len(), 1);

    // A restart hears nothing of it, and reports it no second time.
    drop(watcher);
    let mut watcher = judged(kept.resume(), by_name);
    play(&mut watcher, 12, (3 * 3600 + 10, 5 * 3600), &mut kept);
    assert_eq!(contradiction(&kept), event);
    // Another model finds the camera to be the printer that it says it is.
    watcher.switch_model(model_that_calls_the_camera("office printer"), Acceptance::default());
    play(&mut watcher, 12, (5 * 3600, 10 * 3600), &mut kept);
    assert_eq!(kept.standing[&camera].class.as_deref(), Some("office printer"));
    let ended = contradiction(&kept);
    let until = kept.standing[&camera].since;
    assert_eq!((ended.id, ended.acknowledged_at), (event.id, Some(until)));
    assert!(ended.evidence["ended_at"].is_string());
    assert_eq!(kept.devices[&camera].identity.as_ref().unwrap().contradictions, []);
    // Those who were told of the contradiction are told of its end, which is an event of its own.
    let over = kept.of_kind(EventKind::IdentityAgrees);
    assert_eq!(
        over.iter().map(|event| (event.device, event.at)).collect::<Vec<_>>(),
        [(Some(camera), until)]
    );
    assert!(over[0].id > event.id && over[0].text.contains("type printer, not camera"), "{}", over[0].text);
}

/// A mistyped gateway is told first; when it is met and another address forwards, that is told as well.
#[test]
fn each_fault_of_a_named_gateway_is_an_event_of_its_own() {
    let named = MacAddr::new([2, 0, 0x5e, 0x10, 0, 0x77]);
    let mut options = WatchOptions::default();
    options.pipeline.gateways.given.insert(named);
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    play(&mut watcher, 2, (0, 1300), &mut kept);
    let told = |kept: &Kept| -> Vec<String> {
        kept.of_kind(EventKind::GatewayDoubtful).iter().map(|event| event.subject.clone()).collect()
    };
    assert_eq!(told(&kept), [format!("{named}: in no packet")]);

    let mut bytes = announcement();
    bytes[6..12].copy_from_slice(&named.octets());
    let time = watcher.clock().unwrap().plus_nanos(1);
    let wire_bytes = u32::try_from(bytes.len()).unwrap();
    let link = LinkType::Ethernet;
    watcher.frame(0, Frame { time, begins_segment: false, link, wire_bytes, bytes: &bytes });
    play(&mut watcher, 2, (1300, 3900), &mut kept);
    assert_eq!(told(&kept), [format!("{named}: in no packet"), format!("{named}: others forward")]);
    let events = kept.of_kind(EventKind::GatewayDoubtful);
    assert!(events[1].text.contains("the wrong way round"), "{}", events[1].text);
    assert_eq!(events[1].evidence["forwarding"][0], gateway().to_string());
    assert!(events.iter().all(|event| event.times == 1), "each is told once");
}

/// A router advertisement with a lifetime, as somebody forges it of a quiet device.
fn advertisement_of(device: MacAddr) -> Vec<u8> {
    let mut frame = vec![0x33, 0x33, 0, 0, 0, 1];
    frame.extend(device.octets());
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 16, 58, 255]);
    frame.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    frame.extend([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    frame.extend([134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    frame
}

#[test]
fn one_forged_advertisement_does_not_remove_a_device_for_ever() {
    let sensor: MacAddr = "30:c4:6a:22:01:5d".parse().unwrap();
    let options = WatchOptions::default();
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    play(&mut watcher, 12, (0, 1300), &mut kept);
    let bytes = advertisement_of(sensor);
    let time = watcher.clock().unwrap().plus_nanos(1);
    let wire_bytes = u32::try_from(bytes.len()).unwrap();
    let link = LinkType::Ethernet;
    watcher.frame(0, Frame { time, begins_segment: false, link, wire_bytes, bytes: &bytes });
    play(&mut watcher, 12, (1300, 12 * 3600), &mut kept);
    let told =
        |kind| -> Vec<Option<DeviceId>> { kept.of_kind(kind).iter().map(|event| event.device).collect() };
    assert!(told(EventKind::BecameGateway).contains(&Some(DeviceId::Mac(sensor))));
    assert!(told(EventKind::GatewayDoubtful).contains(&Some(DeviceId::Mac(sensor))));
    let windows = kept.windows.iter().filter(|window| window.device == DeviceId::Mac(sensor)).count();
    assert!((6..12).contains(&windows), "{windows}");
    assert!(watcher.gateways().contains(gateway()) && !watcher.gateways().contains(sensor));
}
