use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use thingprint_model::{Answer, SET_MASS, TestedFold};
use thingprint_report::{PredictionFile, PredictionRow, Transaction};
use thingprint_table::{Format, Style};

use super::report::Tested;
use crate::exit::Usage;

/// Formats that `--against` reads back.
const FORMATS: [Format; 4] = [Format::Csv, Format::Parquet, Format::Json, Format::Jsonl];

/// The format of a file of predictions, by its extension.
pub(super) fn format_of(path: &Path) -> Result<Format, Usage> {
    let format = Format::of_extension(path).filter(|format| FORMATS.contains(format));
    format.ok_or_else(|| {
        let name = path.display();
        Usage(format!("--predictions: unknown extension of {name}: use one of csv, parquet, json, jsonl"))
    })
}

/// Writes all answers to a file.
pub(super) fn write(path: &Path, tested: &Tested, results: &Transaction) -> anyhow::Result<()> {
    let context = || format!("failed to write --predictions {}", path.display());
    let table = file(tested).table();
    let mut file = results.file(path).with_context(context)?;
    thingprint_table::write(&table, format_of(path)?, &mut file, Style::default()).with_context(context)?;
    file.finish().with_context(context)
}

fn file(tested: &Tested) -> PredictionFile {
    let names = tested.folds.iter().flat_map(|fold| &fold.classes).map(|class| &*class.name);
    let names: BTreeSet<&str> = names.collect();
    let of_fold = |fold: &'_ TestedFold| -> Vec<PredictionRow> {
        let numbers = numbers(fold, &names);
        fold.answers.iter().map(|answer| row(fold, answer, &tested.split, &numbers)).collect()
    };
    let rows = tested.folds.iter().flat_map(of_fold).collect();
    PredictionFile { rows, classes: names.iter().map(|name| (*name).to_owned()).collect() }
}

/// Of each class that a fold knows, ascending by its number in the file: that number, and the one in the fold.
fn numbers(fold: &TestedFold, names: &BTreeSet<&str>) -> Vec<(usize, usize)> {
    let both = |(at, name): (usize, &&str)| Some((at, fold.classes.number(name)?));
    names.iter().enumerate().filter_map(both).collect()
}

fn row(fold: &TestedFold, answer: &Answer, split: &str, numbers: &[(usize, usize)]) -> PredictionRow {
    let prediction = &answer.prediction;
    let probability = |(at, class): &(usize, usize)| Some((*at, *prediction.distribution.get(*class)?));
    PredictionRow {
        device: prediction.device,
        window_start: prediction.window_start,
        capture: answer.capture.as_deref().map(str::to_owned),
        split: Some(split.to_owned()),
        fold: fold.fold,
        seed: fold.seed,
        truth: answer.truth.to_string(),
        class: prediction.class.to_string(),
        confidence: prediction.confidence,
        likeness: prediction.likeness,
        accepted: answer.is_accepted(),
        set: prediction.set(SET_MASS).into_iter().map(|class| fold.classes.name(class).to_string()).collect(),
        probabilities: numbers.iter().filter_map(probability).collect(),
    }
}
