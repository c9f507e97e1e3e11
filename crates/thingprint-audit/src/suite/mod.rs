//! The cipher suites of TLS with their grades.
mod grade;
mod name;

use std::sync::LazyLock;

use serde::Serialize;

pub use grade::{Flaw, Grade};

use name::Parts;

/// The registered suites: the table of IANA in a form of its own, read once.
const TABLE: &str = include_str!("../../data/cipher_suites.csv");

/// Suites of drafts that were used without ever being registered: the 56-bit suites for export, whose codes the registry
/// keeps free ("0x00,0x60-66"), and the first suites with `ChaCha20`, before RFC 7905.
const UNREGISTERED: [(u16, &str); 8] = [
    (0x0062, "TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA"),
    (0x0063, "TLS_DHE_DSS_EXPORT1024_WITH_DES_CBC_SHA"),
    (0x0064, "TLS_RSA_EXPORT1024_WITH_RC4_56_SHA"),
    (0x0065, "TLS_DHE_DSS_EXPORT1024_WITH_RC4_56_SHA"),
    (0x0066, "TLS_DHE_DSS_WITH_RC4_128_SHA"),
    (0xcc13, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xcc14, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xcc15, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
];

/// A cipher suite of TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suite {
    /// Its code point.
    pub code: u16,
    /// Its name in the registry, like `TLS_RSA_WITH_AES_128_CBC_SHA`.
    pub name: &'static str,
    /// What the registry says of it.
    pub recommended: Recommended,
    /// Its grade; `None` for a signal, which stands in a list of suites but is none.
    pub grade: Option<Grade>,
    /// What speaks against it, most severe first.
    pub flaws: Vec<Flaw>,
    /// Whether its keys come from ephemeral finite-field Diffie-Hellman, which RFC 10015 §3 forbids.
    pub is_dhe: bool,
    /// How keys are agreed on, by the name: `RSA`, `DH`, `DHE`, `ECDH`, `ECDHE` ...; empty for TLS 1.3 and for signals.
    #[serde(skip)]
    pub(crate) key_exchange: &'static str,
}

/// The registry's Recommended column (RFC 9847).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Recommended {
    /// The IETF recommends it.
    Y,
    /// The IETF says nothing.
    N,
    /// Discouraged.
    D,
}

impl Recommended {
    /// The letter that stands in the registry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Y => "Y",
            Self::N => "N",
            Self::D => "D",
        }
    }
}

impl Suite {
    /// Every registered suite, in the order of their codes.
    pub fn all() -> &'static [Self] {
        static SUITES: LazyLock<Vec<Suite>> = LazyLock::new(read_table);
        &SUITES
    }

    /// The suite of a code, registered or known from drafts; `None` where there is none.
    pub fn of(code: u16) -> Option<&'static Self> {
        let all = Self::all();
        match all.binary_search_by_key(&code, |suite| suite.code) {
            Ok(at) => all.get(at),
            Err(_) => Self::unregistered().iter().find(|suite| suite.code == code),
        }
    }

    /// Whether RFC 10015 (§2, §3, §4) forbids it in TLS 1.2: its keys come from RSA or from Diffie-Hellman over a finite
    /// field, static or ephemeral.
    pub fn has_obsolete_keys(&self) -> bool {
        matches!(self.key_exchange, "RSA" | "DH" | "DHE")
    }

    /// Whether its keys come from static elliptic-curve Diffie-Hellman, which RFC 9325 §4.1 and RFC 10015 §2 advise
    /// against.
    pub fn has_static_ecdh(&self) -> bool {
        self.key_exchange == "ECDH"
    }

    /// Suites that were used without being registered; the IETF recommends none of them.
    pub fn unregistered() -> &'static [Self] {
        static SUITES: LazyLock<Vec<Suite>> = LazyLock::new(|| {
            UNREGISTERED.iter().map(|(code, name)| Suite::new(*code, name, Recommended::N)).collect()
        });
        &SUITES
    }

    fn new(code: u16, name: &'static str, recommended: Recommended) -> Self {
        let parts = Parts::of(name);
        let flaws = parts.as_ref().map(Parts::flaws).unwrap_or_default();
        let grade = parts.as_ref().map(|parts| Grade::of(parts, &flaws));
        let key_exchange = parts.map_or("", |parts| parts.key_exchange);
        Self { code, name, recommended, grade, flaws, is_dhe: key_exchange == "DHE", key_exchange }
    }
}

/// The suites of the table; lines that begin with `#` are for readers.
fn read_table() -> Vec<Suite> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let mut suites: Vec<Suite> = lines.filter_map(read_line).collect();
    suites.sort_by_key(|suite| suite.code);
    suites
}

fn read_line(line: &'static str) -> Option<Suite> {
    let (code, rest) = line.split_once(',')?;
    let (name, recommended) = rest.split_once(',')?;
    let recommended = match recommended {
        "Y" => Recommended::Y,
        "N" => Recommended::N,
        "D" => Recommended::D,
        _ => return None,
    };
    Some(Suite::new(u16::from_str_radix(code, 16).ok()?, name, recommended))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Flaw, Grade, Recommended, Suite, TABLE};

    #[test]
    fn every_line_of_the_table_is_a_suite_of_its_own() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!((lines, Suite::all().len()), (356, 356));
        assert!(Suite::all().windows(2).all(|pair| pair[0].code < pair[1].code));
        assert_eq!(Suite::of(0x0b0b), None);
        let of = |recommended| Suite::all().iter().filter(|suite| suite.recommended == recommended).count();
        assert_eq!((of(Recommended::Y), of(Recommended::N), of(Recommended::D)), (24, 306, 26));
    }

    #[test]
    fn grades_follow_from_names() {
        let check = |code: u16, grade: Option<Grade>, flaws: &[Flaw]| {
            let suite = Suite::of(code).unwrap();
            assert_eq!((suite.grade, &suite.flaws[..]), (grade, flaws), "{}", suite.name);
        };
        check(0x1301, Some(Grade::Recommended), &[]);
        check(0xc02f, Some(Grade::Recommended), &[]);
        check(0x009e, Some(Grade::Secure), &[]);
        check(0x002f, Some(Grade::Weak), &[Flaw::NoForwardSecrecy, Flaw::Cbc, Flaw::Sha1]);
        check(0xc027, Some(Grade::Weak), &[Flaw::Cbc]);
        check(0x000a, Some(Grade::Weak), &[Flaw::NoForwardSecrecy, Flaw::TripleDes, Flaw::Cbc, Flaw::Sha1]);
        check(0x0005, Some(Grade::Insecure), &[Flaw::Rc4, Flaw::NoForwardSecrecy, Flaw::Sha1]);
        check(0x0014, Some(Grade::Insecure), &[Flaw::Export, Flaw::Des, Flaw::Cbc, Flaw::Sha1]);
        check(0x00c6, Some(Grade::Insecure), &[Flaw::Sm]);
        check(0xc103, Some(Grade::Insecure), &[Flaw::Gost]);
        check(0xc0b4, Some(Grade::Insecure), &[Flaw::NullEncryption]);
        check(0xc0b0, Some(Grade::Secure), &[]);
        check(0x0064, Some(Grade::Insecure), &[Flaw::Export, Flaw::Rc4, Flaw::NoForwardSecrecy, Flaw::Sha1]);
        check(0x0063, Some(Grade::Insecure), &[Flaw::Export, Flaw::Des, Flaw::Cbc, Flaw::Sha1]);
        check(0xcc13, Some(Grade::Recommended), &[]);
        check(0x00ff, None, &[]);
        check(0x5600, None, &[]);
    }

    /// As many as the appendices of RFC 10015 list: 62 DH, 69 DHE and 52 RSA; 39 ECDH.
    #[test]
    fn obsolete_keys_are_those_of_rsa_and_finite_fields() {
        let count =
            |is_meant: fn(&Suite) -> bool| Suite::all().iter().filter(|suite| is_meant(suite)).count();
        assert_eq!(count(Suite::has_obsolete_keys), 62 + 69 + 52);
        assert_eq!(count(|suite| suite.is_dhe), 69);
        assert_eq!(count(Suite::has_static_ecdh), 39);
        let is_obsolete = |code: u16| Suite::of(code).unwrap().has_obsolete_keys();
        assert!(is_obsolete(0x002f) && is_obsolete(0x009e) && is_obsolete(0x00a6) && is_obsolete(0xc0aa));
        assert!(!is_obsolete(0xc02f) && !is_obsolete(0x1301) && !is_obsolete(0x00a8) && !is_obsolete(0x0021));
    }

    /// The codes that the protocol paper counts, and how many of each grade it finds: not those that were registered
    /// later (Ascon) or without an RFC (AEGIS).
    #[test]
    fn grades_are_as_many_as_the_paper_counts() {
        let uncounted = [0x006e, 0x006f, 0x0070, 0x0071, 0x1306, 0x1307];
        let mut counts: BTreeMap<Grade, usize> = BTreeMap::new();
        for suite in Suite::all().iter().filter(|suite| !uncounted.contains(&suite.code)) {
            if let Some(grade) = suite.grade {
                *counts.entry(grade).or_default() += 1;
            }
        }
        let expected =
            [(Grade::Insecure, 92), (Grade::Weak, 196), (Grade::Secure, 32), (Grade::Recommended, 28)];
        assert_eq!(counts, BTreeMap::from(expected));
    }
}
