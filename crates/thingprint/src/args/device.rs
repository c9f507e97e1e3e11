use clap::Args;
use thingprint_flow::{FlowOptions, Identity, LocalNet, LocalNets, MacAddr, TraceOptions, TunnelSet};
use thingprint_instance::PartSettings;

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

    /// Networks whose addresses are inside, in addition to private ones, such as 129.94.0.0/16
    #[arg(long, value_name = "CIDR,...", value_delimiter = ',')]
    local_nets: Vec<LocalNet>,

    /// Tunnels to open: all, or a list of vxlan, geneve, gre, erspan, 6in4, tzsp, mpls, gtp-u
    #[arg(long, value_name = "LIST")]
    decap: Option<TunnelSet>,

    /// Leave out frames that were captured more than once within 10 ms
    #[arg(long)]
    dedup: bool,

    /// Sort packets by time first, for captures without any order (needs memory for all of them)
    #[arg(long)]
    sort: bool,
}

impl DeviceArgs {
    /// The address that identifies a device; no preset changes it.
    pub(crate) fn identity(&self) -> Identity {
        self.identity.unwrap_or_default()
    }

    /// The options that were given.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let Self { identity, gateway, no_gateway, local_nets, decap, dedup, sort } = self;
        super::names_of([
            (identity.is_some(), "--identity"),
            (!gateway.is_empty(), "--gateway"),
            (*no_gateway, "--no-gateway"),
            (!local_nets.is_empty(), "--local-nets"),
            (decap.is_some(), "--decap"),
            (*dedup, "--dedup"),
            (*sort, "--sort"),
        ])
    }

    /// These options, with what the command line asks for.
    pub(crate) fn over(&self, mut options: FlowOptions) -> Result<FlowOptions, Usage> {
        if let Some(mac) = self.gateway.iter().find(|mac| mac.is_group()) {
            return Err(Usage(format!(
                "--gateway: {mac} is a group address; give the address of one device"
            )));
        }
        options.identity = self.identity();
        options.local_nets = LocalNets::new(self.local_nets.clone());
        options.is_identity_given = self.identity.is_some();
        Ok(options)
    }

    /// How captures are read.
    pub(crate) fn trace_options(&self) -> TraceOptions {
        TraceOptions {
            sort: self.sort,
            drops_copies: self.dedup,
            tunnels: self.decap.unwrap_or_default(),
            ..TraceOptions::default()
        }
    }

    /// How the captures of a part are read.
    pub(crate) fn part_settings(&self) -> PartSettings {
        PartSettings {
            local_nets: LocalNets::new(self.local_nets.clone()),
            tunnels: self.decap.unwrap_or_default(),
            drops_copies: self.dedup,
            is_sorted: self.sort,
        }
    }

    /// The gateways that the command line names.
    pub(crate) fn gateways(&self) -> GatewayChoice {
        GatewayChoice { given: self.gateway.iter().copied().collect(), is_none: self.no_gateway }
    }
}
