#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "which file a name stands for is a matter of the file system"
)]

use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};

/// What a file is, by whichever name: symbolic links, hard links and open files of it have the same identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(Inner);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Inner {
    /// Device and inode.
    Node(u64, u64),
    /// The path without links, where files have no numbers.
    #[cfg_attr(unix, expect(dead_code, reason = "files have numbers here"))]
    Path(PathBuf),
}

impl FileId {
    /// The file or folder of a name; `None` where there is none.
    pub fn of(path: &Path) -> Option<Self> {
        Self::with(&fs::metadata(path).ok()?, || path.canonicalize().ok())
    }

    /// The file that is open; `None` where the system does not say.
    pub fn of_open(file: &File) -> Option<Self> {
        Self::with(&file.metadata().ok()?, || None)
    }

    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "other systems do not say of open files")]
    fn with(metadata: &Metadata, _path: impl FnOnce() -> Option<PathBuf>) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self(Inner::Node(metadata.dev(), metadata.ino())))
    }

    #[cfg(not(unix))]
    fn with(_metadata: &Metadata, path: impl FnOnce() -> Option<PathBuf>) -> Option<Self> {
        path().map(|path| Self(Inner::Path(path)))
    }
}
