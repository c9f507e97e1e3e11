use std::net::IpAddr;

use serde::Serialize;

use crate::Text;
use crate::message::MessageBody;

/// A DNS message (RFC 1035 §4); what was cut off or broken is left out, what was read before it stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DnsMessage {
    /// Transaction id.
    pub id: u16,
    /// The flag word of the header: QR, opcode, AA, TC, RD, RA, Z, AD, CD, RCODE.
    pub flags: u16,
    /// Number of answer records by the header, which may be more than were read, and more than the 128 that are kept.
    pub answer_count: u16,
    /// The questions.
    pub questions: Vec<DnsQuestion>,
    /// The answer records, as far as they could be read.
    pub answers: Vec<DnsAnswer>,
    /// The additional records of a response by multicast DNS, which say as much as its answers (RFC 6763 §12); of others none
    /// are read. No output has them.
    #[serde(skip)]
    pub additional: Vec<DnsAnswer>,
}

impl DnsMessage {
    /// Whether this is a response: the QR bit.
    pub const fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// The kind of query, 0 for a standard one: RFC 1035 §4.1.1.
    pub const fn opcode(&self) -> u8 {
        (self.flags >> 11 & 0x0f) as u8
    }

    /// Whether a client asks for names here: QR 0, opcode 0, no answers, 1 to 16 questions, each of a plausible class.
    pub fn is_plain_query(&self) -> bool {
        !self.is_response()
            && self.opcode() == 0
            && self.answer_count == 0
            && (1..=16).contains(&self.questions.len())
            && self.questions.iter().all(DnsQuestion::has_plausible_class)
    }
}

/// One entry of a DNS question section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DnsQuestion {
    /// Lower case, no final dot; bytes outside printable ASCII (0x20 to 0x7e), and a dot inside a label, as `\xNN`
    /// in lower-case hex; a backslash stays as it is; the root is `.`.
    pub name: String,
    /// QTYPE.
    pub qtype: u16,
    /// QCLASS.
    pub qclass: u16,
}

impl DnsQuestion {
    /// Whether the class is one that exists: IN, CH, HS, NONE or ANY (RFC 6895 §3.2), with or without the top bit
    /// that asks for a unicast response (RFC 6762 §5.4).
    pub const fn has_plausible_class(&self) -> bool {
        Self::is_plausible_class(self.qclass)
    }

    pub(crate) const fn is_plausible_class(class: u16) -> bool {
        matches!(class & 0x7fff, 1 | 3 | 4 | 254 | 255)
    }
}

/// One resource record of a DNS answer section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DnsAnswer {
    /// Owner name, written as in [`DnsQuestion::name`].
    pub name: String,
    /// TYPE.
    pub rtype: u16,
    /// Time to live in seconds.
    pub ttl_s: u32,
    /// The record's data, where its type is understood.
    pub data: DnsData,
}

/// Data of a resource record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DnsData {
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME, PTR or NS.
    Name(String),
    /// TXT (RFC 1035 §3.3.14): its strings, written as in [`DhcpMessage::host_name`](crate::DhcpMessage::host_name).
    Text(Vec<Text>),
    /// SRV (RFC 2782).
    Service {
        /// Lower ones are tried first.
        priority: u16,
        /// Share among those of the same priority.
        weight: u16,
        /// Port of the service.
        port: u16,
        /// Host that gives the service.
        target: String,
    },
    /// HTTPS or SVCB (RFC 9460 §2.2), without its parameters.
    Binding {
        /// 0 for an alias.
        priority: u16,
        /// Host that gives the service; `.` is the owner itself.
        target: String,
    },
    /// Any other type, or data that could not be read.
    Other,
}

impl MessageBody for DnsMessage {
    fn heap_bytes(&self) -> usize {
        let questions: usize = self.questions.iter().map(|question| question.name.capacity()).sum();
        let records = self.answers.iter().chain(&self.additional);
        let records: usize = records.map(DnsAnswer::held_bytes).sum();
        size_of_val(&*self.questions) + questions + records
    }

    fn show_credentials(&mut self) {
        for answer in self.answers.iter_mut().chain(&mut self.additional) {
            if let DnsData::Text(texts) = &mut answer.data {
                texts.iter_mut().for_each(Text::show);
            }
        }
    }
}

impl DnsAnswer {
    fn held_bytes(&self) -> usize {
        let data = match &self.data {
            DnsData::Address(_) | DnsData::Other => 0,
            DnsData::Name(name) => name.capacity(),
            DnsData::Text(texts) => size_of_val(&**texts) + texts.iter().map(Text::held_bytes).sum::<usize>(),
            DnsData::Service { target, .. } | DnsData::Binding { target, .. } => target.capacity(),
        };
        size_of::<Self>() + self.name.capacity() + data
    }
}
