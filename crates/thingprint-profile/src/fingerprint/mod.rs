//! Fingerprints (protocol paper, §II): what devices show of themselves, and which known device something looks like.
mod attribute;
mod collector;
mod identity;
mod known;
mod matcher;
mod shown;
mod traits;

pub use attribute::Attribute;
pub use collector::{CipherList, Fingerprints};
pub use identity::{
    Answer, Candidate, Evidence, KNOWN_COVERAGE, KNOWN_MARGIN, Likeness, MOST_SHARING, SHARED_COVERAGE,
};
pub use known::KnownDevices;
pub use matcher::Matcher;
pub use traits::Traits;
