use std::collections::BTreeMap;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{BagName, EvidenceSet, Instance, Labeled};
use thingprint_model::{Acceptance, DeviceVerdict, Model, Prediction, Verdict};
use thingprint_table::{Cell, Table, Type};

use super::Classified;

/// The answer for a device that no class fits surely enough.
const UNKNOWN: &str = "unknown";

/// What is said of a device, in one window or over all.
pub(crate) struct Answer<'a> {
    device: DeviceId,
    /// `None` for an answer over all windows.
    window: Option<Timestamp>,
    /// The capture, where it is the window.
    capture: Option<&'a str>,
    windows: u64,
    accepted: Option<&'a str>,
    best_guess: &'a str,
    confidence: f64,
    likeness: Option<f64>,
    /// Why the best guess is not accepted.
    reason: Option<String>,
    stage0: &'a BTreeMap<BagName, Verdict>,
    label: Option<&'a str>,
}

static NO_STAGE0: BTreeMap<BagName, Verdict> = BTreeMap::new();

/// An answer for each device.
pub(crate) fn of_devices<'a>(
    classified: &'a Classified,
    model: &Model,
    acceptance: &Acceptance,
) -> Vec<Answer<'a>> {
    let answer = |verdict: &'a DeviceVerdict| {
        let windows: Vec<&Instance> = classified.rows_of(verdict.device).map(|row| &row.instance).collect();
        let doubt = model.device_doubt(&windows, verdict, acceptance);
        Answer {
            device: verdict.device,
            window: None,
            capture: None,
            windows: verdict.windows,
            accepted: doubt.is_none().then_some(&*verdict.class),
            best_guess: &verdict.class,
            confidence: verdict.confidence,
            likeness: verdict.likeness,
            reason: doubt.map(|doubt| doubt.to_string()),
            stage0: &NO_STAGE0,
            label: classified.label_of(verdict.device),
        }
    };
    classified.devices.iter().map(answer).collect()
}

/// An answer for each window of each device.
pub(crate) fn of_windows<'a>(
    classified: &'a Classified,
    model: &Model,
    acceptance: &Acceptance,
) -> Vec<Answer<'a>> {
    let answer = |(row, prediction): (&'a Labeled, &'a Prediction)| {
        let doubt = model.doubt(&row.instance, prediction, acceptance);
        Answer {
            device: prediction.device,
            window: Some(prediction.window_start),
            capture: row.instance.capture.as_deref(),
            windows: 1,
            accepted: doubt.is_none().then_some(&*prediction.class),
            best_guess: &prediction.class,
            confidence: prediction.confidence,
            likeness: prediction.likeness,
            reason: doubt.map(|doubt| doubt.to_string()),
            stage0: &prediction.stage0,
            label: row.label.as_ref().map(|label| label.class.as_str()),
        }
    };
    classified.rows.iter().zip(&classified.predictions).map(answer).collect()
}

impl Answer<'_> {
    fn verdict(&self) -> [Cell; 4] {
        [
            Cell::from(self.windows),
            Cell::from(self.accepted.unwrap_or(UNKNOWN)),
            Cell::from(self.best_guess),
            Cell::from(self.confidence),
        ]
    }

    fn likeness(&self) -> [Cell; 2] {
        [Cell::from(self.likeness), Cell::from(self.reason.clone())]
    }

    /// The label, and whether the answer is right; `unknown` is neither right nor wrong.
    fn judged(&self) -> [Cell; 2] {
        let judgement = self.label.map(|label| match self.accepted {
            Some(class) if class == label => "right",
            Some(_) => "wrong",
            None => UNKNOWN,
        });
        [Cell::from(self.label), Cell::from(judgement)]
    }
}

const VERDICT_COLUMNS: [(&str, Type); 4] = [
    ("windows", Type::Unsigned),
    ("class", Type::Text),
    ("best_guess", Type::Text),
    ("confidence", Type::Real),
];
const LIKENESS_COLUMNS: [(&str, Type); 2] = [("likeness", Type::Real), ("reason", Type::Text)];
const JUDGED_COLUMNS: [(&str, Type); 2] = [("label", Type::Text), ("right", Type::Text)];

/// Answers over all windows, for people: without what only windows have.
pub(crate) fn device_table(answers: &[Answer<'_>]) -> anyhow::Result<Table> {
    let judged = judged_columns(answers);
    let has_likeness = answers.iter().any(|answer| answer.likeness.is_some());
    let likeness = if has_likeness { &LIKENESS_COLUMNS[..] } else { &[] };
    let columns = [("device", Type::Text)].into_iter().chain(VERDICT_COLUMNS);
    let mut table = Table::new(columns.chain(likeness.iter().copied()).chain(judged.iter().copied()));
    for answer in answers {
        let cells = [Cell::from(answer.device.to_string())].into_iter().chain(answer.verdict());
        let cells = cells.chain(answer.likeness().into_iter().take(likeness.len()));
        table.push(cells.chain(answer.judged().into_iter().take(judged.len())))?;
    }
    Ok(table)
}

/// Answers of any sort; those over all windows have no window.
pub(crate) fn table(answers: &[Answer<'_>]) -> anyhow::Result<Table> {
    let judged = judged_columns(answers);
    let has_captures = answers.iter().any(|answer| answer.capture.is_some());
    let capture_column = has_captures.then_some(("capture", Type::Text));
    let columns = [("device", Type::Text), ("window", Type::Time)].into_iter().chain(capture_column);
    let bags = stage0_bags(answers);
    let stage0: Vec<(String, Type)> = bags.iter().flat_map(|bag| stage0_columns(*bag)).collect();
    let columns = columns.chain(VERDICT_COLUMNS).chain(LIKENESS_COLUMNS);
    let columns = columns.chain(stage0.iter().map(|(name, r#type)| (name.as_str(), *r#type)));
    let mut table = Table::new(columns.chain(judged.iter().copied()));
    for answer in answers {
        let mut cells = vec![Cell::from(answer.device.to_string()), Cell::from(answer.window)];
        cells.extend(has_captures.then(|| Cell::from(answer.capture)));
        cells.extend(answer.verdict());
        cells.extend(answer.likeness());
        for verdict in bags.iter().map(|bag| answer.stage0.get(bag)) {
            cells.push(Cell::from(verdict.map(|verdict| verdict.class.to_string())));
            cells.push(Cell::from(verdict.map(|verdict| verdict.confidence)));
        }
        cells.extend(answer.judged().into_iter().take(judged.len()));
        table.push(cells)?;
    }
    Ok(table)
}

/// The bags that have columns: the paper's, and whatever else the model looks at.
fn stage0_bags(answers: &[Answer<'_>]) -> Vec<BagName> {
    let bags = answers.iter().flat_map(|answer| answer.stage0.keys());
    let bags = bags.fold(EvidenceSet::paper(), |set, bag| set.with((*bag).into()));
    bags.bags().collect()
}

fn stage0_columns(bag: BagName) -> [(String, Type); 2] {
    [(format!("{bag}_class"), Type::Text), (format!("{bag}_confidence"), Type::Real)]
}

/// Only where something is known can an answer be right or wrong.
fn judged_columns(answers: &[Answer<'_>]) -> &'static [(&'static str, Type)] {
    if answers.iter().any(|answer| answer.label.is_some()) { &JUDGED_COLUMNS } else { &[] }
}

impl Classified {
    /// The label of a device, if all its windows agree on it.
    fn label_of(&self, device: DeviceId) -> Option<&str> {
        let mut labels = self.rows_of(device).map(|row| &row.label);
        let first = labels.next()?.as_ref()?;
        labels.all(|label| label.as_ref() == Some(first)).then_some(first.class.as_str())
    }
}
