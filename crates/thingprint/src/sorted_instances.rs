//! Instances in order, however many there are.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, Write};

use anyhow::Context;
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{Labeled, read_spooled, write_spooled};

use crate::messages::Messages;
use crate::temporary::{temporary_file, unwritten};

/// Bytes of instances that wait in memory; beyond that they wait, sorted, in a temporary file.
const MOST_BYTES: usize = 256 << 20;
/// What a buffer of a temporary file takes: there may be hundreds of them.
const BUFFER_BYTES: usize = 64 << 10;

/// Puts instances into the order of devices, windows and captures; a row that comes again, to the last digit, counts once.
#[derive(Debug)]
pub(crate) struct SortedInstances {
    budget_bytes: usize,
    waiting: Vec<Labeled>,
    waiting_bytes: usize,
    /// Sorted instances in temporary files.
    runs: Vec<File>,
    /// Whether a row has a label, and whether one has a capture.
    has: Has,
}

/// What some row has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Has {
    pub(crate) labels: bool,
    pub(crate) captures: bool,
}

/// The instances in their order. Those that are equal come once.
#[derive(Debug)]
pub(crate) struct SortedRows {
    runs: Vec<RunReader>,
    /// The different rows of a device, window and capture, nearly always one.
    same: VecDeque<Labeled>,
    repeats: Repeats,
}

/// Rows of devices and windows of which other rows were, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repeats {
    /// Equal to the other one.
    equal: u64,
    /// Different from it.
    similar: u64,
}

/// What is left of a sorted run, the next row first.
#[derive(Debug)]
struct RunReader {
    next: Labeled,
    rest: Rest,
}

#[derive(Debug)]
enum Rest {
    Memory(std::vec::IntoIter<Labeled>),
    File(BufReader<File>),
}

impl Default for SortedInstances {
    fn default() -> Self {
        Self::within(MOST_BYTES)
    }
}

impl SortedInstances {
    /// For what needs all instances in memory anyway.
    pub(crate) const fn in_memory() -> Self {
        Self::within(usize::MAX)
    }

    /// Of no instance yet, so many bytes of which wait in memory.
    const fn within(budget_bytes: usize) -> Self {
        Self {
            budget_bytes,
            waiting: Vec::new(),
            waiting_bytes: 0,
            runs: Vec::new(),
            has: Has { labels: false, captures: false },
        }
    }

    /// Takes an instance.
    pub(crate) fn push(&mut self, row: Labeled) -> anyhow::Result<()> {
        self.has.labels |= row.label.is_some();
        self.has.captures |= row.instance.capture.is_some();
        self.waiting_bytes += row.memory_bytes();
        self.waiting.push(row);
        if self.waiting_bytes < self.budget_bytes {
            return Ok(());
        }
        self.spill()
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        *self = Self::within(self.budget_bytes);
    }

    /// What some row has.
    pub(crate) const fn has(&self) -> Has {
        self.has
    }

    /// The instances in their order.
    pub(crate) fn into_rows(mut self) -> anyhow::Result<SortedRows> {
        sort(&mut self.waiting);
        let files =
            self.runs.into_iter().map(|file| Rest::File(BufReader::with_capacity(BUFFER_BYTES, file)));
        // Of equal rows those come first that came first.
        let rests = files.chain([Rest::Memory(self.waiting.into_iter())]);
        let runs: Result<Vec<_>, _> = rests.filter_map(|rest| RunReader::of(rest).transpose()).collect();
        Ok(SortedRows { runs: runs?, same: VecDeque::new(), repeats: Repeats::default() })
    }

    fn spill(&mut self) -> anyhow::Result<()> {
        sort(&mut self.waiting);
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, temporary_file()?);
        for row in self.waiting.drain(..) {
            write_spooled(&row, &mut file).with_context(unwritten)?;
        }
        file.flush().with_context(unwritten)?;
        let mut file = file.into_inner()?;
        file.rewind()?;
        self.runs.push(file);
        self.waiting_bytes = 0;
        Ok(())
    }
}

impl RunReader {
    fn of(mut rest: Rest) -> anyhow::Result<Option<Self>> {
        Ok(rest.next()?.map(|next| Self { next, rest }))
    }
}

impl Rest {
    fn next(&mut self) -> anyhow::Result<Option<Labeled>> {
        match self {
            Self::Memory(rows) => Ok(rows.next()),
            Self::File(file) => read_spooled(file).context("failed to read a temporary file"),
        }
    }
}

impl SortedRows {
    /// What came more than once, so far.
    pub(crate) const fn repeats(&self) -> Repeats {
        self.repeats
    }

    /// The next row, whether it came before or not.
    fn take_next(&mut self) -> anyhow::Result<Option<Labeled>> {
        let runs = self.runs.iter().enumerate();
        let Some((at, _)) = runs.min_by(|(_, a), (_, b)| key(&a.next).cmp(&key(&b.next))) else {
            return Ok(None);
        };
        let Some(run) = self.runs.get_mut(at) else { return Ok(None) };
        match run.rest.next()? {
            Some(next) => Ok(Some(std::mem::replace(&mut run.next, next))),
            None => Ok(Some(self.runs.remove(at).next)),
        }
    }

    fn next_new(&mut self) -> anyhow::Result<Option<Labeled>> {
        if self.same.is_empty() {
            let next = self.take_next()?;
            self.same.extend(next);
            while self.goes_on() {
                let Some(row) = self.take_next()? else { break };
                if self.same.contains(&row) {
                    self.repeats.equal += 1;
                } else {
                    self.repeats.similar += 1;
                    self.same.push_back(row);
                }
            }
        }
        Ok(self.same.pop_front())
    }

    /// Whether the next row is of the same device, window and capture.
    fn goes_on(&self) -> bool {
        let first = self.same.front().map(key);
        first.is_some_and(|first| self.runs.iter().any(|run| key(&run.next) == first))
    }
}

impl Iterator for SortedRows {
    type Item = anyhow::Result<Labeled>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_new().transpose()
    }
}

impl Repeats {
    /// Tells of rows that came again, and of windows of a device that came twice in different ways: captures that were
    /// extracted one by one share the windows at their edges.
    pub(crate) fn report(self, messages: Messages) {
        let Self { equal, similar } = self;
        if equal > 0 {
            messages.warn(format!("{equal} rows came again, and count once"));
        }
        if similar > 0 {
            messages.warn(format!(
                "{similar} rows are of a device and window that another row is of, too: captures that belong together \
                 should be extracted together"
            ));
        }
    }
}

fn key(row: &Labeled) -> (DeviceId, Timestamp, Option<&str>) {
    (row.instance.device, row.instance.window_start, row.instance.capture.as_deref())
}

fn sort(rows: &mut [Labeled]) {
    rows.sort_by(|a, b| key(a).cmp(&key(b)));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use thingprint_instance::{Attributes, BagName, Bags, Counts, Instance, Kind, Label, Spreads};

    use super::*;

    fn row(device: u8, window: i64, word: &str) -> Labeled {
        let instance = Instance {
            device: format!("02:00:00:00:00:{device:02x}").parse().unwrap(),
            window_start: Timestamp::from_nanos(window * 3_600_000_000_000),
            window_s: 3600.0,
            capture: None,
            attributes: Attributes::default(),
            bags: Bags::from([(BagName::DOMAINS, [(word.to_owned(), 1)].into())]),
            counts: Counts::default(),
            spread: Spreads::default(),
        };
        Labeled { instance, label: Some(Label::new("Hub", Kind::Iot)) }
    }

    /// Rows in the order in which windows become final, one of them again and one in another way.
    fn rows() -> Vec<Labeled> {
        let windows = (0..50).flat_map(|window| (0..20).map(move |device| row(device, window, "a")));
        windows.chain([row(3, 7, "a"), row(4, 7, "b"), row(4, 7, "b")]).collect()
    }

    fn sorted(budget_bytes: usize) -> (Vec<Labeled>, Repeats, usize) {
        let mut sorted = SortedInstances::within(budget_bytes);
        for row in rows() {
            sorted.push(row).unwrap();
            assert!(sorted.waiting_bytes < budget_bytes);
        }
        let runs = sorted.runs.len();
        let mut rows = sorted.into_rows().unwrap();
        let all = rows.by_ref().map(Result::unwrap).collect();
        (all, rows.repeats(), runs)
    }

    #[test]
    fn the_order_does_not_depend_on_the_budget() {
        let (all, repeats, runs) = sorted(usize::MAX);
        assert_eq!((all.len(), repeats, runs), (1001, Repeats { equal: 2, similar: 1 }, 0));
        assert!(all.windows(2).all(|pair| key(&pair[0]) <= key(&pair[1])));
        let [few, many] = [sorted(200_000), sorted(20_000)];
        assert!(few.2 > 1 && many.2 > 10 * few.2 / 2, "{} {}", few.2, many.2);
        assert_eq!((few.0, few.1), (all.clone(), repeats));
        assert_eq!((many.0, many.1), (all, repeats));
    }
}
