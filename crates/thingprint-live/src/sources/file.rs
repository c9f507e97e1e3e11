use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use thingprint_flow::{Capture, SourceClocks};

use crate::error::{LiveError, LiveErrorKind};
use crate::intake::IntakeOptions;
use crate::outlet::Outlet;
use crate::pump::Pump;
use crate::source::Source;
use crate::source_spec::{SourceKind, path_behind};

/// How names of captures end, and what stands behind that where they are packed.
const CAPTURES: [&str; 3] = [".pcap", ".pcapng", ".cap"];
const PACKED: [&str; 5] = [".gz", ".zst", ".xz", ".bz2", ".lz4"];

/// One capture that is read to its end, or a named pipe until its writers end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileSpec(PathBuf);

impl FileSpec {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl SourceKind for FileSpec {
    const FORM: &'static str = "file:PATH";

    fn parse(text: &str) -> Option<Result<Self, LiveError>> {
        if let Some(path) = path_behind(text, "file") {
            return Some(Ok(Self(path)));
        }
        // A name of a capture that is not there is a mistake, and no folder to wait for.
        let is_file =
            fs::metadata(text).map_or_else(|_| is_name_of_capture(text), |metadata| !metadata.is_dir());
        (is_file && path_behind(text, "folder").is_none()).then(|| Ok(Self(text.into())))
    }

    fn name(&self) -> String {
        self.0.display().to_string()
    }

    fn check(&self, _: &IntakeOptions) -> Option<Result<(), LiveError>> {
        let opened = File::open(&self.0).map(drop);
        Some(opened.map_err(|error| LiveError::new(LiveErrorKind::Unreadable, &self.name(), error)))
    }

    fn source(&self, _: &IntakeOptions) -> Box<dyn Source> {
        Box::new(FileSource(self.0.clone()))
    }
}

/// Whether a name ends as those of captures do, packed or not.
fn is_name_of_capture(name: &str) -> bool {
    let plain = PACKED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    CAPTURES.iter().any(|ending| plain.ends_with(ending))
}

impl fmt::Display for FileSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file:{}", self.0.display())
    }
}

struct FileSource(PathBuf);

impl Source for FileSource {
    fn run(&mut self, outlet: &Outlet) -> Result<(), LiveError> {
        let unreadable =
            |reason: &dyn fmt::Display| LiveError::new(LiveErrorKind::Unreadable, outlet.name(), reason);
        let file = File::open(&self.0).map_err(|error| unreadable(&error))?;
        let pump = Pump::new(outlet);
        let capture = Capture::once(outlet.name(), Box::new(pump.watch(file)));
        let mut clocks = SourceClocks::confirmed();
        let pumped = pump.read(capture, 0, &mut clocks)?;
        pump.settle(&mut clocks)?;
        match pumped.problem {
            Some(problem) => Err(unreadable(&format_args!(
                "{} (byte {}, after {} packets)",
                problem.reason, problem.offset, problem.packets
            ))),
            None => Ok(()),
        }
    }

    fn is_once(&self) -> bool {
        true
    }
}
