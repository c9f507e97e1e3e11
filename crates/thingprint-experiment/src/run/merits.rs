//! The merit of each attribute (Fig. 12c).
use std::collections::BTreeMap;

use thingprint_figure::{Axis, Class, Ranking, RankingRow};
use thingprint_instance::CollectionCost;
use thingprint_model::{Input, TrainOptions};
use thingprint_table::{Cell, Column, Table};

use super::trial::{Bench, Parts};
use crate::definition::{Checked, Merits, Method, check_single, is_any, names};
use crate::error::ExperimentError;
use crate::outcome::{Outcome, Section, Summary};

/// Cost of collecting what the paper does not have.
const UNKNOWN_COST: &str = "unknown";

impl Method for Merits {
    fn check(&self) -> Checked {
        check_single(self.split)
    }

    fn scenarios(&self) -> Vec<String> {
        names(["merit", "rank"])
    }

    fn has_metric(&self, scenario: &str, metric: &str) -> bool {
        is_input(metric, scenario == "merit")
    }

    fn run(&self, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
        run(self, bench)
    }
}

/// Whether stage-1 has the input; confidences have a merit and no rank.
fn is_input(name: &str, with_confidences: bool) -> bool {
    let inputs = TrainOptions::default().inputs().unwrap_or_default();
    is_any(
        name,
        inputs.into_iter().filter(|input| with_confidences || !matches!(input, Input::Confidence(_))),
    )
}

fn run(analysis: &Merits, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
    let rows = bench.own_rows()?;
    let mut merits: BTreeMap<Input, Vec<f64>> = BTreeMap::new();
    let mut ranks: BTreeMap<Input, Vec<f64>> = BTreeMap::new();
    for &seed in &bench.definition.seeds {
        bench.step(&format!("merits, seed {seed}"));
        let parts = Parts::required(rows, analysis.split, seed)?;
        let model = bench.fit(&parts.train, &TrainOptions { seed, ..TrainOptions::default() })?;
        let found = model
            .merits(parts.train.iter().copied())
            .map_err(ExperimentError::model(format!("merits, seed {seed}")))?;
        for merit in &found {
            merits.entry(merit.input).or_default().push(merit.merit);
        }
        let attributes = found.iter().filter(|merit| is_attribute(merit.input));
        for (rank, merit) in (1_u32..).zip(attributes) {
            ranks.entry(merit.input).or_default().push(f64::from(rank));
        }
    }
    let mut outcome = Outcome::default();
    for (input, values) in &merits {
        outcome.metrics.insert("merit", &input.to_string(), values);
    }
    for (input, values) in &ranks {
        outcome.metrics.insert("rank", &input.to_string(), values);
    }
    outcome.sections.push(section(&merits));
    Ok(outcome)
}

/// Whether the paper's figure has a bar for the input: a bag stands there with the class that its stage-0 finds.
fn is_attribute(input: Input) -> bool {
    !matches!(input, Input::Confidence(_))
}

/// What collecting an input costs (§6.1).
fn cost(input: Input) -> Option<CollectionCost> {
    match input {
        Input::Number(attribute) => attribute.cost(),
        Input::Class(bag) | Input::Confidence(bag) => bag.cost(),
    }
}

/// The classes of the figure: the groups of cost, and one more where an input is in none of them.
fn cost_classes(summaries: &[(Input, Summary)]) -> Vec<String> {
    let has_unknown = summaries.iter().any(|(input, _)| cost(*input).is_none());
    let groups = CollectionCost::ALL.map(CollectionCost::name).into_iter();
    groups.chain(has_unknown.then_some(UNKNOWN_COST)).map(|cost| format!("{cost} cost")).collect()
}

/// Place of an input in [`cost_classes`].
fn cost_class(input: Input) -> usize {
    let groups = CollectionCost::ALL;
    groups.iter().position(|group| Some(*group) == cost(input)).unwrap_or(groups.len())
}

fn section(merits: &BTreeMap<Input, Vec<f64>>) -> Section {
    let mut summaries: Vec<_> =
        merits.iter().filter_map(|(input, values)| Some((*input, Summary::of(values)?))).collect();
    summaries.sort_by(|a, b| b.1.mean.total_cmp(&a.1.mean));
    let mut table = Table::new([
        Column::texts("input"),
        Column::texts("cost of collecting"),
        Column::decimals("merit in bits", 3),
        Column::decimals("sd", 3),
    ]);
    for (input, summary) in &summaries {
        table.add([
            Cell::from(input.to_string()),
            Cell::from(cost(*input).map_or(UNKNOWN_COST, CollectionCost::name)),
            Cell::from(summary.mean),
            Cell::from(summary.sd),
        ]);
    }
    let row = |(input, summary): &(Input, Summary)| RankingRow {
        label: input.to_string(),
        value: (*summary).into(),
        class: cost_class(*input),
    };
    let chart = Ranking {
        title: "Merit of the attributes".to_owned(),
        description: "Information gain of each attribute, coloured by what collecting it costs".to_owned(),
        value: Axis::new("information gain", "bit"),
        classes: Class::list(cost_classes(&summaries)),
        rows: summaries.iter().filter(|(input, _)| is_attribute(*input)).map(row).collect(),
    };
    Section {
        name: "merits".to_owned(),
        heading: "Merit of the inputs".to_owned(),
        prose: "Information gain of the class, numbers cut into intervals by Fayyad and Irani's minimum description \
                length, on the training part. A bag stands with the class that its stage-0 finds; confidences are in \
                the table only."
            .to_owned(),
        table,
        chart: Some(chart.into()),
    }
}
