use std::collections::BTreeMap;

use serde::Deserialize;
use thingprint_flow::{DeviceId, Timestamp, WindowLength};
use thingprint_instance::Labeled;
use thingprint_sim::AttackKind;

use super::{Extraction, has_twice};

/// Name in results of the hours in which nobody is attacked.
pub(crate) const CLEAN: &str = "change/clean";
/// Nanoseconds of an hour.
const HOUR_NS: u64 = 3_600_000_000_000;
/// Fewest hours of a device that are enough for a baseline and an attack.
const LEAST_HOURS: usize = 5;

/// Attacks on every device, in hours behind those that its baseline is learned from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Injection {
    /// How captures become instances: with the evidence that changes are measured by.
    #[serde(default)]
    pub extraction: Extraction,
    /// Share of the hours of each device, the first ones, that its baseline is learned from.
    pub train: f64,
    /// What is done.
    pub kinds: Vec<AttackKind>,
    /// Packets a second, on average.
    pub rates_pps: Vec<f64>,
    /// When an attack begins, in seconds from the beginning of its hour.
    pub start_s: u32,
    /// How long it lasts, in seconds.
    pub duration_s: u32,
    /// In how many hours, at most, a device is attacked by each kind at each rate.
    pub rounds: usize,
}

/// An attack on a device in one hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strike {
    /// The device.
    pub device: DeviceId,
    /// Start of the hour.
    pub window_start: Timestamp,
    /// What is done.
    pub kind: AttackKind,
    /// Packets a second, on average.
    pub rate_pps: f64,
}

/// The hours of a device in the order of time: those that it is known by, and those that are looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Halves<'r> {
    pub(crate) earlier: Vec<&'r Labeled>,
    pub(crate) later: Vec<&'r Labeled>,
}

impl Injection {
    /// The attacks, one in an hour at most. Hours are evenly spread over the later ones of a device; devices begin with
    /// different kinds, so that each kind is seen on devices with few hours, too.
    pub fn strikes(&self, rows: &[Labeled]) -> Vec<Strike> {
        let ways = self.ways();
        let mut strikes = Vec::new();
        for (at, (device, halves)) in self.halves(rows).iter().enumerate() {
            let wanted = ways.len() * self.rounds;
            let step = (halves.later.len() / wanted.max(1)).max(1);
            let hours = halves.later.iter().step_by(step).take(wanted);
            let first = at * self.rates_pps.len() % ways.len().max(1);
            for (row, (kind, rate_pps)) in hours.zip(ways.iter().cycle().skip(first)) {
                let (device, window_start) = (*device, row.instance.window_start);
                strikes.push(Strike { device, window_start, kind: *kind, rate_pps: *rate_pps });
            }
        }
        strikes
    }

    /// The hours of each device that has enough of them.
    pub(crate) fn halves<'r>(&self, rows: &'r [Labeled]) -> BTreeMap<DeviceId, Halves<'r>> {
        let mut devices: BTreeMap<DeviceId, Vec<&Labeled>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.label.is_some()) {
            devices.entry(row.instance.device).or_default().push(row);
        }
        devices.retain(|_, rows| rows.len() >= LEAST_HOURS);
        let halves = devices.into_iter().map(|(device, mut rows)| {
            rows.sort_by_key(|row| row.instance.window_start);
            let whole = rows.len() as f64 * self.train;
            let earlier = (1..=rows.len()).take_while(|count| *count as f64 <= whole).count();
            let later = rows.split_off(earlier);
            (device, Halves { earlier: rows, later })
        });
        halves.collect()
    }

    /// Each kind at each rate.
    pub(crate) fn ways(&self) -> Vec<(AttackKind, f64)> {
        let rates = |kind| self.rates_pps.iter().map(move |rate_pps| (kind, *rate_pps));
        self.kinds.iter().flat_map(|kind| rates(*kind)).collect()
    }

    /// What `metrics.json` calls its numbers.
    pub(crate) fn metric_keys(&self) -> Vec<String> {
        let ways = self.ways().into_iter().map(|(kind, rate_pps)| Strike::key(kind, rate_pps));
        ways.chain([CLEAN.to_owned()]).collect()
    }

    /// Field and problem of the first unsupported value.
    pub(crate) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(0.1..=0.9).contains(&self.train) {
            return Err(("train", "expected a share from 0.1 to 0.9"));
        }
        let window =
            self.extraction.recipe("").and_then(|recipe| recipe.options()).map(|options| options.flow.window);
        if window.is_ok_and(|window| window != WindowLength::Span(HOUR_NS)) {
            return Err(("extraction", "expected windows of an hour"));
        }
        let kinds: Vec<String> = self.kinds.iter().map(AttackKind::name).collect();
        if kinds.is_empty() || has_twice(&kinds) {
            return Err(("kinds", "expected kinds of attacks, each once"));
        }
        let rates: Vec<u64> = self.rates_pps.iter().map(|rate| rate.to_bits()).collect();
        let are_rates = self.rates_pps.iter().all(|rate| (0.001..=1e5).contains(rate));
        if rates.is_empty() || has_twice(&rates) || !are_rates {
            return Err(("rates_pps", "expected rates from 0.001 to 100000, each once"));
        }
        let end_s = u64::from(self.start_s) + u64::from(self.duration_s);
        if self.duration_s == 0 || end_s > 3600 {
            return Err(("duration_s", "expected an attack that begins and ends within an hour"));
        }
        if self.rounds == 0 {
            return Err(("rounds", "expected at least 1"));
        }
        Ok(())
    }
}

impl Strike {
    /// Its name in results, like `change/tcp-syn-0.1`.
    pub(crate) fn key(kind: AttackKind, rate_pps: f64) -> String {
        format!("change/{}-{rate_pps}", kind.name())
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::MacAddr;
    use thingprint_instance::{Attributes, Bags, Counts, Instance, Kind, Label, Spreads};

    use super::*;

    const TOML: &str = "train = 0.5\nkinds = [{ tcp-syn = { port = 80 } }, { dns-tunnel = {} }]\n\
                        rates_pps = [0.1, 1]\nstart_s = 1200\nduration_s = 600\nrounds = 2\n";

    fn row(device: u8, hour: i64) -> Labeled {
        let instance = Instance {
            device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, device])),
            window_start: Timestamp::from_seconds(hour * 3600),
            window_s: 3600.0,
            capture: None,
            attributes: Attributes::default(),
            bags: Bags::default(),
            counts: Counts::default(),
            spread: Spreads::default(),
        };
        Labeled { instance, label: Some(Label::new("camera", Kind::Iot)) }
    }

    fn injection(text: &str) -> Injection {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn each_device_is_attacked_by_each_kind_at_each_rate_in_later_hours() {
        let rows: Vec<Labeled> =
            (1..=2).flat_map(|device| (0..40).map(move |hour| row(device, hour))).collect();
        let strikes = injection(TOML).strikes(&rows);
        // Two kinds at two rates in two rounds, on two devices, in every other one of twenty later hours.
        assert_eq!(strikes.len(), 2 * 8);
        let hours: Vec<i64> =
            strikes.iter().map(|strike| strike.window_start.as_nanos() / 3_600_000_000_000).collect();
        assert_eq!(hours[..8], [20, 22, 24, 26, 28, 30, 32, 34]);
        let keys: Vec<String> =
            strikes.iter().map(|strike| Strike::key(strike.kind, strike.rate_pps)).collect();
        assert_eq!(keys[..3], ["change/tcp-syn-0.1", "change/tcp-syn-1", "change/dns-tunnel-0.1"]);
        assert_eq!(keys[8], "change/dns-tunnel-0.1", "another device begins with another kind");
    }

    #[test]
    fn devices_with_few_hours_are_left_alone() {
        let rows: Vec<Labeled> = (0..4).map(|hour| row(1, hour)).collect();
        assert!(injection(TOML).strikes(&rows).is_empty());
    }

    #[test]
    fn unsupported_values_are_refused_by_field() {
        assert_eq!(injection(TOML).check(), Ok(()));
        for (from, to, field) in [
            ("train = 0.5", "train = 1", "train"),
            ("[0.1, 1]", "[0.1, 0.1]", "rates_pps"),
            ("[0.1, 1]", "[0]", "rates_pps"),
            ("{ dns-tunnel = {} }", "{ tcp-syn = { port = 81 } }", "kinds"),
            ("start_s = 1200", "start_s = 3001", "duration_s"),
            ("rounds = 2", "rounds = 0", "rounds"),
            ("train = 0.5", "train = 0.5\nextraction = { options = 'window=15m' }", "extraction"),
        ] {
            let problem = injection(&TOML.replace(from, to)).check();
            assert_eq!(problem.map_err(|(found, _)| found), Err(field), "{to}");
        }
    }
}
