#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "seeds are made of the files of the checkout"
)]

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use thingprint_audit::Policy;
use thingprint_flow::Timestamp;
use thingprint_fuzz::{NEXT_FILE, parcel_body, parcels, part_body, parts};
use thingprint_instance::{ExtractionRecipe, InstanceOptions, Labeled, PartFile, PartSettings, Partial};
use thingprint_report::write_instances;
use thingprint_sim::home;
use thingprint_store::Store;
use thingprint_table::Format;
use thingprint_taps::{Parcel, ParcelHead, RunId};

use crate::seeds::Seeds;

/// Rows of a seed.
const ROWS: usize = 2;

/// Files that people and this program write beside captures: labels, instances, parts, stores, fingerprints, MUD profiles,
/// policies, experiments, homes.
pub(crate) fn add(seeds: &mut Seeds, rows: &[Labeled], part: &Partial) -> Result<(), Box<dyn Error>> {
    labels(seeds)?;
    logs(seeds)?;
    instances(seeds, rows)?;
    part_files(seeds, part)?;
    store(seeds)?;
    seeds.add("fingerprints", fingerprints().to_string().as_bytes())?;
    for matches in matches() {
        seeds.add("mud", mud(&matches).to_string().as_bytes())?;
    }
    for name in Policy::names() {
        let text = Policy::built_in_text(name).unwrap_or_default();
        seeds.add("policies", text.as_bytes())?;
        for table in text.split("\n[") {
            seeds.add("policies", format!("{HEAD_OF_POLICY}\n[{table}").as_bytes())?;
        }
    }
    of_folder(seeds, "experiments", "../experiments")?;
    homes(seeds)
}

const HEAD_OF_POLICY: &str = "name = \"own\"\ndate = \"2026-01-01\"\ndescription = \"d\"\n";

/// A connection and a query, as Zeek writes them in both forms, and as Suricata does.
fn logs(seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    let fields = "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\tconn_state\torig_pkts\torig_ip_bytes\t\
                  resp_pkts\tresp_ip_bytes\torig_l2_addr\tresp_l2_addr";
    let values = "1717372800.5\t192.168.1.7\t50000\t203.0.113.9\t443\ttcp\t1.25\tSF\t5\t500\t4\t400\t02:00:00:00:00:07\t02:00:00:00:00:01";
    let head =
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\t";
    seeds.add("logs", format!("0{head}{fields}\n{values}\n#close\n").as_bytes())?;
    let json = r#"{"_path":"conn","ts":1717372800.5,"id.orig_h":"192.168.1.7","id.orig_p":50000,"id.resp_h":"203.0.113.9","id.resp_p":443,"proto":"tcp","duration":1.25,"orig_pkts":5,"orig_ip_bytes":500,"resp_pkts":4,"resp_ip_bytes":400}
{"_path":"dns","ts":1717372801,"id.orig_h":"192.168.1.7","id.orig_p":5000,"id.resp_h":"192.168.1.1","id.resp_p":53,"proto":"udp","query":"lamp.example"}
{"_path":"ssl","ts":1717372802,"id.orig_h":"192.168.1.7","id.orig_p":5000,"id.resp_h":"203.0.113.9","id.resp_p":443,"server_name":"lamp.example","client_ciphers":[4865,4866]}
{"_path":"dhcp","ts":1717372803,"mac":"02:00:00:00:00:07","assigned_addr":"192.168.1.7"}
"#;
    seeds.add("logs", format!("0{json}").as_bytes())?;
    let eve = r#"{"timestamp":"2024-06-03T00:00:01.5+0000","event_type":"flow","src_ip":"192.168.1.7","src_port":50000,"dest_ip":"203.0.113.9","dest_port":443,"proto":"TCP","flow":{"pkts_toserver":5,"pkts_toclient":4,"bytes_toserver":500,"bytes_toclient":400,"start":"2024-06-03T00:00:00.5+0000","end":"2024-06-03T00:00:01.5+0000"},"ether":{"src_macs":["02:00:00:00:00:07"],"dest_macs":["02:00:00:00:00:01"]}}
{"timestamp":"2024-06-03T00:00:01.5+0000","event_type":"tls","src_ip":"192.168.1.7","src_port":50000,"dest_ip":"203.0.113.9","dest_port":443,"proto":"TCP","tls":{"sni":"lamp.example","ja3":{"string":"771,4865-4866,0,29,0"}}}
{"timestamp":"2024-06-03T00:00:01.5+0000","event_type":"dns","src_ip":"192.168.1.7","src_port":5000,"dest_ip":"192.168.1.1","dest_port":53,"proto":"UDP","dns":{"type":"request","queries":[{"rrname":"lamp.example"}]}}
"#;
    Ok(seeds.add("logs", format!("1{eve}").as_bytes())?)
}

fn labels(seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    let devices = home()?.labels();
    let row = |extra: &str| {
        let line = |device: &thingprint_sim::LabelledDevice| {
            format!("{},{},{}{extra}\n", device.mac, device.label, device.kind)
        };
        devices.iter().map(line).collect::<String>()
    };
    seeds.add("labels", format!("mac,label,kind\n{}", row("")).as_bytes())?;
    let periods = ",Maker,2019-07-01,2019-07-02T13:00:00Z";
    seeds.add("labels", format!("mac,label,kind,family,from,to\n{}", row(periods)).as_bytes())?;
    let captures = "# a comment\n\ncapture,mac,label\na/*.pcap,02:00:00:00:00:01,\"a, \"\"b\"\"\"\n*,192.168.1.7,'=1+1\\u{1b}\n";
    Ok(seeds.add("labels", captures.as_bytes())?)
}

fn instances(seeds: &mut Seeds, rows: &[Labeled]) -> Result<(), Box<dyn Error>> {
    let recipe = ExtractionRecipe::of(&InstanceOptions::default());
    for rows in rows.chunks(ROWS).step_by(7) {
        for format in [Format::Jsonl, Format::Json, Format::Csv] {
            let mut file = Vec::new();
            write_instances(rows, Some(&recipe), format, &mut file)?;
            seeds.add("instances", &file)?;
        }
    }
    let predictions = "device,window,capture,split,fold,seed,truth,class,confidence,likeness,accepted,set,probability[a],probability[b]\n\
        02:00:00:00:00:01,2019-07-01T13:00:00Z,a.pcap,cv=2,1,1,a,b,0.75,-6.25,true,\"[\"\"a\"\"]\",0.25,0.75\n";
    Ok(seeds.add("instances", predictions.as_bytes())?)
}

/// A part of some frames, whole and without its hash.
fn part_files(seeds: &mut Seeds, part: &Partial) -> Result<(), Box<dyn Error>> {
    let recipe = ExtractionRecipe::of(&InstanceOptions::default());
    for parts_of_file in [Partial::default(), part.clone()] {
        let file = PartFile {
            recipe: recipe.clone(),
            gateways: [].into(),
            settings: PartSettings::default(),
            share: None,
            parts: parts_of_file,
        };
        let mut bytes = Vec::new();
        file.write(&mut bytes)?;
        seeds.add("parts", &[&[1], &bytes[..]].concat())?;
        let body = part_body(&bytes).ok_or("a part has a body")?;
        parts(&body);
        seeds.add("parts", &body)?;
        let parcel = parcel_of(bytes)?;
        parcels(&[&[1], &parcel[..]].concat());
        seeds.add("parcels", &[&[1], &parcel[..]].concat())?;
        seeds.add("parcels", &parcel_body(&parcel).ok_or("a parcel has a body")?)?;
    }
    Ok(())
}

/// A parcel with a file of parts.
fn parcel_of(part: Vec<u8>) -> Result<Vec<u8>, Box<dyn Error>> {
    let at = Timestamp::from_seconds(1_700_000_000);
    let head = ParcelHead {
        network: "home".parse()?,
        tap: "upstairs".parse()?,
        run: RunId { begun: at, salt: 7 },
        number: 3,
        span: Some((at, at.plus_nanos(1))),
        window: at,
        until: at,
        is_last: false,
        is_dropped: false,
    };
    Ok(Parcel { head, part }.to_bytes())
}

fn store(seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("thingprint-seed-{}.db", std::process::id()));
    drop(Store::open(&path)?);
    seeds.add("stores", &fs::read(&path)?)?;
    for end in ["", "-wal", "-shm", ".lock"] {
        let _ = fs::remove_file(format!("{}{end}", path.display()));
    }
    Ok(())
}

fn fingerprints() -> Value {
    json!({"format": "thingprint-fingerprints", "version": 1, "devices": {
        "lamp": {"http.user_agent": {"lamp/1.0": 3}, "tls.ja4": {"t13d1516h2_8daaf6152771_b186095e22b6": 12}},
        "plug": {"dhcp.host_name": {"plug": 1}},
    }})
}

/// Matches of entries of MUD profiles (RFC 8519, RFC 8520).
fn matches() -> [Value; 4] {
    let port = json!({"operator": "eq", "port": 443});
    [
        json!({"ipv4": {"protocol": 6, "ietf-acldns:dst-dnsname": "cloud.example"}, "tcp": {"destination-port": port, "ietf-mud:direction-initiated": "from-device"}}),
        json!({"ietf-mud:mud": {"controller": "urn:ietf:params:mud:dns"}, "ipv4": {"protocol": 17}, "udp": {"destination-port": {"operator": "range", "lower-port": 1, "upper-port": 9}}}),
        json!({"ipv6": {"protocol": 58, "destination-ipv6-network": "2001:db8::/32"}, "icmp": {"type": 8, "code": 0}}),
        json!({"ietf-mud:mud": {"local-networks": [null], "same-manufacturer": [null]}, "eth": {"ethertype": "0x888e"}}),
    ]
}

fn mud(matches: &Value) -> Value {
    let entry = json!({"name": "a", "matches": matches, "actions": {"forwarding": "accept"}});
    let list = |name: &str| json!({"name": name, "type": "ipv4-acl-type", "aces": {"ace": [entry]}});
    let policy = |name: &str| json!({"access-lists": {"access-list": [{"name": name}]}});
    json!({
        "ietf-mud:mud": {
            "mud-version": 1, "mud-url": "https://lamp.example/lamp.json", "last-update": "2018-09-16T13:53:04+10:00",
            "cache-validity": 48, "is-supported": true, "systeminfo": "Lamp", "extensions": ["ol"],
            "from-device-policy": policy("from"), "to-device-policy": policy("to"),
        },
        "ietf-access-control-list:acls": {"acl": [list("from"), list("to")]},
    })
}

/// The files of a folder of the checkout as seeds.
fn of_folder(seeds: &mut Seeds, target: &'static str, folder: &str) -> Result<(), Box<dyn Error>> {
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))? {
        let path = file?.path();
        if path.is_file() {
            seeds.add(target, &fs::read(path)?)?;
        }
    }
    Ok(())
}

/// The network of each home with each of its devices.
fn homes(seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    for home in ["home", "unsafe-home"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets").join(home);
        let dataset = fs::read_to_string(folder.join("dataset.toml"))?;
        for device in fs::read_dir(folder.join("devices"))? {
            let device = fs::read_to_string(device?.path())?;
            seeds.add("homes", [dataset.as_str(), NEXT_FILE, device.as_str()].concat().as_bytes())?;
        }
    }
    Ok(())
}
