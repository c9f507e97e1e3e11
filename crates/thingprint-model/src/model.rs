use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thingprint_instance::{BagName, EvidenceSet, Instance, Label, Labeled};

use crate::classes::{Classes, MAX_CLASSES, most_likely};
use crate::error::{FileFault, ModelError};
use crate::families::{GivenFamilies, check_given, given_families};
use crate::guard::{BagUnits, unit_guard};
use crate::joint::{JointParts, Window, blend};
use crate::likeness::Familiarity;
use crate::options::{Recipe, TrainOptions};
use crate::parallel;
use crate::prediction::{
    DayVerdict, DeviceVerdict, Prediction, Verdict, day_verdicts, device_verdicts, smallest_set,
};
use crate::random::GENERATOR;
use crate::scenario::Input;
use crate::sequence;
use crate::stage0::{BagModel, bag_of};
use crate::stage1::{Forest, ForestOptions, Table, fit as fit_forest};
use crate::training::{Found, Training, column, narrow, value};

/// Most bags that a model looks at: a set of evidence has no more.
pub(crate) const MAX_BAGS: usize = 32;

/// A trained classifier: what it learned and every choice behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub(crate) origin: Origin,
    pub(crate) options: TrainOptions,
    pub(crate) extraction: BTreeMap<String, String>,
    pub(crate) classes: Classes,
    /// One for each bag of the evidence that is looked at, in the order of bags.
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_BAGS>")]
    pub(crate) bags: Vec<BagModel>,
    pub(crate) forest: Option<Forest>,
    /// What the recipe `best` has besides; `None` in a model of the paper.
    pub(crate) joint: Option<JointParts>,
    /// The family that labels gave each class; empty in a model of an older version.
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_CLASSES>")]
    pub(crate) given: GivenFamilies,
    /// What is known of windows under way; `None` in a model of the paper or of an older version.
    pub(crate) familiarity: Option<Familiarity>,
}

/// What made a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Version of this crate.
    pub version: String,
    /// Generator of everything random.
    pub generator: String,
}

impl Model {
    /// Learns from labelled instances; those without a label are left out.
    ///
    /// `jobs` threads share the work; the model does not depend on their number. Fails when the options are out of
    /// range, when an instance lacks a bag that is looked at, when there is no label or only one class, or when a class
    /// is labelled both iot and non-iot. By [`Recipe::Best`] a bag that an instance lacks is absent evidence, and one
    /// that all of them lack is not looked at.
    pub fn fit<'a>(
        rows: impl IntoIterator<Item = &'a Labeled>,
        options: &TrainOptions,
        jobs: NonZeroUsize,
    ) -> Result<Self, ModelError> {
        Self::fit_some(rows, options, None, jobs)
    }

    /// The same with some trees of the forest only, by their numbers. Models of the same rows and options whose numbers follow
    /// each other are joined by [`join`](Self::join), so that machines can grow a forest together.
    pub fn fit_trees<'a>(
        rows: impl IntoIterator<Item = &'a Labeled>,
        options: &TrainOptions,
        trees: Range<u32>,
        jobs: NonZeroUsize,
    ) -> Result<Self, ModelError> {
        Self::fit_some(rows, options, Some(trees), jobs)
    }

    /// The model whose trees these models have, one after the other: to the bit the one that [`fit`](Self::fit) gives. Fails
    /// where there is none, where they differ in anything but trees, or where trees are missing.
    pub fn join(models: impl IntoIterator<Item = Self>) -> Result<Self, ModelError> {
        let mut models = models.into_iter();
        let mut all = models.next().ok_or(ModelError::Unjoinable("there are none"))?;
        for mut model in models {
            let others = model.forest.take();
            let mine = all.forest.take();
            if model != all {
                return Err(ModelError::Unjoinable("they are of other instances or options"));
            }
            let fits = match (mine, others) {
                (Some(mut mine), Some(others)) => {
                    let fits = mine.append(others);
                    all.forest = Some(mine);
                    fits
                }
                (mine, others) => mine.is_none() && others.is_none(),
            };
            if !fits {
                return Err(ModelError::Unjoinable("their trees have other inputs"));
            }
        }
        let trees = all.forest.as_ref().map(Forest::trees);
        match trees {
            Some(trees) if trees != all.options.trees as usize => {
                Err(ModelError::Unjoinable("some trees are missing, or there more than once"))
            }
            _ => Ok(all),
        }
    }

    fn fit_some<'a>(
        rows: impl IntoIterator<Item = &'a Labeled>,
        options: &TrainOptions,
        trees: Option<Range<u32>>,
        jobs: NonZeroUsize,
    ) -> Result<Self, ModelError> {
        options.check()?;
        let rows: Vec<_> =
            rows.into_iter().filter_map(|row| Some((&row.instance, row.label.as_ref()?))).collect();
        let (options, units) = options_for(options, &rows, jobs)?;
        let options = &options;
        let labels: Vec<&Label> = rows.iter().map(|(_, label)| *label).collect();
        let training = Training::of(rows, options)?;
        let given = given_families(&training.classes, labels)?;
        let names: Vec<BagName> = options.looks_at().bags().collect();
        let fit_bag = |(): &mut (), at: usize| training.fit_bag(names[at], |_| true);
        let bags = parallel::map(names.len(), jobs, || (), fit_bag);
        let bags = bags.into_iter().collect::<Result<Vec<_>, _>>()?;
        let forest = match options.inputs() {
            Some(inputs) => {
                let table = training.table(&inputs, &bags, jobs)?;
                let forest = ForestOptions::from(options);
                Some(fit_forest(options.stage1, &table, (&forest, trees), jobs)?)
            }
            None => None,
        };
        let joint = (options.recipe == Recipe::Best).then(|| training.joint(units, jobs));
        let (joint, familiarity) = joint.unzip();
        Ok(Self {
            origin: Origin { version: env!("CARGO_PKG_VERSION").to_owned(), generator: GENERATOR.to_owned() },
            options: *options,
            extraction: BTreeMap::new(),
            classes: training.classes,
            bags,
            forest,
            joint,
            given,
            familiarity: familiarity.flatten(),
        })
    }

    /// Classifies one instance. A bag that it lacks says nothing by [`Recipe::Best`], and counts as an empty one by
    /// [`Recipe::Paper`]: see [`Model::check_evidence`].
    pub fn predict(&self, instance: &Instance) -> Prediction {
        let found = self.stage0(instance);
        let window = self.joint.as_ref().map(|parts| parts.lexicon.window(instance));
        let distribution = self.distribution(instance, &found, window.as_ref());
        let class = most_likely(&distribution);
        let verdict = |(bag, found): (BagName, Found)| {
            let class = self.classes.name(found.class);
            Some((bag, Verdict { class, confidence: found.confidence? }))
        };
        Prediction {
            device: instance.device,
            window_start: instance.window_start,
            stage0: self.evidence().bags().zip(found).filter_map(verdict).collect(),
            confidence: distribution.get(class).copied().unwrap_or(0.0),
            likeness: self.likeness(window.as_ref(), class),
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

    /// One verdict for each device and day, ordered by device and day: the mean distribution over its windows.
    pub fn day_verdicts<'a>(&self, predictions: impl IntoIterator<Item = &'a Prediction>) -> Vec<DayVerdict> {
        day_verdicts(&self.classes, predictions)
    }

    /// Whether the words of each bag of the training were of classes or of units; the model does not look at the bags that
    /// were refused. Nothing for the paper's recipe.
    pub fn units(&self) -> &[BagUnits] {
        self.joint.as_ref().map_or(&[], |parts| &parts.units)
    }

    /// The names of the smallest set of classes that has this much of the probability, the most likely first.
    pub fn set(&self, prediction: &Prediction, mass: f64) -> Vec<Arc<str>> {
        self.set_of(&prediction.distribution, mass)
    }

    /// The same of any distribution over the model's classes, such as that of a device.
    pub fn set_of(&self, distribution: &[f64], mass: f64) -> Vec<Arc<str>> {
        smallest_set(distribution, mass).into_iter().map(|class| self.classes.name(class)).collect()
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

    /// The evidence that the model looks at, and that instances need.
    pub fn evidence(&self) -> EvidenceSet {
        self.options.looks_at()
    }

    /// Refuses instances that lack a bag that the model looks at; by [`Recipe::Best`], those that lack all of them. A
    /// number that is absent is an input like any other.
    pub fn check_evidence<'a>(
        &self,
        instances: impl IntoIterator<Item = &'a Instance>,
    ) -> Result<(), ModelError> {
        check_evidence(&self.options, instances)
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

    /// What stage-0 says of each bag that the model looks at.
    pub(crate) fn stage0(&self, instance: &Instance) -> Vec<Found> {
        let bags = self.evidence().bags().zip(&self.bags);
        let context = (self.options.recipe, self.classes.len());
        bags.map(|(bag, model)| Found::of(model, instance, bag, context)).collect()
    }

    /// The inputs of stage-1 for an instance.
    pub(crate) fn row(&self, instance: &Instance, found: &[Found]) -> Vec<f64> {
        let (inputs, evidence) = (self.options.inputs().unwrap_or_default(), self.evidence());
        inputs.into_iter().map(|input| value(input, evidence, instance, found)).collect()
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
        let columns = inputs.iter().map(|&input| {
            column(input, self.evidence(), classes, || rows.iter().map(|(i, found, _)| (*i, &**found)))
        });
        Table::new(columns.collect(), rows.iter().map(|&(.., class)| class).collect(), classes)
    }

    pub(crate) fn bag(&self, bag: BagName) -> Option<&BagModel> {
        let evidence = self.evidence();
        evidence.has_bag(bag).then(|| self.bags.get(evidence.index_of_bag(bag)))?
    }

    fn distribution(&self, instance: &Instance, found: &[Found], window: Option<&Window>) -> Vec<f64> {
        let stages = self.two_stages(instance, found);
        let Some((parts, window)) = self.joint.as_ref().zip(window) else { return stages };
        blend(&stages, &parts.joint.distribution(window, self.classes.len()))
    }

    /// The answer of the paper's two stages.
    pub(crate) fn two_stages(&self, instance: &Instance, found: &[Found]) -> Vec<f64> {
        if let Some(forest) = &self.forest {
            return forest.distribution(&self.row(instance, found));
        }
        let alone = self.evidence().bags().zip(&self.bags).next();
        alone.map(|(bag, model)| model.posterior(bag_of(instance, bag))).unwrap_or_default()
    }

    /// Refuses a loaded model whose parts do not fit together.
    pub(crate) fn check_loaded(&self) -> Result<(), FileFault> {
        self.options.check().map_err(|_| FileFault::Inconsistent("an option is out of range"))?;
        self.classes.check_loaded()?;
        check_given(&self.given, &self.classes)?;
        if let Some(familiarity) = &self.familiarity {
            familiarity.check_loaded(self.joint.as_ref().and_then(|parts| parts.likeness.as_ref()))?;
        }
        if self.bags.len() != self.evidence().bags().count() {
            return Err(FileFault::Inconsistent("its bags do not fit its scenario"));
        }
        self.bags.iter().try_for_each(|bag| bag.check_loaded(self.classes.len()))?;
        match (&self.forest, self.options.inputs()) {
            (Some(forest), Some(inputs)) => forest.check_loaded(inputs.len(), self.classes.len())?,
            (None, None) => {}
            _ => return Err(FileFault::Inconsistent("its forest does not fit its scenario")),
        }
        match (&self.joint, self.options.recipe) {
            (Some(parts), Recipe::Best) => parts.check_loaded(self.evidence(), &self.classes),
            (None, Recipe::Paper) => Ok(()),
            _ => Err(FileFault::Inconsistent("its joint model does not fit its recipe")),
        }
    }
}

/// The options of a training on these rows: by the recipe `best` without the bags that all of them lack, and without
/// those that the guard refuses. What it found stands beside them.
fn options_for(
    options: &TrainOptions,
    rows: &[(&Instance, &Label)],
    jobs: NonZeroUsize,
) -> Result<(TrainOptions, Vec<BagUnits>), ModelError> {
    check_evidence(options, rows.iter().map(|(instance, _)| *instance))?;
    if options.recipe == Recipe::Paper {
        return Ok((*options, Vec::new()));
    }
    let bags = rows.iter().map(|(instance, _)| instance.bags.evidence());
    let bags = bags.fold(EvidenceSet::NONE, EvidenceSet::with);
    let units = unit_guard(rows, options.looks_at().within(bags), jobs);
    let is_refused = |bag| units.iter().any(|units| units.bag == bag && units.is_refused);
    let evidence = options.evidence.only(|_| true, |bag| bags.has_bag(bag) && !is_refused(bag));
    let options = TrainOptions { evidence, ..*options };
    options.check().map(|()| (options, units))
}

/// Refuses instances that lack a bag that is looked at; by the recipe `best`, those that lack all of them.
fn check_evidence<'a>(
    options: &TrainOptions,
    instances: impl IntoIterator<Item = &'a Instance>,
) -> Result<(), ModelError> {
    let needed = options.looks_at().only(|_| false, |_| true);
    let missing = |instance: &Instance| {
        let missing = needed.without(instance.bags.evidence());
        if options.recipe == Recipe::Best && missing != needed { EvidenceSet::NONE } else { missing }
    };
    let missing = instances.into_iter().map(missing).fold(EvidenceSet::NONE, EvidenceSet::with);
    if missing.is_empty() { Ok(()) } else { Err(ModelError::MissingEvidence { missing }) }
}
