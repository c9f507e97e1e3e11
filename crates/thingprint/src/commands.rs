//! One file for each command: it resolves the arguments, runs, and writes the result.

mod audit;
mod classify;
mod demo;
mod devices;
mod evaluate;
mod experiment;
mod extract;
mod flows;
mod merge;
mod protocols;
mod simulate;
mod train;
mod watch;

use clap::Subcommand;

use crate::args::GlobalArgs;
use crate::exit::Outcome;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the devices of captures, and write a label file to fill in
    Devices(devices::DevicesArgs),
    /// List the flows of captures, with their protocols and messages
    Flows(flows::FlowsArgs),
    /// Check devices against best practice; fingerprints and MUD profiles
    Audit(audit::AuditArgs),
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
    /// Watch a network live: who is there, what each device is, what changed
    Watch(Box<watch::WatchArgs>),
    /// List, show, check and test the models that detect protocols
    Protocols(protocols::ProtocolsArgs),
    /// Write a capture of a simulated home
    Simulate(simulate::SimulateArgs),
    /// Run experiments: tables and figures of the classification paper, and further questions
    Experiment(experiment::ExperimentArgs),
    /// Simulate a home, train on it, and show how well its devices are classified
    Demo(demo::DemoArgs),
}

impl Command {
    /// Runs the command.
    pub(crate) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        match self {
            Self::Devices(args) => args.run(global),
            Self::Flows(args) => args.run(global),
            Self::Audit(args) => args.run(global),
            Self::Extract(args) => args.run(global),
            Self::Merge(args) => args.run(global),
            Self::Train(args) => args.run(global),
            Self::Evaluate(args) => args.run(global),
            Self::Classify(args) => args.run(global),
            Self::Watch(args) => args.run(global),
            Self::Protocols(args) => args.run(global),
            Self::Simulate(args) => args.run(global),
            Self::Experiment(args) => args.run(global),
            Self::Demo(args) => args.run(global),
        }
    }
}

/// A share from 0 to 1.
fn parse_threshold(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("invalid share '{text}': expected a number from 0 to 1"))
}
