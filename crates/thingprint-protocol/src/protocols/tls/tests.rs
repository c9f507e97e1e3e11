use super::{FLIGHT, HELLO, Tls, behind_leads, first_hello, next_hello};
use crate::parser::{Memo, Parser, Proof, StreamView};
use crate::phase::{Phase, Step};
use crate::{ClientHello, HelloVersion, Message, ResumedBy, ServerHello};

/// RFC 8446 §4.1.3.
const RETRY_RANDOM: &[u8; 32] = b"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\
                                  \xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

fn vector8(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

fn vector16(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), vector16(data)].concat()
}

fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A handshake message (RFC 8446 §4).
fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 0][..], &length, body].concat()
}

/// A record (RFC 8446 §5.1).
fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    [vec![kind, 3, 1], vector16(fragment)].concat()
}

/// The body of a `ClientHello` of TLS 1.2 with these suites; `extensions` stands behind with its length.
fn client_body(suites: &[u16], extensions: &[u8]) -> Vec<u8> {
    let fixed = [&[3, 3][..], &[7; 32], &vector8(&[9; 32]), &vector16(&numbers(suites)), &[1, 0]].concat();
    [fixed, extensions.to_vec()].concat()
}

fn server_body(random: &[u8; 32], extensions: &[u8]) -> Vec<u8> {
    [&[3, 3][..], random, &vector8(&[9; 32]), &[0x13, 0x02, 0], &vector16(extensions)].concat()
}

fn client_hello(body: &[u8]) -> ClientHello {
    match first_hello(&record(22, &handshake(1, body))) {
        Step::Read { message: Some(Message::ClientHello(hello)), .. } => hello,
        other => panic!("expected a ClientHello, found {other:?}"),
    }
}

fn server_hello(body: &[u8]) -> ServerHello {
    match first_hello(&record(22, &handshake(2, body))) {
        Step::Read { message: Some(Message::ServerHello(hello)), .. } => hello,
        other => panic!("expected a ServerHello, found {other:?}"),
    }
}

#[test]
fn a_client_hello_is_read_without_grease() {
    let name = [&[0][..], &vector16(b"API.Example.com")].concat();
    let protocols = [vector8(&[0x5a, 0x5a]), vector8(b"h2"), vector8(b"http/1.1")].concat();
    let extensions = [
        extension(0x1a1a, &[]),
        extension(0, &vector16(&name)),
        extension(10, &vector16(&numbers(&[0xeaea, 29, 23]))),
        extension(11, &vector8(&[0, 1])),
        extension(13, &vector16(&numbers(&[0x0403, 0x2a2a, 0x0804]))),
        extension(16, &vector16(&protocols)),
        extension(43, &vector8(&numbers(&[0x7a7a, 0x0304, 0x0303]))),
        extension(0xfe0d, &[1, 2, 3]),
    ];
    let body = client_body(&[0x0a0a, 0x1301, 0xc02b, 0x00ff], &vector16(&extensions.concat()));
    let expected = ClientHello {
        version: HelloVersion::Tls(0x0303),
        cipher_suites: vec![0x1301, 0xc02b, 0x00ff],
        extensions: vec![0, 10, 11, 13, 16, 43, 0xfe0d],
        server_name: Some("api.example.com".to_owned()),
        supported_versions: vec![0x0304, 0x0303],
        groups: vec![29, 23],
        point_formats: vec![0, 1],
        signature_algorithms: vec![0x0403, 0x0804],
        alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        resumes: Vec::new(),
        is_malformed: false,
    };
    assert_eq!(client_hello(&body), expected);
    assert_eq!(expected.cipher_suites_word(), "1301-c02b-00ff");
}

#[test]
fn an_old_hello_has_no_extensions() {
    let hello = client_hello(&client_body(&[0x0005, 0x000a], &[]));
    assert_eq!((hello.extensions, hello.server_name), (vec![], None));
    assert_eq!(hello.cipher_suites, [5, 10]);
}

#[test]
fn a_hello_says_which_sessions_it_goes_on_with() {
    let random = [&[3, 3][..], &[7; 32]].concat();
    let hello = |session: &[u8], extensions: &[Vec<u8>]| {
        let fixed = [&random, &vector8(session)[..], &vector16(&numbers(&[0xc02f])), &[1, 0]].concat();
        let hello = client_hello(&[fixed, vector16(&extensions.concat())].concat());
        hello.resumes.iter().map(|offer| offer.by).collect::<Vec<_>>()
    };
    let versions = || extension(43, &vector8(&numbers(&[0x0304])));
    let identity = [vector16(b"ticket"), vec![0; 4]].concat();
    assert_eq!(hello(&[], &[extension(23, &[])]), []);
    assert_eq!(hello(&[9; 32], &[extension(23, &[])]), [ResumedBy::SessionId]);
    assert_eq!(hello(&[9; 32], &[extension(35, b"ticket")]), [ResumedBy::Ticket], "the other is random");
    assert_eq!(hello(&[9; 32], &[extension(35, b"")]), [ResumedBy::SessionId], "it asks for a ticket");
    assert_eq!(hello(&[9; 32], &[versions()]), [], "for servers that know TLS 1.2 alone");
    assert_eq!(hello(&[9; 32], &[versions(), extension(41, &vector16(&identity))]), [ResumedBy::Psk]);
    assert_eq!(hello(&[], &vec![extension(35, b"ticket"); 9]).len(), 4);
}

#[test]
fn a_broken_extension_ends_the_list_of_them() {
    let good = extension(10, &vector16(&numbers(&[23])));
    let check = |tail: &[u8], extensions: &[u16], is_malformed: bool| {
        let hello = client_hello(&client_body(&[0x1301], &vector16(&[&good, tail].concat())));
        assert_eq!(hello.extensions, extensions, "{tail:02x?}");
        assert_eq!((hello.groups, hello.is_malformed), (vec![23], is_malformed));
    };
    check(&[0, 43, 0, 9, 1], &[10], true);
    check(&[0, 43, 0], &[10], true);
    check(&extension(43, &[9, 3]), &[10, 43], false);
    check(&extension(0, &[0, 9, 0, 0]), &[10, 0], false);
    check(&extension(11, &[4, 0]), &[10, 11], false);
    // The length of the block says more than there is.
    let body = client_body(&[0x1301], &[&[0xff, 0xff][..], &good].concat());
    let hello = client_hello(&body);
    assert_eq!((hello.groups, hello.is_malformed), (vec![23], true));
}

#[test]
fn server_hellos_tell_what_was_negotiated() {
    let old = server_hello(&server_body(&[1; 32], &extension(0xff01, &[0])));
    let expected = ServerHello {
        version: 0x0303,
        negotiated_version: 0x0303,
        cipher_suite: 0x1302,
        extensions: vec![0xff01],
        is_retry_request: false,
        is_malformed: false,
    };
    assert_eq!(old, expected);
    let new = server_hello(&server_body(&[1; 32], &extension(43, &[3, 4])));
    assert_eq!((new.version, new.negotiated_version), (0x0303, 0x0304));
    let retry = server_hello(&server_body(RETRY_RANDOM, &extension(43, &[3, 4])));
    assert!(retry.is_retry_request);
}

#[test]
fn a_hello_with_a_broken_body_is_malformed_and_read_up_to_the_fault() {
    let check = |body: &[u8], version: u16, suites: &[u32]| {
        let hello = client_hello(body);
        assert!(hello.is_malformed, "{body:02x?}");
        assert_eq!(
            (hello.version, &hello.cipher_suites[..]),
            (HelloVersion::Tls(version), suites),
            "{body:02x?}"
        );
    };
    let good = client_body(&[0x1301], &[]);
    let changed = |at: usize, byte: u8| {
        let mut body = good.clone();
        body[at] = byte;
        body
    };
    check(&client_body(&[], &[]), 0x0303, &[]);
    check(&changed(68, 1), 0x0303, &[]); // an odd length of suites
    check(&changed(68, 0xff), 0x0303, &[]); // suites beyond the end
    check(&changed(0, 2), 0x0203, &[]);
    check(&changed(34, 33), 0x0303, &[]); // a session identifier of 33 bytes
    check(&changed(71, 0), 0x0303, &[0x1301]); // no compression method
    check(&good[..20], 0x0303, &[]);
    check(&good[..2], 0x0303, &[]);
    check(&client_body(&[0x1301], &[0]), 0x0303, &[0x1301]); // half a length of extensions
    assert!(!client_hello(&good).is_malformed);
    assert!(!client_hello(&client_body(&[0x0a0a], &[])).is_malformed, "GREASE alone keeps to the form");
    // The lengths of record and message agree, and there is nothing inside.
    let step = first_hello(&record(22, &handshake(1, &[])));
    assert_eq!(step, Step::Read { bytes: 9, message: None, then: HELLO });
    assert!(server_hello(&server_body(&[1; 32], &[])[..69]).is_malformed);
    assert!(!server_hello(&server_body(&[1; 32], &[])).is_malformed);
    let step = first_hello(&record(22, &handshake(2, &[3, 3, 7])));
    assert!(matches!(step, Step::Read { message: None, then: Phase::DONE, .. }));
}

#[test]
fn what_fits_neither_length_nor_version_is_other_traffic() {
    assert_eq!(first_hello(&[&record(22, &[1, 0, 0, 9, 7, 7])[..], b"GET"].concat()), Step::Done);
    assert_eq!(first_hello(&[&record(22, &[1, 9, 9, 9, 3, 3])[..], b"GET"].concat()), Step::Done);
}

#[test]
fn the_beginning_of_a_hello_is_enough_to_detect_tls() {
    let stream = record(22, &handshake(1, &client_body(&[0x1301], &[])));
    let proof = |bytes| Tls::proof(StreamView { bytes, longest: 16384, memo: Memo::default() });
    for cut in 0..stream.len() {
        let is_certain = matches!(proof(&stream[..cut]), Proof::Certain);
        assert_eq!(is_certain, cut >= 11, "cut at {cut}");
    }
    assert!(matches!(proof(&stream), Proof::Read(_)));
}

#[test]
fn a_hello_is_joined_from_records_of_any_size() {
    let hello = handshake(1, &client_body(&[0x1301, 0x1302], &vector16(&extension(10, &[0, 2, 0, 29]))));
    let whole = first_hello(&record(22, &hello));
    for size in [1, 2, 3, 5, 40, hello.len() - 1] {
        let stream: Vec<u8> = hello.chunks(size).flat_map(|part| record(22, part)).collect();
        match (first_hello(&stream), &whole) {
            (Step::Read { bytes, message, then }, Step::Read { message: expected, .. }) => {
                assert_eq!((bytes, &message, then), (stream.len(), expected, HELLO), "size {size}");
            }
            other => panic!("expected two hellos, found {other:?}"),
        }
        for cut in 0..stream.len() {
            assert_eq!(first_hello(&stream[..cut]), Step::More, "size {size}, cut at {cut}");
        }
    }
    let (start, end) = hello.split_at(20);
    let interrupted = [record(22, start), record(21, &[1, 0]), record(22, end)].concat();
    match first_hello(&interrupted) {
        Step::Read { bytes, message: Some(Message::ClientHello(hello)), then: Phase::DONE } => {
            assert_eq!((bytes, hello.is_malformed), (25, true));
        }
        other => panic!("expected a broken hello, found {other:?}"),
    }
}

#[test]
fn a_server_hello_is_read_before_its_record_is_complete() {
    let hello = handshake(2, &server_body(&[1; 32], &[]));
    let stream = record(22, &[&hello[..], &[11, 0, 15, 0], &[0; 4000]].concat());
    let read = first_hello(&stream[..5 + hello.len()]);
    assert!(matches!(read, Step::Read { message: Some(_), then: FLIGHT, .. }));
    assert_eq!(read, first_hello(&stream));
    assert_eq!(first_hello(&stream[..4 + hello.len()]), Step::More);
}

#[test]
fn a_second_hello_may_follow_a_retry() {
    let client = record(22, &handshake(1, &client_body(&[0x1301], &[])));
    let change = record(20, &[1]);
    assert_eq!(next_hello(&change), Step::Read { bytes: 6, message: None, then: HELLO });
    for cut in 0..change.len() {
        assert_eq!(next_hello(&change[..cut]), Step::More);
    }
    assert!(matches!(next_hello(&client), Step::Read { message: Some(_), then: HELLO, .. }));
    let retry = record(22, &handshake(2, &server_body(RETRY_RANDOM, &[])));
    assert!(matches!(first_hello(&retry), Step::Read { then: HELLO, .. }));
    assert_eq!(next_hello(&record(23, &[1, 2, 3])), Step::Done);
    assert_eq!(next_hello(&record(22, &handshake(16, &[0; 60]))), Step::Done);
    assert_eq!(next_hello(&record(20, &[1, 1])), Step::Done);
}

#[test]
fn alerts_and_empty_records_may_come_before_a_hello() {
    let hellos = [handshake(1, &client_body(&[0x1301], &[])), handshake(2, &server_body(&[1; 32], &[]))];
    let leads =
        [record(21, &[1, 112]), record(21, &[2, 40]), record(22, &[]), record(23, &[]), record(20, &[])];
    for hello in hellos.map(|hello| record(22, &hello)) {
        for lead in leads.iter().cloned().chain([leads.concat()]) {
            let stream = [lead.clone(), hello.clone()].concat();
            let (
                Step::Read { bytes, message, then },
                Step::Read { bytes: alone, message: expected, then: next },
            ) = (behind_leads(&stream, first_hello), first_hello(&hello))
            else {
                panic!("expected two hellos behind {lead:02x?}");
            };
            assert_eq!((bytes, message, then), (lead.len() + alone, expected, next));
            for cut in 0..stream.len() {
                assert_eq!(behind_leads(&stream[..cut], first_hello), Step::More, "{lead:02x?} cut at {cut}");
            }
        }
    }
    let encrypted = record(21, &[1; 40]);
    let step = behind_leads(&encrypted, first_hello);
    assert_eq!(step, Step::Read { bytes: 45, message: None, then: Phase::DONE });
    assert_eq!(behind_leads(&[&record(21, &[1, 0])[..], b"GET"].concat(), first_hello), Step::Done);
}

#[test]
fn other_streams_are_left_after_a_few_bytes() {
    let check = |bytes: &[u8]| assert_eq!(first_hello(bytes), Step::Done, "{bytes:02x?}");
    check(b"G");
    check(&[22, 2]);
    check(&[22, 3, 5]);
    check(&[22, 3, 1, 0, 0]);
    check(&[22, 3, 1, 0x48, 1]);
    check(&[22, 3, 1, 0, 4, 11]);
    check(&[23, 3, 5]);
    check(&[0x80, 5]);
    check(&[0x80, 46, 2]);
    check(&[0x80, 46, 1, 1]);
    check(&[0x80, 46, 1, 0, 3]);
    check(&[0x80, 46, 1, 3, 9]);
    assert_eq!(first_hello(&[23, 3, 3]), Step::More, "application data may begin here");
}

/// A hello in SSL 2.0 form (RFC 5246 appendix E.2) that offers TLS 1.0.
fn ssl2_hello(kinds: &[u8], challenge: &[u8]) -> Vec<u8> {
    let lengths = [kinds.len(), 0, challenge.len()].map(|length| u16::try_from(length).unwrap());
    let message = [&[1, 3, 1][..], &numbers(&lengths), kinds, challenge].concat();
    [&[0x80, u8::try_from(message.len()).unwrap()], &message[..]].concat()
}

#[test]
fn an_ssl2_hello_offers_kinds_of_three_bytes() {
    let stream = ssl2_hello(&[0, 0, 0x39, 1, 0, 0x80, 0, 0, 0x0a, 7, 0, 0xc0], &[5; 32]);
    let Step::Read { message: Some(Message::ClientHello(hello)), then: Phase::DONE, .. } =
        first_hello(&stream)
    else {
        panic!("expected a hello, found {:?}", first_hello(&stream));
    };
    assert_eq!(hello.version, HelloVersion::Ssl2(0x0301));
    assert_eq!(hello.cipher_suites, [0x39, 0x01_0080, 0x0a, 0x07_00c0]);
    assert_eq!(hello.cipher_suites_word(), "0039-010080-000a-0700c0");
    for cut in 0..stream.len() {
        assert_eq!(first_hello(&stream[..cut]), Step::More, "cut at {cut}");
    }
}

#[test]
fn an_ssl2_hello_adds_up() {
    assert_eq!(first_hello(&ssl2_hello(&[0, 0], &[5; 16])), Step::Done);
    assert_eq!(first_hello(&ssl2_hello(&[0, 0, 5], &[5; 15])), Step::Done);
    assert_eq!(first_hello(&ssl2_hello(&[], &[5; 16])), Step::Done);
    let mut long = ssl2_hello(&[0, 0, 5], &[5; 16]);
    long[1] += 1;
    long.push(0);
    assert_eq!(first_hello(&long), Step::Done);
}
