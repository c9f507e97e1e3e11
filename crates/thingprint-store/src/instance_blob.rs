//! Instances in the form in which they are kept: the line of JSON that `extract --format jsonl` writes, compressed.

use std::io::Read;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{Instance, Labeled};
use thingprint_report::{read_instances, write_instances};
use thingprint_table::Format;

use crate::error::Problem;

/// Level of the compression: higher ones take several times as long and save less than a tenth.
const LEVEL: i32 = 3;

/// Bytes that one instance may take when it is unpacked. The bags of one window have a budget far below.
const MOST_BYTES: u64 = 64 << 20;

/// An instance as it is kept.
pub(crate) fn pack(instance: &Instance) -> Result<Vec<u8>, Problem> {
    let row = Labeled { instance: instance.clone(), label: None };
    let mut line = Vec::new();
    write_instances(std::slice::from_ref(&row), None, Format::Jsonl, &mut line)?;
    pack_line(&line)
}

/// A line of JSON as it is kept.
pub(crate) fn pack_line(line: &[u8]) -> Result<Vec<u8>, Problem> {
    Ok(zstd::bulk::compress(line, LEVEL)?)
}

/// The line of JSON in what is kept.
pub(crate) fn line(packed: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut line = Vec::new();
    let read = zstd::Decoder::new(packed)?.take(MOST_BYTES + 1).read_to_end(&mut line)?;
    if read as u64 > MOST_BYTES {
        return Err(Problem::Damaged { what: format!("an instance of more than {MOST_BYTES} bytes") });
    }
    Ok(line)
}

/// The instances in lines of JSON, in their order; `what` names them in errors.
pub(crate) fn read_lines(lines: &[u8], what: &str) -> Result<Vec<Instance>, Problem> {
    let file = read_instances(lines, what)?;
    Ok(file.rows.into_iter().map(|row| row.instance).collect())
}

/// The instance in what is kept of the window of a device.
pub(crate) fn unpack(
    packed: &[u8],
    device: DeviceId,
    start: Timestamp,
) -> Result<Option<Box<Instance>>, Problem> {
    let line = line(packed)?;
    let what = format!("window {} of {device}", thingprint_table::rfc3339::format(start));
    Ok(read_lines(&line, &what)?.pop().map(Box::new))
}

/// Numbers as bytes: eight for each, the lowest byte first.
pub(crate) fn pack_numbers(numbers: &[f64]) -> Option<Vec<u8>> {
    (!numbers.is_empty()).then(|| numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
}

/// Numbers out of bytes; bytes that are left over are no number.
pub(crate) fn unpack_numbers(bytes: &[u8]) -> Vec<f64> {
    let (numbers, _) = bytes.as_chunks::<8>();
    numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
}
