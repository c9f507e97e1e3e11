//! The recipe `best` on a seeded set of 29 classes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../benches/synthetic/mod.rs"]
mod synthetic;

use std::num::NonZeroUsize;

use thingprint_flow::{DeviceId, MacAddr};
use thingprint_instance::{Bag, BagName, Bags, EvidenceSet, Instance, Labeled};
use thingprint_model::{
    Acceptance, FalseAlarms, Model, ModelError, Prediction, Recipe, Test, TrainOptions, Voice,
};

fn fit(rows: &[Labeled], options: TrainOptions) -> Model {
    Model::fit(rows, &TrainOptions { trees: 10, ..options }, NonZeroUsize::MIN).unwrap()
}

fn best() -> TrainOptions {
    TrainOptions::of(Recipe::Best)
}

fn predict(model: &Model, rows: &[Labeled]) -> Vec<Prediction> {
    let instances: Vec<&Instance> = rows.iter().map(|row| &row.instance).collect();
    model.predict_all(&instances, NonZeroUsize::MIN)
}

/// Takes all bags out but these.
fn with_bags(row: &Labeled, bags: &[BagName]) -> Labeled {
    let kept = bags.iter().filter_map(|bag| Some((*bag, row.instance.bags.get(*bag)?.clone())));
    let mut row = row.clone();
    row.instance.bags = kept.collect();
    row
}

#[test]
fn the_paper_s_recipe_is_the_default_and_has_its_evidence() {
    assert_eq!(TrainOptions::default(), TrainOptions::of(Recipe::Paper));
    assert_eq!(TrainOptions::of(Recipe::Paper).evidence, EvidenceSet::paper());
    assert_eq!(best().evidence, EvidenceSet::trained_on());
}

#[test]
fn a_bag_that_no_instance_has_is_not_looked_at() {
    let rows: Vec<_> = synthetic::instances(400, 1);
    let rows: Vec<_> = rows.iter().map(|row| with_bags(row, &[BagName::PORTS, BagName::DOMAINS])).collect();
    let model = fit(&rows, best());
    assert_eq!(model.evidence().bags().collect::<Vec<_>>(), [BagName::PORTS, BagName::DOMAINS]);
    assert_eq!(model.evidence().numbers().count(), 6);
}

#[test]
fn a_bag_that_an_instance_lacks_says_nothing() {
    let rows = synthetic::instances(600, 1);
    let model = fit(&rows, best());
    let lacking = with_bags(&rows[7], &[BagName::DOMAINS]);
    model.check_evidence([&lacking.instance]).unwrap();
    let prediction = model.predict(&lacking.instance);
    assert_eq!(prediction.stage0.keys().copied().collect::<Vec<_>>(), [BagName::DOMAINS]);
    let mut empty = lacking.clone();
    empty.instance.bags.insert(BagName::PORTS, Bag::new());
    assert_ne!(model.predict(&empty.instance).distribution, prediction.distribution);
    let none = with_bags(&rows[7], &[]);
    let error = model.check_evidence([&none.instance]).unwrap_err();
    assert!(
        matches!(error, ModelError::MissingEvidence { missing } if missing.bags().count() == 3),
        "{error}"
    );
}

/// Half of the rows lack a bag by which the classes are told apart; the model learns from both halves.
#[test]
fn rows_with_different_bags_train_one_model() {
    let mut rows = synthetic::instances(1_200, 1);
    for row in rows.iter_mut().step_by(2) {
        *row = with_bags(row, &[BagName::PORTS, BagName::CIPHER_SUITES]);
    }
    let (train, test) = rows.split_at(1_000);
    let predictions = predict(&fit(train, best()), test);
    let is_right =
        |(prediction, row): &(&Prediction, &Labeled)| *prediction.class == *row.label.as_ref().unwrap().class;
    let right = predictions.iter().zip(test).filter(is_right).count();
    assert!(right > 180, "{right} of 200");
}

#[test]
fn distributions_sum_to_1() {
    let rows = synthetic::instances(600, 1);
    for prediction in predict(&fit(&rows, best()), &rows) {
        assert!((prediction.distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    let alone = Bags::from([]);
    let mut bare = rows[3].clone();
    bare.instance.bags = alone;
    let prediction = fit(&rows, best()).predict(&bare.instance);
    assert!((prediction.distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn words_speak_for_and_against_in_nats() {
    let rows = synthetic::instances(600, 1);
    let model = fit(&rows, best());
    let windows: Vec<&Instance> = rows[100..110].iter().map(|row| &row.instance).collect();
    let explanation = model.explain(&windows[..1], None).unwrap();
    let joint = explanation.joint.unwrap();
    assert_ne!(joint.rival, explanation.class);
    assert!(joint.nats > 0.0);
    let sum = |evidence: &thingprint_model::BagNats| {
        evidence.words.iter().map(|word| word.contribution).sum::<f64>()
    };
    let total: f64 = joint.bags.iter().map(sum).sum();
    assert!((total - joint.nats).abs() < 1e-9);
    for bag in &joint.bags {
        let words = windows[0].bags.get(bag.bag).unwrap();
        assert_eq!(words.len(), bag.words.len() + bag.unseen.len());
        assert!(bag.words.iter().all(|word| (words[&word.word] as f64 - word.count).abs() < 1e-9));
        assert!(bag.words.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs()));
    }
    let against = model.explain(&windows[..1], Some(&joint.rival)).unwrap().joint.unwrap();
    assert_eq!(against.rival, explanation.class);
    assert!((against.nats + joint.nats).abs() < 1e-9);
    assert!(fit(&rows, TrainOptions::default()).explain(&windows, None).unwrap().joint.is_none());
}

/// A window of a known device in which nothing but its names is as it was: the two stages weigh what is strange, too.
#[test]
fn the_blend_holds_on_to_what_it_knows() {
    let rows = synthetic::instances(1_500, 1);
    let (train, test) = rows.split_at(700);
    let mean = |options| {
        let model = fit(train, options);
        let truth = |row: &Labeled| model.classes().number(&row.label.as_ref().unwrap().class).unwrap();
        let changed: Vec<Labeled> = test.iter().map(with_strange_ports).collect();
        let predictions = predict(&model, &changed);
        let of_truth = predictions.iter().zip(test).map(|(said, row)| said.distribution[truth(row)]);
        of_truth.sum::<f64>() / test.len() as f64
    };
    let (paper, best) = (mean(TrainOptions::default()), mean(best()));
    assert!(best > paper + 0.01, "{best} against {paper}");
}

fn with_strange_ports(row: &Labeled) -> Labeled {
    let mut row = row.clone();
    let ports = (0..6).map(|port| (format!("{}", 50_000 + port), 7));
    row.instance.bags.insert(BagName::PORTS, ports.collect());
    row
}

fn stranger(row: &Labeled) -> Labeled {
    let mut row = with_strange_ports(row);
    let names = [("a.elsewhere.example".to_owned(), 3), ("b.elsewhere.example".to_owned(), 1)];
    row.instance.bags.insert(BagName::DOMAINS, names.into());
    row
}

#[test]
fn a_stranger_is_unknown_for_a_reason_in_words() {
    let rows = synthetic::instances(1_500, 1);
    let model = fit(&rows, best());
    let acceptance = Acceptance { confidence: 0.0, ..Acceptance::default() };
    let stranger = stranger(&rows[100]).instance;
    let doubt = model.doubt(&stranger, &model.predict(&stranger), &acceptance).unwrap();
    assert_eq!(doubt.failed, [Test::Likeness]);
    assert!(doubt.likeness.unwrap() < model.likeness_thresholds().unwrap().five_percent);
    let unseen = doubt.unseen[&BagName::DOMAINS];
    assert_eq!((unseen.unseen, unseen.words), (2, 2));
    let nearest = doubt.nearest.as_ref().unwrap();
    assert!(nearest.likeness >= doubt.likeness.unwrap());
    let text = doubt.to_string();
    let (likeness, least) = (doubt.likeness.unwrap(), doubt.least_likeness.unwrap());
    let failed = format!("likeness {likeness:.1} to {} is below {least:.1}; ", doubt.class);
    let closest = format!("; closest is {} with {:.1}; ", nearest.class, nearest.likeness);
    let unseen = format!("; 2 of 2 {} never seen", BagName::DOMAINS.words());
    assert!(text.starts_with(&failed) && text.contains(&closest) && text.contains(&unseen), "{text}");
    let unsure = Acceptance { confidence: 1.1, ..acceptance };
    let doubt = model.doubt(&stranger, &model.predict(&stranger), &unsure).unwrap();
    assert!(doubt.to_string().contains(" is below 1.10; likeness "), "{doubt}");
    assert_eq!(model.failed_tests(&model.predict(&stranger), &unsure), [Test::Confidence, Test::Likeness]);
}

/// The paper's recipe knows of no likeness, and asks for confidence alone.
#[test]
fn the_paper_s_recipe_judges_by_confidence() {
    let rows = synthetic::instances(600, 1);
    let model = fit(&rows, TrainOptions::default());
    let stranger = stranger(&rows[100]).instance;
    let prediction = model.predict(&stranger);
    assert_eq!(prediction.likeness, None);
    let accepted = Acceptance { confidence: prediction.confidence, ..Acceptance::default() };
    assert_eq!(model.doubt(&stranger, &prediction, &accepted), None);
    let refused = Acceptance { confidence: prediction.confidence + 0.01, ..accepted };
    assert_eq!(model.doubt(&stranger, &prediction, &refused).unwrap().failed, [Test::Confidence]);
}

/// About as many of the known windows are rejected as the threshold says, and strangers nearly all.
#[test]
fn likeness_keeps_the_false_alarms_that_it_states() {
    let rows = synthetic::instances(3_000, 1);
    let (train, test) = rows.split_at(2_000);
    let model = fit(train, best());
    let acceptance = Acceptance { confidence: 0.0, ..Acceptance::default() };
    let rejected = |rows: &[Labeled]| {
        let said = predict(&model, rows);
        said.iter().filter(|said| !model.failed_tests(said, &acceptance).is_empty()).count()
    };
    let known = rejected(test);
    assert!((10..100).contains(&known), "{known} of 1000");
    let strangers: Vec<Labeled> = test.iter().map(stranger).collect();
    let strange = rejected(&strangers);
    assert!(strange > 950, "{strange} of 1000");
}

#[test]
fn a_day_is_judged_by_the_median_of_its_windows() {
    let rows = synthetic::instances(2_000, 1);
    let model = fit(&rows, best());
    let predictions = predict(&model, &rows);
    let days = model.day_verdicts(&predictions);
    assert_eq!(days.iter().map(|day| day.verdict.windows).sum::<u64>(), 2_000);
    assert!(days.is_sorted_by_key(|day| (day.verdict.device, day.day)));
    let day = days.iter().find(|day| day.verdict.windows == 3).unwrap();
    let mut likenesses: Vec<f64> = predictions
        .iter()
        .filter(|said| {
            let nanos = said.window_start.nanos_since(day.day);
            said.device == day.verdict.device && (0..86_400_000_000_000).contains(&nanos)
        })
        .filter_map(|said| said.likeness)
        .collect();
    likenesses.sort_by(f64::total_cmp);
    assert_eq!(day.verdict.likeness, Some(likenesses[1]));
    let acceptance = Acceptance { confidence: 0.0, ..Acceptance::default() };
    let alarms = days.iter().filter(|day| !model.failed_device_tests(&day.verdict, &acceptance).is_empty());
    assert!(alarms.count() * 50 < days.len());
    let strangers: Vec<Labeled> = rows[..200].iter().map(stranger).collect();
    let days = model.day_verdicts(&predict(&model, &strangers));
    let alarms =
        days.iter().filter(|day| model.failed_device_tests(&day.verdict, &acceptance) == [Test::Likeness]);
    let alarms = alarms.count();
    assert!(alarms * 10 > days.len() * 8, "{alarms} of {}", days.len());
}

#[test]
fn sets_have_names_and_their_mass() {
    let rows = synthetic::instances(600, 1);
    let model = fit(&rows, best());
    let prediction = model.predict(&rows[7].instance);
    let set = model.set(&prediction, 0.95);
    assert_eq!(set[0], prediction.class);
    let mass = |set: &[usize]| set.iter().map(|&class| prediction.distribution[class]).sum::<f64>();
    let numbers = prediction.set(0.95);
    assert!(mass(&numbers) >= 0.95 && mass(&numbers[..numbers.len() - 1]) < 0.95);
}

/// Two classes of the same words are a family, and no others are.
#[test]
fn classes_that_cannot_be_kept_apart_are_a_family() {
    let mut rows = synthetic::instances(1_500, 1);
    for (at, row) in rows.iter_mut().enumerate() {
        let label = row.label.as_mut().unwrap();
        if label.class == "class-20" && at % 2 == 0 {
            label.class = "class-20b".to_owned();
        }
    }
    let families = fit(&rows, best()).families();
    let [family] = &families[..] else { panic!("{families:?}") };
    assert_eq!((&*family.name, family.is_given), ("class-20 or class-20b", false));
    assert_eq!(family.classes, ["class-20".into(), "class-20b".into()]);
    assert!(fit(&rows, TrainOptions::default()).families().is_empty());
}

/// Two units of each class, with a name of the unit in half of the bag of domains: the bag is dropped, and said so.
#[test]
fn a_bag_that_names_units_is_not_learned_from() {
    let mut rows = synthetic::instances(1_200, 1);
    let ordinary = fit(&rows, best());
    assert!(ordinary.units().iter().all(|units| !units.is_refused && units.transfer.is_none()));
    for (at, row) in rows.iter_mut().enumerate() {
        let unit = u8::try_from(at / 29 % 2).unwrap();
        let class = row.label.as_ref().unwrap().class.clone();
        let octet = class.trim_start_matches("class-").parse().unwrap();
        row.instance.device = DeviceId::Mac(MacAddr::new([2, 0, 0, 0, unit, octet]));
        let names = (0..9).map(|name| (format!("{name}-{unit}-{class}"), 1));
        row.instance.bags.insert(BagName::DOMAINS, names.collect());
    }
    let model = fit(&rows, best());
    let refused = model.units().iter().filter(|units| units.is_refused).collect::<Vec<_>>();
    assert_eq!(refused.iter().map(|units| units.bag).collect::<Vec<_>>(), [BagName::DOMAINS]);
    assert!(refused[0].unit_words[0].starts_with("0-0-class-"));
    assert!(!model.evidence().has_bag(BagName::DOMAINS) && model.evidence().has_bag(BagName::PORTS));
    assert!(fit(&rows, TrainOptions::default()).evidence().has_bag(BagName::DOMAINS));
}

/// More windows do better up to a point, and a class with few is seen to have few.
#[test]
fn a_learning_curve_rises_and_says_when_it_is_enough() {
    let rows = synthetic::instances(2_000, 1);
    let model = fit(&rows, best());
    let curve = model.learning_curve(&rows, NonZeroUsize::MIN).unwrap();
    let windows: Vec<u64> = curve.points.iter().map(|point| point.windows).collect();
    assert!(windows.len() > 3 && windows.starts_with(&[1, 2, 4, 8]), "{windows:?}");
    let accuracy = |at: usize| curve.points[at].accuracy.unwrap();
    assert!(accuracy(0) < accuracy(windows.len() - 1), "{curve:?}");
    assert!(curve.points.iter().all(|point| point.classes.len() == 29 && point.accuracy.unwrap() <= 1.0));
    let enough = curve.enough().unwrap();
    assert!(windows.contains(&enough));
    assert_eq!(model.learning_curve(&rows, NonZeroUsize::new(3).unwrap()), Some(curve));
    assert_eq!(fit(&rows, TrainOptions::default()).learning_curve(&rows, NonZeroUsize::MIN), None);
}

#[test]
fn each_voice_speaks_for_itself() {
    let rows = synthetic::instances(600, 1);
    let (model, paper) = (fit(&rows, best()), fit(&rows, TrainOptions::default()));
    for row in rows.iter().take(20) {
        let [whole, stages, joint] =
            [Voice::Whole, Voice::Stages, Voice::Joint].map(|voice| model.predict_by(voice, &row.instance));
        assert_eq!(whole, model.predict(&row.instance));
        // R ∝ (P + 0.001)^0.7 · (J + 0.001)^0.3.
        let products = stages.distribution.iter().zip(&joint.distribution);
        let products: Vec<f64> =
            products.map(|(p, j)| (p + 0.001).powf(0.7) * (j + 0.001).powf(0.3)).collect();
        let sum: f64 = products.iter().sum();
        for (whole, product) in whole.distribution.iter().zip(products) {
            assert!((whole - product / sum).abs() < 1e-9, "{whole} {product}");
        }
        assert_eq!(paper.predict_by(Voice::Joint, &row.instance), paper.predict(&row.instance));
    }
}

fn bags(instance: &Instance) -> impl Iterator<Item = (BagName, &Bag)> {
    instance.bags.evidence().bags().filter_map(|name| Some((name, instance.bags.get(name)?)))
}

/// The first words of each bag, once each: a window that has just begun.
fn begun(row: &Labeled, words: usize) -> Instance {
    let mut instance = row.instance.clone();
    let first = |bag: &Bag| bag.iter().take(words).map(|(word, _)| (word.clone(), 1)).collect::<Bag>();
    instance.bags = bags(&row.instance).map(|(name, bag)| (name, first(bag))).collect();
    instance
}

/// What a window lacks so far is held against nothing, and what it has has to be familiar.
#[test]
fn a_window_under_way_is_accepted_by_what_it_has() {
    let rows = synthetic::instances(3_000, 1);
    let (train, test) = rows.split_at(2_000);
    let model = fit(train, best());
    let acceptance = Acceptance { confidence: 0.0, ..Acceptance::default() };
    let share = |windows: &[Instance], is_accepted: &dyn Fn(&Instance, &Prediction) -> bool| {
        let is_so = |window: &&Instance| is_accepted(window, &model.predict(window));
        windows.iter().filter(is_so).count() as f64 / windows.len() as f64
    };
    let so_far = |window: &Instance, prediction: &Prediction| {
        model.doubt_so_far(window, prediction, &acceptance).is_none()
    };
    let whole =
        |_: &Instance, prediction: &Prediction| model.failed_tests(prediction, &acceptance).is_empty();
    // Only of windows that have a word: the others cannot be compared.
    let has_words = |instance: &Instance| bags(instance).any(|(_, bag)| !bag.is_empty());
    let early: Vec<Instance> = test.iter().map(|row| begun(row, 1)).filter(has_words).collect();
    let strangers: Vec<Instance> = test.iter().map(|row| begun(&stranger(row), 1)).collect();
    assert!(share(&early, &so_far) > 0.85, "{}", share(&early, &so_far));
    assert!(share(&early, &whole) < 0.6, "{}", share(&early, &whole));
    assert!(share(&strangers, &so_far) < 0.05, "{}", share(&strangers, &so_far));
    let finals: Vec<Instance> = test.iter().map(|row| row.instance.clone()).filter(has_words).collect();
    let one_percent = Acceptance { false_alarms: FalseAlarms::OnePercent, ..acceptance };
    let strict = 1.0 - share(&finals, &so_far);
    let lax = 1.0 - share(&finals, &|window, said| model.doubt_so_far(window, said, &one_percent).is_none());
    assert!((0.01..0.12).contains(&strict) && lax < strict, "{strict} and {lax}");
}

#[test]
fn a_doubt_about_a_window_under_way_says_its_reason() {
    let rows = synthetic::instances(1_500, 1);
    let model = fit(&rows, best());
    let acceptance = Acceptance { confidence: 0.0, ..Acceptance::default() };
    let strange = stranger(&rows[100]).instance;
    let prediction = model.predict(&strange);
    let doubt = model.doubt_so_far(&strange, &prediction, &acceptance).unwrap();
    assert_eq!(doubt.failed, [Test::Likeness]);
    assert!(doubt.familiarity.unwrap() < doubt.least_familiarity.unwrap());
    let text = doubt.to_string();
    assert!(
        text.contains(" % of what it did so far is familiar of class-") && text.ends_with("% is usual"),
        "{text}"
    );
    let mut silent = strange.clone();
    silent.bags = bags(&strange).map(|(name, _)| (name, Bag::new())).collect();
    let doubt = model.doubt_so_far(&silent, &model.predict(&silent), &acceptance).unwrap();
    assert_eq!(doubt.to_string(), "it did nothing so far that can be compared");
    let unsure = Acceptance { confidence: 1.1, ..acceptance };
    let doubt = model.doubt_so_far(&strange, &prediction, &unsure).unwrap();
    assert!(doubt.to_string().contains(" is below 1.10 so far; "), "{doubt}");
    // The paper's recipe knows of no familiarity.
    let paper = fit(&rows, TrainOptions::default());
    let prediction = paper.predict(&strange);
    let accepted = Acceptance { confidence: prediction.confidence, ..acceptance };
    assert_eq!(paper.doubt_so_far(&strange, &prediction, &accepted), None);
    let refused = Acceptance { confidence: prediction.confidence + 0.01, ..acceptance };
    assert_eq!(paper.doubt_so_far(&strange, &prediction, &refused).unwrap().failed, [Test::Confidence]);
}
