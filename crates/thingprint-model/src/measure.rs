use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::evaluation::{Answer, TestedFold};

/// Bins of confidence over which the calibration error is taken.
pub const CALIBRATION_BINS: usize = 10;

/// The confidence of an answer, and whether it was right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Confidence, 0 to 1.
    pub confidence: f64,
    /// Whether the answer was right.
    pub correct: bool,
    /// How much the answer counts; 1 where each window has one.
    pub weight: f64,
}

/// Answers of about the same confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// Lowest confidence, included.
    pub low: f64,
    /// Highest confidence, excluded but for the last bin.
    pub high: f64,
    /// Answers in it; windows that seeds answered in several ways count in shares.
    pub instances: f64,
    /// Their mean confidence; `None` without answers.
    pub confidence: Option<f64>,
    /// Share of them that is right; `None` without answers.
    pub accuracy: Option<f64>,
}

/// Root relative squared error in percent, as Weka defines it:
/// `100 · sqrt( Σ_i Σ_c (p_ic − y_ic)² / Σ_i Σ_c (π_c − y_ic)² )` with `π_c = (1 + n_c) / (K + N)`, `n_c` of the N
/// training instances being of class c, and each answer compared with the priors of its own fold.
///
/// A true class that training did not have is a class with `n_c = 0` and `p_c = 0`; K counts it too, as in Weka, whose
/// training and test data name the same classes.
pub(crate) fn rrse<'a>(answers: impl Iterator<Item = (&'a TestedFold, &'a Answer, f64)>) -> f64 {
    let mut priors: BTreeMap<(u64, u32), Priors> = BTreeMap::new();
    let (mut model_error, mut prior_error) = (0.0, 0.0);
    for (fold, answer, weight) in answers {
        let priors = priors.entry((fold.seed, fold.fold)).or_insert_with(|| Priors::of(fold));
        model_error += weight * answer_error(fold, answer);
        prior_error += weight * priors.error(fold, &answer.truth);
    }
    100.0 * (model_error / prior_error).sqrt()
}

/// `Σ_c (p_c − y_c)²` of an answer.
pub(crate) fn answer_error(fold: &TestedFold, answer: &Answer) -> f64 {
    let distribution = &answer.prediction.distribution;
    let squares: f64 = distribution.iter().map(|p| p * p).sum();
    let hit = fold.classes.number(&answer.truth).and_then(|class| distribution.get(class)).copied();
    squared_distance(squares, hit.unwrap_or(0.0))
}

/// How frequent the training of a fold makes each class.
pub(crate) struct Priors {
    /// K + N.
    total: f64,
    squares: f64,
}

impl Priors {
    pub(crate) fn of(fold: &TestedFold) -> Self {
        let truths = fold.answers.iter().map(|answer| &*answer.truth);
        let unknown: BTreeSet<&str> = truths.filter(|truth| fold.classes.number(truth).is_none()).collect();
        let total = (fold.classes.len() + unknown.len()) as f64 + fold.classes.instances() as f64;
        let known = fold.classes.iter().map(|class| (1.0 + class.instances as f64) / total);
        let priors = known.chain(unknown.iter().map(|_| 1.0 / total));
        Self { total, squares: priors.map(|prior| prior * prior).sum() }
    }

    /// `Σ_c (π_c − y_c)²` where this is the true class.
    pub(crate) fn error(&self, fold: &TestedFold, truth: &str) -> f64 {
        let class = fold.classes.number(truth).and_then(|class| fold.classes.iter().nth(class));
        let trained_on = class.map_or(0, |class| class.instances);
        squared_distance(self.squares, (1.0 + trained_on as f64) / self.total)
    }
}

/// `Σ_c (p_c − y_c)²` where y is 1 for one class and 0 for the others, from `Σ_c p_c²` and that class's p.
pub(crate) fn squared_distance(squares: f64, hit: f64) -> f64 {
    (squares - hit * hit + (hit - 1.0).powi(2)).max(0.0)
}

/// Answers in [`CALIBRATION_BINS`] bins of equal width. A bin includes its lower edge (the last one both).
pub fn calibration_bins(answers: &[Scored]) -> Vec<CalibrationBin> {
    let edge = |at: usize| at as f64 / CALIBRATION_BINS as f64;
    let bin = |(at, sums): (usize, Sums)| CalibrationBin {
        low: edge(at),
        high: edge(at + 1),
        instances: sums.count,
        confidence: (sums.count > 0.0).then(|| sums.confidence / sums.count),
        accuracy: (sums.count > 0.0).then(|| sums.correct / sums.count),
    };
    sums_of(answers).into_iter().enumerate().map(bin).collect()
}

/// Expected calibration error: over the bins, the mean distance between accuracy and mean confidence, weighted by how
/// many answers fall into the bin; 0 without answers.
pub fn expected_calibration_error(answers: &[Scored]) -> f64 {
    // |correct / n - confidence / n| · n / N: the size of the bin cancels out.
    let distance: f64 = sums_of(answers).iter().map(|sums| (sums.correct - sums.confidence).abs()).sum();
    let all: f64 = answers.iter().map(|answer| answer.weight).sum();
    if all > 0.0 { distance / all } else { 0.0 }
}

/// What the answers of a bin add up to.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: f64,
    correct: f64,
    confidence: f64,
}

fn sums_of(answers: &[Scored]) -> [Sums; CALIBRATION_BINS] {
    let mut bins = [Sums::default(); CALIBRATION_BINS];
    for answer in answers {
        let sums = &mut bins[bin_of(answer.confidence)];
        sums.count += answer.weight;
        sums.correct += if answer.correct { answer.weight } else { 0.0 };
        sums.confidence += answer.weight * answer.confidence;
    }
    bins
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the bins")]
fn bin_of(confidence: f64) -> usize {
    ((confidence * CALIBRATION_BINS as f64) as usize).min(CALIBRATION_BINS - 1)
}

/// Area under the ROC curve of confidence, known against unknown devices: the probability that an instance of a known
/// device has more confidence than one of an unknown device, ties counting half. `None` when either side is empty.
pub fn auroc(known: &[f64], unknown: &[f64]) -> Option<f64> {
    if known.is_empty() || unknown.is_empty() {
        return None;
    }
    let mut all: Vec<(f64, bool)> = known.iter().map(|&confidence| (confidence, true)).collect();
    all.extend(unknown.iter().map(|&confidence| (confidence, false)));
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut wins) = (0.0, 0.0);
    for tied in all.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let known = tied.iter().filter(|&&(_, known)| known).count() as f64;
        let unknown = tied.len() as f64 - known;
        wins += known * (below + unknown / 2.0);
        below += unknown;
    }
    Some(wins / (known.len() as f64 * unknown.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-12, "{left} is not {right}");
    }

    #[test]
    fn calibration_is_the_distance_of_accuracy_and_confidence() {
        let scored = |confidence, correct| Scored { confidence, correct, weight: 1.0 };
        // Bin 0.9 to 1: accuracy 1/2, mean confidence 0.97; bin 0.5 to 0.6: accuracy 1, mean confidence 0.55.
        let answers = [scored(0.94, true), scored(1.0, false), scored(0.5, true), scored(0.6 - 1e-13, true)];
        assert!((expected_calibration_error(&answers) - 0.46).abs() < 1e-9);
        check(expected_calibration_error(&[]), 0.0);
        check(expected_calibration_error(&[scored(1.0, true), scored(0.0, false)]), 0.0);
    }

    #[test]
    fn bins_have_their_lower_edges() {
        let scored = |confidence, correct, weight| Scored { confidence, correct, weight };
        let answers = [scored(0.9, true, 1.0), scored(1.0, false, 0.5), scored(0.89, true, 1.0)];
        let bins = calibration_bins(&answers);
        assert_eq!(bins.len(), CALIBRATION_BINS);
        let [.., below, last] = &bins[..] else { unreachable!("there are ten") };
        assert_eq!((last.low, last.high, last.instances), (0.9, 1.0, 1.5));
        check(last.confidence.unwrap(), 1.4 / 1.5);
        check(last.accuracy.unwrap(), 1.0 / 1.5);
        assert_eq!((below.instances, below.accuracy), (1.0, Some(1.0)));
        assert_eq!((bins[0].confidence, bins[0].accuracy), (None, None));
    }

    #[test]
    fn auroc_is_the_share_of_pairs_in_order() {
        let check_auroc =
            |known: &[f64], unknown: &[f64], expected| assert_eq!(auroc(known, unknown), expected);
        check_auroc(&[0.9, 0.8], &[0.1, 0.2], Some(1.0));
        check_auroc(&[0.1], &[0.9, 0.8], Some(0.0));
        check_auroc(&[0.5, 0.5], &[0.5], Some(0.5));
        // Pairs: 0.9 beats both, 0.4 beats 0.3 and ties with 0.4.
        check_auroc(&[0.9, 0.4], &[0.4, 0.3], Some(3.5 / 4.0));
        check_auroc(&[], &[0.4], None);
        check_auroc(&[0.4], &[], None);
    }

    #[test]
    fn a_squared_distance_is_that_of_the_definition() {
        let distribution: [f64; 3] = [0.5, 0.3, 0.2];
        let squares = distribution.iter().map(|p| p * p).sum();
        check(squared_distance(squares, 0.3), 0.25 + 0.49 + 0.04);
        check(squared_distance(squares, 0.0), 0.25 + 0.09 + 0.04 + 1.0);
    }
}
