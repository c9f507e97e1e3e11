//! What rules see in messages that no simulated device sends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;

use thingprint_audit::{Auditor, Coverage, DeviceAudit, Judgement, Policy, Severity, SortedMap};
use thingprint_flow::{Capture, DeviceId, Flow, FlowOptions, Timestamp, Trace, TraceOptions, Tracker};
use thingprint_protocol::{
    ClientHello, Detector, Engine, Heard, HeardMessage, HelloVersion, HttpResponse, HttpVersion, Message,
    NtpControl, NtpPacket, QuicInitial, QuicVersion, Sender, ServerHello, SsdpMessage, Text, parsers,
};
use thingprint_sim::{CaptureReader, Simulation, SimulationOptions, unsafe_home};

/// Some flow that a device opened, and the devices of its trace; what is said in it is put in by tests.
fn any_flow() -> (Flow<Heard>, Vec<DeviceId>) {
    flow_that(|_| true)
}

/// The first such flow to which that applies.
fn flow_that(is_wanted: impl Fn(&Heard) -> bool) -> (Flow<Heard>, Vec<DeviceId>) {
    let options = SimulationOptions { duration_s: 60, ..SimulationOptions::default() };
    let open = move || {
        let simulation = Simulation::new(&unsafe_home().unwrap(), options).unwrap();
        Ok(Box::new(CaptureReader::new(simulation)) as _)
    };
    let mut trace = Trace::new(vec![Capture::new("the home", open)], TraceOptions::default());
    let engine = Engine::default();
    let mut flows = Vec::new();
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| flows.push(flow));
    let mut tracker = Tracker::new(FlowOptions::default(), detector);
    while let Some(packet) = trace.next_packet() {
        tracker.push(&packet);
    }
    let devices = tracker.finish().devices;
    let fits =
        |flow: &Flow<Heard>| flow.is_client && !flow.peer.addr.is_multicast() && is_wanted(&flow.state);
    (flows.into_iter().find(fits).unwrap(), devices)
}

/// What `bcp2026` says of a flow with these messages.
fn judge(messages: Vec<(Sender, Message)>) -> DeviceAudit {
    judge_by(Policy::built_in("bcp2026").unwrap(), true, messages)
}

/// What a policy says of a flow with these messages that the device opened, or its peer.
fn judge_by(policy: Policy, is_client: bool, messages: Vec<(Sender, Message)>) -> DeviceAudit {
    let (mut flow, devices) = any_flow();
    let heard = |(sender, message)| HeardMessage {
        time: Timestamp::from_seconds(7),
        sender,
        is_passed_on: false,
        message,
    };
    flow.state = Heard { messages: messages.into_iter().map(heard).collect(), ..Heard::default() };
    flow.is_client = is_client;
    let mut auditor = Auditor::new(policy);
    auditor.flow(&Engine::default(), &flow);
    auditor.finish(&devices, &BTreeMap::new()).devices.remove(0)
}

/// Rule, severity and value of each finding.
fn found(audit: &DeviceAudit) -> Vec<String> {
    let line = |finding: &thingprint_audit::Finding| {
        assert_eq!((finding.flows, finding.total), (1, 1));
        format!("{} {} {}", finding.rule, finding.severity, finding.seen)
    };
    audit.findings.iter().map(line).collect()
}

fn hello(version: HelloVersion, supported_versions: &[u16], cipher_suites: &[u32]) -> ClientHello {
    ClientHello {
        version,
        cipher_suites: cipher_suites.to_vec(),
        extensions: Vec::new(),
        server_name: Some("lamp.example".to_owned()),
        supported_versions: supported_versions.to_vec(),
        groups: Vec::new(),
        point_formats: Vec::new(),
        signature_algorithms: Vec::new(),
        alpn: vec![b"http/1.1".to_vec()],
        resumes: Vec::new(),
        is_malformed: false,
    }
}

fn server_hello(negotiated_version: u16, cipher_suite: u16, is_retry_request: bool) -> ServerHello {
    ServerHello {
        version: 0x0303,
        negotiated_version,
        cipher_suite,
        extensions: Vec::new(),
        is_retry_request,
        is_malformed: false,
    }
}

fn ntp(version: u8, mode: u8) -> Message {
    let mut bytes = [0; 48];
    bytes[0] = 4 << 3 | 4;
    bytes[1] = 2;
    bytes[24..].fill(1);
    let packet: NtpPacket = parsers::ntp(&bytes, bytes.len()).unwrap();
    Message::Ntp(NtpPacket { version, mode, ..packet })
}

fn ssdp(payload: &str) -> Message {
    let message: SsdpMessage = parsers::ssdp(payload.as_bytes(), 64).unwrap();
    Message::Ssdp(message)
}

const DEVICE: Sender = Sender::Device;
const PEER: Sender = Sender::Peer;

#[test]
fn old_versions_beside_a_new_one_are_seen() {
    let hello = hello(HelloVersion::Tls(0x0303), &[0x0304, 0x0303, 0x0301], &[0x1301, 0xeeee, 0x009e]);
    let audit = judge(vec![(DEVICE, Message::ClientHello(hello))]);
    let expected = [
        "TLS-001 error TLSv10 beside TLSv13",
        "TLS-003 error 0x009e TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 (secure, but with DHE keys)",
        "TLS-003 note 0xeeee (unregistered)",
    ];
    assert_eq!(found(&audit), expected);
}

#[test]
fn a_hello_in_the_form_of_ssl_2_is_judged_by_its_version_and_by_its_form() {
    let hello = hello(HelloVersion::Ssl2(0x0301), &[], &[0x01_0080, 0x00ff]);
    let audit = judge(vec![(DEVICE, Message::ClientHello(hello))]);
    let expected = [
        "TLS-001 error TLSv10",
        "TLS-001 error TLSv10 in a hello of SSLv2",
        "TLS-003 error 0x010080 of SSL 2.0 (insecure)",
    ];
    assert_eq!(found(&audit), expected);
}

#[test]
fn the_hellos_in_quic_are_judged_and_requests_to_try_again_are_not() {
    let initial = |client_hello: Option<ClientHello>, server_hello: Option<ServerHello>| {
        Message::QuicInitial(QuicInitial {
            version: QuicVersion::V1,
            server_name: Some("lamp.example".to_owned()),
            client_hello,
            server_hello,
        })
    };
    let offer = hello(HelloVersion::Tls(0x0303), &[0x0304], &[0x1301, 0x00c6]);
    let audit = judge(vec![
        (DEVICE, initial(Some(offer), None)),
        (PEER, initial(None, Some(server_hello(0x0304, 0x1301, false)))),
    ]);
    assert_eq!(found(&audit), ["TLS-003 note 0x00c6 TLS_SM4_GCM_SM3 (insecure)"]);
    let judged: Vec<&str> = audit.judged.keys().copied().collect();
    assert_eq!(judged, ["TLS-001", "TLS-002", "TLS-003", "TLS-004", "TLS-005", "TLS-006", "TLS-007"]);
    let audit = judge(vec![(PEER, Message::ServerHello(server_hello(0x0301, 0x0005, true)))]);
    assert_eq!(audit.judged.len(), 0);
}

#[test]
fn a_response_that_asks_for_a_password_is_seen_and_one_without_a_version_is_not() {
    let response = |version, asked_for: &[&str]| {
        Message::HttpResponse(HttpResponse {
            version,
            status: 401,
            phrase: Text::default(),
            server: None,
            authentication_types: asked_for.iter().map(|scheme| (*scheme).to_owned()).collect(),
        })
    };
    let version = Some(HttpVersion { major: 1, minor: 1 });
    let expected = ["HTTP-002 warning asks for Basic"];
    for asked_for in [&["Basic"][..], &["Digest", "Basic"], &["Basic", "Digest"]] {
        assert_eq!(found(&judge(vec![(PEER, response(version, asked_for))])), expected, "{asked_for:?}");
    }
    let audit = judge(vec![(PEER, response(version, &["Digest"])), (PEER, response(version, &["Basic"]))]);
    assert_eq!(found(&audit), expected);
    assert_eq!(judge(vec![(PEER, response(None, &[]))]).judged.len(), 0);
}

#[test]
fn every_scheme_that_a_request_sends_is_judged_and_none_can_be_called_like_our_own_words() {
    let said = |policy: &str, lines: &str| {
        let head = format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n");
        let parsers::Head::Complete { message, .. } = parsers::http(head.as_bytes()) else {
            panic!("a head")
        };
        found(&judge_by(Policy::built_in(policy).unwrap(), true, vec![(DEVICE, message)]))
    };
    let basic = ["HTTP-002 warning Basic"];
    assert_eq!(said("bcp2026", "Authorization: Digest a=b\r\nProxy-Authorization: Basic eA=="), basic);
    assert_eq!(said("bcp2026", "Authorization: Bearer x\r\nAuthorization: Basic eA=="), basic);
    assert_eq!(said("bcp2026", "Authorization: Digest a=b"), [""; 0]);
    for nothing in ["Host: a", "Authorization:"] {
        assert_eq!(said("strict", nothing), [""; 0], "{nothing}");
    }
    assert_eq!(said("strict", "Authorization: None eA=="), ["HTTP-002 error None"]);
    assert_eq!(said("strict", "Authorization: (none) eA=="), ["HTTP-002 error (no scheme)"]);
    assert_eq!(said("strict", "Authorization: eA=="), ["HTTP-002 error (no scheme)"]);
}

#[test]
fn modes_of_ntp_are_judged_and_version_1_knows_none() {
    let control = NtpControl { version: 2, mode: 6, is_response: false, opcode: 1 };
    let audit = judge(vec![(DEVICE, ntp(4, 5)), (PEER, Message::NtpControl(control))]);
    assert_eq!(found(&audit), ["NTP-003 warning mode 5 (broadcast)", "NTP-003 warning mode 6 (control)"]);
    let audit = judge(vec![(DEVICE, ntp(1, 0)), (PEER, ntp(1, 0))]);
    assert_eq!(found(&audit), ["NTP-001 warning version 1", "NTP-002 warning version 1"]);
    assert_eq!((audit.findings[0].by, audit.findings[1].by), (DEVICE, PEER));
}

#[test]
fn headers_of_ssdp_are_judged_as_sent_and_answers_have_no_reach() {
    let audit = judge(vec![
        (DEVICE, ssdp("M-SEARCH * HTTP/1.1\r\nMAN: ssdp:discover\r\nST: x\r\n\r\n")),
        (DEVICE, ssdp("m-search * HTTP/1.1\r\nST: x\r\n\r\n")),
        (PEER, ssdp("NOTIFY * HTTP/1.1\r\nNT: x\r\n\r\n")),
        (PEER, ssdp("HTTP/1.1 200 OK\r\nST: x\r\nUSN: y\r\n\r\n")),
    ]);
    let expected = ["SSDP-001 error none", "SSDP-002 error none", "SSDP-002 error ssdp:discover"];
    assert_eq!(found(&audit), expected);
    assert_eq!(audit.judged.get("SSDP-003"), None, "nothing here goes to a group");
}

#[test]
fn what_is_said_again_counts_once_and_too_many_values_are_counted_only() {
    let notify = |nts: String| (DEVICE, ssdp(&format!("NOTIFY * HTTP/1.1\r\nNTS: {nts}\r\n\r\n")));
    let audit = judge((0..3).map(|_| notify("x:y".to_owned())).collect());
    assert_eq!(found(&audit), ["SSDP-001 error x:y"]);
    let audit = judge((0..600).map(|number| notify(format!("x:{number}"))).collect());
    assert_eq!((audit.findings.len(), audit.dropped), (512, 88));
    assert!(audit.findings.iter().all(|finding| finding.is_lower_bound));
    let audit = judge(vec![notify("x".repeat(9000))]);
    assert_eq!(audit.findings[0].seen.chars().count(), 121);
}

#[test]
fn the_most_severe_is_kept_however_much_else_is_said() {
    let mut suites: Vec<u32> = (0x0b00..0x0b00 + 600).collect();
    suites.push(0x0005);
    let audit =
        judge(vec![(DEVICE, Message::ClientHello(hello(HelloVersion::Tls(0x0303), &[0x0304], &suites)))]);
    let first = &audit.findings[0];
    assert_eq!(
        (first.severity, first.seen.as_str()),
        (Severity::Error, "0x0005 TLS_RSA_WITH_RC4_128_SHA (insecure)")
    );
    assert_eq!((audit.findings.len(), audit.dropped), (512, 89));
    for finding in &audit.findings {
        let was_perhaps_left_out = finding.severity == Severity::Note;
        assert_eq!(finding.is_lower_bound, was_perhaps_left_out, "{}", finding.seen);
    }
}

#[test]
fn the_most_severe_is_kept_over_many_flows_and_the_devices_own_before_its_peers() {
    let (mut flow, devices) = any_flow();
    let mut auditor = Auditor::new(Policy::built_in("bcp2026").unwrap());
    let mut say = |sender, suites: Vec<u32>| {
        let message = Message::ClientHello(hello(HelloVersion::Tls(0x0303), &[0x0304], &suites));
        let heard = HeardMessage { time: Timestamp::from_seconds(7), sender, is_passed_on: false, message };
        flow.state = Heard { messages: vec![heard], ..Heard::default() };
        auditor.flow(&Engine::default(), &flow);
    };
    say(PEER, (0x0b00..0x0b00 + 512).collect());
    say(DEVICE, vec![0xeeee, 0xc027]);
    let audit = auditor.finish(&devices, &BTreeMap::new()).devices.remove(0);
    let own: Vec<&str> = audit
        .findings
        .iter()
        .filter(|finding| finding.by == DEVICE)
        .map(|finding| finding.seen.as_str())
        .collect();
    assert_eq!(own, ["0xc027 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 (weak)", "0xeeee (unregistered)"]);
    assert_eq!((audit.findings.len(), audit.dropped), (512, 2));
    for finding in &audit.findings {
        assert_eq!(
            finding.is_lower_bound,
            finding.by == PEER,
            "{}: two of the peer's gave way",
            finding.seen
        );
    }
}

#[test]
fn what_a_peer_asks_without_an_answer_is_no_fault_of_the_device() {
    let asks = || (PEER, Message::ClientHello(hello(HelloVersion::Tls(0x0301), &[], &[0x0005])));
    let answers = || (DEVICE, Message::ServerHello(server_hello(0x0301, 0x0005, false)));
    let severities = |is_client, messages| {
        let audit = judge_by(Policy::built_in("bcp2026").unwrap(), is_client, messages);
        audit.findings.iter().map(|finding| (finding.rule, finding.by, finding.severity)).collect::<Vec<_>>()
    };
    let (note, error) = (Severity::Note, Severity::Error);
    assert_eq!(severities(false, vec![asks()]), [("TLS-001", PEER, note), ("TLS-003", PEER, note)]);
    let answered = severities(false, vec![asks(), answers()]);
    assert_eq!(answered[1], ("TLS-002", DEVICE, error));
    assert!(answered.iter().all(|(_, _, severity)| *severity == error));
    // A server that the device turned to is its choice.
    let chosen = severities(true, vec![(PEER, Message::ServerHello(server_hello(0x0301, 0x1301, false)))]);
    assert_eq!(chosen, [("TLS-002", PEER, error)]);
}

#[test]
fn a_policy_can_say_how_grave_it_is_what_peers_ask_without_an_answer() {
    let policy = |unanswered: &str| {
        let text = format!(
            "name = 'own'\ndate = '2026-01-01'\ndescription = 'a test'\nunanswered = '{unanswered}'\n\
             [rules.TLS-001]\notherwise = 'error'\nreferences = ['ours']"
        );
        Policy::from_toml("own.toml", &text).unwrap()
    };
    let asks = || vec![(PEER, Message::ClientHello(hello(HelloVersion::Tls(0x0301), &[], &[0x0005])))];
    let check = |unanswered: &str, expected: &[Severity]| {
        let audit = judge_by(policy(unanswered), false, asks());
        let found: Vec<Severity> = audit.findings.iter().map(|finding| finding.severity).collect();
        assert_eq!(found, expected, "{unanswered}");
        assert_eq!(audit.judged.get("TLS-001"), Some(&1));
    };
    check("accept", &[]);
    check("warning", &[Severity::Warning]);
    check("error", &[Severity::Error]);
}

#[test]
fn drafts_of_tls_1_3_are_newer_than_tls_1_2_and_a_policy_can_name_them() {
    let drafts = || {
        vec![
            (DEVICE, Message::ClientHello(hello(HelloVersion::Tls(0x0303), &[0x7f17, 0xfb1a, 0x0303], &[]))),
            (PEER, Message::ServerHello(server_hello(0x7f17, 0x1301, false))),
        ]
    };
    let expected = ["TLS-001 note TLSv13-draft 0xfb1a", "TLS-002 note TLSv13-draft 0x7f17"];
    assert_eq!(found(&judge(drafts())), expected);
    assert_eq!(found(&judge_by(Policy::built_in("paper2024").unwrap(), true, drafts())), [""; 0]);
    let odd = hello(HelloVersion::Tls(0x0303), &[0x0304, 0x0100], &[]);
    assert_eq!(found(&judge(vec![(DEVICE, Message::ClientHello(odd))])), [""; 0]);
    let unknown = server_hello(0x0505, 0x1301, false);
    let audit = judge(vec![(PEER, Message::ServerHello(unknown))]);
    assert_eq!(found(&audit), ["TLS-002 note unknown version 0x0505"]);
}

#[test]
fn suites_of_drafts_are_graded_and_the_strict_policy_goes_by_the_registry() {
    let offer = |suites: &[u32]| {
        vec![(DEVICE, Message::ClientHello(hello(HelloVersion::Tls(0x0303), &[0x0304], suites)))]
    };
    let export = "TLS-003 error 0x0064 TLS_RSA_EXPORT1024_WITH_RC4_56_SHA (insecure)";
    assert_eq!(found(&judge(offer(&[0x0064, 0xc0ae, 0xc02f]))), [export]);
    let paper = judge_by(Policy::built_in("paper2024").unwrap(), true, offer(&[0x0064, 0xc0ae]));
    assert_eq!(found(&paper), [export]);
    let strict = judge_by(Policy::built_in("strict").unwrap(), true, offer(&[0xc0ae, 0xc02f, 0x1301]));
    let unlisted = "TLS-003 error 0xc0ae TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8 (recommended, not by IANA)";
    assert_eq!(found(&strict), [unlisted]);
    let discouraged = "TLS-003 error 0xc011 TLS_ECDHE_RSA_WITH_RC4_128_SHA (insecure, discouraged by IANA)";
    assert_eq!(found(&judge(offer(&[0xc011]))), [discouraged]);
}

#[test]
fn hop_limits_of_ipv6_have_a_measure_of_their_own() {
    let (mut flow, devices) = any_flow();
    let mut check = |group: &str, ttl: u8, expected: &[&str]| {
        flow.peer.addr = group.parse().unwrap();
        let search = "M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nST: x\r\n\r\n";
        let message = Message::Ssdp(parsers::ssdp(search.as_bytes(), ttl).unwrap());
        let heard =
            HeardMessage { time: Timestamp::from_seconds(7), sender: DEVICE, is_passed_on: false, message };
        flow.state = Heard { messages: vec![heard], ..Heard::default() };
        let mut auditor = Auditor::new(Policy::built_in("bcp2026").unwrap());
        auditor.flow(&Engine::default(), &flow);
        assert_eq!(found(&auditor.finish(&devices, &BTreeMap::new()).devices[0]), expected, "{group} {ttl}");
    };
    check("ff05::c", 10, &[]);
    check("ff05::c", 11, &["SSDP-003 warning IPv6 hop limit 11"]);
    check("239.255.255.250", 2, &[]);
    check("239.255.255.250", 4, &["SSDP-003 warning time to live 4"]);
    check("239.255.255.250", 10, &["SSDP-003 warning time to live 10"]);
}

#[test]
fn block_chaining_is_no_flaw_where_both_sides_encrypt_first() {
    let chosen = |suite, extensions: &[u16]| {
        let hello = ServerHello { extensions: extensions.to_vec(), ..server_hello(0x0303, suite, false) };
        found(&judge(vec![(PEER, Message::ServerHello(hello))]))
    };
    assert_eq!(chosen(0xc027, &[22]), [""; 0]);
    assert_eq!(
        chosen(0xc027, &[23]),
        ["TLS-004 warning 0xc027 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 (weak)"]
    );
    assert_eq!(chosen(0x002f, &[22]), ["TLS-004 error 0x002f TLS_RSA_WITH_AES_128_CBC_SHA (weak)"]);
}

#[test]
fn a_finding_cites_what_its_verdict_is_written_in() {
    let reference = |version: u16, is_client| {
        let hello = Message::ClientHello(hello(HelloVersion::Tls(version), &[], &[]));
        let sender = if is_client { DEVICE } else { PEER };
        let policy = Policy::built_in("bcp2026").unwrap();
        let audit = judge_by(policy, is_client, vec![(sender, hello)]);
        let [finding] = &audit.findings[..] else { panic!("one finding") };
        finding.reference.clone()
    };
    assert_eq!(reference(0x0303, true), "RFC 9325 §3.1.1", "nothing else asks for TLS 1.3");
    assert_eq!(reference(0x0301, true), "RFC 8996 §4; RFC 9325 §3.1.1");
    assert_eq!(reference(0x0302, true), "RFC 8996 §5; RFC 9325 §3.1.1");
    assert_eq!(
        reference(0x0301, false),
        reference(0x0301, true),
        "a note, as nobody answered, yet forbidden"
    );
}

/// Severity and reference of what is said of one suite that is offered in a hello of these versions.
fn said_of_offer(versions: &[u16], suite: u32) -> (Severity, String) {
    let (newest, beside) = versions.split_first().unwrap();
    let supported = if beside.is_empty() { &[][..] } else { versions };
    let offer = hello(HelloVersion::Tls(*newest.min(&0x0303)), supported, &[suite]);
    let audit = judge(vec![(DEVICE, Message::ClientHello(offer))]);
    let mut findings = audit.findings.into_iter().filter(|finding| finding.rule == "TLS-003");
    let finding = findings.next().unwrap();
    (finding.severity, finding.reference)
}

#[test]
fn a_suite_cites_the_section_that_speaks_against_it() {
    let check = |suite: u32, severity: Severity, reference: &str| {
        for versions in [&[0x0303][..], &[0x0304, 0x0303], &[0x0304, 0x0303, 0x0301]] {
            assert_eq!(said_of_offer(versions, suite), (severity, reference.to_owned()), "{suite:04x}");
        }
    };
    check(0x0005, Severity::Error, "RFC 9325 §4.1; RFC 9846 §E.5");
    check(0x002f, Severity::Error, "RFC 10015 §4");
    check(0x0033, Severity::Error, "RFC 10015 §3");
    check(0x009e, Severity::Error, "RFC 10015 §3");
    check(0x0031, Severity::Error, "RFC 10015 §2");
    check(0x00a6, Severity::Error, "RFC 10015 §2");
    check(0xc004, Severity::Warning, "RFC 9325 §4.1; RFC 10015 §2");
    check(0xc018, Severity::Warning, "RFC 10015 §2");
    check(0xc012, Severity::Warning, "RFC 9325 §4.1");
    check(0xc027, Severity::Warning, "RFC 9325 §4.2");
    check(0x0023, Severity::Warning, "RFC 9847 (TLS Cipher Suites Registry)");
    check(0xeeee, Severity::Note, "TLS Cipher Suites of IANA");
    let (severity, reference) = said_of_offer(&[0x0303], 0xc103);
    assert!(reference.starts_with("thingprint (own judgement: "), "{reference}");
    assert_eq!(severity, Severity::Note);
}

/// RFC 10015 speaks of TLS 1.2 alone: a hello of which nothing newer than TLS 1.1 can come is none of its business.
#[test]
fn suites_of_versions_before_tls_1_2_are_not_judged_by_what_is_written_of_tls_1_2() {
    let check = |suite: u32, severity: Severity, reference: &str| {
        for versions in [&[0x0300][..], &[0x0301], &[0x0302], &[0x0302, 0x0301]] {
            assert_eq!(said_of_offer(versions, suite), (severity, reference.to_owned()), "{suite:04x}");
        }
    };
    check(0x0004, Severity::Error, "RFC 9325 §4.1; RFC 9846 §E.5");
    check(0x002f, Severity::Warning, "RFC 9325 §4.1");
    check(0x0035, Severity::Warning, "RFC 9325 §4.1");
    check(0x0031, Severity::Warning, "RFC 9325 §4.1");
    check(0xc004, Severity::Warning, "RFC 9325 §4.1");
    check(0x0033, Severity::Warning, "RFC 9325 §4.2");
    let (severity, reference) = said_of_offer(&[0x0301], 0x0034);
    assert!(reference.starts_with("thingprint (own judgement: "), "{reference}");
    assert_eq!(severity, Severity::Warning);
    let offer = hello(HelloVersion::Tls(0x0301), &[], &[0x009e]);
    assert_eq!(found(&judge(vec![(DEVICE, Message::ClientHello(offer))])), ["TLS-001 error TLSv10"]);
}

#[test]
fn a_suite_that_is_chosen_is_judged_for_the_version_that_is_chosen() {
    let said = |version: u16| {
        let choice = Message::ServerHello(server_hello(version, 0x002f, false));
        let audit = judge(vec![(PEER, choice)]);
        let of_suite = audit.findings.into_iter().find(|finding| finding.rule == "TLS-004").unwrap();
        (of_suite.severity, of_suite.reference)
    };
    assert_eq!(said(0x0303), (Severity::Error, "RFC 10015 §4".to_owned()));
    assert_eq!(said(0x0301), (Severity::Warning, "RFC 9325 §4.1".to_owned()));
}

#[test]
fn a_mode_of_ntp_cites_what_speaks_against_it() {
    let reference = |message| judge(vec![(DEVICE, message)]).findings.remove(0).reference;
    let control = |mode| Message::NtpControl(NtpControl { version: 2, mode, is_response: false, opcode: 1 });
    assert_eq!(reference(ntp(4, 5)), "RFC 8633 §5.5");
    assert_eq!(reference(ntp(4, 1)), "RFC 8633 §5.6");
    assert_eq!(reference(control(6)), "RFC 8633 §3.4");
    assert!(reference(control(7)).starts_with("thingprint (own judgement: "));
}

#[test]
fn versions_of_http_that_cannot_be_are_worse_than_old_ones() {
    let check = |major, minor, expected: &[&str]| {
        let version = Some(HttpVersion { major, minor });
        let response = HttpResponse {
            version,
            status: 200,
            phrase: Text::default(),
            server: None,
            authentication_types: Vec::new(),
        };
        assert_eq!(found(&judge(vec![(PEER, Message::HttpResponse(response))])), expected);
    };
    check(1, 1, &[]);
    check(1, 0, &["HTTP-001 warning response of HTTP/1.0"]);
    check(0, 9, &["HTTP-001 warning response of HTTP/0.9"]);
    check(1, 2, &["HTTP-001 error response of HTTP/1.2"]);
}

#[test]
fn a_protocol_without_judgement_is_counted() {
    let engine = Engine::default();
    let (mut flow, devices) = flow_that(|heard| heard.services(&engine) == ["tls"]);
    let tls = flow.state.model;
    let client_hello = || HeardMessage {
        time: Timestamp::from_seconds(7),
        sender: Sender::Device,
        is_passed_on: false,
        message: Message::ClientHello(hello(HelloVersion::Tls(0x0303), &[], &[0xc02f])),
    };
    let mut auditor = Auditor::new(Policy::built_in("bcp2026").unwrap());
    for (messages, is_missing_syn, received) in
        [(vec![client_hello()], true, 1), (vec![], true, 1), (vec![], false, 0), (vec![], false, 1)]
    {
        flow.state = Heard { model: tls, messages, ..Heard::default() };
        flow.is_missing_syn = is_missing_syn;
        flow.down.packets = received;
        auditor.flow(&engine, &flow);
    }
    let audit = auditor.finish(&devices, &BTreeMap::new());
    let expected = Coverage { seen: 4, judged: 1, partly_read: 0, began_before: 1, one_way: 1, other: 1 };
    assert_eq!(audit.coverage(), SortedMap::from_iter([("tls", expected)]));
    let under = |share| audit.judged_under(share).count();
    assert_eq!((under(0.25), under(0.26), under(1.0)), (0, 1, 1));
    assert_eq!(
        expected.reasons(),
        "1 without the start of their connection, 1 one direction alone, not answered or not captured, 1 messages missing, cut short, encrypted or of no rule"
    );
}

/// Each flow counts once, whatever could be judged in it; without a judged flow, a device is neither clean nor not.
#[test]
fn a_device_without_a_judged_flow_is_not_judged_and_says_why() {
    let engine = Engine::default();
    let policy = || Policy::built_in("bcp2026").unwrap();
    let (flow, devices) = flow_that(|heard| heard.services(&engine) == ["tls"]);
    let nothing =
        Heard { model: None, outer: Default::default(), messages: Vec::new(), ..flow.state.clone() };
    let silent = Heard { messages: Vec::new(), ..flow.state.clone() };
    let check = |states: &[&Heard], expected: Judgement, words: Option<&str>| {
        let mut auditor = Auditor::new(policy());
        for state in states {
            auditor.flow(&engine, &Flow { state: (*state).clone(), ..flow.clone() });
        }
        let audit = auditor.finish(&devices, &BTreeMap::new());
        let [device] = &audit.devices[..] else { panic!("one device") };
        assert_eq!((device.judgement, device.judgement.flows()), (expected, device.flows));
        assert_eq!(device.unrecognised.seen, expected.unrecognised);
        assert_eq!(device.not_judged().as_deref(), words);
        assert_eq!(audit.not_judged().count(), usize::from(words.is_some()));
    };
    let none = Judgement::default();
    let words =
        "not judged: 2 of 3 flows have no recognised protocol, 1 has no message that a rule could judge";
    check(&[&nothing, &nothing, &silent], Judgement { unrecognised: 2, unjudged: 1, ..none }, Some(words));
    check(&[&nothing, &flow.state], Judgement { unrecognised: 1, judged: 1, ..none }, None);
    check(
        &[&nothing],
        Judgement { unrecognised: 1, ..none },
        Some("not judged: 1 of 1 flow has no recognised protocol"),
    );
    // A rule about no protocol found something: that is known, whatever the flow holds.
    let opened = Flow { is_client: false, is_missing_syn: false, state: nothing.clone(), ..flow.clone() };
    let mut auditor = Auditor::new(policy());
    auditor.flow(&engine, &opened);
    let audit = auditor.finish(&devices, &BTreeMap::new());
    assert_eq!(audit.devices[0].findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), ["WAN-001"]);
    assert_eq!((audit.devices[0].not_judged(), audit.not_judged().count()), (None, 0));
}
