#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a store is a file that SQLite opens"
)]

use std::fs;
use std::path::PathBuf;

use thingprint_flow::{DeviceId, GatewayPolicy, MacAddr, Timestamp};
use thingprint_instance::{InstanceOptions, PartFile};
use thingprint_store::Reader;
use thingprint_taps::{Name, Parcel};
use thingprint_watch::{EventFilter, Records};

/// The first bytes of a file of parts: magic and version.
const PART_HEAD: usize = 10;
/// Magic, version, length, hash.
const PART_HEAD_BYTES: usize = PART_HEAD + 8 + 32;
const WHOLE: u8 = 1;
/// The first bytes of a parcel: magic and version; behind them is a hash.
const PARCEL_HEAD: &[u8] = b"TPRTPRCL\x01\0";
const PARCEL_HEAD_BYTES: usize = 10 + 32;
/// Most rows that are asked for at a time.
const MOST_ROWS: usize = 100;

/// Reads bytes as a file of parts, or as the body of one whose length and hash fit, since no fuzzer finds a hash.
///
/// What is read comes back as it was when written, and becomes instances.
pub fn parts(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    let file = if kind & WHOLE == 0 { part_of(bytes) } else { bytes.to_vec() };
    let Ok(parts) = PartFile::read(&mut &*file) else { return };
    let mut written = Vec::new();
    assert!(parts.write(&mut written).is_ok());
    let again = PartFile::read(&mut &*written).map(|again| format!("{again:?}"));
    assert_eq!(again.ok(), Some(format!("{parts:?}")));
    let options = InstanceOptions::default();
    let gateways = GatewayPolicy { given: parts.gateways.clone(), ..GatewayPolicy::default() };
    let _ = parts.parts.assemble(&options, &gateways);
}

/// What [`parts`] reads, for seeds: head and body of a file of parts.
pub fn part_body(file: &[u8]) -> Option<Vec<u8>> {
    Some([&[0][..], file.get(..PART_HEAD)?, file.get(PART_HEAD_BYTES..)?].concat())
}

fn part_of(bytes: &[u8]) -> Vec<u8> {
    let (head, body) = bytes.split_at(PART_HEAD.min(bytes.len()));
    let length = (body.len() as u64).to_le_bytes();
    [head, &length, blake3::hash(body).as_bytes(), body].concat()
}

/// Reads bytes as a parcel of a tap, or as the body of one whose hash fits, since no fuzzer finds a hash.
///
/// What is read comes back as it was when written, its names are names, and its part is a file of parts or an error.
pub fn parcels(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    let whole = if kind & WHOLE == 0 {
        [PARCEL_HEAD, blake3::hash(bytes).as_bytes(), bytes].concat()
    } else {
        bytes.to_vec()
    };
    let Ok(parcel) = Parcel::from_bytes(&whole, "a fuzzer") else { return };
    assert_eq!(Parcel::from_bytes(&parcel.to_bytes(), "itself").ok().as_ref(), Some(&parcel));
    for name in [&parcel.head.network, &parcel.head.tap] {
        assert_eq!(name.as_str().parse::<Name>().ok().as_ref(), Some(name));
    }
    assert!(parcel.dropped().part.is_empty() && parcel.dropped().head.is_dropped);
    let _ = parcel.part_file();
}

/// What [`parcels`] reads, for seeds: the body of a parcel.
pub fn parcel_body(parcel: &[u8]) -> Option<Vec<u8>> {
    Some([&[0][..], parcel.get(PARCEL_HEAD_BYTES..)?].concat())
}

/// Reads bytes as a store: everything that is kept of devices, windows, events and findings.
///
/// Whatever is in the file, asking gives rows or an error.
pub fn stores(data: &[u8]) {
    let path = place();
    if fs::write(&path, data).is_err() {
        return;
    }
    let Ok(reader) = Reader::open(&path) else { return };
    let devices: Vec<DeviceId> =
        reader.devices().into_iter().flatten().map(|record| record.sighting.device).collect();
    let device = devices.first().copied().unwrap_or(DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])));
    let from = Timestamp::default();
    let _ =
        (reader.device(device), reader.windows(device, from, MOST_ROWS), reader.instances(device, MOST_ROWS));
    let _ = (reader.changes(device), reader.findings(None), reader.labels());
    let _ = (reader.addresses(None), reader.host_names(Some(device)));
    let _ = reader.windows_between(None, (from, Timestamp::from_seconds(i64::from(u32::MAX))), MOST_ROWS);
    let _ = reader.events(&EventFilter { most: MOST_ROWS, ..EventFilter::default() });
}

/// A file of this process.
fn place() -> PathBuf {
    std::env::temp_dir().join(format!("thingprint-fuzz-{}.db", std::process::id()))
}
