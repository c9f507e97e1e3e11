use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;

/// Most seeds of a target: more of the same kind tell a fuzzer nothing.
const MOST_SEEDS: usize = 120;

/// Seeds on their way into files, a folder for each target.
pub(crate) struct Seeds {
    folder: PathBuf,
    written: BTreeMap<&'static str, BTreeSet<Vec<u8>>>,
}

impl Seeds {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder, written: BTreeMap::new() }
    }

    /// Writes a seed of a target, unless there are enough.
    pub(crate) fn add(&mut self, target: &'static str, bytes: &[u8]) -> io::Result<()> {
        let written = self.written.entry(target).or_default();
        if written.len() >= MOST_SEEDS || !written.insert(bytes.to_vec()) {
            return Ok(());
        }
        let folder = self.folder.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{:03}", written.len())), bytes)
    }
}
