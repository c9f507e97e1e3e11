use std::path::{Path, PathBuf};

use clap::Args;
use thingprint_audit::Policy;
use thingprint_model::Model;
use thingprint_report::Labels;

use super::reader::Reader;
use crate::args::{ExtractionArgs, GlobalArgs};
use crate::commands::audit::{DEFAULT_POLICY, read_policy};
use crate::files::read_confirmed_labels;
use crate::messages::Messages;
use crate::models::read_model;

/// What times of a network are read by.
#[derive(Debug, Args)]
pub(in crate::commands) struct SideArgs {
    /// A model, to say which class each device is of and whose class changed
    #[arg(short, long, value_name = "FILE")]
    model: Option<PathBuf>,

    /// What the devices are: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    /// What captures are judged by: the name of a policy that is built in, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = DEFAULT_POLICY)]
    policy: String,

    #[command(flatten)]
    pub(in crate::commands) extraction: ExtractionArgs,
}

/// The files behind the arguments.
pub(in crate::commands) struct SideFiles {
    pub(in crate::commands) model: Option<Model>,
    /// Labels that somebody confirmed.
    pub(in crate::commands) labels: Labels,
    pub(in crate::commands) policy: Policy,
}

impl SideArgs {
    /// Reads the files.
    pub(in crate::commands) fn read(&self, messages: Messages) -> anyhow::Result<SideFiles> {
        Ok(SideFiles {
            model: self.model.as_deref().map(read_model).transpose()?,
            labels: read_confirmed_labels(self.labels.as_deref(), messages)?,
            policy: read_policy(&self.policy)?,
        })
    }

    /// Reads sides by these files.
    pub(in crate::commands) const fn reader<'a>(
        &'a self,
        files: &'a SideFiles,
        global: &'a GlobalArgs,
        messages: Messages,
    ) -> Reader<'a> {
        let SideFiles { model, labels, policy } = files;
        Reader { extraction: &self.extraction, model: model.as_ref(), labels, policy, global, messages }
    }

    /// The files that are read.
    pub(in crate::commands) fn paths(&self) -> [Option<&Path>; 2] {
        [self.model.as_deref(), self.labels.as_deref()]
    }
}
