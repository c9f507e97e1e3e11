use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use thingprint_identity::{Imported, home_assistant, ieee, recog};
use thingprint_table::{Cell, Table, Type};

use crate::args::{GlobalArgs, KnowledgeArgs};
use crate::exit::{Outcome, Usage};
use crate::files::write_file;
use crate::messages::counted;
use crate::output::Output;
use crate::small_file::{MOST_IMPORT_BYTES, MOST_KNOWLEDGE_BYTES, read_bytes, read_text};

/// Tables by which identities are read: list them, and import others that you have downloaded.
#[derive(Debug, Args)]
pub(crate) struct KnowledgeCommand {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// List the tables with their numbers of rows
    List(KnowledgeArgs),
    /// Import tables from a file or folder that you have downloaded, for --knowledge
    Import(ImportArgs),
}

/// What is imported. Nothing is fetched.
#[derive(Debug, Args)]
struct ImportArgs {
    /// A wheel of Home Assistant (homeassistant-VERSION.whl), the folder 'xml' of Rapid7's recog, or a registry of the IEEE
    /// (oui.csv)
    #[arg(value_name = "FILE|FOLDER")]
    from: PathBuf,
}

impl KnowledgeCommand {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        match &self.task {
            Task::List(knowledge) => list(knowledge, global),
            Task::Import(args) => args.run(global),
        }
    }
}

fn list(knowledge: &KnowledgeArgs, global: &GlobalArgs) -> anyhow::Result<Outcome> {
    let output = Output::of(global)?;
    let given: Vec<_> = knowledge.paths().map(Some).collect();
    output.check_apart_from(&given)?;
    let mut table = Table::new([("from", Type::Text), ("table", Type::Text), ("rows", Type::Unsigned)]);
    for (import, name, rows) in knowledge.read()?.sizes().filter(|(.., rows)| *rows > 0) {
        table.push([
            Cell::from(import.unwrap_or("thingprint")),
            Cell::from(name.as_str()),
            Cell::from(rows),
        ])?;
    }
    output.table(&table)?;
    Ok(Outcome::Done)
}

impl ImportArgs {
    fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let Some(path) = &global.output else {
            return Err(Usage("knowledge import: give the file with -o".to_owned()).into());
        };
        Output::verbatim(global).check_apart_from(&[Some(&self.from)])?;
        let imported = self.read().with_context(|| format!("failed to import {}", self.from.display()))?;
        write_file(&global.results, path, imported.to_text().as_bytes())?;
        let rows: Vec<String> = imported.rows().map(|(table, rows)| format!("{rows} of {table}")).collect();
        messages.note(format!(
            "{}: rows written to {}: {}; {} left out",
            imported.name(),
            path.display(),
            rows.join(", "),
            counted(imported.skipped(), "row that says nothing here was", "rows that say nothing here were"),
        ));
        Ok(Outcome::Done)
    }

    fn read(&self) -> anyhow::Result<Imported> {
        if self.from.is_dir() {
            return read_recog(&self.from);
        }
        let bytes = read_bytes(&self.from, MOST_IMPORT_BYTES)?;
        Ok(match self.from.extension().and_then(|extension| extension.to_str()) {
            Some("whl" | "zip") => home_assistant(&bytes)?,
            Some("csv") => ieee(&String::from_utf8_lossy(&bytes))?,
            _ => {
                anyhow::bail!("expected a wheel (.whl), a registry of the IEEE (.csv), or a folder of recog")
            }
        })
    }
}

fn read_recog(folder: &Path) -> anyhow::Result<Imported> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text =
                read_text(&path, MOST_KNOWLEDGE_BYTES).with_context(|| format!("failed to read {name}"))?;
            files.push((name, text));
        }
    }
    files.sort();
    Ok(recog(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))?)
}
