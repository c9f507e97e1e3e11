use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use thingprint_watch::DeviceRecord;

use crate::problem::Problem;

/// Devices on a page, and by default in an answer of the API: what a browser lays out in an instant.
pub(crate) const PAGE_ROWS: usize = 200;
/// Most devices in an answer of the API.
const MOST_ROWS: usize = 1_000;
/// Longest text that is looked for, in characters: a name of a host has at most 253.
const LONGEST_SEARCH: usize = 300;

/// Which devices are asked for, as the parameters of an address say it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceQuery {
    /// Text that a device has somewhere.
    #[serde(default)]
    pub(crate) q: String,
    /// One of the names of [`Show`].
    #[serde(default)]
    pub(crate) show: String,
    /// One of the names of [`SortKey`], with a `-` in front for the greatest first.
    #[serde(default)]
    pub(crate) sort: String,
    /// From 1.
    pub(crate) page: Option<usize>,
    /// Devices of a page, for the API.
    pub(crate) limit: Option<usize>,
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident: $($(#[$of:meta])* $variant:ident = $text:literal,)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$of])* $variant,)+ }

        impl $name {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in addresses.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl FromStr for $name {
            type Err = Problem;

            fn from_str(text: &str) -> Result<Self, Problem> {
                let found = Self::ALL.iter().find(|one| one.as_str() == text).copied();
                found.ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|one| one.as_str()).collect();
                    Problem::bad(format!("'{text}' is none of {}.", known.join(", ")))
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names! {
    /// Which devices are shown.
    Show:
    /// All.
    All = "all",
    /// Those whose appearance nobody acknowledged.
    New = "new",
    /// Those of no known class.
    Unknown = "unknown",
    /// Those with findings that nobody acknowledged.
    Findings = "findings",
    /// Those with events that nobody acknowledged.
    Events = "events",
    /// Those that a person labelled.
    Labelled = "labelled",
    /// Those that nobody labelled.
    Unlabelled = "unlabelled",
    /// Gateways.
    Gateways = "gateways",
    /// Those whose events stay on the page.
    Muted = "muted",
}

names! {
    /// What devices are sorted by.
    SortKey:
    /// What needs a person: new devices, then findings and events by weight, then names.
    Attention = "attention",
    /// The label, the host name or the address.
    Name = "name",
    /// The class.
    Class = "class",
    /// The confidence of the verdict.
    Confidence = "confidence",
    /// The family or what DHCP says of the vendor.
    Vendor = "vendor",
    /// When it was seen first.
    FirstSeen = "first_seen",
    /// When it was seen last.
    LastSeen = "last_seen",
    /// Its findings, errors first.
    Findings = "findings",
    /// Its open events.
    Events = "events",
    /// Its windows.
    Windows = "windows",
}

/// Which devices of all are shown in which order, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceList {
    pub(crate) search: String,
    pub(crate) show: Show,
    pub(crate) key: SortKey,
    pub(crate) is_descending: bool,
    page: usize,
    rows: usize,
}

/// The devices of a page.
#[derive(Clone, Debug)]
pub(crate) struct DevicePage<'a> {
    pub(crate) devices: Vec<&'a DeviceRecord>,
    /// Devices that were asked for, on all pages.
    pub(crate) total: usize,
    /// From 1.
    pub(crate) page: usize,
    pub(crate) pages: usize,
}

impl TryFrom<DeviceQuery> for DeviceList {
    type Error = Problem;

    fn try_from(query: DeviceQuery) -> Result<Self, Problem> {
        if query.q.chars().count() > LONGEST_SEARCH {
            return Err(Problem::bad(format!("A search has at most {LONGEST_SEARCH} characters.")));
        }
        let show = if query.show.is_empty() { Show::All } else { query.show.parse()? };
        let (key, is_descending) = match query.sort.strip_prefix('-') {
            Some(key) => (key, true),
            None => (query.sort.as_str(), false),
        };
        let key = if key.is_empty() { SortKey::Attention } else { key.parse()? };
        let rows = query.limit.unwrap_or(PAGE_ROWS);
        if !(1..=MOST_ROWS).contains(&rows) {
            return Err(Problem::bad(format!("limit is 1 to {MOST_ROWS}; take further pages by page=2.")));
        }
        let page = query.page.unwrap_or(1).max(1);
        Ok(Self { search: query.q.trim().to_owned(), show, key, is_descending, page, rows })
    }
}

impl DeviceList {
    /// The devices of the page that is asked for, or of the last one where there are fewer.
    pub(crate) fn of<'a>(&self, devices: &'a [DeviceRecord]) -> DevicePage<'a> {
        let search = self.search.to_lowercase();
        let matching = devices.iter().filter(|device| self.show.has(device) && is_match(device, &search));
        let mut keyed: Vec<(SortValue, &DeviceRecord)> =
            matching.map(|device| (SortValue::of(self.key, device), device)).collect();
        keyed.sort_by(|a, b| a.0.compare(&b.0, self.is_descending).then_with(|| by_name(a.1, b.1)));
        let total = keyed.len();
        let pages = total.div_ceil(self.rows).max(1);
        let page = self.page.min(pages);
        let shown = keyed.into_iter().skip((page - 1) * self.rows).take(self.rows);
        DevicePage { devices: shown.map(|(_, device)| device).collect(), total, page, pages }
    }

    /// The parameter of the address for an order.
    pub(crate) fn sort_parameter(key: SortKey, is_descending: bool) -> String {
        format!("{}{key}", if is_descending { "-" } else { "" })
    }
}

impl Show {
    /// Whether a device belongs to what is shown.
    pub(crate) fn has(self, device: &DeviceRecord) -> bool {
        match self {
            Self::All => true,
            Self::New => device.is_new,
            Self::Unknown => device.verdict.as_ref().is_some_and(|verdict| verdict.class.is_none()),
            Self::Findings => finding_weight(device) > 0.0,
            Self::Events => device.open_events > 0,
            Self::Labelled => device.label.is_some(),
            Self::Unlabelled => device.label.is_none(),
            Self::Gateways => device.sighting.gateway.is_some(),
            Self::Muted => device.is_muted,
        }
    }
}

/// What people call a device: the label that they gave it, the name that it gives itself, or its address.
pub(crate) fn name(device: &DeviceRecord) -> String {
    let given = device.label.clone().or_else(|| device.sighting.host_name.clone());
    given.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| device.sighting.device.to_string())
}

/// What is known of the vendor.
pub(crate) fn vendor(device: &DeviceRecord) -> Option<&str> {
    let said = device.sighting.identity.as_ref().and_then(|said| said.summary.vendor.as_ref());
    let family = device.verdict.as_ref().and_then(|verdict| verdict.family.as_deref());
    let said = said.map(|known| known.value.as_str());
    said.or(family).or(device.sighting.vendor_class.as_deref())
}

/// What a device is sorted by.
#[derive(Clone, Debug, PartialEq)]
enum SortValue {
    Absent,
    Number(f64),
    Text(String),
}

impl SortValue {
    fn of(key: SortKey, device: &DeviceRecord) -> Self {
        let verdict = device.verdict.as_ref();
        let text = |text: Option<&str>| text.map_or(Self::Absent, |text| Self::Text(text.to_lowercase()));
        let seconds = |time: thingprint_flow::Timestamp| Self::Number(time.as_nanos() as f64);
        match key {
            SortKey::Attention => Self::Number(-attention(device)),
            SortKey::Name => Self::Text(name(device).to_lowercase()),
            SortKey::Class => text(verdict.and_then(|verdict| verdict.class.as_deref())),
            SortKey::Confidence => verdict.map_or(Self::Absent, |verdict| Self::Number(verdict.confidence)),
            SortKey::Vendor => text(vendor(device)),
            SortKey::FirstSeen => seconds(device.sighting.first_seen),
            SortKey::LastSeen => seconds(device.sighting.last_seen),
            SortKey::Findings => Self::Number(finding_weight(device)),
            SortKey::Events => Self::Number(device.open_events as f64),
            SortKey::Windows => Self::Number(device.windows as f64),
        }
    }

    /// What is absent stands last, whichever way the others are sorted.
    fn compare(&self, other: &Self, is_descending: bool) -> Ordering {
        let ordering = match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Absent, Self::Absent) => return Ordering::Equal,
            (Self::Absent, _) => return Ordering::Greater,
            (_, Self::Absent) => return Ordering::Less,
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if is_descending { ordering.reverse() } else { ordering }
    }
}

/// How much a device needs a person. One new device stands before any number of findings, and one error before any number
/// of warnings that a device may have.
fn attention(device: &DeviceRecord) -> f64 {
    let new = if device.is_new { 1e12 } else { 0.0 };
    let unknown = if Show::Unknown.has(device) { 0.5 } else { 0.0 };
    new + finding_weight(device) + (device.open_events as f64).min(900.0) + unknown
}

fn finding_weight(device: &DeviceRecord) -> f64 {
    let findings = device.findings;
    let capped = |count: u64| count.min(900) as f64;
    capped(findings.error) * 1e9 + capped(findings.warning) * 1e6 + capped(findings.note) * 1e3
}

fn by_name(a: &DeviceRecord, b: &DeviceRecord) -> Ordering {
    let ids = || a.sighting.device.cmp(&b.sighting.device);
    name(a).to_lowercase().cmp(&name(b).to_lowercase()).then_with(ids)
}

/// Whether a device has a text somewhere, which is in lower case.
fn is_match(device: &DeviceRecord, search: &str) -> bool {
    if search.is_empty() {
        return true;
    }
    let has = |text: &str| text.to_lowercase().contains(search);
    let some = |text: &Option<String>| text.as_deref().is_some_and(has);
    let sighting = &device.sighting;
    some(&device.label)
        || some(&sighting.host_name)
        || some(&sighting.vendor_class)
        || has(&sighting.device.to_string())
        || sighting.addresses.iter().any(|address| has(&address.to_string()))
        || device.verdict.as_ref().is_some_and(|verdict| {
            some(&verdict.class) || some(&verdict.family) || (verdict.class.is_none() && "unknown" == search)
        })
}
