//! What devices say, judged by best practice, as `audit` tells it.

mod coverage;
mod lost_messages;
mod outputs;
mod schema;
mod set_aside;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use roxmltree::{Document, ParsingOptions};
use serde_json::Value;

use crate::stage::Stage;

/// A stage with half an hour of the home where each device breaks a rule.
fn stage_with_unsafe_home() -> Stage {
    let stage = Stage::new();
    stage.ok("simulate --home unsafe --duration 30m -o home.pcap --labels labels.csv");
    stage
}

/// The devices of an audit by label, without gateways.
fn devices(audit: &Value) -> BTreeMap<&str, &Value> {
    let devices = audit["devices"].as_array().unwrap().iter().filter(|device| device["class"] == "device");
    devices.map(|device| (device["label"].as_str().unwrap(), device)).collect()
}

fn findings(device: &Value) -> &[Value] {
    device["findings"].as_array().unwrap()
}

/// Rule and severity of each finding.
fn verdict(device: &Value) -> Vec<(&str, &str)> {
    findings(device)
        .iter()
        .map(|finding| (finding["rule"].as_str().unwrap(), finding["severity"].as_str().unwrap()))
        .collect()
}

#[test]
fn each_device_of_the_unsafe_home_has_its_finding_in_the_agreed_form() {
    let stage = stage_with_unsafe_home();
    let said = stage.ok("audit home.pcap --labels labels.csv --format json");
    assert!(said.stderr.contains("policy bcp2026 of 2026-11-22, the default"), "{}", said.stderr);
    let audit = said.json();
    assert_eq!(audit["policy"], "bcp2026");
    let devices = devices(&audit);
    assert_eq!(devices.len(), 32);
    for (label, device) in &devices {
        assert!(device["device"].as_str().unwrap().starts_with("a8:40:7c:20:00:"), "{device}");
        for finding in findings(device) {
            for field in ["rule", "severity", "by", "seen", "expected", "reference"] {
                assert!(finding[field].as_str().is_some_and(|text| !text.is_empty()), "{label} {field}");
            }
            assert!(finding["flows"].as_u64().unwrap() <= finding["total"].as_u64().unwrap(), "{finding}");
        }
        let tells = |rule: &str| label.starts_with(&rule.to_lowercase());
        assert!(*label == "keeps-all" || verdict(device).iter().any(|(rule, _)| tells(rule)), "{label}");
    }
    assert_eq!(verdict(devices["keeps-all"]), []);
    assert_eq!(verdict(devices["http-002-basic"]), [("HTTP-002", "warning")]);
    let tls = &devices["tls-002-old-server"]["protocols"]["tls"];
    assert!(tls["standard"].as_u64() > Some(0) && tls["other"] == 0, "{tls}");
    let hosts = devices["keeps-all"]["fingerprint"]["dhcp.host_name"].as_array().unwrap();
    assert_eq!((&hosts[0]["value"], &hosts[0]["unique"]), (&"keeps-all".into(), &true.into()));
}

#[test]
fn every_format_has_the_same_findings() {
    let stage = stage_with_unsafe_home();
    let audit = stage.ok("audit home.pcap --labels labels.csv --format json").json();
    let all: usize = devices(&audit).values().map(|device| findings(device).len()).sum();
    let rows = stage.ok("audit home.pcap --labels labels.csv").json_lines();
    assert_eq!(rows.len(), all);
    let fields = ["device", "label", "policy", "rule", "title", "severity", "by", "seen", "reference"];
    assert!(rows.iter().all(|row| fields.iter().all(|field| row[field].is_string())), "{rows:?}");
    // A device that asks for an address by DHCP has none.
    let places = ["192.168.30.", "0.0.0.0:68"];
    let is_of_home = |end: &Value| places.iter().any(|place| end.as_str().unwrap().starts_with(place));
    assert!(rows.iter().all(|row| is_of_home(&row["first_client"]) || is_of_home(&row["first_server"])));
    let csv = stage.ok("audit home.pcap --format csv").stdout;
    assert_eq!(csv.lines().count(), all + 1);
    stage.ok("audit home.pcap -o findings.parquet");
    assert!(fs::read(stage.path("findings.parquet")).unwrap().starts_with(b"PAR1"));
    let sarif = stage.ok("audit home.pcap --labels labels.csv --format sarif").json();
    assert_eq!(
        (&sarif["version"], &sarif["runs"][0]["tool"]["driver"]["name"]),
        (&"2.1.0".into(), &"thingprint".into())
    );
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let listed = results.iter().map(|result| result["properties"]["findings"].as_array().unwrap().len());
    assert_eq!(listed.sum::<usize>(), all);
    let table = stage.ok("audit home.pcap --labels labels.csv --format table").stdout;
    assert!(table.starts_with("Devices, by policy bcp2026 of 2026-11-22\n"), "{table}");
    assert!(table.contains("Findings of tls-003-bad-offer (a8:40:7c:20:00:04)"));
    assert!(table.lines().nth(1).unwrap().contains("protocols"), "all of them in one column: {table}");
    stage.fails("flows home.pcap --format sarif", 2, &["only audit"]);
    stage.fails("audit home.pcap -o x.foo", 2, &["unknown extension 'foo'", "jsonl", "--format"]);
    stage.ok("audit home.pcap -o x.foo --format zeek");
    assert!(fs::read_to_string(stage.path("x.foo")).unwrap().starts_with("#separator \\x09\n"));
}

#[test]
fn scripts_learn_of_severe_findings_by_the_status() {
    let stage = stage_with_unsafe_home();
    let strict = stage.run("audit home.pcap --fail-on error --format json");
    assert_eq!(
        (strict.status, strict.json()["policy"].clone()),
        (3, "bcp2026".into()),
        "the result is written"
    );
    stage.ok("audit home.pcap");
    // A policy of one's own, with one rule that nothing breaks beyond a warning.
    let policy = "name = \"own\"\ndate = \"2026-01-01\"\ndescription = \"One rule.\"\n\
                  [rules.HTTP-001]\naccept = [\"1.1\"]\notherwise = \"warning\"\nreferences = [\"House rule 1\"]\n";
    fs::write(stage.path("own.toml"), policy).unwrap();
    assert_eq!(stage.run("audit home.pcap --policy own.toml --fail-on error").status, 0);
    let own = stage.run("audit home.pcap --policy own.toml --fail-on warning");
    assert_eq!((own.status, own.json_lines().len()), (3, 1));
    assert_eq!(own.json_lines()[0]["reference"], "House rule 1");
    stage.fails("audit home.pcap --policy lenient", 2, &["lenient", "bcp2026", "paper2024", "strict"]);
    fs::write(stage.path("bad.toml"), policy.replace("HTTP-001", "HTTP-999")).unwrap();
    stage.fails("audit home.pcap --policy bad.toml", 1, &["bad.toml", "HTTP-999"]);
    stage.fails("audit home.pcap --fail-on fatal", 2, &["fatal"]);
    let whole = fs::read(stage.path("home.pcap")).unwrap();
    fs::write(stage.path("cut.pcap"), &whole[..whole.len() - 7]).unwrap();
    assert_eq!(stage.run("audit cut.pcap").status, 4);
}

#[test]
fn the_page_is_well_formed_and_needs_nothing_beside_it() {
    let stage = stage_with_unsafe_home();
    stage.ok(
        "audit home.pcap --labels labels.csv --html a.html --cipher-plot a.svg --fingerprints-out f.json",
    );
    let html = fs::read_to_string(stage.path("a.html")).unwrap();
    let before_script = html.split("<script>").next().unwrap();
    let text = format!("{before_script}</body></html>");
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let page = Document::parse_with_options(&text, options).unwrap();
    for node in page.descendants() {
        let from_outside = ["src", "href"].into_iter().filter_map(|name| node.attribute(name));
        let is_link = node.has_tag_name("a");
        assert!(from_outside.into_iter().all(|to| to.starts_with('#') || is_link), "{node:?}");
        assert!(!["link", "img", "iframe"].contains(&node.tag_name().name()), "{node:?}");
    }
    for text in ["http-002-basic", "remediation", "RFC 9325", "weak", "a8:40:7c:20:00:0e"] {
        assert!(html.contains(text), "{text}");
    }
    assert_eq!(page.descendants().filter(|node| node.has_tag_name("figure")).count(), 2);
    let svg = fs::read_to_string(stage.path("a.svg")).unwrap();
    assert_eq!(Document::parse(&svg).unwrap().root_element().tag_name().name(), "svg");
    let again = stage.ok("audit home.pcap --labels labels.csv --format html").stdout;
    assert_eq!(again, html);
}

#[test]
fn the_rules_of_a_policy_are_listed_with_all_there_is_to_say_and_no_capture() {
    let stage = Stage::new();
    let listed = stage.ok("audit --rules --policy paper2024 --format json").json();
    assert_eq!((&listed["policy"], &listed["unanswered"]), (&"paper2024".into(), &"note".into()));
    let rules = listed["rules"].as_array().unwrap();
    assert_eq!(rules.last().unwrap()["rule"], "MUD-001");
    for rule in rules {
        for field in ["rule", "title", "checks", "why", "example", "operator", "remediation", "expected"] {
            assert!(rule[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {rule}");
        }
        if rule["expected"].as_str().unwrap().starts_with("anything:") {
            assert_eq!(rule["severity"], Value::Null, "{rule}");
        } else {
            assert!(rule[rule["severity"].as_str().unwrap()].is_string(), "what is so severe: {rule}");
        }
        assert!(!rule["reference"].as_array().unwrap().is_empty(), "{rule}");
    }
    let rows = stage.ok("audit --rules").json_lines();
    assert_eq!(
        (rows.len(), &rows[0]["policy"], &rows[0]["rule"]),
        (rules.len(), &"bcp2026".into(), &"CERT-001".into())
    );
    let csv = stage.ok("audit --rules --format csv").stdout;
    assert!(
        csv.starts_with("policy,rule,title,severity,checks,why,example,operator,remediation,expected,"),
        "{csv}"
    );
    let table = stage.ok("audit --rules --format table").stdout;
    for row in &rows {
        for field in ["rule", "title", "why", "example", "remediation", "reference"] {
            assert!(table.contains(row[field].as_str().unwrap()), "{field}: {table}");
        }
    }
    stage.fails("audit --rules home.pcap", 2, &["--rules"]);
    stage.fails("audit --rules --mud x.json", 2, &["--rules"]);
    stage.fails("audit --rules --format html", 2, &["unsupported format 'html'"]);
    stage.fails("audit --rules --policy lenient", 2, &["lenient"]);
    stage.fails("audit", 2, &["CAPTURE"]);
}

#[test]
fn who_asks_for_more_gets_the_rules_that_were_broken_in_words() {
    let stage = stage_with_unsafe_home();
    let short = stage.ok("audit home.pcap --format table").stdout;
    let long = stage.ok("audit home.pcap --format table -v").stdout;
    assert!(long.starts_with(&short) && !short.contains("remediation"), "{long}");
    let rules = stage.ok("audit --rules").json_lines().len();
    assert_eq!(long.matches("remediation").count(), rules - 1, "no profile was given");
    assert!(!long.contains("MUD-001"));
}

#[test]
fn a_profile_that_was_written_allows_what_it_was_written_from() {
    let stage = stage_with_unsafe_home();
    stage.ok("audit home.pcap --labels labels.csv --mud-out mud");
    let profile: Value =
        serde_json::from_slice(&fs::read(stage.path("mud/keeps-all.json")).unwrap()).unwrap();
    let mud = &profile["ietf-mud:mud"];
    assert_eq!(mud["mud-url"], "https://example.com/mud/keeps-all.json");
    assert!(
        mud["last-update"].as_str().unwrap().starts_with("2024-06-03T00:2"),
        "the time of the last packet: {mud}"
    );
    let audit = stage.ok("audit home.pcap --labels labels.csv --mud mud --format json").json();
    for (label, device) in devices(&audit) {
        assert!(device["mud"]["flows"].as_u64() > Some(0), "{label}: {device}");
        assert_eq!(
            (&device["mud"]["denied_flows"], &device["mud"]["unused"]),
            (&0.into(), &Value::Array(vec![]))
        );
        assert!(verdict(device).iter().all(|(rule, _)| *rule != "MUD-001"), "{label}");
    }
    stage.fails(
        "audit home.pcap --labels labels.csv --mud mud --mud-out mud",
        2,
        &["would replace an input"],
    );
    stage.ok("audit home.pcap --labels labels.csv --mud-out other --mud-url-base https://lab.example/x/");
    let other = fs::read_to_string(stage.path("other/keeps-all.json")).unwrap();
    assert!(other.contains("https://lab.example/x/keeps-all.json"));
}

#[test]
fn an_operator_says_who_serves_a_class_and_what_unanswered_flows_are_worth() {
    let stage = stage_with_unsafe_home();
    let profile = |folder: &str| fs::read_to_string(stage.path(folder).join("keeps-all.json")).unwrap();
    stage.ok("audit home.pcap --labels labels.csv --mud-out mud");
    assert!(profile("mud").contains("urn:ietf:params:mud:dns"));
    assert!(profile("mud").contains("https://github.com/thingprint/thingprint/mud/dhcp"));
    stage.ok(
        "audit home.pcap --labels labels.csv --mud-out given --mud-unanswered --controller dns=192.0.2.53 \
         --controller dhcp=192.0.2.67",
    );
    assert!(!profile("given").contains("urn:ietf:params:mud:dns") && !profile("given").contains("/mud/dhcp"));
    let audit = |controller: &str| {
        let command = format!(
            "audit home.pcap --labels labels.csv --mud keeps-all=mud/keeps-all.json --format json{controller}"
        );
        devices(&stage.ok(&command).json())["keeps-all"]["mud"].clone()
    };
    assert_eq!(audit("")["denied_flows"], 0);
    assert!(audit(" --controller dns=192.0.2.53")["denied_flows"].as_u64() > Some(0));
    stage.fails("audit home.pcap --mud-out m --controller lamp=192.0.2.1", 2, &["'lamp' is no class"]);
    stage.fails("audit home.pcap --controller dns=192.0.2.53", 2, &["--mud or --mud-out"]);
    stage.fails("audit home.pcap --mud-unanswered", 2, &["--mud-out"]);
}

#[test]
fn what_a_profile_does_not_allow_is_a_finding() {
    let stage = stage_with_unsafe_home();
    stage.ok("audit home.pcap --labels labels.csv --mud-out mud");
    let command = "audit home.pcap --labels labels.csv --mud keeps-all=mud/ntp-001-old-client.json";
    let audit = stage.run(&format!("{command} --format json --fail-on error"));
    let audit = audit.json();
    let device = devices(&audit)["keeps-all"];
    let found: Vec<&Value> = findings(device).iter().filter(|finding| finding["rule"] == "MUD-001").collect();
    assert!(found.len() >= 3, "{device}");
    assert!(found.iter().all(|finding| finding["severity"] == "warning" && finding["by"] == "device"));
    let seen: BTreeSet<&str> = found.iter().map(|finding| finding["seen"].as_str().unwrap()).collect();
    assert!(seen.iter().any(|seen| seen.contains("port 443: no entry for this")), "{seen:?}");
    assert!(!device["mud"]["unused"].as_array().unwrap().is_empty(), "{device}");
    assert_eq!(devices(&audit)["http-002-basic"]["mud"], Value::Null, "no profile was given");
    let sarif = stage.ok(&format!("{command} --format sarif")).json();
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let of_mud = results.iter().find(|result| result["ruleId"] == "MUD-001").unwrap();
    assert_eq!(rules[usize::try_from(of_mud["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], "MUD-001");
    stage.fails("audit home.pcap --mud mud/keeps-all.json", 2, &["whose profile", "LABEL="]);
    stage.fails("audit home.pcap --mud nobody=mud/keeps-all.json", 2, &["nobody"]);
    fs::write(stage.path("mud/broken.json"), "{}").unwrap();
    stage.fails("audit home.pcap --mud keeps-all=mud/broken.json", 1, &["mud/broken.json"]);
    stage.fails("audit home.pcap --mud-out m --mud-url-base http://x.example", 2, &["https://"]);
}

#[test]
fn a_device_is_known_again_by_what_it_showed() {
    let stage = stage_with_unsafe_home();
    stage.ok("audit home.pcap --labels labels.csv --fingerprints-out known.json");
    stage.ok("simulate --home unsafe --duration 20m --seed 2 -o later.pcap");
    let audit =
        stage.ok("audit later.pcap --labels labels.csv --fingerprints known.json --format json").json();
    for (label, device) in devices(&audit) {
        let like = &device["looks_like"];
        assert_eq!((&like["answer"], &like["names"][0]), (&"known".into(), &label.into()), "{like}");
        let best = &like["candidates"][0];
        assert!(best["score"].as_f64().unwrap() > 0.0 && best["evidence"][0]["shared_by"] == 1, "{best}");
        assert!(best["evidence"][0]["attribute"].is_string() && best["evidence"][0]["value"].is_string());
    }
    stage.fails(
        "audit later.pcap --fingerprints-out known.json",
        2,
        &["there already", "--fingerprints known.json"],
    );
    let before = fs::read(stage.path("known.json")).unwrap();
    let said = stage.ok("audit later.pcap --fingerprints known.json --fingerprints-out known.json");
    assert!(
        said.stderr.contains("64 devices, 32 of them new"),
        "without labels, by address: {}",
        said.stderr
    );
    assert_ne!(fs::read(stage.path("known.json")).unwrap(), before);
    stage.fails("audit home.pcap --fingerprints labels.csv", 1, &["labels.csv"]);
    stage.fails("audit home.pcap --html home.pcap", 2, &["would replace an input"]);
}

#[test]
fn what_cannot_be_read_twice_gives_the_same() {
    let stage = stage_with_unsafe_home();
    let arguments = "--labels labels.csv --format json --mud-out";
    let twice = stage.ok(&format!("audit home.pcap {arguments} a")).stdout;
    let once = stage.run_with_stdin(&format!("audit - {arguments} b"), "home.pcap");
    assert_eq!(once.stdout.replace("\"capture\": \"-\"", "\"capture\": \"home.pcap\""), twice);
}

/// A folder or file of captures beside the workspace, if it is there.
fn data(name: &str) -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let found = data.exists().then_some(data);
    if found.is_none() {
        skip(name);
    }
    found
}

/// Says that a test is skipped, past the harness, which hides what a passing test prints.
pub(crate) fn skip(missing: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "skipped {test}: no {missing} beside the checkout");
}

/// The verdicts of the protocol paper, by its own references.
#[test]
fn the_paper_s_devices_have_the_paper_s_verdicts() {
    let (Some(captures), Some(labels)) = (data("protoiot"), data("labels/protoiot.csv")) else { return };
    let stage = Stage::new();
    let (captures, labels) = (captures.display(), labels.display());
    let audit =
        stage.ok(&format!("audit {captures} --labels {labels} --policy paper2024 --format json")).json();
    let devices = devices(&audit);
    let seen = |label: &str, rule: &str| -> Vec<(&str, u64, u64)> {
        let of_rule = findings(devices[label]).iter().filter(|finding| finding["rule"] == rule);
        let number = |value: &Value| value.as_u64().unwrap();
        of_rule.map(|it| (it["seen"].as_str().unwrap(), number(&it["flows"]), number(&it["total"]))).collect()
    };
    let grades = |label: &str, rule: &str| -> Vec<String> {
        let grade = |(seen, ..): &(&str, u64, u64)| seen.rsplit_once(" (").unwrap().1.replace(')', "");
        seen(label, rule).iter().map(grade).collect()
    };
    assert_eq!(grades("LiFX Bulb", "TLS-003"), ["insecure", "weak", "weak"]);
    assert!(
        seen("LiFX Bulb", "TLS-001")[0].0 == "TLSv10"
            && seen("LiFX Bulb", "TLS-004")[0].0.starts_with("0x002f")
    );
    assert_eq!(seen("Ring Door Bell", "TLS-001"), []);
    assert!(seen("Ring Door Bell", "TLS-004")[0].0.starts_with("0xc027"));
    assert_eq!(seen("Ring Door Bell", "HTTP-002"), [("Basic", 3, 3)]);
    assert_eq!(seen("Ring Door Bell", "NTP-001"), [("version 3", 26, 26)]);
    assert_eq!(seen("Ring Door Bell", "NTP-004"), [("origin zero in a response", 26, 26)]);
    let monitor = devices["Withings Baby Monitor"];
    assert_eq!(verdict(monitor), []);
    let shown = |attribute: &str| monitor["fingerprint"][attribute].as_array().unwrap().len();
    assert_eq!((shown("http.method"), shown("http.user_agent")), (1, 1));
    assert_eq!(monitor["fingerprint"]["http.method"][0]["value"], "POST");
    assert!(seen("Awair Air Quality", "NTP-001").iter().all(|(seen, ..)| *seen == "version 3"));
    let asked: u64 = seen("Awair Air Quality", "NTP-001").iter().map(|(_, flows, _)| flows).sum();
    assert_eq!(asked, 190);
}

/// The published profiles are accepted, and go to the devices of their names.
#[test]
fn published_profiles_are_held_against_the_paper_s_devices() {
    let (Some(captures), Some(labels)) = (data("protoiot"), data("labels/protoiot.csv")) else { return };
    let Some(profiles) = data("reference/mud") else { return };
    let stage = Stage::new();
    let (captures, labels, profiles) = (captures.display(), labels.display(), profiles.display());
    let said = stage.ok(&format!("audit {captures} --labels {labels} --mud {profiles} --format json"));
    assert!(said.stderr.contains("5 of 10 MUD profiles are of devices"), "{}", said.stderr);
    let audit = said.json();
    // The captures are longer than those that the profiles were written from, and servers have moved.
    let shares = [
        ("Awair Air Quality", 15),
        ("LiFX Bulb", 18),
        ("Pixstar Photo Frame", 7),
        ("Ring Door Bell", 23),
        ("Withings Baby Monitor", 50),
    ];
    let devices = devices(&audit);
    assert_eq!(devices.len(), shares.len());
    for (label, expected) in shares {
        let count = |field: &str| devices[label]["mud"][field].as_u64().unwrap();
        let (flows, denied) = (count("flows"), count("denied_flows"));
        assert!((100 * denied / flows).abs_diff(expected) <= 2, "{label}: {denied} of {flows}");
    }
}
