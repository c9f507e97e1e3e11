use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use thingprint_instance::{Bag, Instance, Label, Labeled};

use crate::classes::{Classes, MAX_CLASSES, most_likely};
use crate::error::{FileFault, ModelError};
use crate::options::TrainOptions;
use crate::parallel;
use crate::prediction::{DeviceVerdict, Prediction, Verdict, device_verdicts};
use crate::random::{GENERATOR, Generator, Purpose};
use crate::scenario::{BagName, Input};
use crate::stage0::{BagModel, LabeledBag};
use crate::stage1::{Column, Forest, ForestOptions, Table, fit as fit_forest, number};

/// A trained classifier: what it learned and every choice behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub(crate) origin: Origin,
    pub(crate) options: TrainOptions,
    pub(crate) extraction: BTreeMap<String, String>,
    pub(crate) classes: Classes,
    pub(crate) bags: [Option<BagModel>; 3],
    pub(crate) forest: Option<Forest>,
}

/// What made a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Version of this crate.
    pub version: String,
    /// Generator of everything random.
    pub generator: String,
}

/// What stage-0 found in one bag: number of the class, and confidence.
type Found = (usize, f64);

impl Model {
    /// Learns from labelled instances; those without a label are left out.
    ///
    /// `jobs` threads share the work; the model does not depend on their number. Fails when the options are out of
    /// range, when there is no label or only one class, or when a class is labelled both iot and non-iot.
    pub fn fit<'a>(
        rows: impl IntoIterator<Item = &'a Labeled>,
        options: &TrainOptions,
        jobs: NonZeroUsize,
    ) -> Result<Self, ModelError> {
        options.check()?;
        let rows: Vec<_> =
            rows.into_iter().filter_map(|row| Some((&row.instance, row.label.as_ref()?))).collect();
        let training = Training::of(rows, options)?;
        let mut bags = [None, None, None];
        for &bag in options.scenario.bags() {
            bags[bag as usize] = Some(training.fit_bag(bag, |_| true)?);
        }
        let forest = match options.scenario.inputs() {
            Some(inputs) => {
                let table = training.table(&inputs, &bags, jobs)?;
                Some(fit_forest(options.stage1, &table, &ForestOptions::from(options), jobs)?)
            }
            None => None,
        };
        Ok(Self {
            origin: Origin { version: env!("CARGO_PKG_VERSION").to_owned(), generator: GENERATOR.to_owned() },
            options: *options,
            extraction: BTreeMap::new(),
            classes: training.classes,
            bags,
            forest,
        })
    }

    /// Classifies one instance.
    pub fn predict(&self, instance: &Instance) -> Prediction {
        let found = self.stage0(instance);
        let distribution = self.distribution(instance, &found);
        let class = most_likely(&distribution);
        let verdict = |(class, confidence)| Verdict { class: self.classes.name(class), confidence };
        Prediction {
            device: instance.device,
            window_start: instance.window_start,
            stage0: found.map(|found| found.map(verdict)),
            confidence: distribution.get(class).copied().unwrap_or(0.0),
            class: self.classes.name(class),
            distribution,
        }
    }

    /// Classifies many instances with `jobs` threads; predictions stand in the order of the instances.
    pub fn predict_all(&self, instances: &[&Instance], jobs: NonZeroUsize) -> Vec<Prediction> {
        parallel::map(instances.len(), jobs, || (), |(), at| self.predict(instances[at]))
    }

    /// One verdict for each device, ordered by device: the mean distribution over its windows.
    pub fn device_verdicts<'a>(
        &self,
        predictions: impl IntoIterator<Item = &'a Prediction>,
    ) -> Vec<DeviceVerdict> {
        device_verdicts(&self.classes, predictions)
    }

    /// The classes, with how many training instances each had.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// The options of the training.
    pub fn options(&self) -> &TrainOptions {
        &self.options
    }

    /// What made the model.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Number of columns of a bag, `others` included; `None` where the scenario does not look at the bag.
    pub fn vocabulary_columns(&self, bag: BagName) -> Option<usize> {
        self.bag(bag).map(|model| model.vocabulary().columns())
    }

    /// The forest; `None` where a stage-0 answers alone.
    pub fn forest(&self) -> Option<&Forest> {
        self.forest.as_ref()
    }

    /// How the training instances were extracted: names and values of options, as the caller set them.
    pub fn extraction(&self) -> &BTreeMap<String, String> {
        &self.extraction
    }

    /// Notes how the training instances were extracted, for [`Model::check_extraction`].
    #[must_use]
    pub fn with_extraction(mut self, extraction: BTreeMap<String, String>) -> Self {
        self.extraction = extraction;
        self
    }

    /// Refuses instances that were extracted in another way than the training instances; an option that one side
    /// does not name is not compared.
    pub fn check_extraction(&self, given: &BTreeMap<String, String>) -> Result<(), ModelError> {
        for (option, trained) in &self.extraction {
            if let Some(given) = given.get(option).filter(|given| *given != trained) {
                return Err(ModelError::Misfit {
                    option: option.clone(),
                    trained: trained.clone(),
                    given: given.clone(),
                });
            }
        }
        Ok(())
    }

    /// What stage-0 says of each bag that the scenario looks at.
    pub(crate) fn stage0(&self, instance: &Instance) -> [Option<Found>; 3] {
        [BagName::Ports, BagName::Domains, BagName::CipherSuites]
            .map(|bag| self.bag(bag).map(|model| model.verdict(bag.of(&instance.bags))))
    }

    /// The inputs of stage-1 for an instance.
    pub(crate) fn row(&self, instance: &Instance, found: &[Option<Found>; 3]) -> Vec<f64> {
        let inputs = self.options.scenario.inputs().unwrap_or_default();
        inputs.into_iter().map(|input| value(input, instance, found)).collect()
    }

    /// The inputs of stage-1 for labelled instances of known classes.
    pub(crate) fn labelled_table<'a>(
        &self,
        rows: impl IntoIterator<Item = &'a Labeled>,
        inputs: &[Input],
    ) -> Result<Table, ModelError> {
        let class_of = |label: &Label| Some(narrow(self.classes.number(&label.class)?));
        let rows = rows.into_iter().filter_map(|row| Some((&row.instance, class_of(row.label.as_ref()?)?)));
        let rows: Vec<_> = rows.map(|(instance, class)| (instance, self.stage0(instance), class)).collect();
        if rows.is_empty() {
            return Err(ModelError::NothingToEvaluate);
        }
        let classes = self.classes.len();
        let columns = inputs
            .iter()
            .map(|&input| column(input, classes, rows.iter().map(|(instance, found, _)| (*instance, found))));
        Table::new(columns.collect(), rows.iter().map(|&(.., class)| class).collect(), classes)
    }

    pub(crate) fn bag(&self, bag: BagName) -> Option<&BagModel> {
        self.bags[bag as usize].as_ref()
    }

    fn distribution(&self, instance: &Instance, found: &[Option<Found>; 3]) -> Vec<f64> {
        if let Some(forest) = &self.forest {
            return forest.distribution(&self.row(instance, found));
        }
        let alone = self.options.scenario.bags().first();
        let posterior = alone.and_then(|&bag| Some(self.bag(bag)?.posterior(bag.of(&instance.bags))));
        posterior.unwrap_or_default()
    }

    /// Refuses a loaded model whose parts do not fit together.
    pub(crate) fn check_loaded(&self) -> Result<(), FileFault> {
        self.options.check().map_err(|_| FileFault::Inconsistent("an option is out of range"))?;
        self.classes.check_loaded()?;
        let scenario = self.options.scenario;
        for &bag in BagName::ALL {
            match self.bag(bag) {
                Some(model) if scenario.bags().contains(&bag) => model.check_loaded(self.classes.len())?,
                None if !scenario.bags().contains(&bag) => {}
                _ => return Err(FileFault::Inconsistent("its bags do not fit its scenario")),
            }
        }
        match (&self.forest, scenario.inputs()) {
            (Some(forest), Some(inputs)) => forest.check_loaded(inputs.len(), self.classes.len()),
            (None, None) => Ok(()),
            _ => Err(FileFault::Inconsistent("its forest does not fit its scenario")),
        }
    }
}

/// One input of stage-1 as a number.
fn value(input: Input, instance: &Instance, found: &[Option<Found>; 3]) -> f64 {
    match input {
        Input::Class(bag) => number(found[bag as usize].map(|(class, _)| class as f64)),
        Input::Confidence(bag) => number(found[bag as usize].map(|(_, confidence)| confidence)),
        Input::Number(attribute) => number(instance.attributes.get(attribute)),
    }
}

/// The labelled rows of a training.
struct Training<'a> {
    rows: Vec<(&'a Instance, &'a Label)>,
    row_classes: Vec<u16>,
    classes: Classes,
    options: &'a TrainOptions,
}

impl<'a> Training<'a> {
    fn of(rows: Vec<(&'a Instance, &'a Label)>, options: &'a TrainOptions) -> Result<Self, ModelError> {
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
    fn fit_bag(&self, bag: BagName, wanted: impl Fn(usize) -> bool) -> Result<BagModel, ModelError> {
        let row = |((at, &(instance, label)), &class): ((usize, &(&'a Instance, &'a Label)), &u16)| {
            wanted(at).then(|| LabeledBag { bag: bag.of(&instance.bags), class, kind: label.kind })
        };
        let rows: Vec<_> = self.rows.iter().enumerate().zip(&self.row_classes).filter_map(row).collect();
        BagModel::fit(&rows, self.classes.len(), self.options)
    }

    /// The training rows of stage-1.
    fn table(
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
fn column<'a>(
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

/// A class number, of which there are at most [`MAX_CLASSES`].
fn narrow(class: usize) -> u16 {
    u16::try_from(class).unwrap_or(u16::MAX)
}
