use thingprint_flow::Flow;
use thingprint_protocol::{Heard, Sender};

use super::view::ssdp_messages;
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// What stands before a hop limit of IPv6, for which other numbers are usual.
const IPV6: &str = "IPv6 ";

/// The value is the time to live, or `IPv6` and the hop limit.
pub(super) const RULE: Rule = Rule {
    id: "SSDP-003",
    protocols: &["ssdp"],
    looks_at: LooksAt::Messages,
    title: "SSDP time to live",
    checks: "The time to live of each SSDP message to a group; of IPv6 the hop limit.",
    why: "With a time to live above 1 a message can leave the network; searches that travel far serve to flood victims \
          with answers.",
    example: "A sensor sends M-SEARCH with a time to live of 64.",
    remediation: "Send with a time to live of 2 or less, in IPv6 of 10 or less; let routers keep 239.255.255.250 inside.",
    operator: "Keep 239.255.255.250 and ff0x::c inside at your routers. Turn UPnP off on the device where \
               nobody needs it.",
    values: Values::Number(&[IPV6]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, message) in ssdp_messages(flow) {
        let target = if heard.sender == Sender::Device { flow.peer } else { flow.local };
        if target.addr.is_multicast() {
            let ttl = message.ip_ttl;
            if target.addr.is_ipv6() {
                sightings.see(heard, &format!("{IPV6}{ttl}"), || format!("IPv6 hop limit {ttl}"));
            } else {
                sightings.see(heard, &ttl.to_string(), || format!("time to live {ttl}"));
            }
        }
    }
}
