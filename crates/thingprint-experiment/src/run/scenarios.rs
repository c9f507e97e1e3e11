//! Scenarios in several variants: Tables 2 and 3, Figs. 11 and 12b, and what the paper left open.
use std::collections::{BTreeMap, BTreeSet};

use thingprint_figure::{Arrangement, Axis, BarSeries, Bars, Estimate};
use thingprint_flow::WindowLength;
use thingprint_model::{ModelError, Recipe, Scenario, Split, TrainOptions, Voice, WindowAnswers};
use thingprint_table::{Cell, Column, Table};

use super::classes::{ClassTable, Confusions};
use super::trial::{Answer, Bench, Parts, Trial};
use super::{acceptance, answers, comparison, confidence, differences, recipe_remark};
use crate::definition::{
    Checked, Extraction, Method, Scenarios, Show, Variant, check_share, check_training, ensure, has_twice,
    is_of_class,
};
use crate::error::ExperimentError;
use crate::outcome::{Outcome, Section};

/// A way of doing it, with everything settled.
struct Way<'a> {
    name: Option<&'a str>,
    split: Split,
    extraction: &'a Extraction,
    /// How what tests is extracted, where not like what trains.
    tested: Option<&'a Extraction>,
    training: TrainOptions,
    voice: Voice,
}

/// All trials of a scenario in one way: one for each seed.
pub(super) struct Series {
    /// How `metrics.json` calls it.
    pub(super) key: String,
    pub(super) scenario: Scenario,
    way: Option<String>,
    pub(super) split: Split,
    /// Length of the windows that are tested.
    pub(super) window: Option<WindowLength>,
    /// Whether answers have a likeness, which they are accepted by.
    has_likeness: bool,
    pub(super) trials: Vec<Trial>,
    /// What was said of each window, for comparisons.
    pub(super) windows: WindowAnswers,
}

/// Names of the numbers of a trial.
const METRICS: [&str; 6] =
    ["accuracy", "rrse", "macro_f1", "calibration_error", "coverage", "accepted_accuracy"];

/// How many right answers a seed has, how surely they are given, and how many are below the threshold.
const RIGHT_METRICS: [&str; 3] = ["right_answers", "confidence_right", "right_below_threshold"];
/// How many wrong answers a seed has, how surely they are given, and how many reach the threshold.
const WRONG_METRICS: [&str; 3] = ["wrong_answers", "confidence_wrong", "wrong_at_threshold"];

impl Method for Scenarios {
    fn check(&self) -> Checked {
        ensure(
            !self.scenarios.is_empty() && !has_twice(&self.scenarios),
            "scenarios",
            "expected scenarios, each once",
        )?;
        check_share("threshold", self.threshold)?;
        check_training(&self.training)?;
        let percents = self.paper.values().flat_map(BTreeMap::values);
        ensure(
            percents.copied().all(|percent| (0.0..=100.0).contains(&percent)),
            "paper",
            "expected percents from 0 to 100",
        )?;
        let names: Vec<&str> = self.variants.iter().map(|variant| variant.name.as_str()).collect();
        ensure(!has_twice(&names) && !names.contains(&""), "variant", "expected a name of its own for each")?;
        self.variants.iter().filter_map(|variant| variant.training.as_ref()).try_for_each(check_training)
    }

    fn extractions(&self) -> Vec<&Extraction> {
        let trained = self.variants.iter().filter_map(|variant| variant.extraction.as_ref());
        trained.chain(self.variants.iter().filter_map(|variant| variant.tested.as_ref())).collect()
    }

    fn classes(&self) -> Vec<&str> {
        self.paper.values().flat_map(BTreeMap::keys).map(String::as_str).collect()
    }

    fn scenarios(&self) -> Vec<String> {
        let plain = || self.scenarios.iter().map(ToString::to_string);
        let of_variant =
            |name: &str| plain().map(|scenario| format!("{name}/{scenario}")).collect::<Vec<_>>();
        if self.variants.is_empty() {
            plain().collect()
        } else {
            self.variants.iter().flat_map(|variant| of_variant(&variant.name)).collect()
        }
    }

    fn has_metric(&self, _: &str, metric: &str) -> bool {
        let asked = |show: Show, metrics: &[&str]| self.show.contains(&show) && metrics.contains(&metric);
        METRICS.contains(&metric)
            || RIGHT_METRICS.contains(&metric)
            || WRONG_METRICS.contains(&metric)
            || is_of_class(metric, "correct")
            || asked(Show::Acceptance, &acceptance::METRICS)
            || asked(Show::Comparison, &comparison::METRICS)
    }

    fn run(&self, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
        run(self, bench)
    }
}

fn run(analysis: &Scenarios, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
    let mut outcome = Outcome::default();
    let definition = bench.definition;
    let mut all = Vec::new();
    for way in ways(analysis, &definition.extraction) {
        all.extend(try_or_leave_out(analysis, &way, bench, &mut outcome)?);
    }
    for series in &all {
        series.measure(analysis, &mut outcome);
    }
    outcome.sections.push(summary(&all, &outcome));
    outcome.sections.push(by_seed(&all, &definition.seeds));
    outcome.sections.extend(differences::section(analysis, &all));
    if analysis.show.contains(&Show::Acceptance) {
        outcome.sections.push(acceptance::section(&all, &mut outcome.metrics));
    }
    if analysis.show.contains(&Show::Comparison) {
        outcome.sections.extend(comparison::section(&all, &mut outcome.metrics, bench.jobs));
    }
    show(analysis, &all, &definition.seeds, &mut outcome);
    Ok(outcome)
}

/// All trials in one way, with remarks on its instances; a variant whose split leaves a part empty is left out.
fn try_or_leave_out(
    analysis: &Scenarios,
    way: &Way<'_>,
    bench: &mut Bench<'_>,
    outcome: &mut Outcome,
) -> Result<Vec<Series>, ExperimentError> {
    let rows = bench.rows(way.extraction)?;
    let named = |remark: String| way.name.map_or(remark.clone(), |name| format!("{name}: {remark}"));
    match try_way(analysis, way, rows, bench) {
        Ok(series) => {
            if let Some(tested) = way.tested {
                let recipe = bench.need(tested)?.recipe;
                outcome.remarks.push(named(format!("tested on instances of {}.", recipe.options_text())));
            }
            outcome.remarks.push(named(recipe_remark(&bench.need(way.extraction)?.recipe)));
            Ok(series)
        }
        Err(ExperimentError::Model { source: ModelError::EmptyPart { split, part }, .. })
            if way.name.is_some() =>
        {
            outcome.remarks.push(named(format!(
                "left out, because the split {split} of this data set leaves no instance to {part}."
            )));
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// The ways to compare: the variants, or the one way there is.
fn ways<'a>(analysis: &'a Scenarios, extraction: &'a Extraction) -> Vec<Way<'a>> {
    let plain = Way {
        name: None,
        split: analysis.split,
        extraction,
        tested: None,
        training: analysis.training,
        voice: Voice::Whole,
    };
    let varied = |variant: &'a Variant| Way {
        name: Some(&variant.name),
        split: variant.split.unwrap_or(analysis.split),
        extraction: variant.extraction.as_ref().unwrap_or(extraction),
        tested: variant.tested.as_ref(),
        training: variant.training.unwrap_or(analysis.training),
        voice: variant.voice,
    };
    if analysis.variants.is_empty() { vec![plain] } else { analysis.variants.iter().map(varied).collect() }
}

fn try_way(
    analysis: &Scenarios,
    way: &Way<'_>,
    rows: &[thingprint_instance::Labeled],
    bench: &mut Bench<'_>,
) -> Result<Vec<Series>, ExperimentError> {
    let recipe = bench.need(way.tested.unwrap_or(way.extraction))?.recipe;
    let window = recipe.options().ok().map(|options| options.flow.window);
    let mut all: Vec<Series> =
        analysis.scenarios.iter().map(|scenario| Series::of(*scenario, way, window)).collect();
    let tested = way.tested.map(|tested| bench.rows(tested)).transpose()?;
    for &seed in &bench.definition.seeds {
        let mut folds = Parts::folds(rows, way.split, seed)?;
        if let Some(tested) = tested {
            folds = folds.into_iter().map(|parts| parts.asked_about(tested)).collect();
        }
        for series in &mut all {
            bench.step(&format!("{}, seed {seed}", series.key));
            let options = TrainOptions { scenario: series.scenario, seed, ..way.training };
            let trial = bench.trial_by(way.voice, &folds, &options, analysis.threshold)?;
            series.add(trial, analysis);
        }
    }
    Ok(all)
}

impl Series {
    fn of(scenario: Scenario, way: &Way<'_>, window: Option<WindowLength>) -> Self {
        Self {
            key: way.name.map_or_else(|| scenario.to_string(), |name| format!("{name}/{scenario}")),
            scenario,
            way: way.name.map(str::to_owned),
            split: way.split,
            window,
            has_likeness: way.training.recipe == Recipe::Best,
            trials: Vec::new(),
            windows: WindowAnswers::default(),
        }
    }

    /// Keeps a trial, and of everything that was said only what is to be shown.
    fn add(&mut self, mut trial: Trial, analysis: &Scenarios) {
        if analysis.show.contains(&Show::Comparison) {
            self.windows.extend(&trial.folds);
        }
        if !self.trials.is_empty() || !analysis.show.contains(&Show::Answers) {
            trial.folds = Vec::new();
        }
        self.trials.push(trial);
    }

    /// Everything that the models said, seed by seed.
    pub(super) fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.trials.iter().flat_map(|trial| &trial.answers)
    }

    fn measure(&self, analysis: &Scenarios, outcome: &mut Outcome) {
        let numbers: Vec<_> = self.trials.iter().map(Trial::numbers).collect();
        for (at, metric) in METRICS.iter().enumerate() {
            let values: Vec<f64> = numbers.iter().filter_map(|numbers| numbers[at]).collect();
            outcome.metrics.insert(&self.key, metric, &values);
        }
        for (is_right, metrics) in [(true, RIGHT_METRICS), (false, WRONG_METRICS)] {
            self.measure_answers(is_right, metrics, analysis.threshold, outcome);
        }
        let mut by_class: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for class in self.trials.iter().flat_map(|trial| &trial.evaluation.per_class) {
            by_class.entry(&class.class).or_default().extend(class.correct);
        }
        for (class, values) in by_class {
            outcome.metrics.insert(&self.key, &format!("correct[{class}]"), &values);
        }
        if analysis.show.contains(&Show::Cost) {
            outcome.costs.insert(self.key.clone(), self.trials.iter().map(|trial| trial.cost).collect());
        }
    }
}

impl Series {
    /// Number and confidence of the right or wrong answers, each of which counts the same.
    fn measure_answers(&self, is_right: bool, metrics: [&str; 3], threshold: f64, outcome: &mut Outcome) {
        let by_seed = |of: &dyn Fn(&Answer) -> f64| -> Vec<Vec<f64>> {
            let of_trial = |trial: &Trial| {
                trial.answers.iter().filter(|answer| answer.is_right() == is_right).map(of).collect()
            };
            self.trials.iter().map(of_trial).collect()
        };
        let [count, confidence, beyond] = metrics;
        let confidences = by_seed(&|answer| answer.confidence);
        let counts: Vec<f64> = confidences.iter().map(|answers| answers.len() as f64).collect();
        // Right answers are counted below the threshold, and wrong ones from it on: both are faults.
        let faults = by_seed(&|answer| f64::from(u8::from(answer.reaches(threshold) != is_right)));
        outcome.metrics.insert(&self.key, count, &counts);
        outcome.metrics.insert_pooled(&self.key, confidence, &confidences);
        outcome.metrics.insert_pooled(&self.key, beyond, &faults);
    }
}

impl Trial {
    /// The numbers of [`METRICS`].
    fn numbers(&self) -> [Option<f64>; METRICS.len()] {
        let measures = &self.evaluation.measures;
        [
            Some(measures.accuracy),
            Some(measures.rrse),
            Some(measures.macro_f1),
            Some(measures.calibration_error),
            Some(measures.coverage),
            measures.accepted_accuracy,
        ]
    }
}

fn summary(all: &[Series], outcome: &Outcome) -> Section {
    let mut table = Table::new([
        Column::texts("setting"),
        Column::decimals("trained on", 0),
        Column::count("tested on"),
        Column::percent("accuracy", 2),
        Column::percent("accuracy sd", 2),
        Column::decimals("RRSE %", 2),
        Column::decimals("RRSE sd", 2),
        Column::decimals("macro-F1", 3),
        Column::percent("accepted", 1),
        Column::percent("accuracy of accepted", 2),
    ]);
    let mut accuracies = Vec::new();
    for series in all {
        let Some(first) = series.trials.first() else { continue };
        let number = |metric: &str| outcome.metrics.get(&series.key, metric);
        let mean = |metric: &str| number(metric).map(|summary| summary.mean);
        let sd = |metric: &str| number(metric).and_then(|summary| summary.sd);
        table.add([
            Cell::from(series.key.as_str()),
            Cell::from(first.trained_on),
            Cell::from(first.evaluation.instances),
            Cell::from(mean("accuracy")),
            Cell::from(sd("accuracy")),
            Cell::from(mean("rrse")),
            Cell::from(sd("rrse")),
            Cell::from(mean("macro_f1")),
            Cell::from(mean("coverage")),
            Cell::from(mean("accepted_accuracy")),
        ]);
        accuracies.push(number("accuracy").map(Estimate::from));
    }
    let chart = Bars {
        title: "Accuracy".to_owned(),
        description: "Mean share of test instances classified correctly, with the deviation over seeds"
            .to_owned(),
        x_label: "setting".to_owned(),
        value: Axis::percent("accuracy"),
        groups: all.iter().map(|series| series.key.clone()).collect(),
        series: vec![BarSeries { name: "accuracy".to_owned(), values: accuracies }],
        arrangement: Arrangement::Grouped,
    };
    Section {
        name: "summary".to_owned(),
        heading: "Accuracy and error".to_owned(),
        prose: summary_prose(all),
        table,
        chart: (all.len() > 1).then(|| chart.into()),
    }
}

fn summary_prose(all: &[Series]) -> String {
    let has_likeness = all.iter().any(|series| series.has_likeness);
    let accepted = if has_likeness {
        ", and by the recipe best those of them alone whose likeness does, too"
    } else {
        ""
    };
    let not_tested: String = all.iter().filter_map(Series::classes_not_tested).collect();
    format!(
        "Means over the seeds, with their standard deviation (divisor n - 1; none for one seed). RRSE is the root relative \
         squared error as Weka defines it. Accepted are answers whose confidence reaches the threshold{accepted}.{not_tested}"
    )
}

fn by_seed(all: &[Series], seeds: &[u64]) -> Section {
    let mut table = Table::new([
        Column::texts("setting"),
        Column::count("seed"),
        Column::percent("accuracy", 2),
        Column::decimals("RRSE %", 2),
        Column::decimals("macro-F1", 3),
        Column::decimals("calibration error", 4),
    ]);
    for series in all {
        for (seed, trial) in seeds.iter().zip(&series.trials) {
            let measures = &trial.evaluation.measures;
            table.add([
                Cell::from(series.key.as_str()),
                Cell::from(*seed),
                Cell::from(measures.accuracy),
                Cell::from(measures.rrse),
                Cell::from(measures.macro_f1),
                Cell::from(measures.calibration_error),
            ]);
        }
    }
    Section {
        name: "seeds".to_owned(),
        heading: "Each seed".to_owned(),
        prose: "A seed draws the split and the forest.".to_owned(),
        table,
        chart: None,
    }
}

/// What the definition asks for beside the numbers.
fn show(analysis: &Scenarios, all: &[Series], seeds: &[u64], outcome: &mut Outcome) {
    let paper = |series: &Series| analysis.paper.get(&series.scenario);
    for series in all.iter().filter(|_| analysis.show.contains(&Show::Classes)) {
        let table = ClassTable::of(series.answers());
        outcome.sections.push(table.section(&series.key, &series.file_part(), paper(series)));
    }
    let Some(last) = all.last() else { return };
    let first = last.trials.first().filter(|_| analysis.show.contains(&Show::Answers));
    if let Some(trial) = first {
        let seed = seeds.first().copied().unwrap_or_default();
        outcome.attachments.extend(answers::attachments(&trial.folds, &last.key, seed));
    }
    if analysis.show.contains(&Show::Confusion) {
        outcome.sections.push(Confusions::of(last.answers()).section(&last.key));
    }
    if analysis.show.contains(&Show::Confidence) {
        let by_seed: Vec<&[Answer]> = last.trials.iter().map(|trial| trial.answers.as_slice()).collect();
        outcome.sections.push(confidence::section(&by_seed, analysis.threshold, &last.key));
    }
}

impl Series {
    /// Which classes were tested, and on how much, where that is not all of them.
    fn classes_not_tested(&self) -> Option<String> {
        let all =
            self.trials.iter().flat_map(|trial| &trial.evaluation.classes).collect::<BTreeSet<_>>().len();
        let mut tested: BTreeMap<&str, u64> = BTreeMap::new();
        for answer in self.answers() {
            *tested.entry(&answer.truth).or_default() += 1;
        }
        let named: Vec<String> = tested.iter().map(|(class, count)| format!("{class} ({count})")).collect();
        (tested.len() < all).then(|| {
            format!(
                " {} tests {} of {all} classes only, with so many instances over all seeds: {}.",
                self.key,
                tested.len(),
                named.join(", ")
            )
        })
    }

    /// The key as a part of a file name.
    fn file_part(&self) -> String {
        let text = match &self.way {
            Some(way) => format!("{way}-{}", self.scenario),
            None => self.scenario.to_string(),
        };
        let fold = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        text.chars().map(fold).collect()
    }
}
