use std::ffi::OsString;
use std::path::Path;

use anyhow::Context;
use clap::Args;
use thingprint_model::{LearningCurve, Model, Scenario};
use thingprint_table::{Cell, Table, Type};

use crate::args::{GlobalArgs, TrainingArgs};
use crate::exit::{Outcome, Usage};
use crate::inputs::{expand_files, named};
use crate::instances::InstanceTable;
use crate::learning::{Settings, learn};
use crate::messages::Messages;
use crate::models::write_model;
use crate::output::check_apart;

/// Learn from labelled instances.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Instances, as `extract --labels` writes them
    #[arg(required = true, value_name = "INSTANCES")]
    instances: Vec<OsString>,

    /// What the classifier looks at: ports, domains, ciphers, stage0, low, low-medium or final
    #[arg(long, value_name = "SCENARIO", default_value_t = Scenario::Final)]
    scenario: Scenario,

    #[command(flatten)]
    training: TrainingArgs,
}

impl TrainArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let Some(path) = &global.output else {
            return Err(Usage("train: give the model file with -o".to_owned()).into());
        };
        let inputs = expand_files(&self.instances, messages)?;
        check_apart(&global.results, Some(path), &inputs)?;
        let mut table = InstanceTable::read(&inputs, messages)?;
        let options = self.training.options(self.scenario, global.seed);
        let settings = Settings { options: &options, trust: self.training.trust, trees: None };
        let model = learn(&mut table, settings, global.threads(), messages)
            .with_context(|| format!("failed to train on {}", named(&self.instances)))?;
        write_model(&model, path, &global.results)?;
        report(&model, path, messages)?;
        let curve = model.learning_curve(&table.rows, global.threads());
        if let Some(curve) = curve {
            report_curve(&model, &curve, messages);
        }
        Ok(Outcome::Done)
    }
}

/// Says what was learned; on standard error, since the result is the model.
pub(super) fn report(model: &Model, path: &Path, messages: Messages) -> anyhow::Result<()> {
    let classes = model.classes();
    messages.note(format!(
        "{} instances of {} classes; model written to {}",
        classes.instances(),
        classes.len(),
        path.display()
    ));
    let mut table = Table::new([("class", Type::Text), ("kind", Type::Text), ("instances", Type::Unsigned)]);
    for class in classes {
        table.push([
            Cell::from(class.name.to_string()),
            Cell::from(class.kind.to_string()),
            Cell::from(class.instances),
        ])?;
    }
    messages.table(&table);
    Ok(())
}

/// Windows that a class needs to be asked about by models that did not see them: one in each block of time.
const LEAST_WINDOWS: u64 = 3;

/// Says which classes have too few windows, and what more would bring; on standard error.
fn report_curve(model: &Model, curve: &LearningCurve, messages: Messages) {
    let reached: Vec<(u64, f64)> =
        curve.points.iter().filter_map(|point| Some((point.windows, 100.0 * point.accuracy?))).collect();
    let points: Vec<String> =
        reached.iter().map(|(windows, percent)| format!("{windows} {percent:.1} %")).collect();
    if !points.is_empty() {
        messages.detail(format!("right out of training by windows of each class: {}", points.join(", ")));
    }
    let enough = curve.enough().unwrap_or(LEAST_WINDOWS).max(LEAST_WINDOWS);
    let few = model.classes().iter().filter(|class| class.instances < enough);
    let few: Vec<String> = few.map(|class| format!("{} ({})", class.name, class.instances)).collect();
    if few.is_empty() {
        return;
    }
    let few = few.join(", ");
    let at_enough = reached.iter().find(|(windows, _)| *windows >= enough).or(reached.last());
    messages.warn(match (reached.first(), at_enough) {
        (Some((_, with_one)), Some((windows, with_more))) if *windows > 1 => format!(
            "too few windows of {few}: here, classes are recognised out of training in {with_one:.1} % of windows on \
             average after 1 window of each, in {with_more:.1} % after {windows}; label more hours of them"
        ),
        _ => format!("too few windows of {few}: label more hours of them"),
    });
}
