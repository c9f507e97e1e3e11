//! The traffic of devices (§4): how much, how long, to whom, how often.
mod ciphers;
mod distributions;
mod sankey;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use thingprint_instance::{Bag, Kind, Labeled};
use thingprint_model::BagName;

use super::recipe_remark;
use super::trial::Bench;
use crate::definition::Characterise;
use crate::error::ExperimentError;
use crate::flows::FlowRecord;
use crate::outcome::{Outcome, Section, Table, Value};

/// The labelled traffic of a data set, by class.
pub(super) struct Traffic<'a> {
    pub(super) instances: BTreeMap<&'a str, Vec<&'a Labeled>>,
    pub(super) flows: BTreeMap<&'a str, Vec<&'a FlowRecord>>,
    /// The classes that figures are drawn of.
    pub(super) drawn: Vec<&'a str>,
}

pub(super) fn run(analysis: &Characterise, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
    bench.step("characterisation");
    let rows = bench.own_rows()?;
    let traffic = Traffic::of(rows, bench.material.flows, analysis);
    if traffic.instances.is_empty() {
        let problem = "no instance carries a label".to_owned();
        return Err(ExperimentError::Unfit { dataset: bench.material.dataset.to_owned(), problem });
    }
    let mut outcome = Outcome::default();
    outcome.remarks.push(recipe_remark(&bench.need(&bench.definition.extraction)?.recipe));
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
    measure_totals(rows, &mut outcome);
    let overview = overview(&traffic, &mut outcome);
    outcome.sections.push(overview);
    let distributions = distributions::sections(&traffic, &analysis.shares, &mut outcome);
    outcome.sections.extend(distributions);
    outcome.sections.push(words::section(&traffic, BagName::Ports, analysis.most_words));
    outcome.sections.push(words::section(&traffic, BagName::Domains, analysis.most_words));
    outcome.sections.push(ciphers::section(&traffic));
    outcome.sections.extend(sankey::sections(&traffic));
    Ok(outcome)
}

impl<'a> Traffic<'a> {
    fn of(rows: &'a [Labeled], flows: &'a [FlowRecord], analysis: &Characterise) -> Self {
        let mut traffic = Self { instances: BTreeMap::new(), flows: BTreeMap::new(), drawn: Vec::new() };
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
    for (word, count) in rows.iter().flat_map(|row| bag.of(&row.instance.bags)) {
        *words.entry(word).or_default() += count;
    }
    words
}

/// The size of the data set as the paper counts it (§5.1, §5.2).
fn measure_totals(rows: &[Labeled], outcome: &mut Outcome) {
    let labelled = || rows.iter().filter_map(|row| Some((&row.instance, row.label.as_ref()?)));
    let classes: BTreeSet<&str> = labelled().map(|(_, label)| label.class.as_str()).collect();
    let mut put = |metric: &str, count: usize| outcome.metrics.insert("all", metric, &[count as f64]);
    put("instances", labelled().count());
    put("classes", classes.len());
    for &bag in BagName::ALL {
        for (kind, name) in [(Kind::Iot, "iot"), (Kind::NonIot, "non_iot")] {
            let of_kind = labelled().filter(|(_, label)| label.kind == kind);
            let words: BTreeSet<&str> =
                of_kind.flat_map(|(instance, _)| bag.of(&instance.bags).keys().map(String::as_str)).collect();
            put(&format!("{name}_{bag}"), words.len());
        }
    }
}

fn overview(traffic: &Traffic<'_>, outcome: &mut Outcome) -> Section {
    let mut table = Table::new([
        "class",
        "devices",
        "instances",
        "distinct ports",
        "distinct domains",
        "cipher lists",
        "hours without ports",
        "hours without domains",
        "hours without cipher lists",
    ]);
    for (class, rows) in &traffic.instances {
        let devices: BTreeSet<_> = rows.iter().map(|row| row.instance.device).collect();
        let distinct = |bag: BagName| words_of(rows, bag).len();
        let empty = |bag: BagName| {
            let empty = rows.iter().filter(|row| Bag::is_empty(bag.of(&row.instance.bags))).count();
            empty as f64 / rows.len() as f64
        };
        for &bag in BagName::ALL {
            outcome.metrics.insert(class, &format!("distinct_{bag}"), &[distinct(bag) as f64]);
            outcome.metrics.insert(class, &format!("empty_{bag}"), &[empty(bag)]);
        }
        outcome.metrics.insert(class, "instances", &[rows.len() as f64]);
        table.push([
            Value::from(*class),
            Value::from(devices.len()),
            Value::from(rows.len()),
            Value::from(distinct(BagName::Ports)),
            Value::from(distinct(BagName::Domains)),
            Value::from(distinct(BagName::CipherSuites)),
            Value::Share(empty(BagName::Ports), 1),
            Value::Share(empty(BagName::Domains), 1),
            Value::Share(empty(BagName::CipherSuites), 1),
        ]);
    }
    Section {
        name: "classes".to_owned(),
        heading: "Classes".to_owned(),
        prose: "All labelled instances; figures below show a choice of the classes.".to_owned(),
        table,
        chart: None,
    }
}
