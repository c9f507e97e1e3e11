use std::borrow::Cow;

use thingprint_protocol::{Message, Protocol};

use super::{Claims, Heard, Reads, Record, Source};
use crate::knowledge::PatternKind;
use crate::{Certainty, Said, Statement};

/// What devices announce and answer by SSDP (`UPnP` Device Architecture 2.0 §1). A search says what a device looks for, and
/// nothing of itself.
pub(super) const SOURCE: Source = Source {
    name: "ssdp",
    title: "announcements and answers of SSDP: server, device type, location",
    reads: Reads::Messages(&[Protocol::Ssdp], read),
    claims,
};

const SERVER: &str = "server";
const DEVICE_TYPE: &str = "device_type";
const UNIT: &str = "unit";

fn read(heard: Heard<'_, '_, '_>, record: &mut Record) {
    let Message::Ssdp(message) = heard.message else { return };
    let is_search = message.method.as_deref().is_some_and(|method| !method.eq_ignore_ascii_case("NOTIFY"));
    if is_search {
        return;
    }
    record.say_if(SERVER, message.server.as_ref());
    if let Some(name) = &message.unique_service_name {
        record.say(UNIT, name.split("::").next().unwrap_or_default());
    }
    let targets = [&message.notification_type, &message.search_target, &message.unique_service_name];
    for target in targets.into_iter().flatten() {
        let target = target.rsplit("::").next().unwrap_or_default();
        // A root device, a unit of its own, or a service is no type of a device.
        if !device_type(target).is_empty() || is_of_vendor(target) {
            record.say(DEVICE_TYPE, target);
        }
    }
    if let Some(location) = &message.location {
        record.say("location", &location.redacted());
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        let value = &*statement.value;
        match &*statement.key {
            SERVER => {
                claims.by_pattern((PatternKind::SsdpServer, value), Certainty::Likely, statement);
            }
            UNIT => {
                claims.by_pattern((PatternKind::SsdpType, value), Certainty::Likely, statement);
            }
            DEVICE_TYPE => {
                claims.by_pattern((PatternKind::SsdpType, value), Certainty::Likely, statement);
                claims.by_type_code("upnp", &device_type(value), Certainty::Likely, statement);
            }
            _ => {}
        }
    }
}

/// Whether a text is a target of a vendor's own kind, such as `nanoleaf:nl29`, and names no unit, service or group.
fn is_of_vendor(target: &str) -> bool {
    let others = ["uuid:", "urn:", "upnp:", "ssdp:"];
    target.contains(':') && !others.iter().any(|other| target.starts_with(other))
}

/// The type in `urn:schemas-upnp-org:device:Printer:1`, behind the organisation and a colon where another one defines it:
/// `Belkin:insight`. Empty for other texts.
pub(super) fn device_type(target: &str) -> Cow<'_, str> {
    let Some((organisation, kind)) = target.strip_prefix("urn:").and_then(|rest| rest.split_once(":device:"))
    else {
        return Cow::Borrowed(if target.starts_with("roku:") { target } else { "" });
    };
    let kind = kind.split(':').next().unwrap_or_default();
    match organisation {
        "schemas-upnp-org" => Cow::Borrowed(kind),
        _ => Cow::Owned(format!("{organisation}:{kind}")),
    }
}
