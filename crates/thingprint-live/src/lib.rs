//! Live sources of frames: an [`Intake`] takes batches of them from interfaces, streams, servers of captures and folders of
//! rotated captures, which are read side by side.
//!
//! A [`SourceSpec`] is a source as a user names it. Each source has a thread that reads it, says how it goes
//! ([`SourceHealth`]), and begins again when it fails. All frames come through one bounded channel, so that a slow engine
//! makes sources wait.
#![warn(clippy::indexing_slicing)]

mod back_off;
mod batch;
mod collector;
mod error;
mod folder;
mod health;
mod intake;
mod joined_files;
mod keep_alive;
mod outlet;
mod printable;
mod pump;
mod readiness;
mod source;
mod source_spec;
mod sources;
mod stop;
mod tcpdump;
mod watched_stream;

pub use batch::Batch;
pub use error::{LiveError, LiveErrorKind};
pub use folder::{FolderProgress, Head, ReadFile};
pub use health::{HealthBoard, Notice, SourceHealth, SourceState};
pub use intake::{Intake, IntakeOptions, Next, Progress};
use printable::printable;
pub use source_spec::SourceSpec;
pub use sources::{ClientSpec, FileSpec, FolderSpec, InterfaceSpec, ServerSpec, StdinSpec};
