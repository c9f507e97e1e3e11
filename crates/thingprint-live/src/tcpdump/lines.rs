use std::collections::VecDeque;

/// Lines that are kept: what tcpdump says when it fails is two of them, and four of counts.
const MOST_LINES: usize = 16;
/// Bytes of a line that are kept; a filter can be repeated in one.
const LONGEST_LINE: usize = 1000;

/// The last lines of what a child says, put together from its bytes as they come.
#[derive(Debug, Default)]
pub(super) struct Lines {
    kept: VecDeque<String>,
    open: Vec<u8>,
}

impl Lines {
    /// Takes bytes, and hands over each line that ends in them.
    pub(super) fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(&str)) {
        for byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                self.end_line(&mut take);
            } else if self.open.len() < LONGEST_LINE {
                self.open.push(*byte);
            }
        }
    }

    /// Nothing comes any more: what is there without an end is a line, too.
    pub(super) fn finish(&mut self, mut take: impl FnMut(&str)) {
        self.end_line(&mut take);
    }

    /// The last lines.
    pub(super) fn kept(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.kept.iter().map(String::as_str)
    }

    fn end_line(&mut self, take: &mut impl FnMut(&str)) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.open)).trim().to_owned();
        if line.is_empty() {
            return;
        }
        take(&line);
        if self.kept.len() >= MOST_LINES {
            self.kept.pop_front();
        }
        self.kept.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_come_whole_however_their_bytes_come() {
        for size in 1..8 {
            let (mut lines, mut seen) = (Lines::default(), Vec::new());
            for chunk in b"one\r\n\n two \nrest".chunks(size) {
                lines.feed(chunk, |line| seen.push(line.to_owned()));
            }
            assert_eq!(seen, ["one", "two"]);
            lines.finish(|line| seen.push(line.to_owned()));
            assert_eq!(lines.kept().collect::<Vec<_>>(), ["one", "two", "rest"]);
        }
    }

    proptest! {
        #[test]
        fn memory_is_bounded(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
            let mut lines = Lines::default();
            (0..4).for_each(|_| lines.feed(&bytes, |_| {}));
            prop_assert!(lines.kept().count() <= MOST_LINES);
            // A byte that is no UTF-8 becomes a sign of three.
            prop_assert!(lines.kept().all(|line| line.len() <= 3 * LONGEST_LINE));
            prop_assert!(lines.open.len() <= LONGEST_LINE);
        }
    }
}
