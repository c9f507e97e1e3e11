use thingprint_flow::Flow;
use thingprint_protocol::{Heard, Message};

use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "NTP-003",
    protocols: &["ntp"],
    looks_at: LooksAt::Messages,
    title: "NTP modes",
    checks: "The mode of each NTP packet; control messages (modes 6 and 7) included.",
    why: "Symmetric and broadcast modes let others set the clock and suit trusted peers alone; control messages tell \
          about a server and have served to flood victims.",
    example: "A hub answers a control message: mode 6.",
    remediation: "Use client and server modes; let nobody but the operator send control messages.",
    operator: "Block control and private messages (modes 6 and 7) at the router, and let only your own hosts \
               ask a time server that is yours.",
    values: Values::Number(&[]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for heard in &flow.state.messages {
        let mode = match &heard.message {
            Message::Ntp(packet) => packet.mode,
            Message::NtpControl(control) => control.mode,
            _ => continue,
        };
        sightings.see(heard, &mode.to_string(), || format!("mode {mode}{}", name(mode)));
    }
}

/// What a mode is for (RFC 5905 §7.3).
const fn name(mode: u8) -> &'static str {
    match mode {
        1 => " (symmetric active)",
        2 => " (symmetric passive)",
        3 => " (client)",
        4 => " (server)",
        5 => " (broadcast)",
        6 => " (control)",
        7 => " (private)",
        _ => "",
    }
}
