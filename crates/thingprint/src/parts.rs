//! Parts of a trace in memory, for programs that extract captures apart.

use crate::call::Failure;
use crate::commands::joined_parts;

/// Merges parts of one network and recipe into one, given and returned as the bytes of part files. A part that is given
/// twice counts once.
///
/// # Errors
/// When bytes are no part, or parts were extracted with other options.
pub fn merge<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, Failure> {
    let merge = || -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let parts = parts.into_iter().enumerate();
        joined_parts(parts.map(|(at, bytes)| Ok((bytes, format!("part {}", at + 1)))))?.write(&mut bytes)?;
        Ok(bytes)
    };
    merge().map_err(|error| Failure::of(&error))
}
