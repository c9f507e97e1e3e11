use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use either::Either;
use thingprint_experiment::{Attack, AttackKind, DataSource, Definition, ExtractionCost, Need};
use thingprint_flow::{DeviceId, FlowOptions, GatewayPolicy, MacAddr, Timestamp};
use thingprint_instance::{Instance, Kind, Label, Labeled};
use thingprint_pipeline::{Event, InstanceStage, Pipeline, Stage};
use thingprint_sim::{Home, Simulation, SimulationOptions, TcpSyn, UdpReflection};

use super::cache::{Extracted, Flaws};
use super::captured::by_address;
use super::flow_log::{FlowLog, Flows, Written};
use super::injected::Injected;
use super::measured::{MeasuredTrace, measure};
use super::source::{Library, Loaded};
use crate::exit::Outcome;
use crate::extraction::WindowsSoFar;

/// Bytes captured of each frame: headers, names and hellos are in them, and lengths stay true.
const SNAPLEN: u32 = 600;

/// Seed of the simulation; the seeds of an experiment are those of splits and forests.
const SEED: u64 = 1;

/// Days that a home is played for that does not say how long its trace is.
const DAYS: u32 = 14;

/// Days that extraction is measured on at most: costs are for a number of frames, and each measurement plays them anew.
const MEASURED_DAYS: u64 = 2;

const HOUR_S: i64 = 3_600;
const DAY_S: u64 = 86_400;

/// A data set that is played when it is needed.
#[derive(Debug)]
pub(super) struct Simulated {
    name: String,
    home: Home,
    options: SimulationOptions,
    is_cut: bool,
}

impl Simulated {
    /// The simulated data set of this name; `None` when there is none.
    pub(super) fn named(name: &str, days: Option<u32>) -> anyhow::Result<Option<Self>> {
        let home = match name {
            "home" => thingprint_sim::home(),
            "unsw28" => thingprint_sim::unsw28(),
            _ => return Ok(None),
        };
        let home = home.context("failed to read the simulated home")?;
        let defaults = SimulationOptions::default();
        let (start_s, whole_s) = home.trace.map_or((defaults.start_s, u64::from(DAYS) * DAY_S), |trace| {
            (trace.start_s, u64::from(trace.hours) * HOUR_S.unsigned_abs())
        });
        let duration_s = days.map_or(whole_s, |days| (u64::from(days) * DAY_S).min(whole_s));
        let options = SimulationOptions { start_s, duration_s, seed: SEED, snaplen: Some(SNAPLEN) };
        Ok(Some(Self { name: name.to_owned(), home, options, is_cut: duration_s < whole_s }))
    }

    pub(super) fn load(self, definition: &Definition, library: &Library<'_>) -> anyhow::Result<Loaded> {
        let mut flows = None;
        let instances = self.all_instances(definition, library, &mut flows)?;
        let flows = flows.unwrap_or_default();
        let extraction_costs = self.extraction_costs(definition, library)?;
        let mut notes: Vec<String> = flows.left_out().into_iter().collect();
        if self.is_cut {
            notes.push(format!(
                "The simulation was cut to a length of {} d: numbers of the whole trace are not to be expected.",
                self.options.duration_s / DAY_S
            ));
        }
        let source =
            DataSource { dataset: self.name, is_simulated: true, description: self.home.description };
        Ok(Loaded {
            source,
            overrides: String::new(),
            instances,
            flows: flows.records,
            extraction_costs,
            captures: None,
            outcome: Outcome::Done,
            notes,
        })
    }

    /// The instances of each need of a definition, and single flows where it asks for them. Hours that are attacked are
    /// not among the normal ones, so that nobody trains on an attacked hour's twin.
    fn all_instances(
        &self,
        definition: &Definition,
        library: &Library<'_>,
        flows: &mut Option<Flows>,
    ) -> anyhow::Result<Vec<(Need, Vec<Labeled>)>> {
        let mut instances: Vec<(Need, Vec<Labeled>)> = Vec::new();
        let mut attacks = Vec::new();
        let needs = definition.needs(&self.name, "")?;
        let after_s: Vec<u32> = needs.iter().filter_map(|need| need.so_far_s).collect();
        let mut so_far = WindowsSoFar::new();
        for need in needs {
            library.messages.detail(format!("simulating {need}"));
            if let Some(injected) = Injected::of(&need, definition, &instances)? {
                let rows = self.injected(&need, &injected, library)?;
                instances.push((need, rows));
                continue;
            }
            if let Some(seconds) = need.so_far_s {
                let make = || {
                    if so_far.is_empty() {
                        so_far = self.windows_so_far(&need, &after_s)?;
                    }
                    Ok(so_far.remove(&seconds).unwrap_or_default())
                };
                let rows = self.kept_or_made(&need, &format!("{seconds} s of each window"), library, make)?;
                instances.push((need, rows));
                continue;
            }
            let attacked = match &need.attack {
                Some(attack) => {
                    let normal = instances.first().map(|(_, rows)| rows.as_slice()).unwrap_or_default();
                    Some(self.under_attack(attack, normal)?)
                }
                None => None,
            };
            let rows = if definition.analysis.needs_flows() && instances.is_empty() {
                self.instances_and_flows(&need, library, flows)?
            } else {
                self.instances(&need, attacked.as_ref(), library)?
            };
            instances.push((need, rows));
            attacks.extend(attacked);
        }
        if let Some((_, rows)) = instances.iter_mut().find(|(need, _)| need.attack.is_none()) {
            rows.retain(|row| !attacks.iter().any(|attacked| attacked.holds(row)));
        }
        Ok(instances)
    }

    /// The instances of a need, from the cache if they are there.
    fn instances(
        &self,
        need: &Need,
        attacked: Option<&UnderAttack>,
        library: &Library<'_>,
    ) -> anyhow::Result<Vec<Labeled>> {
        let make = || match attacked {
            None => self.extract(need, self.options, &[]),
            Some(attacked) => {
                let attacks = std::slice::from_ref(&attacked.attack);
                let rows = self.extract(need, attacked.options, attacks)?;
                Ok(rows.into_iter().filter(|row| attacked.holds(row)).collect())
            }
        };
        self.kept_or_made(need, &format!("{attacked:?}"), library, make)
    }

    /// The hours in which devices are attacked, from the cache if they are there.
    fn injected(
        &self,
        need: &Need,
        injected: &Injected<'_>,
        library: &Library<'_>,
    ) -> anyhow::Result<Vec<Labeled>> {
        let content = format!("{:?} {:?}", self.home, self.options);
        let make = || {
            let names = self.home.labels().into_iter().map(|device| Ok((device.mac.parse()?, device.name)));
            let names = names
                .collect::<Result<BTreeMap<MacAddr, String>, thingprint_flow::ParseMacError>>()
                .context("failed to read the home's addresses")?;
            let name_of = |device| match device {
                DeviceId::Mac(mac) => names.get(&mac).cloned(),
                DeviceId::Ip(_) => None,
            };
            let rows = self.extract(need, self.options, &injected.in_home(name_of))?;
            let rows = rows.into_iter().filter(|row| injected.holds(&row.instance)).collect();
            Ok(Extracted { rows, flaws: Flaws::default() })
        };
        let contents = [content.as_bytes(), &injected.content()];
        let (extracted, _) = library.cache.get_or_make(&contents, &need.recipe, make)?;
        Ok(extracted.rows)
    }

    /// The instances of a need without an attack, from the cache if they are there, and the single flows: of one play
    /// where both are made.
    fn instances_and_flows(
        &self,
        need: &Need,
        library: &Library<'_>,
        flows: &mut Option<Flows>,
    ) -> anyhow::Result<Vec<Labeled>> {
        let make = || {
            let (mut instances, mut written) = (Vec::new(), Written::new(Flows::default().room()));
            let extraction = need.recipe.options()?;
            let stages = (InstanceStage::new(extraction.clone()), FlowLog);
            self.play((self.options, &[]), extraction.flow, &stages, |rows| {
                for row in rows {
                    match row {
                        Either::Left(instance) => instances.push(instance),
                        Either::Right(flow) => written.add(vec![flow]),
                    }
                }
            })?;
            *flows = Some(self.flows_of(written)?);
            self.labelled(instances)
        };
        let rows = self.kept_or_made(need, "None", library, make)?;
        if flows.is_none() {
            let mut written = Written::new(Flows::default().room());
            let flow = need.recipe.options()?.flow;
            self.play((self.options, &[]), flow, &FlowLog, |rows| written.add(rows))?;
            *flows = Some(self.flows_of(written)?);
        }
        Ok(rows)
    }

    /// Instances of a need that are played in a way, from the cache if they are there.
    fn kept_or_made(
        &self,
        need: &Need,
        how: &str,
        library: &Library<'_>,
        make: impl FnOnce() -> anyhow::Result<Vec<Labeled>>,
    ) -> anyhow::Result<Vec<Labeled>> {
        let content = format!("{:?} {:?} {how}", self.home, self.options);
        let make = || Ok(Extracted { rows: make()?, flaws: Flaws::default() });
        let (extracted, _) = library.cache.get_or_make(&[content.as_bytes()], &need.recipe, make)?;
        Ok(extracted.rows)
    }

    fn extract(
        &self,
        need: &Need,
        options: SimulationOptions,
        attacks: &[thingprint_sim::Attack],
    ) -> anyhow::Result<Vec<Labeled>> {
        let extraction = need.recipe.options()?;
        let mut instances = Vec::new();
        let stage = InstanceStage::new(extraction.clone());
        self.play((options, attacks), extraction.flow, &stage, |rows| instances.extend(rows))?;
        self.labelled(instances)
    }

    /// The labelled windows as they were at these times, of one play.
    fn windows_so_far(&self, need: &Need, after_s: &[u32]) -> anyhow::Result<WindowsSoFar> {
        let options = need.recipe.options()?;
        let source = self.played(self.options, &[])?;
        let mut found: BTreeMap<u32, Vec<Instance>> = BTreeMap::new();
        self.pipeline(options.flow.clone()).windows_so_far(&source, (&options, after_s), |window| {
            found.entry(window.after_s).or_default().extend(window.instance);
        });
        found.into_iter().map(|(seconds, instances)| Ok((seconds, self.labelled(instances)?))).collect()
    }

    /// What the extractions cost that a definition asks about, on the first days.
    fn extraction_costs(
        &self,
        definition: &Definition,
        library: &Library<'_>,
    ) -> anyhow::Result<Vec<ExtractionCost>> {
        let asked = definition.measurement(&self.name, "")?;
        let Some(measurement) = asked.filter(|_| library.measures) else { return Ok(Vec::new()) };
        measure(std::slice::from_ref(self), &measurement)
    }

    /// The instances of labelled devices, in the order of devices and windows.
    fn labelled(&self, mut instances: Vec<Instance>) -> anyhow::Result<Vec<Labeled>> {
        let labels = self.labels()?;
        instances.sort_by_key(|instance| (instance.device, instance.window_start));
        let label_of = |device: DeviceId| match device {
            DeviceId::Mac(mac) => labels.get(&mac).cloned(),
            DeviceId::Ip(_) => None,
        };
        let rows = instances.into_iter().map(|instance| {
            let label = label_of(instance.device);
            Labeled { instance, label }
        });
        Ok(rows.filter(|row| row.label.is_some()).collect())
    }

    fn labels(&self) -> anyhow::Result<BTreeMap<MacAddr, Label>> {
        by_address(self.home.labels().into_iter().map(|device| {
            let kind = match device.kind {
                thingprint_sim::Kind::Iot => Kind::Iot,
                thingprint_sim::Kind::NonIot => Kind::NonIot,
            };
            (device.mac, Label::new(device.label, kind))
        }))
    }

    /// Runs a stage over a simulation, on as it is played.
    fn play<S: Stage>(
        &self,
        (options, attacks): (SimulationOptions, &[thingprint_sim::Attack]),
        flow: FlowOptions,
        stage: &S,
        mut take: impl FnMut(Vec<S::Row>),
    ) -> anyhow::Result<()> {
        let source = self.played(options, attacks)?;
        self.pipeline(flow).run(&source, stage, |event| {
            if let Event::Rows(rows) = event {
                take(rows);
            }
            Ok::<_, anyhow::Error>(())
        })?;
        Ok(())
    }

    /// The home as a source of packets.
    fn played(
        &self,
        options: SimulationOptions,
        attacks: &[thingprint_sim::Attack],
    ) -> anyhow::Result<thingprint_pipeline::Simulated> {
        let simulation =
            Simulation::with_attacks(&self.home, options, attacks).context("failed to simulate")?;
        Ok(thingprint_pipeline::Simulated::from(simulation))
    }

    fn pipeline(&self, flow: FlowOptions) -> Pipeline {
        let flow = FlowOptions { is_identity_given: true, ..flow };
        Pipeline { flow, gateways: self.gateway_policy(), ..Pipeline::default() }
    }

    fn gateway_policy(&self) -> GatewayPolicy {
        let gateway = MacAddr::new(self.home.network.gateway.0);
        GatewayPolicy { given: BTreeSet::from([gateway]), ..GatewayPolicy::default() }
    }

    fn flows_of(&self, written: Written) -> anyhow::Result<Flows> {
        let labels = self.labels()?;
        Ok(written.finish(|device| match device {
            DeviceId::Mac(mac) => labels.get(&mac),
            DeviceId::Ip(_) => None,
        }))
    }

    /// An attack on the first hours, from the second day on, in which the target has traffic of its own.
    fn under_attack(&self, attack: &Attack, normal: &[Labeled]) -> anyhow::Result<UnderAttack> {
        let devices = self.home.labels();
        let Some(device) = devices.iter().find(|device| device.label == attack.target) else {
            bail!("there is no {} in the simulated home", attack.target);
        };
        let of_target =
            normal.iter().filter(|row| row.label.as_ref().is_some_and(|label| label.class == attack.target));
        let hours: BTreeSet<i64> =
            of_target.map(|row| row.instance.window_start.as_nanos() / 1_000_000_000).collect();
        let second_day_s = self.options.start_s + i64::try_from(DAY_S).unwrap_or(0);
        let is_busy = |start_s: &i64| {
            (0..i64::from(attack.hours)).all(|hour| hours.contains(&(start_s + hour * HOUR_S)))
        };
        let Some(start_s) = hours.range(second_day_s..).copied().find(is_busy) else {
            bail!("{} is nowhere on for {} hours", attack.target, attack.hours);
        };
        let duration_s = attack.hours.saturating_mul(3_600);
        let whole_s = u64::try_from(start_s - self.options.start_s).unwrap_or(0) + u64::from(duration_s);
        let kind = match attack.kind {
            AttackKind::UdpReflection => thingprint_sim::AttackKind::UdpReflection(UdpReflection {
                port: attack.port,
                request_bytes: attack.request_bytes,
                response_bytes: attack.response_bytes,
            }),
            AttackKind::TcpSyn => thingprint_sim::AttackKind::TcpSyn(TcpSyn { port: attack.port }),
        };
        Ok(UnderAttack {
            options: SimulationOptions { duration_s: whole_s, ..self.options },
            attack: thingprint_sim::Attack {
                device: device.name.clone(),
                kind,
                start_s,
                duration_s,
                packets_per_s: f64::from(attack.rate_pps),
            },
            target: attack.target.clone(),
        })
    }
}

impl MeasuredTrace for Simulated {
    type Source = thingprint_pipeline::Simulated;

    fn source(&self) -> anyhow::Result<Self::Source> {
        let duration_s = self.options.duration_s.min(MEASURED_DAYS * DAY_S);
        self.played(SimulationOptions { duration_s, ..self.options }, &[])
    }

    fn gateways(&self) -> GatewayPolicy {
        self.gateway_policy()
    }
}

/// A simulation that ends with an attack.
#[derive(Debug)]
struct UnderAttack {
    options: SimulationOptions,
    attack: thingprint_sim::Attack,
    /// Class of the device attacked.
    target: String,
}

impl UnderAttack {
    /// Whether an instance is the target's, of an hour in which it is attacked.
    fn holds(&self, row: &Labeled) -> bool {
        let from = Timestamp::from_seconds(self.attack.start_s);
        let to = Timestamp::from_seconds(self.attack.start_s + i64::from(self.attack.duration_s));
        row.label.as_ref().is_some_and(|label| label.class == self.target)
            && (from..to).contains(&row.instance.window_start)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::path::Path;

    use thingprint_report::Transaction;

    use super::super::cache::Cache;
    use super::*;
    use crate::messages::Messages;

    const DEFINITION: &str = "name = 'a'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\n\
        data = ['home']\nseeds = [1]\n[analysis.attacks]\nsplit = 'random=0.7'\nthreshold = 0.8\n\
        [[analysis.attacks.attack]]\nkind = 'tcp-syn'\nrate_pps = 1\ntarget = 'tarnbrook-plug'\nport = 80\nhours = 3\n";

    fn hours_of(rows: &[Labeled], class: &str) -> BTreeSet<Timestamp> {
        let of_class = rows.iter().filter(|row| row.label.as_ref().is_some_and(|label| label.class == class));
        of_class.map(|row| row.instance.window_start).collect()
    }

    #[test]
    fn attacked_hours_have_no_twins_among_the_normal_ones() {
        let folder = tempfile::tempdir().unwrap();
        let (results, messages) = (Transaction::default(), Messages::new(true, false));
        let library = Library {
            datasets: Path::new("datasets"),
            locations: BTreeMap::new(),
            days: None,
            missing: BTreeSet::new(),
            measures: true,
            results: &results,
            cache: Cache::open(Some(folder.path()), &results, messages).unwrap(),
            threads: NonZeroUsize::MIN,
            messages,
        };
        let simulated = Simulated::named("home", Some(2)).unwrap().unwrap();
        let definition = Definition::from_toml("a.toml", DEFINITION).unwrap();
        let instances = simulated.all_instances(&definition, &library, &mut None).unwrap();
        let [(_, normal), (_, attacked)] = instances.as_slice() else { panic!("{}", instances.len()) };
        let attacked_hours = hours_of(attacked, "tarnbrook-plug");
        assert_eq!((attacked.len(), attacked_hours.len()), (3, 3));
        let quiet_hours = hours_of(normal, "tarnbrook-plug");
        assert!(quiet_hours.len() > 24 && quiet_hours.is_disjoint(&attacked_hours), "{quiet_hours:?}");
        assert!(hours_of(normal, "osprel-camera").is_superset(&attacked_hours), "others are still there");
    }
}
