use serde::{Serialize, Serializer};

use crate::cursor::Cursor;
use crate::message::{MessageBody, json, size};
use crate::text::{escaped, listed, push_code};

use super::resumption::{MOST_RESUMPTIONS, PRE_SHARED_KEY, Resumption, SESSION_TICKET};

/// Form in which a `ClientHello` came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloVersion {
    /// The two-byte `legacy_version` of the message (0x0301 is TLS 1.0, 0x0303 TLS 1.2 and 1.3).
    Tls(u16),
    /// An SSL 2.0 compatible hello that names this version (RFC 5246 appendix E.2).
    Ssl2(u16),
}

impl Serialize for HelloVersion {
    /// The name of the version that the hello says; the form is that of SSL 2.0 where suites have six digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (Self::Tls(version) | Self::Ssl2(version)) = self;
        json::tls_version(version, serializer)
    }
}

/// A TLS `ClientHello` (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2). GREASE values (RFC 8701) are left out of every list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientHello {
    /// Version field of the message.
    pub version: HelloVersion,
    /// Offered cipher suites in order. Two-byte codes stand in the low 16 bits; three-byte kinds of SSL 2.0 whose first
    /// byte is not 0 use 24 bits.
    #[serde(serialize_with = "json::codes")]
    pub cipher_suites: Vec<u32>,
    /// Extension types in order.
    pub extensions: Vec<u16>,
    /// `server_name` (RFC 6066 §3), lower case, bytes outside printable ASCII as `\xNN`.
    pub server_name: Option<String>,
    /// `supported_versions` (RFC 8446 §4.2.1).
    #[serde(serialize_with = "json::tls_versions")]
    pub supported_versions: Vec<u16>,
    /// `supported_groups` (RFC 8422 §5.1.1).
    #[serde(serialize_with = "json::codes")]
    pub groups: Vec<u16>,
    /// `ec_point_formats` (RFC 8422 §5.1.2).
    pub point_formats: Vec<u8>,
    /// `signature_algorithms` (RFC 8446 §4.2.3).
    #[serde(serialize_with = "json::codes")]
    pub signature_algorithms: Vec<u16>,
    /// `application_layer_protocol_negotiation` (RFC 7301), as sent.
    #[serde(serialize_with = "json::texts")]
    pub alpn: Vec<Vec<u8>>,
    /// The earlier sessions that it offers to go on with; at most 4.
    pub resumes: Vec<Resumption>,
    /// Whether the message breaks its form: a length that does not fit, a session identifier of more than 32 bytes, no
    /// cipher suite. What stands before the fault was read.
    #[serde(rename = "malformed")]
    pub is_malformed: bool,
}

impl ClientHello {
    /// A hello of which the version alone is known.
    pub(super) const fn of_version(version: HelloVersion) -> Self {
        Self {
            version,
            cipher_suites: Vec::new(),
            extensions: Vec::new(),
            server_name: None,
            supported_versions: Vec::new(),
            groups: Vec::new(),
            point_formats: Vec::new(),
            signature_algorithms: Vec::new(),
            alpn: Vec::new(),
            resumes: Vec::new(),
            is_malformed: false,
        }
    }

    /// The offered list as one word: four lower-case hex digits for each suite, six for a three-byte kind,
    /// joined by `-`.
    pub fn cipher_suites_word(&self) -> String {
        let digits = |suite: u32| if suite > 0xffff { 6 } else { 4 };
        listed(&self.cipher_suites, '-', |text, suite| push_code(text, suite, digits(suite)))
    }
}

/// A TLS `ServerHello` (RFC 8446 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerHello {
    /// `legacy_version` of the message.
    #[serde(serialize_with = "json::tls_version")]
    pub version: u16,
    /// The version truly negotiated: `supported_versions` where present, else `version`.
    #[serde(serialize_with = "json::tls_version")]
    pub negotiated_version: u16,
    /// The chosen cipher suite.
    #[serde(serialize_with = "json::code")]
    pub cipher_suite: u16,
    /// Extension types in order.
    pub extensions: Vec<u16>,
    /// Whether this is a `HelloRetryRequest`, which has the form of a `ServerHello` and a set random (RFC 8446 §4.1.3).
    pub is_retry_request: bool,
    /// Whether the message breaks its form behind the cipher suite.
    #[serde(rename = "malformed")]
    pub is_malformed: bool,
}

impl MessageBody for ServerHello {
    fn heap_bytes(&self) -> usize {
        size_of_val(&*self.extensions)
    }
}

impl MessageBody for ClientHello {
    fn heap_bytes(&self) -> usize {
        let alpn: usize = self.alpn.iter().map(|name| size_of_val(name) + name.len()).sum();
        size_of_val(&*self.cipher_suites)
            + size_of_val(&*self.extensions)
            + size::text(self.server_name.as_ref())
            + size_of_val(&*self.supported_versions)
            + size_of_val(&*self.groups)
            + self.point_formats.len()
            + size_of_val(&*self.signature_algorithms)
            + size_of_val(&*self.resumes)
            + alpn
    }
}

/// RFC 8446 §4.2, IANA `ExtensionType`.
const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const EC_POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;

/// RFC 8446 §4.1.3: the random of a `ServerHello` that is a `HelloRetryRequest`.
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Reads the body of a `ClientHello`, up to the first fault where it is malformed; `None` where it has no version.
pub fn client_hello(body: &[u8]) -> Option<ClientHello> {
    let mut cursor = Cursor::new(body);
    let version = cursor.u16()?;
    let mut hello = ClientHello::of_version(HelloVersion::Tls(version));
    hello.is_malformed = !is_version(version) || read_client_hello(&mut hello, cursor).is_none();
    Some(hello)
}

/// Reads what follows the version; `None` at the first fault.
fn read_client_hello(hello: &mut ClientHello, mut cursor: Cursor<'_>) -> Option<()> {
    let _random = cursor.take(32)?;
    let session_id = cursor.vector8().filter(|id| id.len() <= 32)?;
    let is_list = |suites: &&[u8]| !suites.is_empty() && suites.len().is_multiple_of(2);
    hello.cipher_suites = list16(cursor.vector16().filter(is_list)?);
    let _compression = cursor.vector8().filter(|methods| !methods.is_empty())?;
    let read = extensions(cursor, |kind, data| {
        hello.extensions.push(kind);
        read_client_extension(hello, kind, data);
    });
    if hello.supported_versions.is_empty() && hello.resumes.is_empty() {
        hello.resumes.extend(Resumption::of_session_id(session_id));
    }
    hello.resumes.truncate(MOST_RESUMPTIONS);
    read
}

/// Reads the body of a `ServerHello` or `HelloRetryRequest`; `None` where it chooses no cipher suite.
pub fn server_hello(body: &[u8]) -> Option<ServerHello> {
    let mut cursor = Cursor::new(body);
    let version = cursor.u16().filter(|version| is_version(*version))?;
    let random: [u8; 32] = cursor.array()?;
    let _session_id = cursor.vector8().filter(|id| id.len() <= 32)?;
    let cipher_suite = cursor.u16()?;
    let mut hello = ServerHello {
        version,
        negotiated_version: version,
        cipher_suite,
        extensions: Vec::new(),
        is_retry_request: random == RETRY_RANDOM,
        is_malformed: true,
    };
    if cursor.u8().is_some() {
        let read = extensions(cursor, |kind, data| {
            hello.extensions.push(kind);
            if kind == SUPPORTED_VERSIONS {
                hello.negotiated_version = Cursor::new(data).u16().unwrap_or(version);
            }
        });
        hello.is_malformed = read.is_none();
    }
    Some(hello)
}

/// `legacy_version`: every hello from SSL 3.0 on names a version 3.x.
const fn is_version(version: u16) -> bool {
    version >> 8 == 3
}

fn read_client_extension(hello: &mut ClientHello, kind: u16, data: &[u8]) {
    let mut cursor = Cursor::new(data);
    match kind {
        SERVER_NAME => hello.server_name = server_name(cursor),
        SUPPORTED_GROUPS => hello.groups = list16(cursor.vector16().unwrap_or_default()),
        EC_POINT_FORMATS => hello.point_formats = cursor.vector8().unwrap_or_default().to_vec(),
        SIGNATURE_ALGORITHMS => {
            hello.signature_algorithms = list16(cursor.vector16().unwrap_or_default());
        }
        ALPN => hello.alpn = protocol_names(cursor.vector16().unwrap_or_default()),
        SUPPORTED_VERSIONS => hello.supported_versions = list16(cursor.vector8().unwrap_or_default()),
        SESSION_TICKET => hello.resumes.extend(Resumption::of_ticket(data)),
        PRE_SHARED_KEY => hello.resumes.extend(Resumption::of_identities(cursor)),
        _ => {}
    }
}

/// The first `host_name` (type 0) of a `ServerNameList` (RFC 6066 §3).
fn server_name(mut extension: Cursor<'_>) -> Option<String> {
    let mut names = Cursor::new(extension.vector16()?);
    while let Some(kind) = names.u8() {
        let name = names.vector16()?;
        if kind == 0 {
            return Some(escaped(&name.to_ascii_lowercase()));
        }
    }
    None
}

/// A `ProtocolNameList` (RFC 7301 §3.1); GREASE names are two equal bytes, as GREASE numbers are.
fn protocol_names(list: &[u8]) -> Vec<Vec<u8>> {
    let mut cursor = Cursor::new(list);
    std::iter::from_fn(|| cursor.vector8())
        .filter(|name| !matches!(**name, [high, low] if is_grease(u16::from_be_bytes([high, low]))))
        .map(<[u8]>::to_vec)
        .collect()
}

/// Reads the extensions at the end of a hello, without GREASE; an old hello has none. `None` where they break off or do not
/// end with the hello; those before were read.
fn extensions<'a>(mut hello: Cursor<'a>, mut each: impl FnMut(u16, &'a [u8])) -> Option<()> {
    if hello.rest().is_empty() {
        return Some(());
    }
    let declared = usize::from(hello.u16()?);
    let block = hello.rest();
    let mut cursor = Cursor::new(block.get(..declared).unwrap_or(block));
    while !cursor.rest().is_empty() {
        let (kind, data) = (cursor.u16()?, cursor.vector16()?);
        if !is_grease(kind) {
            each(kind, data);
        }
    }
    (block.len() == declared).then_some(())
}

/// Two-byte numbers, without GREASE.
fn list16<T: From<u16>>(bytes: &[u8]) -> Vec<T> {
    let mut numbers = Vec::with_capacity(bytes.len() / 2);
    let mut cursor = Cursor::new(bytes);
    while let Some(number) = cursor.u16() {
        if !is_grease(number) {
            numbers.push(T::from(number));
        }
    }
    numbers
}

/// RFC 8701 §2: the numbers 0x0a0a, 0x1a1a to 0xfafa mean nothing.
const fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}
