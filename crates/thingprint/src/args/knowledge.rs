use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use thingprint_identity::Knowledge;

use crate::small_file::{MOST_KNOWLEDGE_BYTES, read_text};

/// Which tables identities are read by.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Identity")]
pub(crate) struct KnowledgeArgs {
    /// Read identities by these tables, too: a file that `knowledge import` wrote; repeat it for several
    #[arg(long, value_name = "FILE")]
    knowledge: Vec<PathBuf>,
}

impl KnowledgeArgs {
    /// The tables of the program, and those of the files.
    pub(crate) fn read(&self) -> anyhow::Result<Knowledge> {
        let mut knowledge = Knowledge::builtin().context("failed to read a table of the program")?;
        for path in &self.knowledge {
            let context = || format!("--knowledge: failed to read {}", path.display());
            let text = read_text(path, MOST_KNOWLEDGE_BYTES).with_context(context)?;
            knowledge.import(&text).with_context(context)?;
        }
        Ok(knowledge)
    }

    /// The options that were given.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        if self.knowledge.is_empty() { Vec::new() } else { vec!["--knowledge"] }
    }

    /// The files.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.knowledge.iter().map(PathBuf::as_path)
    }
}
