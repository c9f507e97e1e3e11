use serde::Deserialize;

use super::check::{Place, Surroundings};
use super::{Profile, When};
use crate::SimError;
use crate::home::Trace;

/// In how many hours of the home's trace a device says anything at all, and which.
///
/// With a `rhythm` the hours are drawn one by one, as when a person uses the device; otherwise they come in `spells`
/// that follow each other at random distances, as when it is switched on for weeks. Which hours these are depends on
/// the seed and the device's name alone, not on when the simulation begins.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoursSeen {
    /// How many hours of the trace, for each unit.
    pub seen: u32,
    /// How many spells they come in; left out, with a rhythm.
    pub spells: Option<u32>,
    /// The rhythm of the home by which hours are drawn.
    pub rhythm: Option<String>,
    /// Whether the device keeps its address while it sleeps, and asks for none when it wakes.
    #[serde(default)]
    pub keeps_address: bool,
}

/// A state that a device is in for whole hours, like "talks to its cloud": drawn for each hour by itself.
///
/// What is done `during` it or `unless` it says so in its [`When`](super::When).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// The share of hours, 0 to 1.
    pub share: f64,
}

pub(super) fn check_hours(
    hours: &HoursSeen,
    place: &Place<'_>,
    around: &Surroundings<'_>,
) -> Result<(), SimError> {
    let Some(Trace { hours: all, .. }) = around.trace else {
        return place.ensure(false, "needs a trace table in the home's dataset.toml");
    };
    place.field("seen").ensure((1..=*all).contains(&hours.seen), "must be 1 to the hours of the trace")?;
    place
        .field("spells")
        .ensure(hours.spells.is_some() != hours.rhythm.is_some(), "give exactly one of spells and rhythm")?;
    let spells = hours.spells.unwrap_or(1);
    let room = hours.seen.min(*all - hours.seen + 1);
    place.field("spells").ensure((1..=room).contains(&spells), "must fit into the trace, an hour apart")?;
    let known = hours.rhythm.as_ref().is_none_or(|name| around.rhythms.contains_key(name));
    place.field("rhythm").ensure(known, "unknown rhythm: dataset.toml does not define it")
}

pub(super) fn check_phases(profile: &Profile, top: &Place<'_>) -> Result<(), SimError> {
    for (name, phase) in &profile.phase {
        let place = top.field("phase").field(name).field("share");
        place.ensure((0.0..=1.0).contains(&phase.share), "must be a share, 0 to 1")?;
    }
    for (list, index, when) in moments(profile) {
        let place = top.entry(list, index).field("when");
        for (field, phase) in [("during", &when.during), ("unless", &when.unless)] {
            let known = phase.as_ref().is_none_or(|name| profile.phase.contains_key(name));
            place.field(field).ensure(known, "unknown phase: the profile does not define it")?;
        }
    }
    Ok(())
}

/// Every `when` of a profile, with the list that it stands in; that of a talk with its connection's.
fn moments(profile: &Profile) -> Vec<(&'static str, usize, &When)> {
    let mut moments = Vec::new();
    for (index, connection) in profile.connection.iter().enumerate() {
        let talks = connection.talk.iter().filter_map(|talk| talk.when.as_ref());
        moments.extend(talks.chain([&connection.when]).map(|when| ("connection", index, when)));
    }
    moments.extend(profile.lookup.iter().enumerate().map(|(index, lookup)| ("lookup", index, &lookup.when)));
    moments.extend(profile.ntp.iter().enumerate().map(|(index, ntp)| ("ntp", index, &ntp.when)));
    moments.extend(profile.ssdp.iter().enumerate().map(|(index, ssdp)| ("ssdp", index, &ssdp.when)));
    moments.extend(profile.mdns.iter().enumerate().map(|(index, mdns)| ("mdns", index, &mdns.when)));
    moments.extend(profile.ping.iter().enumerate().map(|(index, ping)| ("ping", index, &ping.when)));
    moments
}
