use std::path::{Path, PathBuf};

use clap::Args;

use crate::protocols::Protocols;

/// Which protocols are told.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Protocols")]
pub(crate) struct ModelArgs {
    /// Protocol models of your own: a file, or a folder with *.json; they add to the built-in ones or replace those of
    /// their name
    #[arg(long, value_name = "PATH")]
    models: Option<PathBuf>,
}

impl ModelArgs {
    /// The models that are asked for.
    pub(crate) fn read(&self) -> anyhow::Result<Protocols> {
        Protocols::read(self.models.as_deref())
    }

    /// The file or folder that is given.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.models.as_deref()
    }
}
