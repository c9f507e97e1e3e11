//! What the model says of a device that is attacked (§6.3).
use thingprint_figure::{Axis, Cumulative, Guide, Samples, Steps};
use thingprint_instance::Labeled;
use thingprint_model::TrainOptions;
use thingprint_table::{Cell, Column, Table};

use super::injection;
use super::trial::{Answer, Bench, Parts, class_of, mean, most_frequent, share};
use crate::definition::{
    Attack, Attacks, CLEAN, Checked, Injection, Method, Need, check_share, check_single, ensure, has_twice,
    names,
};
use crate::error::ExperimentError;
use crate::outcome::{Outcome, Section};

/// The confidence under which the paper says that an attack takes the camera.
const PAPER_LEVEL: f64 = 0.5;

/// Key of the traffic that is not attacked.
const NORMAL: &str = "normal";

/// What names of numbers of changes begin with.
const CHANGE: &str = "change/";

/// What is measured of answers.
const METRICS: [&str; 5] = ["instances", "correct", "confidence", "below_half", "below_threshold"];

/// What is measured of attacked hours.
const ATTACKED_METRICS: [&str; 8] = [
    "planned",
    "hours",
    "detected",
    "alarm_without",
    "correct",
    "confidence",
    "below_half",
    "below_threshold",
];

/// What is measured of hours without an attack.
const CLEAN_METRICS: [&str; 11] = [
    "hours",
    "correct",
    "confidence",
    "below_half",
    "below_threshold",
    "device_weeks",
    "alarms",
    "network_events",
    "alarms_per_device_week",
    "alarms_per_device_week_unmerged",
    "day_changes",
];

impl Method for Attacks {
    fn check(&self) -> Checked {
        check_share("threshold", self.threshold)?;
        check_single(self.split)?;
        if let Some(change) = &self.change {
            change.check().map_err(|(field, problem)| (format!("change.{field}"), problem.to_owned()))?;
        }
        let is_fine = (self.change.is_some() || !self.attack.is_empty())
            && !has_twice(&self.attack.iter().map(Attack::key).collect::<Vec<_>>())
            && self.attack.iter().all(|attack| attack.rate_pps > 0 && attack.hours > 0);
        ensure(
            is_fine,
            "attack",
            "expected attacks of at least one packet a second and one hour, each kind and rate once",
        )
    }

    fn attacks(&self, dataset: &str) -> &[Attack] {
        if self.is_on(dataset) { &self.attack } else { &[] }
    }

    fn injection(&self) -> Option<&Injection> {
        self.change.as_ref()
    }

    fn is_on(&self, dataset: &str) -> bool {
        self.data.is_empty() || self.data.iter().any(|name| name == dataset)
    }

    fn classes(&self) -> Vec<&str> {
        self.attack.iter().map(|attack| attack.target.as_str()).collect()
    }

    fn scenarios(&self) -> Vec<String> {
        let changes = self.change.iter().flat_map(Injection::metric_keys);
        self.attack.iter().map(Attack::key).chain(names([NORMAL])).chain(changes).collect()
    }

    fn has_metric(&self, scenario: &str, metric: &str) -> bool {
        let metrics = match scenario {
            CLEAN => &CLEAN_METRICS[..],
            _ if scenario.starts_with(CHANGE) => &ATTACKED_METRICS,
            _ => &METRICS,
        };
        metrics.contains(&metric)
    }

    fn run(&self, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
        let mut outcome = Outcome::default();
        let attacks = self.attacks(bench.material.dataset);
        if !attacks.is_empty() {
            claim(self, attacks, bench, &mut outcome)?;
        }
        if let Some(change) = &self.change {
            injection::run(change, self.threshold, bench, &mut outcome)?;
        }
        Ok(outcome)
    }
}

/// What the paper says of its confidence in a device that is attacked.
fn claim(
    analysis: &Attacks,
    attacks: &[Attack],
    bench: &mut Bench<'_>,
    outcome: &mut Outcome,
) -> Result<(), ExperimentError> {
    let rows = bench.own_rows()?;
    let own = bench.need(&bench.definition.extraction)?;
    let mut answers: Vec<(String, Vec<Vec<Answer>>)> =
        attacks.iter().map(|attack| (attack.key(), Vec::new())).collect();
    let targets: Vec<&str> = attacks.iter().map(|attack| attack.target.as_str()).collect();
    let mut normal = Vec::new();
    for &seed in &bench.definition.seeds {
        bench.step(&format!("attacks, seed {seed}"));
        let parts = Parts::required(rows, analysis.split, seed)?;
        let model = bench.fit(&parts.train, &TrainOptions { seed, ..TrainOptions::default() })?;
        let of_targets = |row: &&&Labeled| class_of(row).is_some_and(|class| targets.contains(&class));
        let quiet: Vec<&Labeled> = parts.test.iter().filter(of_targets).copied().collect();
        normal.push(bench.answers(&model, &quiet, analysis.threshold));
        for (attack, (_, found)) in attacks.iter().zip(&mut answers) {
            let need = Need { attack: Some(attack.clone()), ..own.clone() };
            let attacked = bench.material.instances_of(&need)?;
            let attacked: Vec<&Labeled> =
                attacked.iter().filter(|row| class_of(row) == Some(attack.target.as_str())).collect();
            if attacked.is_empty() {
                let problem = format!("there is no instance of {} under attack", attack.target);
                return Err(ExperimentError::Unfit { dataset: bench.material.dataset.to_owned(), problem });
            }
            found.push(bench.answers(&model, &attacked, analysis.threshold));
        }
    }
    answers.insert(0, (NORMAL.to_owned(), normal));
    for (key, by_seed) in &answers {
        measure(key, by_seed, analysis.threshold, outcome);
    }
    let section = section(&answers, analysis.threshold, outcome);
    outcome.sections.push(section);
    Ok(())
}

fn measure(key: &str, by_seed: &[Vec<Answer>], threshold: f64, outcome: &mut Outcome) {
    let mut insert = |metric: &str, of: &dyn Fn(&[Answer]) -> Option<f64>| {
        let values: Vec<f64> = by_seed.iter().filter_map(|answers| of(answers)).collect();
        outcome.metrics.insert(key, metric, &values);
    };
    insert("instances", &|answers| Some(answers.len() as f64));
    insert("correct", &|answers| share(answers, |answer| answer.is_right()));
    insert("confidence", &|answers| mean(answers.iter().map(|answer| answer.confidence)));
    insert("below_half", &|answers| share(answers, |answer| !answer.reaches(PAPER_LEVEL)));
    insert("below_threshold", &|answers| share(answers, |answer| !answer.reaches(threshold)));
}

fn section(answers: &[(String, Vec<Vec<Answer>>)], threshold: f64, outcome: &Outcome) -> Section {
    let mut table = Table::new([
        Column::texts("traffic"),
        Column::decimals("instances", 0),
        Column::percent("class right", 1),
        Column::decimals("mean confidence", 3),
        Column::percent("below 0.5", 1),
        Column::percent("below the threshold", 1),
        Column::texts("most frequent answer"),
    ]);
    for (key, by_seed) in answers {
        let number = |metric: &str| outcome.metrics.get(key, metric).map(|summary| summary.mean);
        table.add([
            Cell::from(key.as_str()),
            Cell::from(number("instances")),
            Cell::from(number("correct")),
            Cell::from(number("confidence")),
            Cell::from(number("below_half")),
            Cell::from(number("below_threshold")),
            Cell::from(
                most_frequent(by_seed.iter().flatten().map(|answer| &*answer.class)).map(|(class, _)| class),
            ),
        ]);
    }
    let samples = |(key, by_seed): &(String, Vec<Vec<Answer>>)| {
        Samples::new(
            key.as_str(),
            by_seed.iter().flatten().map(|answer| answer.confidence).collect::<Vec<_>>(),
        )
    };
    let chart = Steps {
        title: "Confidence under attack".to_owned(),
        description: "Share of the device's instances whose confidence is above a value".to_owned(),
        x: Axis::new("confidence", "").bounds(0.0, 1.0),
        cumulative: Cumulative::Ccdf,
        series: answers.iter().map(samples).collect(),
        guides: vec![
            Guide::x(PAPER_LEVEL, "the paper's bound"),
            Guide::x(threshold, "accepted from here on"),
        ],
    };
    Section {
        name: "attacks".to_owned(),
        heading: "The device under attack".to_owned(),
        prose: "Answers for the instances of the attacked device, over all seeds. The model has seen normal traffic \
                only."
            .to_owned(),
        table,
        chart: Some(chart.into()),
    }
}
