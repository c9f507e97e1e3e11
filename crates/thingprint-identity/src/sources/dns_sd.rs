use std::net::IpAddr;

use thingprint_protocol::{DnsAnswer, DnsData, DnsMessage, Message, Protocol};

use super::{Claims, Heard, Reads, Record, Source};
use crate::knowledge::{PatternKind, TxtMeaning};
use crate::{Certainty, Field, Said, Statement};

/// What devices announce by multicast DNS (RFC 6762): services (RFC 6763), their names and their texts.
///
/// Questions say nothing of who asks, nor do the answers that a question brings along. A sleep proxy answers for others: what
/// comes with an address that is not the sender's is left out.
pub(super) const SOURCE: Source = Source {
    name: "dns_sd",
    title: "services announced by multicast DNS: types, names, keys of TXT records",
    reads: Reads::Messages(&[Protocol::Mdns], read),
    claims,
};

const LOCAL: &str = ".local";
/// The name that lists the types of services (RFC 6763 §9).
const SERVICE_TYPES: &str = "_services._dns-sd._udp";
/// Keys of statements that are about the device or one of its services, without a key of a TXT record.
const SERVICE: &str = "service";
const HOST_NAME: &str = "host_name";

fn read(heard: Heard<'_, '_, '_>, record: &mut Record) {
    let Message::Mdns(message) = heard.message else { return };
    let sender = heard.packet.map(|packet| packet.ip.src);
    if !message.is_response() || speaks_for_others(message, sender) {
        return;
    }
    for answer in message.answers.iter().chain(&message.additional) {
        // A record with no time to live says that it no longer holds (RFC 6762 §10.1).
        if answer.ttl_s > 0
            && let Some(name) = answer.name.strip_suffix(LOCAL)
        {
            read_record(name, answer, record);
        }
    }
}

/// Whether the records have addresses of the sender's family and its own is not among them.
fn speaks_for_others(message: &DnsMessage, sender: Option<IpAddr>) -> bool {
    let Some(sender) = sender else { return false };
    let addresses =
        message.answers.iter().chain(&message.additional).filter_map(|answer| match answer.data {
            DnsData::Address(address) if address.is_ipv4() == sender.is_ipv4() => Some(address),
            _ => None,
        });
    let addresses: Vec<IpAddr> = addresses.collect();
    !addresses.is_empty() && !addresses.contains(&sender)
}

fn read_record(name: &str, answer: &DnsAnswer, record: &mut Record) {
    match &answer.data {
        DnsData::Name(target) => {
            let Some(target) = target.strip_suffix(LOCAL) else { return };
            if name == SERVICE_TYPES {
                return record.say(SERVICE, target);
            }
            let Some((_, service)) = split(name) else { return };
            record.say(SERVICE, service);
            if let Some((instance, _)) = split(target) {
                record.say(format!("{service} instance"), instance);
            }
        }
        DnsData::Text(texts) => {
            let Some((_, service)) = split(name) else { return };
            record.say(SERVICE, service);
            // A string without a key is to be ignored (RFC 6763 §6.4).
            let pairs = texts.iter().filter_map(|text| text.split_once('='));
            for (key, value) in pairs.filter(|(key, _)| !key.is_empty()) {
                record.say(format!("{service} {}", key.to_ascii_lowercase()), value);
            }
        }
        DnsData::Service { target, .. } => {
            if let Some((instance, service)) = split(name) {
                record.say(SERVICE, service);
                record.say(format!("{service} instance"), instance);
            }
            record.say(HOST_NAME, target.strip_suffix(LOCAL).unwrap_or_default());
        }
        DnsData::Address(_) if !name.contains('.') => record.say(HOST_NAME, name),
        _ => {}
    }
}

/// The instance and the type of a service, of a name without the domain; the instance is empty in the name of a type.
fn split(name: &str) -> Option<(&str, &str)> {
    let end = name.strip_suffix("._tcp").or_else(|| name.strip_suffix("._udp"))?;
    let start = end.rfind('.').map_or(0, |at| at + 1);
    let service = name.get(start..).filter(|service| service.starts_with('_'))?;
    let instance = name.get(..start.saturating_sub(1)).unwrap_or_default();
    // A subtype (RFC 6763 §7.1) is no instance.
    Some((if instance.ends_with("._sub") { "" } else { instance }, service))
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        let value = &*statement.value;
        match &*statement.key {
            SERVICE => of_service(value, statement, claims),
            HOST_NAME => {
                claims.by_pattern((PatternKind::HostName, value), Certainty::Likely, statement);
                claims.likely(Field::Name, value, statement);
            }
            key => {
                let Some((service, key)) = key.split_once(' ') else { continue };
                of_text(service, key, statement, claims);
            }
        }
    }
}

fn of_service(service: &str, statement: &Statement, claims: &mut Claims<'_>) {
    let Some(row) = claims.knowledge().service(service) else { return };
    let import = row.import.as_deref();
    claims.add((Field::Vendor, &row.vendor), Certainty::Likely, statement, import);
    claims.add((Field::Type, &row.device_type), Certainty::Likely, statement, import);
}

fn of_text(service: &str, key: &str, statement: &Statement, claims: &mut Claims<'_>) {
    let Some(row) = claims.knowledge().txt_key(service, key) else { return };
    let (value, import) = (&*statement.value, row.import.as_deref());
    match &row.meaning {
        TxtMeaning::Field(Field::Name) => {
            claims.add((Field::Name, value), Certainty::Likely, statement, import);
        }
        TxtMeaning::Field(field) => claims.add((*field, bare(value)), Certainty::Declared, statement, import),
        TxtMeaning::VendorCode(scheme) => {
            let code = value.split('+').next().unwrap_or_default();
            if let Some(vendor) = claims.knowledge().vendor_code(scheme, code) {
                claims.add((Field::Vendor, vendor), Certainty::Declared, statement, import);
            }
        }
        TxtMeaning::TypeCode(scheme) => claims.by_type_code(scheme, value, Certainty::Declared, statement),
    }
}

/// A value without the parentheses that `product` of a printer has.
fn bare(value: &str) -> &str {
    value.strip_prefix('(').and_then(|value| value.strip_suffix(')')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_name_has_an_instance_and_a_service() {
        assert_eq!(split("hue bridge._hap._tcp"), Some(("hue bridge", "_hap._tcp")));
        assert_eq!(split("a.b._hap._tcp"), Some(("a.b", "_hap._tcp")));
        assert_eq!(split("_hap._tcp"), Some(("", "_hap._tcp")));
        assert_eq!(split("_printer._sub._http._tcp"), Some(("", "_http._tcp")));
        assert_eq!(split("lamp"), None);
        assert_eq!(split("lamp._tcp"), None);
        assert_eq!(split("._tcp"), None);
    }
}
