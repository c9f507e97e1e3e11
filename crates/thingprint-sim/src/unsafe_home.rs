use crate::{Home, SimError, Source};

/// The home's `dataset.toml`.
const DATASET: Source<'static> =
    Source { file: "dataset.toml", text: include_str!("../../../datasets/unsafe-home/dataset.toml") };

// `DEVICES`: the home's profiles, listed by the build script.
include!(concat!(env!("OUT_DIR"), "/unsafe_devices.rs"));

/// A home where every device breaks one rule of best practice, or two where one takes both sides, and keeps the others,
/// from `datasets/unsafe-home`: it is made to try an audit on.
///
/// Fails only when the files that were compiled in are wrong, which the tests of this crate rule out.
pub fn unsafe_home() -> Result<Home, SimError> {
    Home::from_toml(&DATASET, DEVICES)
}
