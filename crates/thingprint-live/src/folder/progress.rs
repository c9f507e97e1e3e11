use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;

use super::head::Head;

/// Files that are remembered. A folder has at most half of it, so that those that are still there are remembered.
const MOST_FILES: usize = 200_000;
/// Files of one name that are remembered: a name is used again in each round of a rotation, and the files before are gone.
const MOST_OF_A_NAME: usize = 16;
/// A file whose last packet is older than what is final by this time has nothing that is missing, in nanoseconds: windows
/// are final 302 s after their end, since packets may come so late.
const FINAL_AFTER_NS: i64 = 302_000_000_000;

/// The files of a folder that were read, so that none is read twice after a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<ReadFile>", into = "Vec<ReadFile>")]
pub struct FolderProgress {
    /// By the order in which they were noted.
    files: BTreeMap<u64, ReadFile>,
    next: u64,
    by_inode: HashMap<(u64, u64), Vec<u64>>,
    by_name: HashMap<String, Vec<u64>>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadFile {
    /// Its name in the folder, without the ending of a compressed file.
    pub name: String,
    /// The device that it lies on; `None` where the system does not say.
    pub device: Option<u64>,
    /// Its number there.
    pub inode: Option<u64>,
    /// What it begins with.
    pub head: Head,
    /// Its size, as far as it was read.
    pub bytes: u64,
    /// Whether it was compressed.
    pub is_compressed: bool,
    /// Whole packets that were read of it.
    pub packets: u64,
    /// The highest time of its packets.
    pub last_packet: Option<Timestamp>,
    /// Whether it is damaged, so that nothing behind can be read.
    pub is_damaged: bool,
}

/// A file as it lies there now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lying<'a> {
    pub(super) name: &'a str,
    pub(super) inode: Option<(u64, u64)>,
    /// Its first bytes, uncompressed.
    pub(super) start: &'a [u8],
}

impl FolderProgress {
    /// The files, in the order in which they were read.
    pub fn files(&self) -> impl Iterator<Item = &ReadFile> {
        self.files.values()
    }

    /// Notes that a file was read; what was noted of it before is replaced.
    pub fn note(&mut self, file: ReadFile) {
        let is_replaced = |id: &u64| self.files.get(id).is_some_and(|known| known.is_replaced_by(&file));
        let replaced: Vec<u64> = self.ids(&file.name, file.inode()).filter(is_replaced).collect();
        for id in replaced {
            self.forget(id);
        }
        let id = self.next;
        self.next += 1;
        if let Some(inode) = file.inode() {
            self.by_inode.entry(inode).or_default().push(id);
        }
        let of_name = self.by_name.entry(file.name.clone()).or_default();
        of_name.push(id);
        let surplus = (of_name.len() > MOST_OF_A_NAME).then(|| of_name.first().copied()).flatten();
        self.files.insert(id, file);
        if let Some(surplus) = surplus {
            self.forget(surplus);
        }
        if self.files.len() > MOST_FILES
            && let Some(oldest) = self.files.keys().next().copied()
        {
            self.forget(oldest);
        }
    }

    /// What a restart may take as read, when every window that ends by `final_until` was stored: of other files, packets
    /// are in windows that were not, and they are read again from their start.
    #[must_use]
    pub fn done_by(self, final_until: Option<Timestamp>) -> Self {
        let is_done = |file: &ReadFile| match (file.last_packet, final_until) {
            (None, _) => true,
            (Some(last), Some(until)) => last < until.plus_nanos(-FINAL_AFTER_NS),
            (Some(_), None) => false,
        };
        self.files.into_values().filter(is_done).collect::<Vec<_>>().into()
    }

    /// What is known of a file that lies there: by its number and its first bytes, or by its name and these.
    pub(super) fn find(&self, lying: Lying<'_>) -> Option<&ReadFile> {
        let known = self.ids(lying.name, lying.inode).filter_map(|id| self.files.get(&id));
        known.rev().find(|file| file.head.is_start_of(lying.start))
    }

    fn ids(&self, name: &str, inode: Option<(u64, u64)>) -> impl DoubleEndedIterator<Item = u64> {
        let by_inode = inode.and_then(|inode| self.by_inode.get(&inode));
        let by_name = self.by_name.get(name);
        by_name.into_iter().chain(by_inode).flatten().copied()
    }

    fn forget(&mut self, id: u64) {
        let Some(file) = self.files.remove(&id) else { return };
        if let Some(inode) = file.inode() {
            remove(&mut self.by_inode, &inode, id);
        }
        remove(&mut self.by_name, &file.name, id);
    }
}

impl ReadFile {
    pub(super) fn inode(&self) -> Option<(u64, u64)> {
        self.device.zip(self.inode)
    }

    /// Whether what is known of this file is out of date when `other` was read.
    fn is_replaced_by(&self, other: &Self) -> bool {
        let is_same_file = self.inode().is_some() && self.inode() == other.inode();
        let is_same_name = self.name == other.name;
        // It grew or has another name now; or other bytes were written into it; or it was copied to where it was.
        (is_same_file && (self.head.may_be(&other.head) || is_same_name))
            || (is_same_name && self.head == other.head)
    }
}

impl From<Vec<ReadFile>> for FolderProgress {
    fn from(files: Vec<ReadFile>) -> Self {
        let mut progress = Self::default();
        for file in files {
            progress.note(file);
        }
        progress
    }
}

impl From<FolderProgress> for Vec<ReadFile> {
    fn from(progress: FolderProgress) -> Self {
        progress.files.into_values().collect()
    }
}

fn remove<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Vec<u64>>, key: &K, id: u64) {
    if let Some(ids) = index.get_mut(key) {
        ids.retain(|other| *other != id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, inode: u64, start: &[u8], last_s: Option<i64>) -> ReadFile {
        ReadFile {
            name: name.to_owned(),
            device: Some(1),
            inode: Some(inode),
            head: Head::of(start),
            bytes: 100,
            is_compressed: false,
            packets: 1,
            last_packet: last_s.map(Timestamp::from_seconds),
            is_damaged: false,
        }
    }

    fn lying<'a>(name: &'a str, inode: u64, start: &'a [u8]) -> Lying<'a> {
        Lying { name, inode: Some((1, inode)), start }
    }

    #[test]
    fn a_file_is_known_by_its_number_or_its_name_and_always_by_its_start() {
        let progress = FolderProgress::from(vec![file("a", 7, b"first", Some(1))]);
        let is_known = |name, inode, start: &[u8]| progress.find(lying(name, inode, start)).is_some();
        assert!(is_known("a", 7, b"first and more"));
        assert!(is_known("renamed", 7, b"first and more"));
        assert!(is_known("a", 8, b"first"));
        assert!(!is_known("b", 8, b"first"), "another file with the same start");
        assert!(!is_known("a", 7, b"other"), "the number and the name are used again");
        assert!(!is_known("a", 7, b"fir"), "the file was cut off");
    }

    #[test]
    fn a_file_that_grew_is_noted_once() {
        let mut progress = FolderProgress::from(vec![file("a", 7, b"fir", Some(1))]);
        progress.note(file("a", 7, b"first", Some(2)));
        progress.note(file("b", 7, b"other", Some(3)));
        assert_eq!(progress.files().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(
            progress.find(lying("a", 7, b"first")).unwrap().last_packet,
            Some(Timestamp::from_seconds(2))
        );
        // Written anew under its name, and renamed.
        progress.note(file("b", 7, b"newer", Some(3)));
        progress.note(file("c", 7, b"newer", Some(3)));
        assert_eq!(progress.files().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn a_restart_takes_as_read_what_is_final() {
        let files = vec![
            file("old", 1, b"1", Some(1000)),
            file("new", 2, b"2", Some(1001)),
            file("none", 3, b"3", None),
        ];
        let done = |until_s: Option<i64>| {
            let progress = FolderProgress::from(files.clone()).done_by(until_s.map(Timestamp::from_seconds));
            progress.files().map(|file| file.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(done(Some(1303)), ["old", "none"]);
        assert_eq!(done(Some(1302)), ["none"]);
        assert_eq!(done(None), ["none"]);
    }

    #[test]
    fn progress_comes_back_as_it_was_stored() {
        let progress =
            FolderProgress::from(vec![file("a", u64::MAX, b"a", Some(5)), file("b", 2, b"", None)]);
        let text = serde_json::to_string(&progress).unwrap();
        assert_eq!(serde_json::from_str::<FolderProgress>(&text).unwrap(), progress);
        assert!(serde_json::from_str::<FolderProgress>("[{\"name\":\"a\"}]").is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let mut progress = FolderProgress::default();
        for inode in 0..MOST_FILES as u64 + 2 {
            progress.note(file(&inode.to_string(), inode, b"", None));
        }
        assert_eq!((progress.files.len(), progress.by_inode.len()), (MOST_FILES, MOST_FILES));
        let mut progress = FolderProgress::default();
        (0..20).for_each(|inode: u64| progress.note(file("same", inode, &inode.to_le_bytes(), None)));
        assert_eq!((progress.files.len(), progress.by_inode.len()), (MOST_OF_A_NAME, MOST_OF_A_NAME));
    }
}
