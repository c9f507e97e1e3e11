use std::io::{self, BufRead, ErrorKind, Read, Write};

use crate::Labeled;

/// Bytes of an instance that are believed; the budget of bags is far below.
const MOST_BYTES: u32 = 1 << 30;

/// Writes an instance for a temporary file of this run, which [`read_spooled`] reads back: the form is not one for keeping.
pub fn write_spooled(row: &Labeled, out: &mut dyn Write) -> io::Result<()> {
    let body = postcard::to_stdvec(row).map_err(io::Error::other)?;
    let length = u32::try_from(body.len()).ok().filter(|length| *length <= MOST_BYTES);
    let length = length.ok_or_else(|| io::Error::other("an instance of more than 1 GiB"))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&body)
}

/// Reads the next instance that [`write_spooled`] wrote; `None` at the end.
pub fn read_spooled(source: &mut dyn BufRead) -> io::Result<Option<Labeled>> {
    if source.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut length = [0; 4];
    source.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    let mut body = Vec::new();
    if length <= MOST_BYTES {
        source.take(length.into()).read_to_end(&mut body)?;
    }
    if body.len() != length as usize {
        return Err(io::Error::new(ErrorKind::InvalidData, "the temporary file is not what was written"));
    }
    postcard::from_bytes(&body).map(Some).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use thingprint_flow::Timestamp;

    use super::*;
    use crate::{Attribute, Attributes, BagName, Bags, Counts, Instance, Kind, Label, Spread, Spreads};

    fn row(words: u64) -> Labeled {
        let bag = (0..words).map(|word| (format!("host{word}.example.com"), word + 1)).collect();
        let spread = Spread { count: 3, sum: 0.1, sd: f64::MIN_POSITIVE, min: -1.0, max: 1e300 };
        let instance = Instance {
            device: "02:00:00:00:00:01".parse().unwrap(),
            window_start: Timestamp::from_nanos(1_700_000_000_000_000_007),
            window_s: 3600.0,
            capture: Some("a.pcap".to_owned()),
            attributes: Attributes::from_iter([(Attribute::FLOW_VOLUME_BYTES, Some(1.0 / 3.0))]),
            bags: Bags::from([(BagName::DOMAINS, bag), (BagName::PORTS, [].into())]),
            counts: Counts { flows: 1, packets_up: 2, packets_down: 3, bytes_up: 4, bytes_down: u64::MAX },
            spread: Spreads::from([(Attribute::FLOW_VOLUME_BYTES, spread)]),
        };
        Labeled {
            instance,
            label: Some(Label { family: Some("Vendor".to_owned()), ..Label::new("Hub", Kind::Iot) }),
        }
    }

    #[test]
    fn what_is_spooled_comes_back_equal() {
        let rows = [row(0), row(1000), Labeled { label: None, ..row(3) }];
        let mut bytes = Vec::new();
        for row in &rows {
            write_spooled(row, &mut bytes).unwrap();
        }
        let mut source = bytes.as_slice();
        let read: Vec<Labeled> = std::iter::from_fn(|| read_spooled(&mut source).unwrap()).collect();
        assert_eq!(read, rows);
    }

    #[test]
    fn a_cut_file_is_an_error() {
        let mut bytes = Vec::new();
        write_spooled(&row(3), &mut bytes).unwrap();
        for end in 1..bytes.len() {
            assert!(read_spooled(&mut &bytes[..end]).is_err(), "{end}");
        }
        assert!(read_spooled(&mut [0xff; 8].as_slice()).is_err());
    }
}
