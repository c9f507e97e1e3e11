use std::net::Ipv4Addr;

use super::{length16, put16, put32};

/// Type of an IPv4 address record.
pub(crate) const A: u16 = 1;
/// Type of an IPv6 address record.
pub(crate) const AAAA: u16 = 28;

/// A question, RFC 1035 §4.1.
pub(crate) struct Question<'a> {
    pub(crate) id: u16,
    pub(crate) name: &'a str,
    pub(crate) kind: u16,
    /// Whether an EDNS option (RFC 6891) says that long answers are welcome.
    pub(crate) edns: bool,
}

/// What is answered.
pub(crate) struct Answer<'a> {
    /// Names that the name stands for, in order.
    pub(crate) chain: &'a [String],
    pub(crate) ttl_s: u32,
    /// Addresses of the last name of the chain; empty when there are none of the type asked for.
    pub(crate) addresses: &'a [Ipv4Addr],
    /// Whether there is no such name.
    pub(crate) missing: bool,
}

impl Question<'_> {
    /// The query.
    pub(crate) fn query(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(64);
        self.put_head(0x0100, [0, 0], &mut message);
        self.put_edns(&mut message);
        message
    }

    /// The response.
    pub(crate) fn response(&self, answer: &Answer<'_>) -> Vec<u8> {
        let mut message = Vec::with_capacity(160);
        let chain = if answer.missing { &[] } else { answer.chain };
        let addresses = if answer.missing { &[] } else { answer.addresses };
        let authority = u16::from(addresses.is_empty());
        let flags = if answer.missing { 0x8183 } else { 0x8180 };
        self.put_head(flags, [length16(chain.len() + addresses.len()), authority], &mut message);
        let mut owner = 12_u16;
        for name in chain {
            put_record_head(&mut message, owner, 5, answer.ttl_s);
            put16(&mut message, length16(name.len() + 2));
            owner = length16(message.len());
            put_name(&mut message, name);
        }
        for address in addresses {
            put_record_head(&mut message, owner, A, answer.ttl_s);
            put16(&mut message, 4);
            message.extend_from_slice(&address.octets());
        }
        if addresses.is_empty() {
            put_authority(&mut message, answer.ttl_s);
        }
        self.put_edns(&mut message);
        message
    }

    fn put_head(&self, flags: u16, [answers, authorities]: [u16; 2], message: &mut Vec<u8>) {
        for number in [self.id, flags, 1, answers, authorities, u16::from(self.edns)] {
            put16(message, number);
        }
        put_name(message, self.name);
        put16(message, self.kind);
        put16(message, 1);
    }

    fn put_edns(&self, message: &mut Vec<u8>) {
        if self.edns {
            message.extend_from_slice(&[0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
        }
    }
}

/// Appends a name, label by label.
pub(super) fn put_name(message: &mut Vec<u8>, name: &str) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let label = label.as_bytes();
        let label = label.get(..63).unwrap_or(label);
        message.push(u8::try_from(label.len()).unwrap_or(63));
        message.extend_from_slice(label);
    }
    message.push(0);
}

/// Appends the head of a record whose owner's name stands at an earlier place.
fn put_record_head(message: &mut Vec<u8>, owner: u16, kind: u16, ttl_s: u32) {
    put16(message, 0xc000 | owner);
    put16(message, kind);
    put16(message, 1);
    put32(message, ttl_s);
}

/// Appends the SOA record that says for how long there is no such record (RFC 2308 §3).
fn put_authority(message: &mut Vec<u8>, ttl_s: u32) {
    put_name(message, "example");
    put16(message, 6);
    put16(message, 1);
    put32(message, ttl_s);
    let mut data = Vec::with_capacity(64);
    put_name(&mut data, "ns.example");
    put_name(&mut data, "hostmaster.example");
    for number in [2_024_010_100, 7200, 3600, 1_209_600, ttl_s] {
        put32(&mut data, number);
    }
    put16(message, length16(data.len()));
    message.extend_from_slice(&data);
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: Question<'_> = Question { id: 0x1234, name: "a.example", kind: A, edns: false };

    #[test]
    fn a_query_is_a_head_and_a_question() {
        let expected = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01";
        assert_eq!(QUESTION.query(), expected);
    }

    #[test]
    fn a_response_follows_the_chain_to_the_addresses() {
        let chain = ["b.example".to_owned()];
        let addresses = [Ipv4Addr::new(192, 0, 2, 7)];
        let answer = Answer { chain: &chain, ttl_s: 60, addresses: &addresses, missing: false };
        let expected = [
            &b"\x12\x34\x81\x80\0\x01\0\x02\0\0\0\0\x01a\x07example\0\0\x01\0\x01"[..],
            b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x0b\x01b\x07example\0",
            b"\xc0\x27\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07",
        ];
        assert_eq!(QUESTION.response(&answer), expected.concat());
    }

    #[test]
    fn a_missing_name_is_told_with_the_time_that_it_stays_missing() {
        let answer = Answer { chain: &[], ttl_s: 60, addresses: &[], missing: true };
        let response = QUESTION.response(&answer);
        assert_eq!(response[2..12], [0x81, 0x83, 0, 1, 0, 0, 0, 1, 0, 0]);
        assert_eq!(response[response.len() - 4..], [0, 0, 0, 60]);
    }
}
