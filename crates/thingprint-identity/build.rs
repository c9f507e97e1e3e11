//! Writes the registry of the IEEE as two files that the library includes: rows of a fixed size, sorted by block, and the
//! names that the rows point to. The table of `oui-data` itself takes nine times the room, since each entry has pointers.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo on standard output")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use oui_data::OUI_ENTRIES;

/// Bytes of a block, left-aligned; a block has up to nine digits.
const BLOCK_BYTES: usize = 5;

/// Organisations that stand for others, or for nobody.
const NOBODY: [&str; 3] = ["", "Private", "IEEE Registration Authority"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut names = Names::default();
    let mut table = BTreeMap::new();
    let entries: BTreeMap<&str, &str> =
        OUI_ENTRIES.values().map(|entry| (entry.oui(), entry.organization())).collect();
    for (oui, organisation) in entries {
        // The crate has breaks of lines instead of double blanks.
        let organisation = organisation.replace("\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(block) = block(oui).filter(|_| !NOBODY.contains(&organisation.as_str())) {
            table.insert(block, names.place(organisation)?);
        }
    }
    let mut rows = Vec::new();
    for ((digits, block), place) in table {
        rows.push(digits);
        rows.extend_from_slice(&block);
        rows.extend_from_slice(place.to_be_bytes().get(1..).unwrap_or_default());
    }
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(folder.join("oui.rows"), rows)?;
    fs::write(folder.join("oui.names"), names.bytes)?;
    Ok(())
}

/// Names, each once, with its length in front.
#[derive(Default)]
struct Names {
    bytes: Vec<u8>,
    places: BTreeMap<String, u32>,
}

impl Names {
    /// Where a name stands; it is added where it does not stand yet.
    fn place(&mut self, name: String) -> Result<u32, Box<dyn Error>> {
        if let Some(place) = self.places.get(&name) {
            return Ok(*place);
        }
        let place = u32::try_from(self.bytes.len())?;
        self.bytes.push(u8::try_from(name.len())?);
        self.bytes.extend_from_slice(name.as_bytes());
        self.places.insert(name, place);
        Ok(place)
    }
}

/// The number of digits of a block, and the digits, left-aligned.
fn block(oui: &str) -> Option<(u8, [u8; BLOCK_BYTES])> {
    let digits = u8::try_from(oui.len()).ok().filter(|digits| matches!(digits, 6 | 7 | 9))?;
    let number = u64::from_str_radix(oui, 16).ok()?;
    let aligned = number << (8 * BLOCK_BYTES - 4 * oui.len());
    let [_, _, _, block @ ..] = aligned.to_be_bytes();
    Some((digits, block))
}
