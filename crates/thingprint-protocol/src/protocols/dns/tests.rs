use super::{NEXT_FRAME, first_frame, next_frame, parse};
use crate::phase::Step;
use crate::{DnsAnswer, DnsData, DnsMessage, DnsQuestion, Message};

const QUERY: u16 = 0x0100;
const RESPONSE: u16 = 0x8180;
const LONGEST: usize = 16 << 10;

/// A header (RFC 1035 §4.1.1) with these flags and counts, and what follows it.
fn message(flags: u16, counts: [u16; 4], rest: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0xab, 0xcd];
    bytes.extend_from_slice(&flags.to_be_bytes());
    bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    bytes.extend_from_slice(&rest.concat());
    bytes
}

/// A name (RFC 1035 §3.1) of these labels.
fn name(labels: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in labels {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend_from_slice(label);
    }
    bytes.push(0);
    bytes
}

/// A question of type A, class IN.
fn question(labels: &[&[u8]]) -> Vec<u8> {
    [name(labels), vec![0, 1, 0, 1]].concat()
}

/// A record of class IN that lives for a minute.
fn record(name: &[u8], rtype: u8, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len()).unwrap();
    [name, &[0, rtype, 0, 1, 0, 0, 0, 60, 0, length], data].concat()
}

fn read(bytes: &[u8]) -> Option<DnsMessage> {
    parse(bytes, bytes.len())
}

/// A pointer to the first question's name.
const POINTER: [u8; 2] = [0xc0, 12];

#[test]
fn of_many_answers_some_are_kept() {
    let address = record(&POINTER, 1, &[192, 0, 2, 7]);
    let records = [question(&[b"lamp"]), address.repeat(200)].concat();
    for flags in [QUERY, RESPONSE] {
        let found = read(&message(flags, [1, 200, 0, 0], &[&records])).unwrap();
        assert_eq!((found.answer_count, found.answers.len()), (200, 128));
    }
    let broken = [question(&[b"lamp"]), address.repeat(150), vec![1; 50 * address.len()]].concat();
    assert_eq!(read(&message(QUERY, [1, 200, 0, 0], &[&broken])), None, "a query has to be whole");
}

#[test]
fn a_query_tells_its_name() {
    let bytes = message(QUERY, [1, 0, 0, 0], &[&question(&[b"API", b"Example", b"com"])]);
    let found = read(&bytes).unwrap();
    assert_eq!((found.id, found.flags, found.answer_count), (0xabcd, QUERY, 0));
    assert_eq!(found.questions, [DnsQuestion { name: "api.example.com".to_owned(), qtype: 1, qclass: 1 }]);
    assert!(found.is_plain_query());
}

#[test]
fn names_are_written_in_printable_ascii() {
    let check = |labels: &[&[u8]], expected: &str| {
        let bytes = message(QUERY, [1, 0, 0, 0], &[&question(labels)]);
        assert_eq!(read(&bytes).unwrap().questions[0].name, expected);
    };
    check(&[], ".");
    check(&[b"My Lamp", b"local"], "my lamp.local");
    check(&[b"a.b", b"c"], "a\\x2eb.c");
    check(&[b"a\\b"], "a\\b");
    check(&[b"\xc3\xa9\x00\x1f\x7f~"], "\\xc3\\xa9\\x00\\x1f\\x7f~");
}

#[test]
fn a_response_tells_its_answers() {
    let records = [
        record(&POINTER, 5, &[4, b'e', b'd', b'g', b'e', 0xc0, 16]),
        record(&[4, b'e', b'd', b'g', b'e', 0xc0, 16], 1, &[192, 0, 2, 1]),
        record(&POINTER, 28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        record(&POINTER, 13, b"\x03txt"),
    ];
    let bytes =
        message(RESPONSE, [1, 4, 0, 0], &[&question(&[b"www", b"example", b"org"]), &records.concat()]);
    let found = read(&bytes).unwrap();
    let answer = |name: &str, rtype, data| DnsAnswer { name: name.to_owned(), rtype, ttl_s: 60, data };
    let expected = [
        answer("www.example.org", 5, DnsData::Name("edge.example.org".to_owned())),
        answer("edge.example.org", 1, DnsData::Address("192.0.2.1".parse().unwrap())),
        answer("www.example.org", 28, DnsData::Address("2001:db8::1".parse().unwrap())),
        answer("www.example.org", 13, DnsData::Other),
    ];
    assert_eq!(found.answers, expected);
    assert!(found.is_response() && !found.is_plain_query());
}

/// RFC 1035 §3.3.14, RFC 2782, RFC 9460 §2.2.
#[test]
fn services_and_texts_are_read() {
    let check = |rtype: u8, data: &[u8], expected: DnsData| {
        let bytes = message(RESPONSE, [1, 1, 0, 0], &[&question(&[b"lamp"]), &record(&POINTER, rtype, data)]);
        assert_eq!(read(&bytes).unwrap().answers[0].data, expected, "{rtype} {data:02x?}");
    };
    check(
        16,
        b"\x04md=1\x02\xff=",
        DnsData::Text(vec!["md=1".to_owned().into(), "\\xff=".to_owned().into()]),
    );
    check(16, b"\x05md=1", DnsData::Other);
    let target = "lamp".to_owned();
    check(
        33,
        b"\0\x01\0\x02\x1f\x90\xc0\x0c",
        DnsData::Service { priority: 1, weight: 2, port: 8080, target },
    );
    check(33, b"\0\x01\0\x02\x1f\x90\xc0\x0c\0", DnsData::Other);
    check(65, b"\0\x01\0\0\x01\0\x03\x02h2", DnsData::Binding { priority: 1, target: ".".to_owned() });
    check(64, b"\0\0\x04lamp\0", DnsData::Binding { priority: 0, target: "lamp".to_owned() });
    check(64, b"\0\0\x04lam", DnsData::Other);
}

#[test]
fn cut_and_broken_answers_leave_those_before_them() {
    let question = question(&[b"example"]);
    let good = record(&POINTER, 1, &[192, 0, 2, 1]);
    let check = |last: &[u8], expected: usize| {
        let found = read(&message(RESPONSE, [1, 2, 0, 0], &[&question, &good, last])).unwrap();
        assert_eq!((found.answers.len(), found.answer_count), (expected, 2), "{last:02x?}");
    };
    check(&good, 2);
    check(&good[..good.len() - 1], 1); // data cut
    check(&[0xff; 20], 1); // a pointer forwards
    check(&record(&POINTER, 0, &[]), 1); // no type
    let whole = message(RESPONSE, [1, 2, 0, 0], &[&question, &good, &good]);
    for cut in 12 + question.len()..whole.len() {
        let found = parse(&whole[..cut], whole.len()).unwrap();
        assert_eq!(found.answers.len(), (cut - 12 - question.len()) / good.len(), "cut at {cut}");
    }
}

#[test]
fn data_of_the_wrong_length_is_other() {
    let check = |rtype: u8, data: &[u8]| {
        let bytes = message(RESPONSE, [1, 1, 0, 0], &[&question(&[b"x"]), &record(&POINTER, rtype, data)]);
        assert_eq!(read(&bytes).unwrap().answers[0].data, DnsData::Other, "{rtype} {data:02x?}");
    };
    check(1, &[192, 0, 2]);
    check(28, &[0; 4]);
    check(5, &[1, b'a']); // the name runs out of the data
    check(12, &[0xc0, 12, 0]); // the name ends before the data
}

#[test]
fn headers_of_other_protocols_are_refused() {
    let question = question(&[b"example"]);
    let check = |flags: u16, counts: [u16; 4], expected: bool| {
        let found = read(&message(flags, counts, &[&question]));
        assert_eq!(found.is_some(), expected, "{flags:04x} {counts:?}");
    };
    check(QUERY, [1, 0, 0, 0], true);
    check(0x0120, [1, 0, 0, 0], true); // AD
    check(0x0010, [1, 0, 0, 0], true); // CD
    check(0x2000, [1, 0, 0, 0], true); // notify
    check(0x0800, [1, 0, 0, 0], false); // inverse query, RFC 3425
    check(0x7800, [1, 0, 0, 0], false); // no opcode
    check(0x0140, [1, 0, 0, 0], false); // Z
    check(0x0103, [1, 0, 0, 0], false); // a query with a result
    check(QUERY, [0, 0, 0, 0], false);
    check(QUERY, [2, 0, 0, 0], false); // one question is missing
    check(QUERY, [65, 0, 0, 0], false);
    check(QUERY, [1, 1, 0, 0], false); // no room for a record
    check(RESPONSE, [1, 0, 0, 0], true);
    check(RESPONSE | 0x0003, [1, 0, 0, 0], true); // no such name
    check(RESPONSE | 0x000c, [1, 0, 0, 0], false); // no such result
    check(RESPONSE, [1, 1, 0, 0], false);
    check(RESPONSE | 0x0200, [1, 1, 0, 0], true); // cut, as it says
    check(RESPONSE, [0, 0, 0, 0], false);
}

#[test]
fn questions_have_a_type_and_a_class() {
    let check = |tail: [u8; 4], expected: bool| {
        let found = read(&message(QUERY, [1, 0, 0, 0], &[&name(&[b"example"]), &tail]));
        assert_eq!(found.is_some(), expected, "{tail:02x?}");
        assert!(found.is_none_or(|found| found.is_plain_query()));
    };
    for class in [1, 3, 4, 254, 255] {
        check([0, 28, 0, class], true);
        check([0, 28, 0x80, class], true); // asks for a unicast response, RFC 6762 §5.4
    }
    for class in [0, 2, 5, 253] {
        check([0, 28, 0, class], false);
    }
    check([0xfe, 7, 0, 1], true);
    check([0, 0, 0, 1], false);
}

#[test]
fn bad_names_are_refused() {
    let check = |name: &[u8], expected: bool| {
        let found = read(&message(QUERY, [1, 0, 0, 0], &[name, &[0, 1, 0, 1]]));
        assert_eq!(found.is_some(), expected, "{name:02x?}");
    };
    let label = |length: u8| [&[length][..], &vec![b'x'; usize::from(length)]].concat();
    check(&[label(63), vec![0]].concat(), true);
    check(&[&[64][..], &[b'x'; 64], &[0]].concat(), false); // a label type no longer in use
    check(&[label(63), label(63), label(63), label(61), vec![0]].concat(), true); // 255 bytes
    check(&[label(63), label(63), label(63), label(62), vec![0]].concat(), false);
    check(&[3, b'a', b'b'], false); // runs into the type
    check(&[0xc0, 12], false); // points at itself
    check(&[1, b'a', 0xc0, 12], false); // points at its own start
    check(&[0xc0, 0], false); // points into the header
    check(&[0xc0, 40], false); // points forwards
}

#[test]
fn pointers_lead_backwards_one_after_the_other() {
    let second = [1, b'a', 0xc0, 12, 0, 1, 0, 1];
    let third = [1, b'b', 0xc0, 28, 0, 1, 0, 1];
    let bytes = message(QUERY, [3, 0, 0, 0], &[&question(&[b"example", b"no"]), &second, &third]);
    let names: Vec<_> = read(&bytes).unwrap().questions.into_iter().map(|question| question.name).collect();
    assert_eq!(names, ["example.no", "a.example.no", "b.a.example.no"]);
}

#[test]
fn a_query_of_many_questions_is_no_plain_one() {
    let check = |count: u16, expected: Option<bool>| {
        let questions = question(&[b"lamp", b"local"]).repeat(usize::from(count));
        let found = read(&message(0, [count, 0, 0, 0], &[&questions]));
        assert_eq!(found.map(|found| found.is_plain_query()), expected, "{count} questions");
    };
    check(16, Some(true));
    check(17, Some(false));
    check(64, Some(false));
    check(65, None);
}

#[test]
fn a_query_has_all_its_records_and_nothing_behind() {
    let question = question(&[b"example"]);
    let options = [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0];
    let check = |counts: [u16; 4], tail: &[u8], expected: bool| {
        let found = read(&message(QUERY, counts, &[&question, tail]));
        assert_eq!(found.is_some(), expected, "{counts:?} {tail:02x?}");
    };
    check([1, 0, 0, 1], &options, true);
    check([1, 0, 0, 0], &options, false);
    check([1, 0, 0, 0], &[0; 9], true); // padding
    check([1, 0, 0, 0], &[0, 1], false);
    check([1, 0, 0, 1], &[0xff; 11], false);
    check([1, 1, 0, 0], &record(&POINTER, 12, &POINTER), true); // a known answer, RFC 6762 §7.1
    let whole = message(QUERY, [1, 0, 0, 1], &[&question, &options]);
    assert!(parse(&whole[..whole.len() - 4], whole.len()).unwrap().is_plain_query());
    assert!(parse(&whole[..20], whole.len()).is_none());
}

#[test]
fn a_response_without_a_question_has_a_record() {
    let good = record(&name(&[b"lamp", b"local"]), 12, &[1, b'x', 0]);
    assert_eq!(read(&message(0x8400, [0, 1, 0, 0], &[&good])).unwrap().answers.len(), 1);
    assert!(read(&message(0x8400, [0, 0, 1, 0], &[&good])).unwrap().answers.is_empty());
    assert!(read(&message(0x8400, [0, 1, 0, 0], &[&[0xff; 40]])).is_none());
}

#[test]
fn additional_records_of_multicast_dns_are_read_and_of_dns_are_not() {
    let lamp = name(&[b"lamp", b"local"]);
    let text = record(&lamp, 16, b"\x04md=1");
    let records =
        [record(&lamp, 12, &[1, b'x', 0]), record(&lamp, 2, &[1, b'n', 0]), text.clone(), text].concat();
    let bytes = message(0x8400, [0, 1, 1, 2], &[&records]);
    let additional = |bytes: &[u8], ports: (u16, u16)| {
        let host = std::net::IpAddr::from([192, 0, 2, 7]);
        let packet = thingprint_flow::Ip::udp((host, ports.0), (host, ports.1), bytes);
        match super::datagram(&packet)? {
            Message::Mdns(message) | Message::Dns(message) => Some(message.additional.len()),
            _ => None,
        }
    };
    assert_eq!(additional(&bytes, (5353, 5353)), Some(2));
    assert_eq!(additional(&bytes[..bytes.len() - 2], (5353, 5353)), Some(1), "what a cut leaves");
    assert_eq!(additional(&bytes, (53, 5000)), Some(0));
    let found = super::read_additional(&bytes).unwrap();
    assert_eq!(found[0].data, DnsData::Text(vec!["md=1".into()]));
}

#[test]
fn netbios_names_are_no_dns() {
    let encoded = b"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let with_type = |label: &[u8], qtype: u8| {
        read(&message(0, [1, 0, 0, 0], &[&name(&[label]), &[0, qtype, 0, 1]])).is_some()
    };
    assert!(!with_type(encoded, 33));
    assert!(!with_type(encoded, 32));
    assert!(with_type(encoded, 1));
    assert!(with_type(b"_sip", 33));
    let response = message(0x8400, [0, 1, 0, 0], &[&record(&name(&[encoded]), 33, &[0; 6])]);
    assert!(read(&response).is_none());
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

#[test]
fn a_stream_begins_with_a_whole_message() {
    let query = message(QUERY, [1, 0, 0, 0], &[&question(&[b"example", b"com"])]);
    let stream = framed(&query);
    for cut in 0..stream.len() {
        assert_eq!(first_frame(&stream[..cut], LONGEST), Step::More, "cut at {cut}");
    }
    let expected =
        Step::Read { bytes: stream.len(), message: read(&query).map(Message::Dns), then: NEXT_FRAME };
    assert_eq!(first_frame(&stream, LONGEST), expected);
    assert_eq!(first_frame(&[stream.clone(), vec![1, 2, 3]].concat(), LONGEST), expected);
    assert_eq!(first_frame(&stream, stream.len() - 1), Step::Done);
}

#[test]
fn other_streams_are_left_after_a_few_bytes() {
    let check = |bytes: &[u8]| assert_eq!(first_frame(bytes, LONGEST), Step::Done, "{bytes:02x?}");
    check(b"G");
    check(&[0, 11]);
    check(&[0, 64, 1, 2, 0x78, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    check(&framed(&message(QUERY, [1, 0, 0, 0], &[&name(&[b"x"]), &[0, 1, 0, 9]])));
}

#[test]
fn a_stream_goes_on_over_what_cannot_be_read() {
    let skip = |bytes| Step::Read { bytes, message: None, then: NEXT_FRAME };
    assert_eq!(next_frame(&framed(&[0; 12]), LONGEST), skip(14));
    assert_eq!(next_frame(&[0x50, 0, 1], LONGEST), skip(0x5002));
    assert_eq!(next_frame(&[0, 11], LONGEST), Step::Done);
    assert_eq!(next_frame(&[0], LONGEST), Step::More);
}
