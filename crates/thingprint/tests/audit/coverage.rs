//! What could not be judged is not clean.

use std::fs::File;

use thingprint_flow::{Capture, CaptureWriter, Trace, TraceOptions};

use crate::stage::Stage;

const HOUR_NS: i64 = 3_600_000_000_000;

/// Writes the frames of `home.pcap` from the second hour on: of connections that go on, the hellos are missing.
fn write_second_hour(stage: &Stage) {
    let path = stage.path("home.pcap");
    let open = move || Ok(Box::new(File::open(&path)?) as _);
    let mut trace = Trace::new(vec![Capture::new("home.pcap", open)], TraceOptions::default());
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    let mut begin = None;
    while let Some((frame, packet)) = trace.next_frame() {
        let begin = *begin.get_or_insert(packet.time);
        if packet.time.nanos_since(begin) >= HOUR_NS {
            writer.write(packet.time, frame.bytes, frame.wire_bytes).unwrap();
        }
    }
    std::fs::write(stage.path("later.pcap"), writer.finish().unwrap()).unwrap();
}

#[test]
fn flows_that_no_rule_could_judge_are_counted_with_their_reasons() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    write_second_hour(&stage);
    let whole = stage.ok("audit home.pcap --labels labels.csv --format json").json();
    assert_eq!(whole["coverage"]["tls"]["began_before"], 0);
    let said = stage.ok("audit later.pcap --labels labels.csv --format json");
    let later = said.json();
    let tls = &later["coverage"]["tls"];
    let count = |name: &str| tls[name].as_u64().unwrap();
    assert!(count("began_before") > 0 && count("judged") < count("seen"), "{tls}");
    let all = ["judged", "began_before", "one_way", "other"].map(count);
    assert_eq!(all.iter().sum::<u64>(), count("seen"));
    let of_devices = later["devices"].as_array().unwrap().iter();
    let seen = of_devices.filter_map(|device| device["coverage"]["tls"]["seen"].as_u64());
    assert_eq!(seen.sum::<u64>(), count("seen"));
    let expected = format!("{} of {} flows of tls were judged: ", count("judged"), count("seen"));
    assert!(said.stderr.contains(&expected), "{}", said.stderr);

    let said = stage.run("audit later.pcap --labels labels.csv --require-judged 1 --format table");
    assert_eq!(said.status, 3, "{}", said.stderr);
    assert!(said.stderr.contains("warning: --require-judged: "), "{}", said.stderr);
    assert!(said.stdout.contains("Flows that no rule could judge"), "{}", said.stdout);
    stage.ok("audit later.pcap --labels labels.csv --require-judged 0");
    stage.fails("audit later.pcap --require-judged 1.5", 2, &["expected a number from 0 to 1"]);

    let log = stage.ok("audit later.pcap --labels labels.csv --format sarif").json();
    assert_eq!(log["runs"][0]["properties"]["coverage"]["tls"], *tls);
    let page = stage.ok("audit later.pcap --labels labels.csv --format html").stdout;
    assert!(page.contains("Flows that were not judged"), "the page names what was not judged");
}
