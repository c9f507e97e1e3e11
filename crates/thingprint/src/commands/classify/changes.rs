//! What changed, as rows for programs and tables for people.

use serde::Serialize;
use thingprint_change::{Alarm, Change, DayChange, DeviceState, DeviceStatus, Excess, Measure};
use thingprint_flow::Timestamp;
use thingprint_table::{Cell, Column, Json, Table, Type, rfc3339};

use super::baseline::Comparison;

/// What a row is of, where answers and changes stand in one table.
const KIND: &str = "kind";
/// Columns of changes, behind those of answers.
const CHANGE_COLUMNS: [(&str, Type); 8] = [
    ("state", Type::Text),
    ("changed", Type::Json),
    ("devices_alarming", Type::Unsigned),
    ("devices_seen", Type::Unsigned),
    ("baseline_windows", Type::Unsigned),
    ("compared_windows", Type::Unsigned),
    ("alarms", Type::Unsigned),
    ("last_seen", Type::Time),
];

/// A measure above its limit, as JSON.
#[derive(Serialize)]
struct Changed<'a> {
    measure: &'static str,
    value: f64,
    limit: f64,
    new_words: usize,
    words: Vec<NewWord<'a>>,
}

#[derive(Serialize)]
struct NewWord<'a> {
    word: &'a str,
    count: u64,
    first_seen: String,
}

/// The alarm of a device in an event of the network, as JSON.
#[derive(Serialize)]
struct OfDevice<'a> {
    device: String,
    changed: Vec<Changed<'a>>,
}

/// A new word of a day, as JSON.
#[derive(Serialize)]
struct Lasting<'a> {
    bag: &'static str,
    word: &'a str,
    windows: u64,
    of_windows: u64,
    first_seen: String,
}

/// The cells of a row that is no answer; what it does not have is absent.
#[derive(Default)]
struct Row {
    kind: &'static str,
    device: Option<String>,
    day: Option<Timestamp>,
    window: Option<Timestamp>,
    state: Option<&'static str>,
    changed: Option<Json>,
    devices_alarming: Option<u64>,
    devices_seen: Option<u64>,
    status: Option<[u64; 3]>,
    last_seen: Option<Timestamp>,
}

/// Answers, then changes, then what is known of each device, in one table.
pub(super) fn with_answers(mut answers: Table, comparison: &Comparison) -> anyhow::Result<Table> {
    let columns = answers.columns().iter().map(|column| (column.name().to_owned(), column.values().r#type()));
    let columns = [(KIND.to_owned(), Type::Text)].into_iter().chain(columns);
    let own = CHANGE_COLUMNS.iter().map(|(name, r#type)| ((*name).to_owned(), *r#type));
    let mut table = Table::new(columns.chain(own).map(|(name, r#type)| Column::new(name, r#type)));
    let (width, day, window) = (answers.columns().len(), answers.position("day"), answers.position("window"));
    for row in 0..answers.rows() {
        let cells: Vec<Cell> = (0..width).map(|column| answers.take(column, row)).collect();
        let has = |place: Option<usize>| {
            place.and_then(|at| cells.get(at)).is_some_and(|cell| *cell != Cell::Absent)
        };
        let kind = [("window", window), ("day", day)].into_iter().find(|(_, place)| has(*place));
        let kind = Cell::from(kind.map_or("device", |(kind, _)| kind));
        table.push([kind].into_iter().chain(cells).chain(CHANGE_COLUMNS.map(|_| Cell::Absent)))?;
    }
    let changes = comparison.changes.iter().map(Row::of_change);
    let statuses = comparison.devices.iter().map(|status| Ok(Row::of_status(status)));
    let places = [answers.position("device"), day, window];
    for row in changes.chain(statuses) {
        table.push(row?.cells(width, places))?;
    }
    Ok(table)
}

impl Row {
    fn of_change(change: &Change) -> anyhow::Result<Self> {
        Ok(match change {
            Change::Alarm(alarm) => Self {
                kind: "alarm",
                device: Some(alarm.device.to_string()),
                window: Some(alarm.window_start),
                changed: Some(Json::of(&changed(alarm))?),
                ..Self::default()
            },
            Change::Network(event) => {
                let device = |alarm: &Alarm| alarm.device.to_string();
                let alarms = event.alarms.iter();
                let alarms: Vec<OfDevice<'_>> =
                    alarms.map(|alarm| OfDevice { device: device(alarm), changed: changed(alarm) }).collect();
                Self {
                    kind: "network-event",
                    window: Some(event.window_start),
                    changed: Some(Json::of(&alarms)?),
                    devices_alarming: Some(event.alarms.len() as u64),
                    devices_seen: Some(event.devices_seen as u64),
                    ..Self::default()
                }
            }
            Change::Day(change) => Self {
                kind: "day-change",
                device: Some(change.device.to_string()),
                day: Some(change.day),
                changed: Some(Json::of(&lasting(change))?),
                ..Self::default()
            },
        })
    }

    fn of_status(status: &DeviceStatus) -> Self {
        Self {
            kind: "status",
            device: Some(status.device.to_string()),
            state: Some(state(status.state)),
            status: Some([status.baseline_windows as u64, status.windows, status.alarms]),
            last_seen: status.last_seen,
            ..Self::default()
        }
    }

    /// The cells, with `width` columns of answers, among which those of device, day and window stand at these places.
    fn cells(self, width: usize, [device, day, window]: [Option<usize>; 3]) -> Vec<Cell> {
        let mut of_answers = vec![Cell::Absent; width];
        let places = [
            (device, Cell::from(self.device)),
            (day, Cell::from(self.day)),
            (window, Cell::from(self.window)),
        ];
        for (place, cell) in places {
            if let Some(place) = place.and_then(|place| of_answers.get_mut(place)) {
                *place = cell;
            }
        }
        let count = |at: usize| self.status.and_then(|status| status.get(at).copied());
        let own = [
            Cell::from(self.state),
            Cell::from(self.changed),
            Cell::from(self.devices_alarming),
            Cell::from(self.devices_seen),
            Cell::from(count(0)),
            Cell::from(count(1)),
            Cell::from(count(2)),
            Cell::from(self.last_seen),
        ];
        [Cell::from(self.kind)].into_iter().chain(of_answers).chain(own).collect()
    }
}

fn changed(alarm: &Alarm) -> Vec<Changed<'_>> {
    alarm.excesses.iter().map(Changed::of).collect()
}

impl<'a> Changed<'a> {
    fn of(excess: &'a Excess) -> Self {
        let words = excess.words.iter().map(|new| NewWord {
            word: &new.word,
            count: new.count,
            first_seen: rfc3339::format(new.first_seen),
        });
        Self {
            measure: excess.measure.name(),
            value: excess.value,
            limit: excess.limit,
            new_words: excess.new_words,
            words: words.collect(),
        }
    }
}

fn lasting(change: &DayChange) -> Vec<Lasting<'_>> {
    let words = change.words.iter().map(|word| Lasting {
        bag: word.bag.name(),
        word: &word.word,
        windows: word.windows,
        of_windows: word.of_windows,
        first_seen: rfc3339::format(word.first_seen),
    });
    words.collect()
}

const fn state(state: DeviceState) -> &'static str {
    match state {
        DeviceState::Compared => "compared",
        DeviceState::TooFew => "too-few",
        DeviceState::New => "new",
        DeviceState::Silent => "silent",
    }
}

/// Tables for people, each with its heading; those without a row are left out.
pub(super) fn sections(comparison: &Comparison) -> Vec<(String, Table)> {
    let sections = [
        ("Alarms", alarms(comparison)),
        ("Events of the network", events(comparison)),
        ("Changes by day", days(comparison)),
        ("New, unknown and silent devices", statuses(comparison)),
    ];
    let filled = sections.into_iter().filter(|(_, table)| table.rows() > 0);
    filled.map(|(heading, table)| (heading.to_owned(), table)).collect()
}

fn alarms(comparison: &Comparison) -> Table {
    let mut table = Table::new([
        Column::texts("device"),
        Column::new("window", Type::Time),
        Column::texts("measure"),
        Column::decimals("value", 0),
        Column::decimals("limit", 0),
        Column::texts("new words"),
        Column::new("first seen", Type::Time),
    ]);
    for change in &comparison.changes {
        let Change::Alarm(alarm) = change else { continue };
        for excess in &alarm.excesses {
            table.add([
                Cell::from(alarm.device.to_string()),
                Cell::from(alarm.window_start),
                Cell::from(excess.measure.name()),
                Cell::from(excess.value),
                Cell::from(excess.limit),
                Cell::from(words(excess)),
                Cell::from(excess.words.iter().map(|new| new.first_seen).min()),
            ]);
        }
    }
    table
}

/// The words that an excess names, with their counts, and how many there are besides.
fn words(excess: &Excess) -> Option<String> {
    let mut words: Vec<String> =
        excess.words.iter().map(|new| format!("{} x{}", new.word, new.count)).collect();
    let more = excess.new_words - excess.words.len().min(excess.new_words);
    if more > 0 {
        words.push(format!("{more} more"));
    }
    (!words.is_empty()).then(|| words.join(", "))
}

fn events(comparison: &Comparison) -> Table {
    let mut table = Table::new([
        Column::new("window", Type::Time),
        Column::count("alarming"),
        Column::count("seen"),
        Column::texts("devices"),
        Column::texts("measures"),
    ]);
    for change in &comparison.changes {
        let Change::Network(event) = change else { continue };
        let devices: Vec<String> = event.alarms.iter().map(|alarm| alarm.device.to_string()).collect();
        let measures = event.alarms.iter().flat_map(|alarm| &alarm.excesses).map(|excess| excess.measure);
        let measures: std::collections::BTreeSet<_> = measures.collect();
        let measures: Vec<&str> = measures.into_iter().map(Measure::name).collect();
        table.add([
            Cell::from(event.window_start),
            Cell::from(event.alarms.len() as u64),
            Cell::from(event.devices_seen as u64),
            Cell::from(devices.join(", ")),
            Cell::from(measures.join(", ")),
        ]);
    }
    table
}

fn days(comparison: &Comparison) -> Table {
    let mut table = Table::new([
        Column::texts("device"),
        Column::new("day", Type::Time),
        Column::texts("bag"),
        Column::texts("new word"),
        Column::count("windows"),
        Column::count("of"),
        Column::new("first seen", Type::Time),
    ]);
    for change in &comparison.changes {
        let Change::Day(change) = change else { continue };
        for word in &change.words {
            table.add([
                Cell::from(change.device.to_string()),
                Cell::from(change.day),
                Cell::from(word.bag.name()),
                Cell::from(word.word.as_str()),
                Cell::from(word.windows),
                Cell::from(word.of_windows),
                Cell::from(word.first_seen),
            ]);
        }
    }
    table
}

fn statuses(comparison: &Comparison) -> Table {
    let mut table = Table::new([
        Column::texts("device"),
        Column::texts("state"),
        Column::count("earlier windows"),
        Column::count("windows"),
        Column::new("last seen", Type::Time),
    ]);
    for status in comparison.devices.iter().filter(|status| status.state != DeviceState::Compared) {
        table.add([
            Cell::from(status.device.to_string()),
            Cell::from(state(status.state)),
            Cell::from(status.baseline_windows as u64),
            Cell::from(status.windows),
            Cell::from(status.last_seen),
        ]);
    }
    table
}
