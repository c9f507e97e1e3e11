use std::collections::{BTreeMap, BTreeSet};

use thingprint_instance::Labeled;
use thingprint_model::{Model, TrainOptions};

use super::{CostGroup, FINAL, LiveCost, Points, Table, key, time};
use crate::error::ExperimentError;
use crate::outcome::Metrics;
use crate::run::trial::{Answer, Bench, Parts, class_of, share};

/// Fewest classes of which one can be left out: a model needs two.
const LEAST_CLASSES: usize = 3;

/// What is measured: how many windows of classes that were left out, and of other data sets, were answered, and the share of
/// them that was not accepted.
pub(super) const METRICS: [&str; 4] = [ANSWERED, REJECTED, OTHERS_ANSWERED, OTHERS_REJECTED];
pub(super) const ANSWERED: &str = "strangers_answered";
pub(super) const REJECTED: &str = "strangers_rejected";
pub(super) const OTHERS_ANSWERED: &str = "others_answered";
pub(super) const OTHERS_REJECTED: &str = "others_rejected";

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

    /// The windows of other data sets at each time, of classes that are not known here, and what was left out.
    pub(super) fn foreign_tables<'r>(&self, bench: &Bench<'r>) -> (Vec<Table<'r>>, Vec<String>) {
        let all = bench.material.instances;
        let own = bench.own_rows().unwrap_or_default();
        let known: BTreeSet<&str> = own.iter().filter_map(class_of).collect();
        let is_foreign = |row: &&Labeled| class_of(row).is_some_and(|class| !known.contains(class));
        let others: Vec<&str> =
            self.others.iter().map(String::as_str).filter(|other| *other != bench.material.dataset).collect();
        let is_here = |other: &&str| all.iter().any(|(need, _)| need.dataset == *other);
        let missing = others.iter().filter(|other| !is_here(other));
        let remarks =
            missing.map(|other| format!("{other}: left out, because its captures are not here.")).collect();
        let seconds = self.seconds.iter().copied().map(Some).chain([None]);
        let table = |seconds: Option<u32>| {
            let of_time = all
                .iter()
                .filter(|(need, _)| others.contains(&need.dataset.as_str()) && need.so_far_s == seconds);
            let rows = of_time.flat_map(|(_, rows)| rows).filter(is_foreign);
            Table::of(seconds.map_or_else(|| FINAL.to_owned(), time), rows)
        };
        (seconds.map(table).filter(|table| !table.rows.is_empty()).collect(), remarks)
    }

    /// Asks a model about the windows of other data sets, at each time.
    pub(super) fn ask_about_others(
        &self,
        (model, group): (&Model, &CostGroup),
        foreign: &[Table<'_>],
        bench: &Bench<'_>,
        points: &mut Points,
    ) {
        for table in foreign {
            let rows: Vec<&Labeled> = table.rows.values().copied().collect();
            let answers = self.answers((model, bench), table, &rows);
            let point = points.entry(key(group, &table.time)).or_default();
            point.values.entry(OTHERS_ANSWERED).or_default().push(answers.len() as f64);
            let rejected = share(&answers, |answer| !answer.is_accepted);
            point.values.entry(OTHERS_REJECTED).or_default().extend(rejected);
        }
    }

    /// What a model says of windows as they were at a time: of final windows, or of windows under way.
    pub(super) fn answers(
        &self,
        (model, bench): (&Model, &Bench<'_>),
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
