use clap::ValueEnum;
use thingprint_model::{ClassEvaluation, Contrast, Evaluation, Measures, PartEvaluation};
use thingprint_table::{Cell, Column, Table, Type};

use super::against::Compared;
use super::report::Report;

/// A table of an evaluation: rows for programs, each with its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Show {
    /// All measures, with their deviations over seeds
    Summary,
    /// Precision, recall, F1 and support of each class
    Classes,
    /// Windows by true class and answer
    Confusion,
    /// Accuracy in bins of confidence
    Calibration,
    /// The measures of each fold
    Folds,
    /// The measures of each seed
    Seeds,
    /// The comparison with --against
    Comparison,
}

type Row = Vec<Cell>;

/// A column of the measures: its name, and the value in [`Measures`].
type Measure = (&'static str, fn(&Measures) -> Option<f64>);

/// The measures in the order of columns.
pub(super) const MEASURES: [Measure; 12] = [
    ("accuracy", |measures| Some(measures.accuracy)),
    ("family_accuracy", |measures| measures.family_accuracy),
    ("rrse", |measures| Some(measures.rrse)),
    ("macro_f1", |measures| Some(measures.macro_f1)),
    ("coverage", |measures| Some(measures.coverage)),
    ("accepted_accuracy", |measures| measures.accepted_accuracy),
    ("confident_coverage", |measures| Some(measures.confident_coverage)),
    ("confident_accuracy", |measures| measures.confident_accuracy),
    ("calibration_error", |measures| Some(measures.calibration_error)),
    ("set_size", |measures| Some(measures.set_size)),
    ("set_coverage", |measures| Some(measures.set_coverage)),
    ("set_coverage_worst", |measures| Some(measures.set_coverage_worst)),
];

const SUMMARY: [(&str, Type); 7] = [
    ("split", Type::Text),
    ("seed", Type::Unsigned),
    ("trained_on", Type::Unsigned),
    ("instances", Type::Unsigned),
    ("seeds", Type::Unsigned),
    ("folds", Type::Unsigned),
    ("threshold", Type::Real),
];
const CLASSES: [(&str, Type); 7] = [
    ("class", Type::Text),
    ("support", Type::Unsigned),
    ("precision", Type::Real),
    ("recall", Type::Real),
    ("f1", Type::Real),
    ("confidence", Type::Real),
    ("mistaken_for", Type::Text),
];
const CONFUSION: [(&str, Type); 3] = [("truth", Type::Text), ("answer", Type::Text), ("windows", Type::Real)];
const CALIBRATION: [(&str, Type); 5] = [
    ("low", Type::Real),
    ("high", Type::Real),
    ("instances", Type::Real),
    ("confidence", Type::Real),
    ("accuracy", Type::Real),
];
const PARTS: [(&str, Type); 4] = [
    ("seed", Type::Unsigned),
    ("fold", Type::Unsigned),
    ("trained_on", Type::Real),
    ("instances", Type::Unsigned),
];

impl Show {
    /// The rows of all reports.
    pub(super) fn table(self, reports: &[Report]) -> anyhow::Result<Table> {
        let mut table = Table::new([Column::new("scenario", Type::Text)].into_iter().chain(self.columns()));
        for report in reports {
            for row in self.rows(report) {
                table.push([Cell::from(report.scenario().to_string())].into_iter().chain(row))?;
            }
        }
        Ok(table)
    }

    fn columns(self) -> Vec<Column> {
        let measures = || MEASURES.iter().map(|(name, _)| Column::new(*name, Type::Real));
        match self {
            Self::Summary => {
                let deviations =
                    MEASURES.iter().map(|(name, _)| Column::new(format!("{name}_sd"), Type::Real));
                SUMMARY.into_iter().map(Column::from).chain(measures()).chain(deviations).collect()
            }
            Self::Classes => CLASSES.map(Column::from).into(),
            Self::Confusion => CONFUSION.map(Column::from).into(),
            Self::Calibration => CALIBRATION.map(Column::from).into(),
            Self::Folds | Self::Seeds => PARTS.into_iter().map(Column::from).chain(measures()).collect(),
            Self::Comparison => comparison_columns(),
        }
    }

    fn rows(self, report: &Report) -> Vec<Row> {
        let evaluation = report.evaluation();
        match self {
            Self::Summary => vec![summary(report)],
            Self::Classes => evaluation.per_class.iter().map(|class| class_row(class, usize::MAX)).collect(),
            Self::Confusion => confusion(evaluation),
            Self::Calibration => evaluation
                .calibration
                .iter()
                .map(|bin| {
                    let ends = [Some(bin.low), Some(bin.high), Some(bin.instances)];
                    ends.into_iter().chain([bin.confidence, bin.accuracy]).map(Cell::from).collect()
                })
                .collect(),
            Self::Folds => evaluation.folds.iter().map(part).collect(),
            Self::Seeds => evaluation.by_seed.iter().map(part).collect(),
            Self::Comparison => report.comparison.iter().map(comparison).collect(),
        }
    }
}

fn measures(measures: Option<&Measures>) -> impl Iterator<Item = Cell> {
    MEASURES.iter().map(move |(_, of)| Cell::from(measures.and_then(of)))
}

fn summary(report: &Report) -> Row {
    let evaluation = report.evaluation();
    let folds = evaluation.folds.iter().filter_map(|part| part.fold).max().unwrap_or(0);
    let first = [
        Cell::from(report.split().to_owned()),
        Cell::from(report.seeds().first().copied()),
        Cell::from(report.trained_on()),
        Cell::from(evaluation.instances),
        Cell::from(report.seeds().len() as u64),
        Cell::from(u64::from(folds)),
        Cell::from(evaluation.threshold),
    ];
    let values = measures(Some(&evaluation.measures)).chain(measures(evaluation.sd.as_ref()));
    first.into_iter().chain(values).collect()
}

/// A class as a row, with so many of the classes that it is mistaken for.
pub(super) fn class_row(class: &ClassEvaluation, most_mistakes: usize) -> Row {
    vec![
        Cell::from(class.class.to_string()),
        Cell::from(class.instances),
        Cell::from(class.precision),
        Cell::from(class.recall),
        Cell::from(class.f1),
        Cell::from(class.confidence),
        Cell::from(mistakes(class, most_mistakes)),
    ]
}

/// Whom a class is mistaken for, the most frequent first, the way Table 2 of the classification paper prints it; `None`
/// without a mistake.
fn mistakes(class: &ClassEvaluation, most: usize) -> Option<String> {
    let text = |mistake: &thingprint_model::Mistake| {
        format!("{}: {:.1}% [{:.2}]", mistake.class, 100.0 * mistake.share, mistake.confidence)
    };
    let mut texts: Vec<String> = class.mistaken_for.iter().take(most).map(text).collect();
    if let Some(more) = class.mistaken_for.len().checked_sub(most).filter(|more| *more > 0) {
        texts.push(format!("{more} more"));
    }
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn confusion(evaluation: &Evaluation) -> Vec<Row> {
    let mut rows = Vec::new();
    for (truth, counts) in evaluation.classes.iter().zip(&evaluation.confusion) {
        for (answer, count) in evaluation.classes.iter().zip(counts) {
            rows.push(vec![
                Cell::from(truth.to_string()),
                Cell::from(answer.to_string()),
                Cell::from(*count),
            ]);
        }
    }
    rows
}

fn part(part: &PartEvaluation) -> Row {
    let first = [
        Cell::from(part.seed),
        Cell::from(part.fold.map(u64::from)),
        Cell::from(part.trained_on),
        Cell::from(part.instances),
    ];
    first.into_iter().chain(measures(Some(&part.measures))).collect()
}

fn comparison_columns() -> Vec<Column> {
    let counts = [
        "pairs",
        "unpaired",
        "unpaired_other",
        "device_days",
        "both_right",
        "right",
        "right_other",
        "both_wrong",
    ];
    let first = [Column::new("against", Type::Text)].into_iter();
    let counts = counts.into_iter().map(|name| Column::new(name, Type::Unsigned));
    let test = [("mcnemar", Type::Text), ("chi_square", Type::Real), ("p", Type::Real)].map(Column::from);
    let of = |measure: &str| {
        ["", "_other", "_difference", "_low", "_high"]
            .map(|part| Column::new(format!("{measure}{part}"), Type::Real))
    };
    first.chain(counts).chain(test).chain(of("accuracy")).chain(of("rrse")).collect()
}

fn comparison(Compared { against, comparison }: &Compared) -> Row {
    let counts = [
        comparison.pairs,
        comparison.unpaired,
        comparison.unpaired_other,
        comparison.device_days,
        comparison.both_right,
        comparison.right,
        comparison.right_other,
        comparison.both_wrong,
    ];
    let test = [
        Cell::from(comparison.mcnemar.test.name().to_owned()),
        Cell::from(comparison.mcnemar.chi_square),
        Cell::from(comparison.mcnemar.p),
    ];
    let contrasts = [Some(comparison.accuracy), comparison.rrse].into_iter().flat_map(contrast);
    [Cell::from(against.clone())]
        .into_iter()
        .chain(counts.map(Cell::from))
        .chain(test)
        .chain(contrasts.map(Cell::from))
        .collect()
}

/// Both values, their difference, and the ends of its interval.
pub(super) fn contrast(contrast: Option<Contrast>) -> [Option<f64>; 5] {
    let Some(Contrast { value, other, difference, low, high }) = contrast else { return [None; 5] };
    [Some(value), Some(other), Some(difference), low, high]
}
