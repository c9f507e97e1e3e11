use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use thingprint_flow::Timestamp;

use crate::batch::Batch;
use crate::error::{LiveError, LiveErrorKind};
use crate::folder::FolderProgress;
use crate::health::{HealthBoard, SourceHealth};
use crate::joined_files::{can_be_joined, read_joined};
use crate::outlet::{Delivery, Outlet};
use crate::source::supervise;
use crate::source_spec::SourceSpec;
use crate::stop::Stop;

/// Batches that wait for the engine: at most 32 MiB of frames, with which it may be busy elsewhere for a moment. Then
/// sources wait; what comes meanwhile is in buffers of the kernel, which counts what it drops.
const MOST_WAITING: usize = 64;
/// How long stopping waits for sources to end; one that still does not sits in a call of the system.
const STOP_WITHIN: Duration = Duration::from_secs(1);
/// How often stopping looks whether sources have ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How often a folder is listed, unless that takes long.
const POLL: Duration = Duration::from_secs(1);

/// Who asks for more waits no longer than this; times so far ahead are no times of every system.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The progress of each folder, by how the source is written ([`SourceSpec`]'s `Display`).
pub type Progress = BTreeMap<String, FolderProgress>;

/// How sources are read.
#[derive(Clone, Debug)]
pub struct IntakeOptions {
    /// Where tcpdump is; `None` looks for it in `PATH` and in the folders of the system.
    pub tcpdump: Option<PathBuf>,
    /// What was read of folders before; see [`Intake::progress`].
    pub progress: Progress,
    /// Every window that ends by this time was stored. Files that have packets of later ones are read again.
    pub final_until: Option<Timestamp>,
    /// How often a folder is listed, and a growing file looked at.
    pub poll: Duration,
}

impl Default for IntakeOptions {
    fn default() -> Self {
        Self { tcpdump: None, progress: Progress::new(), final_until: None, poll: POLL }
    }
}

/// Takes frames from sources that are read side by side, each in a thread of its own. Files are read in one, in the order of their packets.
///
/// ```
/// use std::time::Duration;
/// use thingprint_live::{Intake, IntakeOptions, Next, SourceSpec};
///
/// let sensors = SourceSpec::parse("tcp-listen://127.0.0.1:0")?;
/// let mut intake = Intake::start(vec![sensors], IntakeOptions::default())?;
/// match intake.next(Duration::from_millis(10)) {
///     Next::Frames(batch) => println!("{} frames of source {}", batch.len(), batch.source()),
///     Next::Idle => println!("nothing came"),
///     Next::Ended => println!("all sources ended"),
/// }
/// intake.stop();
/// # Ok::<(), thingprint_live::LiveError>(())
/// ```
pub struct Intake {
    /// `None` after a stop.
    receiver: Option<Receiver<Delivery>>,
    threads: Vec<JoinHandle<()>>,
    specs: Vec<SourceSpec>,
    board: HealthBoard,
    progress: Progress,
    stop: Stop,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// Frames of one source.
    Frames(Batch),
    /// Nothing came in time.
    Idle,
    /// All sources ended.
    Ended,
}

impl Intake {
    /// Starts to read these sources. One that cannot be opened is tried again: see [`health`](Self::health).
    ///
    /// # Errors
    ///
    /// When there are no sources, or one is given twice, or the system gives no threads.
    pub fn start(specs: Vec<SourceSpec>, options: IntakeOptions) -> Result<Self, LiveError> {
        check(&specs)?;
        let board = HealthBoard::new(specs.iter().map(SourceSpec::name));
        let (sender, receiver) = sync_channel(MOST_WAITING);
        let mut intake = Self {
            receiver: Some(receiver),
            threads: Vec::with_capacity(specs.len()),
            progress: Progress::new(),
            specs,
            board,
            stop: Stop::default(),
        };
        let joined = intake.joined_files();
        for place in (0..intake.specs.len()).filter(|place| !joined.contains_key(place)) {
            let thread = intake.read(place, &options, sender.clone())?;
            intake.threads.push(thread);
        }
        if !joined.is_empty() {
            let thread = intake.read_files(joined, &sender)?;
            intake.threads.push(thread);
        }
        drop(sender);
        intake.progress = options.progress;
        let texts: BTreeSet<String> = intake.specs.iter().map(SourceSpec::to_string).collect();
        intake.progress.retain(|text, _| texts.contains(text));
        for progress in intake.progress.values_mut() {
            *progress = std::mem::take(progress).done_by(options.final_until);
        }
        Ok(intake)
    }

    /// The files among the sources that are read as one trace, by their places; none where there is only one.
    fn joined_files(&self) -> BTreeMap<usize, PathBuf> {
        let files = self.specs.iter().enumerate().filter_map(|(place, spec)| match spec {
            SourceSpec::File(file) if can_be_joined(file.path()) => Some((place, file.path().to_owned())),
            _ => None,
        });
        let files: BTreeMap<usize, PathBuf> = files.collect();
        if files.len() > 1 { files } else { BTreeMap::new() }
    }

    /// Begins to read files in one thread.
    fn read_files(
        &self,
        files: BTreeMap<usize, PathBuf>,
        sender: &SyncSender<Delivery>,
    ) -> Result<JoinHandle<()>, LiveError> {
        let outlets: Result<Vec<(PathBuf, Outlet)>, LiveError> =
            files.into_iter().map(|(place, path)| Ok((path, self.outlet(place, sender.clone())?))).collect();
        let outlets = outlets?;
        self.spawn(move || read_joined(&outlets))
    }

    fn outlet(&self, place: usize, sender: SyncSender<Delivery>) -> Result<Outlet, LiveError> {
        let (spec, status) = self.specs.get(place).zip(self.board.status(place)).ok_or_else(no_sources)?;
        Ok(Outlet::new((place, spec.name()), sender, status, self.stop.clone()))
    }

    fn spawn(&self, read: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, LiveError> {
        let thread = thread::Builder::new().name("source".to_owned());
        let names = || self.specs.iter().map(SourceSpec::name).collect::<Vec<_>>().join(", ");
        thread.spawn(read).map_err(|error| LiveError::new(LiveErrorKind::Unreadable, &names(), error))
    }

    /// Begins to read a source in a thread of its own.
    fn read(
        &self,
        place: usize,
        options: &IntakeOptions,
        sender: SyncSender<Delivery>,
    ) -> Result<JoinHandle<()>, LiveError> {
        let outlet = self.outlet(place, sender)?;
        let source = self.specs.get(place).ok_or_else(no_sources)?.source(options);
        self.spawn(move || supervise(source, &outlet))
    }

    /// The next frames; waits at most this long for them.
    pub fn next(&mut self, timeout: Duration) -> Next {
        let until = Instant::now() + timeout.min(LONGEST_WAIT);
        loop {
            let Some(receiver) = &self.receiver else { return Next::Ended };
            match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Delivery::Batch(batch)) => return Next::Frames(batch),
                Ok(Delivery::File(source, file)) => {
                    if let Some(spec) = self.specs.get(source) {
                        self.progress.entry(spec.to_string()).or_default().note(file);
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Next::Idle,
                Err(RecvTimeoutError::Disconnected) => return Next::Ended,
            }
        }
    }

    /// The files of folders that were read, and whose frames were all handed out by [`next`](Self::next).
    ///
    /// Stored together with what was made of these frames, and given back as [`IntakeOptions::progress`] with the time up to
    /// which that is final, it makes a restart go on where this ended.
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// How each source goes, in the order in which they were given.
    pub fn health(&self) -> Vec<SourceHealth> {
        self.board.health()
    }

    /// How the sources go, for other threads.
    pub fn board(&self) -> HealthBoard {
        self.board.clone()
    }

    /// Ends all sources within a second: children are killed, connections closed, threads joined. Gives the names of
    /// sources that did not end, since a file server or a named pipe does not answer; their threads end when it does.
    pub fn stop(mut self) -> Vec<String> {
        self.end()
    }

    fn end(&mut self) -> Vec<String> {
        self.stop.set();
        // Whoever waits for room in the channel learns so that there is none.
        self.receiver = None;
        let begun = Instant::now();
        while begun.elapsed() < STOP_WITHIN && self.threads.iter().any(|thread| !thread.is_finished()) {
            thread::sleep(LOOK_EVERY);
        }
        let mut left = Vec::new();
        for (thread, spec) in self.threads.drain(..).zip(&self.specs) {
            if thread.is_finished() {
                // A panic was printed by its thread already.
                let _ = thread.join();
            } else {
                left.push(spec.name());
            }
        }
        left
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.end();
    }
}

fn no_sources() -> LiveError {
    LiveError::new(LiveErrorKind::NotASource, "sources", "there are none")
        .advise("give an interface, an address or a folder")
}

fn check(specs: &[SourceSpec]) -> Result<(), LiveError> {
    if specs.is_empty() {
        return Err(no_sources());
    }
    let mut seen = BTreeSet::new();
    match specs.iter().find(|spec| !seen.insert(*spec)) {
        Some(twice) => {
            let error = LiveError::new(LiveErrorKind::NotASource, &twice.to_string(), "it is given twice");
            Err(error.advise("its packets would count twice: give it once"))
        }
        None => Ok(()),
    }
}
