use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use thingprint_store::StoreError;
use thingprint_taps::{Shelf, TapsError};

/// The shelf of a store that several collectors share.
#[derive(Clone, Debug)]
pub(super) struct SharedShelf(Arc<Mutex<thingprint_store::Shelf>>);

impl SharedShelf {
    /// That of a store; `None` where the store is a file.
    pub(super) fn of(store: &Path) -> Option<Self> {
        thingprint_store::Shelf::of(store).map(|shelf| Self(Arc::new(Mutex::new(shelf))))
    }

    /// What the store keeps under a name.
    pub(super) fn state(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(|shelf| shelf.state(name))
    }

    fn with<T>(
        &self,
        act: impl FnOnce(&mut thingprint_store::Shelf) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // A connection on which somebody panicked is not used again by the shelf.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn kept<T>(
        &self,
        act: impl FnOnce(&mut thingprint_store::Shelf) -> Result<T, StoreError>,
    ) -> Result<T, TapsError> {
        self.with(act).map_err(|error| {
            let (transport, problem) = (error.path.display().to_string(), error.problem.to_string());
            if error.problem.is_of_value() {
                // Whatever is done about the server, it takes this one never.
                TapsError::BadParcel { place: transport, problem }
            } else if error.problem.may_pass() {
                TapsError::Unreachable { transport, problem }
            } else {
                TapsError::BadTransport { transport, problem }
            }
        })
    }
}

impl Shelf for SharedShelf {
    fn put(&self, name: &str, content: &[u8]) -> Result<(), TapsError> {
        self.kept(|shelf| shelf.put(name, content))
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, TapsError> {
        self.kept(|shelf| shelf.get(name))
    }

    fn names(&self, ending: &str) -> Result<Vec<String>, TapsError> {
        let names = self.kept(thingprint_store::Shelf::names)?;
        Ok(names.into_iter().filter(|name| name.ends_with(ending)).collect())
    }

    fn remove(&self, name: &str) -> Result<(), TapsError> {
        self.kept(|shelf| shelf.remove(name))
    }
}
