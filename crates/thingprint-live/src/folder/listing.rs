use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files that a folder may have; of more, some are left out.
pub(super) const MOST_LISTED: usize = 100_000;
/// Folders in it that are named; the others are counted.
pub(super) const MOST_FOLDERS: usize = 100;
/// A folder is listed in at most this part of the time: large ones, or those of slow servers, less often.
pub(crate) const LISTING_SHARE: u32 = 10;
/// Endings of compressed files, which a rotation may add when a file is whole.
const COMPRESSED_ENDINGS: [&str; 5] = [".gz", ".zst", ".bz2", ".xz", ".lz4"];

/// The files that lie in a folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: Vec<Listed>,
    /// Folders in it, whose files are not read; without those that are hidden, and at most [`MOST_FOLDERS`].
    pub(super) folders: Vec<PathBuf>,
    /// What is hidden, no file, or beyond a limit.
    pub(super) left_out: u64,
}

/// A file that lies in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) path: PathBuf,
    /// Its name without the ending of a compressed file.
    pub(super) name: String,
    pub(super) inode: Option<(u64, u64)>,
    pub(super) bytes: u64,
    pub(super) modified: Option<SystemTime>,
}

impl Listing {
    /// Lists a folder.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let mut listing = Self::default();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let has_room = listing.folders.len() < MOST_FOLDERS;
            match Listed::of(&path) {
                Some(file) if listing.files.len() < MOST_LISTED => listing.files.push(file),
                None if has_room && path.is_dir() && !is_hidden(&path) => listing.folders.push(path),
                _ => listing.left_out += 1,
            }
        }
        Ok(listing)
    }
}

impl Listed {
    /// A file, if it is one and stays there while it is looked at; hidden ones are those of tools that copy.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().into_owned();
        let metadata = fs::metadata(path).ok().filter(Metadata::is_file)?;
        if is_hidden(path) {
            return None;
        }
        let ending = COMPRESSED_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
        let name = ending.unwrap_or(&name).to_owned();
        let (inode, bytes) = (inode(&metadata), metadata.len());
        Some(Self { path: path.to_owned(), name, inode, bytes, modified: metadata.modified().ok() })
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// The device and the number of a file there, by which it is known under any name.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems do not say")]
pub(super) fn inode(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
pub(super) const fn inode(_: &Metadata) -> Option<(u64, u64)> {
    None
}
