use clap::Args;
use thingprint_flow::{FlowOptions, Identity, MacAddr};

use crate::exit::Usage;

/// How captures are read, and who is a device in them.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Devices")]
pub(crate) struct DeviceArgs {
    /// What stands for a device: mac or ip (its private address)
    #[arg(long, value_name = "IDENTITY")]
    identity: Option<Identity>,

    /// MAC address of the gateway, which is no device [default: who sends most packets from the Internet]
    #[arg(long, value_name = "MAC")]
    gateway: Option<MacAddr>,

    /// Sort packets by time first, for captures that have no order at all (takes memory for all of them)
    #[arg(long)]
    pub(crate) sort: bool,
}

impl DeviceArgs {
    /// What stands for a device; no option preset changes it.
    pub(crate) fn identity(&self) -> Identity {
        self.identity.unwrap_or_default()
    }

    /// These options, with what the command line asks for.
    pub(crate) fn over(&self, mut options: FlowOptions) -> Result<FlowOptions, Usage> {
        if self.gateway.is_some_and(MacAddr::is_group) {
            return Err(Usage("--gateway: a group address is nobody's".to_owned()));
        }
        options.identity = self.identity();
        options.gateway = self.gateway.or(options.gateway);
        Ok(options)
    }
}
