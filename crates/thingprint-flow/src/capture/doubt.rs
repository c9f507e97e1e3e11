use super::clock::{CONFIRMING, Held, STEP_NS};
use crate::Timestamp;

/// A frame whose capture ended before its time was confirmed, among other captures.
#[derive(Debug)]
pub(super) struct Doubtful {
    /// Place of the capture in what was given.
    pub(super) index: usize,
    /// Place of the capture in the order of first frames.
    pub(super) rank: usize,
    pub(super) held: Held,
    /// The highest clock of its capture where that ended.
    pub(super) end: Timestamp,
    /// The name of the capture.
    pub(super) name: String,
}

/// What other captures say of doubtful frames.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) believed: Vec<Doubtful>,
    /// Frames that lie alone in the future.
    pub(super) contradicted: u64,
}

/// Whether two times need no confirmation of one by the other.
#[inline]
pub(super) const fn is_near(time: Timestamp, other: Timestamp) -> bool {
    time.nanos_since(other).unsigned_abs() <= STEP_NS.unsigned_abs()
}

/// Decides about frames far from the clock, in the order in which they come, before a frame of time `next`.
///
/// A frame ahead is believed if a confirmed one follows within 300 s, or if three of these agree; and else where no other
/// capture went on behind the end of its own. Frames behind begin a segment where nothing follows, and are late else.
pub(super) fn judge(doubtful: Vec<Doubtful>, clock: Timestamp, next: Option<Timestamp>) -> Judged {
    let ahead: Vec<Timestamp> =
        doubtful.iter().map(|frame| frame.held.time).filter(|time| *time > clock).collect();
    let is_believed = |frame: &Doubtful| {
        let time = frame.held.time;
        let agreeing = ahead.iter().filter(|other| is_near(**other, time)).count();
        let is_confirmed = next.is_some_and(|next| is_near(next, time)) || agreeing >= CONFIRMING;
        time <= clock || is_confirmed || clock <= frame.end
    };
    let mut judged = Judged::default();
    for mut frame in doubtful {
        frame.held.begins_segment &= next.is_none();
        if is_believed(&frame) {
            judged.believed.push(frame);
        } else {
            judged.contradicted += 1;
        }
    }
    judged
}
