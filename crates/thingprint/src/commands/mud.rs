use clap::{Args, Subcommand};

use self::export::ExportArgs;
use crate::args::GlobalArgs;
use crate::exit::Outcome;

mod export;

/// Firewall rules of MUD profiles (RFC 8520)
///
/// Profiles are written and checked by `audit`, with --mud-out and --mud.
#[derive(Debug, Args)]
pub(crate) struct MudArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write rules for a firewall that let devices do what their profiles allow, and nothing else
    Export(ExportArgs),
}

impl MudArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        match &self.action {
            Action::Export(args) => args.run(global),
        }
    }
}
