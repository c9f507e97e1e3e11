use proptest::prelude::*;

use super::{Element, Elements, RSA, certificate, dotted, name, rsa_bits, signature_name, tag, time};
use crate::protocols::tls::certificate::chain;

/// A value with its tag (X.690 §8.1).
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    let header =
        if value.len() < 0x80 { vec![tag, length[1]] } else { vec![tag, 0x82, length[0], length[1]] };
    [header, value].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(tag::SEQUENCE, parts)
}

/// One attribute of a name, of a type below 2.5.4.
fn attribute(kind: u8, string_tag: u8, value: &[u8]) -> Vec<u8> {
    element(0x31, &[&sequence(&[&[6, 3, 0x55, 4, kind], &element(string_tag, &[value])])])
}

/// A certificate (RFC 5280 §4.1) for a lamp, whose key and signature are empty.
fn lamp() -> Vec<u8> {
    let algorithm = sequence(&[&[6, 3, 0x2a, 3, 4]]);
    let issuer = sequence(&[
        &attribute(6, 0x13, b"XX"),
        &attribute(10, 0x0c, b"Lamps, Inc"),
        &attribute(97, 0x0c, b"7"),
    ]);
    let validity = sequence(&[
        &element(tag::UTC_TIME, &[b"190101000000Z"]),
        &element(tag::GENERALIZED_TIME, &[b"20500101000000Z"]),
    ]);
    let subject = sequence(&[&attribute(10, 0x1e, b"\0A\0b"), &attribute(3, 0x0c, b"lamp\xc3\xa9")]);
    let names = sequence(&[
        &element(0x82, &[b"Lamp.example"]),
        &element(0x87, &[&[192, 0, 2, 7]]),
        &element(0x82, &[b"*.lamp"]),
    ]);
    let constraints = sequence(&[&[6, 3, 0x55, 0x1d, 0x13], &[1, 1, 0xff], &element(4, &[&[0x30, 0]])]);
    let alternatives = sequence(&[&[6, 3, 0x55, 0x1d, 0x11], &element(4, &[&names])]);
    let extensions = element(0xa3, &[&sequence(&[&constraints, &alternatives])]);
    let to_be_signed = sequence(&[
        &element(0xa0, &[&[2, 1, 2]]),
        &[2, 2, 0x12, 0x34],
        &algorithm,
        &issuer,
        &validity,
        &subject,
        &sequence(&[&algorithm, &[3, 1, 0]]),
        &extensions,
    ]);
    sequence(&[&to_be_signed, &algorithm, &[3, 1, 0]])
}

/// The body of a `Certificate` message (RFC 5246 §7.4.2).
fn body(certificates: &[&[u8]]) -> Vec<u8> {
    let vector = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0][..], &length, bytes].concat()
    };
    vector(&certificates.iter().flat_map(|certificate| vector(certificate)).collect::<Vec<u8>>())
}

#[test]
fn a_certificate_tells_whose_it_is_and_how_long_it_lives() {
    let bytes = lamp();
    let found = certificate(&bytes);
    assert_eq!(found.length_bytes, bytes.len());
    assert_eq!(found.serial, Some(vec![0x12, 0x34]));
    assert_eq!(found.subject.as_deref(), Some("CN=lamp\\xc3\\xa9,O=Ab"));
    assert_eq!(found.issuer.as_deref(), Some("2.5.4.97=7,O=Lamps\\, Inc,C=XX"));
    assert_eq!((found.not_before_s, found.not_after_s), (Some(1_546_300_800), Some(2_524_608_000)));
    assert_eq!(found.names, ["lamp.example", "*.lamp"]);
    assert_eq!(found.is_valid_at(1_546_300_799), Some(false));
    assert_eq!(found.is_valid_at(1_546_300_800), Some(true));
    assert_eq!(found.is_valid_at(2_524_608_001), Some(false));
}

/// FIPS 180-2 appendix B.1.
#[test]
fn a_certificate_that_is_none_is_hashed_all_the_same() {
    let found = certificate(b"abc");
    assert_eq!(found.sha256[..4], [0xba, 0x78, 0x16, 0xbf]);
    assert_eq!((found.length_bytes, found.subject, found.serial), (3, None, None));
    assert_eq!((found.not_before_s, found.names), (None, vec![]));
}

#[test]
fn what_stands_before_a_fault_is_kept() {
    let mut bytes = lamp();
    let at = bytes.windows(2).position(|pair| pair == b"\x17\x0d").unwrap();
    bytes[at] = 0x16; // the life begins with no time
    let found = certificate(&bytes);
    assert_eq!((found.not_before_s, found.not_after_s), (None, Some(2_524_608_000)));
    assert_eq!(found.is_valid_at(0), None);
    bytes[at - 2] = 0x31; // the life is no sequence
    let found = certificate(&bytes);
    assert_eq!((found.not_after_s, found.subject), (None, None));
    assert!(found.issuer.is_some());
}

#[test]
fn a_chain_keeps_its_order_and_what_is_whole() {
    let bytes = lamp();
    let whole = body(&[&bytes, b"abc"]);
    let lengths = |body: &[u8]| -> Vec<usize> {
        chain(body).certificates.iter().map(|certificate| certificate.length_bytes).collect()
    };
    assert_eq!(lengths(&whole), [bytes.len(), 3]);
    assert_eq!(lengths(&whole[..whole.len() - 1]), [bytes.len()]);
    assert_eq!(lengths(&body(&[])), [0; 0]);
    assert_eq!(lengths(&[]), [0; 0]);
    let many = chain(&body(&[&b"abc"[..]; 40]));
    assert_eq!((many.certificates.len(), many.certificates_dropped), (32, 8));
}

#[test]
fn times_are_seconds_since_1970() {
    let check = |tag: u8, text: &str, expected: Option<i64>| {
        assert_eq!(time(Element { tag, value: text.as_bytes() }), expected, "{text}");
    };
    check(tag::UTC_TIME, "700101000000Z", Some(0));
    check(tag::UTC_TIME, "7001010000Z", Some(0));
    check(tag::UTC_TIME, "491231235959Z", Some(2_524_607_999));
    check(tag::UTC_TIME, "500101000000Z", Some(-631_152_000));
    check(tag::GENERALIZED_TIME, "20000229120000Z", Some(951_825_600));
    check(tag::GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799));
    check(tag::UTC_TIME, "701301000000Z", None);
    check(tag::UTC_TIME, "700101000000", None);
    check(tag::UTC_TIME, "70010100000xZ", None);
    check(tag::INTEGER, "700101000000Z", None);
}

/// RFC 4514 §2.2 and §2.4.
#[test]
fn names_are_written_so_that_their_parts_can_be_told() {
    let common_name = |text: &str| {
        let value = [&[0x0c, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        let fields = [&[6, 3, 0x55, 4, 3][..], &value].concat();
        [&[0x30, u8::try_from(fields.len()).unwrap()], &fields[..]].concat()
    };
    let set = |attributes: &[u8]| [&[0x31, u8::try_from(attributes.len()).unwrap()], attributes].concat();
    let check = |sets: &[Vec<u8>], expected: &str| {
        assert_eq!(name(Elements::new(&sets.concat())), expected);
    };
    check(&[set(&common_name("a")), set(&common_name("b"))], "CN=b,CN=a");
    check(&[set(&[common_name("a"), common_name("b")].concat())], "CN=a+CN=b");
    check(&[set(&common_name("a,b+c\"d\\e<f>g;h"))], r#"CN=a\,b\+c\"d\\e\<f\>g\;h"#);
    check(&[set(&common_name("#a #"))], r"CN=\#a #");
    check(&[set(&common_name(" a "))], r"CN=\ a\ ");
    check(&[set(&common_name("\u{e9}"))], r"CN=\xc3\xa9");
}

#[test]
fn unknown_attributes_are_named_by_number() {
    assert_eq!(dotted(&[0x55, 4, 97]), "2.5.4.97");
    assert_eq!(dotted(&[0x2a, 0x86, 0x48]), "1.2.840");
    assert_eq!(dotted(&[]), "0.0");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        let _ = (certificate(&bytes), chain(&bytes));
    }

    #[test]
    fn any_change_is_read_without_panic(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let mut bytes = lamp();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = certificate(&bytes);
        let _ = certificate(&bytes[..cut.index(bytes.len())]);
    }
}

#[test]
fn a_key_of_rsa_has_a_length_and_a_signature_a_name() {
    let key = |kind: &[u8], modulus: &[u8]| {
        let key = sequence(&[&element(tag::INTEGER, &[modulus]), &[2, 3, 1, 0, 1]]);
        let kind = sequence(&[&element(tag::OBJECT_IDENTIFIER, &[kind]), &[5, 0]]);
        [kind, element(tag::BIT_STRING, &[&[0], &key])].concat()
    };
    let bits = |modulus: &[u8]| rsa_bits(Elements::new(&key(RSA, modulus)));
    let long = |first: &[u8], bytes: usize| [first, &vec![0x55; bytes]].concat();
    assert_eq!(bits(&long(&[0, 0x80], 255)), Some(2048));
    assert_eq!(bits(&long(&[0, 0xff], 127)), Some(1024));
    assert_eq!(bits(&long(&[0x7f], 127)), Some(1023));
    assert_eq!((bits(&[0]), bits(&[])), (None, None));
    assert_eq!(rsa_bits(Elements::new(&key(&[0x2a, 3, 4], &long(&[0, 0x80], 255)))), None);
    assert_eq!(rsa_bits(Elements::new(&[])), None);
    assert_eq!(signature_name(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5]), "sha1WithRSAEncryption");
    assert_eq!(signature_name(&[0x2a, 3, 4]), "1.2.3.4");
}
