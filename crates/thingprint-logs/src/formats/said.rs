//! Messages as far as logs tell of them: the fields that no evidence is counted from are empty.

use std::fmt::Write;

use thingprint_protocol::{ClientHello, DnsMessage, DnsQuestion, HelloVersion, Message, NtpPacket};

/// The class of the Internet.
const IN: u16 = 1;
/// TLS 1.2, which all hellos since name.
const TLS_1_2: u16 = 0x0303;

/// A query for names, which come as the wire has them or in a log's own spelling.
pub(super) fn query<'n>(names: impl IntoIterator<Item = &'n str>) -> Message {
    let question = |name: &str| DnsQuestion { name: spelled(name), qtype: 0, qclass: IN };
    Message::Dns(DnsMessage {
        id: 0,
        flags: 0,
        answer_count: 0,
        questions: names.into_iter().map(question).collect(),
        answers: Vec::new(),
        additional: Vec::new(),
    })
}

/// A hello that offers these cipher suites to a server.
pub(super) fn hello(cipher_suites: Vec<u32>, server_name: Option<&str>) -> Message {
    Message::ClientHello(ClientHello {
        version: HelloVersion::Tls(TLS_1_2),
        cipher_suites: cipher_suites.into_iter().filter(|suite| !is_grease(*suite)).collect(),
        extensions: Vec::new(),
        server_name: server_name.map(spelled),
        supported_versions: Vec::new(),
        groups: Vec::new(),
        point_formats: Vec::new(),
        signature_algorithms: Vec::new(),
        alpn: Vec::new(),
        resumes: Vec::new(),
        is_malformed: false,
    })
}

/// A request for the time.
pub(super) fn time_request(version: u8, mode: u8) -> Message {
    Message::Ntp(NtpPacket {
        leap: 0,
        version,
        mode,
        stratum: 0,
        poll: 0,
        precision: 0,
        reference_id: [0; 4],
        origin: 0,
        receive: 0,
        transmit: 0,
        is_nts: false,
    })
}

/// A name as messages have it: lower case, without the last dot, `\xNN` for bytes that are not printable ASCII.
fn spelled(name: &str) -> String {
    let name = if name.len() > 1 { name.strip_suffix('.').unwrap_or(name) } else { name };
    let mut spelled = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            0x20..=0x7e => spelled.push(char::from(byte.to_ascii_lowercase())),
            // Writing to a String cannot fail.
            other => _ = write!(spelled, "\\x{other:02x}"),
        }
    }
    spelled
}

/// RFC 8701 §2.
fn is_grease(suite: u32) -> bool {
    suite & 0x0f0f == 0x0a0a && suite >> 8 == suite & 0xff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_suites_are_those_of_messages() {
        for (name, expected) in
            [("Example.COM.", "example.com"), (".", "."), ("", ""), ("caf\u{e9}.lan", "caf\\xc3\\xa9.lan")]
        {
            assert_eq!(spelled(name), expected);
        }
        let Message::ClientHello(hello) = hello(vec![0x0a0a, 0xfafa, 0x1301, 0x0a1a, 0xc02b], None) else {
            panic!("no hello")
        };
        assert_eq!(hello.cipher_suites_word(), "1301-0a1a-c02b");
    }
}
