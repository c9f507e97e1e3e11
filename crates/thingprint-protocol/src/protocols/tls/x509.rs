//! The fields of X.509 certificates (RFC 5280 §4.1) that name the owner, the lifetime, and how strong they are. Signatures
//! are not verified.
use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::der::{Element, Elements, tag};
use crate::Certificate;
use crate::text::{escaped, push_byte};

/// `id-ce-subjectAltName`, 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// Tags of the fields of a certificate that are numbered: version [0], extensions [3]; and of a DNS name [2].
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;

/// Attribute types of names and their short names (RFC 4514 §3, RFC 5280 appendix A.1).
const ATTRIBUTES: [(&[u8], &str); 10] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "STREET"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
];

/// `rsaEncryption`, 1.2.840.113549.1.1.1.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

/// Algorithms of signatures (RFC 4055, RFC 5758, RFC 8410).
const SIGNATURES: [(&[u8], &str); 14] = [
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2], "md2WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4], "md5WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5], "sha1WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10], "rsassaPss"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], "sha256WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12], "sha384WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13], "sha512WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3], "dsa-with-sha1"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1], "ecdsa-with-SHA1"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], "ecdsa-with-SHA256"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], "ecdsa-with-SHA384"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], "ecdsa-with-SHA512"),
    (&[0x2b, 0x65, 0x70], "ed25519"),
    (&[0x2b, 0x65, 0x71], "ed448"),
];

/// Reads a certificate in DER; of one that is broken, the fields before the fault.
pub(super) fn certificate(bytes: &[u8]) -> Certificate {
    let mut certificate = Certificate {
        sha256: Sha256::digest(bytes).into(),
        length_bytes: bytes.len(),
        serial: None,
        subject: None,
        issuer: None,
        not_before_s: None,
        not_after_s: None,
        names: Vec::new(),
        signature: None,
        rsa_bits: None,
    };
    let _ = read(bytes, &mut certificate);
    certificate
}

/// `TBSCertificate`: version, serial number, algorithm, issuer, validity, subject, key, extensions.
fn read(bytes: &[u8], certificate: &mut Certificate) -> Option<()> {
    let mut outer = Elements::new(bytes).expect(tag::SEQUENCE)?;
    let mut fields = outer.expect(tag::SEQUENCE)?;
    let _version = fields.skip_if(VERSION);
    certificate.serial = fields.value(tag::INTEGER).map(<[u8]>::to_vec);
    let algorithm = fields.expect(tag::SEQUENCE)?.value(tag::OBJECT_IDENTIFIER);
    certificate.signature = algorithm.map(signature_name);
    certificate.issuer = Some(name(fields.expect(tag::SEQUENCE)?));
    let mut validity = fields.expect(tag::SEQUENCE)?;
    certificate.not_before_s = validity.next().and_then(time);
    certificate.not_after_s = validity.next().and_then(time);
    certificate.subject = Some(name(fields.expect(tag::SEQUENCE)?));
    certificate.rsa_bits = rsa_bits(fields.expect(tag::SEQUENCE)?);
    let extensions = fields.find(|field| field.tag == EXTENSIONS)?;
    certificate.names = alternative_names(Elements::new(extensions.value).expect(tag::SEQUENCE)?);
    Some(())
}

/// The name of a signature algorithm, else its numbers.
fn signature_name(kind: &[u8]) -> String {
    let known = SIGNATURES.iter().find(|(bytes, _)| *bytes == kind);
    known.map_or_else(|| dotted(kind), |(_, name)| (*name).to_owned())
}

/// The length of the modulus of an RSA key (RFC 8017 §A.1.1) in a `SubjectPublicKeyInfo`; `None` for other keys.
fn rsa_bits(mut key: Elements<'_>) -> Option<u32> {
    let kind = key.expect(tag::SEQUENCE)?.value(tag::OBJECT_IDENTIFIER)?;
    if kind != RSA {
        return None;
    }
    // The first byte says how many bits of the last one are not used: none.
    let (_, bytes) = key.value(tag::BIT_STRING)?.split_first()?;
    let modulus = Elements::new(bytes).expect(tag::SEQUENCE)?.value(tag::INTEGER)?;
    let start = modulus.iter().position(|byte| *byte != 0)?;
    let significant = modulus.get(start..)?;
    let unused = significant.first()?.leading_zeros();
    u32::try_from(significant.len()).ok()?.checked_mul(8)?.checked_sub(unused)
}

/// A distinguished name, the most specific part first, as RFC 4514 §2.1 writes it.
fn name(parts: Elements<'_>) -> String {
    let mut texts: Vec<String> = parts.map(|set| part(Elements::new(set.value))).collect();
    texts.retain(|text| !text.is_empty());
    texts.reverse();
    texts.join(",")
}

/// A part of a name: an attribute, or several (RFC 4514 §2.2).
fn part(attributes: Elements<'_>) -> String {
    let mut part = String::new();
    for attribute in attributes {
        let mut fields = Elements::new(attribute.value);
        let Some(kind) = fields.value(tag::OBJECT_IDENTIFIER) else { continue };
        let Some(value) = fields.next() else { continue };
        if !part.is_empty() {
            part.push('+');
        }
        part.push_str(&attribute_name(kind));
        part.push('=');
        push_text(&mut part, value);
    }
    part
}

fn attribute_name(kind: &[u8]) -> Cow<'static, str> {
    let known = ATTRIBUTES.iter().find(|(bytes, _)| *bytes == kind);
    known.map_or_else(|| dotted(kind).into(), |(_, name)| (*name).into())
}

/// An object identifier in decimal numbers (X.690 §8.19), the first two joined in one.
fn dotted(kind: &[u8]) -> String {
    let mut numbers = Vec::new();
    let mut number = 0_u64;
    for byte in kind {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            numbers.push(number);
            number = 0;
        }
    }
    let first = numbers.first().copied().unwrap_or(0);
    let root = (first / 40).min(2);
    let rest = numbers.iter().skip(1).map(u64::to_string);
    let start = [root.to_string(), (first - 40 * root).to_string()];
    start.into_iter().chain(rest).collect::<Vec<_>>().join(".")
}

/// Appends the text of a part; two-byte letters (`BMPString`) below 256 as one byte.
fn push_text(to: &mut String, element: Element<'_>) {
    let narrow: Vec<u8>;
    let bytes = if element.tag == tag::BMP_STRING && element.value.iter().step_by(2).all(|&high| high == 0) {
        narrow = element.value.iter().skip(1).step_by(2).copied().collect();
        &narrow
    } else {
        element.value
    };
    push_quoted(to, bytes);
}

/// Appends a text with a backslash before what would mean something else (RFC 4514 §2.4).
fn push_quoted(text: &mut String, bytes: &[u8]) {
    // Nearly all of them are of letters, and of signs that mean nothing inside.
    let is_plain =
        |&byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'.' | b'-' | b'*' | b'/');
    let is_plain_at_ends = bytes.first() != Some(&b' ') && bytes.last() != Some(&b' ');
    if is_plain_at_ends && bytes.iter().all(is_plain) {
        return text.push_str(str::from_utf8(bytes).unwrap_or_default());
    }
    text.reserve(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let is_at_end = at == 0 || at + 1 == bytes.len();
        if matches!(byte, b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\')
            || at == 0 && byte == b'#'
            || is_at_end && byte == b' '
        {
            text.push('\\');
        }
        push_byte(text, byte);
    }
}

/// The DNS names among the names in the extensions.
fn alternative_names(extensions: Elements<'_>) -> Vec<String> {
    let find = || {
        for extension in extensions {
            let mut fields = Elements::new(extension.value);
            if fields.value(tag::OBJECT_IDENTIFIER) == Some(SUBJECT_ALT_NAME) {
                let value = fields.find(|field| field.tag == tag::OCTET_STRING)?.value;
                return Elements::new(value).expect(tag::SEQUENCE);
            }
        }
        None
    };
    let names = find().into_iter().flatten().filter(|name| name.tag == DNS_NAME);
    names.map(|name| escaped(&name.value.to_ascii_lowercase())).collect()
}

/// Seconds since 1970 of a `UTCTime` or `GeneralizedTime` that ends with `Z` (RFC 5280 §4.1.2.5).
fn time(element: Element<'_>) -> Option<i64> {
    let (year, rest) = match element.tag {
        tag::UTC_TIME => {
            let (digits, rest) = element.value.split_at_checked(2)?;
            let year = number(digits)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        tag::GENERALIZED_TIME => {
            let (digits, rest) = element.value.split_at_checked(4)?;
            (number(digits)?, rest)
        }
        _ => return None,
    };
    let digits = rest.strip_suffix(b"Z")?;
    let mut pairs = digits.chunks(2).map(number);
    let (month, day) = (pairs.next()??, pairs.next()??);
    let (hour, minute, second) = (pairs.next()??, pairs.next()??, pairs.next().unwrap_or(Some(0))?);
    let is_valid =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    is_valid.then(|| days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn number(digits: &[u8]) -> Option<i64> {
    let is_number = digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

/// Days of the Gregorian calendar, counted in years that begin in March, so that a leap day is the last of its year.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests;
