//! Classes that training never saw: does confidence separate them from the known ones?
use std::collections::BTreeSet;

use thingprint_figure::{Axis, Ranking, RankingRow};
use thingprint_instance::Labeled;
use thingprint_model::{Recipe, TrainOptions, auroc};
use thingprint_table::{Cell, Column, Table};

use super::trial::{Answer, Bench, Parts, class_of, mean, most_frequent, share};
use crate::definition::{
    Checked, LeaveOneOut, Method, check_share, check_single, check_training, is_of_class, names,
};
use crate::error::ExperimentError;
use crate::outcome::{Metrics, Outcome, Section, Summary};

/// Column of what a model with likeness has besides.
const LIKENESS: &str = "AUROC of likeness";

/// What happened to a class that was left out, seed by seed; absent where there was nothing to compare.
#[derive(Default)]
struct Left {
    class: String,
    instances: u64,
    auroc: Vec<Option<f64>>,
    /// The same of the likeness, where the model has one.
    auroc_likeness: Vec<Option<f64>>,
    rejected: Vec<Option<f64>>,
    accepted_known: Vec<Option<f64>>,
    taken_for: Vec<Answer>,
}

impl Method for LeaveOneOut {
    fn check(&self) -> Checked {
        check_share("threshold", self.threshold)?;
        check_single(self.split)?;
        check_training(&self.training)
    }

    fn scenarios(&self) -> Vec<String> {
        names(["final"])
    }

    fn has_metric(&self, _: &str, metric: &str) -> bool {
        let of_class = ["auroc", "rejected"].iter().any(|name| is_of_class(metric, name));
        let has_likeness = self.training.recipe == Recipe::Best;
        let of_likeness = LIKENESS_METRICS.contains(&metric) || is_of_class(metric, "auroc_likeness");
        of_class
            || ["auroc", "rejected_unknown", "accepted_known"].contains(&metric)
            || (has_likeness && of_likeness)
    }

    fn run(&self, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
        run(self, bench)
    }
}

/// What is measured where models have a likeness.
const LIKENESS_METRICS: [&str; 3] = ["auroc_likeness", "auroc_worst", "auroc_likeness_worst"];

fn run(analysis: &LeaveOneOut, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
    let rows = bench.own_rows()?;
    let classes: BTreeSet<&str> = rows.iter().filter_map(class_of).collect();
    let mut all: Vec<Left> =
        classes.iter().map(|class| Left { class: (*class).to_owned(), ..Left::default() }).collect();
    for &seed in &bench.definition.seeds {
        let parts = Parts::required(rows, analysis.split, seed)?;
        for left in &mut all {
            bench.step(&format!("without {}, seed {seed}", left.class));
            left.try_without(&parts, rows, (analysis, seed), bench)?;
        }
    }
    let mut outcome = Outcome::default();
    measure(&all, bench.definition.seeds.len(), &mut outcome.metrics);
    if all.iter().any(Left::has_likeness) {
        measure_likeness(&all, bench.definition.seeds.len(), &mut outcome.metrics);
    }
    outcome.remarks.push(
        "In a mean over classes each class counts the same; deviations are over seeds, not between classes."
            .to_owned(),
    );
    outcome.sections.push(section(&all, analysis.threshold));
    Ok(outcome)
}

/// The values that classes have for a seed, each class once; the deviation is over seeds, as everywhere.
fn of_seed(all: &[Left], of: fn(&Left) -> &[Option<f64>], seed: usize) -> impl Iterator<Item = f64> {
    all.iter().filter_map(move |left| of(left).get(seed).copied().flatten())
}

fn means(all: &[Left], of: fn(&Left) -> &[Option<f64>], seeds: usize) -> Vec<f64> {
    (0..seeds).filter_map(|seed| mean(of_seed(all, of, seed))).collect()
}

fn measure(all: &[Left], seeds: usize, metrics: &mut Metrics) {
    metrics.insert("final", "auroc", &means(all, |left| &left.auroc, seeds));
    metrics.insert("final", "rejected_unknown", &means(all, |left| &left.rejected, seeds));
    metrics.insert("final", "accepted_known", &means(all, |left| &left.accepted_known, seeds));
    for left in all {
        metrics.insert("final", &format!("auroc[{}]", left.class), &present(&left.auroc));
        metrics.insert("final", &format!("rejected[{}]", left.class), &present(&left.rejected));
    }
}

fn measure_likeness(all: &[Left], seeds: usize, metrics: &mut Metrics) {
    let worst = |of: fn(&Left) -> &[Option<f64>]| -> Vec<f64> {
        (0..seeds).filter_map(|seed| of_seed(all, of, seed).min_by(f64::total_cmp)).collect()
    };
    let [likeness, worst_confidence, worst_likeness] = LIKENESS_METRICS;
    metrics.insert("final", likeness, &means(all, |left| &left.auroc_likeness, seeds));
    metrics.insert("final", worst_confidence, &worst(|left| &left.auroc));
    metrics.insert("final", worst_likeness, &worst(|left| &left.auroc_likeness));
    for left in all {
        let key = format!("auroc_likeness[{}]", left.class);
        metrics.insert("final", &key, &present(&left.auroc_likeness));
    }
}

/// The values that there are.
fn present(values: &[Option<f64>]) -> Vec<f64> {
    values.iter().flatten().copied().collect()
}

impl Left {
    /// Trains without the class, and asks about the other classes' test part and all instances of this class.
    fn try_without(
        &mut self,
        parts: &Parts<'_>,
        rows: &[Labeled],
        (analysis, seed): (&LeaveOneOut, u64),
        bench: &mut Bench<'_>,
    ) -> Result<(), ExperimentError> {
        let is_known = |row: &&Labeled| class_of(row).is_some_and(|class| class != self.class);
        let train: Vec<&Labeled> = parts.train.iter().filter(|row| is_known(row)).copied().collect();
        let known: Vec<&Labeled> = parts.test.iter().filter(|row| is_known(row)).copied().collect();
        let unknown: Vec<&Labeled> = rows.iter().filter(|row| class_of(row) == Some(&self.class)).collect();
        let model = bench.fit(&train, &TrainOptions { seed, ..analysis.training })?;
        let ask = |rows: &[&Labeled]| bench.answers(&model, rows, analysis.threshold);
        let (known, unknown) = (ask(&known), ask(&unknown));
        let confidences =
            |answers: &[Answer]| -> Vec<f64> { answers.iter().map(|answer| answer.confidence).collect() };
        let likenesses = |answers: &[Answer]| -> Vec<f64> {
            answers.iter().filter_map(|answer| answer.likeness).collect()
        };
        let is_accepted = |answer: &&Answer| answer.is_accepted;
        self.instances = unknown.len() as u64;
        self.auroc.push(auroc(&confidences(&known), &confidences(&unknown)));
        self.auroc_likeness.push(auroc(&likenesses(&known), &likenesses(&unknown)));
        self.rejected.push(share(&unknown, is_accepted).map(|accepted| 1.0 - accepted));
        self.accepted_known.push(share(&known, is_accepted));
        self.taken_for.extend(unknown);
        Ok(())
    }

    fn has_likeness(&self) -> bool {
        self.auroc_likeness.iter().any(Option::is_some)
    }

    /// Whom its instances are taken for most, with the share.
    fn mostly(&self) -> Option<String> {
        let (name, count) = most_frequent(self.taken_for.iter().map(|answer| &*answer.class))?;
        Some(format!("{name}: {:.0} %", 100.0 * count as f64 / self.taken_for.len() as f64))
    }
}

fn section(all: &[Left], threshold: f64) -> Section {
    let mut order: Vec<&Left> = all.iter().collect();
    let auroc = |left: &Left| mean(present(&left.auroc)).unwrap_or(f64::INFINITY);
    order.sort_by(|a, b| auroc(a).total_cmp(&auroc(b)));
    let mut table = Table::new([
        Column::texts("class left out"),
        Column::count("instances"),
        Column::decimals("AUROC", 3),
        Column::decimals("sd", 3),
        Column::decimals(LIKENESS, 3),
        Column::percent("rejected", 1),
        Column::percent("known accepted", 1),
        Column::texts("mostly taken for"),
    ]);
    for left in &order {
        let summary = Summary::of(&present(&left.auroc));
        table.add([
            Cell::from(left.class.as_str()),
            Cell::from(left.instances),
            Cell::from(summary.map(|summary| summary.mean)),
            Cell::from(summary.and_then(|summary| summary.sd)),
            Cell::from(mean(present(&left.auroc_likeness))),
            Cell::from(mean(present(&left.rejected))),
            Cell::from(mean(present(&left.accepted_known))),
            Cell::from(left.mostly()),
        ]);
    }
    let has_likeness = all.iter().any(Left::has_likeness);
    if !has_likeness {
        table.drop_column(LIKENESS);
    }
    let row = |left: &&Left| {
        let summary = Summary::of(&present(&left.rejected))?;
        Some(RankingRow { label: left.class.clone(), value: summary.into(), class: 0 })
    };
    let chart = Ranking {
        title: "Rejected when never seen".to_owned(),
        description: if has_likeness {
            "Share of the instances of a class left out of the training whose confidence or likeness stays below the threshold"
        } else {
            "Share of the instances of a class left out of the training whose confidence stays below the threshold"
        }
        .to_owned(),
        value: Axis::percent("rejected"),
        classes: Vec::new(),
        rows: order.iter().filter_map(row).collect(),
    };
    Section {
        name: "left-out".to_owned(),
        heading: "Each class left out".to_owned(),
        prose: format!(
            "AUROC is the probability that an instance of a known class has more confidence than one of the class left \
             out (0.5 is chance). Rejected are answers below {threshold}{}.",
            if has_likeness {
                ", or below the likeness that 95 % of the training's own windows have"
            } else {
                ""
            }
        ),
        table,
        chart: Some(chart.into()),
    }
}
