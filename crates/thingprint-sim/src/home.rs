use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::SimError;
use crate::profile::{Kind, Mac, Place, Profile, Surroundings, Unit, check_against};

/// The default home's `dataset.toml`.
const DATASET: Source<'static> =
    Source { file: "dataset.toml", text: include_str!("../../../datasets/home/dataset.toml") };

// `DEVICES`: the default home's profiles, listed by the build script.
include!(concat!(env!("OUT_DIR"), "/default_devices.rs"));

/// The home that comes with the crate: eight kinds of `IoT` devices and a laptop, from `datasets/home`.
///
/// Fails only when the files that were compiled in are wrong, which the tests of this crate rule out.
pub fn home() -> Result<Home, SimError> {
    Home::from_toml(&DATASET, DEVICES)
}

/// A smart home: a network and the device profiles that live on it.
#[derive(Clone, Debug)]
pub struct Home {
    /// The file that describes it, for errors.
    pub file: String,
    /// What the home is, for readers.
    pub description: String,
    /// Where its values come from.
    pub origin: String,
    /// Under which licence they may be used.
    pub licence: String,
    /// The time that the home is known for, where it is modelled on a trace.
    pub trace: Option<Trace>,
    /// The network.
    pub network: Network,
    /// When people do things.
    pub rhythms: BTreeMap<String, Rhythm>,
    /// The profiles, in the order given.
    pub profiles: Vec<Profile>,
}

/// A text and the name that errors call it by.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// A file name.
    pub file: &'a str,
    /// What the file holds.
    pub text: &'a str,
}

/// A device's class, for a labels file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledDevice {
    /// The device's name in the home.
    pub name: String,
    /// Its link address, like `70:ee:50:18:34:43`.
    pub mac: String,
    /// Its class.
    pub label: String,
    /// Whether the class is an `IoT` device.
    pub kind: Kind,
}

/// The time that a home's profiles speak of when they count hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// Its beginning, in seconds since 1970: the beginning of an hour, UTC.
    pub start_s: i64,
    /// How many hours it lasts.
    pub hours: u32,
}

/// The network of a home: one gateway that gives addresses, resolves names and leads to the internet.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The gateway's link address.
    pub gateway: Mac,
    /// The network, a /24: the gateway is its first address, and devices differ in the last octet.
    pub prefix: Ipv4Addr,
    /// The domain that the gateway assigns to devices.
    pub domain: String,
    /// How long an address is lent, in seconds.
    pub lease_s: u32,
    /// The share of data segments that are lost, before or behind the capture point.
    pub loss: f64,
    /// Devices that are always on join in the first so many seconds.
    pub settle_s: f64,
    /// Local time minus UTC, in seconds; rhythms go by local time.
    pub utc_offset_s: i32,
}

/// How busy people are in each hour of the day; only proportions matter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rhythm {
    /// The weight of each hour, from midnight on.
    pub hours: [f64; 24],
    /// By how much Saturdays and Sundays are busier.
    #[serde(default = "same")]
    pub weekend: f64,
}

fn same() -> f64 {
    1.0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dataset {
    description: String,
    origin: String,
    licence: String,
    trace: Option<Trace>,
    network: Network,
    #[serde(default)]
    rhythm: BTreeMap<String, Rhythm>,
}

impl Home {
    /// Reads a home from its `dataset.toml` and one file for each kind of device.
    pub fn from_toml(dataset: &Source<'_>, devices: &[Source<'_>]) -> Result<Self, SimError> {
        let Dataset { description, origin, licence, trace, network, rhythm } = parse(dataset)?;
        let read = |source: &Source<'_>| Ok(Profile { file: source.file.to_owned(), ..parse(source)? });
        let profiles = devices.iter().map(read).collect::<Result<_, SimError>>()?;
        let file = dataset.file.to_owned();
        let home = Self { file, description, origin, licence, trace, network, rhythms: rhythm, profiles };
        home.check()?;
        Ok(home)
    }

    /// Rejects unsupported values, by the file and field where they stand.
    pub(crate) fn check(&self) -> Result<(), SimError> {
        let top = Place::top(&self.file);
        check_network(&self.network, &top.field("network"))?;
        if let Some(trace) = &self.trace {
            check_trace(trace, &top.field("trace"))?;
        }
        for (name, rhythm) in &self.rhythms {
            check_rhythm(rhythm, &top.field("rhythm").field(name))?;
        }
        self.check_units()?;
        let around = self.surroundings();
        self.profiles.iter().try_for_each(|profile| check_against(profile, &around))
    }

    /// The class of every device, in the order of the profiles.
    pub fn labels(&self) -> Vec<LabelledDevice> {
        let label = |(profile, unit): (&Profile, &Unit)| LabelledDevice {
            name: unit.name.clone(),
            mac: unit.mac.to_string(),
            label: profile.label.clone(),
            kind: profile.kind,
        };
        self.units().map(label).collect()
    }

    /// Every device with the profile that it follows.
    pub(crate) fn units(&self) -> impl Iterator<Item = (&Profile, &Unit)> {
        self.profiles.iter().flat_map(|profile| profile.units.iter().map(move |unit| (profile, unit)))
    }

    fn check_units(&self) -> Result<(), SimError> {
        let (mut names, mut macs, mut hosts) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for profile in &self.profiles {
            for (index, unit) in profile.units.iter().enumerate() {
                let place = Place::top(&profile.file).entry("unit", index);
                place
                    .field("name")
                    .ensure(names.insert(&unit.name), "must be unique: another device has the same")?;
                place
                    .field("mac")
                    .ensure(unit.mac != self.network.gateway, "must differ from that of the gateway")?;
                place
                    .field("mac")
                    .ensure(macs.insert(unit.mac), "must be unique: another device has the same")?;
                place.field("host").ensure((2..=254).contains(&unit.host), "must be 2 to 254")?;
                place
                    .field("host")
                    .ensure(hosts.insert(unit.host), "must be unique: another device has the same")?;
            }
        }
        Ok(())
    }

    fn surroundings(&self) -> Surroundings<'_> {
        let always_on = || self.units().filter(|(profile, _)| profile.presence.is_always());
        let advertisers = always_on().filter(|(profile, _)| profile.upnp.is_some());
        Surroundings {
            rhythms: &self.rhythms,
            trace: self.trace.as_ref(),
            always_on: always_on().map(|(_, unit)| unit.name.as_str()).collect(),
            with_upnp: advertisers.map(|(_, unit)| unit.name.as_str()).collect(),
        }
    }
}

fn check_trace(trace: &Trace, place: &Place<'_>) -> Result<(), SimError> {
    let start = (0..i64::from(u32::MAX)).contains(&trace.start_s) && trace.start_s % 3600 == 0;
    place.field("start_s").ensure(start, "must be the beginning of an hour since 1970")?;
    place.field("hours").ensure((1..=1_000_000).contains(&trace.hours), "must be 1 to 1000000")
}

fn check_network(network: &Network, place: &Place<'_>) -> Result<(), SimError> {
    let [.., last] = network.prefix.octets();
    place
        .field("prefix")
        .ensure(network.prefix.is_private() && last == 0, "must be a private /24 that ends in .0")?;
    place.field("lease_s").ensure(network.lease_s >= 60, "must be at least 60")?;
    place.field("loss").ensure((0.0..=0.2).contains(&network.loss), "must be 0 to 0.2")?;
    let settles = (0.0..=86_400.0).contains(&network.settle_s);
    place.field("settle_s").ensure(settles, "must be 0 to a day")?;
    let offset = network.utc_offset_s.unsigned_abs();
    place.field("utc_offset_s").ensure(offset <= 86_400, "must be at most a day")
}

fn check_rhythm(rhythm: &Rhythm, place: &Place<'_>) -> Result<(), SimError> {
    let weights = rhythm.hours.iter().all(|weight| (0.0..=1e6).contains(weight));
    let busiest = rhythm.hours.iter().copied().fold(0.0, f64::max);
    place
        .field("hours")
        .ensure(weights && busiest >= 0.001, "must have weights of 0 to 1000000, at least one above 0")?;
    place.field("weekend").ensure((0.01..=100.0).contains(&rhythm.weekend), "must be 0.01 to 100")
}

fn parse<T: DeserializeOwned>(source: &Source<'_>) -> Result<T, SimError> {
    toml::from_str(source.text)
        .map_err(|error| SimError::Toml { file: source.file.to_owned(), problem: Box::new(error) })
}
