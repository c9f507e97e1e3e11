use std::path::{Path, PathBuf};

use anyhow::Context;
use thingprint_instance::{Labeled, Recipe};
use thingprint_report::{Format, read_instances, write_instances};

use crate::files::write_file;

/// Extracted instances, known by the content of what they were extracted from.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache in a folder, which is made; by default where the system keeps such things.
    pub(super) fn open(folder: Option<&Path>) -> anyhow::Result<Self> {
        let folder = folder.map_or_else(default_folder, Path::to_owned);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("failed to make folder {} for the cache", folder.display()))?;
        Ok(Self { folder })
    }

    /// The instances that these contents and this recipe gave before, else what `make` gives, which is kept.
    ///
    /// A file of the cache that cannot be read is made again.
    pub(super) fn get_or_make(
        &self,
        contents: &[&[u8]],
        recipe: &Recipe,
        make: impl FnOnce() -> anyhow::Result<Vec<Labeled>>,
    ) -> anyhow::Result<Vec<Labeled>> {
        let path = self.folder.join(format!("{}.parquet", key(contents, recipe)));
        let name = path.display().to_string();
        if let Ok(bytes) = std::fs::read(&path)
            && let Ok(file) = read_instances(&bytes, &name)
            // The recipe stands in each row.
            && (file.rows.is_empty() || file.recipe.as_ref() == Some(recipe))
        {
            return Ok(file.rows);
        }
        let rows = make()?;
        let mut bytes = Vec::new();
        write_instances(&rows, Some(recipe), Format::Parquet, &mut bytes)?;
        write_file(&path, &bytes)?;
        Ok(rows)
    }
}

/// A hash of everything that the instances depend on, the version of this program included.
fn key(contents: &[&[u8]], recipe: &Recipe) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let fixed = [env!("CARGO_PKG_VERSION").as_bytes(), recipe.as_str().as_bytes()];
    for content in fixed.iter().chain(contents) {
        hasher.update(&(content.len() as u64).to_le_bytes());
        hasher.update(content);
    }
    hasher.finalize()
}

/// `$XDG_CACHE_HOME/thingprint`, `~/.cache/thingprint`, or a folder in the current one.
fn default_folder() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    base.map_or_else(|| PathBuf::from(".thingprint-cache"), |base| base.join("thingprint")).join("instances")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn what_was_made_is_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(folder.path())).unwrap();
        let recipe: Recipe = "default".parse().unwrap();
        let mut made = 0;
        let mut get = |content: &[u8]| {
            cache
                .get_or_make(&[content], &recipe, || {
                    made += 1;
                    Ok(Vec::new())
                })
                .unwrap();
            made
        };
        assert_eq!((get(b"a"), get(b"a"), get(b"b"), get(b"a")), (1, 1, 2, 2));
    }

    #[test]
    fn contents_cannot_run_into_each_other() {
        let recipe: Recipe = "default".parse().unwrap();
        assert_ne!(key(&[b"ab", b"c"], &recipe), key(&[b"a", b"bc"], &recipe));
    }
}
