//! Files of instances: several are one table, as long as they were made the same way.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _};

use anyhow::{Context, bail};
use thingprint_flow::is_capture;
use thingprint_instance::{EvidenceSet, ExtractionRecipe, Label, Labeled, Origin, Semantics};
use thingprint_report::{InstanceFile, ReportError, each_instance};

use crate::args::Trust;
use crate::exit::Misfit;
use crate::inputs::{Input, kind_in_brackets};
use crate::messages::{Messages, counted};
use crate::sorted_instances::SortedInstances;

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
        let (mut recipe, mut sorted) = (None, SortedInstances::in_memory());
        each_row(inputs, messages, &mut recipe, &mut |row| sorted.push(row))?;
        Self::of(sorted, recipe, messages)
    }

    /// The same of a file that is read, whatever the order of its rows.
    pub(crate) fn of_file(file: InstanceFile, messages: Messages) -> anyhow::Result<Self> {
        let mut sorted = SortedInstances::in_memory();
        file.rows.into_iter().try_for_each(|row| sorted.push(row))?;
        Self::of(sorted, file.recipe, messages)
    }

    fn of(
        sorted: SortedInstances,
        recipe: Option<ExtractionRecipe>,
        messages: Messages,
    ) -> anyhow::Result<Self> {
        let mut sorted = sorted.into_rows()?;
        let rows = sorted.by_ref().collect::<anyhow::Result<Vec<Labeled>>>()?;
        sorted.repeats().report(messages);
        Ok(Self { rows, recipe })
    }

    /// Refuses labels that nobody confirmed, or takes them as confirmed.
    pub(crate) fn settle_proposals(&mut self, trust: Option<Trust>) -> anyhow::Result<()> {
        let proposed = |label: &&Label| label.is_proposed();
        let labels = self.rows.iter().filter_map(|row| row.label.as_ref());
        let classes: BTreeSet<&str> = labels.filter(proposed).map(|label| label.class.as_str()).collect();
        if let (Some(first), None) = (classes.first(), trust) {
            let more = match classes.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            bail!(
                "nobody confirmed the label '{first}'{more}: remove the '?' in front of those that are right and extract \
                 again, or take what devices declare with --trust declared"
            );
        }
        for row in &mut self.rows {
            row.label = row.label.take().map(Label::confirmed);
        }
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
        extraction_of(self.recipe.as_ref())
    }
}

/// What a model remembers of instances of a recipe.
pub(crate) fn extraction_of(recipe: Option<&ExtractionRecipe>) -> BTreeMap<String, String> {
    let recipe = recipe.map(|recipe| recipe.without_evidence().to_string());
    recipe.map(|recipe| (RECIPE.to_owned(), recipe)).into_iter().collect()
}

/// Reads files of instances row by row, each in the order of its file; `recipe` is how they were made, where the files
/// say.
pub(crate) fn each_row(
    inputs: &[Input],
    messages: Messages,
    recipe: &mut Option<ExtractionRecipe>,
    each: &mut dyn FnMut(Labeled) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for input in inputs {
        let name = input.name();
        let mut source = input.open()?;
        let start = source.fill_buf().with_context(|| format!("failed to read {name}"))?.to_vec();
        if is_capture(Box::new(io::Cursor::new(start.clone()))) {
            bail!("failed to read instances: {name} is a capture; make instances of it with 'extract' first");
        }
        let mut each = |row| each(row).map_err(RowError::Other);
        let kind = || match input.path() {
            Some(path) if !is_table(&start) => kind_in_brackets(path),
            _ => String::new(),
        };
        let said = format!("{name}{}", kind());
        let head = each_instance(&mut *source, &said, &mut each).map_err(RowError::into_error)?;
        note_unknown(&head.unknown_columns, &name, messages);
        check_same(recipe.as_ref(), head.recipe.as_ref(), &name)?;
        *recipe = recipe.take().or(head.recipe);
    }
    Ok(())
}

/// Whether bytes begin as a table of instances does, in any format.
fn is_table(start: &[u8]) -> bool {
    let begins = |mark: &[u8]| start.trim_ascii_start().starts_with(mark);
    [&b"device,"[..], b"{\"device\"", b"[", b"PAR1", b"#separator"].into_iter().any(begins)
}

/// Why rows are not read to their end.
enum RowError {
    Report(ReportError),
    Other(anyhow::Error),
}

impl From<ReportError> for RowError {
    fn from(error: ReportError) -> Self {
        Self::Report(error)
    }
}

impl RowError {
    fn into_error(self) -> anyhow::Error {
        match self {
            Self::Report(error) => anyhow::Error::new(error).context("failed to read instances"),
            Self::Other(error) => error,
        }
    }
}

/// Refuses a file that was made in another way than those before it.
fn check_same(
    before: Option<&ExtractionRecipe>,
    recipe: Option<&ExtractionRecipe>,
    name: &str,
) -> anyhow::Result<()> {
    let Some((before, recipe)) = before.zip(recipe) else { return Ok(()) };
    if *before == recipe.with_evidence(before.evidence()) {
        return Ok(());
    }
    check_semantics((name, recipe.semantics()), ("the files before it", before.semantics()))?;
    let (recipe, before) = recipe.without_evidence().differences(&before.without_evidence());
    Err(Misfit(format!(
        "failed to read instances: {name} was extracted with '{recipe}', the files before it with '{before}'; extract all \
         with the same options"
    ))
    .into())
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
pub(crate) fn warn_of_absent_evidence(wanted: EvidenceSet, table: &InstanceTable, messages: Messages) {
    if !table.rows.is_empty() {
        let origin = table.recipe.as_ref().map(ExtractionRecipe::origin).unwrap_or_default();
        warn_of_absent_bags((wanted, bags_of(&table.rows)), origin, messages);
    }
}

/// Warns of bags that a model looks at and that are not there.
pub(crate) fn warn_of_absent_bags(
    (wanted, there): (EvidenceSet, EvidenceSet),
    origin: Origin,
    messages: Messages,
) {
    let absent = wanted.only(|_| false, |_| true).without(there);
    if !absent.is_empty() {
        let advice = how_to_have(origin);
        messages.warn(format!(
            "the instances lack {absent}, which the recipe looks at: answers are less sure; {advice}"
        ));
    }
}

/// How instances of an origin get evidence that they lack.
pub(crate) fn how_to_have(origin: Origin) -> &'static str {
    match origin {
        Origin::Packets => "extract them with --evidence all",
        Origin::Zeek | Origin::Eve => {
            "logs have no more than extract --from names: the captures behind them have all of it"
        }
    }
}

/// The bags that some row has.
fn bags_of(rows: &[Labeled]) -> EvidenceSet {
    rows.iter().fold(EvidenceSet::NONE, |there, row| there.with(row.instance.bags.evidence()))
}
