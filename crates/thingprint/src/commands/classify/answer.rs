use std::collections::BTreeMap;
use std::sync::Arc;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{BagName, Bags, EvidenceSet, Instance, Labeled};
use thingprint_model::{Acceptance, DeviceVerdict, Doubt, Model, Prediction, Recipe, Test, Verdict};
use thingprint_table::{Cell, Column, Table, Type};

use super::Classified;
use crate::sorted_instances::Has;

/// The answer for a device that no class fits surely enough.
const UNKNOWN: &str = "unknown";

/// The answer for a device: in one window, over those of a day, or over all.
pub(crate) struct Answer<'a> {
    device: DeviceId,
    /// Start of the day of an answer over the windows of a day.
    day: Option<Timestamp>,
    /// `None` for an answer over several windows.
    window: Option<Timestamp>,
    /// The capture, where it is the window.
    capture: Option<&'a str>,
    windows: u64,
    accepted: bool,
    best_guess: Arc<str>,
    confidence: f64,
    likeness: Option<f64>,
    /// The family, where it is accepted.
    family: Option<Arc<str>>,
    /// Why the best guess is not accepted.
    doubt: Option<Doubt>,
    distribution: &'a [f64],
    stage0: Option<&'a BTreeMap<BagName, Verdict>>,
    /// The bags of the window.
    bags: Option<&'a Bags>,
    label: Option<&'a str>,
    /// Who the device is by what it says; of answers over all its windows.
    identity: Option<String>,
    /// What of that does not fit the class.
    disagreements: Vec<String>,
}

/// What answers show besides what they always do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    /// Mass of the set of classes to give.
    pub(crate) sets: Option<f64>,
    /// Whether to give the probability of each class.
    pub(crate) probabilities: bool,
    /// What some window has.
    pub(crate) has: Has,
}

/// An answer for each device.
pub(crate) fn of_devices<'a>(
    classified: &'a Classified,
    model: &Model,
    acceptance: &Acceptance,
) -> Vec<Answer<'a>> {
    let answer = |verdict: &'a DeviceVerdict| {
        let windows: Vec<&Instance> = classified.rows_of(verdict.device).map(|row| &row.instance).collect();
        of_verdict(verdict, model.device_doubt(&windows, verdict, acceptance), model, acceptance)
    };
    let answers = classified.devices.iter().map(answer);
    answers.map(|answer| Answer { label: classified.label_of(answer.device), ..answer }).collect()
}

/// An answer for each day of each device.
pub(crate) fn of_days<'a>(
    classified: &'a Classified,
    model: &Model,
    acceptance: &Acceptance,
) -> Vec<Answer<'a>> {
    let answer = |day: &'a thingprint_model::DayVerdict| {
        let rows = classified.rows_of(day.verdict.device).filter(|row| day.has(row.instance.window_start));
        let rows: Vec<&Labeled> = rows.collect();
        let windows: Vec<&Instance> = rows.iter().map(|row| &row.instance).collect();
        let doubt = model.device_doubt(&windows, &day.verdict, acceptance);
        let answer = of_verdict(&day.verdict, doubt, model, acceptance);
        Answer { day: Some(day.day), label: common_label(rows.into_iter()), ..answer }
    };
    classified.days.iter().map(answer).collect()
}

fn of_verdict<'a>(
    verdict: &'a DeviceVerdict,
    doubt: Option<Doubt>,
    model: &Model,
    acceptance: &Acceptance,
) -> Answer<'a> {
    Answer {
        device: verdict.device,
        day: None,
        window: None,
        capture: None,
        windows: verdict.windows,
        accepted: doubt.is_none(),
        best_guess: Arc::clone(&verdict.class),
        confidence: verdict.confidence,
        likeness: verdict.likeness,
        family: family(model, (&verdict.distribution, &verdict.class), doubt.as_ref(), acceptance),
        doubt,
        distribution: &verdict.distribution,
        stage0: None,
        bags: None,
        label: None,
        identity: None,
        disagreements: Vec::new(),
    }
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
            day: None,
            window: Some(prediction.window_start),
            capture: row.instance.capture.as_deref(),
            windows: 1,
            accepted: doubt.is_none(),
            best_guess: Arc::clone(&prediction.class),
            confidence: prediction.confidence,
            likeness: prediction.likeness,
            family: family(model, (&prediction.distribution, &prediction.class), doubt.as_ref(), acceptance),
            doubt,
            distribution: &prediction.distribution,
            stage0: Some(&prediction.stage0),
            bags: Some(&row.instance.bags),
            label: row.label.as_ref().map(|label| label.class.as_str()),
            identity: None,
            disagreements: Vec::new(),
        }
    };
    classified.rows.iter().zip(&classified.predictions).map(answer).collect()
}

/// The family of an answer, where that is as sure as a class has to be and the windows are like the best guess.
fn family(
    model: &Model,
    (distribution, class): (&[f64], &str),
    doubt: Option<&Doubt>,
    acceptance: &Acceptance,
) -> Option<Arc<str>> {
    if doubt.is_some_and(|doubt| doubt.failed.contains(&Test::Likeness)) {
        return None;
    }
    model.family_of(distribution, class)?.accept(acceptance.confidence).cloned()
}

impl Answer<'_> {
    /// The device.
    pub(crate) const fn device(&self) -> DeviceId {
        self.device
    }

    /// The same with who the device says it is, and what of that does not fit.
    pub(crate) fn with_identity(self, identity: Option<String>, disagreements: Vec<String>) -> Self {
        Self { identity, disagreements, ..self }
    }

    /// The class, or `unknown`.
    pub(crate) fn class(&self) -> &str {
        if self.accepted { &self.best_guess } else { UNKNOWN }
    }

    /// Why it is unknown, in a word or two: it is not sure which class fits, or the windows are unlike the class that fits best.
    fn why_unknown(&self) -> Option<String> {
        let word = |test: &Test| match test {
            Test::Confidence => "unsure",
            Test::Likeness => "unlike",
        };
        let words: Vec<&str> = self.doubt.as_ref()?.failed.iter().map(word).collect();
        Some(words.join(", "))
    }

    fn reason(&self) -> Option<String> {
        self.doubt.as_ref().map(ToString::to_string)
    }

    /// The family that the names of windows that are not accepted point to.
    fn family_by_names(&self) -> Option<&str> {
        Some(&self.doubt.as_ref()?.names.as_ref()?.family)
    }

    /// The label, and whether the answer is right; `unknown` is neither right nor wrong.
    fn judged(&self) -> [Cell; 2] {
        let judgement = self.label.map(|label| match self.accepted {
            true if *self.best_guess == *label => "right",
            true => "wrong",
            false => UNKNOWN,
        });
        [Cell::from(self.label), Cell::from(judgement)]
    }

    /// The most likely classes with their probabilities, for people.
    fn most_likely(&self, model: &Model) -> String {
        /// Most classes that are shown.
        const MOST: usize = 3;
        let mut classes: Vec<_> = model.classes().iter().zip(self.distribution).collect();
        classes.sort_by(|a, b| b.1.total_cmp(a.1));
        let text = |(class, share): &(&thingprint_model::Class, &f64)| format!("{} {share:.3}", class.name);
        classes.iter().take(MOST).map(text).collect::<Vec<_>>().join(", ")
    }

    /// What stage-0 says of a bag; nothing of an empty one by the recipe `best`, which makes no more of it than that.
    fn stage0_of(&self, bag: BagName, model: &Model) -> Option<&Verdict> {
        let is_shown =
            model.options().recipe == Recipe::Paper || self.bags?.get(bag).is_some_and(|bag| !bag.is_empty());
        self.stage0?.get(&bag).filter(|_| is_shown)
    }

    /// Names of the classes of the smallest set of this mass.
    fn set(&self, model: &Model, mass: f64) -> Vec<String> {
        model.set_of(self.distribution, mass).iter().map(ToString::to_string).collect()
    }
}

/// What an answer says, for other reports.
pub(crate) struct Said {
    /// The class, or `unknown`.
    pub(crate) class: String,
    pub(crate) best_guess: String,
    /// Why it is unknown; `None` where the class is accepted.
    pub(crate) reason: Option<String>,
}

impl Said {
    /// The class, where it is accepted.
    pub(crate) fn accepted(&self) -> Option<String> {
        self.reason.is_none().then(|| self.class.clone())
    }
}

impl Answer<'_> {
    /// What it says of its device.
    pub(crate) fn said(&self) -> (DeviceId, Said) {
        let reason = (!self.accepted).then(|| self.reason().unwrap_or_default());
        (
            self.device,
            Said { class: self.class().to_owned(), best_guess: self.best_guess.to_string(), reason },
        )
    }
}

const JUDGED_COLUMNS: [(&str, Type); 2] = [("label", Type::Text), ("right", Type::Text)];

/// Answers for people: what fits a screen, once columns that are empty in all rows are left out; [`reasons`] has the rest.
pub(crate) fn overview(answers: &[Answer<'_>], model: &Model, shown: Shown) -> anyhow::Result<Table> {
    let judged = judged_columns(shown.has);
    let mut table = Table::new(
        [
            Column::texts("device"),
            Column::new("day", Type::Time),
            Column::new("window", Type::Time),
            Column::texts("capture"),
            Column::count("windows"),
            Column::texts("class"),
            Column::texts("why_unknown"),
            Column::decimals("confidence", 3),
            Column::decimals("likeness", 1),
            Column::texts("family"),
            Column::texts("identity"),
            Column::texts("set"),
            Column::texts("probabilities"),
        ]
        .into_iter()
        .chain(judged.iter().map(|column| Column::from(*column))),
    );
    for answer in answers {
        let set = shown.sets.map(|mass| answer.set(model, mass).join(", "));
        let cells = [
            Cell::from(answer.device.to_string()),
            Cell::from(answer.day),
            Cell::from(answer.window),
            Cell::from(answer.capture),
            Cell::from(answer.window.is_none().then_some(answer.windows)),
            Cell::from(answer.class()),
            Cell::from(answer.why_unknown()),
            Cell::from(answer.confidence),
            Cell::from(answer.likeness),
            Cell::from(answer.family.as_deref()),
            Cell::from(answer.identity.as_deref()),
            Cell::from(set),
            Cell::from(shown.probabilities.then(|| answer.most_likely(model))),
        ];
        table.push(cells.into_iter().chain(answer.judged().into_iter().take(judged.len())))?;
    }
    Ok(table)
}

/// Why answers are unknown, for people; without a row where all are accepted.
pub(crate) fn reasons(answers: &[Answer<'_>]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        Column::texts("device"),
        Column::new("day", Type::Time),
        Column::new("window", Type::Time),
        Column::texts("capture"),
        Column::texts("best_guess"),
        Column::texts("reason"),
    ]);
    for answer in answers.iter().filter(|answer| !answer.accepted) {
        table.push([
            Cell::from(answer.device.to_string()),
            Cell::from(answer.day),
            Cell::from(answer.window),
            Cell::from(answer.capture),
            Cell::from(answer.best_guess.to_string()),
            Cell::from(answer.reason()),
        ])?;
    }
    Ok(table)
}

/// Answers of any sort with everything about them; those over several windows have no window.
pub(crate) fn table(answers: &[Answer<'_>], model: &Model, shown: Shown) -> anyhow::Result<Table> {
    let judged = judged_columns(shown.has);
    let bags = stage0_bags(model);
    let has_captures = shown.has.captures;
    let judged_columns = judged.iter().map(|(name, r#type)| ((*name).to_owned(), *r#type));
    let columns = columns(&bags, has_captures, model, shown).into_iter().chain(judged_columns);
    let mut table = Table::new(columns.map(|(name, r#type)| Column::new(name, r#type)));
    for answer in answers {
        let mut cells = identity(answer, has_captures);
        cells.extend([
            Cell::from(answer.windows),
            Cell::from(answer.class()),
            Cell::from(answer.best_guess.to_string()),
            Cell::from(answer.confidence),
            Cell::from(answer.likeness),
            Cell::from(answer.why_unknown()),
            Cell::from(answer.reason()),
            Cell::from(answer.family.as_deref()),
            Cell::from(answer.family_by_names()),
            Cell::from(answer.identity.as_deref()),
            Cell::from(answer.disagreements.clone()),
            Cell::from(shown.sets.map(|mass| answer.set(model, mass))),
        ]);
        for verdict in bags.iter().map(|bag| answer.stage0_of(*bag, model)) {
            cells.push(Cell::from(verdict.map(|verdict| verdict.class.to_string())));
            cells.push(Cell::from(verdict.map(|verdict| verdict.confidence)));
        }
        if shown.probabilities {
            cells.extend(answer.distribution.iter().map(|&probability| Cell::from(probability)));
        }
        cells.extend(answer.judged().into_iter().take(judged.len()));
        table.push(cells)?;
    }
    Ok(table)
}

fn identity(answer: &Answer<'_>, has_captures: bool) -> Vec<Cell> {
    let mut cells =
        vec![Cell::from(answer.device.to_string()), Cell::from(answer.day), Cell::from(answer.window)];
    cells.extend(has_captures.then(|| Cell::from(answer.capture)));
    cells
}

fn columns(bags: &[BagName], has_captures: bool, model: &Model, shown: Shown) -> Vec<(String, Type)> {
    let named = |columns: &[(&str, Type)]| -> Vec<(String, Type)> {
        columns.iter().map(|(name, r#type)| ((*name).to_owned(), *r#type)).collect()
    };
    let mut columns = named(&[("device", Type::Text), ("day", Type::Time), ("window", Type::Time)]);
    columns.extend(has_captures.then(|| ("capture".to_owned(), Type::Text)));
    columns.extend(named(&[
        ("windows", Type::Unsigned),
        ("class", Type::Text),
        ("best_guess", Type::Text),
        ("confidence", Type::Real),
        ("likeness", Type::Real),
        ("why_unknown", Type::Text),
        ("reason", Type::Text),
        ("family", Type::Text),
        ("family_by_names", Type::Text),
        ("identity", Type::Text),
        ("identity_contradictions", Type::List),
        ("set", Type::List),
    ]));
    for bag in bags {
        columns.push((format!("{bag}_class"), Type::Text));
        columns.push((format!("{bag}_confidence"), Type::Real));
    }
    if shown.probabilities {
        let classes = model.classes().iter();
        columns.extend(classes.map(|class| (format!("probability[{}]", class.name), Type::Real)));
    }
    columns
}

/// The bags that have columns: the paper's, and whatever else the model looks at.
fn stage0_bags(model: &Model) -> Vec<BagName> {
    let looked_at = model.evidence().only(|_| false, |_| true);
    EvidenceSet::paper().with(looked_at).bags().collect()
}

/// Only where something is known can an answer be right or wrong.
const fn judged_columns(has: Has) -> &'static [(&'static str, Type)] {
    if has.labels { &JUDGED_COLUMNS } else { &[] }
}

/// The label that all rows have.
fn common_label<'a>(mut rows: impl Iterator<Item = &'a Labeled>) -> Option<&'a str> {
    let first = rows.next()?.label.as_ref()?;
    rows.all(|row| row.label.as_ref() == Some(first)).then_some(first.class.as_str())
}

impl Classified {
    /// The label of a device, if all its windows agree on it.
    fn label_of(&self, device: DeviceId) -> Option<&str> {
        common_label(self.rows_of(device))
    }
}
