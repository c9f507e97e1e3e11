//! How many answers are accepted, by confidence and by likeness, and how large sets of classes are.
use thingprint_model::Measures;
use thingprint_table::{Cell, Column, Table};

use super::scenarios::Series;
use crate::outcome::{Metrics, Section};

/// What it measures.
pub(super) const METRICS: [&str; 5] =
    ["confident_coverage", "confident_accuracy", "set_size", "set_coverage", "set_coverage_worst"];

fn values(measures: &Measures) -> [Option<f64>; METRICS.len()] {
    [
        Some(measures.confident_coverage),
        measures.confident_accuracy,
        Some(measures.set_size),
        Some(measures.set_coverage),
        Some(measures.set_coverage_worst),
    ]
}

/// The table, whose numbers go into the metrics.
pub(super) fn section(all: &[Series], metrics: &mut Metrics) -> Section {
    let mut table = Table::new([
        Column::texts("setting"),
        Column::percent("confident", 1),
        Column::percent("accuracy of confident", 2),
        Column::percent("accepted", 1),
        Column::percent("accuracy of accepted", 2),
        Column::decimals("set size", 2),
        Column::percent("sets with the class", 2),
        Column::percent("of the worst class", 1),
    ]);
    for series in all {
        for (at, metric) in METRICS.iter().enumerate() {
            let of_trials = series
                .trials
                .iter()
                .filter_map(|trial| values(&trial.evaluation.measures).get(at).copied()?);
            metrics.insert(&series.key, metric, &of_trials.collect::<Vec<f64>>());
        }
        let mean = |metric: &str| Cell::from(metrics.get(&series.key, metric).map(|summary| summary.mean));
        table.add([
            Cell::from(series.key.as_str()),
            mean("confident_coverage"),
            mean("confident_accuracy"),
            mean("coverage"),
            mean("accepted_accuracy"),
            mean("set_size"),
            mean("set_coverage"),
            mean("set_coverage_worst"),
        ]);
    }
    Section {
        name: "acceptance".to_owned(),
        heading: "Accepted answers and sets of classes".to_owned(),
        prose: "Confident are answers whose confidence reaches the threshold; accepted are those of them whose likeness \
                reaches that of 95 % of the training's own windows, too. A set has the fewest classes that together have \
                95 % of the probability. Means over the seeds; the worst class is that of each seed."
            .to_owned(),
        table,
        chart: None,
    }
}
