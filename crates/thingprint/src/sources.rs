//! A hash of source files: the build script names with it what the program was made of.

use std::io;
use std::path::Path;

/// Files and folders below the workspace that the program is made of.
pub(crate) const PROGRAM: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "crates/thingprint-audit/src",
    "crates/thingprint-change/src",
    "crates/thingprint-endpoint/src",
    "crates/thingprint-experiment/src",
    "crates/thingprint-figure/src",
    "crates/thingprint-flow/src",
    "crates/thingprint-identity/build.rs",
    "crates/thingprint-identity/data",
    "crates/thingprint-identity/src",
    "crates/thingprint-instance/src",
    "crates/thingprint-live/src",
    "crates/thingprint-logs/src",
    "crates/thingprint-model/src",
    "crates/thingprint-notify/src",
    "crates/thingprint-pipeline/src",
    "crates/thingprint-profile/src",
    "crates/thingprint-protocol/models",
    "crates/thingprint-protocol/src",
    "crates/thingprint-report/src",
    "crates/thingprint-sim/src",
    "crates/thingprint-store/src",
    "crates/thingprint-table/src",
    "crates/thingprint-taps/src",
    "crates/thingprint-watch/src",
    "crates/thingprint-web/src",
    "crates/thingprint/src",
];

/// Files and folders that decide which instances come of the same captures, or of the same simulated home.
#[cfg_attr(not(test), allow(dead_code, reason = "the build script alone asks for it"))]
pub(crate) const INSTANCES: &[&str] = &[
    "Cargo.lock",
    "crates/thingprint-flow/src",
    "crates/thingprint-instance/src",
    "crates/thingprint-pipeline/src",
    "crates/thingprint-protocol/models",
    "crates/thingprint-protocol/src",
    "crates/thingprint-sim/src",
    "crates/thingprint/src/commands/experiment",
    "crates/thingprint/src/extraction",
    "crates/thingprint/src/extraction.rs",
    "crates/thingprint/src/gateways.rs",
    "crates/thingprint/src/reading.rs",
];

/// Hash of the names and contents of these files, and of all files in these folders, in hexadecimal.
///
/// # Errors
/// When one cannot be read.
pub(crate) fn hash(root: &Path, paths: &[&str]) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    for path in paths {
        add(&root.join(path), path, &mut hasher)?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn add(path: &Path, name: &str, hasher: &mut blake3::Hasher) -> io::Result<()> {
    if path.is_dir() {
        let entry_name =
            |entry: io::Result<std::fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = std::fs::read_dir(path)?.map(entry_name).collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        return names.iter().try_for_each(|entry| add(&path.join(entry), &format!("{name}/{entry}"), hasher));
    }
    let contents = std::fs::read(path)?;
    for bytes in [name.as_bytes(), &contents] {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The workspace of the program under test.
    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn the_program_knows_its_sources() {
        assert_eq!(hash(&root(), PROGRAM).unwrap(), env!("PROGRAM_SOURCES"));
        assert_eq!(hash(&root(), INSTANCES).unwrap(), env!("INSTANCE_SOURCES"));
    }

    #[test]
    fn every_crate_of_the_program_is_listed() {
        let names = std::fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().file_name());
        // The Python package is made of the program.
        for name in names.filter(|name| name != "thingprint-python") {
            let source = format!("crates/{}/src", name.to_string_lossy());
            assert!(PROGRAM.contains(&source.as_str()), "{source}");
        }
    }

    #[test]
    fn names_and_contents_count() {
        let folder = tempfile::tempdir().unwrap();
        let hash_of = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let hash = hash(folder.path(), &["."]).unwrap();
            std::fs::remove_file(path).unwrap();
            hash
        };
        assert_eq!(hash_of("a", "x"), hash_of("a", "x"));
        assert_ne!(hash_of("a", "x"), hash_of("b", "x"));
        assert_ne!(hash_of("a", "x"), hash_of("a", "y"));
    }
}
