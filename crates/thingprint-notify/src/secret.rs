use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::NotifyError;

/// The longest secret that is read: a key is some dozens of bytes, and another file is a mistake.
const MAX_SECRET_BYTES: u64 = 4096;

/// A key or password. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The first line of a file, without its end; a line is what an editor leaves.
    pub fn read(path: &Path) -> Result<Self, NotifyError> {
        let unreadable = |source| NotifyError::UnreadableSecret { path: path.to_owned(), source };
        let bad =
            |problem: &str| NotifyError::BadSecret { path: path.to_owned(), problem: problem.to_owned() };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MAX_SECRET_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_SECRET_BYTES {
            return Err(bad("it is longer than 4096 bytes; give a file with the secret alone"));
        }
        let secret = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
        if secret.is_empty() {
            return Err(bad(
                "it is empty; write the secret into it, for example with 'openssl rand -hex 32'",
            ));
        }
        if secret.contains(&b'\n') {
            return Err(bad("it has more than one line; give a file with the secret alone"));
        }
        Ok(Self(secret.to_vec()))
    }

    /// A secret from somewhere else.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// What it is.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let check = |content: &[u8], expected: Option<&[u8]>| {
            std::fs::write(&path, content).unwrap();
            let read = Secret::read(&path);
            assert_eq!(read.as_ref().ok().map(Secret::bytes), expected, "{content:?}: {read:?}");
        };
        check(b"hunter2", Some(b"hunter2"));
        check(b"hunter2\n", Some(b"hunter2"));
        check(b"hunter2\r\n", Some(b"hunter2"));
        check(b" with space ", Some(b" with space "));
        check(b"", None);
        check(b"\n", None);
        check(b"a\nb\n", None);
        check(&[b'a'; 4096], Some(&[b'a'; 4096]));
        check(&[b'a'; 4097], None);
        let missing = Secret::read(&folder.path().join("missing")).unwrap_err().to_string();
        assert!(missing.contains("missing"), "{missing}");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }
}
