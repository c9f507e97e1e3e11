use std::io::Write;

use thingprint_instance::{Attribute, Bag, EvidenceSet, ExtractionRecipe, Instance, Label, Labeled, Spread};

use thingprint_table::{Column, Format, Style, Table, Values, write};

use super::columns::{self, SpreadPart};
use crate::error::ReportError;

/// Writes instances, in the order given; for people only the columns of [`instance_overview`].
pub fn write_instances(
    instances: &[Labeled],
    recipe: Option<&ExtractionRecipe>,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let table = match format {
        Format::Table => instance_overview(instances, recipe),
        _ => instance_table(instances, recipe),
    };
    write(&table, format, out, Style::default()).map_err(ReportError::Table)
}

/// Every column of instances: what and when, label and kind, the attributes, the bags, the counts, five columns of
/// spread for each attribute, the capture where windows are whole captures, and how they were extracted. Which
/// attributes and bags there are is what the recipe says.
pub fn instance_table(instances: &[Labeled], recipe: Option<&ExtractionRecipe>) -> Table {
    into_instance_table(instances.to_vec(), recipe)
}

/// The same of instances that nobody needs afterwards, whose bags move into the table.
pub fn into_instance_table(mut instances: Vec<Labeled>, recipe: Option<&ExtractionRecipe>) -> Table {
    let evidence = evidence_of(&instances, recipe);
    let bags: Vec<Column> = evidence
        .bags()
        .map(|name| {
            let bags = instances.iter_mut().map(|labeled| labeled.instance.bags.take(name));
            Column::new(name.name(), bags.collect::<Vec<Option<Bag>>>())
        })
        .collect();
    let instances = instances.as_slice();
    let mut columns = identity_columns(instances);
    columns.insert(2, column(instances, columns::WINDOW_S, |labeled| Some(labeled.instance.window_s)));
    columns.push(column(instances, columns::KIND, |labeled| {
        labeled.label.as_ref().map(|label| label.kind.to_string())
    }));
    columns.push(column(instances, columns::FAMILY, |labeled| labeled.label.as_ref()?.family.clone()));
    columns.extend(number_columns(instances, evidence));
    columns.extend(bags);
    columns.extend(count_columns(instances));
    for attribute in evidence.numbers() {
        let spread = |labeled: &Labeled| labeled.instance.spread.get(&attribute).copied();
        columns.extend(spread_columns(instances, attribute, spread));
    }
    columns.push(column(instances, columns::CAPTURE, |labeled| labeled.instance.capture.clone()));
    let extraction = recipe.map(|recipe| recipe.without_evidence().to_string());
    columns.push(column(instances, columns::EXTRACTION, |_| extraction.clone()));
    Table::of(columns)
}

/// The columns of instances that fit a screen: device, window, label, attributes and bags.
pub fn instance_overview(instances: &[Labeled], recipe: Option<&ExtractionRecipe>) -> Table {
    let mut columns = identity_columns(instances);
    let evidence = evidence_of(instances, recipe);
    columns.extend(number_columns(instances, evidence));
    columns.extend(
        evidence
            .bags()
            .map(|bag| column(instances, bag.name(), |labeled| labeled.instance.bags.get(bag).cloned())),
    );
    Table::of(columns)
}

/// What the recipe says, or without one the paper's evidence; and whatever an instance has beyond it.
fn evidence_of(instances: &[Labeled], recipe: Option<&ExtractionRecipe>) -> EvidenceSet {
    let evidence = recipe.map_or_else(EvidenceSet::paper, ExtractionRecipe::evidence);
    instances.iter().map(|labeled| labeled.instance.evidence()).fold(evidence, EvidenceSet::with)
}

fn column<T>(instances: &[Labeled], name: &str, value: impl Fn(&Labeled) -> Option<T>) -> Column
where
    Vec<Option<T>>: Into<Values>,
{
    Column::new(name, instances.iter().map(value).collect::<Vec<Option<T>>>())
}

fn identity_columns(instances: &[Labeled]) -> Vec<Column> {
    let class = |label: &Label| label.class.clone();
    vec![
        column(instances, columns::DEVICE, |labeled| Some(labeled.instance.device.to_string())),
        column(instances, columns::WINDOW_START, |labeled| Some(labeled.instance.window_start)),
        column(instances, columns::LABEL, |labeled| labeled.label.as_ref().map(class)),
    ]
}

fn number_columns(instances: &[Labeled], evidence: EvidenceSet) -> impl Iterator<Item = Column> {
    evidence.numbers().map(|attribute| {
        column(instances, attribute.name(), |labeled| labeled.instance.attributes.get(attribute))
    })
}

fn count_columns(instances: &[Labeled]) -> [Column; 5] {
    let count =
        |name, count: fn(&Instance) -> u64| column(instances, name, |labeled| Some(count(&labeled.instance)));
    [
        count(columns::FLOWS, |instance| instance.counts.flows),
        count(columns::PACKETS_UP, |instance| instance.counts.packets_up),
        count(columns::PACKETS_DOWN, |instance| instance.counts.packets_down),
        count(columns::BYTES_UP, |instance| instance.counts.bytes_up),
        count(columns::BYTES_DOWN, |instance| instance.counts.bytes_down),
    ]
}

fn spread_columns(
    instances: &[Labeled],
    attribute: Attribute,
    spread: impl Fn(&Labeled) -> Option<Spread>,
) -> [Column; 5] {
    SpreadPart::ALL.map(|part| {
        let name = part.column(attribute);
        let real = |value: fn(&Spread) -> f64| {
            column(instances, &name, |labeled| spread(labeled).as_ref().map(value))
        };
        match part {
            SpreadPart::Count => {
                column(instances, &name, |labeled| spread(labeled).map(|spread| spread.count))
            }
            SpreadPart::Sum => real(|spread| spread.sum),
            SpreadPart::Sd => real(|spread| spread.sd),
            SpreadPart::Min => real(|spread| spread.min),
            SpreadPart::Max => real(|spread| spread.max),
        }
    })
}
