//! Windows under way: what is answered how early, by evidence that costs more or less to collect.
mod sections;
mod strangers;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{EvidenceSet, Labeled};
use thingprint_model::{Model, Scenario, Split, TrainOptions};

use super::trial::{Answer, Bench, Parts, class_of, share};
use super::{Measuring, recipe_remark};
use crate::definition::{
    Checked, Method, Need, check_share, check_single, check_training, ensure, has_twice, random, threshold,
    whole,
};
use crate::error::ExperimentError;
use crate::extraction_cost::ExtractionCost;
use crate::outcome::{Metrics, Outcome};
use crate::text::{parsed, training};

/// How metrics call windows that are final.
const FINAL: &str = "whole";
/// What stands before the scenarios of windows in which a device appears.
const APPEARED: &str = "appeared";
/// A device that was silent for so long appears anew.
const SILENCE_S: f64 = 86_400.0;
/// Fewer windows than these say nothing that holds elsewhere.
const FEW_WINDOWS: usize = 100;
const NANOS_A_SECOND: f64 = 1e9;

/// What is measured of the answers.
const METRICS: [&str; 7] =
    ["asked", "answered", "accuracy", "confident", "confident_accuracy", "accepted", "accepted_accuracy"];
/// What is measured of a device's state at a time.
const KEPT_METRICS: [&str; 3] = ["open_flows", "flow_bytes", "window_bytes"];
/// What is measured of final windows.
const ROW_METRIC: &str = "row_bytes";

/// Asks about windows under way, by groups of evidence, and measures what extraction of each group costs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveCost {
    /// Seconds after a device's first packet in a window, ascending.
    pub seconds: Vec<u32>,
    /// The groups, the cheapest first.
    #[serde(rename = "group")]
    pub groups: Vec<CostGroup>,
    /// The split of final windows: a model trains on the training part, and windows of the test part are asked about.
    #[serde(default = "random", deserialize_with = "parsed")]
    pub split: Split,
    /// Confidence from which on an answer is sure.
    #[serde(default = "threshold")]
    pub threshold: f64,
    /// How often the extraction of each group is measured.
    pub runs: u32,
    /// Data sets whose devices are strangers; classes that this one has, too, are left out.
    #[serde(default)]
    pub others: Vec<String>,
}

/// Evidence that is collected, and a model that looks at it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostGroup {
    /// Its name.
    pub name: String,
    /// What the classifier looks at.
    #[serde(default = "whole", deserialize_with = "parsed")]
    pub scenario: Scenario,
    /// How the classifier is trained.
    #[serde(default, deserialize_with = "training")]
    pub training: TrainOptions,
    /// Whether each class is left out of the training in turn, with the first seed, to see whether it is accepted.
    #[serde(default)]
    pub strangers: bool,
}

/// Answers about the same windows at a time, seed by seed.
#[derive(Default)]
struct Point {
    values: BTreeMap<&'static str, Vec<f64>>,
}

/// The answers of a group by time, of all windows and of those in which a device appears.
type Points = BTreeMap<String, Point>;

/// A window: its device, its start, and its capture where it is one.
type Key<'r> = (DeviceId, Timestamp, Option<&'r str>);

/// The windows at a time, by what they are.
struct Table<'r> {
    time: String,
    rows: BTreeMap<Key<'r>, &'r Labeled>,
}

impl Method for LiveCost {
    fn check(&self) -> Checked {
        let seconds = &self.seconds;
        let is_fine = !seconds.is_empty() && seconds.is_sorted_by(|a, b| a < b) && !seconds.contains(&0);
        ensure(is_fine, "seconds", "expected numbers from 1, ascending")?;
        let names: Vec<&str> = self.groups.iter().map(|group| group.name.as_str()).collect();
        let is_fine = !names.is_empty() && !has_twice(&names) && !names.iter().any(|name| is_taken(name));
        ensure(
            is_fine,
            "group",
            "expected groups, each with a name of its own without '/', none 'appeared'",
        )?;
        ensure(self.runs > 0, "runs", "expected a number from 1")?;
        check_share("threshold", self.threshold)?;
        check_single(self.split)?;
        self.groups.iter().try_for_each(|group| check_training(&group.training))
    }

    fn others(&self) -> &[String] {
        &self.others
    }

    fn so_far_s(&self) -> &[u32] {
        &self.seconds
    }

    fn measuring(&self) -> Option<Measuring> {
        let of_group = |group: &CostGroup| (group.name.clone(), group.evidence());
        Some(Measuring { runs: self.runs, evidence: self.groups.iter().map(of_group).collect() })
    }

    fn scenarios(&self) -> Vec<String> {
        let times: Vec<String> = self.times().collect();
        let all = self.groups.iter().flat_map(|group| times.iter().map(|time| key(group, time)));
        let all: Vec<String> = all.collect();
        let appeared = all.iter().map(|key| format!("{APPEARED}/{key}"));
        appeared.chain(all.iter().cloned()).collect()
    }

    fn has_metric(&self, scenario: &str, metric: &str) -> bool {
        let is_whole = scenario.ends_with(&format!("/{FINAL}"));
        let is_all = !scenario.starts_with(APPEARED);
        METRICS.contains(&metric)
            || (is_all && strangers::METRICS.contains(&metric))
            || (is_all && !is_whole && KEPT_METRICS.contains(&metric))
            || (is_all && is_whole && metric == ROW_METRIC)
    }

    fn run(&self, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
        let rows = bench.own_rows()?;
        let tables = self.tables(bench)?;
        let appearing = appearing(rows);
        let (foreign, left_out) = self.foreign_tables(bench);
        let mut points = Points::new();
        for &seed in &bench.definition.seeds {
            let parts = Parts::required(rows, self.split, seed)?;
            for group in &self.groups {
                bench.step(&format!("{}, seed {seed}", group.name));
                let options = TrainOptions { scenario: group.scenario, seed, ..group.training };
                let model = bench.fit(&parts.train, &options)?;
                self.ask((&model, group), &parts.test, (&tables, &appearing, bench), &mut points);
                self.ask_about_others((&model, group), &foreign, bench, &mut points);
            }
        }
        let mut outcome = Outcome::default();
        for (key, point) in &points {
            point.values.iter().for_each(|(metric, values)| outcome.metrics.insert(key, metric, values));
        }
        self.ask_about_strangers(&tables, bench, &mut outcome.metrics)?;
        let costs = bench.material.extraction_costs;
        for cost in costs {
            note_cost(cost, &mut outcome.metrics);
        }
        outcome.remarks = self.remarks(&bench.need(&bench.definition.extraction)?, &points);
        outcome.remarks.extend(left_out);
        outcome.sections = sections::sections(self, &outcome.metrics);
        outcome.clocked = sections::clocked(costs);
        Ok(outcome)
    }
}

impl LiveCost {
    /// Names of the times: seconds, and final windows.
    fn times(&self) -> impl Iterator<Item = String> + '_ {
        self.seconds.iter().map(|seconds| time(*seconds)).chain([FINAL.to_owned()])
    }

    /// The windows at each time.
    fn tables<'r>(&self, bench: &Bench<'r>) -> Result<Vec<Table<'r>>, ExperimentError> {
        let own = bench.need(&bench.definition.extraction)?;
        let mut tables = vec![Table::of(FINAL.to_owned(), bench.own_rows()?)];
        for &seconds in &self.seconds {
            let need = Need { so_far_s: Some(seconds), ..own.clone() };
            tables.push(Table::of(time(seconds), bench.material.instances_of(&need)?));
        }
        Ok(tables)
    }

    /// Asks a model about the tested windows, at each time.
    fn ask(
        &self,
        (model, group): (&Model, &CostGroup),
        tested: &[&Labeled],
        (tables, appearing, bench): (&[Table<'_>], &BTreeSet<Key<'_>>, &Bench<'_>),
        points: &mut Points,
    ) {
        let (new, old): (Vec<&Labeled>, Vec<&Labeled>) =
            tested.iter().partition(|row| appearing.contains(&key_of(row)));
        for table in tables {
            let key = key(group, &table.time);
            let answers = |rows: &[&Labeled]| self.answers((model, bench), table, rows);
            let (of_new, of_old) = (answers(&new), answers(&old));
            if !new.is_empty() {
                let point = points.entry(format!("{APPEARED}/{key}")).or_default();
                point.note(&of_new, (new.len(), self.threshold));
            }
            let all: Vec<Answer> = of_new.into_iter().chain(of_old).collect();
            points.entry(key).or_default().note(&all, (tested.len(), self.threshold));
        }
    }

    fn remarks(&self, own: &Need, points: &Points) -> Vec<String> {
        let first = self.groups.first().map(|group| format!("{APPEARED}/{}", key(group, FINAL)));
        let asked = first.and_then(|key| points.get(&key)?.values.get("asked").cloned()).unwrap_or_default();
        let few = asked.iter().fold(0.0, |most: f64, asked| most.max(*asked));
        let mut remarks = vec![recipe_remark(&own.recipe)];
        if few < FEW_WINDOWS as f64 {
            remarks.push(format!(
                "Among the tested windows are {few:.0} in which a device appears, after a day of silence or in a capture of its \
                 own: too few to say how early a device is known that was not there before."
            ));
        }
        remarks
    }
}

impl CostGroup {
    fn evidence(&self) -> EvidenceSet {
        TrainOptions { scenario: self.scenario, ..self.training }.looks_at()
    }
}

impl<'r> Table<'r> {
    /// Of windows that are there twice, since traces overlap, the first.
    fn of(time: String, rows: impl IntoIterator<Item = &'r Labeled>) -> Self {
        let mut by_key = BTreeMap::new();
        for row in rows {
            by_key.entry(key_of(row)).or_insert(row);
        }
        Self { time, rows: by_key }
    }

    /// The same windows as they were at this time.
    fn twins(&self, rows: &[&Labeled]) -> Vec<&'r Labeled> {
        rows.iter().filter_map(|row| self.rows.get(&key_of(row)).copied()).collect()
    }
}

impl Point {
    /// Notes the answers of a seed, of so many windows that were asked about.
    fn note(&mut self, answers: &[Answer], (asked, threshold): (usize, f64)) {
        let all = asked.max(1) as f64;
        let confident: Vec<&Answer> = answers.iter().filter(|answer| answer.reaches(threshold)).collect();
        let accepted: Vec<&Answer> = answers.iter().filter(|answer| answer.is_accepted).collect();
        let of_right = |answers: &[&Answer]| share(answers, |answer| answer.is_right());
        let found = [
            Some(asked as f64),
            Some(answers.len() as f64 / all),
            share(answers, |answer| answer.is_right()),
            Some(confident.len() as f64 / all),
            of_right(&confident),
            Some(accepted.len() as f64 / all),
            of_right(&accepted),
        ];
        for (metric, value) in METRICS.into_iter().zip(found) {
            self.values.entry(metric).or_default().extend(value);
        }
    }
}

/// Notes what does not depend on a clock.
fn note_cost(cost: &ExtractionCost, metrics: &mut Metrics) {
    for (seconds, kept) in &cost.kept {
        let key = format!("{}/{}", cost.name, time(*seconds));
        for (metric, value) in
            KEPT_METRICS.into_iter().zip([kept.open_flows, kept.flow_bytes, kept.window_bytes])
        {
            metrics.insert(&key, metric, &[value]);
        }
    }
    let row_bytes: Vec<f64> = cost.row_bytes.into_iter().collect();
    metrics.insert(&format!("{}/{FINAL}", cost.name), ROW_METRIC, &row_bytes);
}

/// The windows in which a device appears: after a day of silence, and those that are a capture of their own. The first
/// window of a trace is none: the device may have been there before.
fn appearing(rows: &[Labeled]) -> BTreeSet<Key<'_>> {
    let mut by_device: Vec<&Labeled> = rows.iter().filter(|row| class_of(row).is_some()).collect();
    by_device.sort_by_key(|row| key_of(row));
    let is_after_silence = |pair: &&[&Labeled]| {
        let [before, row] = pair else { return false };
        let (before, row) = (&before.instance, &row.instance);
        let apart_s = row.window_start.nanos_since(before.window_start) as f64 / NANOS_A_SECOND;
        before.device == row.device && apart_s - before.window_s >= SILENCE_S
    };
    let after_silence = by_device.windows(2).filter(is_after_silence).filter_map(|pair| pair.last());
    let alone = by_device.iter().filter(|row| row.instance.capture.is_some());
    after_silence.chain(alone).map(|row| key_of(row)).collect()
}

fn key_of(row: &Labeled) -> Key<'_> {
    (row.instance.device, row.instance.window_start, row.instance.capture.as_deref())
}

fn key(group: &CostGroup, time: &str) -> String {
    format!("{}/{time}", group.name)
}

fn time(seconds: u32) -> String {
    format!("{seconds}s")
}

fn is_taken(name: &str) -> bool {
    name.is_empty() || name == APPEARED || name.contains('/')
}
