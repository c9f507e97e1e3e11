use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;

use super::text;

/// How the reading goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The clock of the packets; `None` before the first one.
    #[serde(with = "text::some_time")]
    pub clock: Option<Timestamp>,
    /// When the last packet came, by the clock of the machine: packets of another time may be played. `None` before the first
    /// one.
    #[serde(default, with = "text::some_time")]
    pub last_arrival: Option<Timestamp>,
    /// When the reading began, by the clock of the machine.
    #[serde(with = "text::some_time")]
    pub started_at: Option<Timestamp>,
    /// Packets and what became of them, of all sources.
    #[serde(flatten)]
    pub capture: CaptureHealth,
    /// Each source.
    pub sources: Vec<SourceHealth>,
    /// Devices that are known.
    pub devices: u64,
    /// Flows that are open.
    pub open_flows: u64,
    /// Resident memory in bytes; `None` where the system does not say.
    pub memory_bytes: Option<u64>,
    /// Start of the last window that was stored.
    #[serde(with = "text::some_time")]
    pub last_window: Option<Timestamp>,
    /// Updates that wait for the store.
    pub store_waiting: u64,
    /// Why the store cannot be written; `None` where it can.
    pub store_problem: Option<String>,
    /// The model that judges; `None` without one.
    pub model: Option<String>,
    /// Where events are sent, and how that goes.
    #[serde(default)]
    pub sinks: Vec<SinkHealth>,
}

/// How a sink of events goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkHealth {
    /// What it is called, without secrets: `stdout`, `file:events.jsonl`, `mqtt://broker:1883/thingprint`.
    pub name: String,
    /// Events that it took.
    pub delivered: u64,
    /// Events that wait for it.
    pub waiting: u64,
    /// Events that it never got: they did not fit into its queue, were refused, or waited too long.
    pub dropped: u64,
    /// Why the last attempt failed; `None` where it succeeded.
    pub problem: Option<String>,
    /// When it took the last event, by the clock of the machine.
    #[serde(with = "text::some_time")]
    pub last_delivery: Option<Timestamp>,
}

/// Packets and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureHealth {
    /// Packets that were read.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Packets that the system dropped, since it was read too slowly.
    pub dropped: u64,
    /// Packets that came too late for their window, and count in another.
    pub late: u64,
    /// Packets that could not be decoded.
    pub malformed: u64,
    /// Flows, devices, words and messages that a limit left out.
    pub left_out: u64,
}

/// How a source goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceHealth {
    /// What it is called: `eth0`, `tcp://sensor:57012`, a folder.
    pub name: String,
    /// Whether it delivers.
    pub state: SourceState,
    /// Why it does not; what is known beside.
    pub message: Option<String>,
    /// Packets that came from it.
    pub packets: u64,
    /// Packets that it lost; `None` where it cannot know.
    pub dropped: Option<u64>,
    /// How often it was begun again.
    pub restarts: u64,
    /// Time of its last packet.
    #[serde(with = "text::some_time")]
    pub last_packet: Option<Timestamp>,
}

/// Whether a source delivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceState {
    /// It is being opened.
    #[default]
    Starting,
    /// It delivers, or waits for packets.
    Reading,
    /// It failed, and is tried again.
    Failed,
    /// It ended.
    Ended,
}
