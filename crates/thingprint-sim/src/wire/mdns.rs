use std::net::Ipv4Addr;

use super::dns::put_name;
use super::{length16, put16, put32};

/// Port of multicast DNS.
pub(crate) const PORT: u16 = 5353;
/// IPv4 group of multicast DNS.
pub(crate) const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

/// Record types, RFC 1035 §3.2.2 and RFC 2782.
const A: u16 = 1;
const PTR: u16 = 12;
const TXT: u16 = 16;
const SRV: u16 = 33;

/// The top bit of a record's class: what was known of its name before is gone (RFC 6762 §10.2).
const FLUSH: u16 = 0x8000;

/// Who offers these services?
pub(crate) fn query(services: &[String]) -> Vec<u8> {
    let mut message = Vec::with_capacity(64);
    put_head(&mut message, [0, length16(services.len()), 0, 0]);
    for service in services {
        put_name(&mut message, &format!("{service}.local"));
        put16(&mut message, PTR);
        put16(&mut message, 1);
    }
    message
}

/// A host that offers services.
pub(crate) struct Host<'a> {
    pub(crate) name: &'a str,
    pub(crate) ip: Ipv4Addr,
    pub(crate) port: u16,
    pub(crate) services: &'a [String],
}

impl Host<'_> {
    /// These services are offered here: PTR, SRV and TXT for each, and the host's address.
    pub(crate) fn announcement(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(256);
        put_head(&mut message, [0x8400, 0, length16(3 * self.services.len() + 1), 0]);
        for service in self.services {
            self.put_service(service, &mut message);
        }
        put_record(&mut message, &format!("{}.local", self.name), [A, FLUSH | 1], (120, &self.ip.octets()));
        message
    }

    fn put_service(&self, service: &str, message: &mut Vec<u8>) {
        let kind = format!("{service}.local");
        let instance = format!("{}.{kind}", self.name);
        let mut data = Vec::new();
        put_name(&mut data, &instance);
        put_record(message, &kind, [PTR, 1], (4500, &data));
        let mut data = vec![0, 0, 0, 0];
        put16(&mut data, self.port);
        put_name(&mut data, &format!("{}.local", self.name));
        put_record(message, &instance, [SRV, FLUSH | 1], (120, &data));
        put_record(message, &instance, [TXT, FLUSH | 1], (4500, b"\x09txtvers=1"));
    }
}

fn put_head(message: &mut Vec<u8>, [flags, questions, answers, rest]: [u16; 4]) {
    for number in [0, flags, questions, answers, rest, rest] {
        put16(message, number);
    }
}

fn put_record(message: &mut Vec<u8>, owner: &str, [kind, class]: [u16; 2], (ttl_s, data): (u32, &[u8])) {
    put_name(message, owner);
    put16(message, kind);
    put16(message, class);
    put32(message, ttl_s);
    put16(message, length16(data.len()));
    message.extend_from_slice(data);
}
