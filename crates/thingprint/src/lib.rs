//! The program: [`main`] runs the command of the process, and a [`Call`](call::Call) one for another program.

mod args;
pub mod call;
pub mod captures;
mod commands;
mod configuration;
mod copies;
mod destinations;
mod devices_seen;
mod exit;
mod extraction;
mod files;
mod folder_walk;
mod gateways;
mod identities;
mod inputs;
mod instances;
mod label_report;
pub mod learning;
mod left_out;
mod memory;
mod messages;
mod models;
mod named_writer;
mod networks;
mod opened;
mod output;
pub mod parts;
mod processor_time;
mod progress;
mod protocols;
mod pseudonyms;
mod read_report;
mod reading;
mod row_output;
#[cfg(feature = "live")]
mod service_manager;
mod signals;
mod small_file;
mod sorted_instances;
mod sources;
mod standard_output;
mod table_spool;
mod temporary;
mod terminal;
mod vantage_report;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser};
use thingprint_table::escape;

use crate::args::GlobalArgs;
use crate::call::Line;
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

/// Runs the command of the process.
pub fn main() -> ExitCode {
    match run() {
        Ok(outcome) => outcome.into(),
        Err(error) => fail(&error),
    }
}

/// Says what went wrong.
fn fail(error: &anyhow::Error) -> ExitCode {
    if let Some(said) = error.downcast_ref::<clap::Error>() {
        terminal::parser(said);
        return if said.use_stderr() { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS };
    }
    match exit::status(error) {
        Some(status) => {
            messages::error(format!("{error:#}"));
            ExitCode::from(status)
        }
        None => ExitCode::SUCCESS,
    }
}

fn run() -> anyhow::Result<Outcome> {
    let command_line = configuration::expand(std::env::args_os().collect(), &Cli::command())?;
    let cli = Cli::try_parse_from(&command_line).map_err(|error| said_of(&command_line).unwrap_or(error))?;
    let results = &cli.global.results;
    if !cli.command.minds_signals() {
        signals::take_away_what_is_half_done(results)?;
    }
    carry_out(&cli)
}

/// Runs a command for another program, which has signals to itself.
fn called(arguments: &[OsString], line: &'static Line) -> anyhow::Result<Outcome> {
    let command_line = configuration::expand(arguments.to_vec(), &Cli::command())?;
    let mut cli = Cli::try_parse_from(&command_line)?;
    cli.global.line = Some(line);
    carry_out(&cli)
}

/// Runs a command, whose results appear together or not at all.
fn carry_out(cli: &Cli) -> anyhow::Result<Outcome> {
    let results = &cli.global.results;
    opened::say_through(cli.global.messages());
    match cli.command.run(&cli.global) {
        Ok(outcome) => {
            results.commit().context("no result was written")?;
            for path in cli.command.pages(&cli.global) {
                cli.global.messages().note(format!("wrote {}", path.display()));
            }
            Ok(outcome)
        }
        Err(error) if results.roll_back() => Err(error.context("no result was written")),
        Err(error) => Err(error),
    }
}

/// What is wrong with a command line, told of its arguments as a terminal may show them; `None` where nothing is wrong with those.
fn said_of(command_line: &[OsString]) -> Option<clap::Error> {
    let shown = command_line.iter().map(|argument| escape::terminal(&argument.to_string_lossy()));
    Cli::try_parse_from(shown).err()
}
