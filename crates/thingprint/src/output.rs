use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use thingprint_report::{AtomicFile, Format, Style, Table};

use crate::args::{Document, GlobalArgs, Wanted};
use crate::destinations::Destinations;
use crate::exit::Usage;
use crate::inputs::Input;

/// Where a result goes, and in which format.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    path: Option<PathBuf>,
    format: Format,
    document: Option<Document>,
    style: Style,
}

impl Output {
    /// What the command line asks for: `--format`, else the extension of `-o`, else a table on a terminal and
    /// JSON lines anywhere else.
    pub(crate) fn of(args: &GlobalArgs) -> Result<Self, Usage> {
        if let Some(Wanted::Document(document)) = args.format {
            let name = document.name();
            return Err(Usage(format!("--format {name}: only audit writes that")));
        }
        Ok(Self { document: None, ..Self::with_documents(args)? })
    }

    /// The same for a command that writes documents as well.
    pub(crate) fn with_documents(args: &GlobalArgs) -> Result<Self, Usage> {
        let path = args.output.clone().filter(|path| path != Path::new("-"));
        let is_terminal = path.is_none() && io::stdout().is_terminal();
        let by_name = path.as_deref().and_then(Format::of_extension);
        let default = if is_terminal { Format::Table } else { Format::Jsonl };
        let extension = path.as_deref().and_then(|path| path.extension()?.to_str());
        let (format, document) = match args.format {
            Some(Wanted::Rows(format)) => (format, None),
            Some(Wanted::Document(document)) => (default, Some(document)),
            None => (by_name.unwrap_or(default), extension.and_then(Document::named)),
        };
        if format == Format::Parquet && is_terminal {
            return Err(Usage("Parquet is not for terminals: give a file with -o".to_owned()));
        }
        let width = is_terminal.then(terminal_width).flatten();
        Ok(Self { path, format, document, style: Style { width, colour: is_terminal && wants_colour() } })
    }

    /// The format.
    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    /// How a table looks.
    pub(crate) const fn style(&self) -> Style {
        self.style
    }

    /// The document that is wanted instead of rows.
    pub(crate) const fn document(&self) -> Option<Document> {
        self.document
    }

    /// The file that it goes to; `None` for standard output.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Refuses to write over an input.
    pub(crate) fn check_apart(&self, inputs: &[Input]) -> Result<(), Usage> {
        check_apart(self.path.as_deref(), inputs)
    }

    /// Refuses a place for the result that is one of these files, or in one of these folders.
    pub(crate) fn check_apart_from(&self, given: &[Option<&Path>]) -> Result<(), Usage> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut destinations = Destinations::default();
        for given in given {
            destinations.read(*given);
        }
        destinations.check_replaced("--output", path)
    }

    /// Writes one table.
    pub(crate) fn table(&self, table: &Table) -> anyhow::Result<()> {
        self.with(|out| Ok(thingprint_report::write(table, self.format, out, self.style)?))
    }

    /// Writes tables with a heading each, for people.
    pub(crate) fn sections(&self, sections: &[(String, Table)]) -> anyhow::Result<()> {
        self.with(|out| {
            for (at, (heading, table)) in sections.iter().enumerate() {
                let gap = if at == 0 { "" } else { "\n" };
                writeln!(out, "{gap}{heading}")?;
                thingprint_report::write(table, Format::Table, out, self.style)?;
            }
            Ok(())
        })
    }

    /// Writes one JSON document.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        self.with(|out| {
            serde_json::to_writer_pretty(&mut *out, value)?;
            Ok(writeln!(out)?)
        })
    }

    /// Writes one JSON document on each line.
    pub(crate) fn json_lines(&self, values: &[impl Serialize]) -> anyhow::Result<()> {
        self.with(|out| {
            for value in values {
                serde_json::to_writer(&mut *out, value)?;
                writeln!(out)?;
            }
            Ok(())
        })
    }

    /// Gives whoever writes the place to write to, with the format and the look that are asked for.
    pub(crate) fn with_style(
        &self,
        write: impl FnOnce(Format, Style, &mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.with(|out| write(self.format, self.style, out))
    }

    /// Gives whoever writes the place to write to; a file appears when all was written, or not at all.
    pub(crate) fn with(
        &self,
        write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Some(path) = &self.path else {
            let mut out = io::BufWriter::new(io::stdout().lock());
            write(&mut out)?;
            return Ok(out.flush()?);
        };
        let mut file = AtomicFile::create(path).context("failed to write the result")?;
        write(&mut file)?;
        file.commit().context("failed to write the result")
    }
}

/// Refuses a place for a result that is one of the inputs.
pub(crate) fn check_apart(path: Option<&Path>, inputs: &[Input]) -> Result<(), Usage> {
    let Some(path) = path.and_then(|path| path.canonicalize().ok()) else { return Ok(()) };
    match inputs.iter().find(|input| input.identity() == Input::File(path.clone())) {
        Some(input) => Err(Usage(format!("the result would replace an input: {}", input.name()))),
        None => Ok(()),
    }
}

/// `NO_COLOR` says no, whatever its value, unless it is empty (no-color.org).
fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}
