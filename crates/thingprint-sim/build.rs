//! Lists the device profiles of the homes that come with the crate, so that a new device is one new file under
//! `datasets/home/devices` or `datasets/unsafe-home/devices`.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo on standard output")]

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The constants that list profiles, each with the folder of the profiles, from this crate's.
const HOMES: [(&str, &str); 2] =
    [("DEVICES", "../../datasets/home/devices"), ("UNSAFE_DEVICES", "../../datasets/unsafe-home/devices")];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut source = String::new();
    for (constant, folder) in HOMES {
        let devices = root.join(folder);
        println!("cargo::rerun-if-changed={}", devices.display());
        writeln!(source, "const {constant}: &[Source<'static>] = &[")?;
        for name in profiles(&devices)? {
            write!(source, "    Source {{ file: \"devices/{name}\", ")?;
            writeln!(
                source,
                "text: include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{folder}/{name}\")) }},"
            )?;
        }
        source.push_str("];\n");
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("devices.rs"), source)?;
    Ok(())
}

/// The names of the profiles, sorted: the folder's own order differs between machines.
fn profiles(folder: &Path) -> Result<Vec<String>, io::Error> {
    let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    let mut names = fs::read_dir(folder)?.map(name).collect::<Result<Vec<_>, io::Error>>()?;
    names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "toml"));
    names.sort();
    Ok(names)
}
