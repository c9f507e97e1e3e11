use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use thingprint_flow::Timestamp;
use thingprint_instance::Labeled;
use thingprint_model::{Model, Recipe, Split, TrainOptions};

use crate::records::{RequestError, Trained};

/// Share of each device's windows, from the first on, that the compared model learns from.
const TRAIN_SHARE: f64 = 0.75;
/// Fewest windows of a class that are enough to learn from: less than a day of hours is warned of.
const FEW_WINDOWS: u64 = 24;

/// Trains a model from labelled windows, and compares it with the present one.
///
/// The comparison is by time: a model that learned from the first three quarters of each device's windows and the present
/// model both judge the last quarter. The model that is given learned from all of them by the same options. The present
/// model may have learned from some of the windows that it is tested on, which would flatter it.
///
/// # Errors
/// In words for the person who asked: there are too few labelled windows or classes.
pub fn train(
    windows: &[Labeled],
    present: Option<&Model>,
    (at, jobs): (Timestamp, NonZeroUsize),
) -> Result<(Model, Trained), RequestError> {
    let recipe = present.map_or(Recipe::Best, |model| model.options().recipe);
    let options = present.map_or_else(|| TrainOptions::of(recipe), |model| *model.options());
    let failed = |error: thingprint_model::ModelError| {
        RequestError(format!(
            "failed to train: {error}; label at least two devices of different kinds, and wait until each has a few whole \
             windows"
        ))
    };
    let folds = Split::Time(TRAIN_SHARE).apply(windows, options.seed).map_err(failed)?;
    let partition = folds.into_first();
    let row = |at: &usize| windows.get(*at);
    let learned = Model::fit(partition.train.iter().filter_map(row), &options, jobs).map_err(failed)?;
    let tested: Vec<&Labeled> = partition.test.iter().filter_map(row).collect();
    let (accuracy, confusion) = judge(&learned, &tested);
    let model = Model::fit(windows, &options, jobs).map_err(failed)?;
    let extraction = present.map(|model| model.extraction().clone()).unwrap_or_default();
    let trained = Trained {
        at,
        train_windows: partition.train.len() as u64,
        test_windows: tested.len() as u64,
        classes: model.classes().iter().map(|class| class.name.to_string()).collect(),
        accuracy,
        present_accuracy: present.map(|present| judge(present, &tested).0),
        confusion,
        warnings: warnings(&model, present),
    };
    Ok((model.with_extraction(extraction), trained))
}

/// The share of windows that a model gets right, and which classes it takes for which.
fn judge(model: &Model, windows: &[&Labeled]) -> (f64, Vec<(String, String, u64)>) {
    let (mut right, mut confusion) = (0_u64, BTreeMap::<(String, String), u64>::new());
    let labelled = windows.iter().filter_map(|row| Some((&row.instance, row.label.as_ref()?)));
    for (instance, label) in labelled {
        let found = model.predict(instance).class;
        if *found == *label.class {
            right += 1;
        } else {
            *confusion.entry((label.class.clone(), found.to_string())).or_default() += 1;
        }
    }
    let share = right as f64 / windows.len().max(1) as f64;
    let mut confusion: Vec<_> =
        confusion.into_iter().map(|((truth, found), windows)| (truth, found, windows)).collect();
    confusion.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
    (share, confusion)
}

fn warnings(model: &Model, present: Option<&Model>) -> Vec<String> {
    let few = model.classes().iter().filter(|class| class.instances < FEW_WINDOWS);
    let mut warnings: Vec<String> = few
        .map(|class| format!("{} has {} windows; a day of hours is better", class.name, class.instances))
        .collect();
    let Some(present) = present else { return warnings };
    let lost = present.classes().iter().filter(|class| model.classes().number(&class.name).is_none());
    let lost: Vec<&str> = lost.map(|class| &*class.name).collect();
    if !lost.is_empty() {
        warnings.push(format!(
            "the present model also knows {}; the new one knows only classes that were labelled here",
            lost.join(", ")
        ));
    }
    warnings
}
