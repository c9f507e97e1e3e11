use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use thingprint_instance::{Attribute, BagName};
use thingprint_model::{DEFAULT_TRAIN_SHARE, Scenario, Split, TrainOptions, Voice};

use super::{Extraction, Injection};
use crate::error::ExperimentError;
use crate::outcome::Outcome;
use crate::run::{Analysis, Bench, Measuring};
use crate::text::{parsed, parsed_option, training, training_option};

/// Confidence from which on an answer is accepted, where none is given (classification paper, §6.3).
const DEFAULT_THRESHOLD: f64 = 0.8;

/// An analysis: checked when its definition is read, and run on instances.
pub(crate) trait Method {
    /// Field and problem of the first value that is out of range.
    fn check(&self) -> Checked {
        Ok(())
    }

    /// Extractions beside the experiment's own.
    fn extractions(&self) -> Vec<&Extraction> {
        Vec::new()
    }

    /// Attacks on single devices that are to be played into a data set.
    fn attacks(&self, _dataset: &str) -> &[Attack] {
        &[]
    }

    /// Attacks on every device, where they are asked for.
    fn injection(&self) -> Option<&Injection> {
        None
    }

    /// Whether a data set is to have the classes that it names.
    fn is_on(&self, _dataset: &str) -> bool {
        true
    }

    /// Data sets whose instances it takes, whichever data set it runs on.
    fn others(&self) -> &[String] {
        &[]
    }

    /// Classes that it names.
    fn classes(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether it looks at flows, too.
    fn needs_flows(&self) -> bool {
        false
    }

    /// Seconds after a device's first packet in a window at which windows under way are asked about, of the experiment's own
    /// extraction.
    fn so_far_s(&self) -> &[u32] {
        &[]
    }

    /// Evidence whose extraction is measured, where it is.
    fn measuring(&self) -> Option<Measuring> {
        None
    }

    /// The scenarios of `metrics.json`; none where they are classes of the data.
    fn scenarios(&self) -> Vec<String>;

    /// Whether a scenario has a metric.
    fn has_metric(&self, scenario: &str, metric: &str) -> bool;

    /// Runs it.
    fn run(&self, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError>;
}

/// Trains and evaluates scenarios.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "definitions spell the list of scenarios so")]
pub struct Scenarios {
    /// What the classifier looks at, in the order of the report.
    pub scenarios: Vec<Scenario>,
    /// Which part trains.
    #[serde(default = "random", deserialize_with = "parsed")]
    pub split: Split,
    /// Confidence from which on an answer is accepted.
    #[serde(default = "threshold")]
    pub threshold: f64,
    /// How the classifier is trained; scenario and seed are given elsewhere.
    #[serde(default, deserialize_with = "training")]
    pub training: TrainOptions,
    /// Ways of doing it that are compared; without any there is the one above.
    #[serde(default, rename = "variant")]
    pub variants: Vec<Variant>,
    /// What is shown beside accuracy and error.
    #[serde(default)]
    pub show: BTreeSet<Show>,
    /// What the paper's Table 2 has for a scenario and class: percent classified correctly.
    #[serde(default)]
    pub paper: BTreeMap<Scenario, BTreeMap<String, f64>>,
    /// Whom the paper's Table 2 says that a scenario takes a class for, like `Dropcam: 99.4 %`.
    #[serde(default)]
    pub mistaken: BTreeMap<Scenario, BTreeMap<String, String>>,
}

/// A way of doing it; what is not given is as in [`Scenarios`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Which part trains.
    #[serde(default, deserialize_with = "parsed_option")]
    pub split: Option<Split>,
    /// How captures become instances.
    pub extraction: Option<Extraction>,
    /// How the classifier is trained.
    #[serde(default, deserialize_with = "training_option")]
    pub training: Option<TrainOptions>,
    /// The part of the model that answers: whole, stages or joint.
    #[serde(default = "whole_model")]
    pub voice: Voice,
    /// How the captures that test become instances, where not as those that train: windows of it that lie in windows of
    /// the test part are asked about.
    pub tested: Option<Extraction>,
}

/// Something to show of the evaluation of scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Show {
    /// Each class: how many are right and how surely, and whom it was mistaken for (Table 2).
    Classes,
    /// The confusion matrix of the last scenario (Fig. 11).
    Confusion,
    /// The confidence of right and wrong answers of the last scenario (Fig. 12b).
    Confidence,
    /// Time and memory of training and prediction.
    Cost,
    /// A file of every answer of the last scenario for the first seed, with the probability of each class.
    Answers,
    /// How many answers are accepted, by confidence and by likeness, and how large sets of classes are.
    Acceptance,
    /// Each variant against the first one with the same split: `McNemar`'s test, and differences with intervals.
    Comparison,
}

/// Trains on the first days of each device (Fig. 12a), where a day is 24 instances of a device, or on some of its windows.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingTime {
    /// Days of training, ascending.
    #[serde(default)]
    pub days: Vec<u32>,
    /// Labelled windows of each device instead of days, ascending; each seed draws others.
    #[serde(default)]
    pub windows: Vec<u32>,
    /// The split; its test part is the same for every number of days, its training part is cut.
    #[serde(default = "random", deserialize_with = "parsed")]
    pub split: Split,
    /// What the classifier looks at.
    #[serde(default = "whole")]
    pub scenario: Scenario,
    /// How the classifier is trained.
    #[serde(default, deserialize_with = "training")]
    pub training: TrainOptions,
}

/// Ranks the inputs of stage-1 by information gain (Fig. 12c).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merits {
    /// The split, whose training part is looked at.
    #[serde(default = "random", deserialize_with = "parsed")]
    pub split: Split,
}

/// Lets the model judge a device that is attacked (§6.3).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attacks {
    /// The split of the normal traffic.
    #[serde(default = "random", deserialize_with = "parsed")]
    pub split: Split,
    /// Confidence from which on an answer is accepted.
    #[serde(default = "threshold")]
    pub threshold: f64,
    /// Attacks on single devices.
    #[serde(default)]
    pub attack: Vec<Attack>,
    /// Data sets that have the devices of `attack`; all when not given.
    #[serde(default)]
    pub data: Vec<String>,
    /// Attacks on every device, which are to show as changes.
    pub change: Option<Injection>,
}

/// An attack on a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// What is done.
    pub kind: AttackKind,
    /// Attack packets a second.
    pub rate_pps: u32,
    /// Class of the device attacked.
    pub target: String,
    /// Port of the device's service that is used.
    pub port: u16,
    /// Payload of a request that the device is made to answer, in bytes; of no meaning to other attacks.
    #[serde(default)]
    pub request_bytes: u16,
    /// Payload of the answer, in bytes; of no meaning to other attacks.
    #[serde(default)]
    pub response_bytes: u16,
    /// How long it lasts, in hours.
    pub hours: u32,
}

/// What an attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttackKind {
    /// The device is made to answer requests (SSDP, SNMP) whose source is forged.
    UdpReflection,
    /// The device is flooded with SYN segments.
    TcpSyn,
}

/// Works out probabilities of words and classes by hand (§5.2.1).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worked {
    /// The split, whose training part is counted.
    #[serde(default = "random", deserialize_with = "parsed")]
    pub split: Split,
    /// The bag of words.
    pub bag: BagName,
    /// Classes whose prior is worked out, each with the paper's value.
    #[serde(default)]
    pub priors: BTreeMap<String, f64>,
    /// Words whose probability given a class is worked out.
    #[serde(default, rename = "word")]
    pub words: Vec<WordProbe>,
    /// Bags that the classifier is asked about.
    #[serde(default, rename = "ask")]
    pub bags: Vec<BagProbe>,
}

/// A word and a class.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordProbe {
    /// The word.
    pub word: String,
    /// The class.
    pub class: String,
    /// The probability that the paper prints.
    pub paper: f64,
}

/// A bag that the classifier is asked about.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BagProbe {
    /// Words with their counts.
    pub words: BTreeMap<String, u64>,
    /// Class whose instances have this bag.
    pub truth: String,
    /// The answer in the paper.
    pub paper: String,
}

/// Leaves each class out of the training in turn, and asks whether its instances are taken for somebody else.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaveOneOut {
    /// The split: a model trains on the training part without the class, and is asked about the test part.
    #[serde(default = "random", deserialize_with = "parsed")]
    pub split: Split,
    /// Confidence from which on an answer is accepted.
    #[serde(default = "threshold")]
    pub threshold: f64,
    /// How the classifier is trained.
    #[serde(default, deserialize_with = "training")]
    pub training: TrainOptions,
}

/// Describes the traffic of devices (§4).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Characterise {
    /// Classes that figures are drawn of first; then come those with most instances.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Most classes in one figure.
    pub most_classes: usize,
    /// Most words of a class in a figure.
    pub most_words: usize,
    /// Shares of values inside an interval, which the paper names.
    #[serde(default, rename = "share")]
    pub shares: Vec<Share>,
}

/// The share of a class's values that lie inside an interval.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The class.
    pub class: String,
    /// The attribute.
    pub attribute: Attribute,
    /// Lower end of the interval, included.
    pub low: f64,
    /// Upper end of the interval, included.
    pub high: f64,
    /// The share that the paper names, 0 to 1.
    pub paper: f64,
    /// Where the paper has it.
    pub place: String,
}

/// What a training and its predictions took; measured by the caller, who has a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Seconds of training.
    pub fit_s: f64,
    /// Seconds of prediction.
    pub predict_s: f64,
    /// Most memory that either took beyond what the program held before, in bytes; `None` where nobody counts.
    pub peak_bytes: Option<u64>,
}

/// The split where none is given.
pub(crate) fn random() -> Split {
    Split::Random(DEFAULT_TRAIN_SHARE)
}

/// The confidence from which on an answer is accepted, where none is given.
pub(crate) const fn threshold() -> f64 {
    DEFAULT_THRESHOLD
}

const fn whole_model() -> Voice {
    Voice::Whole
}

pub(crate) const fn whole() -> Scenario {
    Scenario::Final
}

impl Analysis {
    /// Attacks on every device, where they are asked for.
    pub fn injection(&self) -> Option<&Injection> {
        self.method().injection()
    }

    /// Whether it looks at flows, too.
    pub fn needs_flows(&self) -> bool {
        self.method().needs_flows()
    }

    /// Field and problem of the first unsupported value.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        self.method().check().map_err(|(field, problem)| (format!("analysis.{field}"), problem))
    }
}

/// What is wrong with a definition: the field, and the problem.
pub(crate) type Checked = Result<(), (String, String)>;

/// Rejects a number that is not from 0 to 1.
pub(crate) fn check_share(field: &str, share: f64) -> Checked {
    ensure((0.0..=1.0).contains(&share), field, "expected a share from 0 to 1")
}

/// Refuses options of training that are out of range, or given elsewhere.
pub(crate) fn check_training(training: &TrainOptions) -> Checked {
    let default = TrainOptions::default();
    training.check().map_err(|error| ("training".to_owned(), error.to_string()))?;
    let is_fine = training.scenario == default.scenario && training.seed == default.seed;
    ensure(is_fine, "training", "scenario and seed are given by 'scenarios' and 'seeds'")
}

/// Refuses a split into folds, of which an analysis would look at the first alone.
pub(crate) fn check_single(split: Split) -> Checked {
    ensure(
        !split.has_folds(),
        "split",
        "expected random, time or unit: folds are for the analysis 'scenarios'",
    )
}

/// Refuses a field whose value is not fine.
pub(crate) fn ensure(is_fine: bool, field: &str, problem: &str) -> Checked {
    if is_fine { Ok(()) } else { Err((field.to_owned(), problem.to_owned())) }
}

impl Share {
    /// Its name in results, like `share_flow_volume_bytes[130-140]`.
    pub fn metric(&self) -> String {
        format!("share_{}[{}-{}]", self.attribute.name(), self.low, self.high)
    }
}

impl AttackKind {
    /// The name, as definitions spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UdpReflection => "udp-reflection",
            Self::TcpSyn => "tcp-syn",
        }
    }
}

impl Attack {
    /// Its name in results, like `udp-reflection-100`.
    pub fn key(&self) -> String {
        format!("{}-{}", self.kind.name(), self.rate_pps)
    }
}

impl fmt::Display for Attack {
    /// Like `udp-reflection at 100/s on port 1900 of Samsung Smart Cam for 12 h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate_pps, target, port, hours, .. } = self;
        write!(f, "{} at {rate_pps}/s on port {port} of {target} for {hours} h", self.kind.name())?;
        if self.kind == AttackKind::UdpReflection {
            write!(f, " ({} B answered by {} B)", self.request_bytes, self.response_bytes)?;
        }
        Ok(())
    }
}
