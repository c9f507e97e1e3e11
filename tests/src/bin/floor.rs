//! The least that identifying devices from a capture costs: what speed is measured against.
//!
//! Reads a pcap file of Ethernet, written by a little-endian machine, with `read`, decodes Ethernet, IPv4 or IPv6 and TCP or UDP without a check of anything, finds
//! the flow of each packet in a hash table, counts it, and looks once at the first payload of each flow for one of six
//! protocols. Nothing is kept but counts: no reassembly, no attributes, no devices, no windows, no result but one line.
//!
//! ```text
//! floor CAPTURE
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program of one line of output")]

use std::fs::File;
use std::io::Read;
use std::process::ExitCode;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 18;
/// The longest record that a capture may have.
const LONGEST: usize = 1 << 18;
const FILE_HEADER: usize = 24;
/// The number that a file begins with, in microseconds or nanoseconds.
const MAGICS: [u32; 2] = [0xa1b2_c3d4, 0xa1b2_3c4d];
const RECORD_HEADER: usize = 16;
const ETHERNET: usize = 14;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("floor: name a pcap file of Ethernet");
        return ExitCode::from(2);
    };
    let mut counts = Counts::default();
    match File::open(&path).and_then(|file| read(file, &mut counts)) {
        Ok(()) => {
            let Counts { packets, bytes, flows, .. } = &counts;
            println!("{packets} packets, {bytes} bytes, {} flows, {:?}", flows.len(), flows.protocols());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("floor: failed to read {}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Counts {
    packets: u64,
    bytes: u64,
    flows: Flows,
}

fn read(mut file: File, counts: &mut Counts) -> std::io::Result<()> {
    let mut buffer = vec![0; CHUNK + LONGEST];
    file.read_exact(&mut buffer[..FILE_HEADER])?;
    let word = |at: usize| u32::from_le_bytes([buffer[at], buffer[at + 1], buffer[at + 2], buffer[at + 3]]);
    if !MAGICS.contains(&word(0)) || word(20) != 1 {
        return Err(std::io::Error::other(
            "it is no pcap file of Ethernet that a little-endian machine wrote",
        ));
    }
    let (mut filled, mut start, mut done) = (0, 0, FILE_HEADER);
    loop {
        let more = file.read(&mut buffer[filled..])?;
        if more == 0 && filled == 0 {
            return Ok(());
        }
        if more == 0 {
            return Err(std::io::Error::other(format!("the record at byte {done} is cut off or too long")));
        }
        filled += more;
        while let Some(header) =
            buffer.get(start..filled).and_then(|rest| rest.first_chunk::<RECORD_HEADER>())
        {
            let word =
                |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
            let length = word(8) as usize;
            let from = start + RECORD_HEADER;
            if from + length > filled {
                break;
            }
            counts.packets += 1;
            counts.bytes += length as u64;
            let time = u64::from(word(0)) * 1_000_000_000 + u64::from(word(4));
            // A packet that is too short for its headers is not looked at.
            let _ = packet(&buffer[from..from + length], time, &mut counts.flows);
            start = from + length;
        }
        buffer.copy_within(start..filled, 0);
        done += start;
        (filled, start) = (filled - start, 0);
    }
}

fn packet(frame: &[u8], time: u64, flows: &mut Flows) -> Option<()> {
    let ip = frame.get(ETHERNET..)?;
    let (protocol, source, target, segment) = match u16_at(frame, 12)? {
        0x0800 => {
            let header = usize::from(ip.first()? & 0x0f) * 4;
            let end = usize::from(u16_at(ip, 2)?);
            let address = |at| Some(u64::from(u32::from_be_bytes(*ip.get(at..)?.first_chunk()?)));
            (*ip.get(9)?, address(12)?, address(16)?, ip.get(header..end)?)
        }
        0x86dd => {
            let half = |at| Some(u64::from_be_bytes(*ip.get(at..)?.first_chunk()?));
            let address = |at| Some(mix(half(at)?, half(at + 8)?) & 0xffff_ffff);
            let end = 40 + usize::from(u16_at(ip, 4)?);
            (*ip.get(6)?, address(8)?, address(24)?, ip.get(40..end)?)
        }
        _ => return None,
    };
    let (from, to) = (u16_at(segment, 0)?, u16_at(segment, 2)?);
    let header = match protocol {
        6 => usize::from(segment.get(12)? >> 4) * 4,
        17 => 8,
        _ => return None,
    };
    let payload = segment.get(header..)?;
    let ends = [source << 16 | u64::from(from), target << 16 | u64::from(to)];
    let direction = usize::from(ends[0] > ends[1]);
    let key = [ends[direction] | u64::from(protocol) << 56, ends[1 - direction]];
    let flow = flows.find(key);
    flow.packets[direction] += 1;
    flow.bytes[direction] += frame.len() as u64;
    if flow.first == 0 {
        flow.first = time;
    }
    flow.last = time;
    if !flow.has_payload && !payload.is_empty() {
        flow.has_payload = true;
        flow.protocol = protocol_of(payload, protocol);
    }
    Some(())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Names of protocols, by number.
const NAMES: [&str; 7] = ["other", "tls", "http", "dns", "ntp", "dhcp", "ssdp"];

/// The number of the protocol that a first payload looks like.
fn protocol_of(payload: &[u8], transport: u8) -> u8 {
    match (transport, payload) {
        (6, [22, 3, _, _, _, 1 | 2, ..]) => 1,
        (6, [b'G', b'E', b'T', b' ', ..] | [b'P', b'O', b'S', b'T', ..] | [b'H', b'T', b'T', b'P', ..]) => 2,
        (17, [1 | 2, ..]) if payload.get(236..240) == Some(&[0x63, 0x82, 0x53, 0x63]) => 5,
        (17, _) if payload.starts_with(b"M-SEARCH") || payload.starts_with(b"NOTIFY *") => 6,
        (17, [first, ..]) if payload.len() == 48 && matches!(first & 7, 3 | 4) => 4,
        (17, [_, _, flags, _, 0, 1, ..]) if flags & 0x78 == 0 => 3,
        _ => 0,
    }
}

#[derive(Clone, Copy, Default)]
struct Flow {
    key: [u64; 2],
    packets: [u64; 2],
    bytes: [u64; 2],
    first: u64,
    last: u64,
    is_used: bool,
    has_payload: bool,
    protocol: u8,
}

/// Flows by key, in a table with open addressing that is at most half full.
struct Flows {
    places: Vec<Flow>,
    used: usize,
}

impl Default for Flows {
    fn default() -> Self {
        Self { places: vec![Flow::default(); 1 << 12], used: 0 }
    }
}

impl Flows {
    fn find(&mut self, key: [u64; 2]) -> &mut Flow {
        if self.used * 2 >= self.places.len() {
            let places = vec![Flow::default(); self.places.len() * 2];
            for flow in std::mem::replace(&mut self.places, places).into_iter().filter(|flow| flow.is_used) {
                let place = self.place(flow.key);
                self.places[place] = flow;
            }
        }
        let place = self.place(key);
        let flow = &mut self.places[place];
        if !flow.is_used {
            (flow.is_used, flow.key) = (true, key);
            self.used += 1;
        }
        flow
    }

    /// The place of a key, or the free one that it would have.
    #[expect(clippy::cast_possible_truncation, reason = "the mask leaves the bits that count")]
    fn place(&self, key: [u64; 2]) -> usize {
        let mask = self.places.len() - 1;
        let mut place = mix(key[0], key[1]) as usize & mask;
        while self.places[place].is_used && self.places[place].key != key {
            place = (place + 1) & mask;
        }
        place
    }

    const fn len(&self) -> usize {
        self.used
    }

    fn protocols(&self) -> [(&str, usize); NAMES.len()] {
        let mut counts = NAMES.map(|name| (name, 0));
        for flow in self.places.iter().filter(|flow| flow.is_used) {
            counts[usize::from(flow.protocol)].1 += 1;
        }
        counts
    }
}

/// Mixes two words into one: the halves of a product that is twice as long.
#[expect(clippy::cast_possible_truncation, reason = "the halves of a long product are what is wanted")]
fn mix(one: u64, other: u64) -> u64 {
    let long = u128::from(one ^ 0x517c_c1b7_2722_0a95) * u128::from(other ^ 0x9e37_79b9_7f4a_7c15);
    long as u64 ^ (long >> 64) as u64
}
