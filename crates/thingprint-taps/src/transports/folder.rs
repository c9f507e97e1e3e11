use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Arrival, Inbox, Kind, Outbound, Outgoing, Parsed, Transport, TransportOptions};
use crate::durable;
use crate::error::TapsError;
use crate::name::Name;
use crate::spool::ENDING;

/// How often the folder is looked at while nothing comes.
const POLL: Duration = Duration::from_millis(200);

/// A folder that taps and the collector share, with a folder for each network and tap in it.
pub(super) const KIND: Kind = Kind { form: "folder:PATH", parse };

fn parse(text: &str) -> Option<Parsed> {
    let path = text.strip_prefix("folder:")?;
    if path.is_empty() {
        let problem = "it names no folder; write folder:PATH".to_owned();
        return Some(Err(TapsError::BadTransport { transport: text.to_owned(), problem }));
    }
    Some(Ok(Arc::new(Folder(PathBuf::from(path)))))
}

#[derive(Clone, Debug)]
struct Folder(PathBuf);

/// Parcels in the folder of a network; the one that was handed out last is taken away when it is acknowledged.
#[derive(Debug)]
struct FolderInbox {
    folder: PathBuf,
    handed_out: Option<PathBuf>,
    known: BTreeSet<PathBuf>,
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "folder:{}", self.0.display())
    }
}

impl Transport for Folder {
    fn outbound(&self, options: &TransportOptions) -> Result<Box<dyn Outbound>, TapsError> {
        self.refuse(options)?;
        Ok(Box::new(self.clone()))
    }

    fn inbox(&self, network: &Name, options: &TransportOptions) -> Result<Box<dyn Inbox>, TapsError> {
        self.refuse(options)?;
        let folder = self.0.join(network.as_str());
        Ok(Box::new(FolderInbox { folder, handed_out: None, known: BTreeSet::new() }))
    }
}

impl Folder {
    /// Nobody is let in here but by the file system.
    fn refuse(&self, options: &TransportOptions) -> Result<(), TapsError> {
        let TransportOptions { credentials, tls_ca, tls_identity, .. } = options;
        if credentials.is_none() && tls_ca.is_none() && tls_identity.is_none() {
            return Ok(());
        }
        let problem = "a folder needs no credentials and no certificates; leave them out".to_owned();
        Err(TapsError::BadTransport { transport: self.to_string(), problem })
    }
}

impl Outbound for Folder {
    fn send(&mut self, parcel: &Outgoing<'_>, _: Duration) -> Result<(), TapsError> {
        let folder = self.0.join(parcel.network.as_str()).join(parcel.tap.as_str());
        durable::make_folder(&folder)?;
        durable::write(&folder, parcel.name, parcel.bytes)
    }
}

impl FolderInbox {
    /// Parcels of all taps, those that were found last behind those that are known.
    fn look(&mut self) -> Result<(), TapsError> {
        for tap in durable::names(&self.folder, "")? {
            let folder = self.folder.join(tap);
            if folder.is_dir() {
                let names = durable::names(&folder, ENDING)?;
                self.known.extend(names.into_iter().map(|name| folder.join(name)));
            }
        }
        Ok(())
    }

    fn first(&self) -> Option<&Path> {
        // By the names of files, so that taps come side by side.
        self.known.iter().min_by_key(|path| path.file_name()).map(PathBuf::as_path)
    }
}

impl Inbox for FolderInbox {
    fn next(&mut self, wait: Duration) -> Result<Option<Arrival>, TapsError> {
        let end = Instant::now() + wait;
        loop {
            if self.known.is_empty() {
                self.look()?;
            }
            if let Some(path) = self.first().map(Path::to_owned) {
                let bytes = match durable::read(&path) {
                    // Another collector took it, which has the same store.
                    Err(TapsError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
                        self.known.remove(&path);
                        continue;
                    }
                    read => read?,
                };
                self.handed_out = Some(path.clone());
                return Ok(Some(Arrival { place: format!("'{}'", path.display()), bytes }));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            std::thread::sleep(left.min(POLL));
        }
    }

    fn acknowledge(&mut self) -> Result<(), TapsError> {
        let Some(path) = self.handed_out.take() else { return Ok(()) };
        self.known.remove(&path);
        durable::remove(&path)
    }

    fn is_drained(&mut self) -> Result<bool, TapsError> {
        self.look()?;
        Ok(self.known.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parcels_come_in_order_and_again_until_they_are_acknowledged() {
        let shared = tempfile::tempdir().unwrap();
        let spec =
            super::super::TransportSpec::parse(&format!("folder:{}", shared.path().display())).unwrap();
        let options = TransportOptions::default();
        let [network, attic, cellar]: [Name; 3] =
            ["home", "attic", "cellar"].map(|name| name.parse().unwrap());
        let mut outbound = spec.outbound(&options).unwrap();
        let mut send = |tap: &Name, name: &str| {
            let parcel = Outgoing { network: &network, tap, name, bytes: name.as_bytes() };
            outbound.send(&parcel, Duration::ZERO).unwrap();
        };
        send(&attic, "2.parcel");
        send(&cellar, "1.parcel");
        send(&attic, "3.parcel");
        send(&attic, "3.parcel");
        let mut inbox = spec.inbox(&network, &options).unwrap();
        let mut next = |acknowledges: bool| {
            let arrival = inbox.next(Duration::ZERO).unwrap();
            if acknowledges {
                inbox.acknowledge().unwrap();
            }
            arrival.map(|arrival| String::from_utf8(arrival.bytes).unwrap())
        };
        assert_eq!(next(false).as_deref(), Some("1.parcel"));
        assert_eq!(next(true).as_deref(), Some("1.parcel"));
        assert_eq!(next(true).as_deref(), Some("2.parcel"));
        assert_eq!(next(true).as_deref(), Some("3.parcel"));
        assert_eq!(next(true), None);
    }
}
