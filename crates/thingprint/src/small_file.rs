//! Files that are read as a whole: all of them pass here, and none takes more memory than its kind may.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use thingprint_report::bytes_within;

use crate::opened::open;

/// What people write: policies, homes, experiments, models of protocols, configurations. The largest here has 60 KB.
pub(crate) const MOST_WRITTEN_BYTES: u64 = 4 << 20;
/// Labels: four million rows of an address, a class and a kind.
pub(crate) const MOST_LABEL_BYTES: u64 = 256 << 20;
/// Tables of identity that were imported; the registry of the IEEE has 6 MB.
pub(crate) const MOST_KNOWLEDGE_BYTES: u64 = 64 << 20;
/// What tables are imported from: a wheel of Home Assistant has some 60 MB.
pub(crate) const MOST_IMPORT_BYTES: u64 = 256 << 20;
/// The log of an earlier audit, which keeps at most 262,144 findings.
pub(crate) const MOST_FINDINGS_BYTES: u64 = 256 << 20;
/// Predictions to compare with: some 25 million probabilities.
pub(crate) const MOST_PREDICTION_BYTES: u64 = 512 << 20;
/// Instances of an experiment that were kept: half a year of a home has 50,000.
pub(crate) const MOST_CACHE_BYTES: u64 = 1 << 30;

/// All bytes of a file, of which there may be as many as `most`.
///
/// No more than that and a piece is read, whatever the system says of the length: devices and pipes have none.
pub(crate) fn read_bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    all_within(open(path)?, most)
}

/// The text of a file; as [`read_bytes`].
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read_bytes(path, most)?).map_err(|error| {
        let place = error.utf8_error().valid_up_to() + 1;
        io::Error::new(ErrorKind::InvalidData, format!("byte {place} is not UTF-8 text"))
    })
}

fn all_within(source: impl Read, most: u64) -> io::Result<Vec<u8>> {
    bytes_within(source, most)?.ok_or_else(|| {
        let reason =
            format!("it has more than {} MiB, the limit for such a file; is it another file?", most >> 20);
        io::Error::new(ErrorKind::FileTooLarge, reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_read_to_the_limit_and_no_further() {
        let mut endless = io::repeat(b'x');
        let error = all_within(&mut endless, 2 << 20).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(
            error.to_string(),
            "it has more than 2 MiB, the limit for such a file; is it another file?"
        );
        assert_eq!(all_within(io::repeat(b'x').take(2 << 20), 2 << 20).unwrap().len(), 2 << 20);
    }

    #[test]
    fn the_place_of_what_is_no_text_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        std::fs::write(&path, b"mac,\xfflabel").unwrap();
        assert_eq!(read_text(&path, 100).unwrap_err().to_string(), "byte 5 is not UTF-8 text");
        assert_eq!(read_bytes(&path, 10).unwrap(), b"mac,\xfflabel");
    }
}
