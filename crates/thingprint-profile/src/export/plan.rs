use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::basics;
use super::device::ExportDevice;
use super::family::NftFamily;
use super::format::{ExportFormat, Exported};
use super::network::ExportNetwork;
use super::note::{ExportNote, NoteKind};
use super::resolver::Resolver;
use super::rule::{KnownBy, PeerMatch, Rule};
use super::set_names::SetNames;
use super::tally::RuleTally;
use crate::Direction;

/// Addresses of one name that a set has room for at least.
const LEAST_ROOM: usize = 4096;

/// What passes between devices and their network, by their profiles: the same for every format.
///
/// ```
/// use std::collections::{BTreeMap, BTreeSet};
/// use thingprint_profile::{ExportDevice, ExportFormat, ExportNetwork, ExportPlan, MudProfile, NftFamily};
///
/// let text = r#"{
///     "ietf-mud:mud": {
///         "mud-version": 1,
///         "mud-url": "https://lamp.example/lamp.json",
///         "last-update": "2024-05-01T00:00:00Z",
///         "is-supported": true
///     }
/// }"#;
/// let lamp = ExportDevice {
///     name: "Lamp".to_owned(),
///     mac: Some("02:00:00:00:00:07".parse()?),
///     addresses: BTreeSet::new(),
///     profile: MudProfile::from_json(text)?,
///     answers: BTreeMap::new(),
///     claimed: BTreeSet::new(),
///     contradicted: BTreeSet::new(),
///     widened: BTreeSet::new(),
/// };
/// let plan = ExportPlan::new(vec![lamp], ExportNetwork::default(), NftFamily::Bridge);
/// let exported = plan.write(ExportFormat::Nftables);
/// assert!(exported.text.contains("ether saddr vmap { 02:00:00:00:00:07 : jump from_lamp }"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExportPlan {
    pub(super) devices: Vec<DevicePlan>,
    pub(super) network: ExportNetwork,
    pub(super) family: NftFamily,
    /// First addresses of each name, of all devices.
    pub(super) answers: BTreeMap<String, BTreeSet<IpAddr>>,
    /// What is allowed beside the profiles.
    pub(super) basics: Vec<Rule>,
    pub(super) notes: Vec<ExportNote>,
    names: SetNames,
}

/// The rules of one device.
#[derive(Clone, Debug)]
pub(super) struct DevicePlan {
    pub(super) device: ExportDevice,
    /// What chains and lists of it are called after.
    pub(super) id: String,
    pub(super) rules: Vec<Rule>,
}

impl ExportPlan {
    /// A plan for these devices, in whatever order; each has an address of its own.
    pub fn new(mut devices: Vec<ExportDevice>, network: ExportNetwork, family: NftFamily) -> Self {
        devices.sort_by(|left, right| left.key().cmp(&right.key()));
        let ids = SetNames::each(devices.iter().map(|device| device.name.as_str()));
        let mut plans = Vec::new();
        let mut notes = separate(&mut devices);
        let mut answers: BTreeMap<String, BTreeSet<IpAddr>> = BTreeMap::new();
        for (device, id) in devices.iter().zip(ids) {
            let mut resolver = Resolver { devices: &devices, network: &network, device, notes: Vec::new() };
            let mut rules = Vec::new();
            for direction in [Direction::FromDevice, Direction::ToDevice] {
                let lists = device.profile.policy(direction).iter();
                rules.extend(lists.flat_map(|list| resolver.rules(direction, list)));
            }
            notes.append(&mut resolver.notes);
            notes.extend(device.widened.iter().map(|entry| ExportNote {
                device: Some(device.name.clone()),
                kind: NoteKind::Widened,
                reason:
                    "for any address or a range of ports: more were seen than are worth a list".to_owned(),
                entry: Some(entry.clone()),
            }));
            notes.extend(device.claims());
            notes.extend(device.without_names(&rules));
            for (name, addresses) in &device.answers {
                answers.entry(name.clone()).or_default().extend(addresses);
            }
            plans.push(DevicePlan { device: device.clone(), id, rules });
        }
        let names = SetNames::new(plans.iter().flat_map(|plan| &plan.rules).flat_map(Rule::names));
        let basics = basics::rules(&network);
        Self { devices: plans, network, family, answers, basics, notes, names }
    }

    /// How many rules there are of the profiles, and how many of them go by less than a name that the device looked up.
    pub fn tally(&self) -> RuleTally {
        RuleTally::of(self.devices.iter().flat_map(|device| &device.rules))
    }

    /// Writes the plan in a format.
    pub fn write(&self, format: ExportFormat) -> Exported {
        format.write(self)
    }

    /// The names that peers have, with the versions of IP by which they are talked to: those of sets.
    pub(super) fn peer_names(&self) -> BTreeSet<(&str, bool)> {
        let rules = self.devices.iter().flat_map(|device| &device.rules);
        rules.flat_map(|rule| rule.names().map(|name| (name, rule.is_ipv6))).collect()
    }

    /// What the set of a name's addresses is called.
    pub(super) fn set_of(&self, name: &str, is_ipv6: bool) -> String {
        format!("tp_{}_{}", self.names.of(name), version(is_ipv6))
    }

    /// The first addresses of a name.
    pub(super) fn answers(&self, name: &str, is_ipv6: bool) -> impl Iterator<Item = IpAddr> {
        let known = self.answers.get(name).into_iter().flatten().copied();
        known.filter(move |address| address.is_ipv6() == is_ipv6)
    }

    /// How many addresses of a name a set has room for: as many as a name of a content delivery network has in days, and
    /// twice those that captures show where these are more.
    pub(super) fn most_addresses(&self, name: &str, is_ipv6: bool) -> usize {
        LEAST_ROOM.max(2 * self.answers(name, is_ipv6).count())
    }

    /// The rules of a device in one direction, those of the profile before what every device needs.
    pub(super) fn rules<'a>(
        &'a self,
        device: &'a DevicePlan,
        direction: Direction,
    ) -> impl Iterator<Item = &'a Rule> {
        device.rules.iter().chain(&self.basics).filter(move |rule| rule.direction == direction)
    }

    /// Whether any rule is about the local networks by a version of IP.
    pub(super) fn uses_local(&self, is_ipv6: bool) -> bool {
        let rules = self.devices.iter().flat_map(|device| &device.rules).chain(&self.basics);
        rules.filter(|rule| rule.is_ipv6 == is_ipv6).any(|rule| rule.peers.contains(&PeerMatch::Local))
    }

    /// The notes on the plan and these of a format, in order.
    pub(super) fn notes(&self, mut own: Vec<ExportNote>) -> Vec<ExportNote> {
        own.extend(self.notes.iter().cloned());
        own.sort();
        own.dedup();
        own
    }
}

/// Gives each address to one device, the first one in order: captures show one with several devices where a router gave it
/// to one after the other.
fn separate(devices: &mut [ExportDevice]) -> Vec<ExportNote> {
    let mut owners: BTreeMap<IpAddr, String> = BTreeMap::new();
    let mut notes = Vec::new();
    for device in devices {
        let name = device.name.clone();
        device.addresses.retain(|address| {
            let Some(owner) = owners.get(address) else {
                owners.insert(*address, name.clone());
                return true;
            };
            let reason = format!(
                "{address} was an address of {owner} as well: what is sent to it has the rules of that"
            );
            notes.push(ExportNote {
                device: Some(name.clone()),
                kind: NoteKind::Assumed,
                reason,
                entry: None,
            });
            false
        });
    }
    notes
}

impl ExportDevice {
    /// A note on rules by Internet addresses, where there are some.
    fn without_names(&self, rules: &[Rule]) -> Option<ExportNote> {
        let count = rules.iter().filter(|rule| rule.known_by == Some(KnownBy::Address)).count();
        let rules = if count == 1 { "1 rule goes" } else { &format!("{count} rules go") };
        let reason = format!(
            "{rules} by an Internet address of which no name is known: if the host gets another address, it does not pass"
        );
        let note =
            ExportNote { device: Some(self.name.clone()), kind: NoteKind::Assumed, reason, entry: None };
        (count > 0).then_some(note)
    }

    /// Notes on names that the device alone says.
    fn claims(&self) -> impl Iterator<Item = ExportNote> {
        let note = |kind, reason| ExportNote { device: Some(self.name.clone()), kind, reason, entry: None };
        let claimed = self.claimed.iter().map(move |name| {
            let reason = format!(
                "{name}: no DNS answer names its addresses, so these are those that the device named so"
            );
            note(NoteKind::Assumed, reason)
        });
        claimed.chain(self.contradicted.iter().map(move |name| {
            let reason =
                format!("{name}: the device named addresses so that no DNS answer gives; they do not pass");
            note(NoteKind::Narrowed, reason)
        }))
    }
}

impl DevicePlan {
    /// A note on the device as a whole.
    pub(super) fn note(&self, kind: NoteKind, reason: impl Into<String>) -> ExportNote {
        ExportNote { device: Some(self.device.name.clone()), kind, reason: reason.into(), entry: None }
    }

    /// A note on one of its entries.
    pub(super) fn note_on(&self, rule: &Rule, kind: NoteKind, reason: impl Into<String>) -> ExportNote {
        ExportNote { entry: Some(rule.entry.clone()), ..self.note(kind, reason) }
    }
}

/// `4` or `6`.
pub(super) const fn version(is_ipv6: bool) -> u8 {
    if is_ipv6 { 6 } else { 4 }
}
