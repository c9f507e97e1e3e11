use std::fmt;

use serde::Serialize;

use super::name::Parts;

/// The grade of a cipher suite: what is broken is insecure, what has a lesser flaw is weak, what has none is secure, and
/// recommended where its keys come from TLS 1.3 or from ephemeral elliptic-curve Diffie-Hellman. What is broken and what
/// a lesser flaw, of those at [`Flaw`], is as ciphersuite.info published it in 2023.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Broken in one of its parts.
    Insecure,
    /// With a flaw that should not be taken on without need.
    Weak,
    /// Without a flaw.
    Secure,
    /// Without a flaw, and to be preferred.
    Recommended,
}

/// What speaks against a cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// Keys of 40 or 56 bits, once for export (RFC 9325 §4.1).
    Export,
    /// Nobody proves to be anybody.
    NoAuthentication,
    /// Nothing is encrypted (RFC 9325 §4.1).
    NullEncryption,
    /// RC4 (RFC 9325 §4.1).
    Rc4,
    /// RC2 with 40 bits.
    Rc2,
    /// DES with 56 or 40 bits.
    Des,
    /// The MD5 hash.
    Md5,
    /// Chinese national algorithms, not recommended in the registry.
    Sm,
    /// Russian national algorithms, not recommended in the registry.
    Gost,
    /// Who learns the server's key can read everything that was recorded (RFC 9325 §4.1).
    NoForwardSecrecy,
    /// Triple DES: blocks of 64 bits, 112 bits of strength (RFC 9325 §4.1).
    TripleDes,
    /// Cipher block chaining (RFC 9325 §4.2).
    Cbc,
    /// The SHA-1 hash.
    Sha1,
}

impl Grade {
    /// All of them, the worst first.
    pub const ALL: [Self; 4] = [Self::Insecure, Self::Weak, Self::Secure, Self::Recommended];

    /// The word by which policies and results call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insecure => "insecure",
            Self::Weak => "weak",
            Self::Secure => "secure",
            Self::Recommended => "recommended",
        }
    }

    /// The grade of a suite of these parts and flaws.
    pub(super) fn of(parts: &Parts<'_>, flaws: &[Flaw]) -> Self {
        if flaws.iter().any(|flaw| flaw.is_broken()) {
            Self::Insecure
        } else if !flaws.is_empty() {
            Self::Weak
        } else if matches!(parts.key_exchange, "" | "ECDHE") {
            Self::Recommended
        } else {
            Self::Secure
        }
    }
}

impl Flaw {
    /// All of them, the most severe first.
    pub const ALL: [Self; 13] = [
        Self::Export,
        Self::NoAuthentication,
        Self::NullEncryption,
        Self::Rc4,
        Self::Rc2,
        Self::Des,
        Self::Md5,
        Self::Sm,
        Self::Gost,
        Self::NoForwardSecrecy,
        Self::TripleDes,
        Self::Cbc,
        Self::Sha1,
    ];

    /// What it is, in a few words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Export => "export keys of 40 or 56 bits",
            Self::NoAuthentication => "no authentication",
            Self::NullEncryption => "no encryption",
            Self::Rc4 => "RC4",
            Self::Rc2 => "RC2",
            Self::Des => "DES",
            Self::Md5 => "MD5",
            Self::Sm => "SM3 or SM4",
            Self::Gost => "GOST",
            Self::NoForwardSecrecy => "no forward secrecy",
            Self::TripleDes => "triple DES",
            Self::Cbc => "cipher block chaining",
            Self::Sha1 => "SHA-1",
        }
    }

    /// Whether RFC 9325 §4.1 forbids to negotiate it: no encryption, RC4, or less than 112 bits.
    pub const fn is_forbidden(self) -> bool {
        matches!(self, Self::Export | Self::NullEncryption | Self::Rc4 | Self::Rc2 | Self::Des)
    }

    /// Whether it makes a suite insecure, and not just weak.
    pub const fn is_broken(self) -> bool {
        !matches!(self, Self::NoForwardSecrecy | Self::TripleDes | Self::Cbc | Self::Sha1)
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
