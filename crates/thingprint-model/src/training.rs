use std::num::NonZeroUsize;

use thingprint_instance::{Bag, Instance, Label};

use crate::classes::{Classes, MAX_CLASSES};
use crate::error::ModelError;
use crate::options::TrainOptions;
use crate::parallel;
use crate::random::{Generator, Purpose};
use crate::scenario::{BagName, Input};
use crate::stage0::{BagModel, LabeledBag};
use crate::stage1::{Column, Table, number};

/// What stage-0 found in one bag: number of the class, and confidence.
pub(crate) type Found = (usize, f64);

/// The labelled rows of a training.
pub(crate) struct Training<'a> {
    rows: Vec<(&'a Instance, &'a Label)>,
    row_classes: Vec<u16>,
    pub(crate) classes: Classes,
    options: &'a TrainOptions,
}

impl<'a> Training<'a> {
    /// Numbers the classes of the rows; fails when there is nothing to tell apart, or too much.
    pub(crate) fn of(
        rows: Vec<(&'a Instance, &'a Label)>,
        options: &'a TrainOptions,
    ) -> Result<Self, ModelError> {
        let classes = Classes::of(rows.iter().map(|&(_, label)| label))?;
        if classes.len() > MAX_CLASSES {
            return Err(ModelError::TooManyClasses { count: classes.len(), most: MAX_CLASSES });
        }
        match (classes.iter().next(), classes.len()) {
            (None, _) => return Err(ModelError::NoLabels),
            (Some(only), 1) => return Err(ModelError::OneClass { class: only.name.to_string() }),
            _ => {}
        }
        let class_of = |&(_, label): &(_, &Label)| {
            classes.number(&label.class).and_then(|class| u16::try_from(class).ok())
        };
        let row_classes = rows.iter().filter_map(class_of).collect();
        Ok(Self { rows, row_classes, classes, options })
    }

    /// Fits stage-0 of one bag on the rows that are asked for.
    pub(crate) fn fit_bag(
        &self,
        bag: BagName,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<BagModel, ModelError> {
        let row = |((at, &(instance, label)), &class): ((usize, &(&'a Instance, &'a Label)), &u16)| {
            wanted(at).then(|| LabeledBag { bag: bag.of(&instance.bags), class, kind: label.kind })
        };
        let rows: Vec<_> = self.rows.iter().enumerate().zip(&self.row_classes).filter_map(row).collect();
        BagModel::fit(&rows, self.classes.len(), self.options)
    }

    /// The training rows of stage-1.
    pub(crate) fn table(
        &self,
        inputs: &[Input],
        bags: &[Option<BagModel>; 3],
        jobs: NonZeroUsize,
    ) -> Result<Table, ModelError> {
        let mut found = vec![[None; 3]; self.rows.len()];
        for &bag in self.options.scenario.bags() {
            let outputs = self.outputs(bag, bags[bag as usize].as_ref(), jobs)?;
            for (found, output) in found.iter_mut().zip(outputs) {
                found[bag as usize] = output;
            }
        }
        let classes = self.classes.len();
        let rows = || self.rows.iter().zip(&found).map(|(&(instance, _), found)| (instance, found));
        let columns = inputs.iter().map(|&input| column(input, classes, rows())).collect();
        Table::new(columns, self.row_classes.clone(), classes)
    }

    /// What stage-0 of one bag says of each training row: in-sample, or by models that did not see the row.
    fn outputs(
        &self,
        bag: BagName,
        in_sample: Option<&BagModel>,
        jobs: NonZeroUsize,
    ) -> Result<Vec<Option<Found>>, ModelError> {
        let words = |at: usize| -> &Bag { bag.of(&self.rows[at].0.bags) };
        let Some(folds) = self.options.out_of_fold else {
            let verdict = |(): &mut (), at: usize| in_sample.map(|model| model.verdict(words(at)));
            return Ok(parallel::map(self.rows.len(), jobs, || (), verdict));
        };
        let fold_of = self.folds(folds as usize);
        let models = (0..folds as usize).map(|fold| self.fit_bag(bag, |at| fold_of[at] != fold));
        let models = models.collect::<Result<Vec<_>, _>>()?;
        Ok(parallel::map(self.rows.len(), jobs, || (), |(), at| Some(models[fold_of[at]].verdict(words(at)))))
    }

    /// The fold of each row: rows in random order, dealt out in turn.
    fn folds(&self, folds: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        Generator::new(self.options.seed, Purpose::Folds).shuffle(&mut order);
        let mut fold_of = vec![0; order.len()];
        for (turn, row) in order.into_iter().enumerate() {
            fold_of[row] = turn % folds;
        }
        fold_of
    }
}

/// One input of stage-1 for many rows.
pub(crate) fn column<'a>(
    input: Input,
    classes: usize,
    rows: impl Iterator<Item = (&'a Instance, &'a [Option<Found>; 3])>,
) -> Column {
    let Input::Class(bag) = input else {
        return Column::Number(rows.map(|(instance, found)| value(input, instance, found)).collect());
    };
    let class = |found: &[Option<Found>; 3]| found[bag as usize].map_or(0, |(class, _)| narrow(class));
    Column::Name { values: rows.map(|(_, found)| class(found)).collect(), cardinality: narrow(classes) }
}

/// One input of stage-1 as a number.
pub(crate) fn value(input: Input, instance: &Instance, found: &[Option<Found>; 3]) -> f64 {
    match input {
        Input::Class(bag) => number(found[bag as usize].map(|(class, _)| class as f64)),
        Input::Confidence(bag) => number(found[bag as usize].map(|(_, confidence)| confidence)),
        Input::Number(attribute) => number(instance.attributes.get(attribute)),
    }
}

/// A class number, of which there are at most [`MAX_CLASSES`].
pub(crate) fn narrow(class: usize) -> u16 {
    u16::try_from(class).unwrap_or(u16::MAX)
}
