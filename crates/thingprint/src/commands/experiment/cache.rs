use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use thingprint_instance::{ExtractionRecipe, Labeled};
use thingprint_report::{Transaction, read_instances, write_instances};
use thingprint_table::Format;

use crate::exit::Outcome;
use crate::extraction::Instances;
use crate::files::write_file;
use crate::messages::Messages;
use crate::small_file::{MOST_CACHE_BYTES, read_bytes};

/// How a file of the cache begins, before the checksum of what follows its first line.
const MAGIC: &str = "thingprint-cache 1 ";
/// How it is called in the end.
const EXTENSION: &str = "instances";

/// Extracted instances, known by the content of what they were extracted from.
///
/// A file of it is a line with a checksum, a line of JSON with the flaws, and the instances as Parquet.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    results: Transaction,
    messages: Messages,
}

impl Cache {
    /// The cache in a folder, which is made; by default where the system keeps such things.
    pub(super) fn open(
        folder: Option<&Path>,
        results: &Transaction,
        messages: Messages,
    ) -> anyhow::Result<Self> {
        let folder = folder.map_or_else(default_folder, Path::to_owned);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("failed to make folder {} for the cache", folder.display()))?;
        Transaction::sweep(&folder);
        Ok(Self { folder, results: results.clone(), messages })
    }

    /// What these contents and this recipe gave before, else what `make` gives, which is kept.
    ///
    /// A file of the cache that is damaged is made again.
    pub(super) fn get_or_make(
        &self,
        contents: &[&[u8]],
        recipe: &ExtractionRecipe,
        make: impl FnOnce() -> anyhow::Result<Extracted>,
    ) -> anyhow::Result<(Extracted, Origin)> {
        let path = self.folder.join(format!("{}.{EXTENSION}", key(contents, recipe)));
        match read_bytes(&path, MOST_CACHE_BYTES) {
            Ok(bytes) => match unpacked(&bytes, recipe) {
                Some(kept) => return Ok((kept, Origin::Kept)),
                None => self.messages.warn(format!("{} is damaged, and is made again", path.display())),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => self.messages.warn(format!("{} is made again: {error}", path.display())),
        }
        let extracted = make()?;
        let context = "failed to write the cache";
        let bytes = packed(&extracted, recipe)?;
        if bytes.len() as u64 > MOST_CACHE_BYTES {
            self.messages.note(format!("{} is not kept, since it is too long", path.display()));
            return Ok((extracted, Origin::Made));
        }
        write_file(&self.results, &path, &bytes).context(context)?;
        self.results.commit().context(context)?;
        Ok((extracted, Origin::Made))
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

fn packed(extracted: &Extracted, recipe: &ExtractionRecipe) -> anyhow::Result<Vec<u8>> {
    let mut body = serde_json::to_vec(&extracted.flaws)?;
    body.push(b'\n');
    write_instances(&extracted.rows, Some(recipe), Format::Parquet, &mut body)?;
    let head = format!("{MAGIC}{}\n", blake3::hash(&body));
    Ok([head.into_bytes(), body].concat())
}

/// What a file holds; `None` for one that is not as it was written.
fn unpacked(bytes: &[u8], recipe: &ExtractionRecipe) -> Option<Extracted> {
    let (head, body) = line(bytes)?;
    let checksum = std::str::from_utf8(head).ok()?.strip_prefix(MAGIC)?;
    if blake3::Hash::from_hex(checksum).ok()? != blake3::hash(body) {
        return None;
    }
    let (flaws, rows) = line(body)?;
    let flaws = serde_json::from_slice(flaws).ok()?;
    let file = read_instances(rows, "cache").ok()?;
    // The recipe stands in each row.
    let fits = file.rows.is_empty() || file.recipe.as_ref() == Some(recipe);
    fits.then_some(Extracted { rows: file.rows, flaws })
}

/// The first line, and what follows it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
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

    fn open(folder: &Path) -> Cache {
        Cache::open(Some(folder), &Transaction::default(), Messages::new(true, false)).unwrap()
    }

    #[test]
    fn what_was_made_is_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = open(folder.path());
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
        let cache = open(folder.path());
        let recipe: ExtractionRecipe = "default".parse().unwrap();
        let flaws = Flaws { is_partial: true, warnings: vec!["x.pcap: cut".to_owned()] };
        let make = || Ok(Extracted { flaws: flaws.clone(), ..Extracted::default() });
        cache.get_or_make(&[b"a"], &recipe, make).unwrap();
        let (kept, origin) = cache.get_or_make(&[b"a"], &recipe, || Ok(Extracted::default())).unwrap();
        assert_eq!((kept.flaws, origin), (flaws, Origin::Kept));
    }

    #[test]
    fn a_file_that_was_changed_anywhere_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = open(folder.path());
        let recipe: ExtractionRecipe = "default".parse().unwrap();
        let flaws = Flaws { is_partial: false, warnings: vec!["x.pcap: cut".to_owned()] };
        let make = || Ok(Extracted { flaws: flaws.clone(), ..Extracted::default() });
        let get = || cache.get_or_make(&[b"a"], &recipe, make).unwrap().1;
        assert_eq!(get(), Origin::Made);
        let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, changed).unwrap();
            assert_eq!(get(), Origin::Made, "byte {at}");
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
        for length in [0, 1, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(get(), Origin::Made, "{length} bytes");
        }
        assert_eq!(get(), Origin::Kept);
    }

    #[test]
    fn contents_cannot_run_into_each_other() {
        let recipe: ExtractionRecipe = "default".parse().unwrap();
        assert_ne!(key(&[b"ab", b"c"], &recipe), key(&[b"a", b"bc"], &recipe));
    }
}
