//! Fingerprints of TLS clients that other tools know: JA3, an MD5 of decimal numbers, and JA4, which also summarises
//! what the client offers.
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::text::{decimals, hex, listed, push_code};
use crate::{ClientHello, HelloVersion};

/// Extension types that JA4 leaves out of its list, as they change with the destination.
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
/// JA4 counts to 99.
const MOST_COUNTED: usize = 99;
/// Digits that JA4 keeps of a hash.
const SHORT_HASH_DIGITS: usize = 12;

/// What carries a `ClientHello`: the first letter of JA4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// TLS records over TCP.
    Tcp,
    /// CRYPTO frames of QUIC.
    Quic,
}

impl ClientHello {
    /// The text that JA3 hashes: version, suites, extensions, groups and point formats in decimal, without GREASE.
    /// There is none for a hello in SSL 2.0 form.
    pub fn ja3_text(&self) -> Option<String> {
        let HelloVersion::Tls(version) = self.version else { return None };
        let lists = [
            decimals(&self.cipher_suites, '-'),
            decimals(&self.extensions, '-'),
            decimals(&self.groups, '-'),
            decimals(&self.point_formats, '-'),
        ];
        Some(format!("{version},{}", lists.join(",")))
    }

    /// JA3: the MD5 of [`Self::ja3_text`] in hexadecimal digits.
    pub fn ja3(&self) -> Option<String> {
        self.ja3_text().map(|text| hex(&Md5::digest(text)))
    }

    /// JA4: what is offered, a hash of the sorted suites, and one of the sorted extensions with the signature
    /// algorithms in their order.
    pub fn ja4(&self, carrier: Carrier) -> String {
        let carrier = match carrier {
            Carrier::Tcp => 't',
            Carrier::Quic => 'q',
        };
        let destination = if self.extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
        format!(
            "{carrier}{}{destination}{:02}{:02}{}_{}_{}",
            self.ja4_version(),
            self.cipher_suites.len().min(MOST_COUNTED),
            self.extensions.len().min(MOST_COUNTED),
            self.ja4_alpn(),
            short_hash(&self.ja4_suites()),
            short_hash(&self.ja4_extensions()),
        )
    }

    /// The highest version offered, in two letters.
    fn ja4_version(&self) -> &'static str {
        let (HelloVersion::Tls(version) | HelloVersion::Ssl2(version)) = self.version;
        match self.supported_versions.iter().copied().max().unwrap_or(version) {
            0x0304 => "13",
            0x0303 => "12",
            0x0302 => "11",
            0x0301 => "10",
            0x0300 => "s3",
            0x0002 => "s2",
            _ => "00",
        }
    }

    /// First and last letter of the first protocol name; of its bytes in hexadecimal, where these are no letters.
    fn ja4_alpn(&self) -> String {
        let Some((first, last)) = self.alpn.first().and_then(|name| name.first().zip(name.last())) else {
            return "00".to_owned();
        };
        if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
            [*first, *last].map(char::from).iter().collect()
        } else {
            format!("{:x}{:x}", first >> 4, last & 0x0f)
        }
    }

    fn ja4_suites(&self) -> String {
        let mut suites = self.cipher_suites.clone();
        suites.sort_unstable();
        listed(&suites, ',', |text, suite| push_code(text, suite, 4))
    }

    fn ja4_extensions(&self) -> String {
        let mut extensions = self.extensions.clone();
        extensions.retain(|extension| !matches!(*extension, SERVER_NAME | ALPN));
        extensions.sort_unstable();
        let list = |codes: &[u16]| listed(codes, ',', |text, code| push_code(text, code.into(), 4));
        let extensions = list(&extensions);
        if self.signature_algorithms.is_empty() {
            return extensions;
        }
        format!("{extensions}_{}", list(&self.signature_algorithms))
    }
}

/// The first digits of the SHA-256 of a list; zeros for an empty one.
fn short_hash(list: &str) -> String {
    if list.is_empty() {
        return "0".repeat(SHORT_HASH_DIGITS);
    }
    let mut digits = hex(&Sha256::digest(list));
    digits.truncate(SHORT_HASH_DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use super::Carrier;
    use crate::{ClientHello, HelloVersion};

    /// The example in the description of JA4: a browser with 15 suites and 16 extensions over TCP.
    fn browser() -> ClientHello {
        ClientHello {
            version: HelloVersion::Tls(0x0303),
            cipher_suites: vec![
                0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
                0x009c, 0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
                0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
            ],
            server_name: None,
            supported_versions: vec![0x0304, 0x0303],
            groups: vec![29, 23, 24],
            point_formats: vec![0],
            signature_algorithms: vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            resumes: Vec::new(),
            is_malformed: false,
        }
    }

    #[test]
    fn ja4_equals_the_published_example() {
        assert_eq!(browser().ja4(Carrier::Tcp), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        assert_eq!(browser().ja4(Carrier::Quic), "q13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    /// The two examples in the description of JA3.
    #[test]
    fn ja3_equals_the_published_examples() {
        let check = |hello: &ClientHello, text: &str, hash: &str| {
            assert_eq!(hello.ja3_text().as_deref(), Some(text));
            assert_eq!(hello.ja3().as_deref(), Some(hash));
        };
        let hello = ClientHello {
            version: HelloVersion::Tls(769),
            cipher_suites: vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
            extensions: vec![0, 10, 11],
            groups: vec![23, 24, 25],
            ..browser()
        };
        check(
            &hello,
            "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0",
            "ada70206e40642a3e4461f35503241d5",
        );
        let hello = ClientHello {
            cipher_suites: vec![4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99],
            extensions: vec![],
            groups: vec![],
            point_formats: vec![],
            ..hello
        };
        check(&hello, "769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6");
    }

    #[test]
    fn ja4_of_a_bare_hello_has_zeros() {
        let hello = ClientHello {
            version: HelloVersion::Tls(0x0301),
            cipher_suites: vec![],
            extensions: vec![],
            supported_versions: vec![],
            signature_algorithms: vec![],
            alpn: vec![],
            ..browser()
        };
        assert_eq!(hello.ja4(Carrier::Tcp), "t10i000000_000000000000_000000000000");
        let old = ClientHello { version: HelloVersion::Ssl2(0x0002), ..hello };
        assert_eq!((old.ja3(), old.ja4(Carrier::Tcp).get(..4)), (None, Some("ts2i")));
    }

    #[test]
    fn ja4_writes_a_name_without_letters_in_digits() {
        let alpn = |name: &[u8]| ClientHello { alpn: vec![name.to_vec()], ..browser() }.ja4_alpn();
        assert_eq!(alpn(b"http/1.1"), "h1");
        assert_eq!(alpn(b"h"), "hh");
        assert_eq!(alpn(&[0xab, 0xcd]), "ad");
        assert_eq!(alpn(&[0x30, 0xab]), "3b");
        assert_eq!(alpn(&[]), "00");
    }

    #[test]
    fn counts_end_at_99() {
        let hello = ClientHello { cipher_suites: (0..300).collect(), ..browser() };
        assert_eq!(hello.ja4(Carrier::Tcp).get(..8), Some("t13d9916"));
    }
}
