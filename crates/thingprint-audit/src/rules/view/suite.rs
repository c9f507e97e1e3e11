use thingprint_protocol::{HeardMessage, ServerHello};

use crate::rule::{Seen, Sightings};
use crate::{Flaw, Grade, Recommended, Suite};

/// The values of the rules about suites: grades, each apart by the document that speaks against it.
///
/// - `insecure` is what RFC 9325 §4.1 forbids: no encryption, RC4, less than 112 bits.
/// - `-rsa-dh` and `secure-dhe` have keys that RFC 10015 forbids, from RSA or a finite field; `-ecdh` static keys from
///   elliptic curves, which it advises against.
/// - `insecure-md5` has that hash, `insecure-national` the algorithms of a nation; nothing else speaks against them.
/// - `weak-encrypt-then-mac` has no flaw but block chaining and SHA-1, and both sides encrypt first (RFC 9325 §4.2).
/// - `recommended` stands in the registry with a Y, `recommended-unlisted` is as good by its parts and has none.
pub(in crate::rules) const SUITE_VALUES: &[&str] = &[
    "insecure",
    "insecure-rsa-dh",
    "insecure-ecdh",
    "insecure-md5",
    "insecure-national",
    "weak",
    "weak-rsa-dh",
    "weak-ecdh",
    "weak-encrypt-then-mac",
    "secure",
    "secure-dhe",
    "recommended",
    "recommended-unlisted",
    "unregistered",
];

/// The extension `encrypt_then_mac`, by which both sides agree to encrypt first.
const ENCRYPT_THEN_MAC: u16 = 22;

/// Judges a suite that a client offers; signals are none.
///
/// The kinds of SSL 2.0, with three bytes, count as insecure, like all of that protocol (RFC 9325 §3.1.1).
pub(in crate::rules) fn see_offered_suite(sightings: &mut Sightings<'_>, heard: &HeardMessage, code: u32) {
    let Ok(code) = u16::try_from(code) else {
        let text = || format!("0x{code:06x} of SSL 2.0 (insecure)");
        return sightings.see(heard, "insecure", || Seen::suite(code, text()));
    };
    if let Some(value) = value(code) {
        sightings.see(heard, value, || seen(code));
    }
}

/// Judges the suite that a server chose: one whose only flaws are its block chaining and SHA-1 is
/// `weak-encrypt-then-mac` where the server agreed to encrypt first, which mends the former (RFC 9325 §4.2).
pub(in crate::rules) fn see_chosen_suite(
    sightings: &mut Sightings<'_>,
    heard: &HeardMessage,
    hello: &ServerHello,
) {
    let code = hello.cipher_suite;
    let Some(value) = value(code) else { return };
    let has_other_flaws =
        |suite: &Suite| suite.flaws.iter().any(|flaw| !matches!(flaw, Flaw::Cbc | Flaw::Sha1));
    let is_mended = value == "weak"
        && hello.extensions.contains(&ENCRYPT_THEN_MAC)
        && Suite::of(code).is_some_and(|suite| !has_other_flaws(suite));
    sightings.see(heard, if is_mended { "weak-encrypt-then-mac" } else { value }, || seen(code));
}

/// The value of a suite; `None` for a signal.
fn value(code: u16) -> Option<&'static str> {
    let Some(suite) = Suite::of(code) else { return Some("unregistered") };
    let value = match suite.grade? {
        Grade::Insecure => insecure_value(suite),
        Grade::Weak if suite.has_obsolete_keys() => "weak-rsa-dh",
        Grade::Weak if suite.has_static_ecdh() => "weak-ecdh",
        Grade::Secure if suite.is_dhe => "secure-dhe",
        Grade::Recommended if suite.recommended != Recommended::Y => "recommended-unlisted",
        grade => grade.as_str(),
    };
    Some(value)
}

fn insecure_value(suite: &Suite) -> &'static str {
    let has = |flaw: Flaw| suite.flaws.contains(&flaw);
    if suite.flaws.iter().any(|flaw| flaw.is_forbidden()) {
        "insecure"
    } else if suite.has_obsolete_keys() {
        "insecure-rsa-dh"
    } else if suite.has_static_ecdh() {
        "insecure-ecdh"
    } else if has(Flaw::Md5) {
        "insecure-md5"
    } else if has(Flaw::Sm) || has(Flaw::Gost) {
        "insecure-national"
    } else {
        "insecure"
    }
}

/// A suite as it is told: by its code and, for people, with name and, in brackets, the grade and what the registry says.
fn seen(code: u16) -> Seen {
    Seen::suite(u32::from(code), text(code))
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
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use std::collections::BTreeMap;

    use super::{SUITE_VALUES, value};
    use crate::{Grade, Suite};

    #[test]
    fn values_say_what_speaks_against_a_suite() {
        let check = |code: u16, expected: Option<&str>| assert_eq!(value(code), expected, "{code:04x}");
        check(0x0005, Some("insecure"));
        check(0x00a6, Some("insecure-rsa-dh"));
        check(0xc018, Some("insecure-ecdh"));
        check(0x0023, Some("insecure-md5"));
        check(0x00c6, Some("insecure-national"));
        check(0x0021, Some("weak"));
        check(0x002f, Some("weak-rsa-dh"));
        check(0xc004, Some("weak-ecdh"));
        check(0xc027, Some("weak"));
        check(0xc0b0, Some("secure"));
        check(0x009e, Some("secure-dhe"));
        check(0x1301, Some("recommended"));
        check(0xc0ae, Some("recommended-unlisted"));
        check(0x0b0b, Some("unregistered"));
        check(0x00ff, None);
    }

    #[test]
    fn every_suite_has_a_value_of_its_grade_that_policies_can_name() {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for suite in Suite::all().iter().filter(|suite| suite.grade.is_some()) {
            let value = value(suite.code).unwrap();
            assert!(SUITE_VALUES.contains(&value), "{value}");
            assert!(value.starts_with(suite.grade.map_or("", Grade::as_str)), "{} {value}", suite.name);
            *counts.entry(value).or_default() += 1;
        }
        assert_eq!((counts["insecure-national"], counts["insecure-md5"]), (9, 2));
        assert!(
            Suite::all().iter().all(|suite| suite.grade != Some(Grade::Secure) || !suite.has_static_ecdh())
        );
    }
}
