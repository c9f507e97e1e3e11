use std::io::Write;

use thingprint_instance::{Attribute, Bag, ExtractionRecipe, Instance, Label, Labeled, Spread};

use super::columns::{self, SpreadPart};
use crate::error::ReportError;
use crate::format::Format;
use crate::table::{Column, Table, Values};
use crate::write::{Style, write};

/// Writes instances, in the order given; for people only the columns of [`instance_overview`].
pub fn write_instances(
    instances: &[Labeled],
    recipe: Option<&ExtractionRecipe>,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let table = match format {
        Format::Table => instance_overview(instances),
        _ => instance_table(instances, recipe),
    };
    write(&table, format, out, Style::default())
}

/// Every column of instances: what and when, label and kind, the six attributes, the three bags, the counts, five
/// columns of spread for each attribute, the capture where windows are whole captures, and how they were extracted.
pub fn instance_table(instances: &[Labeled], recipe: Option<&ExtractionRecipe>) -> Table {
    let mut columns = identity_columns(instances);
    columns.insert(2, column(instances, columns::WINDOW_S, |labeled| Some(labeled.instance.window_s)));
    columns.push(column(instances, columns::KIND, |labeled| {
        labeled.label.as_ref().map(|label| label.kind.to_string())
    }));
    columns.extend(attribute_columns(instances));
    columns.extend(bag_columns(instances));
    columns.extend(count_columns(instances));
    for (index, attribute) in Attribute::ALL.into_iter().enumerate() {
        let spread = |labeled: &Labeled| labeled.instance.spread.get(index).copied().flatten();
        columns.extend(spread_columns(instances, attribute, spread));
    }
    columns.push(column(instances, columns::CAPTURE, |labeled| labeled.instance.capture.clone()));
    columns.push(column(instances, columns::EXTRACTION, |_| recipe.map(ToString::to_string)));
    Table::of(columns)
}

/// The columns of instances that fit a screen: device, window, label, attributes and bags.
pub fn instance_overview(instances: &[Labeled]) -> Table {
    let mut columns = identity_columns(instances);
    columns.extend(attribute_columns(instances));
    columns.extend(bag_columns(instances));
    Table::of(columns)
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

fn attribute_columns(instances: &[Labeled]) -> [Column; 6] {
    Attribute::ALL.map(|attribute| {
        column(instances, attribute.name(), |labeled| labeled.instance.attributes.get(attribute))
    })
}

fn bag_columns(instances: &[Labeled]) -> [Column; 3] {
    let bag = |name, bag: fn(&Instance) -> &Bag| {
        column(instances, name, |labeled| Some(bag(&labeled.instance).clone()))
    };
    [
        bag(columns::PORTS, |instance| &instance.bags.ports),
        bag(columns::DOMAINS, |instance| &instance.bags.domains),
        bag(columns::CIPHER_SUITES, |instance| &instance.bags.cipher_suites),
    ]
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
