use std::net::{Ipv4Addr, Ipv6Addr};

use super::name;
use crate::cursor::Cursor;
use crate::text::escaped;
use crate::{DnsAnswer, DnsData, DnsQuestion, Text};

/// TYPE values: RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 2782, RFC 6891 §6.1.2, RFC 9460 §14.1.
const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const OPT: u16 = 41;
const SVCB: u16 = 64;
const HTTPS: u16 = 65;
/// RFC 1002 §4.2.1.3: NB and NBSTAT; DNS has NIMLOC and SRV there.
const NETBIOS_TYPES: [u16; 2] = [32, 33];
/// RFC 1001 §14.1: sixteen bytes, each written as two letters.
const NETBIOS_NAME_LETTERS: usize = 32;

/// The part of a record before its data, and the data in place.
struct Fields<'a> {
    rtype: u16,
    ttl_s: u32,
    data_at: usize,
    data: &'a [u8],
}

/// Reads a resource record (RFC 1035 §4.1.3).
pub(super) fn read<'a>(message: &'a [u8], cursor: &mut Cursor<'a>) -> Option<DnsAnswer> {
    let name = name::read(message, cursor)?;
    let fields = read_fields(cursor).filter(|fields| !is_netbios(&name, fields.rtype))?;
    Some(DnsAnswer { name, rtype: fields.rtype, ttl_s: fields.ttl_s, data: read_data(message, &fields) })
}

/// Leaves the cursor behind a resource record, if it can be read.
pub(super) fn skip<'a>(message: &'a [u8], cursor: &mut Cursor<'a>) -> Option<()> {
    name::skip(message, cursor)?;
    read_fields(cursor).map(|_| ())
}

/// Whether this is a name of the `NetBIOS` name service (RFC 1002 §4.2.1): 32 letters A to P, of type NB or NBSTAT.
pub(super) fn is_netbios(name: &str, rtype: u16) -> bool {
    NETBIOS_TYPES.contains(&rtype)
        && name.split('.').next().is_some_and(|label| {
            label.len() == NETBIOS_NAME_LETTERS && label.bytes().all(|byte| matches!(byte, b'a'..=b'p'))
        })
}

fn read_fields<'a>(cursor: &mut Cursor<'a>) -> Option<Fields<'a>> {
    let rtype = cursor.u16().filter(|&rtype| rtype != 0)?;
    // The class of OPT is a size (RFC 6891 §6.1.2); mDNS uses the top bit of the others (RFC 6762 §10.2).
    let class = cursor.u16()?;
    if rtype != OPT && !DnsQuestion::is_plausible_class(class) {
        return None;
    }
    let ttl_s = cursor.u32()?;
    let length = cursor.u16()?;
    let data_at = cursor.position();
    let data = cursor.take(usize::from(length))?;
    Some(Fields { rtype, ttl_s, data_at, data })
}

fn read_data(message: &[u8], fields: &Fields<'_>) -> DnsData {
    let mut cursor = Cursor::new_at(message, fields.data_at);
    let data = match fields.rtype {
        A => <[u8; 4]>::try_from(fields.data)
            .ok()
            .map(|octets| DnsData::Address(Ipv4Addr::from(octets).into())),
        AAAA => <[u8; 16]>::try_from(fields.data)
            .ok()
            .map(|octets| DnsData::Address(Ipv6Addr::from(octets).into())),
        NS | CNAME | PTR => name::read(message, &mut cursor)
            .filter(|_| cursor.position() == fields.data_at + fields.data.len())
            .map(DnsData::Name),
        TXT => read_strings(fields.data).map(DnsData::Text),
        SRV => read_service(message, fields),
        SVCB | HTTPS => read_binding(message, fields),
        _ => None,
    };
    data.unwrap_or(DnsData::Other)
}

/// One or more character strings that fill the data (RFC 1035 §3.3.14).
fn read_strings(data: &[u8]) -> Option<Vec<Text>> {
    let mut cursor = Cursor::new(data);
    let strings = std::iter::from_fn(|| cursor.vector8()).map(|text| escaped(text).into()).collect();
    cursor.rest().is_empty().then_some(strings)
}

/// Priority, weight, port and target, which mDNS compresses (RFC 6762 §18.14).
fn read_service(message: &[u8], fields: &Fields<'_>) -> Option<DnsData> {
    let mut cursor = Cursor::new_at(message, fields.data_at);
    let (priority, weight, port) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
    let target = name::read(message, &mut cursor)?;
    let is_whole = cursor.position() == fields.data_at + fields.data.len();
    is_whole.then_some(DnsData::Service { priority, weight, port, target })
}

/// Priority and target; parameters follow.
fn read_binding(message: &[u8], fields: &Fields<'_>) -> Option<DnsData> {
    let mut cursor = Cursor::new_at(message, fields.data_at);
    let (priority, target) = (cursor.u16()?, name::read(message, &mut cursor)?);
    let is_inside = cursor.position() <= fields.data_at + fields.data.len();
    is_inside.then_some(DnsData::Binding { priority, target })
}
