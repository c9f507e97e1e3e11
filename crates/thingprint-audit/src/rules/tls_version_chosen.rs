use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::view::{VERSIONS, see_version, server_hellos};
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "TLS-002",
    protocols: &["tls", "quic"],
    looks_at: LooksAt::Messages,
    title: "TLS version chosen",
    checks: "The version of TLS that a server chooses; in QUIC, too.",
    why: "What is chosen is what protects the connection: a good offer does not help where the server is old.",
    example: "A cloud server answers a hello of TLSv12 with TLSv10.",
    remediation: "Ask the maker to update the server; let the device refuse what is older than TLS 1.2.",
    operator: "Where the server is yours, turn everything older than TLS 1.2 off there. Where it is the \
               maker's, update the firmware and ask the maker; replace a device that gets no update any \
               more.",
    values: Values::Words(VERSIONS),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, hello) in server_hellos(flow) {
        see_version(sightings, heard, hello.negotiated_version);
    }
}
