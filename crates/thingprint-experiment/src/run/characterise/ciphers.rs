//! Cipher lists as signatures (Figs. 8 and 9).
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use thingprint_figure::{Class, Strip, StripCell, Strips};
use thingprint_instance::BagName;
use thingprint_table::{Cell, Column, Table};

use super::{Traffic, words_of};
use crate::outcome::Section;

/// Most lists of one class in the figure.
const MOST_LISTS: usize = 3;

/// Who offers a code, in the order of the figure's colours.
const SHARING: [&str; 3] = ["offered by this class only", "by several classes", "by all with a list"];

pub(super) fn section(traffic: &Traffic<'_>) -> Section {
    let lists: BTreeMap<&str, BTreeMap<&str, u64>> = traffic
        .instances
        .iter()
        .map(|(class, rows)| (*class, words_of(rows, BagName::CIPHER_SUITES)))
        .filter(|(_, lists)| !lists.is_empty())
        .collect();
    let mut offered_by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut list_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (class, lists) in &lists {
        for list in lists.keys() {
            list_of.entry(list).or_default().insert(class);
            for code in list.split('-') {
                offered_by.entry(code).or_default().insert(class);
            }
        }
    }
    let sharing = |code: &str| match offered_by.get(code).map_or(0, BTreeSet::len) {
        0 | 1 => 0,
        all if all == lists.len() => 2,
        _ => 1,
    };
    let mut table = empty_table();
    let mut strips = Vec::new();
    for (class, lists) in &lists {
        let mut order: Vec<(&str, u64)> = lists.iter().map(|(list, count)| (*list, *count)).collect();
        order.sort_by_key(|(_, count)| Reverse(*count));
        for (at, (list, count)) in order.iter().enumerate() {
            let others = list_of.get(list).into_iter().flatten().filter(|other| *other != class);
            let others: Vec<&str> = others.copied().collect();
            table.add([
                Cell::from(*class),
                Cell::from(lists.len()),
                Cell::from(*list),
                Cell::from(*count),
                Cell::from(list.split('-').count()),
                Cell::from((!others.is_empty()).then(|| others.join(", "))),
            ]);
            if traffic.drawn.contains(class) && at < MOST_LISTS {
                let cell = |code: &str| StripCell { label: code.to_owned(), class: sharing(code) };
                strips.push(Strip {
                    label: format!("{class} {}", at + 1),
                    cells: list.split('-').map(cell).collect(),
                });
            }
        }
    }
    let chart = Strips {
        title: "Cipher lists".to_owned(),
        description: "The suites that each class offers, in its order of preference".to_owned(),
        x_label: "place in the list".to_owned(),
        classes: Class::list(SHARING),
        rows: strips,
    };
    Section {
        name: "cipher-lists".to_owned(),
        heading: "Cipher lists".to_owned(),
        prose: format!(
            "{} of {} classes offer a list. The figure has the {MOST_LISTS} most frequent lists of each class; codes are \
             those of the TLS registry.",
            lists.len(),
            traffic.instances.len()
        ),
        table,
        chart: (!chart.rows.is_empty()).then(|| chart.into()),
    }
}

fn empty_table() -> Table {
    Table::new([
        Column::texts("class"),
        Column::count("lists"),
        Column::texts("list"),
        Column::count("hellos"),
        Column::count("suites"),
        Column::texts("shared with"),
    ])
}
