use std::sync::{Mutex, PoisonError};

use thingprint_flow::{DecodeCounts, Decoder, Frame, LinkType, PlacedPacket, Timestamp};
use thingprint_sim::Simulation;

use crate::source::{PacketReader, ReadEnd, Source};

/// A simulation as a source of packets, decoded as it is played, without a capture in between.
pub struct Simulated {
    simulation: Mutex<Option<Simulation>>,
}

/// Plays a simulation.
pub struct SimulatedReader {
    simulation: Option<Simulation>,
    decoder: Decoder,
}

impl From<Simulation> for Simulated {
    fn from(simulation: Simulation) -> Self {
        Self { simulation: Mutex::new(Some(simulation)) }
    }
}

impl Source for Simulated {
    type Reader = SimulatedReader;

    /// The simulation; nothing is left of it for a second reading.
    fn open(&self) -> SimulatedReader {
        let simulation = self.simulation.lock().unwrap_or_else(PoisonError::into_inner).take();
        SimulatedReader { simulation, decoder: Decoder::default() }
    }

    fn is_rewindable(&self) -> bool {
        false
    }
}

impl PacketReader for SimulatedReader {
    fn next_packet(&mut self) -> Option<PlacedPacket<'_>> {
        let frame = self.simulation.as_mut()?.next_frame()?;
        let frame = Frame {
            time: Timestamp::from_nanos(frame.time_ns),
            link: LinkType::Ethernet,
            wire_bytes: frame.original_bytes,
            bytes: frame.bytes,
            ..Frame::default()
        };
        Some(PlacedPacket { capture: 0, frame, packet: self.decoder.decode(frame), block: None })
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
