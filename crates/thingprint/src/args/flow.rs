use clap::{Args, ValueEnum};
use thingprint_flow::{FlowOptions, PacketSize};

use super::DeviceArgs;
use crate::exit::Usage;

/// How packets become flows. Everything not given has the default of the preset.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Flows")]
pub(crate) struct FlowArgs {
    /// Rules for flows
    #[arg(long, value_enum, value_name = "PRESET")]
    pub(crate) preset: Option<Preset>,

    /// Bytes that a flow's volume counts: ip (total length), payload (of the transport) or wire (frames)
    #[arg(long, value_name = "SIZE")]
    size: Option<PacketSize>,

    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// A set of rules for flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// Flows end at RST, both FINs or idle time; sizes are IP total lengths
    Default,
    /// Rules of Joy, the tool of the classification paper: flows end after 30 s; sizes are transport payloads
    Joy,
}

impl FlowArgs {
    /// The options that were given.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let Self { preset, size, device } = self;
        let own = super::names_of([(preset.is_some(), "--preset"), (size.is_some(), "--size")]);
        [own, device.given()].concat()
    }

    /// The options that are asked for.
    pub(crate) fn options(&self) -> Result<FlowOptions, Usage> {
        self.over(match self.preset {
            Some(Preset::Joy) => FlowOptions::joy(),
            Some(Preset::Default) | None => FlowOptions::default(),
        })
    }

    /// These options, with what the command line asks for in addition to the preset.
    pub(crate) fn over(&self, options: FlowOptions) -> Result<FlowOptions, Usage> {
        let size = self.size.unwrap_or(options.size);
        self.device.over(FlowOptions { size, ..options })
    }
}
