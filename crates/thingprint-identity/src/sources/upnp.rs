use super::{Claims, Reads, Record, Source};
use crate::knowledge::PatternKind;
use crate::markup::first_texts;
use crate::{Certainty, Field, Said, Statement};

/// Descriptions that devices give over HTTP (`UPnP` Device Architecture 2.0 §2.3): of the root device, which comes first.
pub(super) const SOURCE: Source = Source {
    name: "upnp",
    title: "device descriptions of UPnP, seen in HTTP",
    reads: Reads::Documents(read),
    claims,
};

/// What names the format (§2.3).
const NAMESPACE: &str = "urn:schemas-upnp-org:device-1-0";
const KEYS: [&str; 7] = [
    "deviceType",
    "friendlyName",
    "manufacturer",
    "modelName",
    "modelNumber",
    "modelDescription",
    "roomName",
];

fn read(document: &str, record: &mut Record) {
    if document.contains(NAMESPACE) {
        for (key, value) in first_texts(document, &KEYS) {
            record.say(key, &value);
        }
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    let has_model = statements.iter().any(|(statement, _)| &*statement.key == "modelName");
    for (statement, _) in statements {
        let value = &*statement.value;
        match &*statement.key {
            "manufacturer" => claims.declared(Field::Vendor, value, statement),
            "modelName" => claims.declared(Field::Model, value, statement),
            "modelNumber" if !has_model => claims.declared(Field::Model, value, statement),
            "friendlyName" => claims.likely(Field::Name, value, statement),
            "deviceType" => {
                claims.by_pattern((PatternKind::SsdpType, value), Certainty::Likely, statement);
                claims.by_type_code("upnp", &super::ssdp::device_type(value), Certainty::Declared, statement);
            }
            _ => {}
        }
    }
}
