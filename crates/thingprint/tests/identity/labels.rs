//! From identities to labels: proposals, one device with several addresses, classes that contradict.

use std::fs;

use super::home;
use crate::stage::Stage;

/// A lamp of the simulated home.
const BULB: &str = "a8:40:7c:21:00:17";

/// Tables by which host names of the simulated home say a type.
pub(crate) fn knowledge(stage: &Stage, rows: &str) {
    let header = "kind,pattern,vendor,model,type,os,certainty,source,date";
    let text = format!("thingprint-knowledge 1\n[patterns] mine\n{header}\n{rows}\n");
    fs::write(stage.path("mine.knowledge"), text).unwrap();
}

#[test]
fn what_a_device_declares_is_proposed_as_its_label() {
    let stage = Stage::new();
    home(&stage);
    stage.ok("devices home.pcap --no-gateway --labels-template labels.csv");
    let template = fs::read_to_string(stage.path("labels.csv")).unwrap();
    assert!(template.contains("\n02:00:00:00:00:07,? Lamp 3,iot\n"), "{template}");
    assert!(
        template.contains("# model Lamp 3 (declared, by dns_sd), type light (declared, by dns_sd), "),
        "{template}"
    );
    assert!(template.contains("\n#02:00:00:00:00:09,,iot\n"), "nothing is known of it: {template}");
    assert!(template.contains("Remove the mark where it is right"), "{template}");

    knowledge(&stage, "host-name,kitchen,Acme,,computer,,likely,x,2026-11-30");
    stage.ok("devices home.pcap --no-gateway --labels-template again.csv --knowledge mine.knowledge");
    let again = fs::read_to_string(stage.path("again.csv")).unwrap();
    assert!(again.contains("02:00:00:00:00:07,? Acme Lamp 3,iot\n"), "{again}");
}

#[test]
fn a_label_that_nobody_confirmed_is_refused_unless_it_is_trusted() {
    let stage = Stage::new();
    stage.ok("simulate --duration 6h -o home.pcap --labels labels.csv");
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let proposed = labels.replace(",lumenhaus-bulb,", ",? lumenhaus-bulb,");
    assert_ne!(labels, proposed);
    fs::write(stage.path("proposed.csv"), proposed).unwrap();
    stage.ok("extract home.pcap --labels proposed.csv --evidence paper -o home.csv");
    for command in
        ["train home.csv --recipe paper -o home.model", "evaluate home.csv --recipe paper --split time=0.7"]
    {
        stage.fails(command, 1, &["nobody confirmed the label '? lumenhaus-bulb'", "--trust declared"]);
    }
    stage.ok("train home.csv --recipe paper --trust declared -o home.model");
    let said = stage.ok("classify home.pcap --model home.model --labels proposed.csv --per device");
    assert!(
        said.stderr.contains("1 class that nobody confirmed was left out of the labels"),
        "{}",
        said.stderr
    );
    let rows = said.json_lines();
    let bulb = rows.iter().find(|row| row["device"] == BULB).unwrap();
    assert_eq!((&bulb["class"], bulb["label"].is_null()), (&"lumenhaus-bulb".into(), true));
}

#[test]
fn what_a_device_declares_is_held_against_what_it_behaves_like() {
    let stage = Stage::new();
    stage.ok("simulate --duration 6h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv --evidence paper -o home.csv");
    stage.ok("train home.csv --recipe paper -o home.model");
    let quiet = stage.ok("classify home.pcap --model home.model --per device");
    assert!(!quiet.stderr.contains("says otherwise"), "{}", quiet.stderr);
    knowledge(&stage, "host-name,lumen-*,,,printer,,likely,x,2026-11-30");
    let said = stage.ok("classify home.pcap --model home.model --per device --knowledge mine.knowledge");
    let expected =
        "a8:40:7c:21:00:17 behaves like 'lumenhaus-bulb' and says otherwise: type printer (likely, by dhcp";
    assert!(said.stderr.contains(expected), "{}", said.stderr);
    let rows = said.json_lines();
    let bulb = rows.iter().find(|row| row["device"] == BULB).unwrap();
    assert_eq!(bulb["identity"], "printer");
    assert!(bulb["identity_contradictions"][0].as_str().unwrap().ends_with("not light"), "{bulb}");
    let other = rows.iter().find(|row| row["device"] != BULB).unwrap();
    assert_eq!(other["identity_contradictions"], serde_json::json!([]));
    // A watch says the same, as an event.
    let watched =
        stage.ok("watch home.pcap --model home.model --knowledge mine.knowledge --store a.db --no-page");
    let events = watched.json_lines();
    let told: Vec<_> = events.iter().filter(|event| event["kind"] == "identity-contradicted").collect();
    assert_eq!((told.len(), &told[0]["device"]), (1, &BULB.into()), "{told:?}");
    assert_eq!((&told[0]["severity"], &told[0]["acknowledged_at"]), (&"warning".into(), &().into()));
    let text = told[0]["text"].as_str().unwrap();
    assert!(text.contains("behaves like lumenhaus-bulb and says otherwise: type printer"), "{text}");
    let stored = stage.ok("store a.db devices").json_lines();
    let stored = stored.iter().find(|row| row["device"] == BULB).unwrap();
    for column in ["identity", "identity_contradictions"] {
        assert_eq!(stored[column], bulb[column]);
    }
    let table = stage.ok("classify home.csv --model home.model --per device --format table");
    assert!(!table.stdout.contains("identity"), "instances do not say who a device is: {}", table.stdout);
}

#[test]
fn one_device_with_several_addresses_has_one_label() {
    let stage = Stage::new();
    home(&stage);
    let labels = "mac,label,kind\n02:00:00:00:00:07,lamp,iot\n02:00:00:00:00:09,same-as 02:00:00:00:00:07,\n";
    fs::write(stage.path("labels.csv"), labels).unwrap();
    let rows = stage.ok("devices home.pcap --no-gateway --labels labels.csv --format jsonl").json_lines();
    assert_eq!((&rows[0]["label"], rows[0]["same_as"].is_null()), (&"lamp".into(), true));
    assert_eq!((&rows[1]["label"], &rows[1]["same_as"]), (&"lamp".into(), &"02:00:00:00:00:07".into()));
    stage.ok("devices home.pcap --no-gateway --labels labels.csv --labels-template labels.csv");
    let kept = fs::read_to_string(stage.path("labels.csv")).unwrap();
    assert!(kept.contains("\n02:00:00:00:00:09,same-as 02:00:00:00:00:07,\n"), "{kept}");
    for (row, reason) in [
        ("02:00:00:00:00:09,same-as 02:00:00:00:00:08,", "02:00:00:00:00:08, which has no label"),
        ("02:00:00:00:00:09,same-as 02:00:00:00:00:09,", "the same as itself"),
        (
            "02:00:00:00:00:07,same-as 02:00:00:00:00:09,\n02:00:00:00:00:09,lock,iot",
            "has a label of its own",
        ),
        ("02:00:00:00:00:09,same-as lamp,", "label"),
    ] {
        let text = format!("mac,label,kind\n02:00:00:00:00:07,lamp,iot\n{row}\n");
        fs::write(stage.path("wrong.csv"), text).unwrap();
        stage.fails("devices home.pcap --labels wrong.csv", 1, &["wrong.csv", reason]);
    }
}

#[test]
fn addresses_that_seem_to_be_of_one_device_are_proposed_and_never_merged() {
    let stage = Stage::new();
    let request = |mac: [u8; 6]| {
        let mut dhcp = vec![0; 236];
        dhcp[..3].copy_from_slice(&[1, 1, 6]);
        dhcp[28..34].copy_from_slice(&mac);
        dhcp.extend(b"\x63\x82\x53\x63\x35\x01\x03\x0c\x05annas\x37\x03\x01\x03\x06\xff");
        super::frame_of(mac, (68, 67), [255; 4], &dhcp)
    };
    let (first, later) = ([2, 0, 0, 0, 0, 0x11], [2, 0, 0, 0, 0, 0x12]);
    let (plug, twin) = ([0x50, 0xc7, 0xbf, 0, 0, 1], [0x50, 0xc7, 0xbf, 0, 0, 2]);
    super::write(&stage, "phone.pcap", &[request(first), request(later)]);
    super::write(&stage, "plugs.pcap", &[request(plug), request(twin)]);
    let template = |capture: &str| {
        stage.ok(&format!("devices {capture} --no-gateway --labels-template {capture}.csv"));
        fs::read_to_string(stage.path(&format!("{capture}.csv"))).unwrap()
    };
    let phone = template("phone.pcap");
    let expected = "# both are 'annas' to the DHCP server; with the same options; one after the other; and an address is randomised\n\
                    #02:00:00:00:00:12,same-as 02:00:00:00:00:11,\n";
    assert!(phone.contains(expected), "{phone}");
    assert!(!template("plugs.pcap").contains("same-as"), "two of a kind have addresses of one block");
    let rows = stage.ok("devices phone.pcap --no-gateway --format jsonl").json_lines();
    assert_eq!(rows.len(), 2, "a proposal merges nothing");
}
