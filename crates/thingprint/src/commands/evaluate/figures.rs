use std::path::{Path, PathBuf};

use anyhow::Context;
use thingprint_figure::{Axis, Confusion, Estimate, Figure, LinePoint, LineSeries, Lines};
use thingprint_model::{CalibrationBin, Evaluation};
use thingprint_report::Transaction;
use thingprint_table::{Cell, Column, Format, Style, Table, Type};

const CONFUSION: &str = "confusion.svg";
const COUNTS: &str = "confusion.csv";
const CALIBRATION: &str = "calibration.svg";

/// The files that go into a folder.
pub(super) fn files(folder: &Path) -> [PathBuf; 3] {
    [CONFUSION, COUNTS, CALIBRATION].map(|name| folder.join(name))
}

/// Draws an evaluation to files in a folder.
pub(super) fn write(folder: &Path, evaluation: &Evaluation, results: &Transaction) -> anyhow::Result<()> {
    let mut counts = Vec::new();
    thingprint_table::write(&matrix(evaluation)?, Format::Csv, &mut counts, Style::default())?;
    let context = || format!("failed to write --figures {}", folder.display());
    let staged = results.folder(folder).with_context(context)?;
    staged.write(CONFUSION, confusion(evaluation).svg().as_bytes()).with_context(context)?;
    staged.write(COUNTS, &counts).with_context(context)?;
    staged.write(CALIBRATION, calibration(evaluation).svg().as_bytes()).with_context(context)?;
    staged.finish();
    Ok(())
}

fn names(evaluation: &Evaluation) -> Vec<String> {
    evaluation.classes.iter().map(ToString::to_string).collect()
}

fn confusion(evaluation: &Evaluation) -> Confusion {
    Confusion {
        title: "Confusion matrix".to_owned(),
        description: "Share of the instances of each true class (rows) by answer (columns)".to_owned(),
        actual: names(evaluation),
        predicted: names(evaluation),
        counts: evaluation.confusion.clone(),
    }
}

/// The matrix as it is drawn: a row for each true class, a column for each answer.
fn matrix(evaluation: &Evaluation) -> anyhow::Result<Table> {
    let answers = evaluation.classes.iter().map(|class| Column::new(class.to_string(), Type::Real));
    let mut table = Table::new([Column::new("true class", Type::Text)].into_iter().chain(answers));
    for (class, row) in evaluation.classes.iter().zip(&evaluation.confusion) {
        let counts = row.iter().map(|count| Cell::from(*count));
        table.push([Cell::from(class.to_string())].into_iter().chain(counts))?;
    }
    Ok(table)
}

/// Accuracy against confidence. The band is one standard error of a share of so many answers, with one more answer of each
/// kind, so that a bin with no mistake has one, too.
fn calibration(evaluation: &Evaluation) -> Lines {
    let point = |bin: &CalibrationBin| {
        let accuracy = bin.accuracy?;
        let share = (accuracy * bin.instances + 1.0) / (bin.instances + 2.0);
        let error = (share * (1.0 - share) / (bin.instances + 2.0)).sqrt();
        Some(LinePoint { x: bin.confidence?, y: Estimate::new(accuracy, error) })
    };
    let exact = [0.0, 1.0].map(|at| LinePoint { x: at, y: at.into() });
    Lines {
        title: "Calibration".to_owned(),
        description: "Share of right answers against their mean confidence, in ten bins of confidence"
            .to_owned(),
        x: Axis::new("confidence", "").bounds(0.0, 1.0),
        y: Axis::percent("right answers").bounds(0.0, 1.0),
        series: vec![
            LineSeries {
                name: "answers".to_owned(),
                points: evaluation.calibration.iter().filter_map(point).collect(),
            },
            LineSeries { name: "perfect calibration".to_owned(), points: exact.to_vec() },
        ],
        guides: Vec::new(),
    }
}
