//! One command a file: each resolves what was typed, does the work, writes the result.

mod audit;
mod classify;
mod demo;
mod devices;
mod evaluate;
mod experiment;
mod extract;
mod flows;
mod models;
mod simulate;
mod train;

use clap::Subcommand;

use crate::args::GlobalArgs;
use crate::exit::Outcome;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the devices of captures, with what is needed to label them
    Devices(devices::DevicesArgs),
    /// List the flows of captures, with their protocols and what is said in them
    Flows(flows::FlowsArgs),
    /// Judge what devices say by best practice; fingerprints, and MUD profiles
    Audit(audit::AuditArgs),
    /// Turn captures into instances: one row for each device and window
    Extract(extract::ExtractArgs),
    /// Learn from labelled instances
    Train(train::TrainArgs),
    /// Say how well a classifier does on labelled instances
    Evaluate(evaluate::EvaluateArgs),
    /// Say which class each device is of, and how surely
    Classify(classify::ClassifyArgs),
    /// List, show, check and try the models that protocols are told by
    Models(models::ModelsArgs),
    /// Play a simulated home into a capture
    Simulate(simulate::SimulateArgs),
    /// Run experiments: tables and figures of the classification paper, and questions that it left open
    Experiment(experiment::ExperimentArgs),
    /// Simulate a home, learn its devices, and show how well they are told apart
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
            Self::Train(args) => args.run(global),
            Self::Evaluate(args) => args.run(global),
            Self::Classify(args) => args.run(global),
            Self::Models(args) => args.run(global),
            Self::Simulate(args) => args.run(global),
            Self::Experiment(args) => args.run(global),
            Self::Demo(args) => args.run(global),
        }
    }
}

/// A share from 0 to 1.
fn parse_threshold(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("'{text}' is no share: expected a number from 0 to 1"))
}
