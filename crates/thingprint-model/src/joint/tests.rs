use proptest::prelude::*;
use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{Attributes, Bag, BagName, Bags, Counts, EvidenceSet, Instance, Spreads};

use super::*;

const BAGS: [BagName; 2] = [BagName::PORTS, BagName::DOMAINS];

fn evidence() -> EvidenceSet {
    EvidenceSet::from(BAGS[0]).with(BAGS[1].into())
}

/// An instance with these words in its bags; a bag that is not given is absent.
fn instance(bags: &[(BagName, &[(&str, u64)])]) -> Instance {
    let bag =
        |words: &[(&str, u64)]| -> Bag { words.iter().map(|&(word, n)| (word.to_owned(), n)).collect() };
    Instance {
        device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])),
        window_start: Timestamp::default(),
        window_s: 3_600.0,
        capture: None,
        attributes: Attributes::default(),
        bags: bags.iter().map(|&(name, words)| (name, bag(words))).collect::<Bags>(),
        counts: Counts::default(),
        spread: Spreads::new(),
    }
}

fn fit(rows: &[(Instance, u16)], classes: usize) -> (Lexicon, Joint) {
    let lexicon = Lexicon::of(evidence(), &rows.iter().map(|row| &row.0));
    let windows: Vec<Window> = rows.iter().map(|row| lexicon.window(&row.0)).collect();
    let row_classes: Vec<u16> = rows.iter().map(|row| row.1).collect();
    let known = Known { windows: &windows, row_classes: &row_classes, classes };
    let joint = Joint::fit(known, &lexicon, |_| true, NonZeroUsize::MIN);
    (lexicon, joint)
}

fn assert_close(left: f64, right: f64) {
    assert!((left - right).abs() < 1e-12, "{left} is not {right}");
}

/// Class 0 has ports 53 (once: weight 1) and 443 (three times: weight 2), class 1 has 53 (weight 1) alone and a name;
/// class 2 has no port at all, and no name.
fn three_classes() -> Vec<(Instance, u16)> {
    vec![
        (instance(&[(BAGS[0], &[("53", 1), ("443", 3)]), (BAGS[1], &[])]), 0),
        (instance(&[(BAGS[0], &[("53", 1)]), (BAGS[1], &[("a.example", 1)])]), 1),
        (instance(&[(BAGS[0], &[]), (BAGS[1], &[])]), 2),
    ]
}

#[test]
fn evidence_worked_by_hand() {
    let (lexicon, joint) = fit(&three_classes(), 3);
    // f(53): 1/3 in class 0, 1 in class 1; q = 2/3 over the two classes with ports. f(443): 2/3 and 0; q = 1/3.
    let window = lexicon.window(&instance(&[(BAGS[0], &[("53", 1), ("443", 3), ("8883", 1)])]));
    let ports = window[0].as_ref().unwrap();
    assert_eq!((ports.weight, ports.known_weight, ports.words), (4.0, 3.0, 3));
    // Σ tf = 1 + 2, since a word never seen counts for nothing: s = 2 / √3 · Σ tf · r.
    let scale = 2.0 / 3.0_f64.sqrt();
    let r_53 = [(0.8_f64 * 0.5 + 0.2).ln(), (0.8_f64 * 1.5 + 0.2).ln()];
    let r_443 = [(0.8_f64 * 2.0 + 0.2).ln(), 0.2_f64.ln()];
    let scores = [scale * (r_53[0] + 2.0 * r_443[0]), scale * (r_53[1] + 2.0 * r_443[1]), 0.0];
    let sum: f64 = scores.iter().map(|score| score.exp()).sum();
    let distribution = joint.distribution(&window, 3);
    for (probability, score) in distribution.iter().zip(scores) {
        assert_close(*probability, score.exp() / sum);
    }
    let nats: f64 = ports.tokens.iter().map(|&token| joint.nats(0, ports, token, (0, 2))).sum();
    assert_close(nats, scores[0] - scores[2]);
    let nats: f64 = ports.tokens.iter().map(|&token| joint.nats(0, ports, token, (0, 1))).sum();
    assert_close(nats, scores[0] - scores[1]);
}

#[test]
fn a_bag_that_is_absent_empty_or_strange_says_nothing() {
    let (lexicon, joint) = fit(&three_classes(), 3);
    let check = |bags: &[(BagName, &[(&str, u64)])]| {
        let distribution = joint.distribution(&lexicon.window(&instance(bags)), 3);
        for probability in distribution {
            assert_close(probability, 1.0 / 3.0);
        }
    };
    check(&[]);
    check(&[(BAGS[0], &[])]);
    check(&[(BAGS[1], &[("never.example", 9)])]);
    // Only class 1 has names, so its own names say nothing either: f = q.
    check(&[(BAGS[1], &[("a.example", 2)])]);
}

/// A word of the lexicon that no wanted window has says nothing, as one that the lexicon lacks.
#[test]
fn words_of_rows_left_out_say_nothing() {
    let rows = three_classes();
    let lexicon = Lexicon::of(evidence(), &rows.iter().map(|row| &row.0));
    let windows: Vec<Window> = rows.iter().map(|row| lexicon.window(&row.0)).collect();
    let known = Known { windows: &windows, row_classes: &[0, 1, 2], classes: 3 };
    let joint = Joint::fit(known, &lexicon, |at| at > 0, NonZeroUsize::MIN);
    let window = lexicon.window(&instance(&[(BAGS[0], &[("443", 1)])]));
    assert_eq!(joint.distribution(&window, 3), [1.0 / 3.0; 3]);
}

fn any_instance() -> impl Strategy<Value = (Instance, u16)> {
    let bag = || prop::option::of(prop::collection::btree_map("[a-f]", 1..1_000_u64, 0..5));
    (bag(), bag(), 0..4_u16).prop_map(|(ports, domains, class)| {
        let mut instance = instance(&[]);
        for (name, bag) in BAGS.into_iter().zip([ports, domains]) {
            if let Some(bag) = bag {
                instance.bags.insert(name, bag);
            }
        }
        (instance, class)
    })
}

proptest! {
    #[test]
    fn the_order_of_rows_changes_nothing(
        rows in prop::collection::vec(any_instance(), 1..30).prop_shuffle(),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut other = rows.clone();
        other.rotate_left(seed.index(rows.len()));
        other.reverse();
        prop_assert_eq!(fit(&rows, 4), fit(&other, 4));
    }

    #[test]
    fn a_distribution_sums_to_1(rows in prop::collection::vec(any_instance(), 1..20), (asked, _) in any_instance()) {
        let (lexicon, joint) = fit(&rows, 4);
        let distribution = joint.distribution(&lexicon.window(&asked), 4);
        prop_assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        prop_assert!(distribution.iter().all(|probability| (0.0..=1.0).contains(probability)));
    }
}
