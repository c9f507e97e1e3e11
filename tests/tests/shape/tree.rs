//! The files of the checkout.

use std::fs;
use std::path::{Path, PathBuf};

use crate::manifest::Manifest;

/// Folders that the checkout holds and nobody wrote: build output, and what fuzzing makes.
const MADE: [&str; 4] = ["target", "fuzz/target", "fuzz/corpus", "fuzz/artifacts"];

/// A text file, with its path from the root of the checkout, `/` between the parts.
#[derive(Debug)]
pub(crate) struct TextFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A package of the checkout.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) folder: String,
    pub(crate) manifest: Manifest,
}

/// Every text file, but for what is made and what begins with a dot.
pub(crate) fn text_files() -> Vec<TextFile> {
    let mut paths = Vec::new();
    collect(&root(), &mut paths);
    paths.extend([root().join(".ci/run")]);
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

/// The source files of a package, by its folder, but for those that hold nothing but tests.
pub(crate) fn source_files(folder: &str) -> Vec<TextFile> {
    let sources = format!("{folder}/src/");
    let is_source = |path: &str| path.starts_with(&sources) && !path.ends_with("/tests.rs");
    rust_files().into_iter().filter(|file| is_source(&file.path)).collect()
}

/// Every package of the checkout: those of the workspace, and that of the fuzz targets.
pub(crate) fn packages() -> Vec<Package> {
    let is_manifest = |path: &str| path.ends_with("/Cargo.toml");
    let packages: Vec<Package> = text_files()
        .into_iter()
        .filter(|file| is_manifest(&file.path))
        .map(|file| Package {
            folder: file.path.trim_end_matches("/Cargo.toml").to_owned(),
            manifest: Manifest::read(&file.text),
        })
        .collect();
    assert!(packages.len() >= 8, "only {} packages", packages.len());
    packages
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
        if name.starts_with(['.', '_']) || path.is_symlink() || is_made {
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
