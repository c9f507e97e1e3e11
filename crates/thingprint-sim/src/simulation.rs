use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::clock::SECOND_NS;
use crate::play::{Attacker, Device, World};
use crate::wire::Noise;
use crate::{Attack, Home, SimError};

/// What to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulationOptions {
    /// When it begins, in seconds since 1970.
    pub start_s: i64,
    /// How long it lasts, in seconds.
    pub duration_s: u64,
    /// The seed: other seeds give other traffic of the same kind.
    pub seed: u64,
    /// How many bytes of each frame are captured; all of them when not given.
    pub snaplen: Option<u32>,
}

impl Default for SimulationOptions {
    /// Two days from Monday, 3 June 2024, 00:00 UTC.
    fn default() -> Self {
        Self { start_s: 1_717_372_800, duration_s: 2 * 86_400, seed: 1, snaplen: None }
    }
}

/// One captured Ethernet frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When it passes the capture point, in nanoseconds since 1970.
    pub time_ns: i64,
    /// What is captured of it.
    pub bytes: &'a [u8],
    /// Its true length, in bytes.
    pub original_bytes: u32,
}

/// Frames in time order.
pub trait Frames {
    /// The next frame; none when the time is over.
    fn next_frame(&mut self) -> Option<Frame<'_>>;

    /// How many bytes of each frame are captured, if not all.
    fn snaplen(&self) -> Option<u32>;
}

/// A home at play: its frames, one after the other, in time order.
///
/// Memory does not grow with the time that is simulated.
pub struct Simulation {
    /// In the order of their names, which settles who comes first at equal times.
    devices: Vec<Device>,
    /// Those who attack them, counted on from the devices.
    attackers: Vec<Attacker>,
    /// When the next frame of each device or attacker comes.
    queue: BinaryHeap<Reverse<(i64, usize)>>,
    noise: Noise,
    limit: usize,
    snaplen: Option<u32>,
    frame: Vec<u8>,
}

impl Simulation {
    /// Makes the devices of a home ready to play.
    ///
    /// Fails when start and duration do not fit the clock, or when the home was changed and has an unsupported value.
    pub fn new(home: &Home, options: SimulationOptions) -> Result<Self, SimError> {
        Self::with_attacks(home, options, &[])
    }

    /// Makes a home ready to play while some of its devices are attacked. What devices do by themselves is the same as
    /// without attacks, to the byte.
    ///
    /// Fails like [`Self::new`], and when an attack names no device of the home or has a rate or sizes that make no
    /// sense.
    pub fn with_attacks(
        home: &Home,
        options: SimulationOptions,
        attacks: &[Attack],
    ) -> Result<Self, SimError> {
        home.check()?;
        for (index, attack) in attacks.iter().enumerate() {
            attack.check(home, index)?;
        }
        let (start_ns, end_ns) = span_of(options)?;
        let world = Arc::new(World::new(home, end_ns));
        let mut units: Vec<_> = home.units().collect();
        units.sort_by_key(|(_, unit)| &unit.name);
        let device = |(profile, unit)| Device::new(profile, unit, &world, (start_ns, options.seed));
        let mut devices: Vec<Device> = units.into_iter().map(device).collect();
        let attacker = |(index, attack)| Attacker::in_home(attack, &world, (start_ns, options.seed, index));
        let mut attackers: Vec<Attacker> = attacks.iter().enumerate().filter_map(attacker).collect();
        let times = devices.iter_mut().map(Device::next_time);
        let times = times.chain(attackers.iter_mut().map(Attacker::next_time));
        let queue = times.enumerate().filter_map(|(index, time)| Some(Reverse((time?, index)))).collect();
        let limit =
            options.snaplen.map_or(usize::MAX, |snaplen| usize::try_from(snaplen).unwrap_or(usize::MAX));
        let noise = Noise::new(options.seed);
        let frame = Vec::with_capacity(2048);
        Ok(Self { devices, attackers, queue, noise, limit, snaplen: options.snaplen, frame })
    }

    /// The next frame; none when the time is over.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        let Reverse((_, index)) = self.queue.pop()?;
        let (noise, limit, frame) = (&self.noise, self.limit, &mut self.frame);
        let ((time_ns, length), next) = if let Some(device) = self.devices.get_mut(index) {
            (device.write_next(noise, limit, frame)?, device.next_time())
        } else {
            let attacker = self.attackers.get_mut(index - self.devices.len())?;
            (attacker.write_next(noise, limit, frame)?, attacker.next_time())
        };
        if let Some(next) = next {
            self.queue.push(Reverse((next, index)));
        }
        let original_bytes = u32::try_from(length).unwrap_or(u32::MAX);
        Some(Frame { time_ns, bytes: &self.frame, original_bytes })
    }

    /// How many bytes of each frame are captured, if not all.
    pub fn snaplen(&self) -> Option<u32> {
        self.snaplen
    }
}

impl Frames for Simulation {
    fn next_frame(&mut self) -> Option<Frame<'_>> {
        Self::next_frame(self)
    }

    fn snaplen(&self) -> Option<u32> {
        Self::snaplen(self)
    }
}

/// First moment and end, in nanoseconds. A capture file counts its seconds in 32 bits, which lasts until 2106.
pub(crate) fn span_of(options: SimulationOptions) -> Result<(i64, i64), SimError> {
    let SimulationOptions { start_s, duration_s, .. } = options;
    let end_s = i64::try_from(duration_s).ok().and_then(|duration_s| start_s.checked_add(duration_s));
    match end_s {
        Some(end_s) if start_s >= 0 && end_s <= i64::from(u32::MAX) => {
            Ok((start_s * SECOND_NS, end_s * SECOND_NS))
        }
        _ => Err(SimError::Span { start_s, duration_s }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unsw28;

    #[test]
    fn what_waits_to_leave_stays_small() {
        let mut home = unsw28().unwrap();
        for profile in &mut home.profiles {
            profile.presence.hours = None;
        }
        let options =
            SimulationOptions { duration_s: 86_400, snaplen: Some(96), ..SimulationOptions::default() };
        let mut simulation = Simulation::new(&home, options).unwrap();
        let (mut frames, mut most) = (0_u32, 0);
        while simulation.next_frame().is_some() {
            frames += 1;
            if frames.is_multiple_of(64) {
                most = most.max(simulation.devices.iter().map(Device::planned).sum());
            }
        }
        assert!(frames > 300_000, "{frames}");
        assert!((1..3000).contains(&most), "{most}");
    }
}
