//! The taps as a table.

use std::collections::{BTreeMap, BTreeSet};

use thingprint_table::{Column, Table};
use thingprint_taps::{Name, TapState};

/// A row for each tap, with whether it holds windows back.
pub(super) fn taps(taps: &BTreeMap<Name, TapState>, holding: &BTreeSet<Name>) -> Table {
    let counts = |count: fn(&TapState) -> u64| taps.values().map(count).collect::<Vec<u64>>();
    Table::of(vec![
        Column::new("tap", taps.keys().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()),
        Column::new("parts", counts(|tap| tap.parcels)),
        Column::new("until", taps.values().map(|tap| tap.until).collect::<Vec<_>>()),
        Column::new("is_ended", taps.values().map(|tap| tap.is_ended).collect::<Vec<_>>()),
        Column::new("holds_back", taps.keys().map(|name| holding.contains(name)).collect::<Vec<_>>()),
        Column::new("dropped", counts(|tap| tap.dropped)),
        Column::new("missing", counts(|tap| tap.missing)),
        Column::new("late", counts(|tap| tap.late)),
    ])
}
