use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use thingprint_instance::{ExtractionRecipe, Labeled};
use thingprint_report::{read_instances, write_instances};
use thingprint_table::Format;

use super::leftovers::sweep;
use crate::exit::Outcome;
use crate::extraction::Instances;
use crate::files::write_file;

/// How long another run may take to write one file of the cache.
const LONGEST_WRITE: Duration = Duration::from_hours(24);

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
        sweep(&folder, LONGEST_WRITE);
        Ok(Self { folder })
    }

    /// What these contents and this recipe gave before, else what `make` gives, which is kept.
    ///
    /// A file of the cache that cannot be read is made again.
    pub(super) fn get_or_make(
        &self,
        contents: &[&[u8]],
        recipe: &ExtractionRecipe,
        make: impl FnOnce() -> anyhow::Result<Extracted>,
    ) -> anyhow::Result<(Extracted, Origin)> {
        let key = key(contents, recipe);
        let (rows_path, flaws_path) = (self.path(&key, "parquet"), self.path(&key, "json"));
        if let Some(rows) = kept_rows(&rows_path, recipe)
            && let Some(flaws) = kept_flaws(&flaws_path)
        {
            return Ok((Extracted { rows, flaws }, Origin::Kept));
        }
        let extracted = make()?;
        let mut bytes = Vec::new();
        write_instances(&extracted.rows, Some(recipe), Format::Parquet, &mut bytes)?;
        write_file(&flaws_path, &serde_json::to_vec(&extracted.flaws).context("failed to write the cache")?)?;
        write_file(&rows_path, &bytes)?;
        Ok((extracted, Origin::Made))
    }

    fn path(&self, key: &blake3::Hash, extension: &str) -> PathBuf {
        self.folder.join(format!("{key}.{extension}"))
    }
}

/// Instances, and what is to be said of the captures that they come from.
#[derive(Debug, Default)]
pub(super) struct Extracted {
    pub(super) rows: Vec<Labeled>,
    pub(super) flaws: Flaws,
}

impl Extracted {
    /// Adds the labelled instances of a trace, and what was warned of.
    pub(super) fn add(&mut self, trace: &str, instances: Instances) {
        self.flaws.is_partial |= instances.outcome == Outcome::Partial;
        let warnings = instances.warnings.iter().map(|warning| format!("{trace}: {warning}"));
        self.flaws.warnings.extend(warnings);
        self.rows.extend(instances.rows.into_iter().filter(|row| row.label.is_some()));
    }
}

/// Where instances come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// From captures, just now: what there was to say has been said.
    Made,
    /// From the cache.
    Kept,
}

/// What makes instances less than was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flaws {
    /// Some capture was unreadable or cut.
    pub(super) is_partial: bool,
    pub(super) warnings: Vec<String>,
}

fn kept_rows(path: &Path, recipe: &ExtractionRecipe) -> Option<Vec<Labeled>> {
    let bytes = std::fs::read(path).ok()?;
    let file = read_instances(&bytes, &path.display().to_string()).ok()?;
    // The recipe stands in each row.
    (file.rows.is_empty() || file.recipe.as_ref() == Some(recipe)).then_some(file.rows)
}

fn kept_flaws(path: &Path) -> Option<Flaws> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// A hash of everything that the instances depend on, the sources of this program included.
fn key(contents: &[&[u8]], recipe: &ExtractionRecipe) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let fixed = [env!("INSTANCE_SOURCES").as_bytes(), recipe.as_str().as_bytes()];
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
    use super::*;

    #[test]
    fn what_was_made_is_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(folder.path())).unwrap();
        let recipe: ExtractionRecipe = "default".parse().unwrap();
        let get = |content: &[u8]| {
            let (_, origin) = cache.get_or_make(&[content], &recipe, || Ok(Extracted::default())).unwrap();
            origin
        };
        let origins = [get(b"a"), get(b"a"), get(b"b"), get(b"a")];
        assert_eq!(origins, [Origin::Made, Origin::Kept, Origin::Made, Origin::Kept]);
    }

    #[test]
    fn flaws_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(folder.path())).unwrap();
        let recipe: ExtractionRecipe = "default".parse().unwrap();
        let flaws = Flaws { is_partial: true, warnings: vec!["x.pcap: cut".to_owned()] };
        let make = || Ok(Extracted { flaws: flaws.clone(), ..Extracted::default() });
        cache.get_or_make(&[b"a"], &recipe, make).unwrap();
        let (kept, origin) = cache.get_or_make(&[b"a"], &recipe, || Ok(Extracted::default())).unwrap();
        assert_eq!((kept.flaws, origin), (flaws, Origin::Kept));
    }

    #[test]
    fn contents_cannot_run_into_each_other() {
        let recipe: ExtractionRecipe = "default".parse().unwrap();
        assert_ne!(key(&[b"ab", b"c"], &recipe), key(&[b"a", b"bc"], &recipe));
    }
}
