use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thingprint_flow::{Capture, ProblemKind, SourceClocks};

use crate::error::{LiveError, LiveErrorKind};
use crate::folder::{
    Candidate, Catalog, Failures, FolderProgress, Growing, GrowingEnd, LISTING_SHARE, ReadFile, Watch,
};
use crate::health::SourceState;
use crate::intake::IntakeOptions;
use crate::outlet::Outlet;
use crate::printable;
use crate::pump::{Pump, Pumped};
use crate::source::Source;
use crate::source_spec::{SourceKind, path_behind};

/// Frames whose times wait for others are believed when the folder was quiet for this long.
const SETTLE_AFTER: Duration = Duration::from_mins(1);
/// Files that wait to be noted for a restart, since frames before their ends wait for others; of more, the first is noted.
const MOST_UNSETTLED: usize = 1000;

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
    failures: Failures,
    /// Files that were read while frames wait for others: a restart would lose these frames if it took the files as read.
    unsettled: VecDeque<ReadFile>,
}

impl FolderSource {
    fn new(folder: PathBuf, progress: FolderProgress, poll: Duration) -> Self {
        let catalog = Arc::new(Mutex::new(Catalog::new(folder, progress)));
        let (queue, clocks) = (VecDeque::new(), SourceClocks::confirmed());
        Self {
            catalog,
            queue,
            clocks,
            poll,
            active: None,
            failures: Failures::default(),
            unsettled: VecDeque::new(),
        }
    }

    fn catalog(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists the folder, and says what is left out.
    fn list(&mut self, outlet: &Outlet) -> Result<(), LiveError> {
        let mut catalog = self.catalog.lock().unwrap_or_else(PoisonError::into_inner);
        let due = catalog.due().map_err(|error| unreadable(outlet.name(), catalog.folder(), &error))?;
        self.failures.keep(|path| due.iter().any(|candidate| candidate.path() == path));
        self.queue = due.into_iter().filter(|candidate| self.failures.may_read(candidate.path())).collect();
        for line in catalog.newly_left_out() {
            outlet.notice(line);
        }
        for renamed in catalog.take_renamed() {
            outlet.deliver_file(renamed).map_err(|_| outlet.stopped())?;
        }
        let (left_out, message) = catalog.left_out();
        let incomplete = self.failures.incomplete();
        let unread = incomplete + catalog.unreadable();
        let incomplete = (incomplete > 0).then(|| format!("not read to the end: {incomplete}"));
        let parts: Vec<String> = incomplete.into_iter().chain(message).collect();
        let message = (!parts.is_empty()).then(|| parts.join("; "));
        outlet.update(|health| {
            (health.state, health.message, health.left_out) = (SourceState::Reading, message, left_out);
            health.unread = unread;
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
                self.failures.note(candidate.path());
                return Ok(());
            }
        };
        let pumped = pump.read(capture, candidate.packets_before, &mut self.clocks)?;
        self.active = Some(Instant::now());
        // Frames that waited for those of this file may be of one before.
        self.unsettled.iter_mut().for_each(|file| file.last_packet = file.last_packet.max(pumped.last));
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
        self.failures.set_incomplete(candidate.path(), pumped.problem.is_some());
        if let Some(problem) = &pumped.problem {
            outlet.notice(printable(&format!("failed to read {problem}")));
            let is_unreadable = problem.kind == ProblemKind::Unreadable;
            if is_unreadable && is_cut_off(candidate.path(), read.bytes) {
                return Ok(());
            }
            let is_lost = is_unreadable && self.failures.note(candidate.path());
            if is_unreadable && !is_lost && candidate.is_compressed {
                // How many of its bytes were read does not show: it is read behind its packets.
                read.bytes = 0;
            }
            // What is missing at the end may still come.
            read.is_damaged = is_lost || !(is_unreadable || problem.kind == ProblemKind::Cut);
        }
        self.catalog().note(candidate.path(), read.clone());
        self.unsettled.push_back(read);
        self.deliver_files(outlet)
    }

    /// Notes files for a restart, whose frames all left.
    fn deliver_files(&mut self, outlet: &Outlet) -> Result<(), LiveError> {
        while !self.clocks.holds_frames() || self.unsettled.len() > MOST_UNSETTLED {
            let Some(file) = self.unsettled.pop_front() else { break };
            outlet.deliver_file(file).map_err(|_| outlet.stopped())?;
        }
        Ok(())
    }

    /// Waits for files; believes the frames that wait for others when none come.
    fn wait(&mut self, listing: Duration, outlet: &Outlet) -> Result<(), LiveError> {
        if self.active.is_some_and(|active| active.elapsed() >= SETTLE_AFTER) {
            self.active = None;
            let last = Pump::new(outlet).settle(&mut self.clocks)?;
            // What was believed now is of one of these files.
            self.unsettled.iter_mut().for_each(|file| file.last_packet = file.last_packet.max(last));
            self.deliver_files(outlet)?;
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
        // A restart would not read the file again if it were noted before its last frame left.
        let file = Candidate::for_test("x").unread();
        source.unsettled.push_back(ReadFile { last_packet: Some(Timestamp::from_seconds(2)), ..file });
        source.deliver_files(&outlet).unwrap();
        assert_eq!(frames(), 3);
        source.active = Some(Instant::now());
        source.wait(Duration::ZERO, &outlet).unwrap();
        assert_eq!(frames(), 0);
        source.active = Instant::now().checked_sub(SETTLE_AFTER);
        source.wait(Duration::ZERO, &outlet).unwrap();
        assert_eq!((frames(), source.active), (1, None));
        let Ok(Delivery::File(0, file)) = receiver.try_recv() else { panic!("no file was noted") };
        assert_eq!(file.last_packet, Some(Timestamp::from_seconds(1000)));
    }
}
