use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use thingprint_table::Table;

/// Lines that nobody talks on. A line lasts as long as the program, so that messages can carry it about; it is used again.
static IDLE: Mutex<Vec<&'static Line>> = Mutex::new(Vec::new());

/// The ends of a line: who calls, and the command.
const ENDS: u8 = 2;

/// What a command and whoever calls it tell each other.
#[derive(Debug, Default)]
pub(crate) struct Line {
    tables: Mutex<Option<SyncSender<Table>>>,
    messages: Mutex<Vec<Message>>,
    done: AtomicU64,
    total: AtomicU64,
    is_stopped: AtomicBool,
    /// Ends that somebody is at.
    ends: AtomicU8,
}

/// What a command says beside its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The result is not complete, or not what was meant.
    Warning(String),
    /// A line about the run.
    Note(String),
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Bytes that are done.
    pub done: u64,
    /// Bytes that there are; `None` where that is not known.
    pub total: Option<u64>,
}

/// Whoever called does not want the result any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Stopped {}

/// Closes the command's end of a line.
#[derive(Debug)]
pub(super) struct HangingUp(&'static Line);

impl Drop for HangingUp {
    fn drop(&mut self) {
        *lock(&self.0.tables) = None;
        self.0.close();
    }
}

impl Line {
    /// A line for messages alone: runs `talk` on it, and gives what was said.
    pub(crate) fn listen<T>(talk: impl FnOnce(&'static Self) -> T) -> (T, Vec<Message>) {
        let (send, _) = sync_channel(0);
        let line = Self::open(send);
        let hanging_up = [line.hang_up_at_the_end(), line.hang_up_at_the_end()];
        let result = talk(line);
        let said = line.take_messages();
        drop(hanging_up);
        (result, said)
    }

    /// A line through which tables go to `tables`.
    pub(super) fn open(tables: SyncSender<Table>) -> &'static Self {
        let idle = lock(&IDLE).pop();
        let line = idle.unwrap_or_else(|| Box::leak(Box::default()));
        *lock(&line.tables) = Some(tables);
        lock(&line.messages).clear();
        line.done.store(0, Ordering::Relaxed);
        line.total.store(0, Ordering::Relaxed);
        line.is_stopped.store(false, Ordering::Relaxed);
        line.ends.store(ENDS, Ordering::Release);
        line
    }

    /// Closes the command's end when the guard goes, also in a panic.
    pub(super) fn hang_up_at_the_end(&'static self) -> HangingUp {
        HangingUp(self)
    }

    /// Leaves one end. When both are left, the line is free for others.
    pub(super) fn close(&'static self) {
        if self.ends.fetch_sub(1, Ordering::AcqRel) == 1 {
            lock(&IDLE).push(self);
        }
    }

    /// Asks the command to stop.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn work(&self) -> Work {
        let total = self.total.load(Ordering::Relaxed);
        Work { done: self.done.load(Ordering::Relaxed), total: (total > 0).then_some(total) }
    }

    pub(super) fn take_messages(&self) -> Vec<Message> {
        std::mem::take(&mut *lock(&self.messages))
    }

    /// Hands over a table. Fails when nobody wants it any more.
    pub(crate) fn send(&self, table: Table) -> Result<(), Stopped> {
        self.check_wanted()?;
        let tables = lock(&self.tables).clone();
        tables.ok_or(Stopped)?.send(table).map_err(|_| Stopped)
    }

    pub(crate) fn say(&self, message: Message) {
        lock(&self.messages).push(message);
    }

    /// So many bytes are to be done, if that is known.
    pub(crate) fn begin_work(&self, total: Option<u64>) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total.unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn has_done(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// Fails when nobody wants the result any more.
    pub(crate) fn check_wanted(&self) -> Result<(), Stopped> {
        if self.is_stopped() { Err(Stopped) } else { Ok(()) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
