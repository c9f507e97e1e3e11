use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::net::IpAddr;

use thingprint_flow::{CaptureWriter, Decoder, Frame, Ip, LinkType, Timestamp, Transport};
use thingprint_fuzz::{FrameScript, StreamScript, sealed_initial};
use thingprint_protocol::{Engine, Inspection, Message, Protocol, Sender};
use thingprint_sim::{Simulation, SimulationOptions, home};

use crate::seeds::Seeds;

/// How long the home is played: everyone joins, and does most of what it ever does.
const DURATION_S: u64 = 3 * 3600;
/// A seed has few frames, and few bytes of each stream: a fuzzer is quicker with short inputs.
const FRAMES_EACH: usize = 10;
const MOST_FRAME_BYTES: usize = 400;
const MOST_STREAM_BYTES: usize = 2500;
/// Headers in front of a hello's body: of a record, and of a handshake message.
const RECORD_HEADER_BYTES: usize = 5;
const HANDSHAKE_HEADER_BYTES: usize = 4;

/// Addresses and ports of both sides, the lower first.
type Pair = [(IpAddr, u16); 2];

/// A connection as it is gathered.
#[derive(Default)]
struct Talk {
    state: Inspection,
    protocol: Option<Protocol>,
    sides: [Vec<u8>; 2],
}

/// Seeds from the traffic of the simulated home.
pub(crate) fn add(seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    let options = SimulationOptions { duration_s: DURATION_S, ..SimulationOptions::default() };
    let mut simulation = Simulation::new(&home()?, options)?;
    let engine = Engine::default();
    let mut decoder = Decoder::default();
    let mut talks: BTreeMap<(u8, Pair), Talk> = BTreeMap::new();
    let mut frames = Vec::new();
    while let Some(frame) = simulation.next_frame() {
        let time = Timestamp::from_nanos(frame.time_ns);
        let link = LinkType::Ethernet;
        let packet = decoder.decode(Frame {
            time,
            link,
            wire_bytes: frame.original_bytes,
            bytes: frame.bytes,
            ..Frame::default()
        });
        if let Some(ip) = packet.ip.filter(|ip| !ip.payload.is_empty()) {
            listen(&engine, &ip, &mut talks, seeds)?;
        }
        if frame.bytes.len() <= MOST_FRAME_BYTES {
            frames.push((time, frame.bytes.to_vec()));
        }
        if frames.len() == FRAMES_EACH {
            add_frames(&frames, seeds)?;
            frames.clear();
        }
    }
    talks.values().try_for_each(|talk| add_streams(talk, seeds))
}

/// Looks at a payload as the engine does: what it is says which target wants it.
fn listen(
    engine: &Engine,
    ip: &Ip<'_>,
    talks: &mut BTreeMap<(u8, Pair), Talk>,
    seeds: &mut Seeds,
) -> Result<(), Box<dyn Error>> {
    let ends = [(ip.src, ip.src_port), (ip.dst, ip.dst_port)];
    let is_client = ip.src_port > ip.dst_port;
    let key = (ip.transport.number(), if is_client { ends } else { [ends[1], ends[0]] });
    let talk = talks.entry(key).or_default();
    let (sender, side) = if is_client { (Sender::Device, 0) } else { (Sender::Peer, 1) };
    let mut messages = Vec::new();
    let mut budget = engine.budget();
    engine.inspect(ip, sender, &mut talk.state, &mut budget, &mut |message: Message| messages.push(message));
    talk.protocol = talk.protocol.or_else(|| messages.first().map(Message::protocol));
    if matches!(ip.transport, Transport::Tcp(_)) {
        talk.sides[side].extend_from_slice(ip.payload);
        talk.sides[side].truncate(MOST_STREAM_BYTES);
    } else if let Some(target) = messages.first().and_then(|message| target_of(message.protocol())) {
        seeds.add(target, ip.payload)?;
    }
    Ok(())
}

fn target_of(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::Dns | Protocol::Mdns | Protocol::Llmnr => Some("dns"),
        Protocol::Ntp => Some("ntp"),
        Protocol::Dhcp => Some("dhcp"),
        Protocol::Ssdp => Some("ssdp"),
        Protocol::Http => Some("http"),
        Protocol::Tls => Some("tls"),
        _ => None,
    }
}

/// Some frames as a script, and as capture files, one of them compressed.
fn add_frames(frames: &[(Timestamp, Vec<u8>)], seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    let mut writer = CaptureWriter::new(Vec::new())?;
    for (time, bytes) in frames {
        writer.write(*time, bytes, u32::try_from(bytes.len())?)?;
    }
    let capture = writer.finish()?;
    let script = frames.iter().fold(FrameScript::new(), |script, (_, bytes)| script.frame(bytes));
    let script = script.finish();
    seeds.add("frames", &script)?;
    seeds.add("identities", &script)?;
    seeds.add("captures", &capture)?;
    seeds.add("captures", &pcapng(frames)?)?;
    let mut packer = zstd::Encoder::new(Vec::new(), 1)?;
    packer.write_all(&capture)?;
    seeds.add("captures", &packer.finish()?)?;
    Ok(())
}

/// A section header, an interface that counts nanoseconds, and an enhanced packet block for each frame
/// (draft-ietf-opsawg-pcapng §4).
fn pcapng(frames: &[(Timestamp, Vec<u8>)]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut file = Vec::new();
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    put_block(0x0a0d_0d0a, &section, &mut file)?;
    put_block(1, &[1, 0, 0, 0, 0, 0, 4, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0], &mut file)?;
    for (time, bytes) in frames {
        let nanos = u64::try_from(time.as_nanos())?.to_le_bytes();
        let length = u32::try_from(bytes.len())?.to_le_bytes();
        let (low, high) = nanos.split_at(4);
        put_block(6, &[&[0; 4], high, low, &length, &length, bytes].concat(), &mut file)?;
    }
    Ok(file)
}

fn put_block(kind: u32, body: &[u8], file: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    let length = u32::try_from(12 + body.len() + padding.len())?.to_le_bytes();
    for part in [&kind.to_le_bytes()[..], &length, body, &padding, &length] {
        file.extend_from_slice(part);
    }
    Ok(())
}

/// Both sides of a connection, for the target of its protocol and for that of streams.
fn add_streams(talk: &Talk, seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    let [client, server] = &talk.sides;
    let Some(target) = talk.protocol.and_then(target_of).filter(|_| !client.is_empty()) else {
        return Ok(());
    };
    seeds.add(target, client)?;
    seeds.add(target, server)?;
    let pieces = [(700, 90), (20, 600), (0, 9), (1300, 1000)];
    for flags in [0, 2] {
        seeds.add("streams", &StreamScript { flags, pieces: &pieces, sides: [client, server] }.finish())?;
    }
    if talk.protocol == Some(Protocol::Tls) {
        add_hellos(client, server, seeds)?;
    }
    Ok(())
}

/// The bodies of hellos alone, and the hellos as QUIC would carry them.
fn add_hellos(client: &[u8], server: &[u8], seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    let mut packets = Vec::new();
    for (stream, is_server) in [(client, false), (server, true)] {
        let Some(length) = stream.get(3..RECORD_HEADER_BYTES) else { continue };
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let Some(message) = stream.get(RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + length) else { continue };
        seeds.add("tls", message.get(HANDSHAKE_HEADER_BYTES..).unwrap_or_default())?;
        let (first, second) = message.split_at(length / 2);
        let frames = [crypto(length / 2, second)?, vec![1, 0, 0], crypto(0, first)?].concat();
        packets.extend(sealed_initial(&frames, is_server));
    }
    seeds.add("quic", &packets)?;
    Ok(())
}

/// A CRYPTO frame (RFC 9000 §19.6).
fn crypto(offset: usize, data: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let [offset, length] = [u16::try_from(offset)?, u16::try_from(data.len())?];
    let number = |number: u16| (number | 0x4000).to_be_bytes();
    Ok([&[6][..], &number(offset), &number(length), data].concat())
}
