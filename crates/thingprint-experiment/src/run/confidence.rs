//! How surely right and wrong answers are given (Fig. 12b).
use thingprint_figure::{Axis, Cumulative, Guide, Samples, Steps};
use thingprint_table::{Cell, Column, Table};

use super::trial::{Answer, mean, share};
use crate::outcome::Section;

/// Confidences at which the table has a row.
const LEVELS: [f64; 11] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0];

/// Complementary distribution of the confidence of right and wrong answers.
pub(super) fn section(by_seed: &[&[Answer]], threshold: f64, key: &str) -> Section {
    let answers = by_seed.iter().copied().flatten();
    let (right, wrong): (Vec<&Answer>, Vec<&Answer>) = answers.partition(|answer| answer.is_right());
    let seeds_with = |right: bool| {
        let has_one = |answers: &&&[Answer]| answers.iter().any(|answer| answer.is_right() == right);
        format!("{} of {} seeds", by_seed.iter().filter(has_one).count(), by_seed.len())
    };
    let mut table = Table::new([
        Column::decimals("confidence of at least", 2),
        Column::percent("right answers", 2),
        Column::percent("wrong answers", 2),
    ]);
    for level in LEVELS {
        table.add([
            Cell::from(level),
            Cell::from(reaching(&right, level)),
            Cell::from(reaching(&wrong, level)),
        ]);
    }
    let chart = Steps {
        title: format!("Confidence of right and wrong answers, {key}"),
        description: "Share of answers whose confidence is above a value".to_owned(),
        x: Axis::new("confidence", "").bounds(0.0, 1.0),
        cumulative: Cumulative::Ccdf,
        series: vec![samples("right", &right), samples("wrong", &wrong)],
        guides: vec![Guide::x(threshold, "accepted from here on")],
    };
    Section {
        name: "confidence".to_owned(),
        heading: format!("Confidence, {key}"),
        prose: format!(
            "{} {} Each answer counts the same, whatever its seed.",
            in_words("right", &right, &seeds_with(true)),
            in_words("wrong", &wrong, &seeds_with(false))
        ),
        table,
        chart: Some(chart.into()),
    }
}

/// Share of answers whose confidence reaches a level.
fn reaching(answers: &[&Answer], level: f64) -> Option<f64> {
    share(answers, |answer| answer.reaches(level))
}

fn samples(name: &str, answers: &[&Answer]) -> Samples {
    Samples::new(name, answers.iter().map(|answer| answer.confidence).collect::<Vec<_>>())
}

fn in_words(name: &str, answers: &[&Answer], seeds: &str) -> String {
    match mean(answers.iter().map(|answer| answer.confidence)) {
        Some(mean) => {
            let count = answers.len();
            format!("{count} {name} answers, of {seeds}, have a mean confidence of {:.2} %.", 100.0 * mean)
        }
        None => format!("There is no {name} answer."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_complementary_distribution_worked_by_hand() {
        let answer = |truth: &str, confidence| Answer {
            truth: truth.into(),
            class: "a".into(),
            confidence,
            likeness: None,
            is_accepted: false,
        };
        let answers =
            [answer("a", 1.0), answer("a", 0.8), answer("a", 0.79), answer("a", 0.3), answer("b", 0.55)];
        let section = section(&[&answers[..2], &answers[2..]], 0.8, "final");
        let row = |level: f64| {
            let at = LEVELS.iter().position(|other| other.total_cmp(&level).is_eq()).unwrap();
            [1, 2].map(|column| section.table.text(column, at))
        };
        assert_eq!(row(0.3), ["100.00 %", "100.00 %"]);
        assert_eq!(row(0.8), ["50.00 %", "0.00 %"]);
        assert_eq!(row(1.0), ["25.00 %", "0.00 %"]);
        assert!(
            section.prose.contains("4 right answers, of 2 of 2 seeds, have a mean confidence of 72.25 %"),
            "{}",
            section.prose
        );
        assert!(section.prose.contains("1 wrong answers, of 1 of 2 seeds"), "{}", section.prose);
    }

    #[test]
    fn without_wrong_answers_there_is_nothing_to_share() {
        assert_eq!(reaching(&[], 0.5), None);
        assert_eq!(in_words("wrong", &[], "no seeds"), "There is no wrong answer.");
        let answer = Answer {
            truth: "a".into(),
            class: "a".into(),
            confidence: 0.1 + 0.7,
            likeness: None,
            is_accepted: false,
        };
        assert!(answer.confidence < 0.8, "rounding took nothing away");
        assert_eq!(reaching(&[&answer], 0.8), Some(1.0));
    }
}
