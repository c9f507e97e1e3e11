use proptest::prelude::*;

use super::*;
use crate::options::Unseen;

fn bag(words: &[(&str, u64)]) -> Bag {
    words.iter().map(|&(word, count)| (word.to_owned(), count)).collect()
}

fn fit(bags: &[(Bag, u16, Kind)], classes: usize, options: &TrainOptions) -> BagModel {
    let rows: Vec<_> = bags.iter().map(|&(ref bag, class, kind)| LabeledBag { bag, class, kind }).collect();
    BagModel::fit(&rows, classes, options).unwrap()
}

fn options(stage0: Stage0Backend) -> TrainOptions {
    TrainOptions { stage0, ..TrainOptions::default() }
}

fn assert_close(left: f64, right: f64, tolerance: f64) {
    assert!((left - right).abs() < tolerance, "{left} is not {right}");
}

const BLIPCARE: usize = 0;
const RING: usize = 1;

/// Port bags with the counts behind [C §5.2.1]: 421 words and `others`; Blipcare (9 instances) has 8 times port 53
/// and 12 times port 8777; Ring (323 instances) has 323 times port 53, and 32,856 tokens altogether; the other 34,932 instances
/// are of a third class that has every other word.
fn paper_ports() -> Vec<(Bag, u16, Kind)> {
    let mut bags: Vec<_> = (0..8).map(|_| (bag(&[("53", 1), ("8777", 1)]), 0, Kind::Iot)).collect();
    bags.push((bag(&[("8777", 4)]), 0, Kind::Iot));
    bags.extend((0..322).map(|_| (bag(&[("53", 1)]), 1, Kind::Iot)));
    bags.push((bag(&[("53", 1), ("443", 32_856 - 323)]), 1, Kind::Iot));
    let others: Bag = (0..418).map(|port| (format!("{}", 10_000 + port), 1)).collect();
    bags.push((others, 2, Kind::Iot));
    bags.extend((0..34_931).map(|_| (Bag::new(), 2, Kind::Iot)));
    bags
}

#[test]
fn the_numbers_of_the_paper_come_out() {
    for backend in [Stage0Backend::Sparse, Stage0Backend::Linfa] {
        let model = fit(&paper_ports(), 3, &options(backend));
        assert_eq!(model.vocabulary.columns(), 422);
        let probability = |word: &str, class: usize| {
            let column = model.vocabulary.column(word).unwrap();
            model.likelihood.log_probability(column, class).unwrap().exp()
        };
        assert_close(probability("53", BLIPCARE), 9.0 / 442.0, 1e-12);
        assert_close(probability("8777", BLIPCARE), 13.0 / 442.0, 1e-12);
        assert_close(probability("53", RING), 324.0 / 33_278.0, 1e-12);
        assert_close(model.log_prior[BLIPCARE].exp(), 10.0 / 35_267.0, 1e-12);
        assert_close(model.log_prior[BLIPCARE].exp(), 0.0003, 5e-5);
    }
}

#[test]
fn a_posterior_worked_by_hand() {
    let bags = [(bag(&[("a", 3), ("b", 1)]), 0, Kind::Iot), (bag(&[("b", 2)]), 1, Kind::Iot)];
    // V = 3: a, b, others. Class 0: (4, 2, 1) / 7, class 1: (1, 3, 1) / 5, priors 2/4 each.
    for backend in [Stage0Backend::Sparse, Stage0Backend::Linfa] {
        let model = fit(&bags, 2, &options(backend));
        let zero: f64 = 0.5 * (4.0 / 7.0_f64).powi(2) * (2.0 / 7.0) * (1.0 / 7.0);
        let one: f64 = 0.5 * (1.0 / 5.0_f64).powi(2) * (3.0 / 5.0) * (1.0 / 5.0);
        let posterior = model.posterior(&bag(&[("a", 2), ("b", 1), ("never seen", 1)]));
        assert_close(posterior[0], zero / (zero + one), 1e-12);
        assert_close(posterior[1], one / (zero + one), 1e-12);
    }
}

#[test]
fn an_empty_bag_gives_the_prior() {
    let bags: Vec<_> = (0..4).map(|row| (bag(&[("a", 1)]), u16::from(row == 3), Kind::Iot)).collect();
    let weka = fit(&bags, 2, &TrainOptions::default()).posterior(&Bag::new());
    assert_close(weka[0], 4.0 / 6.0, 1e-12);
    let relative = TrainOptions { prior: Prior::Relative, ..TrainOptions::default() };
    assert_close(fit(&bags, 2, &relative).posterior(&Bag::new())[0], 3.0 / 4.0, 1e-12);
}

#[test]
fn a_class_without_rows_has_no_relative_prior() {
    let bags = [(bag(&[("a", 1)]), 0, Kind::Iot)];
    let relative = TrainOptions { prior: Prior::Relative, ..TrainOptions::default() };
    assert_eq!(fit(&bags, 2, &relative).posterior(&bag(&[("b", 1)])), [1.0, 0.0]);
}

#[test]
fn words_never_seen_can_count_for_nothing() {
    let bags = [(bag(&[("a", 9)]), 0, Kind::Iot), (bag(&[("a", 1), ("c", 1)]), 1, Kind::NonIot)];
    let ignore = TrainOptions { unseen: Unseen::Ignore, ..TrainOptions::default() };
    let model = fit(&bags, 2, &ignore);
    assert_eq!(model.posterior(&bag(&[("never seen", 5)])), model.posterior(&Bag::new()));
    assert!(model.posterior(&bag(&[("c", 5)]))[1] > 0.9);
}

#[test]
fn equal_classes_tie_and_the_lowest_name_wins() {
    let bags = [(bag(&[("a", 1)]), 0, Kind::Iot), (bag(&[("a", 1)]), 1, Kind::Iot)];
    let (class, confidence) = fit(&bags, 2, &TrainOptions::default()).verdict(&bag(&[("a", 7)]));
    assert_eq!(class, 0);
    assert_close(confidence, 0.5, 1e-12);
}

#[test]
fn long_bags_do_not_overflow() {
    let bags = [(bag(&[("a", 100), ("b", 1)]), 0, Kind::Iot), (bag(&[("b", 100)]), 1, Kind::Iot)];
    for backend in [Stage0Backend::Sparse, Stage0Backend::Linfa] {
        let posterior = fit(&bags, 2, &options(backend)).posterior(&bag(&[("a", 1_000_000)]));
        assert_eq!(posterior, [1.0, 0.0]);
        let posterior = fit(&bags, 2, &options(backend)).posterior(&bag(&[("a", u64::MAX), ("b", u64::MAX)]));
        assert_close(posterior.iter().sum(), 1.0, 1e-12);
    }
}

fn any_bag() -> impl Strategy<Value = Bag> {
    proptest::collection::btree_map("[a-h]", 1..50_u64, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_back_ends_give_the_same_posteriors(
        bags in proptest::collection::vec((any_bag(), 0..4_u16, any::<bool>()), 1..30),
        asked in any_bag(),
        relative in any::<bool>(),
    ) {
        let kind = |iot| if iot { Kind::Iot } else { Kind::NonIot };
        let bags: Vec<_> = bags.into_iter().map(|(bag, class, iot)| (bag, class, kind(iot))).collect();
        let prior = if relative { Prior::Relative } else { Prior::Weka };
        let posterior = |stage0| fit(&bags, 4, &TrainOptions { stage0, prior, ..TrainOptions::default() }).posterior(&asked);
        let (sparse, linfa) = (posterior(Stage0Backend::Sparse), posterior(Stage0Backend::Linfa));
        prop_assert!((sparse.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (left, right) in sparse.iter().zip(&linfa) {
            prop_assert!((left - right).abs() < 1e-9, "{sparse:?} is not {linfa:?}");
        }
    }
}
