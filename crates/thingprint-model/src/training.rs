use std::num::NonZeroUsize;

use thingprint_instance::{BagName, EvidenceSet, Instance, Label};

use crate::classes::{Classes, MAX_CLASSES};
use crate::error::ModelError;
use crate::guard::BagUnits;
use crate::joint::{JointParts, Rows};
use crate::likeness::Familiarity;
use crate::options::{Recipe, TrainOptions};
use crate::parallel;
use crate::random::{Generator, Purpose};
use crate::scenario::Input;
use crate::stage0::{BagModel, LabeledBag, bag_of};
use crate::stage1::{Column, Table, number};

/// What stage-0 found in one bag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    /// Number of the class; the number of classes, which no class has, where the bag is absent.
    pub(crate) class: usize,
    /// Its posterior; `None` where the bag is absent.
    pub(crate) confidence: Option<f64>,
}

impl Found {
    /// What a stage-0 of `classes` classes finds in an instance. A bag that was not extracted says nothing by the
    /// recipe `best`, and counts as an empty one by the paper's.
    pub(crate) fn of(
        model: &BagModel,
        instance: &Instance,
        bag: BagName,
        (recipe, classes): (Recipe, usize),
    ) -> Self {
        if recipe == Recipe::Best && instance.bags.get(bag).is_none() {
            return Self { class: classes, confidence: None };
        }
        let (class, confidence) = model.verdict(bag_of(instance, bag));
        Self { class, confidence: Some(confidence) }
    }
}

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
            let is_evidence = self.options.recipe == Recipe::Paper || instance.bags.get(bag).is_some();
            (wanted(at) && is_evidence).then(|| LabeledBag {
                bag: bag_of(instance, bag),
                class,
                kind: label.kind,
            })
        };
        let rows: Vec<_> = self.rows.iter().enumerate().zip(&self.row_classes).filter_map(row).collect();
        BagModel::fit(&rows, self.classes.len(), self.options)
    }

    /// The training rows of stage-1; `bags` are the models of the bags that are looked at.
    pub(crate) fn table(
        &self,
        inputs: &[Input],
        bags: &[BagModel],
        jobs: NonZeroUsize,
    ) -> Result<Table, ModelError> {
        let evidence = self.options.looks_at();
        let mut found: Vec<Vec<Found>> = vec![Vec::with_capacity(bags.len()); self.rows.len()];
        for (bag, model) in evidence.bags().zip(bags) {
            let outputs = self.outputs(bag, model, jobs)?;
            for (found, output) in found.iter_mut().zip(outputs) {
                found.push(output);
            }
        }
        let classes = self.classes.len();
        let rows = || self.rows.iter().zip(&found).map(|(&(instance, _), found)| (instance, &**found));
        let columns = inputs.iter().map(|&input| column(input, evidence, classes, rows)).collect();
        Table::new(columns, self.row_classes.clone(), classes)
    }

    /// Fits what the recipe `best` has besides the two stages.
    pub(crate) fn joint(
        &self,
        units: Vec<BagUnits>,
        jobs: NonZeroUsize,
    ) -> (JointParts, Option<Familiarity>) {
        let rows = Rows { labelled: &self.rows, row_classes: &self.row_classes, classes: self.classes.len() };
        JointParts::fit(rows, self.options.looks_at(), units, jobs)
    }

    /// What stage-0 of one bag says of each training row: in-sample, or by models that did not see the row.
    fn outputs(
        &self,
        bag: BagName,
        in_sample: &BagModel,
        jobs: NonZeroUsize,
    ) -> Result<Vec<Found>, ModelError> {
        let context = (self.options.recipe, self.classes.len());
        let found = |model: &BagModel, at: usize| Found::of(model, self.rows[at].0, bag, context);
        let Some(folds) = self.options.out_of_fold else {
            let verdict = |(): &mut (), at: usize| found(in_sample, at);
            return Ok(parallel::map(self.rows.len(), jobs, || (), verdict));
        };
        let fold_of = self.folds(folds as usize);
        let models = (0..folds as usize).map(|fold| self.fit_bag(bag, |at| fold_of[at] != fold));
        let models = models.collect::<Result<Vec<_>, _>>()?;
        Ok(parallel::map(self.rows.len(), jobs, || (), |(), at| found(&models[fold_of[at]], at)))
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

/// One input of stage-1 for many rows: instances, with what stage-0 found in the bags of the evidence.
pub(crate) fn column<'a, I: Iterator<Item = (&'a Instance, &'a [Found])>>(
    input: Input,
    evidence: EvidenceSet,
    classes: usize,
    rows: impl Fn() -> I,
) -> Column {
    let Input::Class(bag) = input else {
        let value = |(instance, found)| value(input, evidence, instance, found);
        return Column::Number(rows().map(value).collect());
    };
    let at = evidence.index_of_bag(bag);
    let class = |found: &[Found]| found.get(at).map_or(0, |found| narrow(found.class));
    let values: Vec<u16> = rows().map(|(_, found)| class(found)).collect();
    // Where rows lack the bag, that is a value, too. Where none does, the forest takes it for a value never seen.
    let is_absent_known = values.contains(&narrow(classes));
    Column::Name { values, cardinality: narrow(classes + usize::from(is_absent_known)) }
}

/// One input of stage-1 as a number.
pub(crate) fn value(input: Input, evidence: EvidenceSet, instance: &Instance, found: &[Found]) -> f64 {
    let found = |bag: BagName| found.get(evidence.index_of_bag(bag));
    match input {
        Input::Class(bag) => number(found(bag).map(|found| found.class as f64)),
        Input::Confidence(bag) => number(found(bag).and_then(|found| found.confidence)),
        Input::Number(attribute) => number(instance.attributes.get(attribute)),
    }
}

/// A class number, of which there are at most [`MAX_CLASSES`].
pub(crate) fn narrow(class: usize) -> u16 {
    u16::try_from(class).unwrap_or(u16::MAX)
}
