use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::view::{SUITE_VALUES, see_chosen_suite, server_hellos};
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "TLS-004",
    protocols: &["tls", "quic"],
    looks_at: LooksAt::Messages,
    title: "Cipher suite chosen",
    checks: "The grade of the cipher suite that a server chooses; in QUIC, too.",
    why: "It is what protects the connection. Without forward secrecy, whoever gets the server's key can read all \
          that was ever recorded.",
    example: "A cloud server chooses 0xc027 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 (weak).",
    remediation: "Ask the maker to let its servers prefer suites with forward secrecy and authenticated encryption.",
    operator: "Where the server is yours, let it prefer suites with forward secrecy. Where it is the \
               maker's, update the firmware and ask the maker.",
    values: Values::Words(SUITE_VALUES),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, hello) in server_hellos(flow) {
        see_chosen_suite(sightings, heard, hello);
    }
}
