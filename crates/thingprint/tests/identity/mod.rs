//! Who devices are by what they say, through the command.

mod labels;
mod truth;

use std::fs;

use thingprint_flow::{CaptureWriter, Timestamp};

use crate::stage::Stage;

pub(crate) use labels::knowledge;

const LAMP: [u8; 6] = [2, 0, 0, 0, 0, 7];
const SILENT: [u8; 6] = [2, 0, 0, 0, 0, 9];

/// An Ethernet frame to all with a UDP datagram of the lamp.
fn udp(ports: (u16, u16), to: [u8; 4], payload: &[u8]) -> Vec<u8> {
    frame_of(LAMP, ports, to, payload)
}

/// The same of another host.
fn frame_of(mac: [u8; 6], ports: (u16, u16), to: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u16::try_from(bytes).unwrap().to_be_bytes();
    let mut bytes = [&[0xff; 6][..], &mac, &[8, 0, 0x45, 0]].concat();
    bytes.extend(length(28 + payload.len()));
    bytes.extend([0, 0, 0, 0, 255, 17, 0, 0, 192, 168, 1, mac[5]]);
    bytes.extend(to);
    bytes.extend([ports.0.to_be_bytes(), ports.1.to_be_bytes(), length(8 + payload.len()), [0, 0]].concat());
    bytes.extend(payload);
    bytes
}

/// Writes a capture of these frames, a second apart.
fn write(stage: &Stage, name: &str, frames: &[Vec<u8>]) {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for (at, bytes) in (0..).zip(frames) {
        writer.write(Timestamp::from_seconds(at), bytes, u32::try_from(bytes.len()).unwrap()).unwrap();
    }
    fs::write(stage.path(name), writer.finish().unwrap()).unwrap();
}

/// The lamp says its model by multicast DNS, and its name to a DHCP server; another host asks by ARP alone.
pub(crate) fn home(stage: &Stage) {
    let text = b"\x09md=Lamp 3\x04ci=5";
    let mut mdns = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    mdns.extend(b"\x04lamp\x04_hap\x04_tcp\x05local\0\0\x10\0\x01\0\0\0\x78");
    mdns.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    mdns.extend(text);
    let mut dhcp = vec![0; 236];
    dhcp[..3].copy_from_slice(&[1, 1, 6]);
    dhcp[28..34].copy_from_slice(&LAMP);
    dhcp.extend(b"\x63\x82\x53\x63\x35\x01\x03\x0c\x07kitchen\xff");
    let mut arp = [&[0xff; 6][..], &SILENT, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1]].concat();
    arp.extend([&SILENT[..], &[192, 168, 1, 9], &[0; 6], &[192, 168, 1, 1]].concat());
    let frames = [udp((5353, 5353), [224, 0, 0, 251], &mdns), udp((68, 67), [255; 4], &dhcp), arp];
    write(stage, "home.pcap", &frames);
}

#[test]
fn a_device_is_who_it_says_with_the_reasons() {
    let stage = Stage::new();
    home(&stage);
    let run = stage.ok("identify home.pcap --format jsonl");
    assert!(run.stderr.contains("2 devices, 1 of them with a vendor, model or type"), "{}", run.stderr);
    let rows = run.json_lines();
    let lamp = &rows[0];
    assert_eq!((&lamp["device"], &lamp["model"]), (&"02:00:00:00:00:07".into(), &"Lamp 3".into()));
    assert_eq!((&lamp["type"], &lamp["name"]), (&"light".into(), &"kitchen".into()));
    assert!(lamp["vendor"].is_null() && lamp["os"].is_null());
    assert_eq!(lamp["reasons"][0], "model: declared, by dns_sd");
    assert!(rows[1]["type"].is_null(), "the silent one");
    assert_eq!((&lamp["class"], &lamp["certainty"]), (&"device".into(), &"declared".into()));
    assert!(lamp["label"].is_null() && rows[1]["certainty"].is_null());
    std::fs::write(stage.path("labels.csv"), "mac,label,kind\n02:00:00:00:00:07,kitchen lamp,iot\n").unwrap();
    let labelled = stage.ok("identify home.pcap --labels labels.csv --format jsonl").json_lines();
    assert_eq!(labelled[0]["label"], "kitchen lamp");

    let detail = stage.ok("identify home.pcap --device 02:00:00:00:00:07 --format jsonl").json_lines();
    assert_eq!(detail.len(), 3, "{detail:?}");
    assert_eq!(detail[0]["said"], "_hap._tcp md=Lamp 3");
    assert_eq!(detail[0]["certainty"], "declared");
    let said = stage.ok("identify home.pcap --statements --format csv").stdout;
    assert!(said.contains("02:00:00:00:00:07,dhcp,host_name,kitchen,1"), "{said}");
    let table = stage.ok("identify home.pcap --format table").stdout;
    assert!(table.contains("Lamp 3") && !table.contains("reasons"), "{table}");

    let unseen = stage.run("identify home.pcap --device 02:00:00:00:00:66");
    assert_eq!(unseen.status, 2);
    assert!(unseen.stderr.contains("02:00:00:00:00:66 sent nothing in these captures"), "{}", unseen.stderr);
}

#[test]
fn the_inventory_has_identities_and_devices_of_arp_alone() {
    let stage = Stage::new();
    home(&stage);
    let rows = stage.ok("devices home.pcap --no-gateway --format jsonl").json_lines();
    assert_eq!((&rows[0]["type"], &rows[0]["name"]), (&"light".into(), &"kitchen".into()));
    assert_eq!(rows[0]["identity_reasons"][1], "type: declared, by dns_sd");
    assert_eq!((&rows[1]["device"], &rows[1]["packets_up"]), (&"02:00:00:00:00:09".into(), &0.into()));
    assert_eq!(rows[1]["addresses"], serde_json::json!(["192.168.1.9"]));
    assert!(rows[1]["first_seen"].is_string());
    stage.ok("devices home.pcap --no-gateway --labels-template template.csv");
    let template = std::fs::read_to_string(stage.path("template.csv")).unwrap();
    assert!(
        template.contains("frames of the local network alone (such as ARP for 192.168.1.9)"),
        "{template}"
    );
    let hidden = stage.ok("devices home.pcap --no-gateway --format jsonl --pseudonyms key").stdout;
    assert!(!hidden.contains("kitchen"), "{hidden}");
    let refused = stage.run("identify home.pcap --pseudonyms key");
    assert_eq!(refused.status, 2, "{}", refused.stderr);
}

#[test]
fn imported_tables_are_used_and_named() {
    let stage = Stage::new();
    home(&stage);
    fs::create_dir(stage.path("xml")).unwrap();
    let fingerprints = "<fingerprints><fingerprint pattern=\"^Lamp ([0-9])$\"><param pos=\"0\" name=\"hw.vendor\" \
                        value=\"Acme\"/></fingerprint></fingerprints>";
    fs::write(stage.path("xml/mdns_device-info_txt.xml"), fingerprints).unwrap();
    let import = stage.ok("knowledge import xml -o recog.knowledge");
    assert!(
        import.stderr.contains("recog: rows written to recog.knowledge: 1 of patterns"),
        "{}",
        import.stderr
    );
    let rows = stage.ok("identify home.pcap --knowledge recog.knowledge --format jsonl").json_lines();
    assert_eq!((&rows[0]["vendor"], &rows[0]["model"]), (&"Acme".into(), &"Lamp 3".into()));
    assert_eq!(rows[0]["reasons"][0], "vendor: likely, by dns_sd (recog)");
    let list = stage.ok("knowledge list --knowledge recog.knowledge --format jsonl").json_lines();
    let imported = list.iter().find(|row| row["from"] == "recog").unwrap();
    assert_eq!((&imported["table"], &imported["rows"]), (&"patterns".into(), &1.into()));
    assert!(list.iter().any(|row| row["from"] == "thingprint" && row["table"] == "types"));
    for (arguments, reason) in [
        ("identify home.pcap --knowledge home.pcap", "home.pcap"),
        ("knowledge import home.pcap -o x", "expected a wheel (.whl)"),
    ] {
        let run = stage.run(arguments);
        assert_eq!(run.status, 1, "{}", run.stderr);
        assert!(run.stderr.contains(reason), "{}", run.stderr);
    }
    assert_eq!(stage.run("knowledge import xml").status, 2);
}

#[test]
fn types_of_devices_are_documented() {
    let page = include_str!("../../../../docs/identify.md");
    for row in thingprint_identity::Knowledge::builtin().unwrap().types() {
        assert!(page.contains(&format!("| `{}` | {} |", row.name, row.meaning)), "{}", row.name);
    }
    for source in thingprint_identity::source_descriptions() {
        assert!(page.contains(&format!("`{}`", source.name)), "{}", source.name);
    }
}
