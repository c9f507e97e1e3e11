//! What is known of a network, as the store keeps it and the page shows it.

mod access;
mod device;
mod event;
mod finding;
mod health;
mod left_out;
mod request;
mod text;
mod update;
mod window;

pub use access::{EventFilter, Records, RecordsError};
pub use device::{DeviceRecord, SaidIdentity, Severities, Sighting, Standing, StandingChange, WordCount};
pub use event::{Event, EventKind, EventTopic};
pub use finding::FindingRecord;
pub use health::{CaptureHealth, Health, SinkHealth, SourceHealth, SourceState, StoreHealth};
pub use left_out::{DeviceLeftOut, LeftOut};
pub use request::{Choice, GivenLabel, Request, RequestError, Trained};
pub use thingprint_audit::Severity;
pub use update::{Account, Update};
pub use window::{WindowAnswer, WindowRecord};
