//! A home of one device: what the tests of homes and of hours seen have in common.

use thingprint_sim::{Home, SimError, Source};

/// What the home says of itself: a trace of ten days from midnight, local time, and two rhythms.
pub(crate) const DATASET: &str = r#"
description = "a home of one device"
origin = "made for a test"
licence = "MIT OR Apache-2.0"

[trace]
start_s = 1475244000
hours = 240

[network]
gateway = "a8:40:7c:00:10:01"
prefix = "10.1.2.0"
domain = "home.arpa"
lease_s = 3600
loss = 0
settle_s = 10
utc_offset_s = 36000

[rhythm.morning]
hours = [0, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

[rhythm.evening]
hours = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 1, 0, 0]
"#;

/// The file that the device is read from, as errors name it.
pub(crate) const FILE: &str = "devices/device.toml";

/// Reads a home of one device.
pub(crate) fn read(dataset: &str, device: &str) -> Result<Home, SimError> {
    let dataset = Source { file: "dataset.toml", text: dataset };
    Home::from_toml(&dataset, &[Source { file: FILE, text: device }])
}
