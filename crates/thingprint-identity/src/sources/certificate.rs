use thingprint_protocol::{Message, Protocol};

use super::{Claims, Heard, Reads, Record, Source};
use crate::{Certainty, Field, Said, Statement};

/// Whom certificates name that the device shows up to TLS 1.2, as a server or as a client (RFC 5280 §4.1.2.6).
pub(super) const SOURCE: Source = Source {
    name: "certificate",
    title: "subjects of certificates that the device shows",
    reads: Reads::Messages(&[Protocol::Tls], read),
    claims,
};

fn read(heard: Heard<'_, '_, '_>, record: &mut Record) {
    let Message::Certificates(chain) = heard.message else { return };
    let Some(own) = chain.certificates.first() else { return };
    let subject = own.subject.as_deref().unwrap_or_default();
    for part in subject.split(',') {
        match part.split_once('=') {
            Some(("O", value)) => record.say("organisation", value),
            Some(("OU", value)) => record.say("unit", value),
            Some(("CN", value)) => record.say("common_name", value),
            _ => {}
        }
    }
    for name in &own.names {
        record.say("name", name);
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        match &*statement.key {
            // Who fills the field in may write anything: only what is known as a vendor counts.
            "organisation" | "unit" => {
                if let Some(vendor) = claims.knowledge().known_vendor(&statement.value) {
                    claims.likely(Field::Vendor, vendor, statement);
                }
            }
            "common_name" | "name" => {
                if let Some(domain) =
                    claims.knowledge().domain(&statement.value).filter(|row| row.names_vendor())
                {
                    let import = domain.import.as_deref();
                    claims.add((Field::Vendor, &domain.vendor), Certainty::Likely, statement, import);
                }
            }
            _ => {}
        }
    }
}
