//! A capture that is given twice, under another name or compressed another way, is one part of a trace, not two.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, BufRead, BufReader, Read};

use thingprint_flow::{ByteStream, decompress};

use crate::inputs::Input;
use crate::messages::Say;

/// Uncompressed bytes at the start of captures that are alike in copies; only where they are, all are compared.
const START_BYTES: usize = 64 * 1024;

/// The inputs without those whose uncompressed bytes are the same as an earlier one's; each is told.
///
/// What cannot be read twice, such as standard input, is taken for no copy.
pub(crate) fn without_copies(inputs: &[Input], messages: impl Say) -> Vec<Input> {
    if let [one] = inputs {
        return vec![one.clone()];
    }
    let mut by_start: BTreeMap<u64, Vec<&Input>> = BTreeMap::new();
    let mut kept = Vec::new();
    for input in inputs {
        let mut unread = Vec::new();
        let alike = start_of(input).map_or(&mut unread, |start| by_start.entry(start).or_default());
        if let Some(original) = alike.iter().find(|original| is_same_content(original, input)) {
            let (copy, original) = (input.name(), original.name());
            messages.warn(format!("{copy} is a copy of {original}, and is left out"));
        } else {
            alike.push(input);
            kept.push(input.clone());
        }
    }
    kept
}

/// Hash of the first uncompressed bytes; `None` where there are none.
fn start_of(input: &Input) -> Option<u64> {
    let mut start = Vec::new();
    // What comes before a failure is a start, too.
    let _ = open(input)?.take(START_BYTES as u64).read_to_end(&mut start);
    let mut hasher = DefaultHasher::new();
    hasher.write(&start);
    (!start.is_empty()).then(|| hasher.finish())
}

fn open(input: &Input) -> Option<ByteStream> {
    match input {
        Input::File(path) if input.is_rewindable() => decompress(Box::new(File::open(path).ok()?)).ok(),
        Input::File(_) | Input::Stdin => None,
    }
}

/// Whether two inputs have the same uncompressed bytes, up to their end or to where both cannot be read on.
fn is_same_content(a: &Input, b: &Input) -> bool {
    let (Some(a), Some(b)) = (open(a), open(b)) else { return false };
    let (mut a, mut b) = (BufReader::new(a), BufReader::new(b));
    loop {
        match (next_bytes(&mut a), next_bytes(&mut b)) {
            (Ok(left), Ok(right)) => {
                let length = left.len().min(right.len());
                if left.get(..length) != right.get(..length) || left.is_empty() != right.is_empty() {
                    return false;
                }
                if length == 0 {
                    return true;
                }
                a.consume(length);
                b.consume(length);
            }
            (Err(_), Err(_)) => return true,
            _ => return false,
        }
    }
}

fn next_bytes(reader: &mut BufReader<ByteStream>) -> io::Result<&[u8]> {
    while let Err(error) = reader.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(reader.buffer())
}
