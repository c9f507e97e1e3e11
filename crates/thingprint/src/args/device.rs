use clap::Args;
use thingprint_flow::{FlowOptions, Identity, MacAddr, TraceOptions};

use crate::exit::Usage;
use crate::gateways::GatewayChoice;

/// How captures are read, and who is a device in them.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Devices")]
pub(crate) struct DeviceArgs {
    /// Address that identifies a device: mac or ip (its private address) [default: mac; ip where link addresses do not
    /// separate hosts]
    #[arg(long, value_name = "IDENTITY")]
    identity: Option<Identity>,

    /// MAC address of a gateway, which is not a device; repeat it for several [default: the addresses that forward packets]
    #[arg(long, value_name = "MAC")]
    gateway: Vec<MacAddr>,

    /// Treat every address as a device: the network has no gateway
    #[arg(long, conflicts_with = "gateway")]
    no_gateway: bool,

    /// Sort packets by time first, for captures without any order (needs memory for all of them)
    #[arg(long)]
    pub(crate) sort: bool,
}

impl DeviceArgs {
    /// The address that identifies a device; no preset changes it.
    pub(crate) fn identity(&self) -> Identity {
        self.identity.unwrap_or_default()
    }

    /// These options, with what the command line asks for.
    pub(crate) fn over(&self, mut options: FlowOptions) -> Result<FlowOptions, Usage> {
        if let Some(mac) = self.gateway.iter().find(|mac| mac.is_group()) {
            return Err(Usage(format!(
                "--gateway: {mac} is a group address; give the address of one device"
            )));
        }
        options.identity = self.identity();
        options.is_identity_given = self.identity.is_some();
        Ok(options)
    }

    /// How captures are read.
    pub(crate) fn trace_options(&self) -> TraceOptions {
        TraceOptions { sort: self.sort, ..TraceOptions::default() }
    }

    /// The gateways that the command line names.
    pub(crate) fn gateways(&self) -> GatewayChoice {
        GatewayChoice { given: self.gateway.iter().copied().collect(), is_none: self.no_gateway }
    }
}
