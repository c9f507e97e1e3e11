use std::collections::{BTreeMap, BTreeSet};

use thingprint_protocol::{DnsMessage, Message, Protocol, Uri};

use super::{Claims, Heard, Reads, Record, Source};
use crate::knowledge::Domain;
use crate::{Certainty, Field, Said, Statement};

/// The servers that the device turns to, by the names that it asks DNS for and gives to TLS, QUIC and HTTP servers.
pub(super) const SOURCE: Source = Source {
    name: "dns",
    title: "domains that the device turns to",
    reads: Reads::Messages(&[Protocol::Dns, Protocol::Tls, Protocol::Quic, Protocol::Http], read),
    claims,
};

/// Share of the domains of vendors that one vendor has, so that it is named: a hub talks to the clouds of many.
const NAMING_SHARE: f64 = 0.9;
/// Types of records by which a server is looked up: A, AAAA, HTTPS.
const SERVER_TYPES: [u16; 3] = [1, 28, 65];

fn read(heard: Heard<'_, '_, '_>, record: &mut Record) {
    match heard.message {
        Message::Dns(dns) => lookup(dns, record),
        Message::ClientHello(hello) => record.say_if("server", hello.server_name.as_ref()),
        Message::QuicInitial(initial) => {
            let hello = initial.client_hello.as_ref();
            record.say_if("server", hello.and_then(|hello| hello.server_name.as_ref()));
        }
        Message::HttpRequest(request) => {
            let host = request.host.as_ref().map(Uri::redacted).unwrap_or_default();
            let host = host.split(':').next().unwrap_or_default();
            // An address names nobody.
            if host.bytes().any(|byte| byte.is_ascii_alphabetic()) {
                record.say("server", host);
            }
        }
        _ => {}
    }
}

fn lookup(dns: &DnsMessage, record: &mut Record) {
    if !dns.is_plain_query() {
        return;
    }
    for question in &dns.questions {
        let is_server = SERVER_TYPES.contains(&question.qtype);
        let (_, last) = question.name.rsplit_once('.').unwrap_or_default();
        if is_server && !matches!(last, "" | "local") {
            record.say("server", &question.name);
        }
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut shown = Vec::new();
    for (statement, _) in statements {
        let Some(row) = claims.knowledge().domain(&statement.value).filter(|row| row.names_vendor()) else {
            continue;
        };
        named.entry(&row.vendor).or_default().insert(&row.name);
        shown.push((row, statement));
    }
    let has_apps = |(statement, _): &(&Statement, Said)| {
        claims.knowledge().domain(&statement.value).is_some_and(Domain::is_of_apps)
    };
    if statements.iter().any(has_apps) {
        return;
    }
    let all: usize = named.values().map(BTreeSet::len).sum();
    let Some((vendor, domains)) = named.iter().max_by_key(|(_, domains)| domains.len()) else { return };
    if (domains.len() as f64) < NAMING_SHARE * all as f64 {
        return;
    }
    for (row, statement) in shown.iter().filter(|(row, _)| *row.vendor == **vendor) {
        let import = row.import.as_deref();
        claims.add((Field::Vendor, &row.vendor), Certainty::VendorOnly, statement, import);
    }
}
