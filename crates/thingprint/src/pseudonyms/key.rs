use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use anyhow::{Context, bail};

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Bytes that a file of a key has at most: its digits and the end of the line.
const FILE_BYTES: u64 = 256;

/// The key in a file: 64 hexadecimal digits. Where there is no file, one is made that its owner alone reads.
pub(super) fn read(path: &Path) -> anyhow::Result<[u8; KEY_BYTES]> {
    let mut text = String::new();
    match File::open(path) {
        Ok(file) => file.take(FILE_BYTES).read_to_string(&mut text)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return make(path),
        Err(error) => return Err(error.into()),
    };
    match digits(text.trim()) {
        Some(key) => Ok(key),
        None => bail!("it does not have 64 hexadecimal digits: name another file, and one is made"),
    }
}

fn digits(text: &str) -> Option<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    if text.len() != 2 * KEY_BYTES || !text.is_ascii() {
        return None;
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}

fn make(path: &Path) -> anyhow::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    let mut random = File::open("/dev/urandom").context(
        "this system has no /dev/urandom: make the file with 64 random hexadecimal digits of your own",
    )?;
    random.read_exact(&mut key)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let digits = blake3::Hash::from_bytes(key).to_hex();
    writeln!(file, "{digits}")?;
    file.sync_all()?;
    Ok(key)
}
