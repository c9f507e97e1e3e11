//! A [`Pipeline`] reads the packets of a [`Source`] once and runs [`Stage`]s over them: packets are decoded once, shared
//! among the flow tables of 64 shards on all cores, detected once for all stages, and rows come out as they become
//! final.
//!
//! ```
//! use std::io::Cursor;
//! use thingprint_flow::{Capture, CaptureWriter, Timestamp};
//! use thingprint_instance::InstanceOptions;
//! use thingprint_pipeline::{Captures, Event, InstanceStage, Pipeline};
//!
//! let file = CaptureWriter::new(Vec::new())?.finish()?;
//! let source = Captures::new(true, move || {
//!     let file = file.clone();
//!     vec![Capture::new("home.pcap", move || Ok(Box::new(Cursor::new(file.clone()))))]
//! });
//! let mut instances = Vec::new();
//! let run = Pipeline::default().run(&source, &InstanceStage::new(InstanceOptions::default()), |event| {
//!     if let Event::Rows(rows) = event {
//!         instances.extend(rows);
//!     }
//!     Ok::<_, std::convert::Infallible>(())
//! });
//! # let Ok(run) = run;
//! assert_eq!((run.summary.read.frames, instances.len()), (0, 0));
//! # Ok::<(), std::io::Error>(())
//! ```
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

mod ahead;
mod batch;
mod capture_spans;
mod community_id;
mod edges;
mod event;
mod first_frames;
mod first_packets;
mod gateway_ends;
mod gateways;
mod given_gateways;
mod live;
mod network_survey;
mod parallel;
mod pending;
mod pipeline;
mod progress;
mod recent;
mod relayed;
mod router;
mod sequential;
mod shard;
mod sharding;
mod simulated;
mod source;
mod stage;
mod stages;
mod summary;
mod surplus;
mod top_counts;
mod unowned;
mod window_so_far;

pub use capture_spans::CaptureSpans;
pub use community_id::community_id;
pub use edges::add_edges;
pub use event::Event;
pub use given_gateways::{GivenFault, GivenGateways, GivenNote};
pub use live::{Live, LiveShard};
pub use network_survey::NetworkSurvey;
pub use pipeline::{Pipeline, Run};
pub use progress::{NoProgress, Progress};
pub use relayed::{RelayedClient, RelayedClients};
pub use sequential::FrameTap;
pub use sharding::Sharding;
pub use simulated::{Simulated, SimulatedReader};
pub use source::{Captures, PacketReader, ReadEnd, Source};
pub use stage::{End, Stage};
pub use stages::{
    FlowId, FlowObserver, FlowRow, FlowStage, IdentityStage, InstanceStage, InventoryStage, PartStage,
    VantageStage,
};
pub use summary::{ReadSummary, Summary};
pub use unowned::Unowned;
pub use window_so_far::{Kept, WindowSoFar};
