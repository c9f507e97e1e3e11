//! EVE JSON of Suricata: events of the types `flow`, `dns`, `tls` and `dhcp`.

use serde_json::Value;
use thingprint_flow::{FlowEnd, MacAddr, Tally};
use thingprint_protocol::Message;

use super::{Record, said};
use crate::event::{Connection, Event, EventKind, Host, Lease, Said};
use crate::problem::LogProblem;
use crate::row::Row;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;

/// What a record says.
pub(super) fn record(row: &Row<'_>) -> Result<Record, LogProblem> {
    let kind = row.text("event_type").ok_or(LogProblem::Unknown)?;
    let found = match &*kind {
        "flow" => connection(row)?,
        "dns" => query(row)?,
        "tls" | "quic" => hello(row, &kind)?,
        "dhcp" => lease(row)?,
        other => Err(format!("events of type {other}")),
    };
    Ok(found.map_or_else(Record::Unused, |event| Record::Events(vec![event])))
}

/// An event, or what a record is that is of no use.
type Found = Result<Result<Event, String>, LogProblem>;

fn connection(row: &Row<'_>) -> Found {
    if row.text("tunnel.depth").is_some() {
        return Ok(Err("flows inside of tunnels".to_owned()));
    }
    let Some(protocol) = protocol(row) else { return Ok(Err("flows of unknown protocols".to_owned())) };
    let (from, to) = ends(row)?;
    let (first, last) = (row.time("flow.start")?, row.time("flow.end")?);
    let sent = tally(row, "flow.pkts_toserver", "flow.bytes_toserver")?;
    let answered = tally(row, "flow.pkts_toclient", "flow.bytes_toclient")?;
    if sent.packets + answered.packets == 0 {
        return Ok(Err("flows without a packet".to_owned()));
    }
    let state = row.text("tcp.state").unwrap_or_default();
    let is_reset = row.text("tcp.rst").as_deref() == Some("T");
    let kind = EventKind::Connection(Box::new(Connection {
        protocol,
        originator: Host { at: from, mac: macs(row, "ether.src_macs") },
        responder: Host { at: to, mac: macs(row, "ether.dest_macs") },
        first,
        last: last.max(first),
        sent,
        answered,
        // The server's side never was open, and something came back: an RST.
        is_refused: protocol == TCP
            && is_reset
            && answered.packets == 1
            && row.text("app_proto").is_none_or(|name| name == "failed"),
        end: match (is_reset, &*state) {
            (true, _) => FlowEnd::Reset,
            (false, "closed") => FlowEnd::Finished,
            (false, _) => FlowEnd::Idle,
        },
    }));
    Ok(Ok(Event { written: row.time("timestamp")?, kind }))
}

fn tally(row: &Row<'_>, packets: &'static str, bytes: &'static str) -> Result<Tally, LogProblem> {
    Ok(Tally { packets: row.needed(packets)?, bytes: row.needed(bytes)? })
}

/// The link address of a side, if it had one alone.
fn macs(row: &Row<'_>, name: &str) -> Option<MacAddr> {
    match row.list(name)?.as_slice() {
        [mac] => mac.parse().ok().filter(|mac: &MacAddr| !mac.is_group()),
        _ => None,
    }
}

fn protocol(row: &Row<'_>) -> Option<u8> {
    let name = row.text("proto")?;
    match &*name.to_ascii_lowercase() {
        "tcp" => Some(TCP),
        "udp" => Some(UDP),
        "icmp" => Some(ICMP),
        "ipv6-icmp" | "icmpv6" => Some(ICMP_V6),
        "igmp" => Some(2),
        "gre" => Some(47),
        "esp" => Some(50),
        "sctp" => Some(132),
        // What has no name has a number: `proto:002`.
        other => other.trim_start_matches("proto:").parse().ok(),
    }
}

fn query(row: &Row<'_>) -> Found {
    // Version 3 writes requests and responses, earlier ones queries and answers.
    if !matches!(row.text("dns.type").as_deref(), Some("query" | "request")) {
        return Ok(Err("answers of DNS".to_owned()));
    }
    let listed = row.records("dns.queries");
    let listed: Vec<&str> =
        listed.iter().filter_map(|query| query.get("rrname").and_then(Value::as_str)).collect();
    let one = row.text("dns.rrname");
    let names = if listed.is_empty() { one.as_deref().into_iter().collect() } else { listed };
    if names.is_empty() {
        return Ok(Err("queries of DNS without a name".to_owned()));
    }
    said(row, said::query(names))
}

fn hello(row: &Row<'_>, kind: &str) -> Found {
    let ja3 = row.text(if kind == "quic" { "quic.ja3.string" } else { "tls.ja3.string" });
    let suites = ja3.as_deref().and_then(cipher_suites).unwrap_or_default();
    let name = row.text(if kind == "quic" { "quic.sni" } else { "tls.sni" });
    if suites.is_empty() && name.is_none() {
        return Ok(Err(format!("events of type {kind} without sni and ja3")));
    }
    said(row, said::hello(suites, name.as_deref()))
}

/// The second field of a JA3 text: the offered suites in order, without GREASE.
fn cipher_suites(ja3: &str) -> Option<Vec<u32>> {
    ja3.split(',').nth(1)?.split('-').map(|code| code.parse().ok()).collect()
}

fn lease(row: &Row<'_>) -> Found {
    let time = row.time("timestamp")?;
    let acknowledged = row.text("dhcp.dhcp_type").is_none_or(|kind| kind == "ack");
    let address = row.value("dhcp.assigned_ip")?;
    match (acknowledged, address, row.mac("dhcp.client_mac")) {
        (true, Some(address), Some(mac)) if address != std::net::IpAddr::from([0, 0, 0, 0]) => {
            Ok(Ok(Event { written: time, kind: EventKind::Lease(Lease { time, address, mac }) }))
        }
        _ => Ok(Err("messages of DHCP without an address".to_owned())),
    }
}

fn said(row: &Row<'_>, message: Message) -> Found {
    let time = row.time("timestamp")?;
    let (from, to) = ends(row)?;
    let from = Host { at: from, mac: row.mac("ether.src_mac") };
    let protocol = protocol(row).unwrap_or(UDP);
    Ok(Ok(Event {
        written: time,
        kind: EventKind::Said(Box::new(Said { time, protocol, from, to, message })),
    }))
}

fn ends(row: &Row<'_>) -> Result<(thingprint_flow::Endpoint, thingprint_flow::Endpoint), LogProblem> {
    Ok((row.endpoint("src_ip", "src_port")?, row.endpoint("dest_ip", "dest_port")?))
}
