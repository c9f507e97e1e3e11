use serde::Deserialize;

use super::connection::Hex;
use crate::chance::Chance;

/// The TLS `ClientHello` of one program of a device, RFC 5246 §7.4.1.2 and RFC 8446 §4.1.2.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The newest version that is offered.
    pub version: TlsVersion,
    /// The version that servers choose; left out, the newest that is offered.
    pub answer_version: Option<TlsVersion>,
    /// The cipher suites in order, four hexadecimal digits each, joined by `-`.
    pub ciphers: CipherList,
    /// What is wrong with the certificate of servers, up to TLS 1.2.
    #[serde(default)]
    pub certificate: CertificateFault,
    /// The suite that servers choose, one of those offered; left out, the first with forward secrecy that fits a
    /// certificate with an RSA key.
    pub answer_cipher: Option<CipherList>,
    /// How many lists of suites the program has, for one of which it decides at each handshake: this one, and others
    /// that leave out one suite each, as when only their number is known. No more than there are suites.
    #[serde(default = "one")]
    pub lists: u32,
    /// Extension types in order, by number.
    #[serde(default)]
    pub extensions: Vec<u16>,
    /// Named groups in order, by number (IANA "TLS Supported Groups").
    #[serde(default = "usual_groups")]
    pub groups: Vec<u16>,
    /// Protocols for extension 16.
    #[serde(default)]
    pub alpn: Vec<String>,
    /// Whether GREASE values (RFC 8701) stand among suites, groups and extensions.
    #[serde(default)]
    pub grease: bool,
    /// Length of the session ticket in extension 35, in bytes; over about 1,000 the hello takes two segments.
    #[serde(default)]
    pub ticket_bytes: u16,
    /// The one ticket that every hello offers, in extension 35 or 41, in hexadecimal; left out, tickets are random.
    #[serde(default)]
    pub ticket: Hex,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateFault {
    /// Nothing.
    #[default]
    None,
    /// It ended before the time of the home.
    Expired,
    /// It is its own issuer.
    SelfSigned,
    /// It is for another name than was asked for.
    OtherName,
    /// It is signed with SHA-1.
    Sha1,
    /// Its key has 1,024 bits.
    ShortKey,
}

impl Hello {
    /// The version that both sides speak in the end.
    pub(crate) fn agreed(&self) -> TlsVersion {
        self.answer_version.unwrap_or(self.version)
    }

    /// One of the program's lists, with the suite that servers choose, which all of them have.
    pub(crate) fn draw_list(&self, chosen: u16, chance: &mut Chance) -> Vec<u16> {
        let list = if self.lists > 1 { chance.below(self.lists) } else { 0 };
        let spared = self.ciphers.0.iter().copied().filter(|suite| *suite != chosen);
        let left_out = usize::try_from(list).ok().and_then(|list| spared.clone().nth(list.checked_sub(1)?));
        self.ciphers.0.iter().copied().filter(|suite| Some(*suite) != left_out).collect()
    }
}

fn one() -> u32 {
    1
}

fn usual_groups() -> Vec<u16> {
    vec![29, 23, 24]
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum TlsVersion {
    /// TLS 1.0, RFC 2246.
    #[serde(rename = "1.0")]
    V10,
    /// TLS 1.1, RFC 4346.
    #[serde(rename = "1.1")]
    V11,
    /// TLS 1.2, RFC 5246.
    #[serde(rename = "1.2")]
    V12,
    /// TLS 1.3, RFC 8446.
    #[serde(rename = "1.3")]
    V13,
}

impl TlsVersion {
    /// The version as hellos carry it, where 1.3 still says 1.2.
    pub(crate) fn legacy(self) -> [u8; 2] {
        match self {
            Self::V10 => [3, 1],
            Self::V11 => [3, 2],
            Self::V12 | Self::V13 => [3, 3],
        }
    }
}

/// A list of cipher suites, read from `c02b-c02f-009e`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct CipherList(pub(crate) Vec<u16>);

impl TryFrom<String> for CipherList {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = |part: &str| {
            let code = u16::from_str_radix(part, 16).ok().filter(|_| part.len() == 4);
            code.ok_or_else(|| format!("invalid cipher suite '{part}': expected four hexadecimal digits"))
        };
        text.split('-').map(read).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The different lists that a thousand draws give.
    fn lists(count: u32) -> BTreeSet<Vec<u16>> {
        let text = format!("version = \"1.2\"\nciphers = \"c02f-c030-009c-0035\"\nlists = {count}");
        let hello: Hello = toml::from_str(&text).unwrap();
        let mut chance = Chance::new(1, "lists");
        (0..1000).map(|_| hello.draw_list(0xc030, &mut chance)).collect()
    }

    #[test]
    fn a_program_has_as_many_lists_as_its_profile_says_and_the_chosen_suite_in_all() {
        let whole = vec![0xc02f, 0xc030, 0x009c, 0x0035];
        assert_eq!(lists(1), BTreeSet::from([whole.clone()]));
        let three = [whole.clone(), vec![0xc030, 0x009c, 0x0035], vec![0xc02f, 0xc030, 0x0035]];
        assert_eq!(lists(3), BTreeSet::from(three));
        assert_eq!(lists(4).len(), 4);
        assert!(lists(4).iter().all(|list| list.contains(&0xc030)));
    }
}
