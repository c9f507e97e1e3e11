use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use thingprint_report::Format;

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct GlobalArgs {
    /// Format of the result: table, json, jsonl, csv or parquet; audit also writes sarif and html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]
    #[arg(long, global = true, value_name = "FORMAT", value_parser = parse_format, help_heading = "Output")]
    pub(crate) format: Option<Wanted>,

    /// Write the result to this file; - is standard output
    #[arg(short, long, global = true, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

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
}

/// The form that a result is wanted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Rows.
    Rows(Format),
    /// A document, which only some commands write.
    Document(Document),
}

/// A format that is not a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// SARIF 2.1.0.
    Sarif,
    /// A page of HTML.
    Html,
}

impl Document {
    const ALL: [Self; 2] = [Self::Sarif, Self::Html];

    /// The name that `--format` takes, which is also the extension of files.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sarif => "sarif",
            Self::Html => "html",
        }
    }

    /// The document of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|document| document.name().eq_ignore_ascii_case(name))
    }
}

impl GlobalArgs {
    /// Threads to run.
    pub(crate) fn threads(&self) -> NonZeroUsize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.jobs.unwrap_or_else(cores)
    }
}

fn parse_jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a number of threads, 1 or more".to_owned())
}

fn parse_format(text: &str) -> Result<Wanted, String> {
    if let Some(document) = Document::named(text) {
        return Ok(Wanted::Document(document));
    }
    let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
    let unknown = |_| {
        format!(
            "unknown format '{text}': expected one of {}; audit also writes sarif and html",
            names.join(", ")
        )
    };
    text.parse().map(Wanted::Rows).map_err(unknown)
}
