//! From bytes to findings: the simulated home where every device breaks a rule.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};

use thingprint_audit::{Audit, Auditor, DeviceAudit, Finding, Policy, Severity};
use thingprint_flow::{Capture, DeviceId, Flow, FlowOptions, Trace, TraceOptions, Tracker, WindowLength};
use thingprint_protocol::{Detector, Engine, Heard, Sender};
use thingprint_sim::{CaptureReader, Simulation, SimulationOptions, unsafe_home};

const DEVICE: Sender = Sender::Device;
const PEER: Sender = Sender::Peer;

/// Half an hour of the home, judged by a policy.
fn audit(policy: &str) -> Audit {
    let home = unsafe_home().unwrap();
    let options = SimulationOptions { duration_s: 1800, ..SimulationOptions::default() };
    let labels = home.labels().into_iter().map(|unit| (unit.mac.parse::<DeviceId>().unwrap(), unit.label));
    let labels: BTreeMap<DeviceId, String> = labels.collect();
    let gateways = BTreeSet::from([home.network.gateway.to_string().parse().unwrap()]);
    let open = move || Ok(Box::new(CaptureReader::new(Simulation::new(&home, options).unwrap())) as _);
    let mut trace = Trace::new(vec![Capture::new("the home", open)], TraceOptions::default());
    let engine = Engine::default();
    let mut auditor = Auditor::new(Policy::built_in(policy).unwrap());
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| auditor.flow(&engine, &flow));
    let options = FlowOptions { window: WindowLength::Capture, gateways, ..FlowOptions::default() };
    let mut tracker = Tracker::new(options, detector);
    while let Some(packet) = trace.next_packet() {
        tracker.push(&packet);
    }
    assert_eq!(trace.problems().len(), 0);
    let devices = tracker.finish().devices;
    auditor.finish(&devices, &labels)
}

fn device<'a>(audit: &'a Audit, label: &str) -> &'a DeviceAudit {
    audit.devices.iter().find(|device| device.label.as_deref() == Some(label)).unwrap()
}

/// Compares the findings of a device, and in how many flows they are.
fn check(audit: &Audit, label: &str, expected: &[(&str, Severity, Sender, &str)]) {
    let findings = &device(audit, label).findings;
    let found: Vec<_> = findings
        .iter()
        .map(|finding| (finding.rule, finding.severity, finding.by, finding.seen.as_str()))
        .collect();
    assert_eq!(found, expected, "{label}");
    // What earlier flows make a fault of comes with the second of them, or later.
    let is_of_several = |rule: &str| ["PEER-001", "TLS-007"].contains(&rule);
    let is_in_all = |finding: &Finding| finding.flows == finding.total || is_of_several(finding.rule);
    // A device gives its name once in a while.
    let is_often = |finding: &Finding| finding.flows >= 3 || finding.rule == "NAME-001";
    assert!(findings.iter().all(|finding| is_in_all(finding) && is_often(finding)), "{label}");
}

#[test]
fn every_device_has_the_findings_that_it_was_made_for() {
    use Severity::{Error, Note, Warning};
    let audit = audit("bcp2026");
    let check = |label, expected: &[_]| check(&audit, label, expected);
    check("keeps-all", &[]);
    check("http-001-old-version", &[("HTTP-001", Warning, DEVICE, "request of HTTP/1.0")]);
    check("http-002-basic", &[("HTTP-002", Warning, DEVICE, "Basic")]);
    check("ntp-001-old-client", &[("NTP-001", Warning, DEVICE, "version 3")]);
    check("ntp-002-old-server", &[("NTP-002", Note, PEER, "version 3")]);
    check(
        "ntp-003-peer",
        &[
            ("NTP-003", Warning, DEVICE, "mode 1 (symmetric active)"),
            ("NTP-003", Warning, PEER, "mode 2 (symmetric passive)"),
        ],
    );
    check("ntp-004-zero-origin", &[("NTP-004", Warning, PEER, "origin zero in a response")]);
    check("ssdp-001-nts", &[("SSDP-001", Error, DEVICE, "ssdp:resume")]);
    check("ssdp-002-man", &[("SSDP-002", Error, DEVICE, "\"ssdp:find\"")]);
    check("ssdp-003-ttl", &[("SSDP-003", Warning, DEVICE, "time to live 64")]);
    check("tls-001-old-hello", &[("TLS-001", Error, DEVICE, "TLSv10"), ("TLS-002", Error, PEER, "TLSv10")]);
    check("tls-002-old-server", &[("TLS-002", Error, PEER, "TLSv11")]);
    check(
        "tls-003-bad-offer",
        &[
            ("TLS-003", Error, DEVICE, "0x0005 TLS_RSA_WITH_RC4_128_SHA (insecure)"),
            ("TLS-003", Warning, DEVICE, "0xc027 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 (weak)"),
        ],
    );
    check(
        "tls-004-bad-choice",
        &[
            ("TLS-003", Error, DEVICE, "0x003c TLS_RSA_WITH_AES_128_CBC_SHA256 (weak)"),
            ("TLS-004", Error, PEER, "0x003c TLS_RSA_WITH_AES_128_CBC_SHA256 (weak)"),
        ],
    );
    check("cert-001-expired", &[("CERT-001", Error, PEER, "expired: CN=cloud.cert-001-expired.example")]);
    check(
        "cert-002-self-signed",
        &[("CERT-002", Warning, PEER, "self-signed: CN=cloud.cert-002-self-signed.example")],
    );
    let other = "other-name: CN=somebody-else.example for cloud.cert-003-other-name.example";
    check("cert-003-other-name", &[("CERT-003", Error, PEER, other)]);
    check(
        "cert-004-sha1",
        &[("CERT-004", Error, PEER, "sha1WithRSAEncryption: CN=cloud.cert-004-sha1.example")],
    );
    check(
        "cert-005-short-key",
        &[("CERT-005", Error, PEER, "RSA 1024 bits: CN=cloud.cert-005-short-key.example")],
    );
    assert_eq!(audit.devices.len(), 32);
}

#[test]
fn services_names_and_peers_are_judged_as_they_were_made_for() {
    use Severity::{Error, Note, Warning};
    let audit = audit("bcp2026");
    let check = |label, expected: &[_]| check(&audit, label, expected);
    check("clear-001-telnet", &[("CLEAR-001", Error, DEVICE, "telnet to a server, port 23")]);
    check("clear-001-snmp", &[("CLEAR-001", Warning, DEVICE, "snmp to a server, port 161")]);
    check("clear-001-tftp", &[("CLEAR-001", Error, DEVICE, "tftp to a server, port 69")]);
    check("clear-001-smb1", &[("CLEAR-001", Error, DEVICE, "smb1 to a server, port 445")]);
    check("http-003-form", &[("HTTP-003", Warning, DEVICE, "POST /login with the field password")]);
    check("name-001-default", &[("NAME-001", Note, DEVICE, "host name ESP_20001F")]);
    check("peer-001-relays", &[("PEER-001", Note, DEVICE, "more than 16 peers by UDP within a day")]);
    check("tls-006-no-protocol", &[("TLS-006", Note, DEVICE, "no application protocol")]);
    check("tls-007-one-ticket", &[("TLS-007", Warning, DEVICE, "one pre-shared key in several connections")]);
    check("dns-001-outside", &[("DNS-001", Note, DEVICE, "outside: 198.51.100.53")]);
    check("tls-005-no-name", &[("TLS-005", Note, DEVICE, "no server name")]);
    check("upnp-001-mapping", &[("UPNP-001", Warning, DEVICE, "POST /ctl/IPConn")]);
    check("wan-001-open", &[("WAN-001", Error, DEVICE, "opened from outside, port 8080")]);
}

#[test]
fn what_every_rule_could_judge_is_counted() {
    let audit = audit("bcp2026");
    let keeps_all = device(&audit, "keeps-all");
    let rules: Vec<&str> = keeps_all.judged.keys().copied().collect();
    assert_eq!(rules, thingprint_audit::Rule::all().iter().map(|rule| rule.id).collect::<Vec<_>>());
    for protocol in ["tls", "http", "ntp", "ssdp", "dns", "dhcp"] {
        let counts = keeps_all.protocols.get(protocol).unwrap();
        assert!(counts.standard > 0 && counts.other == 0, "{protocol}: {counts:?}");
    }
    assert_eq!(keeps_all.dropped, 0);
    assert_eq!(keeps_all.flows, keeps_all.protocols.values().map(|counts| counts.standard).sum::<u64>());
}

#[test]
fn policies_differ_in_what_they_accept() {
    let severities = |policy: &str| {
        let audit = audit(policy);
        let of = |severity| audit.at_or_over(severity).count() - audit.at_or_over(Severity::Error).count();
        (audit.has_at_or_over(Severity::Error), of(Severity::Warning), audit.has_at_or_over(Severity::Note))
    };
    assert_eq!(severities("paper2024"), (true, 0, true));
    assert!(severities("bcp2026").0);
    assert!(severities("bcp2026").1 > 5);
    let strict = audit("strict");
    let keeps_all = device(&strict, "keeps-all");
    let found: Vec<_> = keeps_all.findings.iter().map(|finding| (finding.rule, finding.severity)).collect();
    assert_eq!(
        found,
        [("SSDP-003", Severity::Note), ("TLS-002", Severity::Error)],
        "what UPnP itself asks for is not the best, nor is the TLS 1.2 of which certificates can be read"
    );
}

#[test]
fn the_example_is_the_first_flow_with_it() {
    let audit = audit("bcp2026");
    let [finding] = &device(&audit, "http-002-basic").findings[..] else { panic!("one finding") };
    assert_eq!((finding.example.protocol, finding.example.server.port()), (6, 80));
    assert_eq!(finding.example.client.ip().to_string(), "192.168.30.27");
    let since_start_s =
        finding.example.time.as_nanos() / 1_000_000_000 - SimulationOptions::default().start_s;
    assert!((5..100).contains(&since_start_s), "{since_start_s}");
    assert_eq!(
        (finding.expected.as_str(), finding.reference.as_str()),
        ("any scheme but Basic, sent or asked for", "RFC 7617 §4")
    );
}

#[test]
fn the_json_is_the_one_that_was_agreed_on() {
    let audit = serde_json::to_value(audit("bcp2026")).unwrap();
    assert_eq!(audit["policy"], "bcp2026");
    let devices = audit["devices"].as_array().unwrap();
    let device = devices.iter().find(|device| device["label"] == "tls-002-old-server").unwrap();
    assert_eq!(device["device"].as_str().map(str::len), Some("a8:40:7c:20:00:00".len()));
    assert_eq!(device["protocols"]["tls"]["other"], 0);
    assert!(device["protocols"]["tls"]["standard"].as_u64() > Some(0));
    let finding = &device["findings"][0];
    for (field, expected) in [
        ("rule", "TLS-002"),
        ("severity", "error"),
        ("by", "peer"),
        ("seen", "TLSv11"),
        ("expected", "TLSv12, TLSv13"),
    ] {
        assert_eq!(finding[field], expected, "{field}");
    }
    assert_eq!(finding["flows"], finding["total"]);
    assert!(finding["reference"].as_str().unwrap().contains("RFC 8996"));
    let time = finding["example"]["time"].as_str().unwrap();
    assert!(
        time.starts_with("2024-06-03T00:")
            && time.ends_with('Z')
            && finding["example"]["protocol"] == "tcp"
            && finding["example"]["server"].is_string()
    );
    assert_eq!(finding.get("grade"), None);
    let device = devices.iter().find(|device| device["label"] == "tls-003-bad-offer").unwrap();
    let finding = &device["findings"][0];
    let of_suite = ["cipher_suite", "grade", "recommended"].map(|field| finding[field].as_str());
    assert_eq!(of_suite, [Some("0x0005"), Some("insecure"), Some("N")]);
}
