use std::fmt;

use serde::Serialize;
use thingprint_flow::{GatewayReason, GatewayWeight, MacAddr};

/// A gateway of which it is doubtful that it is one, since it sent more packets for itself than for others, or turned to
/// hosts outside by itself: somebody may have
/// forged what makes it one, and then nothing is judged that a device does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoubtfulGateway {
    gateway: String,
    reason: GatewayReason,
    /// Packets that it sent for itself.
    own_packets: u64,
    /// Those of them to hosts outside.
    own_outside_packets: u64,
    /// Packets that it sent for others.
    others_packets: u64,
}

impl DoubtfulGateway {
    /// Why it is doubtful.
    pub fn why(&self) -> String {
        let Self { reason, own_packets, own_outside_packets, others_packets, .. } = self;
        let packets = if *own_packets == 1 { "packet" } else { "packets" };
        format!(
            "a gateway, as {reason}, though it sent {own_packets} {packets} for itself ({own_outside_packets} of them to the Internet) and \
             {others_packets} for others"
        )
    }

    /// The address of the gateway.
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// A gateway with the reason why it is taken for one, and with what it sent.
    pub fn new((mac, reason, weight): (MacAddr, GatewayReason, GatewayWeight)) -> Self {
        let GatewayWeight { own, own_outside, others, forwarded } = weight;
        // Router advertisements say nothing for who turns to hosts outside.
        let others = if own > others { others } else { forwarded };
        Self {
            gateway: mac.to_string(),
            reason,
            own_packets: own,
            own_outside_packets: own_outside,
            others_packets: others,
        }
    }
}

impl fmt::Display for DoubtfulGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (gateway, why) = (&self.gateway, self.why());
        write!(
            f,
            "{gateway} is taken for {why}; if it is a device, give it a label, or name the gateway with --gateway"
        )
    }
}
