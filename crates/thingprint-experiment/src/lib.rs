//! A [`Definition`] asks something of a data set, and [`run()`] answers it: the tables and figures of the classification
//! paper, one experiment each, and what the paper left open.
//!
//! A definition is a TOML file with prose, data, options, seeds and the values expected. It names the instances that it
//! needs ([`Definition::needs`]); the caller, who has files and a clock, brings them. The [`Outcome`] is data, and
//! [`Report`] puts paper and run side by side in the files of a result.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]
mod chart;
mod dataset;
mod definition;
mod error;
mod extraction_cost;
mod fields;
mod flows;
mod outcome;
mod render;
mod run;
mod text;

pub use chart::Chart;
pub use dataset::{Dataset, DatasetTrace};
pub use definition::{
    Attack, AttackKind, Attacks, BagProbe, Band, BandRule, Characterise, Cost, Definition, Expectation,
    Extraction, Injection, LeaveOneOut, Merits, Need, Preset, Scenarios, Share, Show, Strike, TrainingTime,
    Variant, WordProbe, Worked,
};
pub use error::ExperimentError;
pub use extraction_cost::{ExtractionCost, KeptState, Measurement};
pub use fields::Problem;
pub use flows::{Cast, FlowRecord, Side};
pub use outcome::{Attachment, Metrics, Outcome, Section, Summary};
pub use render::{DataSource, Machine, Report, ResultFile};
pub use run::{Analysis, Lap, Material, Watch, run};
