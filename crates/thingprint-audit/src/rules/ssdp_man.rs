use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::view::{is_ssdp, ssdp_messages};
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// The value is the header's, quotation marks included, or `none` where it is missing.
pub(super) const RULE: Rule = Rule {
    id: "SSDP-002",
    protocols: &["ssdp"],
    looks_at: LooksAt::Messages,
    title: "SSDP search type",
    checks: "The MAN header of each M-SEARCH.",
    why: "A search means one thing alone; any other value is a fault, or something hidden.",
    example: "A speaker sends 'MAN: ssdp:discover', without the quotation marks that belong to it.",
    remediation: "Update the device, or turn its UPnP off where nobody needs it.",
    operator: "Turn UPnP off on the device where nobody needs it. Otherwise update the firmware; nothing has \
               to be blocked for this alone.",
    values: Values::Text,
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, message) in ssdp_messages(flow).filter(|(_, message)| is_ssdp(message, "M-SEARCH")) {
        let value = message.search_type.as_deref().unwrap_or("none");
        sightings.see(heard, value, || value.to_owned());
    }
}
