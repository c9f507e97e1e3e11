use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use thingprint_instance::{Attribute, BagName};
use thingprint_model::{DEFAULT_TRAIN_SHARE, Scenario, Split, TrainOptions};

use super::{Extraction, Injection, has_twice};
use crate::text::{parsed, parsed_option};

/// Confidence from which on an answer is accepted, where none is given (classification paper, §6.3).
const DEFAULT_THRESHOLD: f64 = 0.8;

/// What an experiment does with its data.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Analysis {
    /// Trains and evaluates scenarios, in several variants where asked for.
    Scenarios(Scenarios),
    /// Trains on the first days of each device.
    TrainingTime(TrainingTime),
    /// Ranks the inputs of stage-1 by information gain.
    Merits(Merits),
    /// Lets the model judge a device that is attacked.
    Attacks(Attacks),
    /// Works out probabilities of words and classes by hand.
    Worked(Worked),
    /// Leaves each class out of the training in turn.
    LeaveOneOut(LeaveOneOut),
    /// Describes the traffic of devices.
    Characterise(Characterise),
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
    #[serde(default)]
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
    pub training: Option<TrainOptions>,
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
}

/// Trains on the first days of each device (Fig. 12a): a day is 24 instances of a device.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingTime {
    /// Days of training, ascending.
    pub days: Vec<u32>,
    /// The split; its test part is the same for every number of days, its training part is cut.
    #[serde(default = "random", deserialize_with = "parsed")]
    pub split: Split,
    /// What the classifier looks at.
    #[serde(default = "whole")]
    pub scenario: Scenario,
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
    #[serde(default)]
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

fn random() -> Split {
    Split::Random(DEFAULT_TRAIN_SHARE)
}

const fn threshold() -> f64 {
    DEFAULT_THRESHOLD
}

const fn whole() -> Scenario {
    Scenario::Final
}

impl Analysis {
    /// Extractions of variants.
    pub(super) fn extractions(&self) -> impl Iterator<Item = &Extraction> {
        let variants: &[Variant] = match self {
            Self::Scenarios(scenarios) => &scenarios.variants,
            _ => &[],
        };
        variants.iter().filter_map(|variant| variant.extraction.as_ref())
    }

    /// Attacks on single devices that are to be played into a data set.
    pub(crate) fn attacks(&self, dataset: &str) -> &[Attack] {
        match self {
            Self::Attacks(attacks) if self.is_on(dataset) => &attacks.attack,
            _ => &[],
        }
    }

    /// Whether a data set is to have the classes that it names.
    pub(crate) fn is_on(&self, dataset: &str) -> bool {
        match self {
            Self::Attacks(attacks) => {
                attacks.data.is_empty() || attacks.data.iter().any(|name| name == dataset)
            }
            _ => true,
        }
    }

    /// Attacks on every device, where they are asked for.
    pub const fn injection(&self) -> Option<&Injection> {
        match self {
            Self::Attacks(attacks) => attacks.change.as_ref(),
            _ => None,
        }
    }

    /// Classes that it names.
    pub(super) fn classes(&self) -> BTreeSet<&str> {
        let named: Vec<&String> = match self {
            Self::Scenarios(scenarios) => scenarios.paper.values().flat_map(BTreeMap::keys).collect(),
            Self::Attacks(attacks) => attacks.attack.iter().map(|attack| &attack.target).collect(),
            Self::Worked(worked) => {
                let words = worked.words.iter().map(|probe| &probe.class);
                let bags = worked.bags.iter().flat_map(|probe| [&probe.truth, &probe.paper]);
                words.chain(bags).chain(worked.priors.keys()).collect()
            }
            Self::Characterise(characterise) => {
                let shares = characterise.shares.iter().map(|share| &share.class);
                shares.chain(&characterise.classes).collect()
            }
            Self::TrainingTime(_) | Self::Merits(_) | Self::LeaveOneOut(_) => Vec::new(),
        };
        named.into_iter().map(String::as_str).collect()
    }

    /// Whether it looks at flows, too.
    pub const fn needs_flows(&self) -> bool {
        matches!(self, Self::Characterise(_))
    }

    /// Field and problem of the first value that makes no sense.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let checked = match self {
            Self::Scenarios(scenarios) => scenarios.check(),
            Self::TrainingTime(time) => ensure(
                !time.days.is_empty() && time.days.is_sorted_by(|a, b| a < b) && !time.days.contains(&0),
                "days",
                "expected numbers of days from 1, ascending",
            ),
            Self::Merits(_) => Ok(()),
            Self::Attacks(attacks) => attacks.check(),
            Self::Worked(worked) => worked.check(),
            Self::LeaveOneOut(left) => {
                check_share("threshold", left.threshold).and_then(|()| check_training(&left.training))
            }
            Self::Characterise(characterise) => ensure(
                (1..=12).contains(&characterise.most_classes) && (1..=100).contains(&characterise.most_words),
                "most_classes",
                "expected 1 to 12 classes and 1 to 100 words",
            ),
        };
        checked.map_err(|(field, problem)| (format!("analysis.{field}"), problem))
    }
}

type Checked = Result<(), (String, String)>;

impl Scenarios {
    fn check(&self) -> Checked {
        ensure(
            !self.scenarios.is_empty() && !has_twice(&self.scenarios),
            "scenarios",
            "expected scenarios, each once",
        )?;
        check_share("threshold", self.threshold)?;
        check_training(&self.training)?;
        let percents = self.paper.values().flat_map(BTreeMap::values);
        ensure(
            percents.copied().all(|percent| (0.0..=100.0).contains(&percent)),
            "paper",
            "expected percents from 0 to 100",
        )?;
        let names: Vec<&str> = self.variants.iter().map(|variant| variant.name.as_str()).collect();
        ensure(!has_twice(&names) && !names.contains(&""), "variant", "expected a name of its own for each")?;
        self.variants.iter().filter_map(|variant| variant.training.as_ref()).try_for_each(check_training)
    }
}

impl Worked {
    fn check(&self) -> Checked {
        ensure(Scenario::of_bag(self.bag).is_some(), "bag", "expected ports, domains or cipher_suites")?;
        ensure(
            self.bags.iter().all(|probe| probe.words.values().all(|count| *count > 0)),
            "ask",
            "expected counts of at least 1",
        )
    }
}

impl Attacks {
    fn check(&self) -> Checked {
        check_share("threshold", self.threshold)?;
        if let Some(change) = &self.change {
            change.check().map_err(|(field, problem)| (format!("change.{field}"), problem.to_owned()))?;
        }
        let is_fine = (self.change.is_some() || !self.attack.is_empty())
            && !has_twice(&self.attack.iter().map(Attack::key).collect::<Vec<_>>())
            && self.attack.iter().all(|attack| attack.rate_pps > 0 && attack.hours > 0);
        ensure(
            is_fine,
            "attack",
            "expected attacks of at least one packet a second and one hour, each kind and rate once",
        )
    }
}

fn check_share(field: &str, share: f64) -> Checked {
    ensure((0.0..=1.0).contains(&share), field, "expected a share from 0 to 1")
}

fn check_training(training: &TrainOptions) -> Checked {
    let default = TrainOptions::default();
    training.check().map_err(|error| ("training".to_owned(), error.to_string()))?;
    let is_fine = training.scenario == default.scenario && training.seed == default.seed;
    ensure(is_fine, "training", "scenario and seed are given by 'scenarios' and 'seeds'")
}

fn ensure(is_fine: bool, field: &str, problem: &str) -> Checked {
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
