use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, ValueEnum};
use thingprint_protocol::{Lint, LintLevel, ModelError, lint};
use thingprint_table::{Cell, Table, Type};

use crate::args::GlobalArgs;
use crate::exit::Outcome;
use crate::messages::counted;
use crate::output::Output;
use crate::protocols::{model_files, parse_protocol};
use crate::small_file::{MOST_WRITTEN_BYTES, read_text};

/// Check models.
#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// Protocol models, in the form of docs/protocols.md or in the form that the protocol paper published: files, or folders
    /// with *.json
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Exit with status 3 if there are warnings. Files that are not usable models always give status 1
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Error)]
    fail_on: FailOn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Warning,
    Error,
}

/// A finding in a file.
struct Finding {
    file: String,
    /// Absent where the file cannot be read as a model at all.
    path: Option<String>,
    span: Option<(usize, usize)>,
    level: LintLevel,
    reason: String,
}

impl LintArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let output = Output::of(global)?;
        let mut findings = Vec::new();
        let mut unusable = 0;
        let mut files = Vec::new();
        for path in &self.files {
            files.extend(model_files(path)?);
        }
        for file in &files {
            let found = Finding::in_file(file);
            unusable += usize::from(found.iter().any(|finding| finding.level == LintLevel::Error));
            findings.extend(found);
        }
        output.table(&table(&findings)?)?;
        let models = counted(files.len() as u64, "protocol model", "protocol models");
        if unusable > 0 {
            bail!("failed to read {unusable} of {models}: see the findings");
        }
        messages.note(format!("{} in {models}", counted(findings.len() as u64, "finding", "findings")));
        let is_found = self.fail_on == FailOn::Warning && !findings.is_empty();
        Ok(if is_found { Outcome::Findings } else { Outcome::Done })
    }
}

impl Finding {
    fn in_file(path: &Path) -> Vec<Self> {
        let file = path.display().to_string();
        let unreadable = |reason: String| {
            vec![Self { file: file.clone(), path: None, span: None, level: LintLevel::Error, reason }]
        };
        let text = match read_text(path, MOST_WRITTEN_BYTES) {
            Ok(text) => text,
            Err(error) => return unreadable(error.to_string()),
        };
        match parse_protocol(&text) {
            Ok(model) => lint(&model).into_iter().map(|lint| Self::of(lint, &file)).collect(),
            Err(error) => match error.downcast_ref::<ModelError>() {
                Some(placed) => vec![Self::of(placed.clone().into(), &file)],
                None => unreadable(format!("{error:#}")),
            },
        }
    }

    fn of(lint: Lint, file: &str) -> Self {
        let Lint { path, span, level, reason } = lint;
        let span = span.map(|span| (span.start, span.end));
        Self { file: file.to_owned(), path: Some(path), span, level, reason }
    }
}

fn table(findings: &[Finding]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("file", Type::Text),
        ("level", Type::Text),
        ("path", Type::Text),
        ("start", Type::Unsigned),
        ("end", Type::Unsigned),
        ("reason", Type::Text),
    ]);
    for finding in findings {
        let level = match finding.level {
            LintLevel::Warning => "warning",
            LintLevel::Error => "error",
        };
        table.push([
            Cell::from(finding.file.as_str()),
            Cell::from(level),
            Cell::from(finding.path.as_deref()),
            Cell::from(finding.span.map(|(start, _)| start as u64)),
            Cell::from(finding.span.map(|(_, end)| end as u64)),
            Cell::from(finding.reason.as_str()),
        ])?;
    }
    Ok(table)
}
