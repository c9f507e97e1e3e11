use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::classes::Classes;
use crate::error::ModelError;
use crate::measure::{Scored, expected_calibration_error, rrse};
use crate::prediction::{Prediction, reaches};

/// How well a model does on labelled instances (the cells of Table 2 of the classification paper, and more).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Instances tested.
    pub instances: u64,
    /// Share classified correctly, 0 to 1.
    pub accuracy: f64,
    /// Root relative squared error as Weka defines it, in percent.
    pub rrse: f64,
    /// Mean F1 of the classes that occur as a label or as an answer.
    pub macro_f1: f64,
    /// Expected calibration error over 10 bins of confidence, 0 to 1.
    pub calibration_error: f64,
    /// Confidence from which an answer is accepted.
    pub threshold: f64,
    /// Share of instances whose answer is accepted, 0 to 1.
    pub coverage: f64,
    /// Share of the accepted answers that are correct; `None` when none is accepted.
    pub accepted_accuracy: Option<f64>,
    /// Each class.
    pub per_class: Vec<ClassEvaluation>,
    /// Names of the classes in the order of the confusion matrix: byte order, with classes that occur only in the test.
    pub classes: Vec<Arc<str>>,
    /// Number of instances by true class (rows) and answer (columns).
    pub confusion: Vec<Vec<u64>>,
}

/// How well a model does on one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassEvaluation {
    /// The class.
    pub class: Arc<str>,
    /// Instances tested.
    pub instances: u64,
    /// Share classified correctly, 0 to 1 (recall); `None` without instances.
    pub correct: Option<f64>,
    /// Mean confidence of the correct answers; `None` when there are none.
    pub confidence: Option<f64>,
    /// Share of the answers "this class" that are correct; `None` when there are none.
    pub precision: Option<f64>,
    /// Harmonic mean of precision and recall, 0 when nothing is correct; `None` for a class that is neither label nor answer.
    pub f1: Option<f64>,
    /// Classes it was mistaken for, the most frequent first.
    pub mistaken_for: Vec<Mistake>,
}

/// A class that another was mistaken for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mistake {
    /// The wrong answer.
    pub class: Arc<str>,
    /// Share of the true class's instances, 0 to 1.
    pub share: f64,
    /// Mean confidence of the wrong answer.
    pub confidence: f64,
}

impl Evaluation {
    /// Compares predictions of a model with these classes with the true class names.
    ///
    /// Answers of at least the threshold are accepted. A true class that the model does not know counts as wrong, and
    /// enters the RRSE as a class with no training instance. Fails when there is nothing to compare.
    pub fn new<'a>(
        classes: &Classes,
        answers: impl IntoIterator<Item = (&'a Prediction, &'a str)>,
        threshold: f64,
    ) -> Result<Self, ModelError> {
        let answers: Vec<_> = answers.into_iter().collect();
        if answers.is_empty() {
            return Err(ModelError::NothingToEvaluate);
        }
        let names = all_names(classes, answers.iter().map(|&(_, truth)| truth));
        let tally = Tally::of(&names, &answers);
        let scored = answers.iter().map(|&(prediction, truth)| Scored {
            confidence: prediction.confidence,
            correct: *prediction.class == *truth,
        });
        let scored: Vec<Scored> = scored.collect();
        let accepted: Vec<_> = scored.iter().filter(|scored| reaches(scored.confidence, threshold)).collect();
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let correct = scored.iter().filter(|scored| scored.correct).count();
        let accepted_correct = accepted.iter().filter(|scored| scored.correct).count();
        let per_class = tally.per_class(&names);
        Ok(Self {
            instances: answers.len() as u64,
            accuracy: share(correct, answers.len()).unwrap_or(0.0),
            rrse: rrse(classes, &answers),
            macro_f1: mean(per_class.iter().filter_map(|class| class.f1)).unwrap_or(0.0),
            calibration_error: expected_calibration_error(&scored),
            threshold,
            coverage: share(accepted.len(), answers.len()).unwrap_or(0.0),
            accepted_accuracy: share(accepted_correct, accepted.len()),
            per_class,
            classes: names,
            confusion: tally.counts,
        })
    }
}

/// Names of the model's classes and of the true ones, in byte order.
fn all_names<'a>(classes: &Classes, truths: impl Iterator<Item = &'a str>) -> Vec<Arc<str>> {
    let known = classes.iter().map(|class| Arc::clone(&class.name));
    let unknown = truths.filter(|&truth| classes.number(truth).is_none()).map(Arc::from);
    known.chain(unknown).collect::<BTreeSet<Arc<str>>>().into_iter().collect()
}

/// Answers by true class (rows) and answer (columns): how many, and the sum of their confidences.
struct Tally {
    counts: Vec<Vec<u64>>,
    confidences: Vec<Vec<f64>>,
}

impl Tally {
    fn of(names: &[Arc<str>], answers: &[(&Prediction, &str)]) -> Self {
        let mut tally = Self {
            counts: vec![vec![0; names.len()]; names.len()],
            confidences: vec![vec![0.0; names.len()]; names.len()],
        };
        let number = |name: &str| names.binary_search_by(|other| (**other).cmp(name)).ok();
        for &(prediction, truth) in answers {
            let (Some(row), Some(column)) = (number(truth), number(&prediction.class)) else { continue };
            tally.counts[row][column] += 1;
            tally.confidences[row][column] += prediction.confidence;
        }
        tally
    }

    fn per_class(&self, names: &[Arc<str>]) -> Vec<ClassEvaluation> {
        (0..names.len()).map(|class| self.one_class(class, names)).collect()
    }

    fn one_class(&self, class: usize, names: &[Arc<str>]) -> ClassEvaluation {
        let instances: u64 = self.counts[class].iter().sum();
        let answered: u64 = self.counts.iter().map(|row| row[class]).sum();
        let correct = self.counts[class][class];
        let share = |whole: u64| (whole > 0).then(|| correct as f64 / whole as f64);
        ClassEvaluation {
            class: Arc::clone(&names[class]),
            instances,
            correct: share(instances),
            confidence: self.mean_confidence(class, class),
            precision: share(answered),
            f1: (instances + answered > 0).then(|| 2.0 * correct as f64 / (instances + answered) as f64),
            mistaken_for: self.mistakes(class, instances, names),
        }
    }

    fn mistakes(&self, class: usize, instances: u64, names: &[Arc<str>]) -> Vec<Mistake> {
        let mistake = |answer: usize| {
            Some(Mistake {
                class: Arc::clone(&names[answer]),
                share: self.counts[class][answer] as f64 / instances as f64,
                confidence: self.mean_confidence(class, answer)?,
            })
        };
        let mut mistakes: Vec<_> =
            (0..names.len()).filter(|&answer| answer != class).filter_map(mistake).collect();
        mistakes.sort_by(|a, b| b.share.total_cmp(&a.share));
        mistakes
    }

    fn mean_confidence(&self, truth: usize, answer: usize) -> Option<f64> {
        let count = self.counts[truth][answer];
        (count > 0).then(|| self.confidences[truth][answer] / count as f64)
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{DeviceId, MacAddr, Timestamp};
    use thingprint_instance::{Kind, Label};

    use super::*;
    use crate::classes::most_likely;

    /// Class a with three training instances, class b with one.
    fn classes() -> Classes {
        let labels = ["a", "a", "b", "a"].map(|class| Label::new(class, Kind::Iot));
        Classes::of(&labels).unwrap()
    }

    fn answer(distribution: [f64; 2]) -> Prediction {
        let class = most_likely(&distribution);
        Prediction {
            device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])),
            window_start: Timestamp::default(),
            stage0: std::collections::BTreeMap::new(),
            class: classes().name(class),
            confidence: distribution[class],
            likeness: None,
            distribution: distribution.to_vec(),
        }
    }

    fn evaluate(answers: &[([f64; 2], &str)], threshold: f64) -> Evaluation {
        let answers: Vec<_> =
            answers.iter().map(|&(distribution, truth)| (answer(distribution), truth)).collect();
        let pairs = answers.iter().map(|(prediction, truth)| (prediction, *truth));
        Evaluation::new(&classes(), pairs, threshold).unwrap()
    }

    fn assert_close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-12, "{left} is not {right}");
    }

    #[test]
    fn rrse_worked_by_hand() {
        // Priors (1 + 3) / (2 + 4) and (1 + 1) / (2 + 4).
        // Model: 0.2² + 0.2² + 0.6² + 0.6² = 0.8. Prior: 2 · (1/3)² + 2 · (2/3)² = 10/9.
        let evaluation = evaluate(&[([0.8, 0.2], "a"), ([0.6, 0.4], "b")], 0.8);
        assert_close(evaluation.rrse, 100.0 * (0.8 * 9.0 / 10.0_f64).sqrt());
    }

    #[test]
    fn a_class_seen_only_in_the_test_is_wrong_and_enters_the_rrse() {
        // With c, K = 3: priors 4/7, 2/7 and 1/7. Model: 0.08 for a; 0.3² + 0.7² + 1 for c.
        // Prior: (3/7)² + (2/7)² + (1/7)² for a; (4/7)² + (2/7)² + (6/7)² for c.
        let evaluation = evaluate(&[([0.8, 0.2], "a"), ([0.3, 0.7], "c")], 0.8);
        assert_close(evaluation.accuracy, 0.5);
        assert_close(evaluation.rrse, 100.0 * ((0.08 + 0.09 + 0.49 + 1.0) * 49.0 / (14.0 + 56.0_f64)).sqrt());
        assert_eq!(evaluation.classes.iter().map(|name| &**name).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(evaluation.confusion, [[1, 0, 0], [0, 0, 0], [0, 1, 0]]);
    }

    #[test]
    fn the_cells_of_table_2() {
        let evaluation = evaluate(
            &[([0.9, 0.1], "a"), ([0.7, 0.3], "a"), ([0.4, 0.6], "a"), ([0.2, 0.8], "a"), ([0.0, 1.0], "b")],
            0.8,
        );
        let [a, b] = &evaluation.per_class[..] else { unreachable!("there are two classes") };
        assert_eq!(a.instances, 4);
        assert_close(a.correct.unwrap(), 0.5);
        assert_close(a.confidence.unwrap(), 0.8);
        assert_close(a.precision.unwrap(), 1.0);
        let [mistake] = &a.mistaken_for[..] else { unreachable!("a was mistaken for b") };
        assert_eq!(&*mistake.class, "b");
        assert_close(mistake.share, 0.5);
        assert_close(mistake.confidence, 0.7);
        assert_close(b.precision.unwrap(), 1.0 / 3.0);
        assert!(b.mistaken_for.is_empty());
        // F1 of a: 2 · 2 / (4 + 2); of b: 2 · 1 / (1 + 3).
        assert_close(evaluation.macro_f1, f64::midpoint(2.0 / 3.0, 0.5));
        // Accepted: 0.9 and 1.0 right, 0.8 wrong.
        assert_close(evaluation.coverage, 0.6);
        assert_close(evaluation.accepted_accuracy.unwrap(), 2.0 / 3.0);
        assert_eq!(evaluation.instances, 5);
    }

    #[test]
    fn a_class_that_does_not_occur_counts_for_nothing() {
        let evaluation = evaluate(&[([0.9, 0.1], "a")], 0.95);
        assert_eq!((evaluation.per_class[1].correct, evaluation.per_class[1].f1), (None, None));
        assert_close(evaluation.macro_f1, 1.0);
        assert_eq!(evaluation.accepted_accuracy, None);
    }

    #[test]
    fn nothing_cannot_be_evaluated() {
        let none: [(&Prediction, &str); 0] = [];
        let error = Evaluation::new(&classes(), none, 0.8).unwrap_err();
        assert_eq!(error.to_string(), "no instance has a label: evaluation needs labelled instances");
    }

    #[test]
    fn fields_have_the_names_that_results_use() {
        let json = serde_json::to_value(evaluate(&[([0.9, 0.1], "a")], 0.8)).unwrap();
        for field in [
            "accuracy",
            "rrse",
            "instances",
            "macro_f1",
            "coverage",
            "accepted_accuracy",
            "per_class",
            "confusion",
            "classes",
        ] {
            assert!(json.get(field).is_some(), "{field}");
        }
    }
}
