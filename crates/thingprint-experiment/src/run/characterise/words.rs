//! Server ports and domain names by frequency (Figs. 4 and 5).
use std::cmp::Reverse;

use thingprint_figure::{Axis, Class, Estimate, Ranking, RankingRow};
use thingprint_instance::BagName;
use thingprint_table::{Cell, Column, Table};

use super::{Traffic, words_of};
use crate::outcome::Section;

/// The most frequent words of each class; tables show this many times as many as figures.
const TABLE_FACTOR: usize = 4;

pub(super) fn section(traffic: &Traffic<'_>, bag: BagName, most_words: usize) -> Section {
    let mut table = Table::new([
        Column::texts("class"),
        Column::count("distinct"),
        Column::texts("word"),
        Column::count("times"),
        Column::percent("share", 1),
    ]);
    let mut rows = Vec::new();
    for (class, instances) in &traffic.instances {
        let words = words_of(instances, bag);
        let total: u64 = words.values().sum();
        let mut order: Vec<(&str, u64)> = words.iter().map(|(word, count)| (*word, *count)).collect();
        order.sort_by_key(|(_, count)| Reverse(*count));
        let share = |count: u64| count as f64 / total as f64;
        for (word, count) in order.iter().take(TABLE_FACTOR * most_words) {
            table.add([
                Cell::from(*class),
                Cell::from(words.len()),
                Cell::from(*word),
                Cell::from(*count),
                Cell::from(share(*count)),
            ]);
        }
        let Some(place) = traffic.drawn.iter().position(|drawn| drawn == class) else { continue };
        rows.extend(order.iter().take(most_words).map(|(word, count)| {
            let row =
                RankingRow { label: (*word).to_owned(), value: Estimate::from(share(*count)), class: place };
            (place, row)
        }));
    }
    rows.sort_by_key(|(place, _)| *place);
    let names = traffic.drawn.iter().map(|class| {
        let distinct = traffic.instances.get(class).map_or(0, |rows| words_of(rows, bag).len());
        format!("{class} {{{distinct}}}")
    });
    let chart = Ranking {
        title: bag.title().to_owned(),
        description: "The most frequent words of each class, with the number of distinct ones in braces"
            .to_owned(),
        value: Axis::percent("share of the class's words"),
        classes: Class::list(names.collect::<Vec<_>>()),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
    };
    Section {
        name: bag.name().replace('_', "-"),
        heading: bag.title().to_owned(),
        prose: format!(
            "The most frequent words of each class in its bag of {bag}, and how many distinct ones there are."
        ),
        table,
        chart: (!chart.rows.is_empty()).then(|| chart.into()),
    }
}
