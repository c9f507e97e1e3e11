use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::view::{is_ntp_request, ntp_packets};
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "NTP-002",
    protocols: &["ntp"],
    looks_at: LooksAt::Messages,
    title: "NTP server version",
    checks: "The version in packets that give the time: modes 2, 4 and 5.",
    why: "A server answers in the version that it was asked in, so an old one mostly means an old client.",
    example: "A time server answers with version 3.",
    remediation: "Let the client ask with version 4; where the server answers with less, choose another.",
    operator: "Give the device another time server by DHCP option 42 or in its settings, or run one in your \
               own network.",
    values: Values::Number(&[]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, packet) in ntp_packets(flow) {
        if !is_ntp_request(flow, heard, packet) {
            sightings.see(heard, &packet.version.to_string(), || format!("version {}", packet.version));
        }
    }
}
