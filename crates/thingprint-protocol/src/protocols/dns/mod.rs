//! DNS messages over UDP and TCP (RFC 1035 §4).
//!
//! DNS has no magic number, so what is taken for it has to be plausible throughout:
//!
//! - the header: opcode 0, 4 or 5, the Z bit clear, no result code in a query, 1 to 64 questions in a query and at
//!   most 64 in a response, and room for all records that are counted;
//! - the questions: each inside the payload, with a name of labels up to 63 and 255 bytes in all whose compression
//!   pointers lead backwards, a type that is not 0, and a class that exists;
//! - the rest of a query: as many records as counted, and then nothing but zeros (some devices send the whole of a
//!   buffer);
//! - a response without a question: a first record that can be read.
//!
//! Records of a response may be cut or broken: those before stay. The `NetBIOS` name service has the same layout (RFC
//! 1002 §4.2); its encoded names identify it, and it is not read as DNS.
mod header;
mod message;
mod name;
mod record;
mod service;
#[cfg(test)]
mod tests;

use thingprint_flow::Ip;

use crate::cursor::Cursor;
use crate::parser::{Parser, StreamView};
use crate::phase::{Phase, Step};
use crate::schema::IpProtocol;
use crate::{Message, Protocol};
use header::{HEADER_BYTES, Header};
pub use message::{DnsAnswer, DnsData, DnsMessage, DnsQuestion};
pub use service::named;

/// Answers of a message that are kept: far more than anybody sends, and far fewer than names that point to one another could
/// blow up.
const MOST_ANSWERS: u16 = 128;

/// RFC 1035 §4.2.2: the length before each message over TCP.
const FRAME_LENGTH_BYTES: usize = 2;

/// A message was read from a stream, and more may follow.
const NEXT_FRAME: Phase = Phase::endless(0);

/// The protocols with messages in this format.
pub(super) const FAMILY: &[Protocol] = &[Protocol::Dns, Protocol::Mdns, Protocol::Llmnr];

/// The parser.
pub(crate) struct Dns;

impl Parser for Dns {
    const TRANSPORTS: &'static [IpProtocol] = &[IpProtocol::Tcp, IpProtocol::Udp];
    const KIN: &'static [Protocol] = FAMILY;
    const READS_ON: bool = true;

    fn datagram(packet: &Ip<'_>) -> Option<Message> {
        datagram(packet)
    }

    fn begin(view: StreamView<'_>) -> Step {
        first_frame(view.bytes, view.longest)
    }

    fn resume(_: Phase, view: StreamView<'_>) -> Step {
        next_frame(view.bytes, view.longest)
    }
}

/// The message in a UDP payload, of whichever protocol of the family.
pub(super) fn datagram(packet: &Ip<'_>) -> Option<Message> {
    let message = parse(packet.payload, packet.payload_bytes as usize)?;
    let mut message = named(message, packet);
    if let Message::Mdns(response) = &mut message
        && response.is_response()
    {
        response.additional = read_additional(packet.payload).unwrap_or_default();
    }
    Some(message)
}

/// Reads a DNS message; `length` is the payload's length by the headers, `payload` what was captured of it.
pub fn parse(payload: &[u8], length: usize) -> Option<DnsMessage> {
    let mut cursor = Cursor::new(payload);
    let header = Header::read(&mut cursor).filter(|header| header.is_plausible(length))?;
    let questions = read_questions(payload, &mut cursor, header.questions)?;
    let is_cut = payload.len() < length;
    let answers = if header.is_response() {
        read_response(payload, &mut cursor, &header)?
    } else {
        read_query(payload, &mut cursor, &header, is_cut)?
    };
    Some(DnsMessage {
        id: header.id,
        flags: header.flags,
        answer_count: header.answers,
        questions,
        answers,
        additional: Vec::new(),
    })
}

/// Looks for a DNS message at the start of a TCP stream.
fn first_frame(bytes: &[u8], longest: usize) -> Step {
    let Some(&high) = bytes.first() else { return Step::More };
    if usize::from(high) << 8 > longest {
        return Step::Done;
    }
    let mut cursor = Cursor::new(bytes);
    let Some(length) = cursor.u16().map(usize::from) else { return Step::More };
    if length + FRAME_LENGTH_BYTES > longest || length < HEADER_BYTES {
        return Step::Done;
    }
    let is_possible = Header::read(&mut cursor).is_none_or(|header| header.is_plausible(length));
    if !is_possible {
        return Step::Done;
    }
    match next_frame(bytes, longest) {
        Step::Read { message: None, .. } => Step::Done,
        step => step,
    }
}

/// Reads a message of a stream that is known to carry DNS; one that is too long, or cannot be read, is skipped.
fn next_frame(bytes: &[u8], longest: usize) -> Step {
    let mut cursor = Cursor::new(bytes);
    let Some(length) = cursor.u16().map(usize::from) else { return Step::More };
    if length < HEADER_BYTES {
        return Step::Done;
    }
    let bytes = FRAME_LENGTH_BYTES + length;
    if bytes > longest {
        return Step::Read { bytes, message: None, then: NEXT_FRAME };
    }
    cursor.take(length).map_or(Step::More, |frame| {
        let message = parse(frame, length).map(Message::Dns);
        Step::Read { bytes, message, then: NEXT_FRAME }
    })
}

fn read_questions<'a>(payload: &'a [u8], cursor: &mut Cursor<'a>, count: u16) -> Option<Vec<DnsQuestion>> {
    (0..count)
        .map(|_| {
            let name = name::read(payload, cursor)?;
            let question = DnsQuestion { name, qtype: cursor.u16()?, qclass: cursor.u16()? };
            let is_plausible = question.qtype != 0
                && question.has_plausible_class()
                && !record::is_netbios(&question.name, question.qtype);
            is_plausible.then_some(question)
        })
        .collect()
}

/// The records of a query: known answers (RFC 6762 §7.1), updates, options. All have to be there.
fn read_query<'a>(
    payload: &'a [u8],
    cursor: &mut Cursor<'a>,
    header: &Header,
    is_cut: bool,
) -> Option<Vec<DnsAnswer>> {
    let wanted = header.answers.min(MOST_ANSWERS);
    let answers = read_answers(payload, cursor, wanted);
    if is_cut {
        return Some(answers);
    }
    let others = header.records() - usize::from(wanted);
    let is_whole = answers.len() == usize::from(wanted)
        && (0..others).all(|_| record::skip(payload, cursor).is_some())
        && cursor.rest().iter().all(|&byte| byte == 0);
    is_whole.then_some(answers)
}

/// The answers of a response, as far as they can be read.
fn read_response<'a>(payload: &'a [u8], cursor: &mut Cursor<'a>, header: &Header) -> Option<Vec<DnsAnswer>> {
    let mut first = *cursor;
    let answers = read_answers(payload, cursor, header.answers.min(MOST_ANSWERS));
    if header.questions == 0 && answers.is_empty() {
        record::read(payload, &mut first)?;
    }
    Some(answers)
}

/// The additional records, behind all others; those that can be read.
fn read_additional(payload: &[u8]) -> Option<Vec<DnsAnswer>> {
    let mut cursor = Cursor::new(payload);
    let header = Header::read(&mut cursor)?;
    read_questions(payload, &mut cursor, header.questions)?;
    for _ in 0..usize::from(header.answers) + usize::from(header.authorities) {
        record::skip(payload, &mut cursor)?;
    }
    Some(read_answers(payload, &mut cursor, header.additional.min(MOST_ANSWERS)))
}

fn read_answers<'a>(payload: &'a [u8], cursor: &mut Cursor<'a>, count: u16) -> Vec<DnsAnswer> {
    (0..count).map_while(|_| record::read(payload, cursor)).collect()
}
