use std::collections::VecDeque;

use serde::Deserialize;

use super::{Kind, Player};
use crate::clock::SECOND_NS;
use crate::play::Scene;
use crate::wire::{Options, Payload, Segment, flag};

/// Openings of TCP connections from addresses that never answer. The device holds up to 128 of them half open, and repeats
/// its answer after 1 and 3 seconds (RFC 6298 §2); what comes beyond is dropped in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TcpSyn {
    /// The port of the device's service.
    pub port: u16,
}

/// How many connections a device holds half open.
const BACKLOG: usize = 128;
/// After how many seconds each answer to an opening is sent, counted from the opening (RFC 6298 §2).
const ANSWERS_S: [i64; 3] = [0, 1, 3];
/// How long a half-open connection is held, in seconds: until the next answer would be due.
const HALF_OPEN_S: i64 = 7;

impl Kind for TcpSyn {
    fn device_port(&self) -> Option<u16> {
        Some(self.port)
    }

    fn player(&self) -> Box<dyn Player> {
        Box::new(Flood::default())
    }
}

#[derive(Default)]
struct Flood {
    /// When each half-open connection is given up.
    half_open: VecDeque<i64>,
}

impl Player for Flood {
    fn strike(&mut self, now: i64, scene: &mut Scene) {
        let stranger = scene.stranger();
        let path = scene.path_from(stranger);
        let [seq, own_seq] = [scene.bits32(), scene.bits32()];
        let options = Options::Opening { mss: 1460, scale: None };
        let opening = Segment { seq, ack: 0, flags: flag::SYN, window: 5840, options };
        scene.segment(now, (path, false), opening, Payload::EMPTY);
        while self.half_open.front().is_some_and(|over| *over <= now) {
            self.half_open.pop_front();
        }
        if self.half_open.len() >= BACKLOG {
            return;
        }
        self.half_open.push_back(now + HALF_OPEN_S * SECOND_NS);
        let ack = seq.wrapping_add(1);
        let answer = Segment { seq: own_seq, ack, flags: flag::SYN | flag::ACK, window: 14_600, options };
        let reaction = scene.reaction();
        for wait_s in ANSWERS_S {
            scene.segment(now + reaction + wait_s * SECOND_NS, (path, true), answer, Payload::EMPTY);
        }
    }
}
