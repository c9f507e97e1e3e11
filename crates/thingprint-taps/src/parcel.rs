use std::fmt;

use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;
use thingprint_instance::PartFile;

use crate::error::TapsError;
use crate::name::Name;

/// What every parcel begins with.
const MAGIC: [u8; 8] = *b"TPRTPRCL";
/// The form of what follows; a parcel of another version is refused.
const VERSION: u16 = 1;
const HASH_BYTES: usize = 32;

/// A part of what a tap saw, as it is carried: magic bytes, version, BLAKE3 hash of the rest, then head and part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// What it is.
    pub head: ParcelHead,
    /// The bytes of a file of parts; empty where no frame came, or where the part was dropped.
    pub part: Vec<u8>,
}

/// What a parcel is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelHead {
    /// The network.
    pub network: Name,
    /// Who saw it.
    pub tap: Name,
    /// The numbering that its number is from.
    pub run: RunId,
    /// Its number among the parcels of the run, from 0 without gaps.
    pub number: u64,
    /// Time of its earliest and of its latest frame; `None` where no frame came.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Start of the last window that is final with it.
    pub window: Timestamp,
    /// The clock of the tap up to which everything is in this parcel and those before it.
    pub until: Timestamp,
    /// Whether the sources of the tap ended.
    pub is_last: bool,
    /// Whether its part was dropped, since the spool was full.
    pub is_dropped: bool,
}

/// A numbering of parcels: a tap that lost its spool begins another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId {
    /// When it began, by the clock of the machine.
    pub begun: Timestamp,
    /// What distinguishes it from others that began then.
    pub salt: u64,
}

/// The content of a parcel: its hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParcelId([u8; HASH_BYTES]);

impl ParcelId {
    /// The hash of the bytes of a parcel.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for ParcelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ParcelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParcelId({self})")
    }
}

impl Parcel {
    /// The bytes that are carried.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing into memory fails for no type that is in a parcel; what could not be written would be refused when read.
        let body = postcard::to_stdvec(self).unwrap_or_default();
        let hash = blake3::hash(&body);
        [&MAGIC[..], &VERSION.to_le_bytes(), hash.as_bytes(), &body].concat()
    }

    /// Reads the bytes of a parcel; `place` says where they are from.
    pub fn from_bytes(bytes: &[u8], place: &str) -> Result<Self, TapsError> {
        let bad = |problem: String| TapsError::BadParcel { place: place.to_owned(), problem };
        let rest = bytes.strip_prefix(&MAGIC).ok_or_else(|| bad("no parcel of a tap".to_owned()))?;
        let cut = || bad("the parcel is truncated".to_owned());
        let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
        let found = u16::from_le_bytes(*version);
        if found != VERSION {
            return Err(bad(format!(
                "unsupported version {found}: this program reads version {VERSION}; use the same version at taps and collector"
            )));
        }
        let (hash, body) = rest.split_first_chunk::<HASH_BYTES>().ok_or_else(cut)?;
        if blake3::hash(body).as_bytes() != hash {
            return Err(bad("damaged: its content does not have the hash that it was sent with".to_owned()));
        }
        postcard::from_bytes(body).map_err(|error| bad(format!("damaged: {error}")))
    }

    /// The part; `None` where there is none.
    pub fn part_file(&self) -> Result<Option<PartFile>, TapsError> {
        if self.part.is_empty() {
            return Ok(None);
        }
        let file = PartFile::read(&mut self.part.as_slice());
        file.map(Some).map_err(|source| TapsError::BadPart { place: self.head.to_string(), source })
    }

    /// The same without its part, which does not fit into a spool.
    #[must_use]
    pub fn dropped(&self) -> Self {
        Self { head: ParcelHead { is_dropped: true, ..self.head.clone() }, part: Vec::new() }
    }
}

impl fmt::Display for ParcelHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parcel {} of tap {} in network {}", self.number, self.tap, self.network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel() -> Parcel {
        let at = Timestamp::from_seconds;
        let run = RunId { begun: at(5), salt: 7 };
        let head = ParcelHead {
            network: "home".parse().unwrap(),
            tap: "attic".parse().unwrap(),
            run,
            number: 3,
            span: Some((at(3600), at(7100))),
            window: at(3600),
            until: at(7502),
            is_last: false,
            is_dropped: false,
        };
        Parcel { head, part: vec![1, 2, 3] }
    }

    #[test]
    fn a_parcel_comes_back_and_no_other_bytes_are_one() {
        let bytes = parcel().to_bytes();
        assert_eq!(Parcel::from_bytes(&bytes, "a").unwrap(), parcel());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Parcel::from_bytes(&changed, "a").is_err(), "{at}");
            assert!(Parcel::from_bytes(&bytes[..at], "a").is_err(), "{at}");
        }
    }

    #[test]
    fn a_name_that_would_leave_its_folder_is_no_name() {
        let Parcel { head, part } = parcel();
        let bytes = postcard::to_stdvec(&("../x", &head.tap, &head.run, head.number)).unwrap();
        assert!(postcard::from_bytes::<(Name, Name, RunId, u64)>(&bytes).is_err());
        assert_eq!(part.len(), 3);
    }
}
