//! Every answer of a model with the probability of each class, so that all measures can be worked out again.
use thingprint_table::{Cell, Column, Table};

use std::collections::BTreeSet;

use crate::outcome::Attachment;
use thingprint_model::{Answer, TestedFold};

/// The answers, and the priors that the root relative squared error compares them with.
pub(super) fn attachments(folds: &[TestedFold], key: &str, seed: u64) -> [Attachment; 2] {
    let whose = format!("{key}, seed {seed}");
    let answers = Attachment {
        name: "answers".to_owned(),
        what: format!(
            "{whose}: for each tested instance its class, the answer, and the probability of every class. The accuracy is \
             the share of rows whose class and answer are the same; the RRSE is the root of the sum of (probability - 1 if \
             it is the class, else 0) squared over all rows and classes, by the same sum with the priors (of its fold) \
             instead of the probabilities."
        ),
        table: answers(folds),
    };
    let priors = Attachment {
        name: "priors".to_owned(),
        what: format!("{whose}: how many instances of each class trained, and the prior as Weka smooths it."),
        table: priors(folds),
    };
    [answers, priors]
}

/// A column for the fold, where there are several.
fn fold_column(folds: &[TestedFold]) -> Option<Column> {
    (folds.len() > 1).then(|| Column::count("fold"))
}

fn fold_cell(folds: &[TestedFold], fold: &TestedFold) -> Option<Cell> {
    (folds.len() > 1).then(|| Cell::from(u64::from(fold.fold)))
}

fn answers(folds: &[TestedFold]) -> Table {
    let names = folds.iter().flat_map(|fold| &fold.classes).map(|class| &*class.name);
    let names: BTreeSet<&str> = names.collect();
    let columns = [Column::texts("class"), Column::texts("answer"), Column::decimals("confidence", 4)];
    let probabilities = names.iter().map(|name| Column::decimals(format!("Pr({name})"), 4));
    let mut table = Table::new(fold_column(folds).into_iter().chain(columns).chain(probabilities));
    for fold in folds {
        for Answer { truth, prediction, .. } in &fold.answers {
            let head =
                [Cell::from(&**truth), Cell::from(&*prediction.class), Cell::from(prediction.confidence)];
            let probability = |name: &&str| {
                let class = fold.classes.number(name)?;
                prediction.distribution.get(class).copied()
            };
            let probabilities = names.iter().map(|name| Cell::from(probability(name)));
            table.add(fold_cell(folds, fold).into_iter().chain(head).chain(probabilities));
        }
    }
    table
}

/// `(1 + instances of the class) / (classes + instances)`.
fn priors(folds: &[TestedFold]) -> Table {
    let columns = [Column::texts("class"), Column::count("trained on"), Column::decimals("prior", 6)];
    let mut table = Table::new(fold_column(folds).into_iter().chain(columns));
    for fold in folds {
        let below = fold.classes.len() as f64 + fold.classes.instances() as f64;
        for class in &fold.classes {
            let cells = [
                Cell::from(&*class.name),
                Cell::from(class.instances),
                Cell::from((1.0 + class.instances as f64) / below),
            ];
            table.add(fold_cell(folds, fold).into_iter().chain(cells));
        }
    }
    table
}
