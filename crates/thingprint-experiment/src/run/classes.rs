//! Which classes are identified correctly, with what confidence, and which are mistaken for others.
use std::collections::{BTreeMap, BTreeSet};

use thingprint_figure::Confusion;
use thingprint_table::{Cell, Column, Table};

use super::trial::Answer;
use crate::outcome::Section;

/// Column of what the paper has.
const PAPER: &str = "correct in the paper";

/// Answers by true class: the cells of the paper's Table 2, over all seeds.
#[derive(Debug, Default)]
pub(super) struct ClassTable<'a>(BTreeMap<&'a str, BTreeMap<&'a str, Tally>>);

/// Answers of one class to instances of one class.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: u64,
    confidence: f64,
}

impl<'a> ClassTable<'a> {
    pub(super) fn of(answers: impl Iterator<Item = &'a Answer>) -> Self {
        let mut table = Self::default();
        for answer in answers {
            let cell = table.0.entry(&*answer.truth).or_default().entry(&*answer.class).or_default();
            cell.count += 1;
            cell.confidence += answer.confidence;
        }
        table
    }

    /// The table of a scenario; `paper` has percents of correct answers by class.
    pub(super) fn section(
        &self,
        key: &str,
        file_part: &str,
        paper: Option<&BTreeMap<String, f64>>,
    ) -> Section {
        let mut table = Table::new([
            Column::texts("class"),
            Column::count("tested"),
            Column::percent("correct", 1),
            Column::decimals("confidence", 2),
            Column::percent(PAPER, 1),
            Column::texts("mistaken for"),
        ]);
        for (truth, answers) in &self.0 {
            let tested: u64 = answers.values().map(|cell| cell.count).sum();
            let right = answers.get(truth).copied().unwrap_or_default();
            table.add([
                Cell::from(*truth),
                Cell::from(tested),
                Cell::from(right.count as f64 / tested as f64),
                Cell::from(right.mean_confidence()),
                Cell::from(paper.and_then(|paper| paper.get(*truth)).map(|percent| percent / 100.0)),
                Cell::from(mistakes(truth, answers, tested)),
            ]);
        }
        if paper.is_none() {
            table.drop_column(PAPER);
        }
        Section {
            name: format!("classes-{file_part}"),
            heading: format!("Classes, {key}"),
            prose: "Shares of the tested instances of a class over all seeds; in brackets the mean confidence of \
                    these answers."
                .to_owned(),
            table,
            chart: None,
        }
    }
}

impl ClassTable<'_> {
    /// A class's tested instances, the share that is right, and whom the others are taken for; `None` when it was not
    /// tested.
    pub(super) fn of_class(&self, class: &str) -> Option<(u64, f64, Option<String>)> {
        let (truth, answers) = self.0.get_key_value(class)?;
        let tested: u64 = answers.values().map(|cell| cell.count).sum();
        let right = answers.get(truth).map_or(0, |cell| cell.count);
        Some((tested, right as f64 / tested as f64, mistakes(truth, answers, tested)))
    }
}

impl Tally {
    fn mean_confidence(self) -> Option<f64> {
        (self.count > 0).then(|| self.confidence / self.count as f64)
    }
}

/// Wrong answers, the most frequent first, the way Table 2 prints them; `None` without one.
fn mistakes(truth: &str, answers: &BTreeMap<&str, Tally>, tested: u64) -> Option<String> {
    let mut wrong: Vec<_> = answers.iter().filter(|(class, _)| **class != truth).collect();
    wrong.sort_by_key(|(_, cell)| std::cmp::Reverse(cell.count));
    let cell = |(class, cell): (&&str, &Tally)| {
        let share = 100.0 * cell.count as f64 / tested as f64;
        format!("{class}: {share:.1} % [{:.2}]", cell.confidence / cell.count as f64)
    };
    let cells: Vec<String> = wrong.into_iter().map(cell).collect();
    (!cells.is_empty()).then(|| cells.join(", "))
}

/// A confusion matrix (Fig. 11), over all seeds.
#[derive(Debug)]
pub(super) struct Confusions {
    classes: Vec<String>,
    counts: Vec<Vec<u64>>,
}

impl Confusions {
    pub(super) fn of<'a>(answers: impl Iterator<Item = &'a Answer>) -> Self {
        let answers: Vec<&Answer> = answers.collect();
        let names: BTreeSet<&str> =
            answers.iter().flat_map(|answer| [&*answer.truth, &*answer.class]).collect();
        let places: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let mut counts = vec![vec![0; names.len()]; names.len()];
        for answer in &answers {
            counts[places[&*answer.truth]][places[&*answer.class]] += 1;
        }
        Self { classes: names.into_iter().map(str::to_owned).collect(), counts }
    }

    pub(super) fn section(self, key: &str) -> Section {
        let classes = self.classes.iter().map(Column::count);
        let mut table = Table::new([Column::texts("true class")].into_iter().chain(classes));
        for (class, counts) in self.classes.iter().zip(&self.counts) {
            let counts = counts.iter().map(|count| Cell::from(*count));
            table.add([Cell::from(class.as_str())].into_iter().chain(counts));
        }
        let chart = Confusion {
            title: format!("Confusion matrix, {key}"),
            description: "Share of the instances of each true class (rows) by answer (columns)".to_owned(),
            actual: self.classes.clone(),
            predicted: self.classes,
            counts: self.counts.iter().map(|row| row.iter().map(|count| *count as f64).collect()).collect(),
        };
        Section {
            name: "confusion".to_owned(),
            heading: format!("Confusion matrix, {key}"),
            prose: "Number of tested instances by true class (rows) and answer (columns), over all seeds."
                .to_owned(),
            table,
            chart: Some(chart.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Vec<Answer> {
        [("a", "a", 0.9), ("a", "b", 0.7), ("a", "b", 0.5), ("a", "c", 0.4), ("b", "b", 1.0)]
            .map(|(truth, class, confidence)| Answer {
                truth: truth.into(),
                class: class.into(),
                confidence,
                likeness: None,
                is_accepted: confidence >= 0.8,
            })
            .to_vec()
    }

    #[test]
    fn shares_and_confidences_of_a_class() {
        let paper = BTreeMap::from([("a".to_owned(), 99.5)]);
        let answers = answers();
        let section = ClassTable::of(answers.iter()).section("final", "final", Some(&paper));
        assert_eq!(section.table.rows(), 2);
        let texts = [0, 1, 2, 3, 4, 5].map(|column| section.table.text(column, 0));
        assert_eq!(texts, ["a", "4", "25.0 %", "0.90", "99.5 %", "b: 50.0 % [0.60], c: 25.0 % [0.40]"]);
        assert_eq!(section.table.text(5, 1), "-");
        assert_eq!(section.name, "classes-final");
        let without = ClassTable::of(answers.iter()).section("final", "final", None).table;
        let names: Vec<&str> = without.columns().iter().map(Column::name).collect();
        assert_eq!(names, ["class", "tested", "correct", "confidence", "mistaken for"]);
    }

    #[test]
    fn classes_that_are_answers_alone_are_in_the_matrix() {
        let answers = answers();
        let confusions = Confusions::of(answers.iter());
        assert_eq!(confusions.classes, ["a", "b", "c"]);
        assert_eq!(confusions.counts, [[1, 2, 1], [0, 1, 0], [0, 0, 0]]);
    }
}
