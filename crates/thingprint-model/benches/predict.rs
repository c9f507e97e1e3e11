//! Classifying one instance with a model of 29 classes and 100 trees.
#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on should stop")]

mod synthetic;

use std::hint::black_box;
use std::num::NonZeroUsize;

use criterion::{Criterion, criterion_group, criterion_main};
use thingprint_model::{Model, Recipe, TrainOptions};

fn predict(criterion: &mut Criterion) {
    let rows = synthetic::instances(50_000, 1);
    let (train, test) = rows.split_at(35_000);
    for recipe in [Recipe::Paper, Recipe::Best] {
        let model =
            Model::fit(train, &TrainOptions::of(recipe), NonZeroUsize::MIN).expect("the set can be learned");
        let mut next = test.iter().cycle();
        criterion.bench_function(&format!("predict one instance, recipe {recipe}"), |bencher| {
            bencher.iter(|| next.next().map(|row| model.predict(black_box(&row.instance))));
        });
    }
}

criterion_group!(benches, predict);
criterion_main!(benches);
