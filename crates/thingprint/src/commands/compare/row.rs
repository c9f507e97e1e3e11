use std::cmp::Ordering;
use std::collections::BTreeSet;

use thingprint_audit::Severity;
use thingprint_change::{
    DeviceDifferences, Difference, Measure, MovedNumber, NetworkEvent, Passing, Presence, Turn, TurnedWord,
};
use thingprint_flow::{DeviceId, Timestamp};

/// Most words that a row spells out.
const MOST_WORDS: usize = 8;

/// A row of the result: something that is not as it was.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) severity: Severity,
    pub(super) kind: Kind,
    /// The device; `None` for the network.
    pub(super) device: Option<DeviceId>,
    pub(super) label: Option<String>,
    /// What differs: an aspect, a measure, the id of a rule.
    pub(super) what: String,
    /// The same in words, with its unit, where it has any.
    pub(super) title: Option<String>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    /// What is usual for the device.
    pub(super) usual: Option<String>,
    /// How unusual it is, as a multiple of what is still usual; `None` where that is not known or has no measure.
    pub(super) unusual: Option<f64>,
    /// Windows that show it.
    pub(super) windows: Option<u64>,
    pub(super) first_seen: Option<Timestamp>,
    pub(super) last_seen: Option<Timestamp>,
    /// Words that came or went, with the number of windows that have them.
    pub(super) words: Vec<(String, u64)>,
    /// Whether it stands on its own, whatever is usual.
    pub(super) always: bool,
    /// How severe the worst finding of the earlier time was that is not there any more.
    pub(super) earlier_severity: Option<Severity>,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    NewDevice,
    GoneDevice,
    SilentDevice,
    New,
    Gone,
    OutsideRange,
    Passing,
    /// What passed, where other rows report it.
    Explained,
    Verdict,
    NewFinding,
    /// The rule judged the device again, and found nothing.
    MendedFinding,
    /// It judged too little to say that.
    UnseenFinding,
    /// It judged nothing of the device.
    UnjudgedFinding,
    NetworkEvent,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NewDevice => "new-device",
            Self::GoneDevice => "gone-device",
            Self::SilentDevice => "silent-device",
            Self::New => "new",
            Self::Gone => "gone",
            Self::OutsideRange => "outside-range",
            Self::Passing => "passing",
            Self::Explained => "explained",
            Self::Verdict => "verdict",
            Self::NewFinding => "new-finding",
            Self::MendedFinding => "mended-finding",
            Self::UnseenFinding => "unseen-finding",
            Self::UnjudgedFinding => "unjudged-finding",
            Self::NetworkEvent => "network-event",
        }
    }
}

impl Kind {
    /// Whether it is a finding of the earlier time that is not there any more: no change for the worse.
    pub(super) const fn is_gone_finding(self) -> bool {
        matches!(self, Self::MendedFinding | Self::UnseenFinding | Self::UnjudgedFinding)
    }

    /// What it is called for people where the table is of findings.
    pub(super) const fn of_finding(self) -> &'static str {
        match self {
            Self::MendedFinding => "mended",
            Self::UnseenFinding => "not seen again",
            Self::UnjudgedFinding => "not judged again",
            _ => "new",
        }
    }
}

impl Row {
    /// A row that stands on its own, with nothing but its kind.
    pub(super) const fn new(severity: Severity, kind: Kind, device: Option<DeviceId>) -> Self {
        Self {
            severity,
            kind,
            device,
            label: None,
            what: String::new(),
            title: None,
            before: None,
            after: None,
            usual: None,
            unusual: None,
            windows: None,
            first_seen: None,
            last_seen: None,
            words: Vec::new(),
            always: true,
            earlier_severity: None,
        }
    }

    /// Whether it is worth a line where only the unusual is asked for.
    pub(super) fn is_unusual(&self) -> bool {
        let is_unusual = self.unusual.is_some_and(|unusual| unusual > 1.0);
        self.always || (is_unusual && self.kind != Kind::Explained)
    }

    /// The order of rows: first what stands on its own and is no note, by severity; then what has a measure of how unusual it is, by
    /// that; then notes without one.
    pub(super) fn by_rank(a: &Self, b: &Self) -> Ordering {
        let stands = |row: &Self| row.always && row.severity > Severity::Note;
        let unusual = |row: &Self| row.unusual.unwrap_or(0.0);
        let by_measure = stands(b).cmp(&stands(a)).then(unusual(b).total_cmp(&unusual(a)));
        by_measure.then(b.severity.cmp(&a.severity)).then_with(|| a.device.cmp(&b.device))
    }

    /// What it says, in a few words.
    pub(super) fn in_words(&self) -> String {
        let address = self.device.map_or_else(|| "the network".to_owned(), |device| device.to_string());
        let who = self.label.as_ref().unwrap_or(&address);
        let [before, after, usual] =
            [&self.before, &self.after, &self.usual].map(|text| text.as_deref().unwrap_or("nothing"));
        let what = self.title.as_ref().unwrap_or(&self.what);
        match self.kind {
            Kind::NewDevice => format!("{who} is new"),
            Kind::GoneDevice => format!("{who} is gone"),
            Kind::SilentDevice => format!("{who} fell silent"),
            Kind::New => format!("{who} has new {what}: {after}"),
            Kind::Gone => format!("{who} has no more {what}: {before}"),
            Kind::OutsideRange => format!("{who} has {what} of {after}, usually {usual}"),
            Kind::Passing | Kind::Explained => {
                let windows = windows(self.windows.unwrap_or(1));
                format!("{who} had unusual {what} in {windows}: {after}, usually {usual}")
            }
            Kind::Verdict => format!("{who} behaved like {before}, and now like {after}"),
            Kind::NewFinding if self.before.is_some() => {
                format!("{who} has the finding {what}: {after}; it was {before}, so it may be old")
            }
            Kind::NewFinding => format!("{who} has the finding {what}: {after}"),
            Kind::MendedFinding => format!("{who} has the finding {what} no more: {before}"),
            Kind::UnseenFinding => {
                format!("the finding {what} of {who} was not seen again ({after}): {before}")
            }
            Kind::UnjudgedFinding => {
                format!("the finding {what} of {who} was not judged again ({after}): {before}")
            }
            Kind::NetworkEvent => format!("{after} in one window"),
        }
    }

    /// The rows of a device.
    pub(super) fn of_device(of: &DeviceDifferences) -> Vec<Self> {
        let presence = match of.presence {
            Presence::Both => None,
            Presence::New => Some((Severity::Warning, Kind::NewDevice)),
            Presence::Gone => Some((Severity::Note, Kind::GoneDevice)),
            Presence::Silent => Some((Severity::Note, Kind::SilentDevice)),
        };
        let presence = presence.map(|(severity, kind)| Self {
            what: "device".to_owned(),
            before: Some(windows(of.windows[0] as u64)),
            after: Some(windows(of.windows[1] as u64)),
            first_seen: of.seen.map(|(first, _)| first),
            last_seen: of.seen.map(|(_, last)| last),
            ..Self::new(severity, kind, Some(of.device))
        });
        let differences =
            of.differences.iter().flat_map(|difference| Self::of_difference(of.device, difference));
        presence.into_iter().chain(differences).collect()
    }

    /// Words that came or went for good are one row, those that come now and then another.
    fn of_difference(device: DeviceId, difference: &Difference) -> Vec<Self> {
        let row = |severity, kind| Self {
            what: difference.name().to_owned(),
            title: Some(difference.title()),
            unusual: difference.unusual(),
            always: false,
            ..Self::new(severity, kind, Some(device))
        };
        match difference {
            Difference::Words { turn, words, usual, .. } => {
                let (severity, kind) = match turn {
                    Turn::New => (Severity::Warning, Kind::New),
                    Turn::Gone => (Severity::Note, Kind::Gone),
                };
                let (lasting, others): (Vec<&TurnedWord>, Vec<&TurnedWord>) =
                    words.iter().partition(|word| word.is_lasting());
                let usual = format!("{} in as long a time", number(*usual));
                let lasting = (!lasting.is_empty())
                    .then(|| Self { usual: Some(usual), ..row(severity, kind).with_words(*turn, &lasting) });
                let others = (!others.is_empty()).then(|| Self {
                    unusual: others.iter().all(|word| word.pauses.is_some()).then_some(0.0),
                    ..row(Severity::Note, kind).with_words(*turn, &others)
                });
                lasting.into_iter().chain(others).collect()
            }
            Difference::Number { moved, .. } => {
                vec![row(Severity::Warning, Kind::OutsideRange).with_number(moved)]
            }
            Difference::Passing(passing) => vec![row(Severity::Warning, Kind::Passing).with_passing(passing)],
            Difference::Explained(passing) => {
                vec![row(Severity::Note, Kind::Explained).with_passing(passing)]
            }
        }
    }

    fn with_words(self, turn: Turn, words: &[&TurnedWord]) -> Self {
        let listed = spelled(words.iter().map(|word| (word.word.as_str(), word.windows as u64)));
        let (before, after) = match turn {
            Turn::New => (None, Some(listed)),
            Turn::Gone => (Some(listed), None),
        };
        Self {
            before,
            after,
            windows: words.iter().map(|word| word.windows as u64).max(),
            first_seen: words.iter().map(|word| word.first_seen).min(),
            last_seen: words.iter().map(|word| word.last_seen).max(),
            words: words.iter().map(|word| (word.word.clone(), word.windows as u64)).collect(),
            ..self
        }
    }

    fn with_number(self, moved: &MovedNumber) -> Self {
        let (low, high) = moved.usual;
        Self {
            before: Some(number(moved.before)),
            after: Some(number(moved.after)),
            usual: Some(format!("{} to {}", number(low), number(high))),
            ..self
        }
    }

    fn with_passing(self, passing: &Passing) -> Self {
        let Passing { windows, measures, most, .. } = passing;
        let words = spelled(most.words.iter().map(|new| (new.word.as_str(), new.count)));
        let more = most.new_words - most.words.len().min(most.new_words);
        let words = match (words.is_empty(), more) {
            (true, _) => String::new(),
            (false, 0) => format!(": {words}"),
            (false, more) => format!(": {words}, {more} more"),
        };
        let measure = most.measure.name();
        let others = || measures.iter().copied().filter(|other| *other != most.measure);
        let names: Vec<&str> = std::iter::once(measure).chain(others().map(Measure::name)).collect();
        let titles = std::iter::once(most.measure).chain(others()).map(Measure::title);
        Self {
            what: names.join(", "),
            title: Some(titles.collect::<Vec<_>>().join(", ")),
            after: Some(format!("{}{words}", number(most.value))),
            usual: Some(format!("up to {}", number(most.limit))),
            windows: Some(windows.len() as u64),
            first_seen: windows.first().copied(),
            last_seen: windows.last().copied(),
            words: most.words.iter().map(|new| (new.word.clone(), new.count)).collect(),
            ..self
        }
    }

    /// The row of a window in which many devices did something new.
    pub(super) fn of_event(event: &NetworkEvent) -> Self {
        let alarming = event.alarms.len();
        let excesses = event.alarms.iter().flat_map(|alarm| &alarm.excesses);
        let measures: BTreeSet<_> = excesses.map(|excess| excess.measure).collect();
        let measures: Vec<&str> = measures.into_iter().map(Measure::name).collect();
        Self {
            what: measures.join(", "),
            after: Some(format!("{alarming} of {} devices did something new", event.devices_seen)),
            windows: Some(1),
            first_seen: Some(event.window_start),
            last_seen: Some(event.window_start),
            words: event.alarms.iter().map(|alarm| (alarm.device.to_string(), 1)).collect(),
            ..Self::new(Severity::Note, Kind::NetworkEvent, None)
        }
    }
}

fn windows(count: u64) -> String {
    crate::messages::counted(count, "window", "windows")
}

/// Words with their counts, and how many there are besides.
fn spelled<'a>(words: impl ExactSizeIterator<Item = (&'a str, u64)>) -> String {
    let all = words.len();
    let mut listed: Vec<String> =
        words.take(MOST_WORDS).map(|(word, count)| format!("{word} x{count}")).collect();
    if all > MOST_WORDS {
        listed.push(format!("{} more", all - MOST_WORDS));
    }
    listed.join(", ")
}

/// A number with three digits that mean something.
fn number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_unusual_comes_first_whatever_its_severity() {
        let row = |severity, kind, unusual: Option<f64>| Row {
            unusual,
            always: unusual.is_none(),
            ..Row::new(severity, kind, None)
        };
        let mut rows = [
            row(Severity::Note, Kind::MendedFinding, None),
            row(Severity::Warning, Kind::OutsideRange, Some(1.5)),
            row(Severity::Note, Kind::Gone, Some(8.0)),
            row(Severity::Warning, Kind::Verdict, None),
            row(Severity::Warning, Kind::New, Some(4.0)),
            row(Severity::Error, Kind::NewFinding, None),
        ];
        rows.sort_by(Row::by_rank);
        let kinds = rows.map(|row| row.kind.name());
        assert_eq!(kinds, ["new-finding", "verdict", "gone", "new", "outside-range", "mended-finding"]);
    }
}
