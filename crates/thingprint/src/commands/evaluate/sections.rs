//! The tables of evaluations for people, none wider than 100 columns.

use thingprint_model::{Comparison, Evaluation, Measures};
use thingprint_table::{Cell, Column, Table, Type};

use super::against::Compared;
use super::report::Report;
use super::show::{MEASURES, Show, class_row, contrast};

/// Widest table.
pub(crate) const WIDTH: usize = 100;
/// Most classes of a confusion matrix.
const MOST_CLASSES: usize = 20;
/// Most mistakes that are named of a class; other formats name all.
const MOST_MISTAKES: usize = 3;

/// Sections in their order, each with a heading: all that there are, or the one that is asked for.
pub(crate) fn sections(reports: &[Report], show: Option<Show>) -> anyhow::Result<Vec<(String, Table)>> {
    let is_wanted = |section: Show| show.is_none_or(|show| show == section);
    let mut sections = Vec::new();
    if is_wanted(Show::Summary) {
        sections.push((heading(reports), summary(reports)?));
        if reports.len() > 1 && reports.iter().any(|report| report.evaluation().sd.is_some()) {
            sections.push(("Standard deviations over the seeds".to_owned(), deviations(reports)?));
        }
    }
    for report in reports {
        let (evaluation, scenario) = (report.evaluation(), report.scenario());
        let mut add = |section: Show, name: &str, table: Option<Table>| {
            let table = table.filter(|_| is_wanted(section));
            sections.extend(table.map(|table| (format!("{name}, scenario {scenario}"), table)));
        };
        add(Show::Classes, "Classes", Some(classes(evaluation)?));
        add(Show::Confusion, "Confusion matrix (rows are true classes)", confusion(evaluation)?);
        add(Show::Calibration, "Calibration: accuracy by confidence", Some(calibration(evaluation)?));
        let has_seeds = evaluation.by_seed.len() > 1 || show == Some(Show::Seeds);
        add(Show::Seeds, "Seeds", has_seeds.then(|| parts(&evaluation.by_seed)).transpose()?);
        let has_folds = evaluation.folds.len() > evaluation.by_seed.len() || show == Some(Show::Folds);
        add(Show::Folds, "Folds", has_folds.then(|| parts(&evaluation.folds)).transpose()?);
        if let Some(compared) = report.comparison.as_ref().filter(|_| is_wanted(Show::Comparison)) {
            sections.extend(comparison(compared)?);
        }
    }
    Ok(sections)
}

/// Whether there is a confusion matrix that no table shows.
pub(super) fn leaves_out_confusion(evaluation: &Evaluation, show: Option<Show>) -> bool {
    matches!(show, None | Some(Show::Confusion)) && !fits(evaluation)
}

fn heading(reports: &[Report]) -> String {
    let Some(first) = reports.first() else { return "Measures".to_owned() };
    let seeds: Vec<String> = first.seeds().iter().map(ToString::to_string).collect();
    let seeds = match &seeds[..] {
        [one] => format!("seed {one}"),
        several => format!("means over seeds {}", several.join(", ")),
    };
    format!("Scenarios: split {}, {seeds}, threshold {}", first.split(), first.evaluation().threshold)
}

/// A row for each measure, and a column for each scenario; with the deviation beside a single one.
fn summary(reports: &[Report]) -> anyhow::Result<Table> {
    let measures = |report: &'_ Report| (report.scenario().to_string(), Some(report.evaluation().measures));
    let mut columns: Vec<_> = reports.iter().map(measures).collect();
    if let [only] = reports {
        columns.extend(only.evaluation().sd.map(|sd| ("sd".to_owned(), Some(sd))));
    }
    let counts = |of: &dyn Fn(&Report) -> u64| -> Vec<Option<f64>> {
        let values = reports.iter().map(|report| Some(of(report) as f64));
        values.chain([None]).take(columns.len()).collect()
    };
    let counted = [
        ("trained_on", counts(&Report::trained_on)),
        ("instances", counts(&|report| report.evaluation().instances)),
    ];
    by_measure(&columns, counted)
}

fn deviations(reports: &[Report]) -> anyhow::Result<Table> {
    let deviation = |report: &Report| (report.scenario().to_string(), report.evaluation().sd);
    by_measure(&reports.iter().map(deviation).collect::<Vec<_>>(), [])
}

/// Rows of counts, then a row for each measure.
fn by_measure(
    columns: &[(String, Option<Measures>)],
    counts: impl IntoIterator<Item = (&'static str, Vec<Option<f64>>)>,
) -> anyhow::Result<Table> {
    let names = columns.iter().map(|(name, _)| Column::new(name.clone(), Type::Real));
    let mut table = Table::new([Column::new("measure", Type::Text)].into_iter().chain(names));
    let measure = |(name, of): (&'static str, fn(&Measures) -> Option<f64>)| {
        (name, columns.iter().map(|(_, measures)| measures.as_ref().and_then(of)).collect())
    };
    for (name, values) in counts.into_iter().chain(MEASURES.into_iter().map(measure)) {
        table.push([Cell::from(name.to_owned())].into_iter().chain(values.into_iter().map(Cell::from)))?;
    }
    Ok(table)
}

fn classes(evaluation: &Evaluation) -> anyhow::Result<Table> {
    let mut table = Table::new([
        Column::new("class", Type::Text),
        Column::count("support"),
        Column::percent("precision", 1),
        Column::percent("recall", 1),
        Column::percent("f1", 1),
        Column::decimals("confidence", 2),
        Column::new("mistaken_for", Type::Text),
    ]);
    for class in &evaluation.per_class {
        table.push(class_row(class, MOST_MISTAKES))?;
    }
    Ok(table)
}

/// Whether the matrix is narrow enough: a name, and a number with a gap of two for each class.
fn fits(evaluation: &Evaluation) -> bool {
    let name = evaluation.classes.iter().map(|class| class.chars().count()).max().unwrap_or(0);
    let digits = |column: usize| {
        let texts = evaluation.confusion.iter().filter_map(|row| row.get(column)).map(|count| text(*count));
        texts.flatten().map(|text| text.len()).max().unwrap_or(1).max((column + 1).to_string().len())
    };
    let columns = evaluation.classes.len();
    columns <= MOST_CLASSES
        && name + 4 + (0..columns).map(|column| digits(column) + 2).sum::<usize>() <= WIDTH
}

/// A count, which has a decimal only where seeds answered in several ways; `None` for none.
fn text(count: f64) -> Option<String> {
    const ROUNDING: f64 = 1e-9;
    if count < ROUNDING {
        return None;
    }
    let is_whole = (count - count.round()).abs() < ROUNDING;
    Some(if is_whole { format!("{count:.0}") } else { format!("{count:.1}") })
}

/// The confusion matrix; `None` when it is too wide to read.
fn confusion(evaluation: &Evaluation) -> anyhow::Result<Option<Table>> {
    if !fits(evaluation) {
        return Ok(None);
    }
    let numbers = (1..=evaluation.classes.len()).map(|number| Column::new(number.to_string(), Type::Text));
    let columns = [Column::new("class", Type::Text), Column::count("no")].into_iter();
    let mut table = Table::new(columns.chain(numbers));
    for (number, (class, row)) in (1_u64..).zip(evaluation.classes.iter().zip(&evaluation.confusion)) {
        let counts = row.iter().map(|count| Cell::from(text(*count)));
        table.push([Cell::from(class.to_string()), Cell::from(number)].into_iter().chain(counts))?;
    }
    Ok(Some(table))
}

fn calibration(evaluation: &Evaluation) -> anyhow::Result<Table> {
    let mut table = Table::new([
        Column::decimals("low", 1),
        Column::decimals("high", 1),
        Column::new("instances", Type::Real),
        Column::percent("confidence", 1),
        Column::percent("accuracy", 1),
    ]);
    for bin in &evaluation.calibration {
        let ends = [Some(bin.low), Some(bin.high), Some(bin.instances)];
        table.push(ends.into_iter().chain([bin.confidence, bin.accuracy]).map(Cell::from))?;
    }
    Ok(table)
}

/// The main measures of folds or seeds.
fn parts(parts: &[thingprint_model::PartEvaluation]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        Column::count("seed"),
        Column::count("fold"),
        Column::decimals("trained_on", 0),
        Column::count("instances"),
        Column::percent("accuracy", 2),
        Column::decimals("rrse", 2),
        Column::decimals("macro_f1", 3),
        Column::percent("coverage", 1),
        Column::percent("accepted_accuracy", 2),
    ]);
    for part in parts {
        table.push([
            Cell::from(part.seed),
            Cell::from(part.fold.map(u64::from)),
            Cell::from(part.trained_on),
            Cell::from(part.instances),
            Cell::from(part.measures.accuracy),
            Cell::from(part.measures.rrse),
            Cell::from(part.measures.macro_f1),
            Cell::from(part.measures.coverage),
            Cell::from(part.measures.accepted_accuracy),
        ])?;
    }
    if parts.iter().all(|part| part.fold.is_none()) {
        table.drop_column("fold");
    }
    Ok(table)
}

/// Differences with their intervals, and the test.
fn comparison(Compared { against, comparison }: &Compared) -> anyhow::Result<[(String, Table); 2]> {
    let heading = format!(
        "Comparison with {against}: {} windows of {} device-days; 95 % intervals by {} draws of days; unpaired here {}, \
         there {}",
        comparison.pairs,
        comparison.device_days,
        comparison.resamples,
        comparison.unpaired,
        comparison.unpaired_other
    );
    let test = format!("McNemar's test of right answers ({})", comparison.mcnemar.test.name());
    Ok([(heading, differences(comparison)?), (test, mcnemar(comparison)?)])
}

fn differences(comparison: &Comparison) -> anyhow::Result<Table> {
    let columns = ["this", "other", "difference", "low", "high"];
    let columns = columns.map(|name| Column::new(name, Type::Real));
    let mut table = Table::new([Column::new("measure", Type::Text)].into_iter().chain(columns));
    for (name, values) in [("accuracy", Some(comparison.accuracy)), ("rrse", comparison.rrse)] {
        let values = contrast(values).map(Cell::from);
        table.push([Cell::from(name.to_owned())].into_iter().chain(values))?;
    }
    Ok(table)
}

fn mcnemar(comparison: &Comparison) -> anyhow::Result<Table> {
    let counts = ["both_right", "this_alone", "other_alone", "both_wrong"].map(Column::count);
    let test = ["chi_square", "p"].map(|name| Column::new(name, Type::Real));
    let mut table = Table::new(counts.into_iter().chain(test));
    table.push([
        Cell::from(comparison.both_right),
        Cell::from(comparison.right),
        Cell::from(comparison.right_other),
        Cell::from(comparison.both_wrong),
        Cell::from(comparison.mcnemar.chi_square),
        Cell::from(comparison.mcnemar.p),
    ])?;
    Ok(table)
}
