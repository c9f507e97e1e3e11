//! Files of predictions: what a classifier said of each labelled window, with the probability of every class.
mod cells;
mod columns;
mod json;
mod read;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_table::{Cell, Column, Table, Type};

pub use read::read_predictions;

const DEVICE: &str = "device";
const WINDOW: &str = "window";
const CAPTURE: &str = "capture";
const SPLIT: &str = "split";
const FOLD: &str = "fold";
const SEED: &str = "seed";
const TRUTH: &str = "truth";
const CLASS: &str = "class";
const CONFIDENCE: &str = "confidence";
const LIKENESS: &str = "likeness";
const ACCEPTED: &str = "accepted";
const SET: &str = "set";

/// The columns before those of probabilities.
const COLUMNS: [(&str, Type); 12] = [
    (DEVICE, Type::Text),
    (WINDOW, Type::Time),
    (CAPTURE, Type::Text),
    (SPLIT, Type::Text),
    (FOLD, Type::Unsigned),
    (SEED, Type::Unsigned),
    (TRUTH, Type::Text),
    (CLASS, Type::Text),
    (CONFIDENCE, Type::Real),
    (LIKENESS, Type::Real),
    (ACCEPTED, Type::Flag),
    (SET, Type::List),
];

/// What a classifier said of a labelled window.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictionRow {
    /// The device.
    pub device: DeviceId,
    /// Start of the window.
    pub window_start: Timestamp,
    /// The capture, where it is the window.
    pub capture: Option<String>,
    /// The split that the fold is of, as `--split` names it; `None` where a file does not say.
    pub split: Option<String>,
    /// The fold that tested the window, from 1.
    pub fold: u32,
    /// Seed of the split and of the model.
    pub seed: u64,
    /// The true class.
    pub truth: String,
    /// The answer.
    pub class: String,
    /// Its probability.
    pub confidence: f64,
    /// How like the answer's class the window is; `None` where the model has no likeness.
    pub likeness: Option<f64>,
    /// Whether the answer is accepted.
    pub accepted: bool,
    /// The smallest set of classes that has 95 % of the probability, the most likely first.
    pub set: Vec<String>,
    /// Numbers of classes in [`PredictionFile::classes`], ascending, with their probabilities; without those that the model does
    /// not know.
    pub probabilities: Vec<(usize, f64)>,
}

/// What [`read_predictions`] finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PredictionFile {
    /// The classes that have probabilities, in the order of columns.
    pub classes: Vec<String>,
    /// The rows in the order of the file.
    pub rows: Vec<PredictionRow>,
}

impl PredictionFile {
    /// The rows as a table: a column `probability[CLASS]` for each class follows those of the rows themselves.
    pub fn table(self) -> Table {
        let probabilities = self.classes.iter().map(|class| Column::new(probability(class), Type::Real));
        let columns = COLUMNS.into_iter().map(|(name, r#type)| Column::new(name, r#type));
        let mut table = Table::new(columns.chain(probabilities));
        for row in self.rows {
            table.add(row.cells(self.classes.len()));
        }
        table
    }
}

impl PredictionRow {
    fn cells(self, classes: usize) -> impl Iterator<Item = Cell> {
        let cells = [
            Cell::from(self.device.to_string()),
            Cell::from(self.window_start),
            Cell::from(self.capture),
            Cell::from(self.split),
            Cell::from(u64::from(self.fold)),
            Cell::from(self.seed),
            Cell::from(self.truth),
            Cell::from(self.class),
            Cell::from(self.confidence),
            Cell::from(self.likeness),
            Cell::from(self.accepted),
            Cell::from(self.set),
        ];
        let mut probabilities = vec![None; classes];
        for (class, probability) in self.probabilities {
            if let Some(place) = probabilities.get_mut(class) {
                *place = Some(probability);
            }
        }
        cells.into_iter().chain(probabilities.into_iter().map(Cell::from))
    }
}

/// The column of a class.
fn probability(class: &str) -> String {
    format!("probability[{class}]")
}

/// The class of a column.
fn class_of(column: &str) -> Option<&str> {
    column.strip_prefix("probability[")?.strip_suffix(']')
}

#[cfg(test)]
mod tests;
