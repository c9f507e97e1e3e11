//! Writes training and test instances as Weka reads them, and what this crate makes of them, for
//! `experiments/weka-check/run`.
//!
//! `cargo run --release -p thingprint-model --example weka_export -- FOLDER [INSTANCES] [SEEDS]`

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;

use serde_json::{Value, json};
use thingprint_instance::{BagName, EvidenceSet, Kind, Labeled};
use thingprint_model::{
    Acceptance, Evaluation, Input, Measures, Model, Scenario, Stage0Backend, TrainOptions,
};

#[path = "../benches/synthetic/mod.rs"]
mod synthetic;

/// What stands for an absent number where Weka is not to fill it in: below every number, as in the forest.
const ABSENT: &str = "-1";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("give a folder")?;
    let count: usize = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    let seeds: u64 = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let folder = Path::new(&folder);
    let rows = synthetic::instances(count, 1);
    let (train, test) = rows.split_at(count * 7 / 10);
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text);
    let model = fit(train, &TrainOptions::default())?;
    let words = words(train);
    write("bag-train.arff", bag_table(train, &words, &model))?;
    write("bag-test.arff", bag_table(test, &words, &model))?;
    write("stage1-train.arff", stage1_table(train, &model, ABSENT))?;
    write("stage1-test.arff", stage1_table(test, &model, ABSENT))?;
    write("merit-train.arff", stage1_table(train, &model, "?"))?;
    let (bayes, probabilities) = bayes(train, test)?;
    for (name, text) in probabilities {
        write(&name, text)?;
    }
    let merits = model.merits(train)?.into_iter().map(|merit| (merit.input.to_string(), merit.merit));
    let merits: BTreeMap<String, f64> = merits.collect();
    let ours = json!({ "bayes": bayes, "merits": merits, "forest": forests(train, test, seeds)? });
    write("ours.json", ours.to_string())?;
    Ok(())
}

fn fit(train: &[Labeled], options: &TrainOptions) -> Result<Model, thingprint_model::ModelError> {
    Model::fit(train, options, NonZeroUsize::MIN)
}

fn class_of(row: &Labeled) -> &str {
    row.label.as_ref().map_or("", |label| &label.class)
}

/// The vocabulary of server ports.
fn words(train: &[Labeled]) -> Vec<String> {
    let iot = train.iter().filter(|row| row.label.as_ref().is_some_and(|label| label.kind == Kind::Iot));
    let words: BTreeSet<String> = iot
        .filter_map(|row| row.instance.bags.get(BagName::PORTS))
        .flat_map(|bag| bag.keys().cloned())
        .collect();
    words.into_iter().collect()
}

fn class_list(model: &Model) -> String {
    let names: Vec<&str> = model.classes().iter().map(|class| &*class.name).collect();
    names.join(",")
}

/// Counts of words, the last column `others`.
fn bag_table(rows: &[Labeled], words: &[String], model: &Model) -> String {
    let mut text = String::from("@relation bag\n");
    for word in words {
        let _ = writeln!(text, "@attribute '{word}' numeric");
    }
    let _ = writeln!(text, "@attribute others numeric\n@attribute class {{{}}}\n@data", class_list(model));
    for row in rows {
        let mut counts = vec![0_u64; words.len() + 1];
        for (word, count) in row.instance.bags.get(BagName::PORTS).into_iter().flatten() {
            counts[words.binary_search(word).unwrap_or(words.len())] += count;
        }
        for count in counts {
            let _ = write!(text, "{count},");
        }
        let _ = writeln!(text, "{}", class_of(row));
    }
    text
}

/// The inputs of stage-1, as the model gives them.
fn stage1_table(rows: &[Labeled], model: &Model, absent: &str) -> String {
    let mut text = String::from("@relation stage1\n");
    for input in model.options().inputs().unwrap_or_default() {
        let _ = match input {
            Input::Class(_) => writeln!(text, "@attribute {input} {{{}}}", class_list(model)),
            Input::Confidence(_) | Input::Number(_) => writeln!(text, "@attribute {input} numeric"),
        };
    }
    let _ = writeln!(text, "@attribute class {{{}}}\n@data", class_list(model));
    for row in rows {
        let prediction = model.predict(&row.instance);
        for verdict in prediction.stage0.values() {
            let _ = write!(text, "{},", verdict.class);
        }
        for verdict in prediction.stage0.values() {
            let _ = write!(text, "{:?},", verdict.confidence);
        }
        for attribute in EvidenceSet::paper().numbers() {
            let _ = match row.instance.attributes.get(attribute) {
                Some(value) => write!(text, "{value:?},"),
                None => write!(text, "{absent},"),
            };
        }
        let _ = writeln!(text, "{}", class_of(row));
    }
    text
}

/// A file name, and the probabilities in it: a line for each instance.
type Probabilities = Vec<(String, String)>;

/// Accuracy and error of stage-0 on ports by both back ends, and every probability.
fn bayes(train: &[Labeled], test: &[Labeled]) -> Result<(Value, Probabilities), Box<dyn Error>> {
    let (mut scores, mut files) = (BTreeMap::new(), Vec::new());
    for stage0 in [Stage0Backend::Sparse, Stage0Backend::Linfa] {
        let options = TrainOptions { scenario: Scenario::Ports, stage0, ..TrainOptions::default() };
        let model = fit(train, &options)?;
        let mut lines = String::new();
        for row in test {
            let distribution = model.predict(&row.instance).distribution;
            let fields: Vec<String> = distribution.iter().map(|p| format!("{p:e}")).collect();
            let _ = writeln!(lines, "{}", fields.join(" "));
        }
        files.push((format!("bag-ours-{stage0}.txt"), lines));
        scores.insert(stage0.to_string(), score(&model, test)?);
    }
    Ok((json!(scores), files))
}

fn score(model: &Model, test: &[Labeled]) -> Result<Value, thingprint_model::ModelError> {
    let answers = model.answers(test, &Acceptance::default(), NonZeroUsize::MIN);
    let Measures { accuracy, rrse, .. } = Evaluation::of(&[model.tested(1, answers)], 0.8)?.measures;
    Ok(json!({ "accuracy": accuracy, "rrse": rrse }))
}

/// Scores of forests by seed, on the numbers that Weka sees.
fn forests(train: &[Labeled], test: &[Labeled], seeds: u64) -> Result<Value, Box<dyn Error>> {
    let absent: f64 = ABSENT.parse()?;
    let filled = |rows: &[Labeled]| {
        let mut rows = rows.to_vec();
        for row in &mut rows {
            for attribute in EvidenceSet::paper().numbers() {
                let value = row.instance.attributes.get(attribute).unwrap_or(absent);
                row.instance.attributes.set(attribute, Some(value));
            }
        }
        rows
    };
    let (train, test) = (filled(train), filled(test));
    let mut scores = Vec::new();
    for seed in 1..=seeds {
        let model = fit(&train, &TrainOptions { seed, ..TrainOptions::default() })?;
        scores.push(score(&model, &test)?);
    }
    Ok(json!(scores))
}
