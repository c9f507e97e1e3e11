//! The files of the checkout.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that the checkout holds and nobody wrote: build output, and what fuzzing makes.
const MADE: [&str; 6] = [
    "target",
    "crates/thingprint-python/target",
    "fuzz/target",
    "fuzz/corpus",
    "fuzz/artifacts",
    "fuzz/kept",
];

/// Folders with a dot in front that belong to the repository.
const DOTTED: [&str; 2] = [".ci", ".github"];

/// A text file, with its path from the root of the checkout, `/` between the parts.
#[derive(Debug)]
pub(crate) struct TextFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every text file, except what is made and what is hidden.
pub(crate) fn text_files() -> Vec<TextFile> {
    let mut paths = Vec::new();
    collect(&root(), &mut paths);
    let read = |path: PathBuf| {
        let text = String::from_utf8(fs::read(&path).unwrap()).ok()?;
        Some(TextFile { path: relative(&path), text })
    };
    let files: Vec<TextFile> = paths.into_iter().filter_map(read).collect();
    assert!(files.len() > 100, "only {} files: is this the root of the checkout?", files.len());
    files
}

/// Every file of Rust code.
pub(crate) fn rust_files() -> Vec<TextFile> {
    text_files().into_iter().filter(|file| extension(&file.path) == Some("rs")).collect()
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_made = MADE.iter().any(|made| path == root().join(made));
        let is_hidden = name.starts_with(['.', '_']) && !DOTTED.contains(&name.as_str());
        if is_hidden || path.is_symlink() || is_made {
            continue;
        }
        if path.is_dir() {
            collect(&path, paths);
        } else {
            paths.push(path);
        }
    }
    paths.sort();
}

fn relative(path: &Path) -> String {
    let parts = path.strip_prefix(root()).unwrap().components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// What the file's name ends in, after the last dot.
pub(crate) fn extension(path: &str) -> Option<&str> {
    Path::new(path).extension()?.to_str()
}
