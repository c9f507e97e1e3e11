//! Parts of a trace in memory, for programs that extract captures apart.

use std::num::NonZeroU32;

use anyhow::bail;
use thingprint_flow::Timestamp;
use thingprint_instance::{PartFile, Share};

use crate::call::Failure;
use crate::commands::joined_parts;

/// Where in a trace a part is: the name of its first capture, and the times of its earliest and of its latest frame.
pub type Place = (Option<String>, Option<(Timestamp, Timestamp)>);

/// Merges parts of one network and recipe into one, given and returned as the bytes of part files. A part that is given
/// twice counts once.
///
/// # Errors
/// When bytes are no part, or parts were extracted with other options.
pub fn merge<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, Failure> {
    let merge = || -> anyhow::Result<Vec<u8>> { written(&read(parts)?) };
    merge().map_err(|error| Failure::of(&error))
}

/// Splits a part by devices: one part for each of so many shares, with the same devices in the same share wherever a part
/// comes from. Those of one share are merged apart from the others.
///
/// # Errors
/// When the bytes are no part, or one that was split before: its shares would be taken for those of the whole.
pub fn split(part: &[u8], shares: NonZeroU32) -> Result<Vec<Vec<u8>>, Failure> {
    let split = || -> anyhow::Result<Vec<Vec<u8>>> {
        let file = read([part])?;
        if let Some(share) = file.share {
            bail!("failed to split: the part is {share} already; split the part that it is of");
        }
        Share::all(shares).map(|share| written(&file.of_share(share))).collect()
    };
    split().map_err(|error| Failure::of(&error))
}

/// Where the parts in a part file are.
///
/// # Errors
/// When the bytes are no part.
pub fn places(part: &[u8]) -> Result<Vec<Place>, Failure> {
    let file = read([part]).map_err(|error| Failure::of(&error))?;
    Ok(file.parts.parts().map(|part| (part.name().map(str::to_owned), part.span())).collect())
}

fn read<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> anyhow::Result<PartFile> {
    let named = |(at, bytes): (usize, &'a [u8])| Ok((bytes, format!("part {}", at + 1)));
    joined_parts(parts.into_iter().enumerate().map(named))
}

fn written(file: &PartFile) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.write(&mut bytes)?;
    Ok(bytes)
}
