//! What a run gives, as data: numbers, tables, figures, and what each is to be compared with.
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use thingprint_figure::Estimate;
use thingprint_table::Table;

use crate::chart::Chart;
use crate::definition::Cost;

/// What a run of an experiment on a data set gives.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The numbers, by scenario and metric.
    pub metrics: Metrics,
    /// Tables and figures, in the order of the report.
    pub sections: Vec<Section>,
    /// What has to be known beside the numbers: variants left out, classes that are missing.
    pub remarks: Vec<String>,
    /// What each training took, by scenario, where the experiment asks for it.
    pub costs: BTreeMap<String, Vec<Cost>>,
    /// Tables of what a clock and an allocator said: they differ from run to run.
    pub clocked: Vec<Section>,
    /// Tables that are files of the result and too long for the report.
    pub attachments: Vec<Attachment>,
    /// Classes that the definition names, as the paper has them, and the data do not have.
    pub absent: Vec<String>,
}

/// A table that is a file of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    /// Name of the file, without extension.
    pub name: String,
    /// What is in it.
    pub what: String,
    /// The rows.
    pub table: Table,
}

/// Numbers of a run, by scenario and metric. Shares are from 0 to 1; the root relative squared error is in percent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Metrics(pub BTreeMap<String, BTreeMap<String, Summary>>);

/// A number over the seeds of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of the seeds' values, with divisor n - 1: how far one more seed is expected to lie from
    /// the mean. `None` for a single value, which says nothing of that.
    pub sd: Option<f64>,
    /// How many seeds gave a value: fewer than the experiment has, where some have nothing to measure.
    #[serde(skip)]
    pub seeds: u64,
    /// How many answers of all seeds together are behind the mean, where it is a mean of answers and not of seeds.
    #[serde(skip)]
    pub answers: Option<u64>,
}

impl Outcome {
    /// Gives each section and attachment a file name of its own: of equal ones, like two variants whose names differ in
    /// punctuation alone, the later are numbered.
    pub(crate) fn name_apart(&mut self) {
        let mut taken: BTreeSet<String> = RESERVED.map(str::to_owned).into();
        let sections = self.sections.iter_mut().chain(&mut self.clocked).map(|section| &mut section.name);
        for name in sections.chain(self.attachments.iter_mut().map(|attachment| &mut attachment.name)) {
            let mut numbered = name.clone();
            let mut number = 2_u32;
            while !taken.insert(numbered.clone()) {
                numbered = format!("{name}-{number}");
                number = number.saturating_add(1);
            }
            *name = numbered;
        }
    }
}

/// Names of files that a report has anyway.
const RESERVED: [&str; 1] = ["costs"];

impl Summary {
    /// Mean and deviation of these values; `None` without any.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let sd = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        (!values.is_empty()).then_some(Self { mean, sd, seeds: values.len() as u64, answers: None })
    }

    /// The mean of all answers together, with the deviation of the seeds' means; `None` without an answer.
    fn pooled(by_seed: &[Vec<f64>]) -> Option<Self> {
        let mean = |values: &[f64]| Self::of(values).map(|summary| summary.mean);
        let of_seeds: Vec<f64> = by_seed.iter().filter_map(|values| mean(values)).collect();
        let all: Vec<f64> = by_seed.concat();
        let seeds = Self::of(&of_seeds)?;
        Some(Self { mean: mean(&all)?, answers: Some(all.len() as u64), ..seeds })
    }
}

impl From<Summary> for Estimate {
    fn from(Summary { mean, sd, .. }: Summary) -> Self {
        Self { mean, sd }
    }
}

impl Metrics {
    /// The number of a scenario.
    pub fn get(&self, scenario: &str, metric: &str) -> Option<Summary> {
        self.0.get(scenario)?.get(metric).copied()
    }

    /// Sums up the values that the seeds gave; no values leave no number.
    pub(crate) fn insert(&mut self, scenario: &str, metric: &str, values: &[f64]) {
        self.put(scenario, metric, Summary::of(values));
    }

    /// Sums up values of single answers, of which each counts the same whatever its seed.
    pub(crate) fn insert_pooled(&mut self, scenario: &str, metric: &str, by_seed: &[Vec<f64>]) {
        self.put(scenario, metric, Summary::pooled(by_seed));
    }

    fn put(&mut self, scenario: &str, metric: &str, summary: Option<Summary>) {
        if let Some(summary) = summary {
            self.0.entry(scenario.to_owned()).or_default().insert(metric.to_owned(), summary);
        }
    }
}

/// A table of the report, with a figure where one helps.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Name of its files, without extension.
    pub name: String,
    /// Heading.
    pub heading: String,
    /// What is seen, and how it was reckoned.
    pub prose: String,
    /// The numbers.
    pub table: Table,
    /// The figure.
    pub chart: Option<Chart>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        // 2, 4 and 9: mean 5, squares 9 + 1 + 16 = 26, of which half.
        let summary = Summary::of(&[2.0, 4.0, 9.0]);
        assert_eq!(summary, Some(Summary { mean: 5.0, sd: Some(13.0_f64.sqrt()), seeds: 3, answers: None }));
        assert_eq!(Summary::of(&[3.0]), Some(Summary { mean: 3.0, sd: None, seeds: 1, answers: None }));
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn no_two_files_have_one_name() {
        let section = |name: &str| Section {
            name: name.to_owned(),
            heading: String::new(),
            prose: String::new(),
            table: Table::default(),
            chart: None,
        };
        let sections = ["a-b", "costs", "a-b", "a-b-2"].map(section).to_vec();
        let mut outcome = Outcome { sections, ..Outcome::default() };
        outcome.name_apart();
        let names: Vec<&str> = outcome.sections.iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["a-b", "costs-2", "a-b-2", "a-b-2-2"]);
    }

    #[test]
    fn answers_count_the_same_whatever_their_seed() {
        let summary = Summary::pooled(&[vec![1.0, 2.0, 3.0], vec![], vec![6.0]]).unwrap();
        // The mean of 1, 2, 3 and 6 is 3, while the mean of the two seeds' means, 2 and 6, would be 4.
        assert_eq!((summary.mean, summary.seeds, summary.answers), (3.0, 2, Some(4)));
        assert_eq!(summary.sd, Some(8.0_f64.sqrt()));
        assert_eq!(Summary::pooled(&[vec![], vec![]]), None);
    }
}
