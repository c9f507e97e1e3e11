use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::back_off::BackOff;

/// A file that the system failed to read so often, over some two minutes, is given up.
const MOST_FAILURES: u32 = 8;
/// Files of which it is known that they were not read to their end; of more, the number stays as it is.
const MOST_FILES: usize = 100_000;

/// Files that could not be read, or not to their end.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// Those that the system failed to read, until they are read or given up.
    failing: BTreeMap<PathBuf, Failing>,
    /// Those of which something was not read so far.
    incomplete: BTreeSet<PathBuf>,
}

#[derive(Debug)]
struct Failing {
    failures: u32,
    back_off: BackOff,
    again: Instant,
}

impl Failures {
    /// Notes that the system failed to read a file; whether it is given up, since that was too often. Otherwise it is tried
    /// again after a pause, which is longer each time.
    pub(crate) fn note(&mut self, path: &Path) -> bool {
        let failing = self.failing.entry(path.to_owned()).or_insert_with(|| Failing {
            failures: 0,
            back_off: BackOff::new(),
            again: Instant::now(),
        });
        failing.failures += 1;
        failing.again = Instant::now() + failing.back_off.after(Duration::ZERO);
        let is_given_up = failing.failures >= MOST_FAILURES;
        if is_given_up {
            self.failing.remove(path);
        }
        is_given_up
    }

    /// Notes whether a file was read to its end.
    pub(crate) fn set_incomplete(&mut self, path: &Path, is_incomplete: bool) {
        if !is_incomplete {
            self.failing.remove(path);
            self.incomplete.remove(path);
        } else if self.incomplete.len() < MOST_FILES {
            self.incomplete.insert(path.to_owned());
        }
    }

    /// Whether a file is read now: it did not fail, or its pause is over.
    pub(crate) fn may_read(&self, path: &Path) -> bool {
        self.failing.get(path).is_none_or(|failing| failing.again <= Instant::now())
    }

    /// Forgets failures of files that do not lie there any more.
    pub(crate) fn keep(&mut self, is_there: impl Fn(&Path) -> bool) {
        self.failing.retain(|path, _| is_there(path));
    }

    /// How many files were not read to their end.
    pub(crate) fn incomplete(&self) -> u64 {
        self.incomplete.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_fails_is_tried_again_later_and_others_at_once() {
        let mut failures = Failures::default();
        let (bad, good) = (Path::new("bad.pcap"), Path::new("good.pcap"));
        assert!(!failures.note(bad));
        assert!(!failures.may_read(bad) && failures.may_read(good));
        // A file between two failures of another one does not make it forget them.
        assert!(!failures.note(good));
        let given_up = (2..=MOST_FAILURES).filter(|_| failures.note(bad)).count();
        assert_eq!(given_up, 1, "at the last failure");
        failures.keep(|path| path == bad);
        assert!(failures.failing.is_empty());
    }

    #[test]
    fn a_file_counts_once_until_it_is_read() {
        let mut failures = Failures::default();
        let path = Path::new("a.pcap");
        (0..3).for_each(|_| failures.set_incomplete(path, true));
        assert_eq!(failures.incomplete(), 1);
        failures.set_incomplete(path, false);
        assert_eq!(failures.incomplete(), 0);
    }
}
