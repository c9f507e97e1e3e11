use std::str::FromStr;

use anyhow::bail;
use thingprint_flow::{DeviceId, ParseDeviceError};
use thingprint_instance::Instance;
use thingprint_model::{Explanation, InputValue, Model};
use thingprint_table::{Cell, Format, Table, Type};

use super::Classified;
use crate::output::Output;

/// Most words shown for a bag.
const MOST_WORDS: usize = 10;

/// Which devices are explained.
#[derive(Clone, Copy, Debug)]
pub(super) enum Explained {
    All,
    One(DeviceId),
}

impl FromStr for Explained {
    type Err = ParseDeviceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

/// Writes what spoke for and against the class of a device, or of every one.
pub(super) fn write(
    classified: &Classified,
    model: &Model,
    explained: Explained,
    output: &Output,
) -> anyhow::Result<()> {
    let devices: Vec<DeviceId> = match explained {
        Explained::All => classified.devices.iter().map(|verdict| verdict.device).collect(),
        Explained::One(device) => vec![device],
    };
    let mut explained = Vec::new();
    for device in devices {
        let windows: Vec<&Instance> = classified.rows_of(device).map(|row| &row.instance).collect();
        if windows.is_empty() {
            bail!("failed to explain {device}: it sent nothing in this input");
        }
        explained.push((device, model.explain(&windows, None)?));
    }
    if output.format() != Format::Table {
        return output.table(&flat(&explained)?);
    }
    let mut sections = Vec::new();
    for (device, explanation) in &explained {
        let heading = format!(
            "{device}: best guess {} with confidence {:.3}, over {} windows",
            explanation.class, explanation.confidence, explanation.windows
        );
        sections.push((heading, flat(&[(*device, explanation.clone())])?));
    }
    output.sections(&sections)
}

/// One row for each input of stage-1 and each word of stage-0, the strongest first.
fn flat(explained: &[(DeviceId, Explanation)]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("device", Type::Text),
        ("class", Type::Text),
        ("stage", Type::Text),
        ("source", Type::Text),
        ("value", Type::Text),
        ("rival", Type::Text),
        ("contribution", Type::Real),
    ]);
    for (device, explanation) in explained {
        let row = |stage: &str, source: String, value: Option<String>, rival: Option<String>, weight: f64| {
            [
                Cell::from(device.to_string()),
                Cell::from(explanation.class.to_string()),
                Cell::from(stage),
                Cell::from(source),
                Cell::from(value),
                Cell::from(rival),
                Cell::from(weight),
            ]
        };
        for input in &explanation.inputs {
            let value = input.value.as_ref().map(describe);
            table.push(row("stage-1", input.input.clone(), value, None, input.contribution))?;
        }
        for bag in &explanation.bags {
            for word in bag.words.iter().take(MOST_WORDS) {
                let value = Some(format!("{} x{:.1}", word.word, word.count));
                let rival = Some(bag.rival.to_string());
                table.push(row("stage-0", bag.bag.to_string(), value, rival, word.contribution))?;
            }
        }
    }
    Ok(table)
}

fn describe(value: &InputValue) -> String {
    match value {
        InputValue::Number(number) => format!("{number:.4}"),
        InputValue::Class(class) => class.to_string(),
    }
}
