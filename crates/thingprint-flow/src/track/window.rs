use serde::{Deserialize, Serialize};

use super::options::WindowLength;
use crate::Timestamp;

/// Number of a window: whole window lengths since the epoch; 0 where the window is the capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WindowIndex(pub i64);

impl WindowLength {
    /// The window that `time` lies in.
    pub fn index_of(self, time: Timestamp) -> WindowIndex {
        match self {
            Self::Span(span) => WindowIndex(time.as_nanos().div_euclid(Self::signed(span))),
            Self::Capture => WindowIndex(0),
        }
    }

    /// First nanosecond of a window; the beginning of time where the window is the capture.
    pub fn start_of(self, index: WindowIndex) -> Timestamp {
        match self {
            Self::Span(span) => Timestamp::from_nanos(index.0.saturating_mul(Self::signed(span))),
            Self::Capture => Timestamp::from_nanos(i64::MIN),
        }
    }

    /// First nanosecond after a window; the end of time where the window is the capture.
    pub fn end_of(self, index: WindowIndex) -> Timestamp {
        match self {
            Self::Span(span) => self.start_of(index).plus_nanos(Self::signed(span)),
            Self::Capture => Timestamp::from_nanos(i64::MAX),
        }
    }

    fn signed(span: u64) -> i64 {
        i64::try_from(span).unwrap_or(i64::MAX).max(1)
    }
}
