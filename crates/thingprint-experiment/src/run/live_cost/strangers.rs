use std::collections::{BTreeMap, BTreeSet};

use thingprint_instance::Labeled;
use thingprint_model::TrainOptions;

use super::{CostGroup, FINAL, LiveCost, Table, key};
use crate::error::ExperimentError;
use crate::outcome::Metrics;
use crate::run::trial::{Answer, Bench, Parts, class_of};

/// Fewest classes of which one can be left out: a model needs two.
const LEAST_CLASSES: usize = 3;

/// How many windows of strangers were answered.
pub(super) const ANSWERED: &str = "strangers_answered";
/// The share of these that was not accepted.
pub(super) const REJECTED: &str = "strangers_rejected";

impl LiveCost {
    /// Leaves each class out of the training in turn, with the first seed, and asks about its windows: none of them should be
    /// accepted. Two classes leave no model to ask.
    pub(super) fn ask_about_strangers(
        &self,
        tables: &[Table<'_>],
        bench: &mut Bench<'_>,
        metrics: &mut Metrics,
    ) -> Result<(), ExperimentError> {
        let Some(&seed) = bench.definition.seeds.first() else { return Ok(()) };
        let parts = Parts::required(bench.own_rows()?, self.split, seed)?;
        let classes: BTreeSet<&str> = parts.train.iter().filter_map(|row| class_of(row)).collect();
        if classes.len() < LEAST_CLASSES {
            return Ok(());
        }
        for group in self.groups.iter().filter(|group| group.strangers) {
            let accepted = self.left_out((group, seed), &parts, (tables, bench))?;
            for (time, accepted) in &accepted {
                let rejected = accepted.iter().filter(|is_accepted| !**is_accepted).count();
                let key = key(group, time);
                metrics.insert(&key, ANSWERED, &[accepted.len() as f64]);
                if !accepted.is_empty() {
                    metrics.insert(&key, REJECTED, &[rejected as f64 / accepted.len() as f64]);
                }
            }
        }
        Ok(())
    }

    /// Whether each answer about a class that was left out was accepted, by time.
    fn left_out(
        &self,
        (group, seed): (&CostGroup, u64),
        parts: &Parts<'_>,
        (tables, bench): (&[Table<'_>], &mut Bench<'_>),
    ) -> Result<BTreeMap<String, Vec<bool>>, ExperimentError> {
        let options = TrainOptions { scenario: group.scenario, seed, ..group.training };
        let classes: BTreeSet<&str> = parts.test.iter().filter_map(|row| class_of(row)).collect();
        let mut accepted: BTreeMap<String, Vec<bool>> = BTreeMap::new();
        for class in classes {
            bench.step(&format!("{} without {class}", group.name));
            let is_of_it = |row: &&&Labeled| class_of(row) == Some(class);
            let train: Vec<&Labeled> = parts.train.iter().filter(|row| !is_of_it(row)).copied().collect();
            let tested: Vec<&Labeled> = parts.test.iter().filter(is_of_it).copied().collect();
            let model = bench.fit(&train, &options)?;
            for table in tables {
                let answers = self.answers((&model, bench), table, &tested);
                let of_time = accepted.entry(table.time.clone()).or_default();
                of_time.extend(answers.iter().map(|Answer { is_accepted, .. }| *is_accepted));
            }
        }
        Ok(accepted)
    }

    /// What a model says of windows as they were at a time: of final windows, or of windows under way.
    pub(super) fn answers(
        &self,
        (model, bench): (&thingprint_model::Model, &Bench<'_>),
        table: &Table<'_>,
        rows: &[&Labeled],
    ) -> Vec<Answer> {
        let twins = table.twins(rows);
        if table.time == FINAL {
            bench.answers(model, &twins, self.threshold)
        } else {
            bench.answers_so_far(model, &twins, self.threshold)
        }
    }
}
