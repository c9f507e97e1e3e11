//! Files for what has to wait: they have no name, and go away with the run.

use std::env;
use std::fs::File;

use anyhow::Context;

/// A new file in the folder for temporary files.
pub(crate) fn temporary_file() -> anyhow::Result<File> {
    tempfile::tempfile().with_context(unwritten)
}

/// What to say where such a file cannot be written: which folder it is in, and what to do.
pub(crate) fn unwritten() -> String {
    let folder = env::temp_dir();
    let folder = folder.display();
    let remedy =
        if env::temp_dir().is_dir() { "make room there, or name" } else { "there is no such folder: name" };
    format!("failed to write a temporary file in {folder}: {remedy} another folder with TMPDIR")
}
