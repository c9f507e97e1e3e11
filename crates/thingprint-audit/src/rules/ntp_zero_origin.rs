use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::view::ntp_packets;
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "NTP-004",
    protocols: &["ntp"],
    looks_at: LooksAt::Messages,
    title: "NTP zero origin",
    checks: "Whether the origin time stamp of a server's response (mode 4) is zero.",
    why: "The origin repeats what the client sent, by which the client knows its own answer from a forged one. A zero \
          answers nothing: either the client sent no time, or somebody forged the packet.",
    example: "A doorbell sends a transmit time stamp of 0 and gets 0 as the origin.",
    remediation: "Let the client send a transmit time stamp, which may be random, and refuse responses that do not repeat it.",
    operator: "Update the firmware. Give the device a time server in your own network, so that nobody \
               outside can answer in its place, and ask the maker.",
    values: Values::Words(&["zero", "set"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, packet) in ntp_packets(flow).filter(|(_, packet)| packet.mode == 4) {
        let value = if packet.origin == 0 { "zero" } else { "set" };
        sightings.see(heard, value, || format!("origin {value} in a response"));
    }
}
