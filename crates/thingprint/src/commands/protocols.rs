use clap::{Args, Subcommand};
use thingprint_protocol::schema::{IpProtocol, Model};
use thingprint_table::{Cell, Format, Table, Type};

use crate::args::{GlobalArgs, ModelArgs};
use crate::exit::{Outcome, Usage};
use crate::output::Output;

mod lint;
mod test;

/// List, show, check and test the models that detect protocols.
#[derive(Debug, Args)]
pub(crate) struct ProtocolsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the protocols, in the order in which detection tries them
    List(ListArgs),
    /// Show the model of a protocol as JSON
    Show(ShowArgs),
    /// Check models for errors and for likely mistakes
    Lint(lint::LintArgs),
    /// Test a model on captures against the built-in ones: which flows it detects, misses, and detects by mistake
    Test(test::TestArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    models: ModelArgs,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Name of the protocol, as in `protocols list` and in the column `service` of `flows`
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    models: ModelArgs,
}

impl ProtocolsArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        match &self.action {
            Action::List(args) => args.run(global),
            Action::Show(args) => args.run(global),
            Action::Lint(args) => args.run(global),
            Action::Test(args) => args.run(global),
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
        if global.format.is_some_and(|format| !matches!(format, Format::Json | Format::Jsonl)) {
            return Err(
                Usage("protocols show: unsupported format: a model is shown as JSON".to_owned()).into()
            );
        }
        let output = Output::of(global)?;
        let protocols = self.models.read()?;
        let is_asked = |model: &&Model| model.name().eq_ignore_ascii_case(&self.name);
        let Some(model) = protocols.models().iter().find(is_asked) else {
            let names: Vec<&str> = protocols.models().iter().map(Model::name).collect();
            return Err(
                Usage(format!("unknown protocol '{}'; known are {}", self.name, names.join(", "))).into()
            );
        };
        match global.format {
            Some(Format::Jsonl) => output.json_lines(&[model])?,
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
