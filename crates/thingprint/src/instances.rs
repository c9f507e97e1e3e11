//! Files of instances: several are one table, as long as they were made the same way.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use anyhow::{Context, bail};
use thingprint_flow::is_capture;
use thingprint_instance::{EvidenceSet, ExtractionRecipe, Labeled, Semantics};
use thingprint_report::read_instances;

use crate::exit::Misfit;
use crate::inputs::Input;
use crate::messages::{Messages, counted};

/// Name of the entry of a model file that holds the recipe of its training instances.
pub(crate) const RECIPE: &str = "extraction";

/// Most names of unknown columns in a message.
const MOST_NAMES: usize = 5;

/// Instances of one recipe, whatever their evidence.
#[derive(Debug, Default)]
pub(crate) struct InstanceTable {
    pub(crate) rows: Vec<Labeled>,
    /// How they were made, where the files say.
    pub(crate) recipe: Option<ExtractionRecipe>,
}

impl InstanceTable {
    /// Reads files of instances. A row that comes again, to the last digit, counts once.
    pub(crate) fn read(inputs: &[Input], messages: Messages) -> anyhow::Result<Self> {
        let mut table = Self::default();
        for input in inputs {
            let (bytes, name) = (input.read()?, input.name());
            if is_capture(Box::new(io::Cursor::new(bytes.clone()))) {
                bail!(
                    "failed to read instances: {name} is a capture; make instances of it with 'extract' first"
                );
            }
            if bytes.is_empty() {
                bail!("failed to read instances: {name} is empty; extract it again");
            }
            let mut file = read_instances(&bytes, &name).context("failed to read instances")?;
            // Files hold windows in the order in which they became final; what is learned must not depend on that.
            file.rows.sort_by(|a, b| {
                let key = |row: &Labeled| (row.instance.device, row.instance.window_start);
                (key(a), &a.instance.capture).cmp(&(key(b), &b.instance.capture))
            });
            note_unknown(&file.unknown_columns, &name, messages);
            table.add(file.rows, file.recipe, &name)?;
        }
        table.warn_of_repeats(messages);
        Ok(table)
    }

    /// Drops equal rows, and tells of windows of a device that come twice in different ways: captures that were
    /// extracted one by one share the windows at their edges.
    fn warn_of_repeats(&mut self, messages: Messages) {
        let mut seen: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        let (mut kept, mut equal, mut similar) = (Vec::new(), 0, 0);
        for row in std::mem::take(&mut self.rows) {
            let instance = &row.instance;
            let key = (instance.device, instance.window_start, instance.capture.clone());
            let before = seen.entry(key).or_default();
            if before.iter().any(|at| kept.get(*at) == Some(&row)) {
                equal += 1;
                continue;
            }
            similar += usize::from(!before.is_empty());
            before.push(kept.len());
            kept.push(row);
        }
        self.rows = kept;
        if equal > 0 {
            messages.warn(format!("{equal} rows came again, and count once"));
        }
        if similar > 0 {
            messages.warn(format!(
                "{similar} rows are of a device and window that another row is of, too: captures that belong together \
                 should be extracted together"
            ));
        }
    }

    fn add(
        &mut self,
        rows: Vec<Labeled>,
        recipe: Option<ExtractionRecipe>,
        name: &str,
    ) -> anyhow::Result<()> {
        if let (Some(before), Some(recipe)) = (&self.recipe, &recipe)
            && *before != recipe.with_evidence(before.evidence())
        {
            check_semantics((name, recipe.semantics()), ("the files before it", before.semantics()))?;
            let (recipe, before) = recipe.without_evidence().differences(&before.without_evidence());
            return Err(Misfit(format!(
                "failed to read instances: {name} was extracted with '{recipe}', the files before it with '{before}'; \
                 extract all with the same options"
            ))
            .into());
        }
        self.recipe = self.recipe.take().or(recipe);
        self.rows.extend(rows);
        Ok(())
    }

    /// Refuses a model that was trained on instances by other rules.
    pub(crate) fn check_semantics(&self, model: &thingprint_model::Model) -> anyhow::Result<()> {
        let semantics = self.recipe.as_ref().map(ExtractionRecipe::semantics);
        semantics.map_or(Ok(()), |semantics| check_model_semantics(model, semantics))
    }

    /// What a model is to remember of its training instances. It knows by itself what evidence it needs, and they may
    /// have more.
    pub(crate) fn extraction(&self) -> BTreeMap<String, String> {
        let recipe = self.recipe.iter().map(|recipe| recipe.without_evidence().to_string());
        recipe.map(|recipe| (RECIPE.to_owned(), recipe)).collect()
    }
}

fn note_unknown(columns: &BTreeSet<String>, name: &str, messages: Messages) {
    if columns.is_empty() {
        return;
    }
    let names: Vec<&str> = columns.iter().take(MOST_NAMES).map(String::as_str).collect();
    let more = if columns.len() > MOST_NAMES { ", ..." } else { "" };
    let unknown = counted(columns.len() as u64, "unknown column", "unknown columns");
    messages.note(format!("{name}: skipped {unknown}: {}{more}", names.join(", ")));
}

/// Refuses what was made by other rules.
pub(crate) fn check_semantics(
    (this, of_this): (&str, Semantics),
    (other, of_other): (&str, Semantics),
) -> Result<(), Misfit> {
    let Some(changed) = of_this.difference(of_other) else { return Ok(()) };
    Err(Misfit(format!(
        "instances mean something else in {this} (semantics {of_this}) and {other} (semantics {of_other}), between which \
         rules changed: {changed}; extract the captures again, and train the model on them"
    )))
}

/// Refuses a model that was trained on instances by other rules.
pub(crate) fn check_model_semantics(
    model: &thingprint_model::Model,
    instances: Semantics,
) -> anyhow::Result<()> {
    let Some(recipe) = recipe_of(model)? else { return Ok(()) };
    Ok(check_semantics(("the model", recipe.semantics()), ("the instances", instances))?)
}

/// The recipe of a model's training instances.
pub(crate) fn recipe_of(model: &thingprint_model::Model) -> anyhow::Result<Option<ExtractionRecipe>> {
    let parse = |text: &String| text.parse::<ExtractionRecipe>();
    let recipe = model.extraction().get(RECIPE).map(parse).transpose();
    recipe.map_err(|error| Misfit(format!("the model's extraction cannot be read: {error}")).into())
}

/// Warns of bags that a model looks at, or was to look at, and that no row has.
pub(crate) fn warn_of_absent_evidence(wanted: EvidenceSet, rows: &[Labeled], messages: Messages) {
    let there = rows.iter().fold(EvidenceSet::NONE, |there, row| there.with(row.instance.bags.evidence()));
    let bags = wanted.only(|_| false, |_| true);
    let absent = bags.without(there);
    if !absent.is_empty() && !rows.is_empty() {
        messages.warn(format!(
            "the instances lack {absent}, which the recipe looks at: answers are less sure; extract them with --evidence all"
        ));
    }
}
