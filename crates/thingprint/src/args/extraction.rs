use clap::{Args, ValueEnum};
use thingprint_flow::{PacketSize, WindowLength};
use thingprint_instance::{InstanceOptions, NameSource, PortScope, PortWord, RateMean, Recipe};

use super::DeviceArgs;
use crate::exit::{Misfit, Usage};

/// How captures become instances. Everything not given has the default of the preset.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Extraction")]
pub(crate) struct ExtractionArgs {
    /// Length of a window, aligned to UTC (1h, 15m, 90s ...), or `capture` for one window for each file
    #[arg(long, value_name = "LENGTH")]
    pub(crate) window: Option<WindowLength>,

    /// Rules for flows
    #[arg(long, value_enum, value_name = "PRESET")]
    pub(crate) preset: Option<Preset>,

    /// What a flow's volume counts: ip (total length), payload (of the transport) or wire (frames)
    #[arg(long, value_name = "SIZE")]
    pub(crate) size: Option<PacketSize>,

    /// How flow rates become one: the mean of the flows' rates, or the sum of volumes over the sum of durations
    #[arg(long, value_name = "MEAN")]
    pub(crate) rate: Option<RateMean>,

    /// Form of the words in the bag of ports: port (443) or proto/port (tcp/443)
    #[arg(long, value_name = "FORM")]
    pub(crate) port_word: Option<PortWord>,

    /// Flows that give a word to the bag of ports: all, or internet (no private peers)
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<PortScope>,

    /// Where names come from: dns, sni
    #[arg(long, value_name = "SOURCE,...", value_delimiter = ',')]
    pub(crate) names: Option<Vec<NameSource>>,

    /// Fewest IP packets that a device sends in a window that gives an instance
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) min_packets: Option<u64>,

    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// A set of rules for flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// Flows end at RST, both FINs or idle time; sizes are IP total lengths
    Default,
    /// Flows as the tool of the classification paper cut them: after 30 s; sizes are transport payloads
    Joy,
}

impl ExtractionArgs {
    /// The options that are asked for.
    pub(crate) fn options(&self) -> Result<InstanceOptions, Usage> {
        self.over(match self.preset {
            Some(Preset::Joy) => InstanceOptions::joy(),
            Some(Preset::Default) | None => InstanceOptions::default(),
        })
    }

    /// The options that instances for a model need. What the command line asks for must not contradict them.
    pub(crate) fn options_for(&self, recipe: &Recipe) -> anyhow::Result<InstanceOptions> {
        let base = recipe.options().map_err(|error| Misfit(format!("the model's extraction: {error}")))?;
        let asked = match self.preset {
            Some(_) => self.options()?,
            None => self.over(base.clone())?,
        };
        let asked_recipe = Recipe::of(&asked);
        if asked_recipe != *recipe {
            return Err(Misfit(format!(
                "the model was trained on instances extracted with '{recipe}', the command line asks for \
                 '{asked_recipe}'"
            ))
            .into());
        }
        Ok(asked)
    }

    fn over(&self, mut options: InstanceOptions) -> Result<InstanceOptions, Usage> {
        options.flow = self.device.over(options.flow)?;
        let flow = &mut options.flow;
        flow.window = self.window.unwrap_or(flow.window);
        flow.size = self.size.unwrap_or(flow.size);
        options.rate = self.rate.unwrap_or(options.rate);
        options.port_word = self.port_word.unwrap_or(options.port_word);
        options.port_scope = self.scope.unwrap_or(options.port_scope);
        options.min_packets = self.min_packets.unwrap_or(options.min_packets);
        if let Some(names) = &self.names {
            options.names = names.iter().copied().collect();
        }
        Ok(options)
    }
}
