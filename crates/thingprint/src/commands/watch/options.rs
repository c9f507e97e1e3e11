use thingprint_flow::{Identity, WindowLength};
use thingprint_instance::{EvidenceSet, InstanceOptions};
use thingprint_model::Model;
use thingprint_pipeline::Pipeline;
use thingprint_report::Labels;
use thingprint_watch::WatchOptions;

use super::WatchArgs;
use crate::args::ExtractionArgs;
use crate::commands::audit::read_policy;
use crate::exit::Usage;
use crate::instances::recipe_of;

/// How the network is watched.
pub(super) fn watch_options(
    args: &WatchArgs,
    model: Option<&Model>,
    labels: &Labels,
) -> anyhow::Result<WatchOptions> {
    let protocols = args.extraction.models.read()?;
    let mut instance = instance_options(&args.extraction, model, protocols.id())?;
    if instance.flow.window == WindowLength::Capture {
        return Err(
            Usage("watch: --window capture has no end here: give a length, such as 1h".to_owned()).into()
        );
    }
    // Nothing waits until the first frames show whether link addresses separate hosts.
    instance.flow.is_identity_given = true;
    let pipeline = Pipeline {
        flow: instance.flow.clone(),
        engine: protocols.engine(),
        gateways: args.extraction.flow.device.gateways().policy(labels),
        shows_gateways: instance.flow.identity == Identity::Mac,
        ..Pipeline::default()
    };
    let policy = if args.no_audit { None } else { Some(read_policy(&args.policy)?) };
    Ok(WatchOptions { pipeline, instance, policy, ..WatchOptions::default() })
}

/// All evidence is extracted unless less is asked for: changes are seen in all of it, and a model that is trained later may
/// look at more than the present one.
fn instance_options(
    extraction: &ExtractionArgs,
    model: Option<&Model>,
    models: Option<thingprint_instance::ModelsId>,
) -> anyhow::Result<InstanceOptions> {
    let Some(model) = model else { return Ok(extraction.options(models)?) };
    let Some(recipe) = recipe_of(model)? else { return Ok(extraction.options(models)?) };
    let options = extraction.options_for(&recipe, model.evidence(), models)?;
    let evidence = extraction.evidence.unwrap_or_else(EvidenceSet::all);
    Ok(InstanceOptions { evidence, ..options })
}
