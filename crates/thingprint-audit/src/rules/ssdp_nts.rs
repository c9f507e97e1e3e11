use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::view::{is_ssdp, ssdp_messages};
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// The value is the header's, or `none` where it is missing.
pub(super) const RULE: Rule = Rule {
    id: "SSDP-001",
    protocols: &["ssdp"],
    looks_at: LooksAt::Messages,
    title: "SSDP notification sub-type",
    checks: "The NTS header of each NOTIFY.",
    why: "A notification means one of a few things; any other value is a fault, or something hidden.",
    example: "A TV sends 'NTS: ssdp:resume'.",
    remediation: "Update the device, or turn its UPnP off where nobody needs it.",
    operator: "Turn UPnP off on the device where nobody needs it. Otherwise update the firmware; nothing has \
               to be blocked for this alone.",
    values: Values::Text,
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, message) in ssdp_messages(flow).filter(|(_, message)| is_ssdp(message, "NOTIFY")) {
        let value = message.notification_sub_type.as_deref().unwrap_or("none");
        sightings.see(heard, value, || value.to_owned());
    }
}
