use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use thingprint_report::{FileId, Transaction};
use thingprint_table::{Format, Style, Table, Writes, escape, json};

use crate::args::GlobalArgs;
use crate::call::Line;
use crate::destinations::Destinations;
use crate::exit::Usage;
use crate::inputs::Input;
use crate::named_writer::NamedWriter;
use crate::pseudonyms::Pseudonyms;
use crate::standard_output::{StandardOutput, is_standard_output};
use crate::terminal;

/// Where a result goes, and in which format.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    path: Option<PathBuf>,
    format: Format,
    style: Style,
    pseudonyms: Option<Pseudonyms>,
    results: Transaction,
    /// Who gets the rows instead of a file.
    line: Option<&'static Line>,
}

impl Output {
    /// What the command line asks for: `--format`, else the extension of `-o`, else a table on a terminal and JSON lines
    /// anywhere else. An extension of no format is a usage error.
    pub(crate) fn of(args: &GlobalArgs) -> Result<Self, Usage> {
        let output = Self::with_documents(args)?;
        match output.format.writes() {
            Writes::Document => Err(Usage(format!(
                "unsupported format '{}' for rows: {}; choose one of {}",
                output.format,
                writers(output.format),
                names_of(holds_rows)
            ))),
            Writes::Rows | Writes::Stream | Writes::Nothing => Ok(output),
        }
    }

    /// The same for a command that writes documents as well.
    pub(crate) fn with_documents(args: &GlobalArgs) -> Result<Self, Usage> {
        let format = match (args.format, &args.output) {
            (None, Some(path)) => of_name(path)?,
            (format, _) => format,
        };
        let pseudonyms = args.pseudonyms.as_deref().map(Pseudonyms::read).transpose();
        let pseudonyms = pseudonyms.map_err(|error| Usage(format!("{error:#}")))?;
        let output = Self { pseudonyms, ..Self::verbatim(args) };
        output.check_apart_from(&[args.pseudonyms.as_deref()])?;
        let format = format.unwrap_or(output.format);
        if format.writes() == Writes::Nothing {
            let others = names_of(holds_rows);
            return Err(Usage(format!(
                "unsupported format '{format}': this program was built without it; choose one of {others}"
            )));
        }
        if format.is_binary() && output.is_terminal() {
            return Err(Usage(format!("{format} is not for terminals: give a file with -o")));
        }
        Ok(Self { format, ..output })
    }

    /// A place for text that has a form of its own, whatever the file is called.
    pub(crate) fn verbatim(args: &GlobalArgs) -> Self {
        let path = args.output.clone().filter(|path| !is_standard_output(path));
        let is_terminal = path.is_none() && args.line.is_none() && terminal::is_shown();
        let format = if is_terminal { Format::Table } else { Format::Jsonl };
        let width = is_terminal.then(terminal_width).flatten();
        let style =
            Style { width, colour: is_terminal && terminal::has_colours(), raw_cells: args.raw_cells };
        Self { path, format, style, pseudonyms: None, results: args.results.clone(), line: args.line }
    }

    /// A place for bytes that are not for terminals, whatever the file is called.
    pub(crate) fn binary(args: &GlobalArgs) -> Result<Self, Usage> {
        let output = Self::verbatim(args);
        if output.is_terminal() {
            return Err(Usage("the result is not for terminals: give a file with -o".to_owned()));
        }
        Ok(output)
    }

    /// The format.
    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    /// How a table looks.
    pub(crate) const fn style(&self) -> Style {
        self.style
    }

    fn is_terminal(&self) -> bool {
        self.path.is_none() && self.line.is_none() && terminal::is_shown()
    }

    /// The line that rows go to instead of a file.
    pub(crate) fn line(&self) -> Option<&'static Line> {
        self.line.filter(|_| self.path.is_none())
    }

    /// The file that it goes to; `None` for standard output.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The result, and what is written beside it.
    pub(crate) const fn results(&self) -> &Transaction {
        &self.results
    }

    /// Refuses to write over an input, here and for whatever is written beside.
    pub(crate) fn check_apart(&self, inputs: &[Input]) -> Result<(), Usage> {
        check_apart(&self.results, self.path.as_deref(), inputs)
    }

    /// Refuses a place for the result that is one of these files, or in one of these folders.
    pub(crate) fn check_apart_from(&self, given: &[Option<&Path>]) -> Result<(), Usage> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut destinations = Destinations::of(&self.results);
        for given in given {
            destinations.read(*given);
        }
        destinations.check_replaced("--output", path)
    }

    /// Whether names of devices are replaced.
    pub(crate) const fn has_pseudonyms(&self) -> bool {
        self.pseudonyms.is_some()
    }

    /// The table as it is written: with pseudonyms, where they are asked for.
    pub(crate) fn published<'a>(&self, table: &'a Table) -> Cow<'a, Table> {
        match &self.pseudonyms {
            Some(pseudonyms) => Cow::Owned(pseudonyms.table(table.clone())),
            None => Cow::Borrowed(table),
        }
    }

    /// The same of a table that nobody needs afterwards.
    pub(crate) fn publish(&self, table: Table) -> Table {
        match &self.pseudonyms {
            Some(pseudonyms) => pseudonyms.table(table),
            None => table,
        }
    }

    /// Writes one table.
    pub(crate) fn table(&self, table: &Table) -> anyhow::Result<()> {
        let table = self.published(table);
        if let Some(line) = self.line() {
            return Ok(line.send(table.into_owned())?);
        }
        self.with(|out| Ok(thingprint_table::write(&table, self.format, out, self.style)?))
    }

    /// Writes tables for people that fit into so many terminal columns where no terminal sets a width.
    pub(crate) fn tables_within(&self, tables: &[Table], columns: usize) -> anyhow::Result<()> {
        let style = Style { width: self.style.width.or(Some(columns)), ..self.style };
        self.with(|out| {
            for (at, table) in tables.iter().enumerate() {
                if at > 0 {
                    writeln!(out)?;
                }
                thingprint_table::write(&self.published(table), self.format, out, style)?;
            }
            Ok(())
        })
    }

    /// Writes tables with a heading each, for people.
    pub(crate) fn sections(&self, sections: &[(String, Table)]) -> anyhow::Result<()> {
        self.headed(sections, self.style)
    }

    /// The same for tables that fit into so many terminal columns where no terminal sets a width.
    pub(crate) fn sections_within(&self, sections: &[(String, Table)], columns: usize) -> anyhow::Result<()> {
        self.headed(sections, Style { width: self.style.width.or(Some(columns)), ..self.style })
    }

    fn headed(&self, sections: &[(String, Table)], style: Style) -> anyhow::Result<()> {
        self.with(|out| {
            for (at, (heading, table)) in sections.iter().enumerate() {
                let gap = if at == 0 { "" } else { "\n" };
                writeln!(out, "{gap}{}", escape::terminal(&self.published_text(heading)))?;
                thingprint_table::write(&self.published(table), Format::Table, out, style)?;
            }
            Ok(())
        })
    }

    /// A name that somebody gave a device, as it is written: with a pseudonym, where they are asked for.
    pub(crate) fn published_name(&self, name: &str) -> String {
        let new = self.pseudonyms.as_ref().and_then(|pseudonyms| pseudonyms.replaced("host_name", name));
        new.unwrap_or_else(|| name.to_owned())
    }

    fn published_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let new = self.pseudonyms.as_ref().and_then(|pseudonyms| pseudonyms.replaced("text", text));
        new.map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// Writes one JSON document.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        self.refuse_pseudonyms("a document of JSON")?;
        self.with(|out| {
            json::write_pretty(value, out)?;
            Ok(writeln!(out)?)
        })
    }

    /// Writes one JSON document on each line.
    pub(crate) fn json_lines(&self, values: &[impl Serialize]) -> anyhow::Result<()> {
        self.refuse_pseudonyms("documents of JSON")?;
        self.with(|out| {
            for value in values {
                json::write(value, out)?;
                writeln!(out)?;
            }
            Ok(())
        })
    }

    /// Refuses pseudonyms for what is no table, whose texts nothing here could replace.
    fn refuse_pseudonyms(&self, what: &str) -> Result<(), Usage> {
        match self.pseudonyms {
            Some(_) => Err(Usage(format!(
                "--pseudonyms: {what} cannot be written with pseudonyms: choose another format"
            ))),
            None => Ok(()),
        }
    }

    /// Gives whoever writes the place to write to, with the format and the look that are asked for.
    pub(crate) fn with_style(
        &self,
        write: impl FnOnce(Format, Style, &mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.with(|out| write(self.format, self.style, out))
    }

    /// Gives whoever writes the place to write to; a file appears with all results, or not at all.
    pub(crate) fn with(
        &self,
        write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Some(path) = &self.path else {
            if self.line.is_some() {
                let reason = "this result is no table: name a file for it with --output";
                return Err(Usage(reason.to_owned()).into());
            }
            let mut out = NamedWriter::new(StandardOutput::text(&self.results));
            let written = write(&mut out).and_then(|()| Ok(out.flush()?));
            return out.named(written, "standard output");
        };
        let mut file = NamedWriter::new(self.results.file(path).context("failed to write the result")?);
        let written = write(&mut file);
        file.named(written, &path.display().to_string())?;
        file.into_inner().finish().context("failed to write the result")
    }
}

/// Refuses a place for a result that is one of the inputs, and has the inputs stay whatever else is written.
pub(crate) fn check_apart(results: &Transaction, path: Option<&Path>, inputs: &[Input]) -> Result<(), Usage> {
    let target = path.and_then(FileId::of);
    for input in inputs {
        let Some(id) = input.file_id() else { continue };
        if target.as_ref() == Some(&id) {
            return Err(Usage(format!("the result would replace an input: {}", input.described())));
        }
        results.reads(id);
    }
    Ok(())
}

/// The format of a file's extension; `None` for a file without one.
fn of_name(path: &Path) -> Result<Option<Format>, Usage> {
    let Some(extension) = path.extension() else { return Ok(None) };
    if extension.eq_ignore_ascii_case("pdf") {
        let page = path.with_extension("html");
        let (name, page) = (path.display(), page.display());
        return Err(Usage(format!(
            "--output: {name}: PDF is not written: write a page of HTML, {page}, and print it to PDF from a browser"
        )));
    }
    Format::of_extension(path).map(Some).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().flat_map(|format| format.extensions()).copied().collect();
        Usage(format!(
            "--output: unknown extension '{}' of {}: use one of {}, or name a format with --format",
            extension.display(),
            path.display(),
            known.join(", ")
        ))
    })
}

/// Which commands write a document.
fn writers(document: Format) -> &'static str {
    if document == Format::Html { "report, audit and compare write pages" } else { "only audit writes it" }
}

/// Whether this program can write rows in a format.
fn holds_rows(format: Format) -> bool {
    matches!(format.writes(), Writes::Rows | Writes::Stream)
}

/// Names of the formats that are wanted.
fn names_of(is_wanted: impl Fn(Format) -> bool) -> String {
    let wanted = Format::ALL.iter().filter(|format| is_wanted(**format));
    wanted.map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}
