//! How a server is shown that we know the password, without telling it: SCRAM (RFC 5802, RFC 7677), or MD5 of old servers.

use std::hash::{BuildHasher, Hasher, RandomState};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest, Sha256};

/// Bytes that SHA-256 takes at once.
const BLOCK: usize = 64;

/// Rounds that a server may ask for: usual are 4096. More would let a server keep us busy.
const MOST_ROUNDS: u32 = 1_000_000;

/// The only mechanism that is spoken.
pub(super) const MECHANISM: &str = "SCRAM-SHA-256";

/// A login by SCRAM under way.
pub(super) struct Scram {
    nonce: String,
    password: String,
    /// What the server has to prove in the end.
    server_signature: Option<[u8; 32]>,
}

impl Scram {
    pub(super) fn new(password: &str) -> Self {
        Self { nonce: nonce(), password: password.to_owned(), server_signature: None }
    }

    /// What is said first. The name of the user was told when the session began.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.bare())
    }

    fn bare(&self) -> String {
        format!("n=,r={}", self.nonce)
    }

    /// The answer to what the server says first.
    pub(super) fn answer(&mut self, said: &[u8]) -> Result<String, String> {
        let said = std::str::from_utf8(said).map_err(|_| DAMAGED)?;
        let field = |name: &str| said.split(',').find_map(|field| field.strip_prefix(name)).ok_or(DAMAGED);
        let nonce = field("r=")?;
        let salt = STANDARD.decode(field("s=")?).map_err(|_| DAMAGED)?;
        let rounds: u32 = field("i=")?.parse().map_err(|_| DAMAGED)?;
        if !nonce.starts_with(&self.nonce)
            || nonce.len() == self.nonce.len()
            || rounds == 0
            || rounds > MOST_ROUNDS
        {
            return Err(DAMAGED.to_owned());
        }
        let salted = salted(self.password.as_bytes(), &salt, rounds);
        let client_key = hmac(&salted, b"Client Key");
        let without_proof = format!("c=biws,r={nonce}");
        let all = format!("{},{said},{without_proof}", self.bare());
        let signature = hmac(&Sha256::digest(client_key).into(), all.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, sign)| key ^ sign).collect();
        self.server_signature = Some(hmac(&hmac(&salted, b"Server Key"), all.as_bytes()));
        Ok(format!("{without_proof},p={}", STANDARD.encode(proof)))
    }

    /// Whether the server knows the password as well.
    pub(super) fn is_proven(&self, said: &[u8]) -> bool {
        let expected = self.server_signature.map(|signature| format!("v={}", STANDARD.encode(signature)));
        expected.is_some_and(|expected| said == expected.as_bytes())
    }
}

const DAMAGED: &str = "the server speaks no SCRAM that is understood";

/// What old servers want: the MD5 of the password and the user's name, and of that and a salt.
pub(super) fn md5_answer(user: &str, password: &str, salt: &[u8]) -> String {
    let inner = hex(&Md5::digest([password.as_bytes(), user.as_bytes()].concat()));
    format!("md5{}", hex(&Md5::digest([inner.as_bytes(), salt].concat())))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect()
}

/// Letters that nobody else has chosen: hashes by keys that the system draws.
fn nonce() -> String {
    let draw = || RandomState::new().build_hasher().finish().to_le_bytes();
    STANDARD.encode([draw(), draw(), draw()].concat())
}

/// HMAC (RFC 2104) with SHA-256.
struct Hmac {
    inner: Sha256,
    outer: Sha256,
}

impl Hmac {
    fn new(key: &[u8]) -> Self {
        let mut block = [0_u8; BLOCK];
        if key.len() > BLOCK {
            let hash: [u8; 32] = Sha256::digest(key).into();
            block.iter_mut().zip(hash).for_each(|(place, byte)| *place = byte);
        } else {
            block.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte);
        }
        let padded = |pad: u8| Sha256::new_with_prefix(block.map(|byte| byte ^ pad));
        Self { inner: padded(0x36), outer: padded(0x5c) }
    }

    fn of(&self, text: &[u8]) -> [u8; 32] {
        let inner = self.inner.clone().chain_update(text).finalize();
        self.outer.clone().chain_update(inner).finalize().into()
    }
}

fn hmac(key: &[u8; 32], text: &[u8]) -> [u8; 32] {
    Hmac::new(key).of(text)
}

/// The password, hashed so many times with the salt (PBKDF2, RFC 8018 §5.2).
fn salted(password: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    let hmac = Hmac::new(password);
    let mut last = hmac.of(&[salt, &[0, 0, 0, 1]].concat());
    let mut all = last;
    for _ in 1..rounds {
        last = hmac.of(&last);
        all.iter_mut().zip(last).for_each(|(all, byte)| *all ^= byte);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677 §3, whose user is in the first message.
    #[test]
    fn the_example_of_the_standard_is_answered_as_there() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let salted = salted(b"pencil", &salt, 4096);
        let all = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                   s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let client_key = hmac(&salted, b"Client Key");
        let signature = hmac(&Sha256::digest(client_key).into(), all.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        assert_eq!(STANDARD.encode(proof), "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        let server = hmac(&hmac(&salted, b"Server Key"), all.as_bytes());
        assert_eq!(STANDARD.encode(server), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn a_server_that_changes_the_nonce_or_asks_for_too_much_is_refused() {
        let answered = |said: &dyn Fn(&str) -> String| {
            let mut scram = Scram::new("pencil");
            let said = said(&scram.nonce);
            scram.answer(said.as_bytes()).is_ok()
        };
        assert!(answered(&|nonce| format!("r={nonce}x,s=AAAA,i=1")));
        assert!(!answered(&|nonce| format!("r={nonce},s=AAAA,i=1")));
        assert!(!answered(&|_| "r=other,s=AAAA,i=1".to_owned()));
        assert!(!answered(&|nonce| format!("r={nonce}x,s=AAAA,i=0")));
        assert!(!answered(&|nonce| format!("r={nonce}x,s=AAAA,i=1000001")));
        assert!(!answered(&|nonce| format!("r={nonce}x,s=*,i=1")));
        assert!(!Scram::new("pencil").is_proven(b"v="));
    }

    #[test]
    fn the_md5_of_old_servers_is_that_of_their_documentation() {
        // md5(md5("secret" + "bob") + salt), by md5sum.
        assert_eq!(md5_answer("bob", "secret", b"\x01\x02\x03\x04"), "md5f21dfe33ff3a9e03dbc3e008251fe5cc");
    }
}
