use std::collections::BTreeMap;

use crate::classes::Classes;
use crate::prediction::Prediction;

/// Bins of confidence over which the calibration error is taken.
pub const CALIBRATION_BINS: usize = 10;

/// The confidence of an answer, and whether it was right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Confidence, 0 to 1.
    pub confidence: f64,
    /// Whether the answer was right.
    pub correct: bool,
}

/// Root relative squared error in percent, as Weka defines it:
/// `100 · sqrt( Σ_i Σ_c (p_ic − y_ic)² / Σ_i Σ_c (π_c − y_ic)² )` with `π_c = (1 + n_c) / (K + N)`, `n_c` of the N
/// training instances being of class c.
///
/// A true class that training did not have is a class with `n_c = 0` and `p_c = 0`; K counts it too, as in Weka, whose
/// training and test data name the same classes.
pub(crate) fn rrse(classes: &Classes, answers: &[(&Prediction, &str)]) -> f64 {
    let mut unknown: BTreeMap<&str, u64> = BTreeMap::new();
    for &(_, truth) in answers {
        if classes.number(truth).is_none() {
            *unknown.entry(truth).or_default() += 1;
        }
    }
    let total = (classes.len() + unknown.len()) as f64 + classes.instances() as f64;
    let known_priors = classes.iter().map(|class| (1.0 + class.instances as f64) / total);
    let priors: Vec<f64> = known_priors.chain(unknown.keys().map(|_| 1.0 / total)).collect();
    let prior_squares: f64 = priors.iter().map(|prior| prior * prior).sum();
    let (mut model_error, mut prior_error) = (0.0, 0.0);
    for &(prediction, truth) in answers {
        let class = classes.number(truth);
        let squares: f64 = prediction.distribution.iter().map(|p| p * p).sum();
        let hit = class.and_then(|class| prediction.distribution.get(class)).copied().unwrap_or(0.0);
        model_error += squared_distance(squares, hit);
        let prior = class.and_then(|class| priors.get(class)).copied().unwrap_or(1.0 / total);
        prior_error += squared_distance(prior_squares, prior);
    }
    100.0 * (model_error / prior_error).sqrt()
}

/// `Σ_c (p_c − y_c)²` where y is 1 for one class and 0 for the others, from `Σ_c p_c²` and that class's p.
fn squared_distance(squares: f64, hit: f64) -> f64 {
    (squares - hit * hit + (hit - 1.0).powi(2)).max(0.0)
}

/// Expected calibration error: over [`CALIBRATION_BINS`] bins of equal width, the mean distance between accuracy and
/// mean confidence, weighted by how many answers fall into the bin; 0 without answers. A bin includes its lower edge
/// (the last one both).
pub fn expected_calibration_error(answers: &[Scored]) -> f64 {
    let mut bins = [(0_u64, 0.0); CALIBRATION_BINS];
    for answer in answers {
        let bin = &mut bins[bin_of(answer.confidence)];
        bin.0 += u64::from(answer.correct);
        bin.1 += answer.confidence;
    }
    // |correct / n - confidence / n| · n / N: the size of the bin cancels out.
    let distance: f64 = bins.iter().map(|&(correct, confidence)| (correct as f64 - confidence).abs()).sum();
    if answers.is_empty() { 0.0 } else { distance / answers.len() as f64 }
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
        let scored = |confidence, correct| Scored { confidence, correct };
        // Bin 0.9 to 1: accuracy 1/2, mean confidence 0.97; bin 0.5 to 0.6: accuracy 1, mean confidence 0.55.
        let answers = [scored(0.94, true), scored(1.0, false), scored(0.5, true), scored(0.6 - 1e-13, true)];
        assert!((expected_calibration_error(&answers) - 0.46).abs() < 1e-9);
        check(expected_calibration_error(&[]), 0.0);
        check(expected_calibration_error(&[scored(1.0, true), scored(0.0, false)]), 0.0);
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
