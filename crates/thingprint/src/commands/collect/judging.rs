//! How collected windows are judged.

use thingprint_instance::{ExtractionRecipe, InstanceOptions};
use thingprint_model::Model;
use thingprint_pipeline::Pipeline;
use thingprint_report::Labels;
use thingprint_taps::Name;
use thingprint_watch::WatchOptions;

use crate::commands::watch::model::Judging;
use crate::exit::Misfit;
use crate::gateways::GatewayChoice;
use crate::instances::recipe_of;

/// What collected windows are made with, beside the parts.
pub(super) struct Materials {
    pub(super) network: Name,
    /// Taps that are waited for from the begin on.
    pub(super) expected: Vec<Name>,
    pub(super) judging: Judging,
    pub(super) labels: Labels,
    pub(super) choice: GatewayChoice,
}

/// How a ledger takes windows that are made by these options.
pub(super) fn ledger_options(instance: &InstanceOptions) -> WatchOptions {
    let pipeline = Pipeline { flow: instance.flow.clone(), ..Pipeline::default() };
    WatchOptions { pipeline, instance: instance.clone(), ..WatchOptions::default() }
}

/// Refuses a model that was trained on windows made in another way.
pub(super) fn check_model(model: &Model, options: &InstanceOptions) -> anyhow::Result<()> {
    let Some(trained) = recipe_of(model)? else { return Ok(()) };
    let sent = ExtractionRecipe::of(options);
    let missing = model.evidence().without(options.evidence);
    if !missing.is_empty() {
        return Err(Misfit(format!(
            "the model looks at {missing}, which the taps do not send; leave out --evidence there"
        ))
        .into());
    }
    if trained.without_evidence() != sent.without_evidence() {
        let (trained, sent) = trained.differences(&sent.with_evidence(trained.evidence()));
        return Err(Misfit(format!(
            "the model was trained on instances extracted with '{trained}', and the taps send '{sent}'; give them the \
             options of the model, or train one with theirs"
        ))
        .into());
    }
    Ok(())
}
