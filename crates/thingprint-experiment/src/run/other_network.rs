//! Devices of other networks, which the model does not know: are they rejected?
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thingprint_instance::Labeled;
use thingprint_model::{Acceptance, Answer, Model, Split, Test, TrainOptions};
use thingprint_table::{Cell, Column, Table};

use super::trial::{Bench, Parts, class_of, most, share};
use crate::definition::{
    Checked, Method, check_share, check_single, check_training, ensure, has_twice, random, threshold,
};
use crate::error::ExperimentError;
use crate::outcome::{Outcome, Section, Summary};
use crate::text::{parsed, training};

/// Key of the later part of the network that trained.
const KNOWN: &str = "known";

/// What is measured of the known network and of every other one.
const METRICS: [&str; 5] =
    ["windows", "rejected", "rejected_by_confidence", "rejected_by_likeness", "devices_rejected"];

/// Trains on a data set and asks about the devices of others. Classes that both have are left out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherNetwork {
    /// The data sets that are asked about; that which trains is none of them.
    pub others: Vec<String>,
    /// The split of the data set that trains; its test part says how many known windows are rejected.
    #[serde(default = "random", deserialize_with = "parsed")]
    pub split: Split,
    /// Confidence from which on an answer is accepted.
    #[serde(default = "threshold")]
    pub threshold: f64,
    /// How the classifier is trained.
    #[serde(default, deserialize_with = "training")]
    pub training: TrainOptions,
}

/// What was said of a network, seed by seed.
#[derive(Default)]
struct Network {
    values: BTreeMap<&'static str, Vec<f64>>,
    devices: usize,
    /// What windows were taken for, over all seeds.
    taken_for: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Method for OtherNetwork {
    fn check(&self) -> Checked {
        let is_fine = !self.others.is_empty() && !has_twice(&self.others) && !self.others.iter().any(|name| name == KNOWN);
        ensure(is_fine, "others", "expected names of data sets other than 'known', each once")?;
        check_share("threshold", self.threshold)?;
        check_single(self.split)?;
        check_training(&self.training)
    }

    fn others(&self) -> &[String] {
        &self.others
    }

    fn scenarios(&self) -> Vec<String> {
        self.others.iter().cloned().chain([KNOWN.to_owned()]).collect()
    }

    fn has_metric(&self, _: &str, metric: &str) -> bool {
        METRICS.contains(&metric)
    }

    fn run(&self, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
        let rows = bench.own_rows()?;
        let known: BTreeSet<&str> = rows.iter().filter_map(class_of).collect();
        let mut networks: BTreeMap<&str, Network> = BTreeMap::new();
        let mut outcome = Outcome::default();
        let strangers = self.strangers(bench, &known, &mut outcome);
        for &seed in &bench.definition.seeds {
            let parts = Parts::required(rows, self.split, seed)?;
            bench.step(&format!("training, seed {seed}"));
            let model = bench.fit(&parts.train, &TrainOptions { seed, ..self.training })?;
            networks.entry(KNOWN).or_default().ask(&model, &parts.test, (self.threshold, bench));
            for (other, rows) in &strangers {
                bench.step(&format!("{other}, seed {seed}"));
                networks.entry(other).or_default().ask(&model, rows, (self.threshold, bench));
            }
        }
        for (name, network) in &networks {
            for metric in METRICS {
                let values = network.values.get(metric).map(Vec::as_slice).unwrap_or_default();
                outcome.metrics.insert(name, metric, values);
            }
        }
        outcome.sections = vec![summary(&networks, &outcome), classes(&networks)];
        Ok(outcome)
    }
}

impl OtherNetwork {
    /// The labelled rows of each other data set whose classes are not known.
    fn strangers<'r>(
        &self,
        bench: &Bench<'r>,
        known: &BTreeSet<&str>,
        outcome: &mut Outcome,
    ) -> BTreeMap<&str, Vec<&'r Labeled>> {
        let mut strangers = BTreeMap::new();
        for other in self.others.iter().filter(|other| **other != bench.material.dataset) {
            let Some(rows) = bench.other_rows(other) else {
                outcome.remarks.push(format!("{other}: left out, because its captures are not here."));
                continue;
            };
            let labelled: Vec<&Labeled> = rows.iter().filter(|row| class_of(row).is_some()).collect();
            let (shared, unknown): (Vec<_>, Vec<&Labeled>) = labelled
                .into_iter()
                .partition(|row| class_of(row).is_some_and(|class| known.contains(class)));
            let classes: BTreeSet<&str> = shared.iter().copied().filter_map(class_of).collect();
            if !classes.is_empty() {
                let names: Vec<&str> = classes.into_iter().collect();
                outcome.remarks.push(format!(
                    "{other}: {} windows of classes that are known are left out: {}.",
                    shared.len(),
                    names.join(", ")
                ));
            }
            strangers.insert(other.as_str(), unknown);
        }
        strangers
    }
}

impl Network {
    fn ask(&mut self, model: &Model, rows: &[&Labeled], (threshold, bench): (f64, &Bench<'_>)) {
        let acceptance = Acceptance { confidence: threshold, ..Acceptance::default() };
        let answers = model.answers(rows.iter().copied(), &acceptance, bench.jobs);
        let failed = |test: Test| share(&answers, |answer| answer.failed.contains(&test));
        let verdicts = model.device_verdicts(answers.iter().map(|answer| &answer.prediction));
        self.devices = verdicts.len();
        let found = [
            Some(answers.len() as f64),
            share(&answers, |answer| !answer.is_accepted()),
            failed(Test::Confidence),
            failed(Test::Likeness),
            share(&verdicts, |verdict| !model.failed_device_tests(verdict, &acceptance).is_empty()),
        ];
        for (metric, value) in METRICS.into_iter().zip(found) {
            self.values.entry(metric).or_default().extend(value);
        }
        for Answer { truth, prediction, .. } in &answers {
            let of_class = self.taken_for.entry(truth.to_string()).or_default();
            *of_class.entry(prediction.class.to_string()).or_default() += 1;
        }
    }
}

fn summary(networks: &BTreeMap<&str, Network>, outcome: &Outcome) -> Section {
    let mut table = Table::new([
        Column::texts("network"),
        Column::decimals("windows", 0),
        Column::percent("rejected", 1),
        Column::percent("sd", 1),
        Column::percent("by confidence", 1),
        Column::percent("by likeness", 1),
        Column::count("devices"),
        Column::percent("devices rejected", 1),
    ]);
    for (name, network) in networks {
        let number = |metric: &str| outcome.metrics.get(name, metric);
        let mean = |metric: &str| Cell::from(number(metric).map(|summary| summary.mean));
        table.add([
            Cell::from(*name),
            mean("windows"),
            mean("rejected"),
            Cell::from(number("rejected").and_then(|summary: Summary| summary.sd)),
            mean("rejected_by_confidence"),
            mean("rejected_by_likeness"),
            Cell::from(network.devices as u64),
            mean("devices_rejected"),
        ]);
    }
    Section {
        name: "networks".to_owned(),
        heading: "Windows and devices that are rejected".to_owned(),
        prose: "A window is rejected where its confidence or its likeness is below the threshold; a device by the mean of its \
                windows' distributions and the median of their likenesses. In the row 'known' every rejection is a false \
                alarm, in the others it is right. Means over the seeds."
            .to_owned(),
        table,
        chart: None,
    }
}

fn classes(networks: &BTreeMap<&str, Network>) -> Section {
    let mut table = Table::new([
        Column::texts("network"),
        Column::texts("class"),
        Column::count("answers"),
        Column::texts("mostly taken for"),
    ]);
    for (name, network) in networks.iter().filter(|(name, _)| **name != KNOWN) {
        for (class, answers) in &network.taken_for {
            let all: u64 = answers.values().sum();
            let mostly =
                most(answers).map(|(answer, count)| format!("{answer}: {:.0} %", 100.0 * count as f64 / all as f64));
            table.add([Cell::from(*name), Cell::from(class.as_str()), Cell::from(all), Cell::from(mostly)]);
        }
    }
    Section {
        name: "taken-for".to_owned(),
        heading: "What devices of other networks look like".to_owned(),
        prose: "The best guess for the windows of each class, accepted or not, over all seeds.".to_owned(),
        table,
        chart: None,
    }
}
