//! The messages of a TLS handshake (RFC 5246, RFC 8446). Keys, signatures and what is encrypted are random.

mod extension;
mod suite;

use super::{certificate, length16, put16};
use crate::chance::Chance;
use crate::profile::{Hello, TlsVersion};
use suite::KeyExchange;

/// Record types, RFC 8446 §5.1.
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// The longest record body of application data.
pub(crate) const LONGEST_RECORD: usize = 16_384;

/// One handshake between a program of a device and a server.
pub(crate) struct Handshake<'a> {
    hello: &'a Hello,
    /// The server's name; empty when it is known by address only.
    server_name: &'a str,
    session_id: Vec<u8>,
    /// The suites that the device offers, and the one that the server chooses.
    offered: Vec<u16>,
    suite: u16,
}

impl<'a> Handshake<'a> {
    /// A handshake with a server that goes by `server_name`, picking up an earlier session when `resumed`.
    pub(crate) fn new(hello: &'a Hello, server_name: &'a str, resumed: bool, chance: &mut Chance) -> Self {
        let has_id = resumed || hello.version == TlsVersion::V13 || hello.ticket_bytes > 0;
        let session_id = if has_id { chance.bytes::<32>().to_vec() } else { Vec::new() };
        let chosen = hello.answer_cipher.as_ref().and_then(|chosen| chosen.0.first().copied());
        let suite = chosen.unwrap_or_else(|| suite::choose(&hello.ciphers.0, hello.agreed()));
        let offered = hello.draw_list(suite, chance);
        Self { hello, server_name, session_id, offered, suite }
    }

    /// The `ClientHello`, in a record of its own.
    pub(crate) fn client_hello(&self, chance: &mut Chance) -> Vec<u8> {
        let hello = self.hello;
        let grease = hello.grease.then(|| extension::Grease::new(chance));
        let mut body = hello.version.legacy().to_vec();
        body.extend_from_slice(&chance.bytes::<32>());
        put_short_vector(&mut body, &self.session_id);
        let mut suites = Vec::new();
        let greased = grease.iter().map(|grease| grease.suite);
        for suite in greased.chain(self.offered.iter().copied()) {
            put16(&mut suites, suite);
        }
        put_vector(&mut body, &suites);
        body.extend_from_slice(&[1, 0]);
        if !hello.extensions.is_empty() {
            let so_far = body.len();
            put_vector(
                &mut body,
                &extension::of_client(hello, self.server_name, grease.as_ref(), (so_far, chance)),
            );
        }
        record(HANDSHAKE, [3, 1], &message(1, &body))
    }

    /// What the server answers at once: its hello, and all that it can say before the device's next word.
    pub(crate) fn server_flight(
        &self,
        certificate_bytes: usize,
        resumed: bool,
        chance: &mut Chance,
    ) -> Vec<u8> {
        let mut flight = self.handshake_record(&self.server_hello(resumed, chance));
        if self.hello.agreed() == TlsVersion::V13 {
            flight.extend(self.change_cipher_spec());
            let hidden = if resumed { 120 } else { 460 + certificate_bytes };
            flight.extend(random_record(APPLICATION_DATA, [3, 3], hidden, chance));
        } else if resumed {
            flight.extend(self.change_cipher_spec());
            flight.extend(self.finished(chance));
        } else {
            let certificates =
                certificate::chain(self.server_name_or_default(), self.hello.certificate, certificate_bytes);
            flight.extend(self.handshake_record(&certificate_message(&certificates)));
            let key_exchange = self.server_key_exchange(chance);
            if !key_exchange.is_empty() {
                flight.extend(self.handshake_record(&key_exchange));
            }
            flight.extend(self.handshake_record(&message(14, &[])));
        }
        flight
    }

    /// The device's second flight, after which it may send data.
    pub(crate) fn client_finish(&self, resumed: bool, chance: &mut Chance) -> Vec<u8> {
        let mut flight = Vec::new();
        if self.hello.agreed() < TlsVersion::V13 && !resumed {
            flight.extend(self.handshake_record(&self.client_key_exchange(chance)));
        }
        flight.extend(self.change_cipher_spec());
        flight.extend(self.finished(chance));
        flight
    }

    /// The server's last words of the handshake; nothing when it is resumed in TLS 1.2 or older.
    pub(crate) fn server_finish(&self, resumed: bool, chance: &mut Chance) -> Vec<u8> {
        let mut flight = Vec::new();
        if self.hello.agreed() == TlsVersion::V13 {
            flight.extend(random_record(APPLICATION_DATA, [3, 3], 250, chance));
        } else if !resumed {
            if self.hello.extensions.contains(&35) {
                let mut ticket = vec![0, 0, 0x1c, 0x20];
                put_vector(&mut ticket, &chance.bytes::<176>());
                flight.extend(self.handshake_record(&message(4, &ticket)));
            }
            flight.extend(self.change_cipher_spec());
            flight.extend(self.finished(chance));
        }
        flight
    }

    /// The alert that ends a session.
    pub(crate) fn close_alert(hello: &Hello, chance: &mut Chance) -> Vec<u8> {
        if hello.agreed() == TlsVersion::V13 {
            random_record(APPLICATION_DATA, [3, 3], 19, chance)
        } else {
            random_record(ALERT, hello.agreed().legacy(), 26, chance)
        }
    }

    fn server_hello(&self, resumed: bool, chance: &mut Chance) -> Vec<u8> {
        let mut body = self.hello.agreed().legacy().to_vec();
        body.extend_from_slice(&chance.bytes::<32>());
        put_short_vector(&mut body, &self.session_id);
        put16(&mut body, self.suite);
        body.push(0);
        let extensions = extension::of_server(self.hello, resumed, chance);
        if !extensions.is_empty() {
            put_vector(&mut body, &extensions);
        }
        message(2, &body)
    }

    fn server_key_exchange(&self, chance: &mut Chance) -> Vec<u8> {
        let mut body = Vec::new();
        match KeyExchange::of(self.suite) {
            KeyExchange::Rsa => return body,
            KeyExchange::Dhe => {
                put_vector(&mut body, &chance.bytes::<256>());
                put_vector(&mut body, &[2]);
                put_vector(&mut body, &chance.bytes::<256>());
            }
            KeyExchange::Ecdhe => {
                let (group, point) = self.point(chance);
                body.push(3);
                put16(&mut body, group);
                put_short_vector(&mut body, &point);
            }
        }
        if self.hello.agreed() == TlsVersion::V12 {
            put16(&mut body, 0x0401);
        }
        put_vector(&mut body, &chance.bytes::<256>());
        message(12, &body)
    }

    fn client_key_exchange(&self, chance: &mut Chance) -> Vec<u8> {
        let mut body = Vec::new();
        match KeyExchange::of(self.suite) {
            KeyExchange::Rsa | KeyExchange::Dhe => put_vector(&mut body, &chance.bytes::<256>()),
            KeyExchange::Ecdhe => {
                let (_, point) = self.point(chance);
                put_short_vector(&mut body, &point);
            }
        }
        message(16, &body)
    }

    /// A group that the device offers and a public key of it.
    fn point(&self, chance: &mut Chance) -> (u16, Vec<u8>) {
        if self.hello.groups.contains(&29) {
            return (29, chance.bytes::<32>().to_vec());
        }
        let mut point = vec![4];
        point.extend_from_slice(&chance.bytes::<64>());
        (23, point)
    }

    fn server_name_or_default(&self) -> &str {
        if self.server_name.is_empty() { "device.example" } else { self.server_name }
    }

    fn handshake_record(&self, message: &[u8]) -> Vec<u8> {
        record(HANDSHAKE, self.hello.agreed().legacy(), message)
    }

    fn change_cipher_spec(&self) -> Vec<u8> {
        record(CHANGE_CIPHER_SPEC, self.hello.agreed().legacy(), &[1])
    }

    /// The encrypted Finished message.
    fn finished(&self, chance: &mut Chance) -> Vec<u8> {
        match self.hello.agreed() {
            TlsVersion::V13 => random_record(APPLICATION_DATA, [3, 3], 53, chance),
            version => random_record(HANDSHAKE, version.legacy(), 40, chance),
        }
    }
}

/// The five bytes that a record of application data begins with.
pub(crate) fn data_head(hello: &Hello, body_bytes: usize) -> [u8; 5] {
    let [major, minor] = hello.agreed().legacy();
    let [high, low] = length16(body_bytes).to_be_bytes();
    [APPLICATION_DATA, major, minor, high, low]
}

/// What encryption adds to a record's contents: a tag, and until TLS 1.2 an explicit nonce; since then the type.
pub(crate) fn overhead_bytes(hello: &Hello) -> usize {
    if hello.agreed() == TlsVersion::V13 { 17 } else { 24 }
}

fn certificate_message(certificates: &[Vec<u8>]) -> Vec<u8> {
    let mut list = Vec::new();
    for certificate in certificates {
        list.push(0);
        put_vector(&mut list, certificate);
    }
    let mut body = vec![0];
    put_vector(&mut body, &list);
    message(11, &body)
}

/// A handshake message: type, length in three bytes, body.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, 0];
    put_vector(&mut message, body);
    message
}

fn record(kind: u8, [major, minor]: [u8; 2], body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, major, minor];
    put_vector(&mut record, body);
    record
}

fn random_record(kind: u8, version: [u8; 2], body_bytes: usize, chance: &mut Chance) -> Vec<u8> {
    let mut body = vec![0; body_bytes];
    chance.fill(&mut body);
    record(kind, version, &body)
}

/// Appends bytes after their length in two bytes.
fn put_vector(bytes: &mut Vec<u8>, value: &[u8]) {
    put16(bytes, length16(value.len()));
    bytes.extend_from_slice(value);
}

/// Appends bytes after their length in one byte.
fn put_short_vector(bytes: &mut Vec<u8>, value: &[u8]) {
    bytes.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(version: &str, rest: &str) -> Hello {
        toml::from_str(&format!("version = \"{version}\"\nciphers = \"1301-c02f-009c\"\n{rest}")).unwrap()
    }

    /// Takes a vector whose length stands before it in `N` bytes.
    fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> &'a [u8] {
        let (length, rest) = bytes.split_first_chunk::<N>().unwrap();
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (vector, rest) = rest.split_at(length);
        *bytes = rest;
        vector
    }

    fn numbers(bytes: &[u8]) -> Vec<u16> {
        bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
    }

    /// The suites and extension types of a hello of one record, every length checked on the way.
    fn read(hello: &Hello) -> (Vec<u16>, Vec<u16>) {
        let mut chance = Chance::new(1, "hello");
        let bytes = Handshake::new(hello, "a.example", false, &mut chance).client_hello(&mut chance);
        assert_eq!(bytes[..3], [22, 3, 1]);
        let mut rest = &bytes[3..];
        let mut message = take::<2>(&mut rest);
        assert!(rest.is_empty());
        assert_eq!(message[0], 1);
        message = &message[1..];
        let mut body = take::<3>(&mut message);
        assert!(message.is_empty());
        assert_eq!(body[..2], hello.version.legacy());
        body = &body[34..];
        take::<1>(&mut body);
        let suites = numbers(take::<2>(&mut body));
        assert_eq!(take::<1>(&mut body), [0]);
        let mut kinds = Vec::new();
        if !body.is_empty() {
            let mut extensions = take::<2>(&mut body);
            while let Some((kind, rest)) = extensions.split_first_chunk::<2>() {
                kinds.push(u16::from_be_bytes(*kind));
                extensions = rest;
                take::<2>(&mut extensions);
            }
        }
        assert!(body.is_empty());
        (suites, kinds)
    }

    #[test]
    fn a_hello_offers_what_the_profile_says() {
        let suites = vec![0x1301, 0xc02f, 0x009c];
        let plain = hello("1.2", "extensions = [0, 10, 13, 35, 65281]\nticket_bytes = 300");
        assert_eq!(read(&plain), (suites.clone(), vec![0, 10, 13, 35, 65281]));
        assert_eq!(read(&hello("1.0", "")), (suites.clone(), vec![]));
        let newest = hello("1.3", "extensions = [0, 16, 43, 45, 51, 17513]\nalpn = [\"h2\", \"http/1.1\"]");
        assert_eq!(read(&newest), (suites, vec![0, 16, 43, 45, 51, 17513]));
    }

    #[test]
    fn grease_stands_first_among_suites_and_at_both_ends_of_extensions() {
        let (suites, kinds) = read(&hello("1.3", "extensions = [0, 43, 51]\ngrease = true"));
        let is_grease = |number: u16| number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff;
        assert_eq!(
            suites.iter().map(|suite| is_grease(*suite)).collect::<Vec<_>>(),
            [true, false, false, false]
        );
        assert!(is_grease(kinds[0]) && is_grease(kinds[4]) && kinds[0] != kinds[4], "{kinds:04x?}");
        assert_eq!(kinds[1..4], [0, 43, 51]);
    }

    #[test]
    fn padding_fills_a_hello_up_to_512_bytes() {
        let mut chance = Chance::new(1, "padding");
        let padded = hello("1.2", "extensions = [0, 10, 21]");
        let bytes = Handshake::new(&padded, "a.example", false, &mut chance).client_hello(&mut chance);
        assert_eq!(bytes.len() - 5, 512);
    }
}
