//! Writes seeds for every target: from the traffic of the simulated home, and messages written here where the home
//! does not speak a protocol.
//!
//! ```sh
//! cargo run --release --example seeds -- corpus
//! ```
mod classifier;
mod files;
mod handmade;
mod home;
mod languages;
mod seeds;

use std::error::Error;
use std::path::PathBuf;

use seeds::Seeds;

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("usage: seeds FOLDER")?.into();
    let mut seeds = Seeds::new(folder);
    handmade::add(&mut seeds)?;
    languages::add(&mut seeds)?;
    let part = classifier::part()?;
    let rows = classifier::add(&mut seeds, &part)?;
    files::add(&mut seeds, &rows, &classifier::short_part()?)?;
    home::add(&mut seeds)?;
    Ok(())
}
