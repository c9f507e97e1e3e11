//! Firewall rules written from MUD profiles: an [`ExportPlan`] says what passes, and each format writes it its own way.
mod basics;
mod device;
mod family;
mod format;
mod network;
mod note;
mod plan;
mod resolver;
mod rule;
mod set_names;
mod tally;
mod text;

pub use device::ExportDevice;
pub use family::NftFamily;
pub use format::{ExportFormat, Exported, ParseExportFormatError};
pub use network::ExportNetwork;
pub use note::{ExportNote, NoteKind};
pub use plan::ExportPlan;
pub use tally::RuleTally;
