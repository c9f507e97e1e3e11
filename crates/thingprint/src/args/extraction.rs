use clap::Args;
use thingprint_flow::WindowLength;
use thingprint_instance::{
    EvidenceSet, ExtractionRecipe, InstanceOptions, ModelsId, NameSource, Origin, PortScope, PortWord,
    RateMean,
};

use super::flow::Preset;
use super::{FlowArgs, ModelArgs};
use crate::exit::{Misfit, Usage};

/// How captures become instances. Everything not given has the default of the preset.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Extraction")]
pub(crate) struct ExtractionArgs {
    /// Length of a window, aligned to UTC (1h, 15m, 90s ...), or `capture` for one window for each file
    #[arg(long, value_name = "LENGTH")]
    pub(crate) window: Option<WindowLength>,

    /// What is extracted: all, paper (the classification paper's set), or a list of names [default: all; to classify,
    /// what the model looks at]
    #[arg(long, value_name = "SET|NAME,...", long_help = evidence_help())]
    pub(crate) evidence: Option<EvidenceSet>,

    /// How to combine flow rates: mean of the rates, or sum of volumes over sum of durations
    #[arg(long, value_name = "MEAN")]
    pub(crate) rate: Option<RateMean>,

    /// Words in the bag of ports: port (443) or proto/port (tcp/443)
    #[arg(long, value_name = "FORM")]
    pub(crate) port_word: Option<PortWord>,

    /// Flows that add to the bag of ports: all, or internet (no private peers)
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<PortScope>,

    /// Sources of names: dns, sni
    #[arg(long, value_name = "SOURCE,...", value_delimiter = ',')]
    pub(crate) names: Option<Vec<NameSource>>,

    /// Skip windows in which a device sends fewer IP packets
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) min_packets: Option<u64>,

    #[command(flatten)]
    pub(crate) flow: FlowArgs,

    #[command(flatten)]
    pub(crate) models: ModelArgs,
}

impl ExtractionArgs {
    /// The options that were given.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let Self { window, evidence, rate, port_word, scope, names, min_packets, flow, models } = self;
        let own = super::names_of([
            (window.is_some(), "--window"),
            (evidence.is_some(), "--evidence"),
            (rate.is_some(), "--rate"),
            (port_word.is_some(), "--port-word"),
            (scope.is_some(), "--scope"),
            (names.is_some(), "--names"),
            (min_packets.is_some(), "--min-packets"),
        ]);
        [own, flow.given(), models.given()].concat()
    }

    /// The options that are asked for, with these protocol models.
    pub(crate) fn options(&self, models: Option<ModelsId>) -> Result<InstanceOptions, Usage> {
        let base = match self.flow.preset {
            Some(Preset::Joy) => InstanceOptions::joy(),
            Some(Preset::Default) | None => InstanceOptions::default(),
        };
        self.over(InstanceOptions { evidence: EvidenceSet::all(), ..base }, models)
    }

    /// The options that instances for a model need. What the command line asks for must not contradict them, and has to
    /// extract the evidence that the model looks at.
    pub(crate) fn options_for(
        &self,
        recipe: &ExtractionRecipe,
        needed: EvidenceSet,
        models: Option<ModelsId>,
    ) -> anyhow::Result<InstanceOptions> {
        let base = recipe.options().map_err(|error| Misfit(format!("the model's extraction: {error}")))?;
        if base.origin != Origin::Packets {
            return Err(Misfit(format!(
                "the model was trained on instances of logs ({0}), which differ from those of packets; make instances by \
                 extract --from {0}, and give these",
                base.origin
            ))
            .into());
        }
        let mut asked = match self.flow.preset {
            Some(_) => self.options(models)?,
            None => self.over(base, models)?,
        };
        let asked_recipe = ExtractionRecipe::of(&asked).with_evidence(recipe.evidence());
        if asked_recipe != *recipe {
            let (trained, asked) = recipe.differences(&asked_recipe);
            return Err(Misfit(format!(
                "the model was trained on instances extracted with '{trained}', but the command line asks for \
                 '{asked}'; omit these options, or train a model with them"
            ))
            .into());
        }
        asked.evidence = self.evidence_for(needed)?;
        Ok(asked)
    }

    /// The evidence that is asked for, which has to hold what a model looks at; where nothing is asked for, just that.
    pub(crate) fn evidence_for(&self, needed: EvidenceSet) -> Result<EvidenceSet, Misfit> {
        let asked = self.evidence.unwrap_or(needed);
        let missing = needed.without(asked);
        if missing.is_empty() {
            return Ok(asked);
        }
        Err(Misfit(format!("the model looks at {missing}, which --evidence leaves out")))
    }

    fn over(&self, mut options: InstanceOptions, models: Option<ModelsId>) -> Result<InstanceOptions, Usage> {
        options.flow = self.flow.over(options.flow)?;
        options.flow.window = self.window.unwrap_or(options.flow.window);
        options.evidence = self.evidence.unwrap_or(options.evidence);
        options.models = models;
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

/// The help of `--evidence`, with a line for each name.
fn evidence_help() -> String {
    let line = |name: &str, about: &str| format!("\n  {name}: {about}");
    let all = EvidenceSet::all();
    let numbers = all.numbers().map(|number| line(number.name(), number.about()));
    let lines: String = numbers.chain(all.bags().map(|bag| line(bag.name(), bag.about()))).collect();
    format!(
        "What is extracted: all, paper (the classification paper's set), or a list of names [default: all; to classify, \
         what the model looks at]\n{lines}"
    )
}
