//! Training on 35,000 instances of 29 classes.
#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on should stop")]

mod synthetic;

use std::hint::black_box;
use std::num::NonZeroUsize;

use criterion::{Criterion, criterion_group, criterion_main};
use thingprint_instance::Labeled;
use thingprint_model::{Column, Forest, ForestOptions, Model, Recipe, Scenario, Table, TrainOptions, number};

const ROWS: usize = 35_000;

fn train(criterion: &mut Criterion) {
    let rows = synthetic::instances(ROWS, 1);
    let mut group = criterion.benchmark_group("train");
    group.sample_size(10);
    let stage0 = TrainOptions { scenario: Scenario::Domains, ..TrainOptions::default() };
    group.bench_function("stage0 of domains", |bencher| {
        bencher.iter(|| Model::fit(black_box(&rows), &stage0, NonZeroUsize::MIN));
    });
    let model =
        Model::fit(&rows, &TrainOptions::default(), NonZeroUsize::MIN).expect("the set can be learned");
    let table = table(&model, &rows);
    let options = ForestOptions { trees: 100, attributes_per_node: None, seed: 1 };
    group.bench_function("forest of 100 trees on 12 inputs", |bencher| {
        bencher.iter(|| Forest::fit(black_box(&table), &options, NonZeroUsize::MIN));
    });
    group.bench_function("model", |bencher| {
        bencher.iter(|| Model::fit(black_box(&rows), &TrainOptions::default(), NonZeroUsize::MIN));
    });
    let best = TrainOptions::of(Recipe::Best);
    group.bench_function("model of the recipe best", |bencher| {
        bencher.iter(|| Model::fit(black_box(&rows), &best, NonZeroUsize::MIN));
    });
    group.finish();
}

/// The inputs of stage-1, as the model sees them.
fn table(model: &Model, rows: &[Labeled]) -> Table {
    let classes = model.classes();
    let class_number = |name: &str| u16::try_from(classes.number(name).unwrap_or(0)).unwrap_or(0);
    let cardinality = u16::try_from(classes.len()).unwrap_or(u16::MAX);
    let predictions: Vec<_> = rows.iter().map(|row| model.predict(&row.instance)).collect();
    let mut columns = Vec::new();
    for bag in model.evidence().bags() {
        let verdicts = predictions.iter().filter_map(|prediction| prediction.stage0.get(&bag));
        let values = verdicts.map(|verdict| class_number(&verdict.class)).collect();
        columns.push(Column::Name { values, cardinality });
    }
    for bag in model.evidence().bags() {
        let verdicts = predictions.iter().filter_map(|prediction| prediction.stage0.get(&bag));
        columns.push(Column::Number(verdicts.map(|verdict| verdict.confidence).collect()));
    }
    for attribute in model.evidence().numbers() {
        let values = rows.iter().map(|row| number(row.instance.attributes.get(attribute)));
        columns.push(Column::Number(values.collect()));
    }
    let row_classes = rows.iter().filter_map(|row| Some(class_number(&row.label.as_ref()?.class))).collect();
    Table::new(columns, row_classes, classes.len()).expect("the columns go together")
}

criterion_group!(benches, train);
criterion_main!(benches);
