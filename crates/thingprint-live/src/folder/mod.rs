//! A folder into which captures are rotated: which files there are, which were read, and one that grows.

mod candidate;
mod catalog;
mod failures;
mod growing;
mod head;
mod listing;
mod progress;

pub(crate) use candidate::Candidate;
pub(crate) use catalog::Catalog;
pub(crate) use failures::Failures;
pub(crate) use growing::{Growing, GrowingEnd, Watch};
pub use head::Head;
pub(crate) use listing::LISTING_SHARE;
pub use progress::{FolderProgress, ReadFile};
