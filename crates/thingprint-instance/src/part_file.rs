use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use thingprint_flow::{GatewayPolicy, LocalNets, MacAddr, TunnelSet};

use crate::{Assembled, ExtractionRecipe, InstanceOptions, Partial, Share};

/// What every file of parts begins with.
const MAGIC: [u8; 8] = *b"TPRTPART";
/// The form of what follows; a file of another version is refused.
const VERSION: u16 = 7;
/// Longest body that is read.
const MOST_BYTES: u64 = 4 << 30;
const HASH_BYTES: usize = 32;
const HEAD_BYTES: usize = MAGIC.len() + 2 + 8 + HASH_BYTES;

/// Parts of one network in a file, with how they were made.
///
/// Every MAC address is in it: gateways leave when parts are merged. The form is magic bytes, version, length and
/// BLAKE3 hash of the body, and the body as postcard writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct PartFile {
    /// How the parts were extracted.
    pub recipe: ExtractionRecipe,
    /// The gateways that were named when they were made; empty where they are to be found.
    pub gateways: BTreeSet<MacAddr>,
    /// How their captures were read.
    pub settings: PartSettings,
    /// The share of the devices that the parts tell of; `None` where they tell of all.
    pub share: Option<Share>,
    /// The parts.
    pub parts: Partial,
}

/// How the captures of parts are read beside the recipe: what has to be the same for all parts of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartSettings {
    /// Networks whose addresses are inside.
    pub local_nets: LocalNets,
    /// Tunnels that are opened.
    pub tunnels: TunnelSet,
    /// Whether frames that were captured more than once are left out.
    pub drops_copies: bool,
    /// Whether the frames of a part are sorted by their times first.
    pub is_sorted: bool,
}

impl PartSettings {
    /// The settings as options of the command line, with their values; empty where they are not given.
    pub fn options(&self) -> [(&'static str, String); 4] {
        let given = |is_given: bool| if is_given { "given".to_owned() } else { String::new() };
        [
            ("--local-nets", self.local_nets.to_string()),
            ("--decap", self.tunnels.to_string()),
            ("--dedup", given(self.drops_copies)),
            ("--sort", given(self.is_sorted)),
        ]
    }
}

/// Why a file of parts cannot be used; follows on from "failed to read FILE: ".
#[derive(Debug, thiserror::Error)]
pub enum PartFileError {
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Some other kind of file.
    #[error("not a file of parts: write one with 'extract --partial'")]
    Foreign,
    /// Another version.
    #[error("unsupported version {found}: this program reads version {VERSION}; extract the capture again")]
    Version {
        /// Version in the file.
        found: u16,
    },
    /// The file has not as many bytes as it says.
    #[error("truncated or damaged: expected {expected} bytes, found {found}")]
    Length {
        /// Bytes that the file says.
        expected: u64,
        /// Bytes that are there, as far as they were read.
        found: u64,
    },
    /// The body is not what was written.
    #[error("damaged: {0}")]
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
struct Body {
    recipe: String,
    gateways: BTreeSet<MacAddr>,
    settings: PartSettings,
    share: Option<Share>,
    parts: Partial,
}

impl PartFile {
    /// The same parts, with the devices of a share alone.
    #[must_use]
    pub fn of_share(&self, share: Share) -> Self {
        let mut file = Self { share: Some(share), ..self.clone() };
        file.parts.keep_share(share);
        file
    }

    /// The instances of the parts, without those of gateways; of a share, those of its devices.
    pub fn assemble(&mut self, options: &InstanceOptions, policy: &GatewayPolicy) -> Assembled {
        let Some(share) = self.share else { return self.parts.assemble(options, policy) };
        // Frames at edges are of all devices.
        self.parts.keep_share(share);
        let mut assembled = self.parts.assemble(options, policy);
        if !share.is_first() {
            assembled.differences.overlaps = 0;
        }
        assembled
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When the place cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), PartFileError> {
        let Self { recipe, gateways, settings, share, parts } = self;
        let (gateways, settings, parts) = (gateways.clone(), settings.clone(), parts.clone());
        let body = Body { recipe: recipe.to_string(), gateways, settings, share: *share, parts };
        let body = postcard::to_stdvec(&body).map_err(damaged)?;
        out.write_all(&MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        out.write_all(&(body.len() as u64).to_le_bytes())?;
        out.write_all(blake3::hash(&body).as_bytes())?;
        out.write_all(&body)?;
        Ok(out.flush()?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is not a file of parts, of another version, truncated or damaged.
    pub fn read(input: &mut dyn Read) -> Result<Self, PartFileError> {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        input.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        let rest = head.strip_prefix(&MAGIC).ok_or(PartFileError::Foreign)?;
        let (version, rest) = rest.split_first_chunk::<2>().ok_or(PartFileError::Foreign)?;
        let found = u16::from_le_bytes(*version);
        if found != VERSION {
            return Err(PartFileError::Version { found });
        }
        let (length, hash) = rest.split_first_chunk::<8>().ok_or(PartFileError::Foreign)?;
        let expected = u64::from_le_bytes(*length);
        let mut body = Vec::new();
        input.take(MOST_BYTES.min(expected.saturating_add(1))).read_to_end(&mut body)?;
        if body.len() as u64 != expected {
            return Err(PartFileError::Length { expected, found: body.len() as u64 });
        }
        if blake3::hash(&body).as_bytes() != hash {
            return Err(damaged("its content does not have the hash that it was written with"));
        }
        let Body { recipe, gateways, settings, share, parts } =
            postcard::from_bytes(&body).map_err(damaged)?;
        Ok(Self { recipe: recipe.parse().map_err(damaged)?, gateways, settings, share, parts })
    }
}

fn damaged(reason: impl Display) -> PartFileError {
    PartFileError::Damaged(reason.to_string())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn written() -> Vec<u8> {
        let recipe = ExtractionRecipe::of(&InstanceOptions::default());
        let settings = PartSettings {
            tunnels: "vxlan,gre".parse().unwrap(),
            is_sorted: true,
            ..PartSettings::default()
        };
        let gateways = [MacAddr::new([2; 6])].into();
        let share = Share::all(NonZeroU32::MIN).next();
        let file = PartFile { recipe, gateways, settings, share, parts: Partial::default() };
        let mut bytes = Vec::new();
        file.write(&mut bytes).unwrap();
        assert_eq!(PartFile::read(&mut bytes.as_slice()).unwrap(), file);
        bytes
    }

    fn error(bytes: &[u8]) -> String {
        PartFile::read(&mut &*bytes).unwrap_err().to_string()
    }

    #[test]
    fn other_files_and_other_versions_are_refused() {
        let mut bytes = written();
        assert!(error(b"mac,label\n").starts_with("not a file of parts"));
        assert!(error(&[]).starts_with("not a file of parts"));
        bytes[8] = 9;
        assert!(error(&bytes).starts_with("unsupported version 9"));
    }

    #[test]
    fn a_file_that_was_changed_anywhere_is_refused() {
        let bytes = written();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            error(&changed);
            error(&bytes[..at]);
        }
        error(&[&bytes[..], b"more"].concat());
    }
}
