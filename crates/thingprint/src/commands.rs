//! One file for each command: it resolves the arguments, runs, and writes the result.

mod audit;
mod classify;
#[cfg(feature = "live")]
mod collect;
mod compare;
mod demo;
mod devices;
mod evaluate;
mod experiment;
mod extract;
mod flows;
#[cfg(feature = "live")]
mod generate;
mod identify;
mod knowledge;
mod merge;
mod mud;
mod protocols;
mod report;
mod simulate;
mod store;
mod train;
#[cfg(feature = "live")]
mod watch;

use std::path::Path;

use clap::Subcommand;

pub(crate) use self::merge::joined as joined_parts;

use crate::args::GlobalArgs;
use crate::destinations::Destinations;
use crate::exit::{Outcome, Usage};
use crate::standard_output::is_standard_output;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the devices of captures, and write a label file to fill in
    Devices(devices::DevicesArgs),
    /// Say who devices are by what they say of themselves, and why
    Identify(identify::IdentifyArgs),
    /// List and import the tables by which identities are read
    Knowledge(knowledge::KnowledgeCommand),
    /// List the flows of captures, with their protocols and messages
    Flows(flows::FlowsArgs),
    /// Check devices against best practice; fingerprints and MUD profiles
    Audit(audit::AuditArgs),
    /// Write firewall rules of MUD profiles
    Mud(mud::MudArgs),
    /// Extract instances from captures: one row for each device and window
    Extract(extract::ExtractArgs),
    /// Make instances of parts that were extracted apart
    Merge(merge::MergeArgs),
    /// Train a model on labelled instances
    Train(train::TrainArgs),
    /// Measure a classifier on labelled instances
    Evaluate(evaluate::EvaluateArgs),
    /// Classify devices, with a confidence
    Classify(classify::ClassifyArgs),
    /// Compare two times of a network: what is new, gone or unusual
    Compare(compare::CompareArgs),
    /// Write a report on a network for people who decide
    Report(report::ReportArgs),
    /// Watch a network live: who is there, what each device is, what changed
    #[cfg(feature = "live")]
    Watch(Box<watch::WatchArgs>),
    /// Collect what several taps see of one network in one store
    #[cfg(feature = "live")]
    Collect(Box<collect::CollectArgs>),
    /// List, show, check and test the models that detect protocols
    Protocols(protocols::ProtocolsArgs),
    /// Show, export and prune what a watch has stored
    Store(store::StoreArgs),
    /// Write a capture of a simulated home
    Simulate(simulate::SimulateArgs),
    /// Run experiments: tables and figures of the classification paper, and further questions
    Experiment(experiment::ExperimentArgs),
    /// Simulate a home, train on it, and show how well its devices are classified
    Demo(demo::DemoArgs),
    /// Write manual pages, completions and the configuration of the package
    #[command(hide = true)]
    #[cfg(feature = "live")]
    Generate(generate::GenerateArgs),
}

impl Command {
    /// Runs the command.
    pub(crate) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        if global.pseudonyms.is_some()
            && let Some(what) = self.names_everybody()
        {
            let reason = format!("--pseudonyms: {what} names devices as they are; leave out one of them");
            return Err(Usage(reason).into());
        }
        let looks_itself = match self {
            // They have no such result, and say so.
            Self::Demo(_) | Self::Experiment(_) => true,
            // The result may be in the folder of figures.
            Self::Evaluate(args) => args.makes_folder(),
            _ => false,
        };
        if !looks_itself {
            check_output(global)?;
        }
        match self {
            Self::Devices(args) => args.run(global),
            Self::Identify(args) => args.run(global),
            Self::Knowledge(args) => args.run(global),
            Self::Flows(args) => args.run(global),
            Self::Audit(args) => args.run(global),
            Self::Mud(args) => args.run(global),
            Self::Extract(args) => args.run(global),
            Self::Merge(args) => args.run(global),
            Self::Train(args) => args.run(global),
            Self::Evaluate(args) => args.run(global),
            Self::Classify(args) => args.run(global),
            Self::Compare(args) => args.run(global),
            Self::Report(args) => args.run(global),
            #[cfg(feature = "live")]
            Self::Watch(args) => args.run(global),
            #[cfg(feature = "live")]
            Self::Collect(args) => args.run(global),
            Self::Protocols(args) => args.run(global),
            Self::Store(args) => args.run(global),
            Self::Simulate(args) => args.run(global),
            Self::Experiment(args) => args.run(global),
            Self::Demo(args) => args.run(global),
            #[cfg(feature = "live")]
            Self::Generate(args) => args.run(global),
        }
    }
}

impl Command {
    /// Whether a command that runs could begin again with these arguments; only `watch` does.
    #[cfg(feature = "live")]
    pub(crate) fn verify(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        match self {
            #[cfg(feature = "live")]
            Self::Watch(args) => args.verify(global),
            _ => Err(Usage("only watch reads its configuration again".to_owned()).into()),
        }
    }

    /// Whether the command itself decides what signals do.
    pub(crate) const fn minds_signals(&self) -> bool {
        match self {
            #[cfg(feature = "live")]
            Self::Watch(_) | Self::Collect(_) => true,
            _ => false,
        }
    }

    /// The files of pages and logs that the command writes: what came out of it is told by a line for each.
    pub(crate) fn pages<'a>(&'a self, global: &'a GlobalArgs) -> Vec<&'a Path> {
        let output = || global.output.as_deref().filter(|path| !is_standard_output(path));
        match self {
            Self::Report(_) => output().into_iter().collect(),
            Self::Compare(args) => output().into_iter().chain(args.pages()).collect(),
            Self::Audit(args) => output().into_iter().chain(args.pages()).collect(),
            _ => Vec::new(),
        }
    }

    /// What of the command would be written without pseudonyms; `None` where they replace all names.
    fn names_everybody(&self) -> Option<&'static str> {
        match self {
            Self::Devices(args) => args.names_everybody(),
            Self::Flows(args) => args.names_everybody(),
            Self::Extract(args) => args.names_everybody(),
            Self::Classify(args) => args.names_everybody(),
            Self::Compare(args) => args.names_everybody(),
            Self::Merge(_) | Self::Store(_) | Self::Knowledge(_) => None,
            #[cfg(feature = "live")]
            Self::Generate(_) => None,
            Self::Audit(args) => args.names_everybody(),
            Self::Mud(_) => Some("mud"),
            Self::Identify(_) => Some("identify"),
            Self::Report(_) => Some("report"),
            Self::Train(_) => Some("train"),
            Self::Evaluate(_) => Some("evaluate"),
            Self::Protocols(_) => Some("protocols"),
            Self::Simulate(_) => Some("simulate"),
            Self::Experiment(_) => Some("experiment"),
            Self::Demo(_) => Some("demo"),
            #[cfg(feature = "live")]
            Self::Watch(_) => Some("watch"),
            #[cfg(feature = "live")]
            Self::Collect(_) => Some("collect"),
        }
    }
}

/// Refuses a result that could not be written, before anything is read for it.
fn check_output(global: &GlobalArgs) -> anyhow::Result<()> {
    let path = global.output.as_deref().filter(|path| !is_standard_output(path));
    Destinations::of(&global.results).add("--output", path).check(None)
}

/// Columns of a terminal that tables fit into where no terminal sets a width.
const WIDTH: usize = 100;

/// A share from 0 to 1.
fn parse_threshold(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("invalid share '{text}': expected a number from 0 to 1"))
}
