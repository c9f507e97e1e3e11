use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use thingprint_protocol::{HeardMessage, ServerHello};

use super::version::tls_version;
use crate::rule::{Seen, Sightings};
use crate::{Flaw, Grade, Recommended, Suite};

/// The values of the rules about suites: grades, each apart by the document that speaks against it.
///
/// - `insecure` is what RFC 9325 §4.1 forbids: no encryption, RC4, less than 112 bits.
/// - `-rsa`, `-dh`, `-dhe` and `-ecdh` name keys that RFC 10015 forbids or, the last, advises against, each in a section of
///   its own. It speaks of TLS 1.2 alone: where a version before it is the most that can come of a hello, suites have the
///   values that are without keys.
/// - `insecure-anon` proves nobody's name, `insecure-md5` has that hash, `insecure-national` the algorithms of a nation;
///   nothing else speaks against them.
/// - `weak` is what RFC 9325 §4.1 advises against: no forward secrecy, or less than 128 bits.
/// - `weak-cbc` has no flaw but block chaining, and perhaps SHA-1 (RFC 9325 §4.2); where both sides encrypt first it is
///   `weak-encrypt-then-mac`.
/// - `recommended` stands in the registry with a Y, `recommended-unlisted` is as good by its parts and has none.
pub(in crate::rules) const SUITE_VALUES: &[&str] = &[
    "insecure",
    "insecure-dh",
    "insecure-ecdh",
    "insecure-anon",
    "insecure-md5",
    "insecure-national",
    "weak",
    "weak-rsa",
    "weak-dh",
    "weak-dhe",
    "weak-ecdh",
    "weak-cbc",
    "weak-encrypt-then-mac",
    "secure",
    "secure-dhe",
    "recommended",
    "recommended-unlisted",
    "unregistered",
];

/// The extension `encrypt_then_mac`, by which both sides agree to encrypt first.
const ENCRYPT_THEN_MAC: u16 = 22;

/// Judges a suite that a client offers in a hello whose newest version is this one; signals are none.
///
/// The kinds of SSL 2.0, with three bytes, count as insecure, like all of that protocol (RFC 9325 §3.1.1).
pub(in crate::rules) fn see_offered_suite(
    sightings: &mut Sightings<'_>,
    heard: &HeardMessage,
    (code, newest): (u32, u16),
) {
    let Ok(code) = u16::try_from(code) else {
        let text = || format!("0x{code:06x} of SSL 2.0 (insecure)");
        return sightings.see(heard, "insecure", || Seen::suite(code, text().into()));
    };
    if let Some(value) = value(code, newest) {
        sightings.see(heard, value, || seen(code));
    }
}

/// Judges the suite that a server chose, for the version that it chose. Where the server agreed to encrypt first, block
/// chaining is no flaw (RFC 9325 §4.2).
pub(in crate::rules) fn see_chosen_suite(
    sightings: &mut Sightings<'_>,
    heard: &HeardMessage,
    hello: &ServerHello,
) {
    let code = hello.cipher_suite;
    let Some(value) = value(code, hello.negotiated_version) else { return };
    let is_mended = value == "weak-cbc" && hello.extensions.contains(&ENCRYPT_THEN_MAC);
    sightings.see(heard, if is_mended { "weak-encrypt-then-mac" } else { value }, || seen(code));
}

/// The value of a suite where at most this version can come of it; `None` for a signal.
fn value(code: u16, version: u16) -> Option<&'static str> {
    let Some(suite) = Suite::of(code) else { return Some("unregistered") };
    // RFC 10015 says so itself: versions before TLS 1.2 are none of its business.
    let judged_keys = if is_before_tls_1_2(version) { "" } else { suite.key_exchange };
    let value = match suite.grade? {
        Grade::Insecure => insecure_value(suite, judged_keys),
        Grade::Weak => weak_value(suite, judged_keys),
        Grade::Secure if judged_keys == "DHE" => "secure-dhe",
        Grade::Recommended if suite.recommended != Recommended::Y => "recommended-unlisted",
        grade => grade.as_str(),
    };
    Some(value)
}

fn is_before_tls_1_2(version: u16) -> bool {
    matches!(tls_version(version), "SSLv2" | "SSLv3" | "TLSv10" | "TLSv11")
}

fn insecure_value(suite: &Suite, judged_keys: &str) -> &'static str {
    let has = |flaw: Flaw| suite.flaws.contains(&flaw);
    if suite.flaws.iter().any(|flaw| flaw.is_forbidden()) {
        return "insecure";
    }
    match judged_keys {
        "DH" => "insecure-dh",
        "ECDH" => "insecure-ecdh",
        _ if has(Flaw::NoAuthentication) => "insecure-anon",
        _ if has(Flaw::Md5) => "insecure-md5",
        _ if has(Flaw::Sm) || has(Flaw::Gost) => "insecure-national",
        _ => "insecure",
    }
}

fn weak_value(suite: &Suite, judged_keys: &str) -> &'static str {
    match judged_keys {
        "RSA" => "weak-rsa",
        "DH" => "weak-dh",
        "DHE" => "weak-dhe",
        "ECDH" => "weak-ecdh",
        _ if suite.flaws.iter().all(|flaw| matches!(flaw, Flaw::Cbc | Flaw::Sha1)) => "weak-cbc",
        _ => "weak",
    }
}

/// What suites that are known are called. Most clients offer the same ones in each flow.
static TEXTS: LazyLock<BTreeMap<u16, Arc<str>>> = LazyLock::new(|| {
    let codes = Suite::all().iter().chain(Suite::unregistered()).map(|suite| suite.code);
    codes.map(|code| (code, text(code).into())).collect()
});

/// A suite as it is told: by its code and, for people, with name and, in brackets, the grade and what the registry says.
fn seen(code: u16) -> Seen {
    let text = TEXTS.get(&code).map_or_else(|| text(code).into(), Arc::clone);
    Seen::suite(u32::from(code), text)
}

fn text(code: u16) -> String {
    let Some(suite) = Suite::of(code) else { return format!("0x{code:04x} (unregistered)") };
    let grade = match suite.grade {
        Some(Grade::Secure) if suite.is_dhe => "secure, but with DHE keys",
        grade => grade.map_or("signal", Grade::as_str),
    };
    let registry = match suite.recommended {
        Recommended::D => ", discouraged by IANA",
        Recommended::N if suite.grade == Some(Grade::Recommended) => ", not by IANA",
        Recommended::N | Recommended::Y => "",
    };
    format!("0x{code:04x} {} ({grade}{registry})", suite.name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{SUITE_VALUES, value};
    use crate::{Flaw, Grade, Suite};

    const TLS_1_0: u16 = 0x0301;
    const TLS_1_2: u16 = 0x0303;

    #[test]
    fn values_say_what_speaks_against_a_suite() {
        let check = |code: u16, before: Option<&str>, since: Option<&str>| {
            let of_versions = |versions: &[u16], expected| {
                for version in versions {
                    assert_eq!(value(code, *version), expected, "{code:04x} {version:04x}");
                }
            };
            of_versions(&[0x0002, 0x0300, TLS_1_0, 0x0302], before);
            of_versions(&[TLS_1_2, 0x0304, 0x7f17, 0xeeee], since);
        };
        check(0x0005, Some("insecure"), Some("insecure"));
        check(0x00a6, Some("insecure-anon"), Some("insecure-dh"));
        check(0xc018, Some("insecure-anon"), Some("insecure-ecdh"));
        check(0x0023, Some("insecure-md5"), Some("insecure-md5"));
        check(0x00c6, Some("insecure-national"), Some("insecure-national"));
        check(0x0021, Some("weak"), Some("weak"));
        check(0xc012, Some("weak"), Some("weak"));
        check(0x002f, Some("weak"), Some("weak-rsa"));
        check(0x0031, Some("weak"), Some("weak-dh"));
        check(0x0033, Some("weak-cbc"), Some("weak-dhe"));
        check(0x0016, Some("weak"), Some("weak-dhe"));
        check(0xc004, Some("weak"), Some("weak-ecdh"));
        check(0xc027, Some("weak-cbc"), Some("weak-cbc"));
        check(0xc0b0, Some("secure"), Some("secure"));
        check(0x009e, Some("secure"), Some("secure-dhe"));
        check(0x1301, Some("recommended"), Some("recommended"));
        check(0xc0ae, Some("recommended-unlisted"), Some("recommended-unlisted"));
        check(0x0b0b, Some("unregistered"), Some("unregistered"));
        check(0x00ff, None, None);
    }

    /// All of the 62 DH, 69 DHE, 52 RSA and 39 ECDH suites that RFC 10015 lists have their own value in TLS 1.2, unless
    /// RFC 9325 forbids them anyway.
    #[test]
    fn every_suite_has_a_value_of_its_grade_that_policies_can_name() {
        let mut seen = BTreeSet::from(["weak-encrypt-then-mac", "unregistered"]);
        for suite in Suite::all().iter().filter(|suite| suite.grade.is_some()) {
            for version in [TLS_1_0, TLS_1_2] {
                let value = value(suite.code, version).unwrap();
                assert!(value.starts_with(suite.grade.map_or("", Grade::as_str)), "{} {value}", suite.name);
                seen.insert(value);
            }
            let value = value(suite.code, TLS_1_2).unwrap();
            let is_named = ["-rsa", "-dh", "-dhe", "-ecdh"].iter().any(|keys| value.ends_with(keys));
            let is_obsolete = suite.has_obsolete_keys() || suite.has_static_ecdh();
            assert_eq!(is_named, is_obsolete && value != "insecure", "{} {value}", suite.name);
        }
        let named: BTreeSet<&str> = SUITE_VALUES.iter().copied().collect();
        assert_eq!(seen, named, "no value without a suite");
    }

    #[test]
    fn every_weak_suite_is_against_one_of_two_sections() {
        for suite in Suite::all().iter().filter(|suite| suite.grade == Some(Grade::Weak)) {
            let has = |flaw: Flaw| suite.flaws.contains(&flaw);
            let is_of_4_1 = has(Flaw::NoForwardSecrecy) || has(Flaw::TripleDes);
            let expected = if is_of_4_1 { "weak" } else { "weak-cbc" };
            assert_eq!(value(suite.code, TLS_1_0), Some(expected), "{}", suite.name);
            assert!(is_of_4_1 || has(Flaw::Cbc), "{}", suite.name);
        }
    }
}
