use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use crate::durable::{self, FolderLock, UNDER_WAY};
use crate::error::TapsError;
use crate::parcel::{Parcel, ParcelId};
use crate::tap::Position;

/// How the files of parcels end.
pub(crate) const ENDING: &str = ".parcel";
/// Where a tap stands.
const POSITION: &str = "position.json";

/// Parcels on disk that wait to be sent, with a limit on their bytes.
///
/// Where a parcel does not fit, the parts of the oldest ones are dropped. What is left of such a parcel says so, and keeps
/// its number and its times, so that whoever collects knows what is missing.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    limit_bytes: u64,
    waiting: VecDeque<Waiting>,
    bytes: u64,
    position: Option<Position>,
    dropped: u64,
    _lock: FolderLock,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    name: String,
    bytes: u64,
    has_part: bool,
}

/// What putting a parcel into a spool did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Parcels whose parts were dropped, since the spool was full.
    pub dropped: u64,
}

impl Spool {
    /// Opens the spool in a folder, and makes it where there is none. One process uses it at a time.
    pub fn open(folder: &Path, limit_bytes: u64) -> Result<Self, TapsError> {
        durable::make_folder(folder)?;
        let lock = FolderLock::take(folder)?;
        for name in durable::names(folder, UNDER_WAY)? {
            durable::remove(&folder.join(name))?;
        }
        let mut spool = Self {
            folder: folder.to_owned(),
            limit_bytes,
            waiting: VecDeque::new(),
            bytes: 0,
            position: read_position(&folder.join(POSITION))?,
            dropped: 0,
            _lock: lock,
        };
        let names = durable::names(folder, ENDING)?;
        for name in &names {
            let parcel = spool.parcel(name)?;
            spool.note(name.clone(), &parcel)?;
        }
        // The parcel may be there without the position behind it.
        if let Some(name) = names.last() {
            let behind = Position::after(&spool.parcel(name)?.head);
            let known = spool.position.as_ref().map(|position| (position.run, position.next));
            if known < Some((behind.run, behind.next)) {
                spool.stand(behind)?;
            }
        }
        Ok(spool)
    }

    /// How far the tap had come when it was ended; `None` where it never cut anything.
    pub const fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// Keeps a parcel. When this returns, it is on the disk, and with it where the tap stands.
    pub fn put(&mut self, parcel: &Parcel) -> Result<Kept, TapsError> {
        let bytes = parcel.to_bytes();
        let before = self.dropped;
        if bytes.len() as u64 > self.limit_bytes && !parcel.part.is_empty() {
            self.dropped += 1;
            self.keep(&parcel.dropped(), &parcel.dropped().to_bytes())?;
        } else {
            self.make_room(bytes.len() as u64)?;
            self.keep(parcel, &bytes)?;
        }
        Ok(Kept { dropped: self.dropped - before })
    }

    /// The parcel that is to be sent first: its name and its bytes.
    pub fn first(&self) -> Result<Option<(String, Vec<u8>)>, TapsError> {
        let Some(Waiting { name, .. }) = self.waiting.front() else { return Ok(None) };
        Ok(Some((name.clone(), durable::read(&self.folder.join(name))?)))
    }

    /// Takes away a parcel that was sent.
    pub fn remove(&mut self, name: &str) -> Result<(), TapsError> {
        durable::remove(&self.folder.join(name))?;
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.name == name)
            && let Some(waiting) = self.waiting.remove(at)
        {
            self.bytes = self.bytes.saturating_sub(waiting.bytes);
        }
        Ok(())
    }

    /// Parcels that wait, and their bytes.
    pub fn waiting(&self) -> (u64, u64) {
        (self.waiting.len() as u64, self.bytes)
    }

    /// Parcels whose parts were dropped since it was opened.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn keep(&mut self, parcel: &Parcel, bytes: &[u8]) -> Result<(), TapsError> {
        let name = file_name(parcel, bytes);
        durable::write(&self.folder, &name, bytes)?;
        self.note(name, parcel)?;
        self.stand(Position::after(&parcel.head))
    }

    /// Notes on disk where the tap stands.
    fn stand(&mut self, position: Position) -> Result<(), TapsError> {
        let text = serde_json::to_vec(&position).unwrap_or_default();
        durable::write(&self.folder, POSITION, &text)?;
        self.position = Some(position);
        Ok(())
    }

    fn note(&mut self, name: String, parcel: &Parcel) -> Result<(), TapsError> {
        let path = self.folder.join(&name);
        let bytes = std::fs::metadata(&path).map_err(TapsError::file("read", &path))?.len();
        if self.waiting.iter().any(|waiting| waiting.name == name) {
            return Ok(());
        }
        self.bytes += bytes;
        self.waiting.push_back(Waiting { name, bytes, has_part: !parcel.part.is_empty() });
        Ok(())
    }

    /// Drops the parts of the oldest parcels until so many bytes fit.
    fn make_room(&mut self, bytes: u64) -> Result<(), TapsError> {
        while self.bytes + bytes > self.limit_bytes
            && let Some(at) = self.waiting.iter().position(|waiting| waiting.has_part)
        {
            let Some(Waiting { name, bytes: freed, .. }) = self.waiting.get(at).cloned() else {
                return Ok(());
            };
            let left = self.parcel(&name)?.dropped();
            let content = left.to_bytes();
            let left_name = file_name(&left, &content);
            durable::write(&self.folder, &left_name, &content)?;
            durable::remove(&self.folder.join(&name))?;
            let left = Waiting { name: left_name, bytes: content.len() as u64, has_part: false };
            self.bytes = (self.bytes + left.bytes).saturating_sub(freed);
            if let Some(place) = self.waiting.get_mut(at) {
                *place = left;
            }
            self.dropped += 1;
        }
        Ok(())
    }

    fn parcel(&self, name: &str) -> Result<Parcel, TapsError> {
        let path = self.folder.join(name);
        Parcel::from_bytes(&durable::read(&path)?, &path.display().to_string())
    }
}

/// The name of the file of a parcel: sorted by name, those of a tap are in their order.
pub(crate) fn file_name(parcel: &Parcel, bytes: &[u8]) -> String {
    let (run, number) = (parcel.head.run, parcel.head.number);
    let hash = ParcelId::of(bytes).to_string();
    let short = hash.get(..16).unwrap_or(&hash);
    format!("{:020}-{:016x}-{number:012}-{short}{ENDING}", run.begun.as_nanos().max(0), run.salt)
}

fn read_position(path: &Path) -> Result<Option<Position>, TapsError> {
    if !path.exists() {
        return Ok(None);
    }
    let bad = |error: serde_json::Error| TapsError::BadParcel {
        place: format!("'{}'", path.display()),
        problem: format!("{error}; move the spool away, and the tap begins another one"),
    };
    serde_json::from_slice(&durable::read(path)?).map(Some).map_err(bad)
}
