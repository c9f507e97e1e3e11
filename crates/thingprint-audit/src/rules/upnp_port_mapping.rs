use thingprint_flow::Flow;
use thingprint_protocol::{Heard, Message};

use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// Parts of the paths at which routers offer the services `WANIPConnection` and `WANPPPConnection`, in
/// lower case: what maps ports.
const SERVICES: [&str; 4] = ["wanipconn", "wanpppconn", "ctl/ipconn", "wanip"];

pub(super) const RULE: Rule = Rule {
    id: "UPNP-001",
    protocols: &["http"],
    looks_at: LooksAt::Messages,
    title: "UPnP port mapping",
    checks: "Whether a device speaks HTTP with the service of a router that opens ports to the Internet.",
    why: "A port that is mapped lets everybody on the Internet begin to talk to the device, past the router's firewall, and without \
          anybody in the house being asked.",
    example: "A camera posts to /ctl/IPConn of the router.",
    remediation: "Turn UPnP port mapping off in the router, and in the device; look at the router's list of mapped ports.",
    operator: "Turn UPnP port mapping (and PCP and NAT-PMP) off in the router, and delete what its list of \
               mapped ports has.",
    values: Values::Words(&["port-mapping", "other"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for heard in &flow.state.messages {
        let Message::HttpRequest(request) = &heard.message else { continue };
        let path = request.uri.redacted();
        let asked = path.to_ascii_lowercase();
        let is_mapping = SERVICES.iter().any(|service| asked.contains(service));
        let value = if is_mapping { "port-mapping" } else { "other" };
        sightings.see(heard, value, || format!("{} {path}", request.method));
    }
}
