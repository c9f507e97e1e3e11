//! Tells which devices are on a network, from traffic alone.

mod args;
mod commands;
mod copies;
mod destinations;
mod exit;
mod extraction;
mod files;
mod gateways;
mod inputs;
mod instances;
mod messages;
mod models;
mod output;
mod progress;
mod protocols;
mod read_report;
mod reading;
mod sources;

use std::alloc::System;
use std::process::ExitCode;

use clap::Parser;
use peakmem_alloc::PeakMemAlloc;

use crate::args::GlobalArgs;
use crate::commands::Command;

/// The system's allocator, with a count of the bytes that are held: what an experiment says of memory.
#[global_allocator]
static MEMORY: PeakMemAlloc<System> = PeakMemAlloc::new(System);

/// Tells which devices are on a network, from traffic alone
///
/// Captures (pcap, pcapng, plain or compressed) become hourly instances of each device; a two-stage classifier
/// learns from labelled ones and tells what the others are, and how sure it is.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    global: GlobalArgs,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command.run(&cli.global) {
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
