//! Zeros in the midst of a message that are link padding, unless the stream goes on right behind them.
use super::Stream;
use crate::stream_buffer::{StreamBuffer, steps};

/// Zeros in segments of their own that may turn out to be data.
const MOST_ZEROS: usize = u8::MAX as usize;

impl Stream<'_> {
    /// Notes a segment that looks like padding: it is data if the next segment begins behind it, as that of a sender who
    /// cuts its stream small does. Between messages it is left alone, so that padding costs no flow a buffer.
    pub(crate) fn padding(&mut self, seq: u32, bytes: usize) {
        if self.is_stopped() || self.buffer().is_none_or(StreamBuffer::is_empty) {
            return;
        }
        let edge = self.edge();
        let zeros = self.zeros();
        let distance = steps(edge, seq);
        let all = if seq == edge {
            bytes.max(zeros)
        } else if distance > 0 && distance == zeros {
            zeros + bytes
        } else {
            return;
        };
        self.set_zeros(u8::try_from(all.min(MOST_ZEROS)).unwrap_or(u8::MAX));
        self.settle_zeros(edge);
        self.state.free_if_idle();
    }

    /// Reads zeros behind `edge` where the stream goes on right behind them; forgets them where it went on at it.
    pub(super) fn settle_zeros(&mut self, edge: u32) {
        let zeros = self.zeros();
        if zeros == 0 {
            return;
        }
        let has_moved = self.is_stopped() || self.edge() != edge;
        let gap = self.buffer().and_then(|buffer| buffer.gap_at(edge));
        if !has_moved && gap != Some(zeros) {
            return;
        }
        self.set_zeros(0);
        if !has_moved {
            self.feed([0; MOST_ZEROS].get(..zeros).unwrap_or_default());
            self.read_ready();
        }
    }

    fn zeros(&self) -> usize {
        self.buffer().map_or(0, |buffer| usize::from(buffer.zeros))
    }

    fn set_zeros(&mut self, zeros: u8) {
        if let Some((buffer, _)) = self.buffer_mut() {
            buffer.zeros = zeros;
        }
    }
}
