use serde::Deserialize;

use super::{Kind, Player};
use crate::SimError;
use crate::play::Scene;
use crate::profile::Place;
use crate::wire::{Options, Payload, Segment, flag};

/// Another host of the network tries ports of the device in random order. All are closed: the device refuses each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortScan {
    /// The highest port that is tried, from 1 on.
    pub highest_port: u16,
}

impl Kind for PortScan {
    fn check(&self, place: &Place<'_>) -> Result<(), SimError> {
        place.field("highest_port").ensure(self.highest_port > 0, "must be 1 to 65535")
    }

    fn player(&self) -> Box<dyn Player> {
        Box::new(*self)
    }
}

impl Player for PortScan {
    fn strike(&mut self, now: i64, scene: &mut Scene) {
        let port = 1 + u16::try_from(scene.below(u32::from(self.highest_port))).unwrap_or(0);
        let path = scene.path_from_host(port);
        let seq = scene.bits32();
        let options = Options::Opening { mss: 1460, scale: None };
        let opening = Segment { seq, ack: 0, flags: flag::SYN, window: 1024, options };
        scene.segment(now, (path, false), opening, Payload::EMPTY);
        let (ack, flags) = (seq.wrapping_add(1), flag::RST | flag::ACK);
        let refusal = Segment { seq: 0, ack, flags, window: 0, options: Options::None };
        let at = now + scene.reaction();
        scene.segment(at, (path, true), refusal, Payload::EMPTY);
    }
}
