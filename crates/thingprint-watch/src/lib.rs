//! What a live reading of a network gives: [`Update`]s for a store, a page and whoever is to be told, in the order in
//! which things happened.
//!
//! Nothing here waits or asks a clock: frames and the time are given.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

mod book;
mod coverage;
mod describe;
mod desk;
mod device_state;
mod findings;
mod judge;
mod known;
mod ledger;
mod loss_news;
mod mud;
mod news;
mod options;
mod reading_news;
mod records;
mod resume;
mod schedule;
mod sightings;
mod source_times;
mod speech;
mod training;
mod verdict;
mod watcher;

pub use ledger::Ledger;
pub use options::{WatchOptions, WatchStage};
pub use records::{
    Account, CaptureHealth, Choice, DeviceLeftOut, DeviceRecord, Event, EventFilter, EventKind, EventTopic,
    FindingRecord, GivenLabel, Health, LeftOut, Records, RecordsError, Request, RequestError, SaidIdentity,
    Severities, Severity, Sighting, SinkHealth, SourceHealth, SourceState, Standing, StandingChange,
    StoreHealth, Trained, Update, WindowAnswer, WindowRecord, WordCount,
};
pub use resume::{Remembered, Resume, ResumedDevice};
pub use sightings::{SightingStage, Sightings};
pub use speech::{Speech, SpeechStage};
pub use training::train;
pub use watcher::Watcher;
