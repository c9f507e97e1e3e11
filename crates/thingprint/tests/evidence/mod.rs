//! Which bags and numbers are extracted, learned from and needed.

use std::fs;

use thingprint_instance::{Attribute, BagName, EvidenceSet};

use crate::stage::Stage;

fn header(stage: &Stage, file: &str) -> String {
    let text = fs::read_to_string(stage.path(file)).unwrap();
    text.lines().next().unwrap().to_owned()
}

#[test]
fn columns_are_what_was_chosen() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap -o plain.csv");
    stage.ok("extract home.pcap --evidence all -o all.csv");
    assert_eq!(fs::read(stage.path("plain.csv")).unwrap(), fs::read(stage.path("all.csv")).unwrap());
    stage.ok("extract home.pcap --evidence domains,sleep_time_s -o few.csv");
    let few = header(&stage, "few.csv");
    assert!(few.contains(",kind,family,sleep_time_s,domains,flows,"), "{few}");
    assert!(few.contains(",sleep_time_s_max,capture,extraction"), "{few}");
    assert!(fs::read_to_string(stage.path("few.csv")).unwrap().contains(",default semantics="));
    stage.fails("extract home.pcap --evidence telepathy", 2, &["unknown evidence 'telepathy'", "paper, all"]);
    let help = stage.ok("extract --help").stdout;
    assert!(help.contains("domains: Names in the DNS queries"), "{help}");
}

/// A model takes instances with more evidence than it needs, and refuses those with less by name.
#[test]
fn a_model_needs_the_evidence_that_it_looks_at() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv --evidence all -o all.parquet");
    stage.ok("extract home.pcap --labels labels.csv --evidence paper -o paper.csv");
    stage.ok("extract home.pcap --labels labels.csv --evidence ports,flow_rate_bps -o few.csv");
    stage.ok("train few.csv --recipe paper --evidence ports,flow_rate_bps -o few.model");
    let of_few = stage.ok("classify --model few.model few.csv --format csv").stdout;
    for file in ["all.parquet", "paper.csv", "home.pcap"] {
        let answers =
            stage.ok(&format!("classify --model few.model {file} --labels labels.csv --format csv"));
        assert_eq!(answers.stdout, of_few, "{file}");
    }
    stage.ok("train all.parquet few.csv --recipe paper --scenario ports -o ports.model");
    stage.ok("train paper.csv --recipe paper -o paper.model");
    let lacking = ["few.csv", "domains,cipher_suites"];
    stage.fails("classify --model paper.model few.csv", 5, &lacking);
    stage.fails("evaluate --model paper.model few.csv", 5, &lacking);
    stage.fails("train few.csv --recipe paper -o x.model", 5, &lacking);
    let said = stage.ok("train few.csv -o best.model");
    assert!(said.stderr.contains("the instances lack domains,cipher_suites"), "{}", said.stderr);
    stage.fails("classify --model few.model home.pcap --evidence domains", 5, &["flow_rate_bps,ports"]);
    stage.ok("classify --model few.model home.pcap --evidence all");
}

#[test]
fn unknown_columns_are_counted_and_skipped() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv -o plain.csv");
    let plain = fs::read_to_string(stage.path("plain.csv")).unwrap();
    let wider: String = plain.lines().flat_map(|line| ["mine,", line, "\n"]).collect();
    fs::write(stage.path("wider.csv"), wider).unwrap();
    let said = stage.ok("evaluate wider.csv --format json");
    assert!(said.stderr.contains("wider.csv: skipped 1 unknown column: mine"), "{}", said.stderr);
    assert_eq!(said.stdout, stage.ok("evaluate plain.csv --format json").stdout);
}

/// Whatever is in the registry goes from captures to explanations.
#[test]
fn all_evidence_is_learned_from_and_explained() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv --evidence all -o all.csv");
    let columns = header(&stage, "all.csv");
    for name in EvidenceSet::all().names() {
        assert!(columns.split(',').any(|column| column == name), "{name}");
    }
    stage.ok("train all.csv --evidence all -o all.model");
    let answers = stage.ok("classify --model all.model home.pcap --per window --format csv").stdout;
    let explained = stage.ok("classify --model all.model home.pcap --explain --format csv").stdout;
    for bag in BagName::all() {
        assert!(answers.contains(&format!("{bag}_class,{bag}_confidence")), "{bag}");
        assert!(explained.contains(&format!(",stage-1,{bag}_class,")), "{bag}");
    }
    for number in Attribute::all() {
        assert!(explained.contains(&format!(",stage-1,{number},")), "{number}");
    }
}
