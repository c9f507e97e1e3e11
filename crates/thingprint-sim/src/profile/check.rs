//! What must hold between the fields of a profile, beyond what each field's type says.

use std::collections::{BTreeMap, BTreeSet};

use super::hours::{check_hours, check_phases};
use super::{
    Amount, CipherList, Connection, Crowd, Hello, Ntp, Presence, Profile, Speaks, Ssdp, SsdpSays, Stack,
    Talk, When,
};
use crate::SimError;
use crate::home::{Rhythm, Trace};

/// The most names that a crowd may have.
const MOST_NAMES: u32 = 100_000;

/// Where in which file a value stands.
pub(crate) struct Place<'a> {
    file: &'a str,
    path: String,
}

impl<'a> Place<'a> {
    /// The top of a file.
    pub(crate) fn top(file: &'a str) -> Self {
        Self { file, path: String::new() }
    }

    /// A field of what stands here.
    pub(crate) fn field(&self, name: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self { file: self.file, path: format!("{}{dot}{name}", self.path) }
    }

    /// An entry of a list of what stands here.
    pub(crate) fn entry(&self, list: &str, index: usize) -> Self {
        let list = self.field(list);
        Self { path: format!("{}[{index}]", list.path), ..list }
    }

    /// Refuses the value that stands here unless it is good.
    pub(crate) fn ensure(&self, good: bool, problem: &str) -> Result<(), SimError> {
        if good { Ok(()) } else { Err(self.refuse(problem)) }
    }

    fn refuse(&self, problem: &str) -> SimError {
        SimError::Field { file: self.file.to_owned(), field: self.path.clone(), problem: problem.to_owned() }
    }
}

/// What a profile may refer to outside itself.
pub(crate) struct Surroundings<'a> {
    /// The rhythms of the home.
    pub(crate) rhythms: &'a BTreeMap<String, Rhythm>,
    /// The time that the home is known for.
    pub(crate) trace: Option<&'a Trace>,
    /// Names of the devices that are always on.
    pub(crate) always_on: BTreeSet<&'a str>,
    /// Names of the devices with a `upnp` table.
    pub(crate) with_upnp: BTreeSet<&'a str>,
}

/// Checks a profile against the home that it lives in.
pub(crate) fn check_against(profile: &Profile, around: &Surroundings<'_>) -> Result<(), SimError> {
    let top = Place::top(&profile.file);
    top.field("label").ensure(!profile.label.is_empty(), "must not be empty")?;
    top.field("unit").ensure(!profile.units.is_empty(), "must have at least one unit")?;
    check_stack(&profile.stack, &top.field("stack"))?;
    check_presence(&profile.presence, &top.field("presence"), around)?;
    check_phases(profile, &top)?;
    for (name, crowd) in &profile.crowd {
        check_crowd(crowd, &top.field("crowd").field(name))?;
    }
    for (name, hello) in &profile.hello {
        check_hello(hello, &top.field("hello").field(name))?;
    }
    for (index, connection) in profile.connection.iter().enumerate() {
        check_connection(connection, profile, &top.entry("connection", index), around)?;
    }
    check_small_talk(profile, &top, around)
}

fn check_stack(stack: &Stack, place: &Place<'_>) -> Result<(), SimError> {
    place.field("ttl").ensure(stack.ttl > 0, "must not be 0")?;
    place.field("mss").ensure((200..=1460).contains(&stack.mss), "must be 200 to 1460")?;
    let least = u32::from(stack.mss) + 1;
    place.field("window_bytes").ensure(stack.window_bytes >= least, "must be larger than mss")?;
    let offload = stack.offload_bytes.unwrap_or(stack.mss);
    let fits = (stack.mss..=16_384).contains(&offload) && u32::from(offload) < stack.window_bytes;
    place.field("offload_bytes").ensure(fits, "must be mss to 16384, and smaller than window_bytes")?;
    let scale = stack.window_scale.unwrap_or(0);
    place.field("window_scale").ensure(scale <= 14, "must be at most 14 (RFC 7323 §2.3)")?;
    let most = u32::from(u16::MAX) << scale.min(14);
    place.field("window_bytes").ensure(stack.window_bytes <= most, "is too large for window_scale")?;
    place.field("arp_s").ensure(stack.arp_s >= 1.0, "must be at least 1")
}

fn check_presence(presence: &Presence, place: &Place<'_>, around: &Surroundings<'_>) -> Result<(), SimError> {
    let both = presence.sessions_daily.is_some() == presence.session_s.is_some();
    place.field("session_s").ensure(both, "must be given together with sessions_daily")?;
    let daily = presence.sessions_daily.unwrap_or(1.0);
    place.field("sessions_daily").ensure(is_rate(daily), "must be above 0 and at most 1000000")?;
    let reboots = presence.reboots_daily;
    place.field("reboots_daily").ensure(reboots == 0.0 || is_rate(reboots), "must be 0 to 1000000")?;
    let once = presence.hours.is_none() || presence.sessions_daily.is_none();
    place.field("hours").ensure(once, "cannot be combined with sessions_daily")?;
    if let Some(hours) = &presence.hours {
        check_hours(hours, &place.field("hours"), around)?;
    }
    check_rhythm(presence.rhythm.as_deref(), place, around)
}

fn check_rhythm(rhythm: Option<&str>, place: &Place<'_>, around: &Surroundings<'_>) -> Result<(), SimError> {
    let known = rhythm.is_none_or(|name| around.rhythms.contains_key(name));
    place.field("rhythm").ensure(known, "unknown rhythm: dataset.toml does not define it")
}

fn check_crowd(crowd: &Crowd, place: &Place<'_>) -> Result<(), SimError> {
    place.field("count").ensure((1..=MOST_NAMES).contains(&crowd.count), "must be 1 to 100000")?;
    let room = crowd.room() / 2;
    place.field("words").ensure(crowd.count as usize <= room, "must be more words for this count")?;
    place.field("zipf").ensure((0.0..=10.0).contains(&crowd.zipf), "must be 0 to 10")
}

fn check_hello(hello: &Hello, place: &Place<'_>) -> Result<(), SimError> {
    let most = hello.ciphers.0.len();
    let lists = (1..=most).contains(&usize::try_from(hello.lists).unwrap_or(usize::MAX));
    place.field("lists").ensure(lists, "must be 1 to the number of suites")?;
    place
        .field("answer_version")
        .ensure(hello.agreed() <= hello.version, "must not be newer than version")?;
    let is_offered = |chosen: &CipherList| matches!(&chosen.0[..], [one] if hello.ciphers.0.contains(one));
    let answers = hello.answer_cipher.as_ref().is_none_or(is_offered);
    place.field("answer_cipher").ensure(answers, "must be one of the suites that are offered")
}

fn check_connection(
    connection: &Connection,
    profile: &Profile,
    place: &Place<'_>,
    around: &Surroundings<'_>,
) -> Result<(), SimError> {
    check_when(&connection.when, &place.field("when"), around)?;
    check_server(connection, profile, place, around)?;
    check_framing(connection, profile, place)?;
    place.field("port").ensure(connection.port != 0, "must not be 0")?;
    let once = connection.when.again_s.is_none() || connection.at_once.is_none();
    place.field("at_once").ensure(once, "cannot be combined with when.again_s")?;
    if let Some(ports) = &connection.other_ports {
        ports.check(&place.field("other_ports"))?;
    }
    let local = connection.peer.is_some() || connection.address.is_some();
    place.field("incoming").ensure(local || !connection.incoming, "needs a peer or an address")?;
    place
        .field("resumed")
        .ensure((0.0..=1.0).contains(&connection.resumed), "must be a probability, 0 to 1")?;
    for (index, talk) in connection.talk.iter().enumerate() {
        check_talk(talk, connection, &place.entry("talk", index), around)?;
    }
    Ok(())
}

fn check_server(
    connection: &Connection,
    profile: &Profile,
    place: &Place<'_>,
    around: &Surroundings<'_>,
) -> Result<(), SimError> {
    let given = [
        !connection.names.is_empty(),
        connection.crowd.is_some(),
        connection.peer.is_some(),
        connection.address.is_some(),
    ];
    let count = given.iter().filter(|given| **given).count();
    place.ensure(count == 1, "needs exactly one of names, crowd, peer and address")?;
    check_weights(&connection.names, place)?;
    let crowd = connection.crowd.as_ref().is_none_or(|name| profile.crowd.contains_key(name));
    place.field("crowd").ensure(crowd, "unknown crowd: the profile does not define it")?;
    let peer = connection.peer.as_deref().is_none_or(|name| around.always_on.contains(name));
    place.field("peer").ensure(peer, "unknown peer: expected the host of a device that is always on")
}

fn check_framing(connection: &Connection, profile: &Profile, place: &Place<'_>) -> Result<(), SimError> {
    let tls = connection.speaks == Speaks::Tls;
    place
        .field("hello")
        .ensure(tls == connection.hello.is_some(), "must be given together with speaks = \"tls\"")?;
    let hello = connection.hello.as_ref().is_none_or(|name| profile.hello.contains_key(name));
    place.field("hello").ensure(hello, "unknown hello: the profile does not define it")?;
    if let Some(request) = &connection.request {
        let place = place.field("request");
        let is_known = |version: &str| matches!(version, "1.0" | "1.1");
        place.field("version").ensure(is_known(&request.version), "must be 1.0 or 1.1")?;
        place.field("answer_version").ensure(is_known(&request.answer_version), "must be 1.0 or 1.1")?;
    }
    let http = connection.speaks == Speaks::Http;
    place
        .field("request")
        .ensure(http == connection.request.is_some(), "must be given together with speaks = \"http\"")?;
    let own = matches!(connection.speaks, Speaks::Tcp | Speaks::Udp);
    let plain = connection.prefix_up.0.is_empty() && connection.prefix_down.0.is_empty();
    place.field("prefix_up").ensure(own || plain, "requires speaks = \"tcp\" or \"udp\"")?;
    let short = connection.prefix_up.0.len().max(connection.prefix_down.0.len()) <= 256;
    place.field("prefix_up").ensure(short, "must have at most 256 bytes")
}

fn check_talk(
    talk: &Talk,
    connection: &Connection,
    place: &Place<'_>,
    around: &Surroundings<'_>,
) -> Result<(), SimError> {
    let rate = talk.rate_kbps.unwrap_or(1.0);
    place.field("rate_kbps").ensure(rate.is_finite() && rate > 0.0, "must be a number above 0")?;
    let Some(when) = &talk.when else { return Ok(()) };
    let place = place.field("when");
    place.field("again_s").ensure(when.again_s.is_none(), "is unsupported inside a connection")?;
    place.ensure(connection.lasts_s.is_some(), "needs lasts_s on its connection")?;
    check_when(when, &place, around)
}

fn check_small_talk(profile: &Profile, top: &Place<'_>, around: &Surroundings<'_>) -> Result<(), SimError> {
    for (index, lookup) in profile.lookup.iter().enumerate() {
        let place = top.entry("lookup", index);
        place.field("names").ensure(!lookup.names.is_empty(), "must not be empty")?;
        check_weights(&lookup.names, &place)?;
        check_beat(&lookup.when, &place, around)?;
    }
    for (index, ntp) in profile.ntp.iter().enumerate() {
        let place = top.entry("ntp", index);
        check_names_or_address(&ntp.names, ntp.address.is_some(), &place)?;
        check_ntp(ntp, &place)?;
        check_beat(&ntp.when, &place, around)?;
    }
    for (index, ping) in profile.ping.iter().enumerate() {
        let place = top.entry("ping", index);
        check_names_or_address(&ping.names, ping.address.is_some(), &place)?;
        check_beat(&ping.when, &place, around)?;
    }
    for (index, mdns) in profile.mdns.iter().enumerate() {
        let place = top.entry("mdns", index);
        place.field("services").ensure(!mdns.services.is_empty(), "must not be empty")?;
        check_beat(&mdns.when, &place, around)?;
    }
    for (index, ssdp) in profile.ssdp.iter().enumerate() {
        check_ssdp(ssdp, profile, &top.entry("ssdp", index), around)?;
    }
    Ok(())
}

fn check_ntp(ntp: &Ntp, place: &Place<'_>) -> Result<(), SimError> {
    let is_version = |version: u8| (1..=4).contains(&version);
    place.field("version").ensure(is_version(ntp.version), "must be 1 to 4")?;
    let answer = ntp.answer_version.is_none_or(is_version);
    place.field("answer_version").ensure(answer, "must be 1 to 4")?;
    place.field("mode").ensure(matches!(ntp.mode, 1 | 3), "must be 1 or 3")?;
    place.field("answer_mode").ensure(matches!(ntp.answer_mode, 2 | 4), "must be 2 or 4")
}

fn check_ssdp(
    ssdp: &Ssdp,
    profile: &Profile,
    place: &Place<'_>,
    around: &Surroundings<'_>,
) -> Result<(), SimError> {
    let search = ssdp.says == SsdpSays::Search;
    place.field("target").ensure(search == ssdp.target.is_some(), "requires says = \"search\"")?;
    place.field("says").ensure(search || profile.upnp.is_some(), "\"alive\" needs a upnp table")?;
    let known = ssdp.answers.iter().all(|name| around.with_upnp.contains(name.as_str()));
    place.field("answers").ensure(known, "must name devices that are always on and have a upnp table")?;
    place.field("answers").ensure(search || ssdp.answers.is_empty(), "requires says = \"search\"")?;
    place.field("ttl").ensure(ssdp.ttl > 0, "must not be 0")?;
    check_beat(&ssdp.when, place, around)
}

fn check_names_or_address(
    names: &BTreeMap<String, f64>,
    has_address: bool,
    place: &Place<'_>,
) -> Result<(), SimError> {
    place.ensure(names.is_empty() == has_address, "needs exactly one of names and address")?;
    check_weights(names, place)
}

fn check_weights(names: &BTreeMap<String, f64>, place: &Place<'_>) -> Result<(), SimError> {
    for (name, weight) in names {
        let place = place.field("names").field(name);
        place.ensure(is_domain(name), "must be a domain name")?;
        place.ensure(weight.is_finite() && *weight > 0.0, "must have a weight above 0")?;
    }
    Ok(())
}

fn check_beat(when: &When, place: &Place<'_>, around: &Surroundings<'_>) -> Result<(), SimError> {
    let place = place.field("when");
    place.field("again_s").ensure(when.again_s.is_none(), "is supported in connections only")?;
    check_when(when, &place, around)
}

fn check_when(when: &When, place: &Place<'_>, around: &Surroundings<'_>) -> Result<(), SimError> {
    let ways = [when.every_s.is_some(), when.daily.is_some(), when.hourly.is_some(), when.again_s.is_some()];
    let count = ways.iter().filter(|way| **way).count();
    place.ensure(count <= 1, "must have at most one of every_s, daily, hourly and again_s")?;
    place.field("every_s").ensure(when.every_s.as_ref().is_none_or(is_beat), "must be at least 0.01")?;
    let hourly = when.hourly.is_none_or(|hourly| (1..=3600).contains(&hourly));
    place.field("hourly").ensure(hourly, "must be 1 to 3600")?;
    place.field("daily").ensure(when.daily.is_none_or(is_rate), "must be above 0 and at most 1000000")?;
    place.field("chance").ensure((0.0..=1.0).contains(&when.chance), "must be a probability, 0 to 1")?;
    check_rhythm(when.rhythm.as_deref(), place, around)
}

/// Whether events a day stay countable.
fn is_rate(daily: f64) -> bool {
    daily > 0.0 && daily <= 1e6
}

/// Whether a period moves time on.
fn is_beat(amount: &Amount) -> bool {
    match *amount {
        Amount::Exactly(value) | Amount::Between(value, _) => value >= 0.01,
        Amount::Around { median, most, .. } => median.min(most) >= 0.01,
    }
}

/// Whether a text can be a name in a DNS message, RFC 1035 §2.3.4.
fn is_domain(name: &str) -> bool {
    name.len() <= 253 && name.is_ascii() && name.split('.').all(|label| (1..=63).contains(&label.len()))
}
