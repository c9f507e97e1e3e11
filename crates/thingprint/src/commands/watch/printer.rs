//! Lines for a terminal, which may not read them.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::messages::{Messages, Say};
use crate::terminal;

/// Lines that wait for the terminal: a person scrolls back no further, and it is some 100 KB.
const MOST_LINES: usize = 1000;
/// How often the end looks whether all is printed.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Prints from a thread of its own. A terminal that is held (Ctrl-S) or a pipe that nobody reads stops that thread and nothing
/// else; lines beyond [`MOST_LINES`] are counted, and the count is printed when there is room again.
#[derive(Clone)]
pub(super) struct Printer {
    lines: SyncSender<Line>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Lines that were not printed and not said to be missing yet.
    lost: AtomicU64,
    /// Lines that are in the channel, or being printed.
    waiting: AtomicU64,
    /// Whether nobody reads the events any more.
    is_gone: AtomicBool,
}

enum Line {
    Event(String),
    Note(String),
    Warning(String),
}

impl Printer {
    /// Begins to print. Fails where the system gives no thread.
    pub(super) fn start(messages: Messages) -> io::Result<Self> {
        Self::printing_to(messages, Box::new(terminal::lines()))
    }

    fn printing_to(messages: Messages, events: Box<dyn Write + Send>) -> io::Result<Self> {
        let (lines, waiting) = sync_channel(MOST_LINES);
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new().name("terminal".to_owned());
        thread.spawn(move || print_all(&waiting, &for_thread, (messages, events)))?;
        Ok(Self { lines, shared })
    }

    /// Prints an event on standard output.
    pub(super) fn event(&self, line: String) {
        self.put(Line::Event(line));
    }

    /// Prints a line about the run.
    pub(super) fn note(&self, text: impl Display) {
        self.put(Line::Note(text.to_string()));
    }

    /// Prints a problem.
    pub(super) fn warn(&self, text: impl Display) {
        self.put(Line::Warning(text.to_string()));
    }

    /// Waits until all is printed, not longer than a time.
    pub(super) fn flush(&self, within: Duration) {
        let begun = Instant::now();
        while self.shared.waiting.load(Ordering::Acquire) > 0 && begun.elapsed() < within {
            thread::sleep(LOOK_EVERY);
        }
    }

    fn put(&self, line: Line) {
        self.shared.waiting.fetch_add(1, Ordering::AcqRel);
        if self.lines.try_send(line).is_err() {
            self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
            self.shared.lost.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl Say for &Printer {
    fn warn(self, text: impl Display) {
        Printer::warn(self, text);
    }

    fn note(self, text: impl Display) {
        Printer::note(self, text);
    }

    fn detail(self, _: impl Display) {}
}

fn print_all(
    lines: &Receiver<Line>,
    shared: &Shared,
    (messages, mut events): (Messages, Box<dyn Write + Send>),
) {
    for line in lines {
        match line {
            Line::Event(line) if !shared.is_gone.load(Ordering::Relaxed) => {
                // The sources are read on where nobody reads the events: the store and the page have them.
                let printed = events.write_all(line.as_bytes()).and_then(|()| events.flush());
                shared.is_gone.store(printed.is_err(), Ordering::Relaxed);
            }
            Line::Event(_) => {}
            Line::Note(text) => messages.note(text),
            Line::Warning(text) => messages.warn(text),
        }
        let lost = shared.lost.swap(0, Ordering::AcqRel);
        if lost > 0 {
            messages.warn(format_args!("{lost} lines were not printed, since the terminal did not read"));
        }
        shared.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc;

    use super::*;

    /// A terminal that is held until it is let go.
    struct Held {
        go: mpsc::Receiver<()>,
        is_free: bool,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Held {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.is_free {
                self.go.recv().unwrap();
                self.is_free = true;
            }
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_terminal_that_does_not_read_stops_nobody() {
        let (let_go, go) = mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let terminal = Held { go, is_free: false, written: Arc::clone(&written) };
        let printer = Printer::printing_to(Messages::new(true, false), Box::new(terminal)).unwrap();
        let all = 3 * MOST_LINES;
        (0..all).for_each(|number| printer.event(format!("{number}\n")));
        printer.flush(Duration::from_millis(20));
        let lost = printer.shared.lost.load(Ordering::Acquire);
        assert!(
            (all - MOST_LINES - 1..=all - MOST_LINES).contains(&usize::try_from(lost).unwrap()),
            "{lost}"
        );
        let_go.send(()).unwrap();
        printer.flush(Duration::from_secs(30));
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count() as u64, all as u64 - lost);
        assert_eq!(printer.shared.lost.load(Ordering::Acquire), 0, "it was said how many are missing");
    }
}
