//! The flows of five devices, where their captures are at hand: protocols and ports equal those that the protocol
//! paper counts in its Tables I and II.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thingprint_flow::{
    Capture, DeviceId, DeviceIndex, Flow, FlowOptions, Trace, TraceOptions, Tracker, WindowLength,
};
use thingprint_protocol::schema::Model;
use thingprint_protocol::{Detector, Engine, Heard, Limits, ModelSet, dialect};

/// Flows by device, protocol and port class.
type Counts = BTreeMap<(String, String, String), u64>;

fn data(folder: &str) -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    let found = data.is_dir().then_some(data);
    if found.is_none() {
        skip(folder);
    }
    found
}

/// Says that a test is skipped, past the harness, which hides what a passing test prints.
fn skip(missing: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "skipped {test}: no {missing} beside the checkout");
}

fn count(set: &Arc<ModelSet>, capture: &Path, mac: &str) -> BTreeMap<(String, String), u64> {
    let path = capture.to_owned();
    let open = move || Ok(Box::new(File::open(&path)?) as thingprint_flow::ByteStream);
    let mut trace = Trace::new(vec![Capture::new("a capture", open)], TraceOptions::default());
    let options = FlowOptions { window: WindowLength::Capture, ..FlowOptions::default() };
    let engine = Engine::with_models(Arc::clone(set), Limits::default());
    let mut flows: BTreeMap<(DeviceIndex, String, &'static str), u64> = BTreeMap::new();
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| {
        let model = flow.state.model.and_then(|model| engine.models().model(model));
        let service = model.map_or("none", Model::name);
        let class = if flow.state.standard_port == Some(true) { "standard" } else { "other" };
        *flows.entry((flow.device, service.to_owned(), class)).or_default() += 1;
    });
    let mut tracker = Tracker::new(options, detector);
    while let Some(packet) = trace.next_packet() {
        tracker.push(&packet);
    }
    assert_eq!(trace.problems().len(), 0);
    let finished = tracker.finish();
    let wanted: DeviceId = mac.parse().unwrap();
    let is_wanted = |index: DeviceIndex| finished.devices.get(index.as_usize()) == Some(&wanted);
    let flows = flows.into_iter().filter(|((device, ..), _)| is_wanted(*device));
    flows.map(|((_, service, class), flows)| ((service, class.to_owned()), flows)).collect()
}

fn expected(folder: &Path) -> (Counts, BTreeMap<String, String>) {
    let text = fs::read_to_string(folder.join("expected.csv")).unwrap();
    let mut counts = Counts::new();
    let mut macs = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let [device, mac, service, class, flows] = fields[..] else { panic!("a row of five: {line}") };
        counts.insert((device.to_owned(), service.to_owned(), class.to_owned()), flows.parse().unwrap());
        macs.insert(device.to_owned(), mac.to_owned());
    }
    (counts, macs)
}

fn counted(set: &Arc<ModelSet>, folder: &Path, macs: &BTreeMap<String, String>) -> Counts {
    let mut counts = Counts::new();
    for (device, mac) in macs {
        for ((service, class), flows) in count(set, &folder.join(format!("{device}.pcap.gz")), mac) {
            counts.insert((device.clone(), service, class), flows);
        }
    }
    counts
}

#[test]
fn flows_of_devices_equal_those_of_the_paper() {
    let Some(folder) = data("protoiot") else { return };
    let (expected, macs) = expected(&folder);
    assert_eq!(counted(&ModelSet::built_in(), &folder, &macs), expected);
}

#[test]
fn the_published_models_give_the_same_verdicts() {
    let (Some(folder), Some(published)) = (data("protoiot"), data("reference/protoiot-models")) else {
        return;
    };
    let models = ["tls", "http", "dhcp", "ssdp", "dns", "ntp"].map(|name| {
        let text = fs::read_to_string(published.join(format!("{name}.json"))).unwrap();
        dialect::from_json(&text).unwrap()
    });
    let set = Arc::new(ModelSet::compile(models).unwrap());
    let (expected, macs) = expected(&folder);
    assert_eq!(counted(&set, &folder, &macs), expected);
}
