//! Tells the program which sources it was made of, so that what it writes can say so, and so that what other sources
//! wrote is not taken for its own.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo on standard output")]

use std::env;
use std::error::Error;
use std::path::PathBuf;

#[path = "src/sources.rs"]
mod sources;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    for path in sources::PROGRAM {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    println!("cargo::rustc-env=PROGRAM_SOURCES={}", sources::hash(&root, sources::PROGRAM)?);
    println!("cargo::rustc-env=INSTANCE_SOURCES={}", sources::hash(&root, sources::INSTANCES)?);
    Ok(())
}
