//! Probabilities of words and classes, worked out by hand (§5.2.1).
//!
//! What the classifier holds is counted again from the instances, so that the paper's numbers, its formula and the
//! data stand side by side.
use std::collections::BTreeSet;

use thingprint_instance::{Bag, BagName, Bags, Instance, Kind, Labeled};
use thingprint_model::{Model, Scenario, TrainOptions};
use thingprint_table::{Cell, Column, Table};

use super::trial::{Bench, Parts};
use crate::definition::{BagProbe, Checked, Method, Worked, check_single, ensure, is_any, names};
use crate::error::ExperimentError;
use crate::outcome::{Outcome, Section, Summary};

/// What equation 1 and the prior are made of, counted in a training part.
struct Counts<'r> {
    rows: Vec<(&'r Bag, &'r str)>,
    /// Words of the vocabulary, and the column `others`.
    columns: u64,
    classes: u64,
}

/// A fraction of counts.
#[derive(Clone, Copy)]
struct Fraction {
    above: u64,
    below: u64,
}

/// Something that the paper prints, and the fractions that the seeds gave.
struct Line {
    name: String,
    paper: f64,
    found: Vec<Fraction>,
}

impl Method for Worked {
    fn check(&self) -> Checked {
        check_single(self.split)?;
        ensure(Scenario::of_bag(self.bag).is_some(), "bag", "expected ports, domains or cipher_suites")?;
        ensure(
            self.bags.iter().all(|probe| probe.words.values().all(|count| *count > 0)),
            "ask",
            "expected counts of at least 1",
        )
    }

    fn classes(&self) -> Vec<&str> {
        let words = self.words.iter().map(|probe| &probe.class);
        let bags = self.bags.iter().flat_map(|probe| [&probe.truth, &probe.paper]);
        words.chain(bags).chain(self.priors.keys()).map(String::as_str).collect()
    }

    fn scenarios(&self) -> Vec<String> {
        names([self.bag.name()])
    }

    fn has_metric(&self, _: &str, metric: &str) -> bool {
        let answers = self.bags.iter().map(|probe| format!("as_in_paper[{}]", probe.truth));
        is_any(metric, self.lines().map(|(name, _)| name).chain(answers))
    }

    fn run(&self, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
        run(self, bench)
    }
}

fn run(analysis: &Worked, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
    let rows = bench.own_rows()?;
    // Definitions name a bag that has a scenario.
    let scenario = Scenario::of_bag(analysis.bag).unwrap_or(Scenario::Ports);
    let mut lines: Vec<Line> =
        analysis.lines().map(|(name, paper)| Line { name, paper, found: Vec::new() }).collect();
    let mut answers: Vec<Vec<(String, f64)>> = vec![Vec::new(); analysis.bags.len()];
    for &seed in &bench.definition.seeds {
        bench.step(&format!("worked numbers, seed {seed}"));
        let parts = Parts::required(rows, analysis.split, seed)?;
        let counts = Counts::of(&parts.train, analysis.bag);
        for (line, fraction) in lines.iter_mut().zip(analysis.fractions(&counts)) {
            line.found.push(fraction);
        }
        let options = TrainOptions { scenario, seed, ..TrainOptions::default() };
        let model = bench.fit(&parts.train, &options)?;
        for (probe, answers) in analysis.bags.iter().zip(&mut answers) {
            answers.extend(parts.train.first().map(|row| ask(&model, &row.instance, analysis.bag, probe)));
        }
    }
    let mut outcome = Outcome::default();
    for line in &lines {
        outcome.metrics.insert(analysis.bag.name(), &line.name, &line.values());
    }
    for (probe, answers) in analysis.bags.iter().zip(&answers) {
        let as_paper: Vec<f64> =
            answers.iter().map(|(class, _)| f64::from(u8::from(*class == probe.paper))).collect();
        outcome.metrics.insert(analysis.bag.name(), &format!("as_in_paper[{}]", probe.truth), &as_paper);
    }
    outcome.sections.push(probabilities(&lines));
    if !analysis.bags.is_empty() {
        outcome.sections.push(asked(&analysis.bags, &answers));
    }
    Ok(outcome)
}

impl Worked {
    /// Name and paper's value of everything that is worked out.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (String, f64)> {
        let words =
            self.words.iter().map(|probe| (format!("Pr({}|{})", probe.word, probe.class), probe.paper));
        words.chain(self.priors.iter().map(|(class, paper)| (format!("Pr({class})"), *paper)))
    }

    /// The same, counted.
    fn fractions(&self, counts: &Counts<'_>) -> Vec<Fraction> {
        let words = self.words.iter().map(|probe| counts.of_word(&probe.word, &probe.class));
        words.chain(self.priors.keys().map(|class| counts.of_class(class))).collect()
    }
}

impl<'r> Counts<'r> {
    fn of(train: &[&'r Labeled], bag: BagName) -> Self {
        let labelled =
            || train.iter().filter_map(|row| Some((row.instance.bags.get(bag)?, row.label.as_ref()?)));
        let iot = labelled().filter(|(_, label)| label.kind == Kind::Iot);
        let words: BTreeSet<&str> = iot.flat_map(|(bag, _)| bag.keys().map(String::as_str)).collect();
        let classes: BTreeSet<&str> = labelled().map(|(_, label)| label.class.as_str()).collect();
        Self {
            rows: labelled().map(|(bag, label)| (bag, label.class.as_str())).collect(),
            columns: words.len() as u64 + 1,
            classes: classes.len() as u64,
        }
    }

    /// Equation 1: 1 + occurrences of the word, of the number of columns + occurrences of all words.
    fn of_word(&self, word: &str, class: &str) -> Fraction {
        let bags = || self.rows.iter().filter(|(_, other)| *other == class).map(|(bag, _)| bag);
        let word: u64 = bags().filter_map(|bag| bag.get(word)).sum();
        let all: u64 = bags().flat_map(|bag| bag.values()).sum();
        Fraction { above: 1 + word, below: self.columns + all }
    }

    /// The prior as Weka smooths it: 1 + instances of the class, of the number of classes + all instances.
    fn of_class(&self, class: &str) -> Fraction {
        let instances = self.rows.iter().filter(|(_, other)| *other == class).count() as u64;
        Fraction { above: 1 + instances, below: self.classes + self.rows.len() as u64 }
    }
}

impl Fraction {
    fn value(self) -> f64 {
        self.above as f64 / self.below as f64
    }
}

impl Line {
    fn values(&self) -> Vec<f64> {
        self.found.iter().copied().map(Fraction::value).collect()
    }
}

/// What a model says of a bag.
fn ask(model: &Model, any: &Instance, bag: BagName, probe: &BagProbe) -> (String, f64) {
    let instance = Instance { bags: Bags::from([(bag, probe.words.clone())]), ..any.clone() };
    let prediction = model.predict(&instance);
    (prediction.class.to_string(), prediction.confidence)
}

fn probabilities(lines: &[Line]) -> Section {
    let mut table = Table::new([
        Column::texts("probability"),
        Column::decimals("paper", 4),
        Column::decimals("here", 4),
        Column::decimals("sd", 4),
        Column::texts("first seed"),
    ]);
    for line in lines {
        let summary = Summary::of(&line.values());
        let first = line.found.first().map(|fraction| format!("{} / {}", fraction.above, fraction.below));
        table.add([
            Cell::from(line.name.as_str()),
            Cell::from(line.paper),
            Cell::from(summary.map(|summary| summary.mean)),
            Cell::from(summary.and_then(|summary| summary.sd)),
            Cell::from(first),
        ]);
    }
    Section {
        name: "probabilities".to_owned(),
        heading: "Probabilities".to_owned(),
        prose: "Pr(word|class) is (1 + occurrences of the word) / (columns + occurrences of all words) over the training \
                instances of the class; Pr(class) is (1 + its instances) / (classes + all instances)."
            .to_owned(),
        table,
        chart: None,
    }
}

fn asked(probes: &[BagProbe], answers: &[Vec<(String, f64)>]) -> Section {
    let mut table = Table::new([
        Column::texts("bag"),
        Column::texts("true class"),
        Column::texts("answer in the paper"),
        Column::texts("answers here"),
    ]);
    for (probe, answers) in probes.iter().zip(answers) {
        let words: Vec<String> = probe.words.iter().map(|(word, count)| format!("{word}: {count}")).collect();
        let answers: Vec<String> =
            answers.iter().map(|(class, confidence)| format!("{class} [{confidence:.2}]")).collect();
        table.add([
            Cell::from(words.join(", ")),
            Cell::from(probe.truth.as_str()),
            Cell::from(probe.paper.as_str()),
            Cell::from(answers.join(", ")),
        ]);
    }
    Section {
        name: "asked".to_owned(),
        heading: "What stage-0 says of a bag".to_owned(),
        prose: "One answer for each seed, with its posterior in brackets.".to_owned(),
        table,
        chart: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fraction: Fraction, paper: f64) {
        // The paper prints four digits, rounded or cut.
        let value = fraction.value();
        assert!((value - paper).abs() < 1e-4, "{value} is not {paper}");
    }

    /// The paper's own numbers come from 421 words and `others`, 20 tokens of Blipcare, and 66 % of 50,378 instances.
    #[test]
    fn the_numbers_of_the_paper_worked_by_hand() {
        let words: Vec<Bag> = (0..419).map(|word| Bag::from([(format!("w{word}"), 1)])).collect();
        let blipcare = Bag::from([("53".to_owned(), 8), ("8777".to_owned(), 12)]);
        let ring = Bag::from([("53".to_owned(), 1)]);
        let empty = Bag::new();
        let mut rows: Vec<(&Bag, &str)> = words.iter().map(|bag| (bag, "other")).collect();
        rows.push((&blipcare, "Blipcare BP Meter"));
        rows.extend(std::iter::repeat_n((&empty, "Blipcare BP Meter"), 8));
        rows.extend(std::iter::repeat_n((&ring, "Ring Door Bell"), 323));
        rows.extend(std::iter::repeat_n((&empty, "other"), 33_249 - rows.len()));
        let counts = Counts { rows, columns: 422, classes: 29 };
        check(counts.of_word("53", "Blipcare BP Meter"), 0.0203);
        check(counts.of_word("8777", "Blipcare BP Meter"), 0.0294);
        check(counts.of_class("Ring Door Bell"), 0.0097);
        check(counts.of_class("Blipcare BP Meter"), 0.0003);
        let Fraction { above, below } = counts.of_class("Ring Door Bell");
        assert_eq!((above, below), (324, 33_278));
    }
}
