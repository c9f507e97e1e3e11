//! From an outcome to the files of a result: the same bytes for the same outcome.
mod csv;
mod html;
mod markdown;

use std::fmt::Write as _;

use serde::Serialize;
use thingprint_figure::Figure as _;

use crate::definition::{Cost, Definition, Expectation};
use crate::error::ExperimentError;
use crate::outcome::{Metrics, Outcome, Summary, Table, Value};

/// A run, and all that its report says of it.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The experiment.
    pub definition: &'a Definition,
    /// What it was run on.
    pub source: &'a DataSource,
    /// What it gave.
    pub outcome: &'a Outcome,
    /// Machine, versions and inputs, as the caller knows them; the content of `environment.txt`.
    pub environment: &'a str,
}

/// Where the data of a run come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSource {
    /// Name of the data set.
    pub dataset: String,
    /// Whether a simulator made the data.
    pub is_simulated: bool,
    /// What the data are, in a sentence or two.
    pub description: String,
}

/// A file of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultFile {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// An expectation beside what was found.
#[derive(Clone, Copy, Debug)]
struct Compared<'a> {
    expectation: &'a Expectation,
    found: Option<Summary>,
    is_met: Option<bool>,
}

#[derive(Serialize)]
struct MetricsFile<'a> {
    experiment: &'a str,
    dataset: &'a str,
    simulated: bool,
    seeds: &'a [u64],
    scenarios: &'a Metrics,
    expectations: Vec<MetricsLine<'a>>,
}

#[derive(Serialize)]
struct MetricsLine<'a> {
    scenario: &'a str,
    metric: &'a str,
    paper: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    found: Option<f64>,
    in_band: Option<bool>,
}

impl<'a> Report<'a> {
    /// All files of the result: `report.md`, `report.html`, `metrics.json`, `environment.txt`, a CSV file for each table
    /// and an SVG file for each figure.
    pub fn files(&self) -> Result<Vec<ResultFile>, ExperimentError> {
        let mut files = vec![
            ResultFile { name: "report.md".to_owned(), text: markdown::page(self) },
            ResultFile { name: "report.html".to_owned(), text: html::page(self) },
            ResultFile { name: "metrics.json".to_owned(), text: self.metrics_json()? },
            ResultFile { name: "environment.txt".to_owned(), text: self.environment.to_owned() },
        ];
        for section in &self.outcome.sections {
            files.push(ResultFile { name: format!("{}.csv", section.name), text: csv::text(&section.table) });
            if let Some(chart) = &section.chart {
                files.push(ResultFile { name: format!("{}.svg", section.name), text: chart.svg() });
            }
        }
        if let Some(costs) = self.costs() {
            files.push(ResultFile { name: "costs.csv".to_owned(), text: csv::text(&costs) });
        }
        Ok(files)
    }

    /// Whether every band for this data set holds what was found; `None` when there is no band, or nothing was measured.
    pub fn is_as_expected(&self) -> Option<bool> {
        self.compared().iter().filter_map(|compared| compared.is_met).reduce(|all, met| all && met)
    }

    fn metrics_json(&self) -> Result<String, ExperimentError> {
        let compared = self.compared();
        let line = |compared: &Compared<'a>| MetricsLine {
            scenario: &compared.expectation.scenario,
            metric: &compared.expectation.metric,
            paper: compared.expectation.paper,
            low: compared.expectation.low,
            high: compared.expectation.high,
            found: compared.found.map(|summary| summary.mean),
            in_band: compared.is_met,
        };
        let file = MetricsFile {
            experiment: &self.definition.name,
            dataset: &self.source.dataset,
            simulated: self.source.is_simulated,
            seeds: &self.definition.seeds,
            scenarios: &self.outcome.metrics,
            expectations: compared.iter().map(line).collect(),
        };
        let mut text = serde_json::to_string_pretty(&file)?;
        text.push('\n');
        Ok(text)
    }

    /// The expectations in the order of the definition.
    fn compared(&self) -> Vec<Compared<'a>> {
        let compare = |expectation: &'a Expectation| {
            let found = self.outcome.metrics.get(&expectation.scenario, &expectation.metric);
            let is_met = found.and_then(|found| expectation.is_met(&self.source.dataset, found.mean));
            Compared { expectation, found, is_met }
        };
        self.definition.expectations.iter().map(compare).collect()
    }

    /// Paper and run side by side; `None` without anything to compare with.
    fn comparison(&self) -> Option<Table> {
        let mut table = Table::new([
            "scenario",
            "metric",
            "paper",
            "run",
            "sd",
            "expected",
            "verdict",
            "place in the paper",
            "why",
        ]);
        for Compared { expectation, found, is_met } in self.compared() {
            let optional = |text: &Option<String>| text.as_deref().map_or(Value::Absent, Value::from);
            table.push([
                Value::from(expectation.scenario.as_str()),
                Value::from(expectation.metric.as_str()),
                Value::real(expectation.paper, 4),
                Value::real(found.map(|found| found.mean), 4),
                Value::real(found.and_then(|found| found.sd), 4),
                is_met.map_or(Value::Absent, |_| Value::from(band(expectation))),
                Value::from(match (found, is_met) {
                    (None, _) => "not measured",
                    (_, Some(true)) => IN_BAND,
                    (_, Some(false)) => OUTSIDE,
                    (_, None) => "no band",
                }),
                optional(&expectation.place),
                is_met.map_or(Value::Absent, |_| optional(&expectation.why)),
            ]);
        }
        (!table.rows.is_empty()).then_some(table)
    }

    /// What each setting took, as means over the seeds; `None` where nothing was measured.
    fn costs(&self) -> Option<Table> {
        let mut table = Table::new(["setting", "training s", "prediction s", "most memory MB"]);
        for (key, costs) in &self.outcome.costs {
            let mean = |of: fn(&Cost) -> f64| costs.iter().map(of).sum::<f64>() / costs.len().max(1) as f64;
            let peak = costs.iter().filter_map(|cost| cost.peak_bytes).max();
            table.push([
                Value::from(key.as_str()),
                Value::Real(mean(|cost| cost.fit_s), 2),
                Value::Real(mean(|cost| cost.predict_s), 2),
                Value::real(peak.map(|bytes| bytes as f64 / 1e6), 1),
            ]);
        }
        (!table.rows.is_empty()).then_some(table)
    }

    /// What kind of data this is, said in every report.
    fn data_line(&self) -> String {
        let DataSource { dataset, is_simulated, description } = self.source;
        let kind = if *is_simulated {
            "Simulated data: no network was captured, and what is found here holds for the simulation"
        } else {
            "Captured data"
        };
        format!("Data set {dataset}. {kind}. {}", one_line(description))
    }

    fn seeds_line(&self) -> String {
        let mut line = "Seeds: ".to_owned();
        for (at, seed) in self.definition.seeds.iter().enumerate() {
            let _ = write!(line, "{}{seed}", if at == 0 { "" } else { ", " });
        }
        line
    }

    /// Prose about costs, which differ from run to run.
    const fn costs_line() -> &'static str {
        "Means over the seeds; the memory is the most that training or prediction took at once, in any of them, beyond \
         the instances and all else that was there before. Times differ from run to run and from machine to machine, \
         and memory a little with the number of threads; all else in this report does not."
    }
}

/// Verdict of a number inside its band.
const IN_BAND: &str = "in the band";
/// Verdict of a number outside its band.
const OUTSIDE: &str = "OUTSIDE";

fn band(expectation: &Expectation) -> String {
    match (expectation.low, expectation.high) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
        (None, None) => "-".to_owned(),
    }
}

/// A text on one line: breaks and runs of blanks become one blank.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
