//! Classes that are identified better or worse than in the paper, the largest difference first.
use thingprint_table::{Cell, Column, Table};

use super::classes::ClassTable;
use super::scenarios::Series;
use crate::definition::Scenarios;
use crate::outcome::Section;

/// Least difference that is reported: as far as a share may be from the paper's.
const LEAST: f64 = 0.05;

/// What rounding does to a difference of shares, at most.
const ROUNDING: f64 = 1e-9;

/// A class that a scenario tells otherwise than the paper's.
struct Difference {
    scenario: String,
    class: String,
    tested: u64,
    paper: f64,
    run: f64,
    taken_for: Option<String>,
    taken_for_in_paper: Option<String>,
}

/// The classes that differ by more than [`LEAST`]; `None` where the definition has no classes of the paper.
pub(super) fn section(analysis: &Scenarios, all: &[Series]) -> Option<Section> {
    let mut differences = Vec::new();
    let (mut compared, mut beyond) = (0_u64, 0_u64);
    for series in all {
        for difference in of_series(analysis, series) {
            compared += 1;
            if difference.by().abs() > LEAST + ROUNDING {
                beyond += 1;
                differences.push(difference);
            }
        }
    }
    differences.sort_by(|a, b| b.by().abs().total_cmp(&a.by().abs()));
    (compared > 0).then(|| Section {
        name: "differences".to_owned(),
        heading: "Where the run differs from the paper".to_owned(),
        prose: format!(
            "{beyond} of {compared} pairs of scenario and class are identified correctly in a share that is more than 5 points from \
             the paper's, the furthest first. Shares are over all seeds; below 0 the run is worse."
        ),
        table: table(&differences),
        chart: None,
    })
}

fn of_series(analysis: &Scenarios, series: &Series) -> Vec<Difference> {
    let Some(paper) = analysis.paper.get(&series.scenario) else { return Vec::new() };
    let classes = ClassTable::of(series.answers());
    let mistaken = analysis.mistaken.get(&series.scenario);
    let difference = |(class, percent): (&String, &f64)| {
        let (tested, run, taken_for) = classes.of_class(class)?;
        Some(Difference {
            scenario: series.key.clone(),
            class: class.clone(),
            tested,
            paper: percent / 100.0,
            run,
            taken_for,
            taken_for_in_paper: mistaken.and_then(|mistaken| mistaken.get(class)).cloned(),
        })
    };
    paper.iter().filter_map(difference).collect()
}

impl Difference {
    /// How much more is right here than in the paper.
    fn by(&self) -> f64 {
        self.run - self.paper
    }
}

fn table(differences: &[Difference]) -> Table {
    let mut table = Table::new([
        Column::texts("scenario"),
        Column::texts("class"),
        Column::count("tested"),
        Column::percent("paper", 1),
        Column::percent("run", 1),
        Column::percent("difference", 1),
        Column::texts("mistaken for"),
        Column::texts("mistaken for in the paper"),
    ]);
    for difference in differences {
        table.add([
            Cell::from(difference.scenario.as_str()),
            Cell::from(difference.class.as_str()),
            Cell::from(difference.tested),
            Cell::from(difference.paper),
            Cell::from(difference.run),
            Cell::from(difference.by()),
            Cell::from(difference.taken_for.as_deref()),
            Cell::from(difference.taken_for_in_paper.as_deref()),
        ]);
    }
    table
}
