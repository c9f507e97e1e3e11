//! Every answer of a model with the probability of each class, so that all measures can be worked out again.
use thingprint_table::{Cell, Column, Table};

use super::trial::Said;
use crate::outcome::Attachment;

/// The answers, and the priors that the root relative squared error compares them with.
pub(super) fn attachments(said: &Said, key: &str, seed: u64) -> [Attachment; 2] {
    let whose = format!("{key}, seed {seed}");
    let answers = Attachment {
        name: "answers".to_owned(),
        what: format!(
            "{whose}: for each tested instance its class, the answer, and the probability of every class. The accuracy is \
             the share of rows whose class and answer are the same; the RRSE is the root of the sum of (probability - 1 if \
             it is the class, else 0) squared over all rows and classes, by the same sum with the priors instead of the \
             probabilities."
        ),
        table: answers(said),
    };
    let priors = Attachment {
        name: "priors".to_owned(),
        what: format!("{whose}: how many instances of each class trained, and the prior as Weka smooths it."),
        table: priors(said),
    };
    [answers, priors]
}

fn answers(said: &Said) -> Table {
    let columns = [Column::texts("class"), Column::texts("answer"), Column::decimals("confidence", 4)];
    let probabilities = said.classes.iter().map(|class| Column::decimals(format!("Pr({})", class.name), 4));
    let mut table = Table::new(columns.into_iter().chain(probabilities));
    for (truth, prediction) in &said.predictions {
        let head = [Cell::from(&**truth), Cell::from(&*prediction.class), Cell::from(prediction.confidence)];
        let probabilities = prediction.distribution.iter().map(|probability| Cell::from(*probability));
        table.add(head.into_iter().chain(probabilities));
    }
    table
}

/// `(1 + instances of the class) / (classes + instances)`.
fn priors(said: &Said) -> Table {
    let mut table =
        Table::new([Column::texts("class"), Column::count("trained on"), Column::decimals("prior", 6)]);
    let below = said.classes.len() as f64 + said.classes.instances() as f64;
    for class in &said.classes {
        table.add([
            Cell::from(&*class.name),
            Cell::from(class.instances),
            Cell::from((1.0 + class.instances as f64) / below),
        ]);
    }
    table
}
