use super::{put_short_vector, put_vector};
use crate::chance::Chance;
use crate::profile::{Hello, TlsVersion};
use crate::wire::put16;

/// Extension types (IANA "TLS `ExtensionType` Values").
const SERVER_NAME: u16 = 0;
const STATUS_REQUEST: u16 = 5;
const GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURES: u16 = 13;
const ALPN: u16 = 16;
const PADDING: u16 = 21;
const EXTENDED_MASTER_SECRET: u16 = 23;
const COMPRESS_CERTIFICATE: u16 = 27;
const RECORD_SIZE_LIMIT: u16 = 28;
const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;
const VERSIONS: u16 = 43;
const KEY_EXCHANGE_MODES: u16 = 45;
const KEY_SHARE: u16 = 51;
/// Application settings, as browsers try them out.
const SETTINGS: u16 = 17_513;
const RENEGOTIATION: u16 = 0xff01;

/// The length that padding brings a hello to (RFC 7685 §4).
const PADDED_BYTES: usize = 512;

/// The GREASE values of one hello, RFC 8701 §3.1.
pub(super) struct Grease {
    pub(super) suite: u16,
    group: u16,
    version: u16,
    extensions: [u16; 2],
}

impl Grease {
    pub(super) fn new(chance: &mut Chance) -> Self {
        let value = |chance: &mut Chance| 0x0a0a + 0x1010 * (chance.bits16() & 15);
        let first = value(chance);
        let second = if first == 0x0a0a { 0x1a1a } else { first - 0x1010 };
        Self {
            suite: value(chance),
            group: value(chance),
            version: value(chance),
            extensions: [first, second],
        }
    }
}

/// The extensions of a `ClientHello` of which `so_far` bytes are written.
pub(super) fn of_client(
    hello: &Hello,
    server_name: &str,
    grease: Option<&Grease>,
    (so_far, chance): (usize, &mut Chance),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(grease) = grease {
        put(&mut bytes, grease.extensions[0], &[]);
    }
    for kind in hello.extensions.iter().copied() {
        match kind {
            SERVER_NAME if server_name.is_empty() => {}
            PADDING => {
                let missing = PADDED_BYTES.saturating_sub(so_far + bytes.len() + 10);
                put(&mut bytes, kind, &vec![0; missing]);
            }
            _ => put(&mut bytes, kind, &client_body(kind, hello, (server_name, grease), chance)),
        }
    }
    if let Some(grease) = grease {
        put(&mut bytes, grease.extensions[1], &[0]);
    }
    bytes
}

/// The extensions of a `ServerHello`: answers to what the device offered.
pub(super) fn of_server(hello: &Hello, resumed: bool, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = Vec::new();
    if hello.agreed() == TlsVersion::V13 {
        put(&mut bytes, VERSIONS, &[3, 4]);
        put(&mut bytes, KEY_SHARE, &share(29, &chance.bytes::<32>()));
        return bytes;
    }
    for kind in hello.extensions.iter().copied() {
        match kind {
            RENEGOTIATION => put(&mut bytes, kind, &[0]),
            POINT_FORMATS if !resumed => put(&mut bytes, kind, &[1, 0]),
            EXTENDED_MASTER_SECRET => put(&mut bytes, kind, &[]),
            SESSION_TICKET if !resumed => put(&mut bytes, kind, &[]),
            ALPN => put(&mut bytes, kind, &protocols(hello.alpn.iter().take(1))),
            _ => {}
        }
    }
    bytes
}

fn client_body(
    kind: u16,
    hello: &Hello,
    (server_name, grease): (&str, Option<&Grease>),
    chance: &mut Chance,
) -> Vec<u8> {
    match kind {
        SERVER_NAME => name_list(server_name),
        STATUS_REQUEST => vec![1, 0, 0, 0, 0],
        GROUPS => list(grease.map(|grease| grease.group), &hello.groups),
        POINT_FORMATS => vec![1, 0],
        SIGNATURES => list(None, &[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201]),
        ALPN => protocols(hello.alpn.iter()),
        SETTINGS => protocols(hello.alpn.iter().take(1)),
        COMPRESS_CERTIFICATE => vec![2, 0, 2],
        RECORD_SIZE_LIMIT => vec![0x40, 1],
        SESSION_TICKET if !hello.ticket.0.is_empty() => hello.ticket.0.clone(),
        PRE_SHARED_KEY => pre_shared_key(&hello.ticket.0, chance),
        SESSION_TICKET => {
            let mut ticket = vec![0; usize::from(hello.ticket_bytes)];
            chance.fill(&mut ticket);
            ticket
        }
        VERSIONS => versions(hello, grease),
        KEY_EXCHANGE_MODES => vec![1, 1],
        KEY_SHARE => {
            let mut shares = grease.map_or_else(Vec::new, |grease| share(grease.group, &[0]));
            shares.extend(share(29, &chance.bytes::<32>()));
            let mut body = Vec::new();
            put_vector(&mut body, &shares);
            body
        }
        RENEGOTIATION => vec![0],
        _ => Vec::new(),
    }
}

/// A ticket with its age, and the proof that the client knows its key (RFC 8446 §4.2.11).
fn pre_shared_key(ticket: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut identity = Vec::new();
    put_vector(&mut identity, ticket);
    identity.extend_from_slice(&chance.bytes::<4>());
    let mut binder = Vec::new();
    put_short_vector(&mut binder, &chance.bytes::<32>());
    let mut body = Vec::new();
    put_vector(&mut body, &identity);
    put_vector(&mut body, &binder);
    body
}

fn put(bytes: &mut Vec<u8>, kind: u16, body: &[u8]) {
    put16(bytes, kind);
    put_vector(bytes, body);
}

fn name_list(server_name: &str) -> Vec<u8> {
    let mut entry = vec![0];
    put_vector(&mut entry, server_name.as_bytes());
    let mut body = Vec::new();
    put_vector(&mut body, &entry);
    body
}

fn list(first: Option<u16>, numbers: &[u16]) -> Vec<u8> {
    let mut entries = Vec::new();
    for number in first.into_iter().chain(numbers.iter().copied()) {
        put16(&mut entries, number);
    }
    let mut body = Vec::new();
    put_vector(&mut body, &entries);
    body
}

fn protocols<'a>(names: impl Iterator<Item = &'a String>) -> Vec<u8> {
    let mut entries = Vec::new();
    for name in names {
        put_short_vector(&mut entries, name.as_bytes());
    }
    let mut body = Vec::new();
    put_vector(&mut body, &entries);
    body
}

fn versions(hello: &Hello, grease: Option<&Grease>) -> Vec<u8> {
    let mut entries = Vec::new();
    let newest = if hello.version == TlsVersion::V13 { Some(0x0304) } else { None };
    for version in grease.map(|grease| grease.version).into_iter().chain(newest).chain([0x0303]) {
        put16(&mut entries, version);
    }
    let mut body = Vec::new();
    put_short_vector(&mut body, &entries);
    body
}

fn share(group: u16, key: &[u8]) -> Vec<u8> {
    let mut entry = Vec::new();
    put16(&mut entry, group);
    put_vector(&mut entry, key);
    entry
}
