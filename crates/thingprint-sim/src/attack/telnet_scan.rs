use serde::Deserialize;

use super::{Kind, Player};
use crate::play::Scene;
use crate::wire::{Options, Payload, Segment, flag};

/// The device looks for others to infect: it opens connections to random addresses of the Internet, as Mirai does, with
/// the destination as sequence number and without options. One address in twenty refuses; the others are silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelnetScan {
    /// The port that it tries: 23, or another where telnet listens.
    pub port: u16,
}

/// Share of the addresses that refuse.
const REFUSED: f64 = 0.05;

impl Kind for TelnetScan {
    fn player(&self) -> Box<dyn Player> {
        Box::new(*self)
    }
}

impl Player for TelnetScan {
    fn strike(&mut self, now: i64, scene: &mut Scene) {
        let stranger = scene.stranger();
        let path = scene.path_of_client(stranger, self.port);
        let seq = stranger.to_bits();
        let window = scene.bits16();
        let syn = Segment { seq, ack: 0, flags: flag::SYN, window, options: Options::None };
        scene.segment(now, (path, true), syn, Payload::EMPTY);
        if scene.happens(REFUSED) {
            let (ack, flags) = (seq.wrapping_add(1), flag::RST | flag::ACK);
            let refusal = Segment { seq: 0, ack, flags, window: 0, options: Options::None };
            let at = now + scene.round_trip();
            scene.segment(at, (path, false), refusal, Payload::EMPTY);
        }
    }
}
