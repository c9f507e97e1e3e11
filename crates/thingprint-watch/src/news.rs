//! What happened, in words and with its evidence.

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use thingprint_change::{Alarm, Change, DayChange, Excess, NetworkEvent};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_identity::Disagreement;
use thingprint_table::rfc3339;

use crate::book::Happened;
use crate::known::NewWords;
use crate::records::{EventKind, SaidIdentity, Severity, Sighting, Standing, StandingChange};

/// What happened, put together.
pub(crate) fn happened(
    (at, kind, severity): (Timestamp, EventKind, Severity),
    device: Option<DeviceId>,
    subject: &str,
    (text, evidence): (String, Map<String, Value>),
) -> Happened {
    Happened { at, kind, severity, device, subject: subject.to_owned(), text, evidence }
}

/// A device was seen for the first time.
pub(crate) fn new_device(sighting: &Sighting, label: Option<&str>) -> Happened {
    let device = sighting.device;
    let says = || sighting.identity.as_ref()?.summary.in_short();
    let name = label.or(sighting.host_name.as_deref()).map(str::to_owned).or_else(says);
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    let address = sighting.addresses.first().map(|address| format!(" at {address}")).unwrap_or_default();
    let text = format!("New device {device}{name}{address}");
    let evidence = object(json!({
        "addresses": sighting.addresses,
        "label": label,
        "host_name": sighting.host_name,
        "vendor_class": sighting.vendor_class,
        "first_seen": rfc3339::format(sighting.first_seen),
    }));
    let when = (sighting.first_seen, EventKind::NewDevice, Severity::Warning);
    happened(when, Some(device), "device", (text, evidence))
}

/// A device has an address that it did not have before.
pub(crate) fn new_address(sighting: &Sighting, name: &str, address: IpAddr) -> Happened {
    let when = (sighting.last_seen, EventKind::NewAddress, Severity::Note);
    let text = format!("{name} has the address {address}");
    let evidence = object(json!({ "address": address, "addresses": sighting.addresses }));
    happened(when, Some(sighting.device), &address.to_string(), (text, evidence))
}

/// A device turned out to be a gateway.
pub(crate) fn gateway(sighting: &Sighting, name: &str) -> Happened {
    let reason = sighting.gateway.as_deref().unwrap_or_default();
    let text = format!("{name} is a gateway: what it forwards is no longer taken for its own");
    let evidence = object(json!({ "gateway": reason, "addresses": sighting.addresses }));
    let when = (sighting.last_seen, EventKind::BecameGateway, Severity::Note);
    happened(when, Some(sighting.device), "gateway", (text, evidence))
}

/// What was taken for a gateway is a device after all.
pub(crate) fn no_gateway(sighting: &Sighting, name: &str) -> Happened {
    let text = format!(
        "{name} is a device: few packets made it a gateway, which somebody may have forged, and its windows until now are missing; give it a \
         label, or name the gateway with --gateway"
    );
    let evidence = object(json!({ "addresses": sighting.addresses }));
    let when = (sighting.last_seen, EventKind::GatewayDoubtful, Severity::Warning);
    happened(when, Some(sighting.device), "no gateway", (text, evidence))
}

/// Another verdict stands.
pub(crate) fn verdict(change: &StandingChange, standing: &Standing, name: &str) -> Happened {
    let StandingChange { device, at, from, to, confidence } = change;
    let class = |class: &Option<String>| class.clone().unwrap_or_else(|| "unknown".to_owned());
    let (kind, severity, text) = match (from, to) {
        (Some(from), None) => {
            (EventKind::BecameUnknown, Severity::Warning, format!("{name} is not like {from} any more"))
        }
        // More windows made the answer sure.
        (None, Some(to)) => {
            (EventKind::VerdictChanged, Severity::Note, format!("{name} is {to}; it was unknown before"))
        }
        (from, to) => {
            let text = format!("{name} is {}; it was {}", class(to), class(from));
            (EventKind::VerdictChanged, Severity::Warning, text)
        }
    };
    let evidence = object(json!({
        "from": from,
        "class": to,
        "best_guess": standing.best_guess,
        "confidence": confidence,
        "likeness": standing.likeness,
        "reason": standing.reason,
        "windows": standing.windows,
    }));
    let subject =
        format!("{} > {}", from.as_deref().unwrap_or("unknown"), to.as_deref().unwrap_or("unknown"));
    happened((*at, kind, severity), Some(*device), &subject, (text, evidence))
}

/// What a device says of itself contradicts its class.
pub(crate) fn contradiction(
    (device, at): (DeviceId, Timestamp),
    (name, class): (&str, &str),
    identity: &SaidIdentity,
) -> Happened {
    let told: Vec<String> = identity.contradictions.iter().map(ToString::to_string).collect();
    let text = format!("{name} behaves like {class} and says otherwise: {}", told.join("; "));
    let evidence = object(json!({
        "class": class,
        "contradictions": identity.contradictions,
        "identity": identity.summary,
        "ended_at": null,
    }));
    let when = (at, EventKind::IdentityContradicted, Severity::Warning);
    happened(when, Some(device), &contradiction_subject(&identity.contradictions), (text, evidence))
}

/// What a device says of itself does not contradict its class any more.
pub(crate) fn agreement((device, at): (DeviceId, Timestamp), name: &str, ended: &str) -> Happened {
    let text = format!("{name} no longer says otherwise than it behaves: {ended}");
    let evidence = object(json!({ "ended": ended, "ended_at": rfc3339::format(at) }));
    let when = (at, EventKind::IdentityAgrees, Severity::Note);
    happened(when, Some(device), &rfc3339::format(at), (text, evidence))
}

/// What a contradiction is about, whoever says it and how surely.
pub(crate) fn contradiction_subject(contradictions: &[Disagreement]) -> String {
    let about = |one: &Disagreement| format!("{} {}, not {}", one.field, one.said, one.of_class);
    contradictions.iter().map(about).collect::<Vec<_>>().join("; ")
}

/// A device used words that it had not used before.
pub(crate) fn new_words((device, at): (DeviceId, Timestamp), name: &str, new: &NewWords) -> Happened {
    let NewWords { kind, words, count, is_last } = new;
    let what = if *kind == EventKind::NewDomain { "looked up" } else { "turned to port" };
    let more = count - words.len();
    let mut text = format!("{name} {what} {} for the first time", words.join(", "));
    if more > 0 {
        text = format!("{name} {what} {} and {more} more for the first time", words.join(", "));
    }
    if *is_last {
        text.push_str("; no further ones are remembered, so none will be reported");
    }
    let evidence = object(json!({ "words": words, "count": count, "window_start": rfc3339::format(at) }));
    let subject = words.first().map_or("", String::as_str);
    happened((at, *kind, Severity::Note), Some(device), subject, (text, evidence))
}

/// A device fell silent, or came back.
pub(crate) fn presence((device, at): (DeviceId, Timestamp), name: &str, is_back: bool) -> Happened {
    let (kind, text) = if is_back {
        (EventKind::CameBack, format!("{name} is seen again"))
    } else {
        (EventKind::WentSilent, format!("{name} was there in every window and is silent"))
    };
    let evidence = object(json!({ "last_seen": rfc3339::format(at) }));
    let subject = rfc3339::format(at);
    happened((at, kind, Severity::Note), Some(device), &subject, (text, evidence))
}

/// The clock of the packets stepped back.
pub(crate) fn clock_stepped(before: Timestamp, now: Timestamp) -> Happened {
    let (before, after) = (rfc3339::format(before), rfc3339::format(now));
    let text = format!(
        "The clock of the packets stepped back from {before} to {after}: flows ended there, and windows of that time may \
         be in two pieces"
    );
    let evidence = object(json!({ "before": before, "after": after }));
    happened((now, EventKind::ClockStepped, Severity::Warning), None, &after, (text, evidence))
}

/// Something is not as it was.
pub(crate) fn change(change: Change, name: impl Fn(DeviceId) -> String) -> Happened {
    match change {
        Change::Alarm(alarm) => alarmed(&alarm, &name(alarm.device)),
        Change::Network(NetworkEvent { window_start, devices_seen, alarms }) => {
            let devices: Vec<String> = alarms.iter().map(|alarm| alarm.device.to_string()).collect();
            let text = format!(
                "{} of {devices_seen} devices changed in one window: an outage, another router, or a scan",
                devices.len()
            );
            let start = rfc3339::format(window_start);
            let evidence =
                object(json!({ "window_start": start, "devices": devices, "devices_seen": devices_seen }));
            let when = (window_start, EventKind::NetworkChanged, Severity::Warning);
            happened(when, None, &start, (text, evidence))
        }
        Change::Day(DayChange { device, day, words }) => {
            let named: Vec<String> =
                words.iter().map(|word| format!("{} {}", word.bag.name(), word.word)).collect();
            let text = format!("{} changed for a day: {}", name(device), first_of(&named));
            let day_text = rfc3339::format(day);
            let evidence = object(json!({ "day": day_text, "words": named }));
            let when = (day, EventKind::BehaviourChanged, Severity::Note);
            happened(when, Some(device), &format!("day {day_text}"), (text, evidence))
        }
    }
}

fn alarmed(alarm: &Alarm, name: &str) -> Happened {
    let Alarm { device, window_start, excesses } = alarm;
    let of = |excess: &Excess| {
        let words: Vec<&str> = excess.words.iter().map(|new| new.word.as_str()).collect();
        json!({
            "measure": excess.measure.name(),
            "value": excess.value,
            "limit": excess.limit,
            "words": words,
            "new_words": excess.new_words,
        })
    };
    let named: Vec<String> = excesses
        .iter()
        .map(|excess| format!("{} {:.0} (usual up to {:.0})", excess.measure, excess.value, excess.limit))
        .collect();
    let start = rfc3339::format(*window_start);
    let text = format!("{name} did what it had not done before: {}", first_of(&named));
    let evidence = object(json!({
        "window_start": start,
        "excesses": excesses.iter().map(of).collect::<Vec<_>>(),
    }));
    let when = (*window_start, EventKind::BehaviourChanged, Severity::Warning);
    happened(when, Some(*device), &start, (text, evidence))
}

/// The first few of a list, and how many more there are.
fn first_of(named: &[String]) -> String {
    /// Most that are named in a sentence.
    const MOST: usize = 4;
    let mut shown: Vec<String> = named.iter().take(MOST).cloned().collect();
    if named.len() > MOST {
        shown.push(format!("{} more", named.len() - MOST));
    }
    shown.join("; ")
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
