use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thingprint_flow::{Capture, ProblemKind, SourceClocks};

use crate::error::{LiveError, LiveErrorKind};
use crate::folder::{Candidate, Catalog, FolderProgress, Growing, GrowingEnd, Watch};
use crate::health::SourceState;
use crate::intake::IntakeOptions;
use crate::outlet::Outlet;
use crate::printable;
use crate::pump::{Pump, Pumped};
use crate::source::Source;
use crate::source_spec::{SourceKind, path_behind};

/// Frames whose times wait for others are believed when the folder was quiet for this long.
const SETTLE_AFTER: Duration = Duration::from_mins(1);
/// A folder is listed in at most this part of the time: large ones, or those of slow servers, less often.
const LISTING_SHARE: u32 = 10;
/// A file that the system failed to read so often is given up, so that it does not keep others from being read.
const MOST_FAILURES: u32 = 3;

/// A folder into which captures are rotated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FolderSpec(PathBuf);

impl FolderSpec {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl SourceKind for FolderSpec {
    const FORM: &'static str = "folder:PATH, or any other path";

    fn parse(text: &str) -> Option<Result<Self, LiveError>> {
        let path = path_behind(text, "folder").unwrap_or_else(|| PathBuf::from(text));
        (!path.as_os_str().is_empty()).then_some(Ok(Self(path)))
    }

    fn name(&self) -> String {
        self.0.display().to_string()
    }

    fn check(&self, _: &IntakeOptions) -> Option<Result<(), LiveError>> {
        let listed = fs::read_dir(&self.0).map(drop);
        Some(listed.map_err(|error| unreadable(&self.name(), &self.0, &error)))
    }

    fn source(&self, options: &IntakeOptions) -> Box<dyn Source> {
        let progress = options.progress.get(&self.to_string()).cloned().unwrap_or_default();
        Box::new(FolderSource::new(self.0.clone(), progress.done_by(options.final_until), options.poll))
    }
}

impl fmt::Display for FolderSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "folder:{}", self.0.display())
    }
}

struct FolderSource {
    catalog: Arc<Mutex<Catalog>>,
    /// Files that have something to read, as they were listed.
    queue: VecDeque<Candidate>,
    clocks: SourceClocks,
    poll: Duration,
    /// When the last packets came; `None` where none wait for others.
    active: Option<Instant>,
    /// The file that the system failed to read, and how often.
    failing: Option<(PathBuf, u32)>,
    /// How often a file could not be read to its end.
    incomplete: u64,
}

impl FolderSource {
    fn new(folder: PathBuf, progress: FolderProgress, poll: Duration) -> Self {
        let catalog = Arc::new(Mutex::new(Catalog::new(folder, progress)));
        let (queue, clocks) = (VecDeque::new(), SourceClocks::confirmed());
        Self { catalog, queue, clocks, poll, active: None, failing: None, incomplete: 0 }
    }

    fn catalog(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists the folder, and says what is left out.
    fn list(&mut self, outlet: &Outlet) -> Result<(), LiveError> {
        let mut catalog = self.catalog.lock().unwrap_or_else(PoisonError::into_inner);
        let due = catalog.due().map_err(|error| unreadable(outlet.name(), catalog.folder(), &error))?;
        self.queue = due.into();
        for line in catalog.newly_left_out() {
            outlet.notice(line);
        }
        for renamed in catalog.take_renamed() {
            outlet.deliver_file(renamed).map_err(|_| outlet.stopped())?;
        }
        let (left_out, message) = catalog.left_out();
        let incomplete = self.incomplete;
        let incomplete = (incomplete > 0).then(|| format!("not read to the end: {incomplete}"));
        let parts: Vec<String> = incomplete.into_iter().chain(message).collect();
        let message = (!parts.is_empty()).then(|| parts.join("; "));
        outlet.update(|health| {
            (health.state, health.message, health.left_out) = (SourceState::Reading, message, left_out);
        });
        Ok(())
    }

    /// Reads a file to its end.
    fn read(&mut self, candidate: &Candidate, outlet: &Outlet) -> Result<(), LiveError> {
        let pump = Pump::new(outlet);
        let (capture, end) = match self.open(candidate, &pump, outlet) {
            Ok(opened) => opened,
            Err(error) => {
                // One that was removed is not listed any more; of others, the next listing says that they are left out.
                let path = printable(&candidate.path().to_string_lossy());
                outlet.notice(format!("failed to read {path}: {error}"));
                return Ok(());
            }
        };
        let pumped = pump.read(capture, candidate.packets_before, &mut self.clocks)?;
        self.active = Some(Instant::now());
        self.note(candidate, &pumped, end.as_ref(), outlet)
    }

    fn open(
        &self,
        candidate: &Candidate,
        pump: &Pump<'_>,
        outlet: &Outlet,
    ) -> io::Result<(Capture, Option<GrowingEnd>)> {
        let name = candidate.path().display().to_string();
        if candidate.is_compressed {
            let stream = pump.watch(File::open(candidate.path())?);
            return Ok((Capture::once(name, Box::new(stream)), None));
        }
        let (stop, has_next) = (outlet.stop().clone(), !self.queue.is_empty());
        let watch = Watch { stop, poll: self.poll, has_next };
        let (growing, end) = Growing::open(candidate, &self.catalog, pump.collector(), watch)?;
        Ok((Capture::once(name, Box::new(growing)), Some(end)))
    }

    /// Notes what was read of a file, unless it has to be read anew.
    fn note(
        &mut self,
        candidate: &Candidate,
        pumped: &Pumped,
        end: Option<&GrowingEnd>,
        outlet: &Outlet,
    ) -> Result<(), LiveError> {
        let mut read = candidate.unread();
        (read.packets, read.last_packet) = (pumped.frames, pumped.last.max(candidate.last_before));
        if let Some(end) = end {
            (read.bytes, read.head) = (end.bytes(), end.head());
        }
        if let Some(problem) = &pumped.problem {
            self.incomplete += 1;
            outlet.notice(printable(&format!("failed to read {problem}")));
            let is_unreadable = problem.kind == ProblemKind::Unreadable;
            if is_unreadable && is_cut_off(candidate.path(), read.bytes) {
                return Ok(());
            }
            let is_lost = is_unreadable && self.fails_again(candidate.path());
            // What is missing at the end may still come.
            read.is_damaged = is_lost || !(is_unreadable || problem.kind == ProblemKind::Cut);
        }
        self.catalog().note(candidate.path(), read.clone());
        outlet.deliver_file(read).map_err(|_| outlet.stopped())
    }

    /// Counts failures of a file; whether there were too many.
    fn fails_again(&mut self, path: &Path) -> bool {
        let before = self.failing.take().filter(|(failing, _)| failing == path);
        let failures = before.map_or(0, |(_, failures)| failures) + 1;
        self.failing = Some((path.to_owned(), failures));
        failures >= MOST_FAILURES
    }

    /// Waits for files; believes the frames that wait for others when none come.
    fn wait(&mut self, listing: Duration, outlet: &Outlet) -> Result<(), LiveError> {
        if self.active.is_some_and(|active| active.elapsed() >= SETTLE_AFTER) {
            self.active = None;
            Pump::new(outlet).settle(&mut self.clocks)?;
        }
        outlet.stop().sleep(self.poll.max(listing * LISTING_SHARE));
        Ok(())
    }
}

impl Source for FolderSource {
    fn run(&mut self, outlet: &Outlet) -> Result<(), LiveError> {
        loop {
            let begun = Instant::now();
            self.list(outlet)?;
            if self.queue.is_empty() {
                self.wait(begun.elapsed(), outlet)?;
            }
            while let Some(listed) = self.queue.pop_front() {
                let candidate = self.catalog().again(&listed);
                if let Some(candidate) = candidate {
                    self.read(&candidate, outlet)?;
                }
            }
            if outlet.stop().is_set() {
                return Err(outlet.stopped());
            }
        }
    }
}

/// Whether a file has fewer bytes than were read of it, so that others were written into it.
fn is_cut_off(path: &Path, read_bytes: u64) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.len() < read_bytes)
}

fn unreadable(name: &str, folder: &Path, error: &io::Error) -> LiveError {
    let (kind, advice) = match error.kind() {
        io::ErrorKind::NotFound => (
            LiveErrorKind::Unreadable,
            "create the folder; for an interface of this name, write interface:NAME",
        ),
        io::ErrorKind::PermissionDenied => {
            (LiveErrorKind::NoPermission, "let the user of this program read and enter it")
        }
        io::ErrorKind::NotADirectory => (LiveErrorKind::Unreadable, "a single capture is written file:PATH"),
        _ => (LiveErrorKind::Unreadable, ""),
    };
    LiveError::new(kind, name, format!("the folder {} cannot be listed: {error}", folder.display()))
        .advise(advice)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use thingprint_flow::{CaptureWriter, Timestamp};

    use super::*;
    use crate::outlet::{Delivery, test_outlet};
    use crate::stop::Stop;

    #[test]
    fn frames_that_wait_for_others_leave_when_the_folder_is_quiet() {
        let (outlet, receiver) = test_outlet(&Stop::default());
        let mut source = FolderSource::new(PathBuf::new(), FolderProgress::default(), Duration::ZERO);
        let mut writer = CaptureWriter::new(Vec::new()).unwrap();
        for second in [0, 1, 2, 1000] {
            writer.write(Timestamp::from_seconds(second), &[0; 60], 60).unwrap();
        }
        let capture = Capture::once("x", Box::new(Cursor::new(writer.finish().unwrap())));
        Pump::new(&outlet).read(capture, 0, &mut source.clocks).unwrap();
        let frames = || match receiver.try_recv() {
            Ok(Delivery::Batch(batch)) => batch.len(),
            _ => 0,
        };
        assert_eq!(frames(), 3);
        source.active = Some(Instant::now());
        source.wait(Duration::ZERO, &outlet).unwrap();
        assert_eq!(frames(), 0);
        source.active = Instant::now().checked_sub(SETTLE_AFTER);
        source.wait(Duration::ZERO, &outlet).unwrap();
        assert_eq!((frames(), source.active), (1, None));
    }
}
