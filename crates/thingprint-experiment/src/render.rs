//! From an outcome to the files of a result: the same bytes for the same outcome.
mod html;
mod markdown;

use std::fmt::Write as _;

use serde::Serialize;
use thingprint_figure::Figure as _;
use thingprint_table::{Badge, Cell, Column, Format, Style, Table, Tone, Type, write};

use crate::definition::{Band, BandRule, Cost, Definition, Expectation};
use crate::error::ExperimentError;
use crate::outcome::{Attachment, Metrics, Outcome, Summary};

/// A run, and all that its report says of it.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The experiment.
    pub definition: &'a Definition,
    /// What it was run on.
    pub source: &'a DataSource,
    /// How much was read: captures, time, classes, devices, instances, in words.
    pub read: &'a str,
    /// What it gave.
    pub outcome: &'a Outcome,
    /// Versions and inputs, as the caller knows them; the content of `environment.txt`.
    pub environment: &'a str,
    /// What it was computed on; said where times are.
    pub machine: &'a Machine,
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

/// What a result was computed on, as far as numbers do not depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Operating system and processor.
    pub system: String,
    /// Threads.
    pub threads: usize,
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
    /// The band for this data set.
    band: Option<Band>,
    verdict: Verdict,
}

/// What an expectation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    InBand,
    Outside,
    /// Outside, on the side that is better than the paper.
    Easier,
    /// There is a band, or at least a value of the paper, and no number.
    NotMeasured,
    /// There is a number, and no band for this data set.
    NoBand,
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
        for section in self.outcome.sections.iter().chain(&self.outcome.clocked) {
            files.push(ResultFile { name: format!("{}.csv", section.name), text: csv(&section.table)? });
            if let Some(chart) = &section.chart {
                files.push(ResultFile { name: format!("{}.svg", section.name), text: chart.svg() });
            }
        }
        for attachment in &self.outcome.attachments {
            let name = format!("{}.csv", attachment.name);
            files.push(ResultFile { name, text: csv(&attachment.table)? });
        }
        if let Some(costs) = self.costs() {
            files.push(ResultFile { name: "costs.csv".to_owned(), text: csv(&costs)? });
        }
        Ok(files)
    }

    /// Whether every band for this data set holds what was found, where what was not measured is not in its band;
    /// `None` when there is no band.
    pub fn is_as_expected(&self) -> Option<bool> {
        self.compared().iter().filter_map(Compared::is_met).reduce(|all, met| all && met)
    }

    /// What is not as expected, each like `final accuracy` or `final rrse (not measured)`.
    pub fn misses(&self) -> Vec<String> {
        let name = |compared: &Compared<'_>| {
            let Expectation { scenario, metric, .. } = compared.expectation;
            let kind = match compared.verdict {
                Verdict::NotMeasured => " (not measured)",
                Verdict::Easier => " (better than the paper's)",
                _ => "",
            };
            format!("{scenario} {metric}{kind}")
        };
        let all = self.compared();
        all.iter().filter(|compared| compared.is_met() == Some(false)).map(name).collect()
    }

    fn metrics_json(&self) -> Result<String, ExperimentError> {
        let compared = self.compared();
        let line = |compared: &Compared<'a>| MetricsLine {
            scenario: &compared.expectation.scenario,
            metric: &compared.expectation.metric,
            paper: compared.expectation.paper,
            low: compared.band.and_then(|band| band.low),
            high: compared.band.and_then(|band| band.high),
            found: compared.found.map(|summary| summary.mean),
            in_band: compared.is_met(),
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
            let band = expectation.band_on(&self.source.dataset);
            let verdict = match (found, band) {
                (None, _) => Verdict::NotMeasured,
                (Some(_), None) => Verdict::NoBand,
                (Some(found), Some(band)) if band.holds(found.mean) => Verdict::InBand,
                (Some(found), Some(_)) if expectation.is_better(found.mean) => Verdict::Easier,
                _ => Verdict::Outside,
            };
            Compared { expectation, found, band, verdict }
        };
        self.definition.expectations.iter().map(compare).collect()
    }

    /// Paper and run side by side; `None` without anything to compare with.
    fn comparison(&self) -> Option<Table> {
        let mut table = Table::new([
            Column::texts("scenario"),
            Column::texts("metric"),
            Column::decimals("paper", 4),
            Column::decimals("run", 4),
            Column::decimals("sd", 4),
            Column::texts("of"),
            Column::texts("expected"),
            Column::new("verdict", Type::Badges),
            Column::texts("place in the paper"),
            Column::texts("why"),
        ]);
        for Compared { expectation, found, band, verdict } in self.compared() {
            let rule = expectation.band.map(BandRule::why);
            table.add([
                Cell::from(expectation.scenario.as_str()),
                Cell::from(expectation.metric.as_str()),
                Cell::from(expectation.paper),
                Cell::from(found.map(|found| found.mean)),
                Cell::from(found.and_then(|found| found.sd)),
                Cell::from(found.map(basis)),
                Cell::from(band.map(in_words)),
                verdict.cell(),
                Cell::from(expectation.place.as_deref()),
                Cell::from(band.and(expectation.why.as_deref().or(rule))),
            ]);
        }
        (table.rows() > 0).then_some(table)
    }

    /// What to think of numbers that are better than the paper's by more than their bands; `None` where there is none.
    fn easier_line(&self) -> Option<String> {
        let is_easier = self.compared().iter().any(|compared| compared.verdict == Verdict::Easier);
        let cause = if self.source.is_simulated {
            "a simulated device does the same hour after hour, without the updates, faults, moves and new habits of half \
             a year, and where nothing is published its profile is a guess that has less variety than a device"
        } else {
            "other devices, fewer of them, or fewer days are less to tell apart"
        };
        is_easier.then(|| {
            format!(
                "What is better than the paper's by more than its band is no success of the classifier: these data are \
                 easier than the paper's trace, since {cause}."
            )
        })
    }

    /// What each setting took, as means over the seeds; `None` where nothing was measured.
    fn costs(&self) -> Option<Table> {
        let mut table = Table::new([
            Column::texts("setting"),
            Column::decimals("training s", 2),
            Column::decimals("prediction s", 2),
            Column::decimals("most memory MB", 1),
        ]);
        for (key, costs) in &self.outcome.costs {
            let mean = |of: fn(&Cost) -> f64| costs.iter().map(of).sum::<f64>() / costs.len().max(1) as f64;
            let peak = costs.iter().filter_map(|cost| cost.peak_bytes).max();
            table.add([
                Cell::from(key.as_str()),
                Cell::from(mean(|cost| cost.fit_s)),
                Cell::from(mean(|cost| cost.predict_s)),
                Cell::from(peak.map(|bytes| bytes as f64 / 1e6)),
            ]);
        }
        (table.rows() > 0).then_some(table)
    }

    /// On what the clocked tables were measured.
    fn clocked_line(&self) -> String {
        format!("Measured on {}.", self.machine.system)
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

    /// How much was read, and what of the paper's is not in it.
    fn read_line(&self) -> String {
        let mut line = format!("Read: {}.", self.read);
        let absent = &self.outcome.absent;
        if !absent.is_empty() {
            let named = self.definition.classes().len();
            let _ = write!(
                line,
                " Of the {named} classes that are compared with the paper, {} are not in these data: {}.",
                absent.len(),
                absent.join(", ")
            );
        }
        line
    }

    /// What the attachments are.
    fn attached(&self) -> Vec<String> {
        let line = |attachment: &Attachment| format!("{}.csv: {}", attachment.name, attachment.what);
        self.outcome.attachments.iter().map(line).collect()
    }

    fn seeds_line(&self) -> String {
        let mut line = "Seeds: ".to_owned();
        for (at, seed) in self.definition.seeds.iter().enumerate() {
            let _ = write!(line, "{}{seed}", if at == 0 { "" } else { ", " });
        }
        line
    }

    /// Prose about costs, which differ from run to run.
    fn costs_line(&self) -> String {
        let Machine { system, threads } = self.machine;
        format!(
            "Measured on {system} with {threads} threads. Means over the seeds; the memory is the most that training or prediction took at once, in any of them, beyond \
         the instances and all else that was there before. Times differ from run to run and from machine to machine, \
         and memory a little with the number of threads; all else in this report does not."
        )
    }
}

impl Compared<'_> {
    /// Whether the number lies in its band, where there is one.
    fn is_met(&self) -> Option<bool> {
        self.band.map(|_| self.verdict == Verdict::InBand)
    }
}

impl Verdict {
    fn cell(self) -> Cell {
        let (text, tone) = match self {
            Self::InBand => ("in the band", Tone::Good),
            Self::Outside => ("OUTSIDE", Tone::High),
            Self::Easier => ("OUTSIDE: better than the paper's", Tone::High),
            Self::NotMeasured => ("not measured", Tone::Plain),
            Self::NoBand => ("no band", Tone::Plain),
        };
        Badge::new(text, tone).into()
    }
}

/// What a mean is made of.
fn basis(summary: Summary) -> String {
    let Summary { seeds, answers, .. } = summary;
    let seeds = format!("{seeds} seed{}", if seeds == 1 { "" } else { "s" });
    answers.map_or_else(|| seeds.clone(), |answers| format!("{answers} answers of {seeds}"))
}

fn in_words(band: Band) -> String {
    // Ends that follow from the paper's value have its digits and no rounding's.
    let end = |value: f64| {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match (band.low.map(end), band.high.map(end)) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
        (None, None) => "-".to_owned(),
    }
}

/// A table as CSV, with every row and every digit.
fn csv(table: &Table) -> Result<String, ExperimentError> {
    let mut bytes = Vec::new();
    write(table, Format::Csv, &mut bytes, Style::default())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text on one line: breaks and runs of blanks become one blank.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
