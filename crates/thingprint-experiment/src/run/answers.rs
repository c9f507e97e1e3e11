//! Every answer of a model with the probability of each class, so that all measures can be worked out again.
use super::trial::Said;
use crate::outcome::{Attachment, Table, Value};

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
    let columns = ["class", "answer", "confidence"].map(str::to_owned).into_iter();
    let probabilities = said.classes.iter().map(|class| format!("Pr({})", class.name));
    let mut table = Table { columns: columns.chain(probabilities).collect(), rows: Vec::new() };
    for (truth, prediction) in &said.predictions {
        let head =
            [Value::from(&**truth), Value::from(&*prediction.class), Value::Real(prediction.confidence, 4)];
        let probabilities = prediction.distribution.iter().map(|probability| Value::Real(*probability, 4));
        table.rows.push(head.into_iter().chain(probabilities).collect());
    }
    table
}

/// `(1 + instances of the class) / (classes + instances)`.
fn priors(said: &Said) -> Table {
    let mut table = Table::new(["class", "trained on", "prior"]);
    let below = said.classes.len() as f64 + said.classes.instances() as f64;
    for class in &said.classes {
        table.push([
            Value::from(&*class.name),
            Value::from(class.instances),
            Value::Real((1.0 + class.instances as f64) / below, 6),
        ]);
    }
    table
}
