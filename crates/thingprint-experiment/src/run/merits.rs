//! The merit of each attribute (Fig. 12c).
use std::collections::BTreeMap;

use thingprint_figure::{Axis, Class, Ranking, RankingRow};
use thingprint_instance::Attribute;
use thingprint_model::{BagName, Input, TrainOptions};

use super::trial::{Bench, Parts};
use crate::definition::Merits;
use crate::error::ExperimentError;
use crate::outcome::{Outcome, Section, Summary, Table, Value};

/// Costs of collecting an attribute (§6.1), in the order of the figure's classes.
const COSTS: [&str; 3] = ["low", "medium", "high"];

pub(super) fn run(analysis: &Merits, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
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

/// Place in [`COSTS`].
const fn cost(input: Input) -> usize {
    match input {
        Input::Number(Attribute::FlowVolumeBytes | Attribute::FlowDurationS | Attribute::FlowRateBps) => 0,
        Input::Number(_) | Input::Class(BagName::Ports) | Input::Confidence(BagName::Ports) => 1,
        Input::Class(_) | Input::Confidence(_) => 2,
    }
}

fn section(merits: &BTreeMap<Input, Vec<f64>>) -> Section {
    let mut summaries: Vec<_> =
        merits.iter().filter_map(|(input, values)| Some((*input, Summary::of(values)?))).collect();
    summaries.sort_by(|a, b| b.1.mean.total_cmp(&a.1.mean));
    let mut table = Table::new(["input", "cost of collecting", "merit in bits", "sd"]);
    for (input, summary) in &summaries {
        table.push([
            Value::from(input.to_string()),
            Value::from(COSTS[cost(*input)]),
            Value::Real(summary.mean, 3),
            Value::real(summary.sd, 3),
        ]);
    }
    let row = |(input, summary): &(Input, Summary)| RankingRow {
        label: input.to_string(),
        value: (*summary).into(),
        class: cost(*input),
    };
    let chart = Ranking {
        title: "Merit of the attributes".to_owned(),
        description: "Information gain of each attribute, coloured by what collecting it costs".to_owned(),
        value: Axis::new("information gain", "bit"),
        classes: Class::list(COSTS.map(|cost| format!("{cost} cost"))),
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
