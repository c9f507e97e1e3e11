use proptest::prelude::*;

use super::information::Information;
use super::ranked::RankedTable;
use super::sample::Row;
use super::search::{Cut, Node, Search, Split};
use super::*;
use crate::random::{Generator, Purpose};

fn jobs(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

fn options(trees: u32) -> ForestOptions {
    ForestOptions { trees, attributes_per_node: None, seed: 1 }
}

fn name(values: &[u16], cardinality: u16) -> Column {
    Column::Name { values: values.to_vec(), cardinality }
}

/// The best split of a table of rows that each weigh 1, all columns tried.
fn best_split(columns: Vec<Column>, row_classes: &[u16]) -> Option<Split> {
    let table = Table::new(columns, row_classes.to_vec(), 3).unwrap();
    let ranked = RankedTable::new(&table);
    let information = Information::up_to(row_classes.len());
    let mut search = Search::new(&ranked, &information, table.columns().len());
    search.restart();
    let rows: Vec<Row> =
        (0..).zip(row_classes).map(|(number, &class)| Row { number, class, weight: 1 }).collect();
    let mut classes = [0; 3];
    for &class in row_classes {
        classes[usize::from(class)] += 1;
    }
    let weight = u32::try_from(row_classes.len()).unwrap();
    search.best(Node { rows: &rows, classes: &classes, weight }, &mut Generator::new(1, Purpose::Tree(0)))
}

fn check_split(columns: Vec<Column>, row_classes: &[u16], expected: Option<(u16, Cut)>) {
    let split = best_split(columns, row_classes);
    assert_eq!(split.map(|split| (split.column, split.cut)), expected);
}

#[test]
fn numbers_are_cut_where_entropy_is_lowest() {
    // 1 2 3 | 4 5: cutting off the two of class 1 leaves no entropy.
    let numbers = Column::Number(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
    check_split(vec![numbers], &[1, 0, 1, 0, 0], Some((0, Cut::Between { lower: 2, upper: 3 })));
}

#[test]
fn the_first_of_equally_good_cuts_wins() {
    // Classes 0 1 0: both boundaries leave one bit on two rows.
    let numbers = Column::Number(vec![1.0, 2.0, 3.0]);
    check_split(vec![numbers], &[0, 1, 0], Some((0, Cut::Between { lower: 0, upper: 1 })));
}

#[test]
fn no_cut_separates_equal_numbers() {
    check_split(vec![Column::Number(vec![2.0, 2.0, 2.0])], &[0, 1, 0], None);
    // The only boundary leaves half of each class on both sides.
    check_split(vec![Column::Number(vec![1.0, 1.0, 2.0, 2.0])], &[0, 1, 0, 1], None);
}

#[test]
fn absent_is_below_every_number() {
    let numbers = Column::Number(vec![ABSENT, ABSENT, f64::MIN, 0.0]);
    check_split(vec![numbers], &[1, 1, 0, 0], Some((0, Cut::Between { lower: 0, upper: 1 })));
}

#[test]
fn nominal_values_are_parted_all_at_once() {
    check_split(vec![name(&[2, 0, 2, 1], 3)], &[0, 1, 0, 2], Some((0, Cut::ByValue)));
    check_split(vec![name(&[0, 1, 0, 1], 2)], &[0, 0, 1, 1], None);
}

#[test]
fn the_better_column_wins_and_of_equals_the_first() {
    let poor = Column::Number(vec![1.0, 2.0, 1.0, 2.0, 1.0]);
    let good = Column::Number(vec![1.0, 1.0, 2.0, 2.0, 2.0]);
    let classes = [0, 0, 1, 1, 1];
    let cut = Cut::Between { lower: 0, upper: 1 };
    check_split(vec![poor.clone(), good.clone()], &classes, Some((1, cut)));
    check_split(vec![poor, name(&[0, 0, 1, 1, 1], 2), good], &classes, Some((1, Cut::ByValue)));
}

#[test]
fn the_score_is_minus_the_entropy_that_is_left() {
    // 1 2 | 3 4 5 with classes 0 0 | 0 1 1: three rows at 0.9183 bits are left.
    let split = best_split(vec![Column::Number(vec![1.0, 1.0, 2.0, 2.0, 2.0])], &[0, 0, 0, 1, 1]).unwrap();
    let bits = split.score as f64 / f64::powi(2.0, 32);
    assert!((bits + 2.754_887_502_163_468_5).abs() < 1e-8, "{bits}");
}

#[test]
fn a_tree_worked_by_hand() {
    use super::tree::{Node, Tree};
    // A nominal split (value 1 has no rows), then a cut at 1.5 of column 1.
    let tree = Tree {
        nodes: vec![
            Node::Name { column: 0, cardinality: 3, children: 1, slots: 0 },
            Node::Mixed { first: 0, count: 2 },
            Node::Pure { class: 0, weight: 1 },
            Node::Number { column: 1, children: 4, threshold: 1.5 },
            Node::Mixed { first: 2, count: 2 },
            Node::Pure { class: 1, weight: 4 },
        ],
        shares: vec![(0, 2), (1, 6), (0, 1), (1, 2)],
        slots: vec![1, 0, 2],
    };
    let kinds = [tree::ColumnKind::Name { cardinality: 3 }, tree::ColumnKind::Number];
    tree.check_loaded(&kinds, 2).unwrap();
    let check = |row: [f64; 2], expected: [f64; 2], contributions: [f64; 2]| {
        let mut distribution = [0.0; 2];
        tree.add_to(&row, &mut distribution);
        assert_close(&distribution, &expected);
        let mut changes = [0.0; 2];
        let base = tree.explain(&row, 1, &mut changes);
        assert_close(&[base], &[6.0 / 8.0]);
        assert_close(&changes, &contributions);
    };
    check([0.0, 9.0], [1.0, 0.0], [-6.0 / 8.0, 0.0]);
    check([2.0, 1.0], [1.0 / 3.0, 2.0 / 3.0], [6.0 / 7.0 - 6.0 / 8.0, 2.0 / 3.0 - 6.0 / 7.0]);
    check([2.0, 1.5], [0.0, 1.0], [6.0 / 7.0 - 6.0 / 8.0, 1.0 - 6.0 / 7.0]);
    // A value without rows, a value that is none and an absent one get the node's own distribution.
    for value in [1.0, 3.0, ABSENT] {
        check([value, 1.0], [0.25, 0.75], [0.0, 0.0]);
    }
    // An absent number is below the cut.
    check([2.0, ABSENT], [1.0 / 3.0, 2.0 / 3.0], [6.0 / 7.0 - 6.0 / 8.0, 2.0 / 3.0 - 6.0 / 7.0]);
}

#[test]
fn unsound_trees_are_refused() {
    use super::tree::{ColumnKind, Node, Tree};
    let leaf = Node::Pure { class: 0, weight: 1 };
    let cut = |children, threshold| Node::Number { column: 0, children, threshold };
    let refused = |nodes: Vec<Node>, shares: Vec<(u16, u32)>, slots: Vec<u16>| {
        let tree = Tree { nodes, shares, slots };
        let kinds = [ColumnKind::Number, ColumnKind::Name { cardinality: 2 }];
        assert!(tree.check_loaded(&kinds, 2).is_err(), "{tree:?}");
    };
    refused(vec![], vec![], vec![]);
    refused(vec![Node::Pure { class: 2, weight: 1 }], vec![], vec![]);
    refused(vec![Node::Pure { class: 0, weight: 0 }], vec![], vec![]);
    refused(vec![Node::Mixed { first: 0, count: 0 }], vec![], vec![]);
    refused(vec![Node::Mixed { first: u32::MAX, count: 2 }], vec![(0, 1)], vec![]);
    refused(vec![Node::Mixed { first: 0, count: 1 }], vec![(2, 1)], vec![]);
    refused(vec![cut(0, 1.0), leaf], vec![], vec![]);
    refused(vec![cut(1, 1.0), leaf], vec![], vec![]);
    refused(vec![cut(1, f64::NAN), leaf, leaf], vec![], vec![]);
    refused(vec![Node::Number { column: 1, children: 1, threshold: 1.0 }, leaf, leaf], vec![], vec![]);
    let name = |slots| Node::Name { column: 1, cardinality: 2, children: 1, slots };
    refused(vec![name(0), leaf, leaf], vec![], vec![1]);
    refused(vec![name(0), leaf, leaf], vec![], vec![0, 0]);
    refused(vec![name(0), leaf, leaf], vec![], vec![1, 2]);
    refused(vec![name(0), cut(2, 1.0), leaf, leaf], vec![], vec![1, 0]);
}

#[test]
fn a_forest_learns_what_a_column_tells() {
    let rows = 400_u16;
    let numbers = (0..rows).map(|row| f64::from(row % 40)).collect();
    let noise = (0..rows).map(|row| f64::from(row * 7919 % 97)).collect();
    let row_classes = (0..rows).map(|row| u16::from(row % 40 >= 20)).collect();
    let table = Table::new(vec![Column::Number(numbers), Column::Number(noise)], row_classes, 2).unwrap();
    for backend in [Stage1Backend::Forest, Stage1Backend::Smartcore] {
        let forest = fit(backend, &table, (&options(20), None), jobs(1)).unwrap();
        assert_eq!(forest.trees(), 20);
        assert!(forest.distribution(&[3.0, 50.0])[0] > 0.9, "{backend}");
        assert!(forest.distribution(&[35.0, 50.0])[1] > 0.9, "{backend}");
    }
}

#[test]
fn the_number_of_columns_tried_is_wekas() {
    let tried = |columns| options(1).columns_per_node(columns);
    assert_eq!([1, 2, 3, 4, 7, 8, 12, 16].map(tried), [1, 2, 2, 3, 3, 4, 4, 5]);
    let asked = ForestOptions { attributes_per_node: Some(9), ..options(1) };
    assert_eq!([4, 12].map(|columns| asked.columns_per_node(columns)), [4, 9]);
}

#[test]
fn a_forest_without_trees_is_refused() {
    let table = Table::new(vec![Column::Number(vec![1.0, 2.0])], vec![0, 1], 2).unwrap();
    assert_eq!(
        Forest::fit(&table, &options(0), jobs(1)).unwrap_err().to_string(),
        "unsupported trees '0': expected 1 to 10000"
    );
}

#[test]
fn smartcores_trees_vote_as_smartcore_says() {
    let rows = 300_u16;
    let columns: Vec<Vec<f64>> = [(7, 31), (13, 17), (29, 97)]
        .map(|(step, size)| (0..rows).map(|row| f64::from(row * step % size)).collect())
        .into();
    let row_classes: Vec<u16> = (0..rows).map(|row| row * 11 % 23 % 3).collect();
    let table = Table::new(columns.iter().cloned().map(Column::Number).collect(), row_classes, 3).unwrap();
    let (forest, votes) = smartcore::fit_with_votes(&table, &options(9)).unwrap();
    for row in 0..usize::from(rows) {
        let values = columns.iter().map(|column| column[row]).collect::<Vec<_>>();
        assert_close(&forest.distribution(&values), &votes[row]);
    }
}

fn assert_close(left: &[f64], right: &[f64]) {
    let close = left.len() == right.len() && left.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(close, "{left:?} is not {right:?}");
}

fn any_table() -> impl Strategy<Value = Table> {
    let number = prop_oneof![
        Just(ABSENT),
        (-4..4_i8).prop_map(f64::from),
        any::<f64>().prop_map(|value| number(Some(value)))
    ];
    let row = (number.clone(), 0..5_u16, number, 0..3_u16);
    proptest::collection::vec(row, 1..60).prop_map(|rows| {
        let columns = vec![
            Column::Number(rows.iter().map(|row| row.0).collect()),
            Column::Name { values: rows.iter().map(|row| row.1).collect(), cardinality: 5 },
            Column::Number(rows.iter().map(|row| row.2).collect()),
        ];
        Table::new(columns, rows.iter().map(|row| row.3).collect(), 3).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn forests_are_sound_and_their_answers_are_distributions(
        table in any_table(),
        row in (any::<f64>(), 0..7_u16, any::<f64>()),
        seed in any::<u64>(),
    ) {
        let forest = Forest::fit(&table, &ForestOptions { seed, ..options(7) }, jobs(1)).unwrap();
        prop_assert!(forest.check_loaded(3, 3).is_ok());
        prop_assert_eq!(&forest, &Forest::fit(&table, &ForestOptions { seed, ..options(7) }, jobs(3)).unwrap());
        let row = [number(Some(row.0)), f64::from(row.1), number(Some(row.2))];
        let distribution = forest.distribution(&row);
        prop_assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for class in 0..3_u16 {
            let explained = forest.explain(&row, class);
            let sum = explained.base + explained.contributions.iter().sum::<f64>();
            prop_assert!((sum - distribution[usize::from(class)]).abs() < 1e-9);
        }
    }

    #[test]
    fn rows_that_differ_are_learned_by_heart(table in any_table()) {
        let ranked = RankedTable::new(&table);
        let information = Information::up_to(table.rows());
        let tree = grow::Grower::new(&ranked, &information, 3).grow(Generator::new(1, Purpose::Tree(0)));
        let drawn = sample::bootstrap(table.row_classes(), &mut Generator::new(1, Purpose::Tree(0)));
        for row in drawn {
            let values: Vec<f64> = table.columns().iter().map(|column| match column {
                Column::Number(numbers) => numbers[row.number as usize],
                Column::Name { values, .. } => f64::from(values[row.number as usize]),
            }).collect();
            let mut distribution = [0.0; 3];
            tree.add_to(&values, &mut distribution);
            prop_assert!(distribution[usize::from(row.class)] > 0.0, "{row:?} is not known to {tree:?}");
        }
    }
}
