use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use thingprint_model::{Answer, SET_MASS, TestedFold};
use thingprint_report::{AtomicFile, PredictionFile, PredictionRow};
use thingprint_table::{Format, Style};

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

/// Writes all answers to a file that appears when it is committed.
pub(super) fn stage(path: &Path, folds: &[TestedFold]) -> anyhow::Result<AtomicFile> {
    let context = || format!("failed to write --predictions {}", path.display());
    let table = file(folds).table();
    let mut file = AtomicFile::create(path).with_context(context)?;
    thingprint_table::write(&table, format_of(path)?, &mut file, Style::default()).with_context(context)?;
    file.flush().with_context(context)?;
    Ok(file)
}

fn file(folds: &[TestedFold]) -> PredictionFile {
    let names = folds.iter().flat_map(|fold| &fold.classes).map(|class| &*class.name);
    let names: BTreeSet<&str> = names.collect();
    let rows = folds.iter().flat_map(|fold| fold.answers.iter().map(|answer| row(fold, answer, &names)));
    PredictionFile { rows: rows.collect(), classes: names.iter().map(|name| (*name).to_owned()).collect() }
}

fn row(fold: &TestedFold, answer: &Answer, names: &BTreeSet<&str>) -> PredictionRow {
    let prediction = &answer.prediction;
    let probability = |name: &&str| prediction.distribution.get(fold.classes.number(name)?).copied();
    PredictionRow {
        device: prediction.device,
        window_start: prediction.window_start,
        capture: answer.capture.as_deref().map(str::to_owned),
        fold: fold.fold,
        seed: fold.seed,
        truth: answer.truth.to_string(),
        class: prediction.class.to_string(),
        confidence: prediction.confidence,
        likeness: prediction.likeness,
        accepted: answer.is_accepted(),
        set: prediction.set(SET_MASS).into_iter().map(|class| fold.classes.name(class).to_string()).collect(),
        probabilities: names.iter().map(probability).collect(),
    }
}
