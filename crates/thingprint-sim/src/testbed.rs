use crate::{Home, SimError, Source};

/// The testbed's `dataset.toml`.
const DATASET: Source<'static> =
    Source { file: "dataset.toml", text: include_str!("../../../datasets/unsw28/dataset.toml") };

// `DEVICES`: the testbed's profiles, listed by the build script.
include!(concat!(env!("OUT_DIR"), "/unsw28_devices.rs"));

/// The testbed of the classification paper (Table 1) as published facts tell of it: 28 `IoT` devices and the
/// computers around them, from `datasets/unsw28`. Each fact has its source in the file, and guesses are marked.
///
/// Its [`Trace`](crate::Trace) spans the paper's 26 weeks, in which every class is seen in as many hours as the paper
/// says, where it says so. Fails only when the files that were compiled in are wrong, which the tests of this crate
/// rule out.
pub fn unsw28() -> Result<Home, SimError> {
    Home::from_toml(&DATASET, DEVICES)
}
