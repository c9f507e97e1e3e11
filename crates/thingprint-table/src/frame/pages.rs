//! What Parquet pages say of their own size, before polars allocates it.
//!
//! polars takes the counts in page headers at their word: a damaged one asks for exabytes, and the process ends. Page
//! headers are structs of the Thrift compact protocol (parquet.thrift, `PageHeader`; Thrift's
//! `thrift-compact-protocol.md`).

use std::ops::Range;

/// Values that one byte of a file may stand for at most. Runs of equal values pack well, but a row of ours takes more
/// than a thousandth of a byte.
const VALUES_PER_BYTE: usize = 1000;

/// Size of an unpacked page at most; writers aim at 1 MiB.
const MAX_PAGE_SIZE: i64 = 256 << 20;

/// Structs nest three deep in a page header; deeper ones are no page headers.
const MAX_DEPTH: u8 = 8;

/// Whether a file of this length can hold so many values.
pub(super) fn is_plausible(values: i64, file_len: usize) -> bool {
    usize::try_from(values).is_ok_and(|values| values <= file_len.saturating_mul(VALUES_PER_BYTE))
}

/// Whether all pages of a column chunk are within it and claim plausible sizes.
pub(super) fn are_plausible(file: &[u8], chunk: Range<u64>) -> bool {
    let (Ok(start), Ok(end)) = (usize::try_from(chunk.start), usize::try_from(chunk.end)) else {
        return false;
    };
    let Some(mut rest) = file.get(start..end) else {
        return false;
    };
    while !rest.is_empty() {
        let Some(header) = PageHeader::read(&mut rest) else {
            return false;
        };
        let packed = usize::try_from(header.packed_size).ok().and_then(|size| rest.get(size..));
        let is_sound = header.is_sound && is_plausible(header.values, file.len());
        let (true, true, Some(after)) = (is_sound, header.unpacked_size <= MAX_PAGE_SIZE, packed) else {
            return false;
        };
        rest = after;
    }
    true
}

/// The sizes in a page header.
struct PageHeader {
    unpacked_size: i64,
    packed_size: i64,
    values: i64,
    /// No size, count or code is negative.
    is_sound: bool,
}

impl PageHeader {
    /// Takes a page header off the front.
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut header = Self { unpacked_size: 0, packed_size: 0, values: 0, is_sound: true };
        let mut thrift = Thrift { bytes };
        thrift.each_integer(0, 0, &mut |field| match field {
            // The checksum uses all of its bits.
            Field { parent: 0, id: 4, .. } => {}
            Field { value, .. } if value < 0 => header.is_sound = false,
            Field { parent: 0, id: 2, value } => header.unpacked_size = value,
            Field { parent: 0, id: 3, value } => header.packed_size = value,
            // The number of values comes first in the headers of data (5), dictionary (7) and data v2 (8) pages.
            Field { parent: 5 | 7 | 8, id: 1, value } => header.values = value,
            Field { .. } => {}
        })?;
        Some(header)
    }
}

/// An integer in a struct; `parent` is the field of the outermost struct that it is in, 0 for the struct itself.
struct Field {
    parent: i64,
    id: i64,
    value: i64,
}

/// Bytes in the compact protocol.
struct Thrift<'a, 'b> {
    bytes: &'a mut &'b [u8],
}

impl Thrift<'_, '_> {
    /// Takes a struct and shows each integer in it and in the structs in it.
    fn each_integer(&mut self, depth: u8, parent: i64, show: &mut dyn FnMut(Field)) -> Option<()> {
        if depth == MAX_DEPTH {
            return None;
        }
        let mut id = 0;
        loop {
            let head = self.byte()?;
            let (delta, r#type) = (i64::from(head >> 4), head & 0x0f);
            if r#type == 0 {
                return Some(());
            }
            id = if delta == 0 { self.zigzag()? } else { id + delta };
            match r#type {
                // A truth value is in the type.
                1 | 2 => {}
                3 => drop(self.byte()?),
                4..=6 => show(Field { parent, id, value: self.zigzag()? }),
                7 => self.skip(8)?,
                8 => {
                    let length = self.varint()?;
                    self.skip(usize::try_from(length).ok()?)?;
                }
                12 => self.each_integer(depth + 1, if depth == 0 { id } else { -1 }, show)?,
                // Lists, sets and maps are not in page headers.
                _ => return None,
            }
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        *self.bytes = rest;
        Some(*first)
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        *self.bytes = self.bytes.get(length..)?;
        Some(())
    }

    /// Seven bits a byte, the lowest first, at most 64 of them.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Signed: 0, -1, 1, -2, ...
    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data page of two bytes: type 0, sizes 2 and 2, a header with `values` values and three codes.
    fn page(values: u8) -> Vec<u8> {
        vec![0x15, 0, 0x15, 4, 0x15, 4, 0x2c, 0x15, values, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0, 7, 7]
    }

    #[test]
    fn pages_are_walked_to_the_end_of_their_chunk() {
        let chunk = [page(20), page(20)].concat();
        assert!(are_plausible(&chunk, 0..chunk.len() as u64));
        assert!(!are_plausible(&chunk, 0..chunk.len() as u64 - 1), "cut page");
        assert!(!are_plausible(&chunk, 0..chunk.len() as u64 + 1), "chunk past the end");
        assert!(!are_plausible(&chunk, 1..chunk.len() as u64), "no page header");
    }

    #[test]
    fn a_count_that_cannot_be_is_refused() {
        // In zigzag, 1 stands for -1.
        assert!(!are_plausible(&page(1), 0..19));
        assert!(is_plausible(1000, 1));
        assert!(!is_plausible(1001, 1));
        assert!(!is_plausible(-1, 1000));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, start: u64, end: u64) {
            let _ = are_plausible(&bytes, start..end);
            let _ = are_plausible(&bytes, 0..bytes.len() as u64);
        }
    }
}
