//! An [`IdentityObserver`] notes what devices say of themselves, and an [`Identity`] says who a device is by that: vendor,
//! model, type, name and system, each with the statements that it follows from.
//!
//! A [`Statement`] is what a device said, word for word. What it means is in tables, the [`Knowledge`], which come with the
//! crate as CSV. Nothing is guessed: a field of which no statement speaks is empty, and statements that contradict one
//! another are shown.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]
#![warn(clippy::indexing_slicing)]

mod answer;
mod claim;
mod class_name;
mod document;
mod error;
mod field;
mod identity;
mod import;
mod knowledge;
mod markup;
mod observer;
mod oui;
mod sources;
mod statement;
mod statements;
mod summary;

pub use answer::Answer;
pub use claim::{Certainty, Claim};
pub use class_name::{ClassName, Disagreement};
pub use error::KnowledgeError;
pub use field::Field;
pub use identity::Identity;
pub use import::{Imported, home_assistant, ieee, recog};
pub use knowledge::{DeviceType, Knowledge, TableName};
pub use observer::{FlowDocument, IdentityObserver, IdentityOptions};
pub use oui::organisation;
pub use sources::{SourceDescription, source_descriptions};
pub use statement::Statement;
pub use statements::{Said, Statements};
pub use summary::{IdentitySummary, SaidValue};
