//! The traffic of devices (§4): how much, how long, to whom, how often.
mod ciphers;
mod distributions;
mod sankey;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use thingprint_instance::{Attribute, BagName, EvidenceSet, Kind, Labeled};
use thingprint_table::{Cell, Column, Table};

use super::recipe_remark;
use super::trial::Bench;
use crate::definition::{Characterise, Checked, Method, WHOLE, ensure, is_any};
use crate::error::ExperimentError;
use crate::flows::FlowRecord;
use crate::outcome::{Outcome, Section};

/// The labelled traffic of a data set, by class.
pub(super) struct Traffic<'a> {
    pub(super) instances: BTreeMap<&'a str, Vec<&'a Labeled>>,
    pub(super) flows: BTreeMap<&'a str, Vec<&'a FlowRecord>>,
    /// The classes that figures are drawn of.
    pub(super) drawn: Vec<&'a str>,
    /// What was extracted.
    pub(super) evidence: EvidenceSet,
}

impl Method for Characterise {
    fn check(&self) -> Checked {
        ensure(
            (1..=12).contains(&self.most_classes) && (1..=100).contains(&self.most_words),
            "most_classes",
            "expected 1 to 12 classes and 1 to 100 words",
        )
    }

    fn classes(&self) -> Vec<&str> {
        let shares = self.shares.iter().map(|share| &share.class);
        shares.chain(&self.classes).map(String::as_str).collect()
    }

    fn needs_flows(&self) -> bool {
        true
    }

    fn scenarios(&self) -> Vec<String> {
        Vec::new()
    }

    fn has_metric(&self, scenario: &str, metric: &str) -> bool {
        let of_bag = |prefixes: [&str; 2]| {
            let name = |prefix: &str| metric.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
            prefixes.into_iter().filter_map(name).any(|bag| is_any(bag, BagName::all()))
        };
        if scenario == WHOLE {
            return ["instances", "classes"].contains(&metric) || of_bag(["iot", "non_iot"]);
        }
        let mut attributes =
            ["median_", "mode_", "mode_share_"].iter().filter_map(|name| metric.strip_prefix(name));
        let is_attribute = |name: &str| is_any(name, Attribute::all());
        let is_share = self.shares.iter().any(|share| share.class == scenario && share.metric() == metric);
        metric == "instances" || of_bag(["distinct", "empty"]) || attributes.any(is_attribute) || is_share
    }

    fn run(&self, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
        run(self, bench)
    }
}

fn run(analysis: &Characterise, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
    bench.step("characterisation");
    let rows = bench.own_rows()?;
    let recipe = bench.need(&bench.definition.extraction)?.recipe;
    let traffic = Traffic::of(rows, bench.material.flows, analysis, recipe.evidence());
    if traffic.instances.is_empty() {
        let problem = "no instance carries a label".to_owned();
        return Err(ExperimentError::Unfit { dataset: bench.material.dataset.to_owned(), problem });
    }
    let mut outcome = Outcome::default();
    outcome.remarks.push(recipe_remark(&recipe));
    let missing: Vec<&str> = analysis
        .classes
        .iter()
        .map(String::as_str)
        .filter(|class| !traffic.instances.contains_key(class))
        .collect();
    if !missing.is_empty() {
        outcome.remarks.push(format!("Not in this data set: {}.", missing.join(", ")));
    }
    if traffic.flows.is_empty() {
        outcome.remarks.push(
            "There are no single flows to look at: distributions of volume, duration, rate and sleep are those of hourly \
             means."
                .to_owned(),
        );
    }
    measure_totals(rows, traffic.evidence, &mut outcome);
    let overview = overview(&traffic, &mut outcome);
    outcome.sections.push(overview);
    let distributions = distributions::sections(&traffic, &analysis.shares, &mut outcome);
    outcome.sections.extend(distributions);
    outcome.sections.extend(traffic.evidence.bags().map(|bag| match bag {
        BagName::CIPHER_SUITES => ciphers::section(&traffic),
        bag => words::section(&traffic, bag, analysis.most_words),
    }));
    outcome.sections.extend(sankey::sections(&traffic));
    Ok(outcome)
}

impl<'a> Traffic<'a> {
    fn of(
        rows: &'a [Labeled],
        flows: &'a [FlowRecord],
        analysis: &Characterise,
        evidence: EvidenceSet,
    ) -> Self {
        let (instances, flows_of) = (BTreeMap::new(), BTreeMap::new());
        let mut traffic = Self { instances, flows: flows_of, drawn: Vec::new(), evidence };
        for row in rows {
            if let Some(label) = &row.label {
                traffic.instances.entry(&label.class).or_default().push(row);
            }
        }
        for flow in flows {
            traffic.flows.entry(&flow.class).or_default().push(flow);
        }
        traffic.drawn = traffic.to_draw(analysis);
        traffic
    }

    /// The classes that are asked for, then those with most instances; of equals, the first by name.
    fn to_draw(&self, analysis: &Characterise) -> Vec<&'a str> {
        let asked = analysis.classes.iter();
        let asked = asked.filter_map(|class| Some(*self.instances.get_key_value(class.as_str())?.0));
        let mut drawn: Vec<&str> = asked.collect();
        let mut others: Vec<&str> =
            self.instances.keys().copied().filter(|class| !drawn.contains(class)).collect();
        others.sort_by_key(|class| std::cmp::Reverse(self.instances.get(class).map_or(0, Vec::len)));
        drawn.extend(others);
        drawn.truncate(analysis.most_classes);
        drawn
    }
}

/// Occurrences of each word in the instances of a class.
pub(super) fn words_of<'a>(rows: &[&'a Labeled], bag: BagName) -> BTreeMap<&'a str, u64> {
    let mut words: BTreeMap<&str, u64> = BTreeMap::new();
    for (word, count) in rows.iter().filter_map(|row| row.instance.bags.get(bag)).flatten() {
        *words.entry(word).or_default() += count;
    }
    words
}

/// The size of the data set as the paper counts it (§5.1, §5.2).
fn measure_totals(rows: &[Labeled], evidence: EvidenceSet, outcome: &mut Outcome) {
    let labelled = || rows.iter().filter_map(|row| Some((&row.instance, row.label.as_ref()?)));
    let classes: BTreeSet<&str> = labelled().map(|(_, label)| label.class.as_str()).collect();
    let mut put = |metric: &str, count: usize| outcome.metrics.insert("all", metric, &[count as f64]);
    put("instances", labelled().count());
    put("classes", classes.len());
    for bag in evidence.bags() {
        for (kind, name) in [(Kind::Iot, "iot"), (Kind::NonIot, "non_iot")] {
            let of_kind = labelled().filter(|(_, label)| label.kind == kind);
            let bags = of_kind.filter_map(|(instance, _)| instance.bags.get(bag));
            let words: BTreeSet<&str> = bags.flat_map(|bag| bag.keys().map(String::as_str)).collect();
            put(&format!("{name}_{bag}"), words.len());
        }
    }
}

fn overview(traffic: &Traffic<'_>, outcome: &mut Outcome) -> Section {
    let bags: Vec<BagName> = traffic.evidence.bags().collect();
    let head = [Column::texts("class"), Column::count("devices"), Column::count("instances")].into_iter();
    let distinct = bags.iter().map(|bag| Column::count(format!("distinct {}", bag.words())));
    let empty = bags.iter().map(|bag| Column::percent(format!("hours without {}", bag.words()), 1));
    let mut table = Table::new(head.chain(distinct).chain(empty));
    for (class, rows) in &traffic.instances {
        let devices: BTreeSet<_> = rows.iter().map(|row| row.instance.device).collect();
        let distinct: Vec<usize> = bags.iter().map(|bag| words_of(rows, *bag).len()).collect();
        let empty: Vec<f64> = bags.iter().map(|bag| share_without(rows, *bag)).collect();
        for ((bag, distinct), empty) in bags.iter().zip(&distinct).zip(&empty) {
            outcome.metrics.insert(class, &format!("distinct_{bag}"), &[*distinct as f64]);
            outcome.metrics.insert(class, &format!("empty_{bag}"), &[*empty]);
        }
        outcome.metrics.insert(class, "instances", &[rows.len() as f64]);
        let head = [Cell::from(*class), Cell::from(devices.len()), Cell::from(rows.len())].into_iter();
        let distinct = distinct.into_iter().map(Cell::from);
        table.add(head.chain(distinct).chain(empty.into_iter().map(Cell::from)));
    }
    Section {
        name: "classes".to_owned(),
        heading: "Classes".to_owned(),
        prose: "All labelled instances; figures below show a choice of the classes.".to_owned(),
        table,
        chart: None,
    }
}

/// The share of instances without a word in a bag.
fn share_without(rows: &[&Labeled], bag: BagName) -> f64 {
    let is_empty = |row: &&&Labeled| row.instance.bags.get(bag).is_none_or(BTreeMap::is_empty);
    rows.iter().filter(is_empty).count() as f64 / rows.len() as f64
}
