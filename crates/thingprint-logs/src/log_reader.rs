use std::collections::VecDeque;
use std::slice;

use thingprint_flow::Timestamp;

use crate::event::Event;
use crate::formats::{LineReader, LogFormat, Record};
use crate::log_file::{Lines, LogFile};
use crate::problem::ReadCounts;

/// The events of logs in the order in which they were written: of each log its files one after the other, beginning with
/// the earliest, and of the logs the one that goes on earliest.
#[derive(Debug)]
pub struct LogReader<'f> {
    logs: Vec<Log<'f>>,
    counts: ReadCounts,
}

/// The files of one log: of Zeek all that hold connections, or queries; of Suricata all.
#[derive(Debug)]
struct Log<'f> {
    format: LogFormat,
    files: slice::Iter<'f, &'f LogFile>,
    open: Option<Open<'f>>,
    next: VecDeque<Event>,
}

/// A file that is being read.
#[derive(Debug)]
struct Open<'f> {
    file: &'f LogFile,
    lines: Lines,
    reader: LineReader,
    /// Lines that hold records, readable or not.
    records: u64,
}

/// Files in the order in which they are read.
#[derive(Debug, Default)]
pub(crate) struct Order<'f> {
    /// Of each log, its files.
    pub(crate) logs: Vec<Vec<&'f LogFile>>,
}

impl<'f> Order<'f> {
    /// Puts files in order: those of one log by the time that their first record was written at, and those without one at the
    /// end, since what is wrong with them is to be counted.
    pub(crate) fn of(mut firsts: Vec<(String, Option<Timestamp>, &'f LogFile)>) -> Self {
        let key = |first: &(String, Option<Timestamp>, &'f LogFile)| {
            (first.0.clone(), first.1.is_none(), first.1, first.2.name().to_owned())
        };
        firsts.sort_by_key(key);
        let mut logs: Vec<(String, Vec<&LogFile>)> = Vec::new();
        for (log, _, file) in firsts {
            match logs.last_mut().filter(|(name, _)| *name == log) {
                Some((_, files)) => files.push(file),
                None => logs.push((log, vec![file])),
            }
        }
        Self { logs: logs.into_iter().map(|(_, files)| files).collect() }
    }
}

impl<'f> LogReader<'f> {
    pub(crate) fn new(format: LogFormat, order: &'f Order<'f>) -> Self {
        let logs = order.logs.iter();
        let logs = logs.map(|files| Log { format, files: files.iter(), open: None, next: VecDeque::new() });
        Self { logs: logs.collect(), counts: ReadCounts::default() }
    }

    /// The next event; `None` behind the last. A line that cannot be read is counted and passed over, and so is the rest of a
    /// file that ends too early.
    pub fn next_event(&mut self) -> Option<Event> {
        let Self { logs, counts } = self;
        let mut earliest: Option<(Timestamp, usize)> = None;
        for (at, log) in logs.iter_mut().enumerate() {
            if let Some(written) = log.peek(counts)
                && earliest.is_none_or(|(earliest, _)| written < earliest)
            {
                earliest = Some((written, at));
            }
        }
        earliest.and_then(|(_, at)| logs.get_mut(at)?.next.pop_front())
    }

    /// What was read so far.
    pub const fn counts(&self) -> &ReadCounts {
        &self.counts
    }
}

impl Log<'_> {
    /// When the next event was written.
    fn peek(&mut self, counts: &mut ReadCounts) -> Option<Timestamp> {
        while self.next.is_empty() {
            if self.open.is_none() {
                let file = self.files.next()?;
                let lines = match file.lines() {
                    Ok(lines) => lines,
                    Err(error) => {
                        counts.cut.insert(file.name().to_owned(), (0, error.to_string()));
                        continue;
                    }
                };
                let reader = LineReader::of(file.file_name());
                self.open = Some(Open { file, lines, reader, records: 0 });
            }
            let open = self.open.as_mut()?;
            let (number, line) = match open.lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => {
                    if open.records == 0 {
                        counts.empty.insert(open.file.name().to_owned());
                    }
                    self.open = None;
                    continue;
                }
                Err(error) => {
                    let cut = (open.lines.number(), error.to_string());
                    counts.cut.insert(open.file.name().to_owned(), cut);
                    self.open = None;
                    continue;
                }
            };
            match line.and_then(|line| open.reader.line(self.format, line)) {
                Ok(None) => {}
                Ok(Some(record)) => {
                    open.records += 1;
                    counts.records += 1;
                    match record {
                        Record::Events(events) => self.next.extend(events),
                        Record::Unused(what) => counts.unused(&what),
                    }
                }
                Err(problem) => {
                    open.records += 1;
                    counts.problem(open.file.name(), number, problem);
                }
            }
        }
        self.next.front().map(|event| event.written)
    }
}
