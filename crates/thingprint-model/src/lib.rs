//! Which device is it? A [`Model`] learns from labelled instances and gives a [`Prediction`] for others.
//!
//! The recipe `paper` has two stages (Sivanathan et al., IEEE TMC 18(8), 2019, §5, here cited as \[C\]): a naive Bayes for
//! each bag of words, then a random forest on what those found and on six numbers. The recipe `best` blends them with a
//! joint model of all bags, and says how like its class a window is. [`Split`] parts labelled instances
//! into training and test, [`Evaluation`] says how well a model does, and [`Comparison`] whether it does better than another.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]
mod blocks;
mod classes;
mod comparison;
mod doubt;
mod doubt_so_far;
mod error;
mod evaluation;
mod explain;
mod families;
mod file;
mod guard;
mod joint;
mod likeness;
mod measure;
mod merit;
mod model;
mod options;
mod parallel;
mod prediction;
mod quantile;
mod random;
mod scenario;
mod sequence;
mod split;
mod stage0;
mod stage1;
mod training;
mod vocabulary;
mod word_list;

pub use classes::{Class, Classes, MAX_CLASSES};
pub use comparison::{
    Comparison, Contrast, FEWEST_DAYS, McNemar, McNemarTest, RESAMPLES, WindowAnswers, WindowKey,
};
pub use doubt::{Acceptance, Doubt, FalseAlarms, Nearest, Test, UnseenWords};
pub use doubt_so_far::DoubtSoFar;
pub use error::{FileFault, ModelError};
pub use evaluation::{
    Answer, ClassEvaluation, Evaluation, Measures, Mistake, PartEvaluation, SET_MASS, TestedFold, Voice,
};
pub use explain::{
    BagEvidence, BagNats, DecisiveWord, Explanation, InputEvidence, InputValue, JointEvidence, WordEvidence,
};
pub use families::{Family, FamilyAnswer, FamilyByNames};
pub use file::{FORMAT_VERSION, MAGIC, MAX_BYTES};
pub use guard::{BagUnits, unit_guard};
pub use joint::{CurvePoint, LearningCurve};
pub use likeness::LikenessThresholds;
pub use measure::{
    CALIBRATION_BINS, CalibrationBin, Scored, auroc, calibration_bins, expected_calibration_error,
};
pub use merit::{Merit, information_gains};
pub use model::{Model, Origin};
pub use options::{MAX_FOLDS, MAX_TREES, Prior, Recipe, Stage0Backend, Stage1Backend, TrainOptions, Unseen};
pub use prediction::{DayVerdict, DeviceVerdict, Prediction, Verdict, device_verdicts};
pub use random::GENERATOR;
pub use scenario::{Input, Scenario};
pub use split::{DEFAULT_BLOCKS, DEFAULT_TRAIN_SHARE, Folds, Partition, Split};
pub use stage1::{ABSENT, Column, Forest, ForestExplanation, ForestOptions, MAX_ROWS, Table, number};
pub use vocabulary::Vocabulary;
