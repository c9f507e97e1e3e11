//! Lists the device profiles of the homes that come with the crate, so that a new device is one new file under
//! `datasets/<home>/devices`.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo on standard output")]

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The folder of the homes, from this crate's.
const DATASETS: &str = "../../datasets";

fn main() -> Result<(), Box<dyn Error>> {
    list("home", "default_devices.rs")?;
    list("unsafe-home", "unsafe_devices.rs")?;
    list("unsw28", "unsw28_devices.rs")
}

/// Writes `DEVICES`, the profiles of a home, into a file of the build.
fn list(home: &str, file: &str) -> Result<(), Box<dyn Error>> {
    let devices = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join(DATASETS).join(home).join("devices");
    println!("cargo::rerun-if-changed={}", devices.display());
    let mut source = String::from("const DEVICES: &[Source<'static>] = &[\n");
    for name in profiles(&devices)? {
        write!(source, "    Source {{ file: \"devices/{name}\", ")?;
        let path = format!("{DATASETS}/{home}/devices/{name}");
        writeln!(source, "text: include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{path}\")) }},")?;
    }
    source.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join(file), source)?;
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
