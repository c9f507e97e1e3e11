//! Attacks on every device of a data set: played into the simulation, or merged with captures.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, bail};
use thingprint_experiment::{Definition, Injection, Need, Strike};
use thingprint_flow::{Capture, DeviceId, GatewayPolicy, MacAddr, Timestamp};
use thingprint_instance::{BagName, DeviceEntry, Instance, InstanceOptions, Labeled};
use thingprint_pipeline::{Captures, Event, InstanceStage, InventoryStage, Pipeline, Run};
use thingprint_sim::{Attack, AttackTraffic, CaptureReader, Mac, SimulationOptions, Target};

use crate::inputs::Input;
use crate::reading::Reading;

/// Bytes captured of each frame: headers and names of queries are in them, and lengths stay true.
const SNAPLEN: u32 = 256;
/// Seed of the attacks.
const SEED: u64 = 1;
/// Time to live of a device of which nothing is known.
const TTL: u8 = 64;

/// The attacks of a definition on the devices of a data set.
#[derive(Debug)]
pub(super) struct Injected<'a> {
    injection: &'a Injection,
    strikes: Vec<Strike>,
    /// The hours in which nobody is attacked.
    normal: &'a [Labeled],
}

impl<'a> Injected<'a> {
    /// The attacks that a need asks for, planned by the hours in which nobody is attacked.
    pub(super) fn of(
        need: &Need,
        definition: &'a Definition,
        instances: &'a [(Need, Vec<Labeled>)],
    ) -> anyhow::Result<Option<Self>> {
        let Some(injection) = definition.analysis.injection().filter(|_| need.is_injected) else {
            return Ok(None);
        };
        let plain = Need { is_injected: false, ..need.clone() };
        let Some((_, normal)) = instances.iter().find(|(other, _)| *other == plain) else {
            bail!("there are no hours of {plain} to attack");
        };
        Ok(Some(Self { injection, strikes: injection.strikes(normal), normal }))
    }

    /// All that the attacked hours depend on beside the data set and the recipe.
    pub(super) fn content(&self) -> Vec<u8> {
        format!("{:?} {:?}", self.injection, self.strikes).into_bytes()
    }

    /// Whether an instance is of an attacked hour.
    pub(super) fn holds(&self, instance: &Instance) -> bool {
        let hour = (instance.device, instance.window_start);
        self.strikes.iter().any(|strike| (strike.device, strike.window_start) == hour)
    }

    /// The attacks on devices by name.
    pub(super) fn in_home(&self, name_of: impl Fn(DeviceId) -> Option<String>) -> Vec<Attack> {
        self.strikes.iter().filter_map(|strike| Some(self.attack(strike, name_of(strike.device)?))).collect()
    }

    /// The attacked hours of captures that are one trace, and the attacks that cannot be played there: a first reading finds
    /// the addresses of devices and gateway.
    pub(super) fn in_captures(
        &self,
        reading: &Reading<'_>,
        extraction: &InstanceOptions,
    ) -> anyhow::Result<(Vec<Instance>, u64)> {
        let Run { rests, summary } = reading.run(&InventoryStage, |_| Ok(()))?;
        let gateway = summary.gateways.0.keys().next().copied();
        let entries =
            rests.into_iter().flatten().filter_map(thingprint_instance::InventoryRecord::into_device);
        let entries: BTreeMap<DeviceId, DeviceEntry> = entries.map(|entry| (entry.device, entry)).collect();
        let here = |strike: &&Strike| {
            entries.get(&strike.device).is_some_and(|entry| was_on(entry, strike.window_start))
        };
        let planned: Vec<&Strike> = self.strikes.iter().filter(here).collect();
        let attack = |strike: &&Strike| {
            let target = self.target(entries.get(&strike.device)?, gateway?)?;
            Some((target, self.attack(strike, strike.device.to_string())))
        };
        let attacks: Vec<(Target, Attack)> = planned.iter().filter_map(attack).collect();
        let unplayed = planned.len().saturating_sub(attacks.len()) as u64;
        if attacks.is_empty() {
            return Ok((Vec::new(), unplayed));
        }
        let pipeline = Pipeline {
            gateways: GatewayPolicy {
                given: summary.gateways.0.keys().copied().collect(),
                ..reading.gateways.clone()
            },
            ..reading.pipeline()
        };
        let attacked: BTreeSet<String> = attacks.iter().map(|(_, attack)| attack.device.clone()).collect();
        let source = with_attacks(reading.inputs, attacks)?;
        let mut instances = Vec::new();
        pipeline.run(&source, &InstanceStage::new(extraction.clone()), |event| {
            if let Event::Rows(rows) = event {
                instances.extend(rows.into_iter().filter(|instance| self.holds(instance)));
            }
            Ok::<_, anyhow::Error>(())
        })?;
        instances.retain(|instance| attacked.contains(&instance.device.to_string()));
        Ok((instances, unplayed))
    }

    fn attack(&self, strike: &Strike, device: String) -> Attack {
        Attack {
            device,
            kind: strike.kind,
            start_s: strike.window_start.as_nanos() / 1_000_000_000 + i64::from(self.injection.start_s),
            duration_s: self.injection.duration_s,
            packets_per_s: strike.rate_pps,
        }
    }

    /// A device as attacks see it; `None` without a link address or an IPv4 address.
    fn target(&self, entry: &DeviceEntry, gateway: MacAddr) -> Option<Target> {
        let DeviceId::Mac(mac) = entry.device else { return None };
        let addresses = entry.addresses.iter().filter_map(|(address, packets)| match address {
            IpAddr::V4(address) if address.is_private() => Some((*packets, *address)),
            _ => None,
        });
        let (_, ip) = addresses.max()?;
        let [a, b, c, _] = ip.octets();
        Some(Target {
            mac: Mac(mac.octets()),
            ip,
            ttl: self.ttl_of(entry.device),
            gateway: Mac(gateway.octets()),
            resolver: Ipv4Addr::new(a, b, c, 1),
        })
    }

    /// The time to live of most of a device's packets.
    fn ttl_of(&self, device: DeviceId) -> u8 {
        let mut counts: BTreeMap<u8, u64> = BTreeMap::new();
        for row in self.normal.iter().filter(|row| row.instance.device == device) {
            for (word, count) in row.instance.bags.get(BagName::STACK).into_iter().flatten() {
                let ttl = word.strip_prefix("ttl6:").or_else(|| word.strip_prefix("ttl17:"));
                if let Some(ttl) = ttl.and_then(|ttl| ttl.parse().ok()) {
                    *counts.entry(ttl).or_default() += count;
                }
            }
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map_or(TTL, |(ttl, _)| ttl)
    }
}

/// Whether a device is in these captures at an hour: others of the data set may have it, too.
fn was_on(entry: &DeviceEntry, hour: Timestamp) -> bool {
    let end = hour.plus_nanos(3_600_000_000_000);
    entry.first_seen.is_some_and(|first| first < end) && entry.last_seen.is_some_and(|last| last >= hour)
}

/// Captures with the attacks as one more, which is merged with them by time.
fn with_attacks(
    inputs: &[Input],
    attacks: Vec<(Target, Attack)>,
) -> anyhow::Result<Captures<impl Fn() -> Vec<Capture> + Sync>> {
    let options = span_of(&attacks);
    AttackTraffic::new(&attacks, options).context("failed to attack the devices of captures")?;
    let inputs = inputs.to_vec();
    Ok(Captures::new(true, move || {
        let attacks = attacks.clone();
        let open = move || {
            let traffic = AttackTraffic::new(&attacks, options).map_err(io::Error::other)?;
            Ok(Box::new(CaptureReader::new(traffic)) as _)
        };
        let attacked = (options.duration_s > 0).then(|| Capture::new("attacks", open));
        inputs.iter().map(Input::capture).chain(attacked).collect()
    }))
}

/// From the first attack to behind the last.
fn span_of(attacks: &[(Target, Attack)]) -> SimulationOptions {
    let spans =
        attacks.iter().map(|(_, attack)| [attack.start_s, attack.start_s + i64::from(attack.duration_s)]);
    let first = spans.clone().map(|[from_s, _]| from_s).min();
    let last = spans.map(|[_, to_s]| to_s).max();
    let (start_s, end_s) = (first.unwrap_or(0), last.unwrap_or(0));
    let duration_s = u64::try_from(end_s - start_s).unwrap_or(0);
    SimulationOptions { start_s, duration_s, seed: SEED, snaplen: Some(SNAPLEN) }
}
