use std::path::{Path, PathBuf};

use clap::Args;

use crate::protocols::Protocols;

/// Which protocols are detected.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Protocols")]
pub(crate) struct ModelArgs {
    /// Protocol models to use beside the built-in ones: a file, or a folder with *.json. One with the name of a built-in
    /// model replaces it
    #[arg(long, value_name = "PATH")]
    protocols: Option<PathBuf>,
}

impl ModelArgs {
    /// Reads the models.
    pub(crate) fn read(&self) -> anyhow::Result<Protocols> {
        Protocols::read(self.protocols.as_deref())
    }

    /// The options that were given.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        self.protocols.iter().map(|_| "--protocols").collect()
    }

    /// The file or folder that is given.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.protocols.as_deref()
    }
}
