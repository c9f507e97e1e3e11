//! Identifies the devices on a network from their traffic.

mod args;
mod commands;
mod configuration;
mod copies;
mod destinations;
mod exit;
mod extraction;
mod files;
mod gateways;
mod identities;
mod inputs;
mod instances;
mod label_report;
mod memory;
mod messages;
mod models;
mod networks;
mod output;
mod processor_time;
mod progress;
mod protocols;
mod pseudonyms;
mod read_report;
mod reading;
mod row_output;
mod service_manager;
mod sorted_instances;
mod sources;
mod table_spool;
mod vantage_report;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::GlobalArgs;
use crate::commands::Command;
use crate::exit::Outcome;

/// Identifies the devices on a network from their traffic, and audits it
///
/// Captures (pcap, pcapng, plain or compressed) become hourly instances of each device. A two-stage classifier
/// learns from labelled instances, and names the class of the others with a confidence.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    global: GlobalArgs,
}

fn main() -> ExitCode {
    match run() {
        Ok(outcome) => outcome.into(),
        Err(error) => match exit::status(&error) {
            Some(status) => {
                messages::error(format!("{error:#}"));
                ExitCode::from(status)
            }
            None => ExitCode::SUCCESS,
        },
    }
}

fn run() -> anyhow::Result<Outcome> {
    let command_line = configuration::expand(std::env::args_os().collect(), &Cli::command())?;
    let cli = Cli::parse_from(command_line);
    cli.command.run(&cli.global)
}
