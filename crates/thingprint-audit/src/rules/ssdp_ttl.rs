use thingprint_flow::Flow;
use thingprint_protocol::{Heard, Sender};

use super::view::ssdp_messages;
use crate::Rule;
use crate::rule::{Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "SSDP-003",
    title: "SSDP time to live",
    checks: "The IP time to live of each SSDP message to a group.",
    why: "With a time to live above 1 a message can leave the network; searches that travel far serve to flood victims \
          with answers.",
    example: "A sensor sends M-SEARCH with a time to live of 64.",
    mend: "Send with a time to live of 2 or less; let routers keep 239.255.255.250 inside.",
    values: Values::Number,
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, message) in ssdp_messages(flow) {
        let target = if heard.sender == Sender::Device { flow.peer } else { flow.local };
        if target.addr.is_multicast() {
            sightings.see(heard, &message.ip_ttl.to_string(), || format!("time to live {}", message.ip_ttl));
        }
    }
}
