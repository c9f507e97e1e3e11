use std::path::Path;
use std::sync::Arc;

use crate::durable::{self, FolderLock};
use crate::error::TapsError;
use crate::parcel::Parcel;
use crate::shelf::{FolderShelf, Shelf};
use crate::spool::{ENDING, file_name};

/// Parcels of a collector on disk, by tap and content: each is kept before it is acknowledged, and until its windows can
/// change no more.
#[derive(Debug)]
pub struct Depot {
    shelf: Arc<dyn Shelf>,
    _lock: Option<FolderLock>,
}

impl Depot {
    /// Opens the depot in a folder, and makes it where there is none. One process uses it at a time.
    pub fn open(folder: &Path) -> Result<Self, TapsError> {
        durable::make_folder(folder)?;
        let lock = FolderLock::take(folder)?;
        FolderShelf::clear(folder)?;
        Ok(Self { shelf: Arc::new(FolderShelf(folder.to_owned())), _lock: Some(lock) })
    }

    /// The depot on a shelf that several processes use at a time.
    pub fn shared(shelf: Arc<dyn Shelf>) -> Self {
        Self { shelf, _lock: None }
    }

    /// Keeps a parcel; gives the name of its file. When this returns, it is on the disk.
    pub fn put(&self, parcel: &Parcel, bytes: &[u8]) -> Result<String, TapsError> {
        let name = format!("{}-{}", parcel.head.tap, file_name(parcel, bytes));
        self.shelf.put(&name, bytes)?;
        Ok(name)
    }

    /// The parcels, those of a tap in their order, each with the name of its file.
    pub fn parcels(&self) -> Result<Vec<(String, Parcel)>, TapsError> {
        self.parcels_but(|_| false)
    }

    /// The same without those whose files are known. One that is taken away meanwhile is left out.
    pub fn parcels_but(&self, is_known: impl Fn(&str) -> bool) -> Result<Vec<(String, Parcel)>, TapsError> {
        let mut parcels = Vec::new();
        for name in self.shelf.names(ENDING)?.into_iter().filter(|name| !is_known(name)) {
            let Some(bytes) = self.shelf.get(&name)? else { continue };
            let parcel = Parcel::from_bytes(&bytes, &format!("the part '{name}' that was kept"))?;
            parcels.push((name, parcel));
        }
        parcels.sort_by(|(_, a), (_, b)| {
            (&a.head.tap, a.head.run, a.head.number).cmp(&(&b.head.tap, b.head.run, b.head.number))
        });
        Ok(parcels)
    }

    /// Takes away a parcel whose windows can change no more.
    pub fn remove(&self, name: &str) -> Result<(), TapsError> {
        self.shelf.remove(name)
    }
}
