use thingprint_protocol::{Interest, Protocol, Sender};

use super::*;
use crate::InstanceOptions;

#[test]
fn evidence_has_the_name_of_its_file() {
    assert_eq!(Attribute::all().map(Attribute::name).collect::<Vec<_>>(), numbers::MODULES);
    assert_eq!(BagName::all().map(BagName::name).collect::<Vec<_>>(), bags::MODULES);
    let names: std::collections::BTreeSet<&str> = EvidenceSet::all().names().collect();
    assert_eq!(names.len(), numbers::MODULES.len() + bags::MODULES.len(), "each name once");
    assert!(numbers::MODULES.len() <= 32 && bags::MODULES.len() <= 32, "a set has 32 bits for each kind");
}

#[test]
fn evidence_is_described() {
    let is_sentence = |text: &str| {
        text.ends_with('.') && !text.contains("..") && text.chars().next().is_some_and(char::is_uppercase)
    };
    for about in Attribute::all().map(Attribute::about).chain(BagName::all().map(BagName::about)) {
        assert!(is_sentence(about), "{about}");
    }
}

#[test]
fn the_papers_set_is_what_the_paper_lists() {
    let paper = EvidenceSet::paper();
    assert_eq!(
        paper.to_string(),
        "flow_volume_bytes,flow_duration_s,flow_rate_bps,sleep_time_s,dns_interval_s,ntp_interval_s,ports,domains,\
         cipher_suites"
    );
    let cost = |cost| paper.only(|number| number.cost() == Some(cost), |bag| bag.cost() == Some(cost));
    assert_eq!(cost(CollectionCost::Low).to_string(), "flow_volume_bytes,flow_duration_s,flow_rate_bps");
    assert_eq!(cost(CollectionCost::Medium).to_string(), "sleep_time_s,dns_interval_s,ntp_interval_s,ports");
    assert_eq!(cost(CollectionCost::High).to_string(), "domains,cipher_suites");
    assert_eq!(InstanceOptions::default().evidence, paper);
}

#[test]
fn sets_are_read_from_names() {
    let check = |text: &str, expected: &str| {
        assert_eq!(text.parse::<EvidenceSet>().unwrap().to_string(), expected);
    };
    check("cipher_suites,ports", "ports,cipher_suites");
    check("ports,ports", "ports");
    check("none", "none");
    check("paper,ports", &EvidenceSet::paper().to_string());
    check("all", &EvidenceSet::all().to_string());
    for text in ["", "ports,", "Ports", "ports;domains"] {
        assert!(text.parse::<EvidenceSet>().is_err(), "{text}");
    }
    let error = "ports,tea".parse::<EvidenceSet>().unwrap_err().to_string();
    assert!(error.starts_with("unknown evidence 'tea': expected paper, all, flow_volume_bytes, "), "{error}");
}

#[test]
fn places_count_the_bags_of_the_set_alone() {
    let set = EvidenceSet::from(BagName::PORTS).with(BagName::CIPHER_SUITES.into());
    assert_eq!((set.index_of_bag(BagName::PORTS), set.index_of_bag(BagName::CIPHER_SUITES)), (0, 1));
    assert_eq!(set.without(BagName::PORTS.into()), BagName::CIPHER_SUITES.into());
    assert_eq!(set.within(EvidenceSet::paper()), set);
}

#[test]
fn only_messages_that_the_evidence_needs_are_wanted() {
    let check = |evidence: &str, protocols: &[Protocol]| {
        let expected = protocols
            .iter()
            .fold(Interest::NONE, |interest, protocol| interest.and(*protocol, Sender::Device));
        assert_eq!(
            EvidencePlan::of(InstanceOptions {
                evidence: evidence.parse().unwrap(),
                ..InstanceOptions::default()
            })
            .interest(),
            expected,
            "{evidence}"
        );
    };
    check("ports,sleep_time_s", &[]);
    check("ntp_interval_s", &[Protocol::Ntp]);
    check("cipher_suites,ntp_interval_s", &[Protocol::Ntp, Protocol::Tls]);
    check("paper", &[Protocol::Dns, Protocol::Ntp, Protocol::Tls]);
}
