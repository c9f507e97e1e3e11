//! Sends events to files, webhooks, syslog and MQTT, and counts them for Prometheus.
//!
//! [`Notifier`] has a thread and a bounded queue for each [`SinkSpec`], so that a slow or dead receiver holds up nothing
//! else. [`Selection`] says which events are sent at all. [`Metrics`] writes the text that Prometheus reads.
//!
//! A kind of sink is a file and a line under `sinks/`.

mod clock;
mod delivery;
mod error;
mod inbox;
mod metrics;
mod notifier;
mod options;
mod outlet;
mod roster;
mod secret;
mod selection;
mod sinks;
mod spec;

pub use error::NotifyError;
pub use metrics::{METRICS_CONTENT_TYPE, Metrics};
pub use notifier::Notifier;
pub use options::{Discovery, NotifyOptions, RetrySchedule};
pub use secret::Secret;
pub use selection::Selection;
pub use spec::SinkSpec;
