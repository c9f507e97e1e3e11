use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use thingprint_flow::{DecodeCounts, Decoder, Frame, LinkType, PlacedPacket, Timestamp};
use thingprint_pipeline::{PacketReader, ReadEnd, Source};
use thingprint_sim::{Attack, Home, Simulation, SimulationOptions};

/// A simulation as a source of packets, decoded as it is played, without a capture in between.
pub(super) struct Played {
    simulation: Mutex<Option<Simulation>>,
}

/// Plays a simulation.
pub(super) struct Player {
    simulation: Option<Simulation>,
    decoder: Decoder,
}

impl Played {
    /// A home at play, with some of its devices attacked.
    pub(super) fn new(home: &Home, options: SimulationOptions, attacks: &[Attack]) -> anyhow::Result<Self> {
        let simulation = Simulation::with_attacks(home, options, attacks).context("failed to simulate")?;
        Ok(Self { simulation: Mutex::new(Some(simulation)) })
    }
}

impl Source for Played {
    type Reader = Player;

    fn open(&self) -> Player {
        let simulation = self.simulation.lock().unwrap_or_else(PoisonError::into_inner).take();
        Player { simulation, decoder: Decoder::default() }
    }

    fn is_rewindable(&self) -> bool {
        false
    }
}

impl PacketReader for Player {
    fn next_packet(&mut self) -> Option<PlacedPacket<'_>> {
        let frame = self.simulation.as_mut()?.next_frame()?;
        let frame = Frame {
            time: Timestamp::from_nanos(frame.time_ns),
            link: LinkType::Ethernet,
            wire_bytes: frame.original_bytes,
            bytes: frame.bytes,
            ..Frame::default()
        };
        Some(PlacedPacket { capture: 0, frame, packet: self.decoder.decode(frame) })
    }

    fn bytes_read(&self) -> u64 {
        0
    }

    fn end(mut self) -> ReadEnd {
        self.decoder.finish();
        let counts: DecodeCounts = self.decoder.counts().clone();
        ReadEnd { counts, ..ReadEnd::default() }
    }
}
