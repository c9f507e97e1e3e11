//! Logs in the form of Zeek and Suricata, written from what `flows` lists.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::stage::Stage;

/// What the command lists of a home.
pub(crate) struct Home {
    flows: Vec<Value>,
    /// The same with sizes of frames.
    frames: Vec<Value>,
    /// Link addresses by IP address.
    macs: BTreeMap<String, String>,
}

const GATEWAY: &str = "02:fe:00:00:00:01";

impl Home {
    pub(crate) fn of(stage: &Stage) -> Self {
        let flows = one_row_each(stage.ok("flows home.pcap --attributes --format jsonl").json_lines());
        let frames =
            one_row_each(stage.ok("flows home.pcap --size wire --attributes --format jsonl").json_lines());
        let all = stage.ok("flows home.pcap --format jsonl").json_lines();
        // The device of a flow within the network may be either end; what is private and no device is the gateway.
        let mut seen: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
        for row in &all {
            for end in ["id.orig_h", "id.resp_h"] {
                let (address, device) = (row[end].as_str().unwrap(), row["device"].as_str().unwrap());
                *seen.entry(address.to_owned()).or_default().entry(device.to_owned()).or_default() += 1;
            }
        }
        let macs = seen.into_iter().filter(|(address, _)| address.starts_with("192.168.")).filter_map(
            |(address, devices)| {
                let mut devices: Vec<(u32, String)> =
                    devices.into_iter().map(|(device, count)| (count, device)).collect();
                devices.sort();
                // An address that many devices talk to is a server's.
                let is_gateway = address.ends_with(".1") || address.ends_with(".255");
                devices.pop().filter(|_| !is_gateway).map(|(_, device)| (address, device))
            },
        );
        Self { flows, frames, macs: macs.collect() }
    }

    /// The link address of an end of a flow.
    fn mac<'h>(&'h self, row: &'h Value, end: &str) -> &'h str {
        let (address, device) = (row[end].as_str().unwrap(), row["device"].as_str().unwrap());
        // A device without an address, or with one of the link that is made of its link address.
        let last = format!("{:0>4}", address.rsplit(':').next().unwrap());
        let is_of_link = address.starts_with("fe80") && device.replace(':', "").ends_with(&last);
        match self.macs.get(address) {
            Some(mac) => mac,
            None if is_of_link || address == "0.0.0.0" || address == "::" => device,
            None => GATEWAY,
        }
    }
}

/// A flow between two devices is listed for each of them; a log has one line.
fn one_row_each(rows: Vec<Value>) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let key = |row: &Value| format!("{} {} {}", row["ts"], row["community_id"], row["id.orig_p"]);
    rows.into_iter().filter(|row| seen.insert(key(row))).collect()
}

/// Seconds since the epoch to the nanosecond, of a time like `2024-06-03T01:31:03.3641063Z`.
fn seconds(time: &Value) -> String {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    format!("{}.{:09}", time.as_second(), time.subsec_nanosecond())
}

/// The messages that the originator sent, of one kind.
fn said<'r>(rows: &'r [Value], home: &Home, message: &str) -> Vec<(&'r Value, &'r Value)> {
    let mut said = Vec::new();
    for row in rows {
        let is_device = row["device"].as_str() == Some(home.mac(row, "id.orig_h"));
        for said_by in row["messages"].as_array().into_iter().flatten() {
            let sender = if is_device { "device" } else { "peer" };
            if said_by["message"] == message && said_by["sender"] == sender {
                said.push((row, said_by));
            }
        }
    }
    said.sort_by_key(|(_, message)| message["time"].as_str().unwrap().trim_end_matches('Z').to_owned());
    said
}

/// The cells of a log, by the names of its fields.
struct Log {
    path: &'static str,
    fields: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
}

/// The fields that all logs of connections begin with.
const ID: [&str; 5] = ["ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"];

/// A line about a flow at a time, with more cells.
fn line(row: &Value, time: &Value, more: Vec<Value>) -> Vec<Value> {
    let id = ID.iter().skip(1).map(|name| row[*name].clone());
    std::iter::once(json!(seconds(time))).chain(id).chain(more).collect()
}

fn log(path: &'static str, more: &[&'static str], rows: Vec<Vec<Value>>) -> Log {
    Log { path, fields: ID.iter().chain(more).copied().collect(), rows }
}

fn zeek(home: &Home) -> Vec<Log> {
    let dns = said(&home.flows, home, "dns").into_iter().flat_map(|(row, message)| {
        let questions = message["questions"].as_array().unwrap().iter();
        let cells = |question: &Value| vec![row["proto"].clone(), question["name"].clone()];
        questions.map(|question| line(row, &message["time"], cells(question))).collect::<Vec<_>>()
    });
    let ntp = said(&home.flows, home, "ntp").into_iter().map(|(row, message)| {
        line(row, &message["time"], vec![message["version"].clone(), message["mode"].clone()])
    });
    let ssl = said(&home.flows, home, "client_hello").into_iter().map(|(row, message)| {
        // As on the wire, a value that means nothing stands first.
        let suites: Vec<Value> = std::iter::once(0x2a2a).chain(suites(message)).map(Value::from).collect();
        line(row, &message["time"], vec![message["server_name"].clone(), Value::Array(suites)])
    });
    let leases =
        home.macs.iter().map(|(address, mac)| vec![json!("1717372800.000000"), json!(address), json!(mac)]);
    let leases = Log { path: "dhcp", fields: vec!["ts", "assigned_addr", "mac"], rows: leases.collect() };
    vec![
        conn(home),
        log("dns", &["proto", "query"], dns.collect()),
        log("ntp", &["version", "mode"], ntp.collect()),
        log("ssl", &["server_name", "client_ciphers"], ssl.collect()),
        leases,
    ]
}

fn conn(home: &Home) -> Log {
    let mut rows: Vec<(String, Vec<Value>)> = Vec::new();
    for row in &home.flows {
        let (proto, number) = match row["proto"].as_str().unwrap() {
            "icmpv6" => ("icmp", 58),
            "icmp" => ("icmp", 1),
            "igmp" => ("unknown_transport", 2),
            "tcp" => ("tcp", 6),
            "udp" => ("udp", 17),
            other => panic!("{other}"),
        };
        let packets = row["orig_pkts"].as_u64().unwrap() + row["resp_pkts"].as_u64().unwrap();
        let duration = if packets > 1 {
            json!(format!("{:.9}", row["duration"].as_f64().unwrap()))
        } else {
            Value::Null
        };
        let state = match row["end"].as_str().unwrap() {
            "finished" => "SF",
            "reset" => "RSTO",
            _ => "S1",
        };
        let cells = vec![
            json!(proto),
            duration,
            json!(state),
            row["orig_pkts"].clone(),
            row["orig_bytes"].clone(),
            row["resp_pkts"].clone(),
            row["resp_bytes"].clone(),
            json!([]),
            json!(home.mac(row, "id.orig_h")),
            json!(home.mac(row, "id.resp_h")),
            json!(number),
        ];
        rows.push((seconds(&row["ts"]), line(row, &row["ts"], cells)));
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let more = [
        "proto",
        "duration",
        "conn_state",
        "orig_pkts",
        "orig_ip_bytes",
        "resp_pkts",
        "resp_ip_bytes",
        "tunnel_parents",
        "orig_l2_addr",
        "resp_l2_addr",
        "ip_proto",
    ];
    log("conn", &more, rows.into_iter().map(|(_, cells)| cells).collect())
}

/// The suites of a hello.
fn suites(hello: &Value) -> Vec<u32> {
    hello["cipher_suites"].as_array().unwrap().iter().map(code).collect()
}

/// A code as the command writes it: `1301`.
fn code(suite: &Value) -> u32 {
    u32::from_str_radix(suite.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

/// Logs as files of values.
pub(crate) fn zeek_tsv(home: &Home) -> Vec<(String, String)> {
    let cell = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::Array(values) if values.is_empty() => "(empty)".to_owned(),
        Value::Array(values) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        Value::String(text) if text.is_empty() => "(empty)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let file = |log: &Log| {
        let mut text =
            "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n".to_owned();
        let fields = log.fields.join("\t");
        text.push_str(
            &["#path\t", log.path, "\n#open\t2024-06-03-00-00-00\n#fields\t", &fields, "\n"].concat(),
        );
        for row in &log.rows {
            text.push_str(&row.iter().map(cell).collect::<Vec<_>>().join("\t"));
            text.push('\n');
        }
        text.push_str("#close\t2024-06-03-03-00-00\n");
        (format!("{}.log", log.path), text)
    };
    zeek(home).iter().map(file).collect()
}

/// The same logs as JSON.
pub(crate) fn zeek_json(home: &Home) -> Vec<(String, String)> {
    let file = |log: &Log| {
        let line = |row: &Vec<Value>| {
            let values = log.fields.iter().zip(row).filter(|(_, value)| !value.is_null());
            let map: Map<String, Value> =
                values.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            Value::Object(map).to_string()
        };
        (format!("{}.log", log.path), lines(log.rows.iter().map(line)))
    };
    zeek(home).iter().map(file).collect()
}

/// EVE JSON, all events in one file.
pub(crate) fn eve(home: &Home) -> Vec<(String, String)> {
    let base = |row: &Value, time: &Value, kind: &str| {
        json!({
            "timestamp": format!("{}+0000", time.as_str().unwrap().trim_end_matches('Z')),
            "event_type": kind,
            "src_ip": row["id.orig_h"],
            "src_port": row["id.orig_p"],
            "dest_ip": row["id.resp_h"],
            "dest_port": row["id.resp_p"],
            "proto": row["proto"].as_str().unwrap().to_uppercase().replace("ICMPV6", "IPv6-ICMP"),
        })
    };
    let mut events: Vec<Value> = Vec::new();
    for row in &home.frames {
        let start: jiff::Timestamp = row["ts"].as_str().unwrap().parse().unwrap();
        let end = start + Duration::from_secs_f64(row["duration"].as_f64().unwrap());
        let mut event = base(row, &json!(end.to_string()), "flow");
        event["flow"] = json!({
            "pkts_toserver": row["orig_pkts"], "pkts_toclient": row["resp_pkts"],
            "bytes_toserver": row["orig_bytes"], "bytes_toclient": row["resp_bytes"],
            "start": start.to_string(), "end": end.to_string(), "state": "closed",
        });
        event["ether"] =
            json!({"src_macs": [home.mac(row, "id.orig_h")], "dest_macs": [home.mac(row, "id.resp_h")]});
        events.push(event);
    }
    for (row, message) in said(&home.frames, home, "dns") {
        for question in message["questions"].as_array().unwrap() {
            let mut event = base(row, &message["time"], "dns");
            event["dns"] = json!({"type": "query", "rrname": question["name"], "rrtype": "A"});
            events.push(event);
        }
    }
    for (row, message) in said(&home.frames, home, "client_hello") {
        let suites: Vec<String> = suites(message).iter().map(ToString::to_string).collect();
        let mut event = base(row, &message["time"], "tls");
        let ja3 = ["771,", &suites.join("-"), ",0-10,29,0"].concat();
        event["tls"] = json!({"sni": message["server_name"], "ja3": {"hash": "0", "string": ja3}});
        events.push(event);
    }
    events.sort_by_key(|event| event["timestamp"].as_str().unwrap().to_owned());
    vec![("eve.json".to_owned(), lines(events.iter().map(ToString::to_string)))]
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}
