//! Variants against the first one with the same split and length of windows, window by window.
use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use thingprint_model::{Comparison, Contrast, FEWEST_DAYS};
use thingprint_table::{Cell, Column, Table};

use super::scenarios::Series;
use crate::outcome::{Metrics, Section};

/// What it measures: differences from the first variant.
pub(super) const METRICS: [&str; 3] = ["accuracy_difference", "rrse_difference", "mcnemar_p"];

/// Seed of the draws.
const SEED: u64 = 1;

/// The table; `None` where no two variants have a split and a length of windows in common.
pub(super) fn section(all: &[Series], metrics: &mut Metrics, jobs: NonZeroUsize) -> Option<Section> {
    let mut table = Table::new([
        Column::texts("setting"),
        Column::texts("against"),
        Column::count("windows"),
        Column::count("device-days"),
        Column::count("alone right"),
        Column::count("other alone right"),
        Column::texts("McNemar's p"),
        Column::texts("accuracy, points"),
        Column::texts("RRSE %"),
    ]);
    let mut tests: BTreeSet<&str> = BTreeSet::new();
    for (at, series) in all.iter().enumerate() {
        // Windows of other lengths that start at the same time are not the same windows.
        let of = |series: &Series| (series.split, series.scenario, series.window);
        let is_like = |other: &&Series| of(other) == of(series);
        let Some(other) = all.iter().take(at).find(is_like) else { continue };
        let Some(found) = Comparison::of(&series.windows, &other.windows, SEED, jobs) else { continue };
        tests.insert(found.mcnemar.test.name());
        measure(&series.key, &found, metrics);
        table.add(cells(series, other, &found));
    }
    let tests: Vec<&str> = tests.into_iter().collect();
    (table.rows() > 0).then(|| Section {
        name: "comparison".to_owned(),
        heading: "Variants compared".to_owned(),
        prose: prose(&tests),
        table,
        chart: None,
    })
}

fn measure(key: &str, found: &Comparison, metrics: &mut Metrics) {
    let [accuracy, rrse, p] = METRICS;
    metrics.insert(key, accuracy, &[found.accuracy.difference]);
    metrics.insert(key, p, &[found.mcnemar.p]);
    if let Some(contrast) = found.rrse {
        metrics.insert(key, rrse, &[contrast.difference]);
    }
}

fn cells(series: &Series, other: &Series, found: &Comparison) -> [Cell; 9] {
    [
        Cell::from(series.key.as_str()),
        Cell::from(other.key.as_str()),
        Cell::from(found.pairs),
        Cell::from(found.device_days),
        Cell::from(found.right),
        Cell::from(found.right_other),
        Cell::from(probability(found.mcnemar.p)),
        Cell::from(interval(found.accuracy, 100.0)),
        Cell::from(found.rrse.map(|rrse| interval(rrse, 1.0))),
    ]
}

fn prose(tests: &[&str]) -> String {
    format!(
        "Each variant against the first one with the same split and length of windows, window by window and seed by seed; shares and errors of a \
         window are means over the seeds, so that more seeds do not make more windows. Differences have 95 % intervals by a \
         bootstrap over whole days of devices, of which there must be {FEWEST_DAYS}. McNemar's test ({}) counts a window for \
         the variant that has it right with more seeds. It takes windows for independent, which those of a day are not: where \
         the two disagree, believe the interval.",
        tests.join("; ")
    )
}

/// A difference with the ends of its interval, like `+1.22 (+0.70 to +1.81)`.
fn interval(contrast: Contrast, unit: f64) -> String {
    // Nothing has no sign.
    let text = |value: f64| format!("{:+.2}", value * unit).replace("-0.00", "+0.00");
    match (contrast.low, contrast.high) {
        (Some(low), Some(high)) => {
            format!("{} ({} to {})", text(contrast.difference), text(low), text(high))
        }
        _ => text(contrast.difference),
    }
}

fn probability(p: f64) -> String {
    if p < 1e-4 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_signs_and_ends() {
        let contrast =
            |low, high| Contrast { value: 0.9, other: 0.8775, difference: 0.0225, low: Some(low), high };
        assert_eq!(interval(contrast(-0.01, Some(0.035)), 100.0), "+2.25 (-1.00 to +3.50)");
        assert_eq!(interval(contrast(-1e-9, Some(0.5)), 1.0), "+0.02 (+0.00 to +0.50)");
        assert_eq!(interval(contrast(0.0, None), 100.0), "+2.25");
        assert_eq!((probability(0.012_34), probability(1e-9)), ("0.0123".to_owned(), "< 0.0001".to_owned()));
    }
}
