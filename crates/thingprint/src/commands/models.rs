use clap::{Args, Subcommand};
use thingprint_protocol::schema::{IpProtocol, Model};
use thingprint_report::{Cell, Format, Table, Type};

use crate::args::{GlobalArgs, ModelArgs, Wanted};
use crate::exit::{Outcome, Usage};
use crate::output::Output;

mod lint;
mod trial;

/// List, show, check and try the models that protocols are told by.
#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the models in the order in which they are tried
    List(ListArgs),
    /// Show a model as JSON
    Show(ShowArgs),
    /// Check models: what makes them unusable, and what is surely not meant
    Lint(lint::LintArgs),
    /// Try a model on captures, beside the built-in ones: which flows it tells, misses, and tells by mistake
    Test(trial::TrialArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    models: ModelArgs,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Abbreviation of the model, as `models list` and the column `service` of `flows` have it
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    models: ModelArgs,
}

impl ModelsArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        match &self.what {
            What::List(args) => args.run(global),
            What::Show(args) => args.run(global),
            What::Lint(args) => args.run(global),
            What::Test(args) => args.run(global),
        }
    }
}

impl ListArgs {
    fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let output = Output::of(global)?;
        let protocols = self.models.read()?;
        let mut table = Table::new([
            ("name", Type::Text),
            ("standard_name", Type::Text),
            ("server_ports", Type::List),
            ("from", Type::Text),
        ]);
        for model in protocols.models() {
            table.push([
                Cell::from(model.name()),
                Cell::from(model.info.standard_name.clone()),
                Cell::from(server_ports(model)),
                Cell::from(protocols.file_of(model).unwrap_or("built-in")),
            ])?;
        }
        output.table(&table)?;
        Ok(Outcome::Done)
    }
}

impl ShowArgs {
    fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        if global.format.is_some_and(|format| !matches!(format, Wanted::Rows(Format::Json | Format::Jsonl))) {
            return Err(Usage("models show: a model is shown as JSON".to_owned()).into());
        }
        let output = Output::of(global)?;
        let protocols = self.models.read()?;
        let is_asked = |model: &&Model| model.name().eq_ignore_ascii_case(&self.name);
        let Some(model) = protocols.models().iter().find(is_asked) else {
            let names: Vec<&str> = protocols.models().iter().map(Model::name).collect();
            return Err(Usage(format!("no model '{}': there are {}", self.name, names.join(", "))).into());
        };
        match global.format {
            Some(Wanted::Rows(Format::Jsonl)) => output.json_lines(&[model])?,
            _ => output.json(model)?,
        }
        Ok(Outcome::Done)
    }
}

/// Standard ports as `tcp/443`.
fn server_ports(model: &Model) -> Vec<String> {
    let ports = model.metadata.server_ports.iter();
    ports
        .map(|port| {
            let transport = match port.ip_protocol {
                IpProtocol::Tcp => "tcp",
                IpProtocol::Udp => "udp",
            };
            format!("{transport}/{}", port.port)
        })
        .collect()
}
