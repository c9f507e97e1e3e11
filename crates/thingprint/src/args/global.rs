use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use thingprint_report::Transaction;
use thingprint_table::{Format, Writes};

use crate::call::Line;
use crate::messages::Messages;

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct GlobalArgs {
    #[arg(long, global = true, value_name = "FORMAT", help = format_help(), help_heading = "Output")]
    pub(crate) format: Option<Format>,

    /// Write the result to this file; - is standard output
    #[arg(short, long, global = true, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// Write texts into CSV as they are, also those that a spreadsheet takes for formulas (docs/output.md)
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) raw_cells: bool,

    /// Write results with pseudonyms for MAC addresses, IP addresses and host names, by the key in this file, which is made
    /// where there is none (docs/privacy.md)
    #[arg(long, global = true, value_name = "KEYFILE", help_heading = "Output")]
    pub(crate) pseudonyms: Option<PathBuf>,

    /// Number of threads [default: number of cores]
    #[arg(short, long, global = true, value_name = "N", value_parser = parse_jobs, help_heading = "Running")]
    pub(crate) jobs: Option<NonZeroUsize>,

    /// Seed of all random choices
    #[arg(long, global = true, value_name = "N", default_value_t = 1, help_heading = "Running")]
    pub(crate) seed: u64,

    /// Print only the result and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Running")]
    pub(crate) quiet: bool,

    /// Report in detail what was read and what was skipped
    #[arg(short, long, global = true, help_heading = "Running")]
    pub(crate) verbose: bool,

    /// The files that the command writes, which appear together when it has done its work.
    #[arg(skip)]
    pub(crate) results: Transaction,

    /// Who calls the command instead of a shell.
    #[arg(skip)]
    pub(crate) line: Option<&'static Line>,
}

impl GlobalArgs {
    /// Messages as loud as asked for.
    pub(crate) const fn messages(&self) -> Messages {
        Messages::new(self.quiet, self.verbose).to(self.line)
    }

    /// Threads to run.
    pub(crate) fn threads(&self) -> NonZeroUsize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.jobs.unwrap_or_else(cores)
    }
}

fn parse_jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a number of threads, 1 or more".to_owned())
}

/// The names of the formats, documents apart.
fn format_help() -> String {
    let (documents, rows): (Vec<Format>, Vec<Format>) =
        Format::ALL.iter().partition(|format| format.writes() == Writes::Document);
    format!(
        "Format of the result: {}; of audit also {} [default: table on a terminal, jsonl in a pipe, else by the \
         extension of --output]",
        listed(&rows),
        listed(&documents)
    )
}

fn listed(formats: &[Format]) -> String {
    let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
