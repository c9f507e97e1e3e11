use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;

use super::{LeftOut, text};

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
    /// What caps left out, by device.
    #[serde(default)]
    pub losses: LeftOut,
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
    /// Accounts that wait for the store: each has the updates of a moment.
    pub store_waiting: u64,
    /// What the store lost, and how long it was waited for.
    #[serde(default)]
    pub store: StoreHealth,
    /// Why the store cannot be written; `None` where it can.
    pub store_problem: Option<String>,
    /// The model that judges; `None` without one.
    pub model: Option<String>,
    /// Where events are sent, and how that goes.
    #[serde(default)]
    pub sinks: Vec<SinkHealth>,
}

/// What the store lost, and how long it was waited for, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreHealth {
    /// Windows that were dropped, since more waited than may while the store could not be written.
    pub windows_dropped: u64,
    /// Other updates that were dropped with them, and those that the store refused.
    pub updates_dropped: u64,
    /// How often writing failed and was tried again.
    pub failures: u64,
    /// How often the reading had to wait for the store.
    pub waits: u64,
    /// How long it waited, all together, in milliseconds.
    pub waited_ms: u64,
}

impl StoreHealth {
    /// Windows and other updates that are lost.
    pub const fn dropped(&self) -> u64 {
        self.windows_dropped.saturating_add(self.updates_dropped)
    }
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
    /// Flows, devices, words, messages and so on that caps left out, all together: see [`Health::losses`]; and packets that
    /// are more than a day ahead.
    pub left_out: u64,
}

/// How a source goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// Packets that were left out, since their times lie alone in the future.
    #[serde(default)]
    pub wrongly_timed: u64,
    /// How often its clock stepped back by more than 300 s.
    #[serde(default)]
    pub steps_back: u64,
    /// Packets of which only the first 256 KiB were kept.
    #[serde(default)]
    pub shortened: u64,
    /// Files that are no captures, hidden files, folders, and senders that were refused.
    #[serde(default)]
    pub left_out: u64,
    /// Captures that could not be read, or not to their end.
    #[serde(default)]
    pub unread: u64,
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
