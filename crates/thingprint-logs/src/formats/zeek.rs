//! Logs of Zeek: `conn`, `dns`, `ssl`, `ntp` and `dhcp`, as files of values or as JSON.

use std::net::IpAddr;

use thingprint_flow::{Endpoint, FlowEnd, Tally, Timestamp};

use super::{Record, said};
use crate::event::{Connection, Event, EventKind, Host, Lease, Said};
use crate::field_text::{parse_span_ns, unescaped};
use crate::problem::LogProblem;
use crate::row::{Row, TsvHeader, TsvRow};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;

/// What of the logs is read, by the names that Zeek gives them.
const READ: [&str; 5] = ["conn", "dns", "ssl", "ntp", "dhcp"];

/// What a file holds by its name: `conn` of `conn.log`, `conn.2026-11-30-10-00-00.log.gz` and `conn_20261130.log`.
pub(super) fn path_of_name(file_name: &str) -> Option<&str> {
    let end = file_name.find(['.', '_']).unwrap_or(file_name.len());
    file_name.get(..end).filter(|path| !path.is_empty())
}

pub(super) fn is_read(path: &str) -> bool {
    READ.contains(&path)
}

/// Reads a line of a file of values, whose header it may be.
pub(super) fn line(header: &mut TsvHeader, named: &str, line: &str) -> Result<Option<Record>, LogProblem> {
    if let Some(rest) = line.strip_prefix('#') {
        return header_line(header, rest).map(|()| None);
    }
    if header.fields.is_empty() {
        return Err(if line.contains('\t') { LogProblem::NoHeader } else { LogProblem::Unknown });
    }
    let cells: Vec<&str> = line.split(header.separator).collect();
    if cells.len() != header.fields.len() {
        return Err(LogProblem::Cells { found: cells.len(), expected: header.fields.len() });
    }
    let path = if header.path.is_empty() { named } else { &header.path };
    record(path, &Row::Tsv(TsvRow { header, cells })).map(Some)
}

/// A file that was appended to by several runs of Zeek has several headers.
fn header_line(header: &mut TsvHeader, line: &str) -> Result<(), LogProblem> {
    if let Some(value) = line.strip_prefix("separator ") {
        let separator = unescaped(value.trim());
        header.separator = separator.chars().next().ok_or(LogProblem::Value("#separator"))?;
        return Ok(());
    }
    let mut cells = line.split(header.separator);
    let (name, value) = (cells.next().unwrap_or_default(), cells.next());
    let text = || value.map(str::to_owned);
    match name {
        "set_separator" => {
            header.set_separator =
                text().filter(|text| !text.is_empty()).ok_or(LogProblem::Value("#set_separator"))?;
        }
        "empty_field" => header.empty = text().unwrap_or_default(),
        "unset_field" => header.unset = text().unwrap_or_default(),
        "path" => header.path = text().unwrap_or_default(),
        "fields" => header.fields = value.into_iter().chain(cells).map(str::to_owned).collect(),
        _ => {}
    }
    Ok(())
}

/// What a record says.
pub(super) fn record(path: &str, row: &Row<'_>) -> Result<Record, LogProblem> {
    let event = match path {
        "conn" => connection(row),
        "dns" => query(row),
        "ssl" => hello(row),
        "ntp" => time_request(row),
        "dhcp" => lease(row),
        other => return Ok(Record::Unused(format!("{other}.log"))),
    };
    event.map(|event| {
        event.map_or_else(|what| Record::Unused(what.to_owned()), |event| Record::Events(vec![event]))
    })
}

/// An event, or why a record is of no use.
type Found = Result<Result<Event, &'static str>, LogProblem>;

fn connection(row: &Row<'_>) -> Found {
    // What is inside of a tunnel has a record of its own beside that of the tunnel; from packets, the outer one counts.
    if row.list("tunnel_parents").is_some_and(|parents| !parents.is_empty()) {
        return Ok(Err("connections inside of tunnels"));
    }
    let (mut from, mut to) = ends(row)?;
    let Some(protocol) = protocol(row, from.addr)? else {
        return Ok(Err("connections of unknown protocols"));
    };
    if protocol != TCP && protocol != UDP {
        // Types and codes of ICMP stand in the place of ports.
        (from.port, to.port) = (0, 0);
    }
    let first = row.time("ts")?;
    let sent = tally(row, "orig_pkts", "orig_ip_bytes")?;
    let answered = tally(row, "resp_pkts", "resp_ip_bytes")?;
    let duration_ns = match row.text("duration") {
        Some(text) => parse_span_ns(&text).ok_or(LogProblem::Value("duration"))?,
        // Of a single packet there is none.
        None if sent.packets + answered.packets <= 1 => 0,
        None => return Ok(Err("connections without a duration")),
    };
    if sent.packets + answered.packets == 0 {
        return Ok(Err("connections without a packet"));
    }
    let last = first.plus_nanos(duration_ns);
    let state = row.text("conn_state").unwrap_or_default();
    let kind = EventKind::Connection(Box::new(Connection {
        protocol,
        originator: Host { at: from, mac: row.mac("orig_l2_addr") },
        responder: Host { at: to, mac: row.mac("resp_l2_addr") },
        first,
        last,
        sent,
        answered,
        is_refused: state == "REJ",
        end: match &*state {
            "SF" => FlowEnd::Finished,
            "REJ" | "RSTO" | "RSTR" | "RSTOS0" | "RSTRH" => FlowEnd::Reset,
            _ => FlowEnd::Idle,
        },
    }));
    Ok(Ok(Event { written: last, kind }))
}

fn tally(row: &Row<'_>, packets: &'static str, bytes: &'static str) -> Result<Tally, LogProblem> {
    Ok(Tally { packets: row.needed(packets)?, bytes: row.needed(bytes)? })
}

/// The IP protocol; `None` where the log does not say which.
fn protocol(row: &Row<'_>, host: IpAddr) -> Result<Option<u8>, LogProblem> {
    Ok(match row.text("proto").as_deref() {
        Some("tcp") => Some(TCP),
        Some("udp") => Some(UDP),
        Some("icmp") => Some(if host.is_ipv6() { ICMP_V6 } else { ICMP }),
        _ => row.value("ip_proto")?,
    })
}

fn query(row: &Row<'_>) -> Found {
    let Some(name) = row.text("query") else { return Ok(Err("answers of DNS without a query")) };
    let protocol = if row.text("proto").as_deref() == Some("tcp") { TCP } else { UDP };
    said(row, protocol, said::query([&*name]))
}

fn hello(row: &Row<'_>) -> Found {
    let suites = match row.list("client_ciphers") {
        Some(codes) => codes.iter().map(|code| code.trim().parse()).collect::<Result<_, _>>(),
        None => Ok(Vec::new()),
    };
    let suites = suites.map_err(|_| LogProblem::Value("client_ciphers"))?;
    let name = row.text("server_name");
    said(row, TCP, said::hello(suites, name.as_deref()))
}

fn time_request(row: &Row<'_>) -> Found {
    let mode = row.needed("mode")?;
    if !matches!(mode, 1 | 3) {
        return Ok(Err("answers of NTP"));
    }
    said(row, UDP, said::time_request(row.value("version")?.unwrap_or(4), mode))
}

/// An address that a client got.
fn lease(row: &Row<'_>) -> Found {
    let time = row.time("ts")?;
    let address = row.value("assigned_addr")?.or(row.value("client_addr")?);
    let (Some(address), Some(mac)) = (address, row.mac("mac")) else {
        return Ok(Err("messages of DHCP without an address"));
    };
    Ok(Ok(Event { written: time, kind: EventKind::Lease(Lease { time, address, mac }) }))
}

fn said(row: &Row<'_>, protocol: u8, message: thingprint_protocol::Message) -> Found {
    let time: Timestamp = row.time("ts")?;
    let (from, to) = ends(row)?;
    let from = Host { at: from, mac: None };
    Ok(Ok(Event {
        written: time,
        kind: EventKind::Said(Box::new(Said { time, protocol, from, to, message })),
    }))
}

/// The ends of a connection: originator and responder.
fn ends(row: &Row<'_>) -> Result<(Endpoint, Endpoint), LogProblem> {
    Ok((row.endpoint("id.orig_h", "id.orig_p")?, row.endpoint("id.resp_h", "id.resp_p")?))
}
