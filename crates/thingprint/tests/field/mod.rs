//! Captures as the field writes them, through the command.

use std::fs;

use thingprint_flow::{CaptureWriter, Timestamp};

use crate::stage::{Frame, Stage, capture, pcapng_of_802_11};

const CAMERA: [u8; 6] = [2, 0, 0x5e, 0x10, 0, 0x77];
const SWITCH: [u8; 6] = [2, 0, 0x5e, 0x10, 0, 0x31];
const SERVER: [u8; 6] = [2, 0, 0x5e, 0x10, 0, 2];

/// An Ethernet frame with a UDP datagram.
fn udp(
    (from, src, src_port): ([u8; 6], [u8; 4], u16),
    (to, dst, dst_port): ([u8; 6], [u8; 4], u16),
    payload: &[u8],
) -> Vec<u8> {
    let length = |bytes: usize| u16::try_from(bytes).unwrap().to_be_bytes();
    let mut bytes = [&to[..], &from, &[8, 0, 0x45, 0]].concat();
    bytes.extend(length(28 + payload.len()));
    bytes.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    bytes.extend([src, dst].concat());
    bytes
        .extend([src_port.to_be_bytes(), dst_port.to_be_bytes(), length(8 + payload.len()), [0, 0]].concat());
    bytes.extend(payload);
    bytes
}

fn pcap(frames: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for (at_s, bytes) in frames {
        writer.write(Timestamp::from_seconds(*at_s), bytes, u32::try_from(bytes.len()).unwrap()).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn packets_of_unsupported_links_are_reported_by_every_command() {
    let stage = Stage::new();
    let frame = |at_s| Frame { at_s, from: [2; 6], to: [4; 6], src: [192, 168, 1, 9], dst: [9, 9, 9, 9] };
    fs::write(stage.path("a.pcap"), capture(&[frame(0), frame(1)])).unwrap();
    // A second interface of a supported type, described behind the first one's packet.
    let mut mixed = pcapng_of_802_11();
    let frame = udp((CAMERA, [192, 168, 7, 5], 5000), (SERVER, [9, 9, 9, 9], 6000), &[1, 2, 3, 4, 5, 6]);
    let words = [1_u32, 20, 1, 0, 20];
    mixed.extend(words.into_iter().flat_map(u32::to_le_bytes));
    let total = u32::try_from(32 + frame.len()).unwrap();
    let length = u32::try_from(frame.len()).unwrap();
    mixed.extend([6, total, 1, 0, 1, length, length].into_iter().flat_map(u32::to_le_bytes));
    mixed.extend(frame);
    mixed.extend(total.to_le_bytes());
    fs::write(stage.path("mixed.pcapng"), mixed).unwrap();
    let expected = "1 packet was not read: link type IEEE 802.11 (105) is not supported";
    for command in ["extract", "flows", "devices", "audit"] {
        let run = stage.run(&format!("{command} mixed.pcapng"));
        assert_eq!(run.status, 4, "{command}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{command}: {}", run.stderr);
    }
    assert!(stage.run("extract mixed.pcapng -v").stderr.contains("2 frames (1 of unsupported link types)"));
}

/// A DHCP request of the camera, in a frame of another sender.
fn dhcp(sender: [u8; 6], relay: [u8; 4]) -> Vec<u8> {
    let mut dhcp = vec![0; 236];
    dhcp[..3].copy_from_slice(&[1, 1, 6]);
    dhcp[24..28].copy_from_slice(&relay);
    dhcp[28..34].copy_from_slice(&CAMERA);
    let mud = b"https://acme.example/mud/cam.json";
    dhcp.extend([0x63, 0x82, 0x53, 0x63, 53, 1, 3]);
    dhcp.extend([&[12, 11], &b"kitchen-cam"[..], &[60, 4], b"acme", &[161, 33], mud, &[255]].concat());
    udp((sender, [192, 168, 7, 1], 67), (SERVER, [192, 168, 8, 2], 67), &dhcp)
}

#[test]
fn what_a_relay_passes_on_is_of_the_client() {
    let stage = Stage::new();
    let query = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x06switch\x07example\x03net\0\0\x01\0\x01";
    let lookup = |mac, ip| udp((mac, ip, 50_000), (SERVER, [192, 168, 8, 2], 53), query);
    let frames = [
        (0, dhcp(SWITCH, [192, 168, 7, 1])),
        (1, lookup(SWITCH, [192, 168, 7, 1])),
        (2, lookup(CAMERA, [192, 168, 7, 77])),
    ];
    fs::write(stage.path("relay.pcap"), pcap(&frames)).unwrap();
    fs::write(stage.path("unheard.pcap"), pcap(&frames[..2])).unwrap();
    for name in ["relay.pcap", "unheard.pcap"] {
        let devices = stage.ok(&format!("devices {name} --format json"));
        let devices: Vec<_> = devices.json().as_array().unwrap().clone();
        let of = |mac: &str| devices.iter().find(|row| row["device"] == mac).unwrap().clone();
        assert!(of("02:00:5e:10:00:31")["host_name"].is_null(), "{name}: {devices:?}");
        let camera = of("02:00:5e:10:00:77");
        assert_eq!((&camera["host_name"], &camera["vendor_class"]), (&"kitchen-cam".into(), &"acme".into()));
    }
    stage.ok("audit relay.pcap --mud-out mud --no-gateway");
    let profiles: Vec<String> = fs::read_dir(stage.path("mud"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let with_url = profiles.iter().filter(|profile| profile.contains("https://acme.example/mud/cam.json"));
    assert_eq!(with_url.count(), 1, "the camera alone has the URL");
}

#[test]
fn a_name_in_frames_of_a_host_that_is_no_relay_is_a_contradiction() {
    let stage = Stage::new();
    fs::write(stage.path("a.pcap"), pcap(&[(0, dhcp(SWITCH, [0; 4]))])).unwrap();
    let devices = stage.ok("devices a.pcap --format jsonl");
    assert!(devices.json_lines().iter().all(|row| row["host_name"].is_null()), "{}", devices.stdout);
    assert!(
        devices.stderr.contains("sent a DHCP request of another client, 02:00:5e:10:00:77 'kitchen-cam'")
    );
}

#[test]
fn contradictions_are_shown_with_who_sent_them() {
    let stage = Stage::new();
    let own = udp((SERVER, [192, 168, 8, 2], 5000), (SWITCH, [192, 168, 7, 1], 6000), &[1]);
    fs::write(stage.path("a.pcap"), pcap(&[(0, dhcp(SWITCH, [0; 4])), (1, own)])).unwrap();
    let devices = stage.ok("devices a.pcap --no-gateway --format jsonl").json_lines();
    let contradictions: Vec<_> = devices.iter().map(|row| row["contradictions"].clone()).collect();
    let said = "dhcp chaddr=02:00:5e:10:00:77 host_name=kitchen-cam vendor_class=acme mud_url=https://acme.example/mud/cam.json";
    assert_eq!(contradictions.len(), 2);
    assert!(contradictions.contains(&serde_json::json!([said])), "{contradictions:?}");
    assert!(contradictions.contains(&serde_json::json!([])), "{contradictions:?}");
    assert!(stage.ok("devices a.pcap --no-gateway --wide").stdout.contains("contradictions"));
}

#[test]
fn what_a_relay_passes_on_is_of_the_address_that_was_leased() {
    let stage = Stage::new();
    let asks = dhcp(SWITCH, [192, 168, 7, 1]);
    let mut grants = asks.clone();
    let start = 42;
    (grants[start], grants[start + 242]) = (2, 5);
    grants[start + 16..start + 20].copy_from_slice(&[192, 168, 7, 30]);
    let talk = |at_s| (at_s, udp((SWITCH, [192, 168, 7, 30], 5000), (SERVER, [9, 9, 9, 9], 6000), &[1]));
    fs::write(stage.path("a.pcap"), pcap(&[(0, asks), (1, grants), talk(2)])).unwrap();
    let devices = stage.ok("devices a.pcap --identity ip --format jsonl").json_lines();
    let names: Vec<_> =
        devices.iter().filter(|row| row["host_name"] == "kitchen-cam").map(|row| &row["device"]).collect();
    assert_eq!(names, ["192.168.7.30"], "{devices:?}");
}

#[test]
fn a_clock_that_steps_back_and_a_time_in_the_future_are_reported() {
    let stage = Stage::new();
    let talk = |at_s| (at_s, udp((CAMERA, [192, 168, 7, 5], 5000), (SERVER, [9, 9, 9, 9], 6000), &[1]));
    let frames: Vec<_> = [5000, 5001, 5002, 4_102_444_800, 5003, 10, 11, 12].map(talk).into();
    fs::write(stage.path("a.pcap"), pcap(&frames)).unwrap();
    let flows = stage.ok("flows a.pcap --no-gateway");
    assert!(
        flows.stderr.contains("the clock of a.pcap steps back by more than 300 s (1 time)"),
        "{}",
        flows.stderr
    );
    assert!(flows.stderr.contains("--sort"));
    assert!(flows.stderr.contains("1 frame was left out: the time is more than 300 s ahead"));
    let durations = flows.json_lines().into_iter().map(|row| row["duration"].as_f64().unwrap());
    assert!(durations.fold(0.0, f64::max) < 10.0);
    let sorted = stage.ok("flows a.pcap --no-gateway --sort");
    assert!(!sorted.stderr.contains("300 s"), "{}", sorted.stderr);
}

#[test]
fn windows_that_are_written_twice_are_counted() {
    let stage = Stage::new();
    let talk = |at_s| (at_s, udp((CAMERA, [192, 168, 7, 5], 5000), (SERVER, [9, 9, 9, 9], 6000), &[1]));
    let frames: Vec<_> = [0, 1, 2, 10_000, 10_001, 10_002, 5, 6, 7, 8].map(talk).into();
    fs::write(stage.path("a.pcap"), pcap(&frames)).unwrap();
    let rows = stage.ok("extract a.pcap --no-gateway --format jsonl");
    let twice = "1 window was written twice, with 1 more row";
    assert!(rows.stderr.contains(twice), "{}", rows.stderr);
    assert!(rows.stderr.contains("--sort makes one row of each"));
    assert_eq!(rows.json_lines().len(), 3);
    let sorted = stage.ok("extract a.pcap --no-gateway --sort --format jsonl");
    assert!(!sorted.stderr.contains("twice"), "{}", sorted.stderr);
    assert_eq!(sorted.json_lines().len(), 2);
}

#[test]
fn link_addresses_that_separate_no_hosts_leave_the_ip_address() {
    let stage = Stage::new();
    let (up, down) = (([192, 168, 7, 5], 5000), ([9, 9, 9, 9], 6000));
    let talk = |at_s, (src, src_port), (dst, dst_port)| {
        (at_s, udp((SWITCH, src, src_port), (SERVER, dst, dst_port), &[1]))
    };
    fs::write(stage.path("vpn.pcap"), pcap(&[talk(0, up, down), talk(1, down, up)])).unwrap();
    let flows = stage.ok("flows vpn.pcap");
    assert!(flows.stderr.contains("link addresses do not separate hosts"), "{}", flows.stderr);
    let rows = flows.json_lines();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["device"], &rows[0]["orig_pkts"]), (&"192.168.7.5".into(), &1.into()));
    let by_mac = stage.ok("flows vpn.pcap --identity mac --no-gateway");
    assert_eq!(by_mac.json_lines().len(), 2, "{}", by_mac.stdout);
}

#[test]
fn a_campus_with_public_addresses_has_devices_and_no_gateway_among_them() {
    let stage = Stage::new();
    let host = |number: u8| [129, 94, 5, number];
    // A switch in front of twelve hosts, which it neither claims nor forwards to the Internet.
    let mut frames = Vec::new();
    for number in 1..=12 {
        let at = i64::from(number);
        frames.push((at, udp((SWITCH, host(number), 5000), (SERVER, [129, 94, 9, 9], 53), &[1])));
        frames.push((at, udp((SERVER, [129, 94, 9, 9], 53), (SWITCH, host(number), 5000), &[1])));
    }
    fs::write(stage.path("campus.pcap"), pcap(&frames)).unwrap();
    let is_gateway = |run: &str| stage.ok(run).stderr.contains("the gateway is 02:00:5e:10:00:31");
    assert!(is_gateway("devices campus.pcap"));
    assert!(!is_gateway("devices campus.pcap --local-nets 129.94.0.0/16"));
    let ids = |options: &str| -> Vec<String> {
        let devices = stage.ok(&format!("devices campus.pcap --format json --identity ip {options}")).json();
        devices.as_array().unwrap().iter().map(|row| row["device"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(""), Vec::<String>::new());
    let found = ids("--local-nets 10.0.0.0/8,129.94.0.0/16");
    assert_eq!((found.len(), found[0].as_str()), (13, "129.94.5.1"));
    stage.fails("devices campus.pcap --local-nets 129.94", 2, &["129.94", "is not a network"]);
}

#[test]
fn tunnels_are_counted_and_opened_on_request() {
    let stage = Stage::new();
    let inner = udp((CAMERA, [192, 168, 7, 5], 5000), (SERVER, [9, 9, 9, 9], 6000), &[1]);
    let vxlan = [&[8, 0, 0, 0, 0, 0, 7, 0], &inner[..]].concat();
    let outer = |at| (at, udp((SWITCH, [10, 9, 9, 1], 50_000), ([4; 6], [10, 9, 9, 2], 4789), &vxlan));
    fs::write(stage.path("mirror.pcap"), pcap(&[outer(0), outer(1)])).unwrap();
    let closed = stage.ok("flows mirror.pcap --no-gateway");
    assert!(
        closed.stderr.contains("packets carry others (vxlan: 2), which --decap opens"),
        "{}",
        closed.stderr
    );
    let opened = stage.ok("flows mirror.pcap --no-gateway --decap gre,vxlan");
    assert!(!opened.stderr.contains("carry others"), "{}", opened.stderr);
    let devices: Vec<_> = opened.json_lines().iter().map(|row| row["device"].clone()).collect();
    assert_eq!(devices, ["02:00:5e:10:00:77", "02:00:5e:10:00:02"]);
    stage.fails("flows mirror.pcap --decap ipsec", 2, &["'ipsec'", "vxlan"]);
}

#[test]
fn copies_of_packets_are_reported_and_left_out_on_request() {
    let stage = Stage::new();
    let mut clean = Vec::new();
    for number in 1..=20_u8 {
        let mut frame = udp((CAMERA, [192, 168, 7, 5], 5000), (SERVER, [9, 9, 9, 9], 6000), &[number]);
        frame[19] = number;
        clean.push((i64::from(number), frame));
    }
    let doubled: Vec<_> = clean.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect();
    fs::write(stage.path("clean.pcap"), pcap(&clean)).unwrap();
    fs::write(stage.path("doubled.pcap"), pcap(&doubled)).unwrap();
    let expected = stage.ok("flows clean.pcap --no-gateway");
    assert!(!expected.stderr.contains("--dedup"), "{}", expected.stderr);
    let told = stage.ok("flows doubled.pcap --no-gateway").stderr;
    assert!(told.contains("50% of the first packets were captured more than once within 10 ms"), "{told}");
    let without = stage.ok("flows doubled.pcap --no-gateway --dedup");
    assert_eq!(without.stdout, expected.stdout);
    assert!(without.stderr.contains("20 copies were left out"), "{}", without.stderr);
}

#[test]
fn captures_of_two_networks_are_reported_and_kept_apart() {
    let stage = Stage::new();
    for (folder, device, gateway) in [("lab", 1_u8, 100_u8), ("home", 2, 200)] {
        fs::create_dir(stage.path(folder)).unwrap();
        let mac = |number| [2, 0, 0, 0, 0, number];
        let mut frames = Vec::new();
        for host in 1..=12 {
            let (inside, outside) = (([192, 168, 1, device], 5000), ([52, 0, 0, host], 6000));
            let at = i64::from(host);
            frames.push((at, udp((mac(device), inside.0, 5000), (mac(gateway), outside.0, 6000), &[1])));
            frames.push((at, udp((mac(gateway), outside.0, 6000), (mac(device), inside.0, 5000), &[1])));
        }
        fs::write(stage.path(&format!("{folder}/a.pcap")), pcap(&frames)).unwrap();
    }
    let expected = "the packets are of 2 networks, whose devices never exchange any";
    let commands = [
        "extract lab home",
        "devices lab home",
        "flows lab home",
        "identify lab home",
        "audit lab home --html audit.html",
        "audit lab home --format json",
        "mud export lab home --to nftables",
        "report lab home -o report.html",
    ];
    for command in commands {
        let told = stage.ok(command).stderr;
        assert_eq!(told.matches(expected).count(), 1, "{command}: {told}");
    }
    fs::create_dir(stage.path("both")).unwrap();
    for name in ["lab", "home"] {
        fs::copy(stage.path(&format!("{name}/a.pcap")), stage.path(&format!("both/{name}.pcap"))).unwrap();
    }
    let told = stage.ok("compare lab both -o changes.json").stderr;
    assert!(told.contains(&format!("warning: after: {expected}")), "{told}");
    assert_eq!(told.matches(expected).count(), 1, "{told}");
    let notices = stage.ok("audit lab home --format json").json()["notices"].clone();
    let warnings: Vec<_> = notices.as_array().unwrap().iter().filter(|n| n["level"] == "warning").collect();
    assert!(warnings[0]["text"].as_str().unwrap().starts_with(expected), "{notices}");
    assert_eq!(warnings[0]["incomplete"], false);
    for page in ["audit.html", "report.html"] {
        assert!(fs::read_to_string(stage.path(page)).unwrap().contains(expected), "{page}");
    }
    let events = stage.ok("watch lab/a.pcap home/a.pcap --store a.db --no-page").json_lines();
    let told: Vec<_> = events.iter().filter(|event| event["kind"] == "several-networks").collect();
    assert!(told.len() == 1 && told[0]["text"].as_str().unwrap().starts_with(expected), "{events:?}");
    assert!(!stage.ok("extract lab").stderr.contains("networks"));
    let apart = stage.ok("extract lab home --network-by folder");
    let rows: Vec<_> =
        apart.json_lines().iter().map(|row| (row["capture"].clone(), row["device"].clone())).collect();
    assert_eq!(
        rows,
        [("home".into(), "02:00:00:00:00:02".into()), ("lab".into(), "02:00:00:00:00:01".into())]
    );
    assert!(apart.stderr.contains("network lab: the gateway is 02:00:00:00:00:64"), "{}", apart.stderr);
    assert_eq!(stage.ok("extract lab home --network-by file").json_lines().len(), 2);
    assert_eq!(stage.ok("extract lab home --network-by file --window 15m").json_lines().len(), 2);
    stage.fails(
        "extract lab home --network-by file --window capture",
        2,
        &["--network-by", "--window capture"],
    );
}

#[test]
fn a_device_that_is_named_as_gateway_is_told_by_every_command() {
    let stage = Stage::new();
    let mac = |number| [2, 0, 0, 0, 0, number];
    let mut frames = Vec::new();
    for host in 1..=12 {
        let at = i64::from(host);
        let (inside, outside) = ([192, 168, 1, 1], [52, 0, 0, host]);
        frames.push((at, udp((mac(1), inside, 5000), (mac(100), outside, 6000), &[1])));
        frames.push((at, udp((mac(100), outside, 6000), (mac(1), inside, 5000), &[1])));
        frames.push((at, udp((mac(2), [192, 168, 1, 2], 5000), (mac(1), inside, 7000), &[1])));
    }
    fs::write(stage.path("a.pcap"), pcap(&frames)).unwrap();
    for (at, _) in &mut frames {
        *at += 7200;
    }
    fs::write(stage.path("b.pcap"), pcap(&frames)).unwrap();
    let expected = "named as gateway (--gateway, or a label 'gateway'): 02:00:00:00:00:01, but packets from and to the Internet are \
                    forwarded by 02:00:00:00:00:64";
    let commands = [
        "extract",
        "devices",
        "flows",
        "identify",
        "audit --html audit.html",
        "mud export --to nftables",
        "report -o report.html",
        "report --baseline b.pcap -o later.html",
    ];
    for command in commands {
        let told = stage.ok(&format!("{command} a.pcap --gateway 02:00:00:00:00:01")).stderr;
        let of_earlier = usize::from(command.contains("--baseline"));
        assert_eq!(told.matches(expected).count(), 1 + of_earlier, "{command}: {told}");
    }
    let told = stage.ok("compare a.pcap b.pcap --gateway 02:00:00:00:00:01 --html changes.html").stderr;
    assert!(told.contains(&format!("before and after: {expected}")), "{told}");
    assert_eq!(told.matches(expected).count(), 1, "{told}");
    for page in ["audit.html", "report.html", "changes.html"] {
        let page = fs::read_to_string(stage.path(page)).unwrap().replace("&#39;", "'");
        assert!(
            page.contains("but packets from and to the Internet are forwarded by 02:00:00:00:00:64"),
            "{page}"
        );
    }
    stage.ok(
        "compare a.pcap b.pcap --gateway 02:00:00:00:00:64 --gateway 02:00:00:00:00:99 --html noted.html",
    );
    let page = fs::read_to_string(stage.path("noted.html")).unwrap();
    let (top, rest) = page.split_once("<dl").unwrap();
    let note = "the gateway 02:00:00:00:00:99 is in no packet of these captures";
    assert!(top.contains(note) && !rest.contains(note), "notes stand at the top: {page}");
    let watched = "watch a.pcap --store a.db --no-page --gateway 02:00:00:00:00:01";
    let events = stage.ok(watched).json_lines();
    let told: Vec<_> = events.iter().filter(|event| event["kind"] == "gateway-doubtful").collect();
    assert!(told.len() == 1 && told[0]["text"].as_str().unwrap().starts_with(expected), "{events:?}");
    assert_eq!(told[0]["evidence"]["forwarding"][0], "02:00:00:00:00:64");
}

#[test]
fn devices_and_flows_of_networks_are_kept_apart() {
    let stage = Stage::new();
    let mac = |number| [2, 0, 0, 0, 0, number];
    // The same device moves from one network to another; the gateway of each is a device of the other.
    for (folder, gateway, other) in [("lab", 100_u8, 200_u8), ("home", 200, 100)] {
        fs::create_dir(stage.path(folder)).unwrap();
        let mut frames = Vec::new();
        for host in 1..=12 {
            let (inside, outside) = ([192, 168, 1, 9], [52, 0, 0, host]);
            let at = i64::from(host);
            frames.push((at, udp((mac(9), inside, 5000), (mac(gateway), outside, 6000), &[1])));
            frames.push((at, udp((mac(gateway), outside, 6000), (mac(9), inside, 5000), &[1])));
        }
        frames.push((13, udp((mac(other), [192, 168, 1, 7], 5000), (mac(9), [192, 168, 1, 9], 7000), &[1])));
        fs::write(stage.path(&format!("{folder}/a.pcap")), pcap(&frames)).unwrap();
    }
    let cells =
        |row: &serde_json::Value| ["network", "device"].map(|key| row[key].as_str().unwrap().to_owned());
    let devices = stage.ok("devices lab home --network-by folder --format jsonl");
    let devices: Vec<_> =
        devices.json_lines().iter().filter(|row| row["class"] == "device").map(cells).collect();
    let expected = [("home", "09"), ("home", "64"), ("lab", "09"), ("lab", "c8")];
    let expected = expected.map(|(network, last)| [network.to_owned(), format!("02:00:00:00:00:{last}")]);
    assert_eq!(devices, expected);
    let listed = stage.ok("flows lab home --network-by folder");
    let mut flows: Vec<_> = listed.json_lines().iter().map(cells).collect();
    assert_eq!(flows.len(), 2 * 14);
    assert!(flows.is_sorted_by_key(|[network, _]| network.clone()));
    flows.sort();
    flows.dedup();
    assert_eq!(flows, expected);
    assert!(listed.stderr.contains("network lab: the gateway is 02:00:00:00:00:64"), "{}", listed.stderr);
    assert!(!listed.stderr.contains("networks"), "{}", listed.stderr);
    assert!(stage.ok("flows lab home").json_lines().iter().all(|row| row.get("network").is_none()));
    stage.fails("audit lab home --network-by folder", 2, &["--network-by", "one network at a time"]);
    stage.fails("flows lab home --network-by folder --split out", 2, &["--network-by", "--split"]);
}

#[test]
fn captures_months_apart_are_reported() {
    let stage = Stage::new();
    let talk = |at_s| (at_s, udp((CAMERA, [192, 168, 7, 5], 5000), (SERVER, [9, 9, 9, 9], 6000), &[1]));
    fs::write(stage.path("a.pcap"), pcap(&[talk(0), talk(1)])).unwrap();
    fs::write(stage.path("b.pcap"), pcap(&[talk(60 * 86_400), talk(60 * 86_400 + 1)])).unwrap();
    let told = stage.ok("extract a.pcap b.pcap --no-gateway").stderr;
    assert!(told.contains("there is no packet for 59 days"), "{told}");
    assert!(!stage.ok("extract a.pcap --no-gateway").stderr.contains("days"));
}

/// An NTP request of version 4, or an answer of version 3.
fn ntp(is_answer: bool) -> Vec<u8> {
    let stamp = [0xe0, 0, 0, 1, 0, 0, 0, 1];
    let mut bytes = if is_answer { vec![0x1c, 2, 6, 0xec] } else { vec![0x23, 0, 6, 0xec] };
    bytes.extend([0; 20]);
    bytes.extend(if is_answer { [stamp; 3] } else { [[0; 8], [0; 8], stamp] }.concat());
    bytes
}

#[test]
fn a_gateway_is_listed_and_judged_for_what_it_says_itself() {
    let stage = Stage::new();
    let (camera, router) = ((CAMERA, [192, 168, 7, 5]), (SERVER, [192, 168, 7, 1]));
    let mut frames = Vec::new();
    for number in 0..9_u8 {
        let (at_s, port) = (i64::from(number) * 10, 50_000 + u16::from(number));
        let of_camera = (camera.0, camera.1, port);
        let far = (router.0, [198, 51, 100, number], 123);
        frames.push((at_s, udp(of_camera, far, &ntp(false))));
        let mut answer = udp(far, of_camera, &ntp(true));
        answer[22] = 50;
        frames.push((at_s + 1, answer));
    }
    let (asked, own) = ((camera.0, camera.1, 51_000), (router.0, router.1, 123));
    frames.push((100, udp(asked, own, &ntp(false))));
    frames.push((101, udp(own, asked, &ntp(true))));
    fs::write(stage.path("a.pcap"), pcap(&frames)).unwrap();

    let rows = stage.ok("devices a.pcap --format jsonl").json_lines();
    let classes: Vec<_> = rows.iter().map(|row| row["class"].as_str().unwrap()).collect();
    assert_eq!(classes, ["device", "gateway"]);
    let gateway = &rows[1];
    assert_eq!(gateway["gateway_reason"], "forwards");
    assert_eq!(gateway["addresses"], serde_json::json!(["192.168.7.1"]));
    assert_eq!(gateway["served_services"], serde_json::json!({"ntp": 1}));
    let table = stage.ok("devices a.pcap --format table").stdout;
    let row = table.lines().find(|line| line.starts_with("02:00:5e:10:00:02  gateway  forwards")).unwrap();
    assert!(row.contains("192.168.7.1") && row.contains("ntp"), "{table}");
    assert_eq!(stage.ok("devices a.pcap --no-gateway --format jsonl").json_lines()[0]["class"], "device");

    let audit = stage.ok("audit a.pcap --format json").json();
    let devices = audit["devices"].as_array().unwrap();
    let gateway = devices.iter().find(|device| device["class"] == "gateway").unwrap();
    assert_eq!((&gateway["flows"], &gateway["gateway_reason"]), (&1.into(), &"forwards".into()));
    let rules: Vec<_> = gateway["findings"].as_array().unwrap().iter().collect();
    assert!(
        rules.iter().any(|finding| finding["rule"] == "NTP-002" && finding["by"] == "device"),
        "{rules:?}"
    );
    let camera = devices.iter().find(|device| device["class"] == "device").unwrap();
    assert_eq!(camera["flows"], 10);
    assert_eq!(stage.ok("audit a.pcap -j 3 --format json").json(), audit);
}

#[test]
fn a_switch_port_without_mirroring_is_reported_by_every_command() {
    let stage = Stage::new();
    let frames: Vec<_> = (0..30)
        .map(|at_s| {
            let from = (CAMERA, [192, 168, 7, 5], 5000);
            (at_s, udp(from, ([0xff; 6], [255, 255, 255, 255], 9999), b"hello"))
        })
        .collect();
    fs::write(stage.path("a.pcap"), pcap(&frames)).unwrap();
    for command in ["extract", "flows", "devices", "audit"] {
        let stderr = stage.run(&format!("{command} a.pcap")).stderr;
        assert!(stderr.contains("warning: 30 of 30 IP packets (100%) are broadcasts"), "{command}: {stderr}");
        assert!(stderr.contains("mirror port"), "{command}: {stderr}");
    }
    let json = stage.ok("audit a.pcap --format json").json();
    let vantage = &json["vantage"];
    assert_eq!((&vantage["groups_only"], &vantage["group_packets"]), (&1.into(), &30.into()));
    assert!(vantage["notes"].as_array().unwrap().iter().any(|note| note["severe"] == true));
    let sarif = stage.ok("audit a.pcap --format sarif").json();
    assert_eq!(&sarif["runs"][0]["properties"]["vantage"], vantage);
    for format in ["table", "html"] {
        let text = stage.ok(&format!("audit a.pcap --format {format}")).stdout;
        assert!(text.contains("What the captures show"), "{format}: {text}");
        assert!(text.contains("mirror port"), "{format}: {text}");
    }
    let is_told = |text: &serde_json::Value| text.as_str().unwrap().contains("mirror port");
    let notices = stage.ok("audit a.pcap --format json").json()["notices"].clone();
    assert!(notices.as_array().unwrap().iter().any(|notice| is_told(&notice["text"])), "{notices}");
    let log = stage.ok("audit a.pcap --format sarif").json();
    let notes = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    let of_reading: Vec<_> = notes.iter().filter(|note| note["locations"].is_null()).collect();
    assert!(of_reading.iter().any(|note| is_told(&note["message"]["text"])), "{notes:?}");
    assert!(of_reading.iter().all(|note| note["properties"]["incomplete"] == false), "{notes:?}");
}

/// A DNS answer that gives a name of one label below `example` an address.
fn dns_answer(label: &str, address: [u8; 4]) -> Vec<u8> {
    let mut bytes = vec![0, 7, 0x81, 0, 0, 1, 0, 1, 0, 0, 0, 0, u8::try_from(label.len()).unwrap()];
    bytes.extend(label.bytes());
    bytes.extend(b"\x07example\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04");
    bytes.extend(address);
    bytes
}

#[test]
fn names_of_mud_profiles_outlive_a_device_that_talks_much() {
    let stage = Stage::new();
    let camera = (CAMERA, [192, 168, 7, 5], 5353 + 1);
    let resolver = (SERVER, [192, 168, 7, 1], 53);
    let mut frames: Vec<_> =
        (0..1100).map(|at_s| (at_s, udp(resolver, camera, &dns_answer("busy", [198, 51, 100, 1])))).collect();
    frames.push((1100, udp(resolver, camera, &dns_answer("late", [198, 51, 100, 9]))));
    let server = (SERVER, [198, 51, 100, 9], 4433);
    for at_s in 1101..1110 {
        frames.push((at_s, udp((CAMERA, [192, 168, 7, 5], 40_000), server, b"hello")));
    }
    fs::write(stage.path("a.pcap"), pcap(&frames)).unwrap();
    let run = stage.run("audit a.pcap --gateway 02:00:5e:10:00:02 --mud-out mud --format json");
    assert_eq!(run.status, 4, "{}", run.stderr);
    let expected = "02:00:5e:10:00:77: 77 messages of dns were left out";
    assert!(run.stderr.contains(expected) && run.stderr.contains("kept apart"), "{}", run.stderr);
    let left_out = &run.json()["messages_left_out"];
    assert_eq!((&left_out[0]["protocol"], &left_out[0]["messages"]), (&"dns".into(), &77.into()));
    let notices = run.json()["notices"].clone();
    let told = |notice: &&serde_json::Value| notice["text"].as_str().unwrap().starts_with(expected);
    let notice = notices.as_array().unwrap().iter().find(told).unwrap();
    assert_eq!((&notice["level"], &notice["incomplete"]), (&"warning".into(), &true.into()));
    let page = stage.run("audit a.pcap --gateway 02:00:5e:10:00:02 --format html").stdout;
    let (top, rest) = page.split_once("Summary").unwrap();
    assert!(top.contains(expected) && !rest.contains(expected), "once, before the tables: {page}");
    let profiles: Vec<_> = fs::read_dir(stage.path("mud")).unwrap().collect();
    let profile = fs::read_to_string(profiles[0].as_ref().unwrap().path()).unwrap();
    assert!(profile.contains("late.example"), "{profile}");
}
