use std::path::{Path, PathBuf};

use crate::durable::{self, FolderLock, UNDER_WAY};
use crate::error::TapsError;
use crate::parcel::Parcel;
use crate::spool::{ENDING, file_name};

/// Parcels of a collector on disk, by tap and content: each is kept before it is acknowledged, and until its windows can
/// change no more.
#[derive(Debug)]
pub struct Depot {
    folder: PathBuf,
    _lock: FolderLock,
}

impl Depot {
    /// Opens the depot in a folder, and makes it where there is none. One process uses it at a time.
    pub fn open(folder: &Path) -> Result<Self, TapsError> {
        durable::make_folder(folder)?;
        let lock = FolderLock::take(folder)?;
        for name in durable::names(folder, UNDER_WAY)? {
            durable::remove(&folder.join(name))?;
        }
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// Keeps a parcel; gives the name of its file. When this returns, it is on the disk.
    pub fn put(&self, parcel: &Parcel, bytes: &[u8]) -> Result<String, TapsError> {
        let name = format!("{}-{}", parcel.head.tap, file_name(parcel, bytes));
        if !self.folder.join(&name).exists() {
            durable::write(&self.folder, &name, bytes)?;
        }
        Ok(name)
    }

    /// The parcels, those of a tap in their order, each with the name of its file.
    pub fn parcels(&self) -> Result<Vec<(String, Parcel)>, TapsError> {
        let mut parcels = Vec::new();
        for name in durable::names(&self.folder, ENDING)? {
            let path = self.folder.join(&name);
            let parcel = Parcel::from_bytes(&durable::read(&path)?, &format!("'{}'", path.display()))?;
            parcels.push((name, parcel));
        }
        parcels.sort_by(|(_, a), (_, b)| {
            (&a.head.tap, a.head.run, a.head.number).cmp(&(&b.head.tap, b.head.run, b.head.number))
        });
        Ok(parcels)
    }

    /// Takes away a parcel whose windows can change no more.
    pub fn remove(&self, name: &str) -> Result<(), TapsError> {
        durable::remove(&self.folder.join(name))
    }
}
