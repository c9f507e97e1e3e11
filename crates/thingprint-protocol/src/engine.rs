use thingprint_flow::{Ip, Transport};

use crate::phase::Phase;
use crate::stream::Stream;
use crate::{Budget, Inspection, Limits, Message, Sender, datagram};

/// Looks at the payloads of flows and finds messages in them: by content, on any port.
///
/// It holds no state of its own, so one engine serves every thread; what a flow needs remembered is its
/// [`Inspection`], and what all flows of a table share is a [`Budget`].
///
/// ```
/// use std::net::Ipv4Addr;
/// use thingprint_flow::{Ip, Transport};
/// use thingprint_protocol::{Engine, Inspection, Message, Sender};
///
/// let payload = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04Lamp\x07example\0\0\x01\0\x01";
/// let packet = Ip {
///     src: Ipv4Addr::new(192, 0, 2, 7).into(),
///     dst: Ipv4Addr::new(192, 0, 2, 1).into(),
///     ttl: 64,
///     total_bytes: 58,
///     transport: Transport::Udp,
///     src_port: 49152,
///     dst_port: 8053,
///     payload,
///     payload_bytes: 30,
/// };
/// let engine = Engine::default();
/// let mut budget = engine.budget();
/// let mut state = Inspection::default();
/// let mut names = Vec::new();
/// engine.inspect(&packet, Sender::Device, &mut state, &mut budget, &mut |message| {
///     if let Message::Dns(query) = message {
///         names.extend(query.questions.into_iter().map(|question| question.name));
///     }
/// });
/// assert_eq!(names, ["lamp.example"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Engine {
    limits: Limits,
}

impl Engine {
    /// An engine with these caps.
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// A budget of as many bytes as the limits allow, for the flows of one table.
    pub const fn budget(&self) -> Budget {
        Budget::new(self.limits.buffered_bytes)
    }

    /// Looks at one packet of a flow, in place, and calls `found` for each message that it completes.
    ///
    /// Empty payloads, and those of flows from which nothing more is wanted, cost a comparison or two.
    #[inline]
    pub fn inspect(
        &self,
        packet: &Ip<'_>,
        sender: Sender,
        state: &mut Inspection,
        budget: &mut Budget,
        found: &mut dyn FnMut(Message),
    ) {
        match packet.transport {
            Transport::Tcp(segment) => {
                let is_wanted = !packet.payload.is_empty() && *state.phase.of(sender) != Phase::Done;
                if is_wanted || segment.flags.syn() {
                    Stream { limits: &self.limits, state, sender, budget, found }.segment(packet, segment);
                }
            }
            Transport::Udp => {
                let is_open = state.protocol.is_some() || state.strays < self.limits.undecided_payloads;
                if is_open && !packet.payload.is_empty() {
                    inspect_datagram(packet, state, found);
                }
            }
            Transport::Other(_) => {}
        }
    }
}

fn inspect_datagram(packet: &Ip<'_>, state: &mut Inspection, found: &mut dyn FnMut(Message)) {
    match datagram::parse(packet, state.protocol) {
        Some(message) => {
            state.protocol = Some(message.protocol());
            found(message);
        }
        None if state.protocol.is_none() => state.strays = state.strays.saturating_add(1),
        None => {}
    }
}
