use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, bail};
use serde::Serialize;
use thingprint_figure::{Axis, Class, Estimate, Figure, Ranking, RankingRow};
use thingprint_flow::{DeviceId, ParseDeviceError};
use thingprint_instance::Instance;
use thingprint_model::{Acceptance, Explanation, InputValue, JointEvidence, Model};
use thingprint_table::{Cell, Column, Format, Table, Type};

use super::Classified;
use crate::exit::Usage;
use crate::files::write_file;
use crate::output::Output;

/// Most words shown for a bag.
const MOST_WORDS: usize = 10;

/// Most words in a table for people and in a figure.
const MOST_STRONGEST: usize = 16;

/// Most characters of a word in a table for people.
const WORD_CHARS: usize = 40;

/// The same in a figure.
const FIGURE_CHARS: usize = 24;

/// Which devices are explained.
#[derive(Clone, Copy, Debug)]
pub(super) enum Explained {
    All,
    One(DeviceId),
}

impl Explained {
    /// Whether a device is among them.
    pub(super) fn has(self, device: DeviceId) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == device,
        }
    }
}

impl FromStr for Explained {
    type Err = ParseDeviceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

/// What spoke for and against the class of a device.
#[derive(Debug, Serialize)]
struct DeviceExplanation {
    device: String,
    /// Why the class is not accepted; `None` where it is.
    reason: Option<String>,
    #[serde(flatten)]
    explanation: Explanation,
}

/// Writes what spoke for and against the class of a device, or of every one, with a figure of it where one is asked for.
pub(super) fn write(
    classified: &Classified,
    (model, acceptance): (&Model, &Acceptance),
    explained: Explained,
    (output, figure): (&Output, Option<&Path>),
) -> anyhow::Result<()> {
    let devices: Vec<DeviceId> = match explained {
        Explained::All => classified.devices.iter().map(|verdict| verdict.device).collect(),
        Explained::One(device) => vec![device],
    };
    let explain = |device: DeviceId| {
        let windows: Vec<&Instance> = classified.rows_of(device).map(|row| &row.instance).collect();
        if windows.is_empty() {
            bail!("failed to explain {device}: it sent nothing in this input");
        }
        let verdict = classified.devices.iter().find(|verdict| verdict.device == device);
        let doubt = verdict.and_then(|verdict| model.device_doubt(&windows, verdict, acceptance));
        let (device, reason) = (device.to_string(), doubt.map(|doubt| doubt.to_string()));
        Ok(DeviceExplanation { device, reason, explanation: model.explain(&windows, None)? })
    };
    let explained: Vec<DeviceExplanation> =
        devices.into_iter().map(explain).collect::<anyhow::Result<_>>()?;
    let svg = figure.map(|path| Ok::<_, anyhow::Error>((path, draw(&explained)?))).transpose()?;
    if let Some((path, svg)) = svg {
        let context = || format!("failed to write --figure {}", path.display());
        write_file(output.results(), path, svg.as_bytes()).with_context(context)?;
    }
    match output.format() {
        Format::Table => output.sections_within(&sections(&explained)?, crate::commands::WIDTH),
        Format::Json => output.json(&explained),
        _ => output.table(&flat(&explained)?),
    }
}

/// The tables for people: of a model with a joint model what that says in nats, of others the stages.
fn sections(explained: &[DeviceExplanation]) -> anyhow::Result<Vec<(String, Table)>> {
    let mut sections = Vec::new();
    for explained in explained {
        let DeviceExplanation { device, reason, explanation } = explained;
        let windows = explanation.windows;
        let heading = format!(
            "{device}: best guess {} with confidence {:.3}, over {windows} window{}",
            explanation.class,
            explanation.confidence,
            if windows == 1 { "" } else { "s" }
        );
        let unknown = reason.as_ref().map(|reason| format!("; unknown, since {reason}")).unwrap_or_default();
        let Some(joint) = &explanation.joint else {
            sections.push((heading + &unknown, flat(std::slice::from_ref(explained))?));
            continue;
        };
        let against = format!("; {:+.1} nats against {}", joint.nats, joint.rival);
        sections.push((heading + &against + &unknown, by_bag(joint)?));
        sections.push((
            "Words that speak most for the class (+) or for the runner-up (-)".to_owned(),
            strongest(joint)?,
        ));
        if !joint.decisive.is_empty() {
            sections.push(("Not seen here, and would decide".to_owned(), decisive(joint)?));
        }
    }
    Ok(sections)
}

fn by_bag(joint: &JointEvidence) -> anyhow::Result<Table> {
    let mut table = Table::new([
        Column::texts("bag"),
        Column::decimals("nats", 2),
        Column::count("words"),
        Column::count("never seen"),
    ]);
    for bag in &joint.bags {
        table.push([
            Cell::from(bag.bag.name()),
            Cell::from(bag.nats),
            Cell::from(bag.words.len() + bag.unseen.len()),
            Cell::from(bag.unseen.len()),
        ])?;
    }
    Ok(table)
}

/// The words of all bags with the most nats for or against, the strongest first.
fn strongest_words(joint: &JointEvidence) -> Vec<(&'static str, &str, f64)> {
    let words = joint
        .bags
        .iter()
        .flat_map(|bag| bag.words.iter().map(|word| (bag.bag.name(), word.word.as_str(), word.contribution)));
    let mut words: Vec<_> = words.filter(|(.., nats)| *nats != 0.0).collect();
    words.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
    words.truncate(MOST_STRONGEST);
    words
}

fn strongest(joint: &JointEvidence) -> anyhow::Result<Table> {
    let mut table = Table::new([Column::decimals("nats", 2), Column::texts("bag"), Column::texts("word")]);
    for (bag, word, nats) in strongest_words(joint) {
        table.push([Cell::from(nats), Cell::from(bag), Cell::from(shortened(word, WORD_CHARS))])?;
    }
    Ok(table)
}

fn decisive(joint: &JointEvidence) -> anyhow::Result<Table> {
    let mut table = Table::new([
        Column::decimals("nats", 2),
        Column::percent("windows with it", 0),
        Column::texts("bag"),
        Column::texts("word"),
    ]);
    for word in &joint.decisive {
        table.push([
            Cell::from(word.nats),
            Cell::from(word.share),
            Cell::from(word.bag.name()),
            Cell::from(shortened(&word.word, WORD_CHARS)),
        ])?;
    }
    Ok(table)
}

/// A word of at most so many characters; lists of cipher suites and options are long.
fn shortened(word: &str, most: usize) -> String {
    if word.chars().count() <= most {
        return word.to_owned();
    }
    word.chars().take(most - 3).chain("...".chars()).collect()
}

/// One row for each input of stage-1, each word of stage-0 and of the joint model, the strongest first, and each word
/// that would decide.
fn flat(explained: &[DeviceExplanation]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("device", Type::Text),
        ("class", Type::Text),
        ("stage", Type::Text),
        ("source", Type::Text),
        ("value", Type::Text),
        ("rival", Type::Text),
        ("contribution", Type::Real),
    ]);
    for DeviceExplanation { device, explanation, .. } in explained {
        let row = |(stage, source): (&str, &str), value: Option<String>, rival: Option<&str>, weight: f64| {
            [
                Cell::from(device.as_str()),
                Cell::from(explanation.class.to_string()),
                Cell::from(stage),
                Cell::from(source),
                Cell::from(value),
                Cell::from(rival),
                Cell::from(weight),
            ]
        };
        for bag in explanation.joint.iter().flat_map(|joint| &joint.bags) {
            let rival = explanation.joint.as_ref().map(|joint| &*joint.rival);
            for word in bag.words.iter().take(MOST_WORDS) {
                let value = Some(format!("{} x{:.1}", word.word, word.count));
                table.push(row(("joint", bag.bag.name()), value, rival, word.contribution))?;
            }
        }
        for input in &explanation.inputs {
            let value = input.value.as_ref().map(describe);
            table.push(row(("stage-1", &input.input), value, None, input.contribution))?;
        }
        for bag in &explanation.bags {
            for word in bag.words.iter().take(MOST_WORDS) {
                let value = Some(format!("{} x{:.1}", word.word, word.count));
                table.push(row(("stage-0", bag.bag.name()), value, Some(&bag.rival), word.contribution))?;
            }
        }
        for word in explanation.joint.iter().flat_map(|joint| &joint.decisive) {
            let rival = explanation.joint.as_ref().map(|joint| &*joint.rival);
            table.push(row(("would-decide", word.bag.name()), Some(word.word.clone()), rival, word.nats))?;
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

/// The strongest words of one device as bars to both sides.
fn draw(explained: &[DeviceExplanation]) -> anyhow::Result<String> {
    let [DeviceExplanation { device, reason, explanation }] = explained else {
        return Err(Usage("--figure: draws one device; name it with --explain=DEVICE".to_owned()).into());
    };
    let Some(joint) = &explanation.joint else {
        return Err(Usage(
            "--figure: the model has no evidence in nats; train one with --recipe best".to_owned(),
        )
        .into());
    };
    let row = |(bag, word, nats): (&str, &str, f64)| RankingRow {
        label: format!("{bag}: {}", shortened(word, FIGURE_CHARS)),
        value: Estimate { mean: nats, sd: None },
        class: usize::from(nats < 0.0),
    };
    let class = &explanation.class;
    let chart = Ranking {
        title: if reason.is_some() {
            format!("{device} is unknown, and most like {class}")
        } else {
            format!("Why {device} is taken for {class}")
        },
        description: format!(
            "The words that speak most for {class} or for {}, in nats{}",
            joint.rival,
            reason.as_ref().map(|reason| format!("; unknown, since {reason}")).unwrap_or_default()
        ),
        value: Axis::new("evidence", "nats"),
        classes: Class::list([format!("for {class}"), format!("for {}", joint.rival)]),
        rows: strongest_words(joint).into_iter().map(row).collect(),
    };
    Ok(chart.svg())
}
