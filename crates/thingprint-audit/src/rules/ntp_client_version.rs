use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::view::{is_ntp_request, ntp_packets};
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "NTP-001",
    protocols: &["ntp"],
    looks_at: LooksAt::Messages,
    title: "NTP client version",
    checks: "The version in packets that ask for the time: modes 1 and 3.",
    why: "Versions before 4 are obsolete, and so is the software that speaks them; attacks on it are known.",
    example: "A sensor asks with version 3.",
    remediation: "Update the device's time client, or set it to NTP version 4.",
    operator: "Update the firmware, and look whether the device lets you choose a time client or version. \
               Otherwise ask the maker; give it a time server in your own network meanwhile.",
    values: Values::Number(&[]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, packet) in ntp_packets(flow) {
        if is_ntp_request(flow, heard, packet) {
            sightings.see(heard, &packet.version.to_string(), || format!("version {}", packet.version));
        }
    }
}
