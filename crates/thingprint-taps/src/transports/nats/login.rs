use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

/// Longest file of credentials that is read, in bytes: a JWT has some thousand, and another file is a mistake.
const MOST_BYTES: usize = 64 << 10;

/// How a server lets us in. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// It lets in everybody.
    None,
    /// By a token.
    Token(String),
    /// By a name and a password.
    Password(String, String),
    /// By a JWT, and a signature with the key that belongs to it.
    Signed {
        /// The JWT.
        jwt: String,
        /// The seed of the key.
        seed: [u8; 32],
    },
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}

impl Login {
    /// Reads a file: a .creds file of NATS, or a line with a token or `user:password`.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let unreadable = |error: std::io::Error| format!("failed to read --credentials {shown}: {error}");
        let file = File::open(path).map_err(unreadable)?;
        let mut text = Vec::new();
        file.take(MOST_BYTES as u64 + 1).read_to_end(&mut text).map_err(unreadable)?;
        let text =
            Some(text).filter(|text| text.len() <= MOST_BYTES).and_then(|text| String::from_utf8(text).ok());
        let text = text.ok_or_else(|| format!("--credentials {shown} is no text of at most 64 KiB"))?;
        Self::parse(&text).map_err(|problem| format!("--credentials {shown}: {problem}"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.contains("BEGIN NATS USER JWT") {
            let jwt = block(text, "NATS USER JWT").ok_or("the JWT is not complete")?;
            let seed = block(text, "USER NKEY SEED").ok_or("it has no seed of a key")?;
            let seed = seed_of(&seed).ok_or("the seed of the key is damaged")?;
            if !cfg!(feature = "tls") {
                return Err(
                    "signing needs the cargo feature 'tls' of this program; use a password or a token"
                        .to_owned(),
                );
            }
            return Ok(Self::Signed { jwt, seed });
        }
        let line = text.trim_end_matches(['\r', '\n']);
        if line.is_empty() || line.contains('\n') {
            return Err("expected a .creds file, or one line with a token or user:password".to_owned());
        }
        Ok(match line.split_once(':') {
            Some((user, password)) => Self::Password(user.to_owned(), password.to_owned()),
            None => Self::Token(line.to_owned()),
        })
    }

    /// What it adds to CONNECT; `nonce` is what the server wants to be signed.
    pub(super) fn add_to(&self, connect: &mut Map<String, Value>, nonce: &str) -> Result<(), String> {
        let mut add = |name: &str, value: &str| _ = connect.insert(name.to_owned(), Value::from(value));
        match self {
            Self::None => {}
            Self::Token(token) => add("auth_token", token),
            Self::Password(user, password) => {
                add("user", user);
                add("pass", password);
            }
            Self::Signed { jwt, seed } => {
                add("jwt", jwt);
                add("sig", &sign(seed, nonce)?);
            }
        }
        Ok(())
    }
}

#[cfg(feature = "tls")]
fn sign(seed: &[u8; 32], nonce: &str) -> Result<String, String> {
    super::secure::sign(seed, nonce)
}

#[cfg(not(feature = "tls"))]
fn sign(_: &[u8; 32], _: &str) -> Result<String, String> {
    Err("signing needs the cargo feature 'tls'".to_owned())
}

/// What stands between the marks of a block.
fn block(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("BEGIN {name}-----"))?;
    let (inside, _) = rest.split_once("---")?;
    let inside: String = inside.split_whitespace().collect();
    let inside = inside.trim_end_matches('-').to_owned();
    (!inside.is_empty()).then_some(inside)
}

/// The 32 bytes of the seed of a user's key: base32 of two bytes that say so, the seed, and a checksum.
fn seed_of(text: &str) -> Option<[u8; 32]> {
    const SEED_OF_USER: [u8; 2] = [(18 << 3) | (20 << 3 >> 5), (20 << 3 & 31) << 3];
    let bytes = base32(text)?;
    let (body, checksum) = bytes.split_last_chunk::<2>()?;
    if u16::from_le_bytes(*checksum) != crc16(body) {
        return None;
    }
    body.strip_prefix(&SEED_OF_USER)?.try_into().ok()
}

/// RFC 4648 §6, without padding.
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'2'..=b'7' => c - b'2' + 26,
            _ => return None,
        };
        held = (held << 5 | u32::from(value)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8)
            .fold(crc ^ u16::from(*byte) << 8, |crc, _| crc << 1 ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A seed as NATS writes it.
    fn seed(bytes: [u8; 32]) -> String {
        let mut all = vec![0x95, 0];
        all.extend(bytes);
        all.extend(crc16(&all).to_le_bytes());
        let bits = all.iter().map(|byte| format!("{byte:08b}")).collect::<Vec<_>>().concat();
        let letter = |bits: &str| {
            let padded = format!("{bits:0<5}");
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from_str_radix(&padded, 2).unwrap()])
        };
        let places: Vec<usize> = (0..bits.len()).step_by(5).collect();
        places.iter().map(|at| letter(&bits[*at..bits.len().min(at + 5)])).collect()
    }

    #[test]
    fn a_seed_of_a_user_is_read_and_no_damaged_one() {
        let text = seed([9; 32]);
        assert!(text.starts_with("SU"), "{text}");
        assert_eq!(seed_of(&text), Some([9; 32]));
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = if damaged[at] == b'B' { b'C' } else { b'B' };
            assert_eq!(seed_of(std::str::from_utf8(&damaged).unwrap()), None, "{at}");
        }
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    #[test]
    fn a_file_is_a_token_a_password_or_a_jwt() {
        assert_eq!(Login::parse("s3cret\n"), Ok(Login::Token("s3cret".to_owned())));
        assert_eq!(Login::parse("ann:a:b\n"), Ok(Login::Password("ann".to_owned(), "a:b".to_owned())));
        assert!(Login::parse("").is_err() && Login::parse("a\nb\n").is_err());
        let creds = format!(
            "-----BEGIN NATS USER JWT-----\neyJ0\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            seed([7; 32])
        );
        let read = Login::parse(&creds);
        if cfg!(feature = "tls") {
            assert_eq!(read, Ok(Login::Signed { jwt: "eyJ0".to_owned(), seed: [7; 32] }));
        } else {
            assert!(read.unwrap_err().contains("'tls'"));
        }
        assert_eq!(format!("{:?}", Login::Token("s3cret".to_owned())), "Login(..)");
    }
}
