use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use thingprint_instance::ExtractionRecipe;
use thingprint_report::{Format, write_instances};

use crate::args::{ExtractionArgs, GlobalArgs};
use crate::exit::Outcome;
use crate::extraction::Extraction;
use crate::files::read_labels;
use crate::inputs::expand;
use crate::messages::{Messages, counted};
use crate::output::Output;

/// Turn captures into instances.
#[derive(Debug, Args)]
pub(crate) struct ExtractArgs {
    /// Captures: files, folders, quoted globs, or - for standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<OsString>,

    /// What the devices are: CSV with the columns mac,label,kind, or capture,mac,label[,kind]
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    #[command(flatten)]
    extraction: ExtractionArgs,
}

impl ExtractArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = Messages::new(global.quiet, global.verbose);
        let protocols = self.extraction.models.read()?;
        let options = self.extraction.options(protocols.id())?;
        let output = Output::of(global)?;
        let labels = read_labels(self.labels.as_deref())?;
        let (inputs, found) = expand(&self.captures, messages)?;
        output.check_apart(&inputs)?;
        output.check_apart_from(&[self.labels.as_deref(), self.extraction.models.path()])?;
        let recipe = ExtractionRecipe::of(&options);
        let gateways = self.extraction.flow.device.gateways();
        let extraction = Extraction {
            inputs: &inputs,
            options,
            gateways: &gateways,
            sort: self.extraction.flow.device.sort,
            labels: &labels,
            protocols: &protocols,
            threads: global.threads(),
            messages,
        };
        let instances = extraction.instances()?;
        warn_of_labels(&labels, &instances.rows, messages);
        output.with(|out| Ok(write_instances(&instances.rows, Some(&recipe), output.format(), out)?))?;
        if output.format() != Format::Table {
            let labelled = instances.rows.iter().filter(|row| row.label.is_some()).count();
            let rows = counted(instances.rows.len() as u64, "instance", "instances");
            messages.note(format!("{rows}, {labelled} of them labelled"));
        }
        Ok(instances.outcome.max(found))
    }
}

/// A label file of which nothing fits is nearly always the wrong one.
fn warn_of_labels(
    labels: &thingprint_report::Labels,
    rows: &[thingprint_instance::Labeled],
    messages: Messages,
) {
    if !labels.is_empty() && !rows.is_empty() && rows.iter().all(|row| row.label.is_none()) {
        messages.warn("no device of these captures has a label in the label file");
    }
}
