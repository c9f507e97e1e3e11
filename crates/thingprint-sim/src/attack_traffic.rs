use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::SimError;
use crate::attack::{Attack, Target};
use crate::play::Attacker;
use crate::profile::Place;
use crate::simulation::{Frame, Frames, SimulationOptions, span_of};
use crate::wire::Noise;

/// The frames of attacks alone, in time order: what is merged with the frames of a capture to attack the devices in it.
pub struct AttackTraffic {
    attackers: Vec<Attacker>,
    /// When the next frame of each attacker comes.
    queue: BinaryHeap<Reverse<(i64, usize)>>,
    noise: Noise,
    snaplen: Option<u32>,
    frame: Vec<u8>,
}

/// What errors call the list of attacks.
const LIST: &str = "attacks";

impl AttackTraffic {
    /// Makes attacks on devices ready to play, within the time that the options give. The name of the device only seeds
    /// the randomness of its attack.
    ///
    /// Fails when start and duration do not fit the clock, and when an attack has an unsupported value.
    pub fn new(attacks: &[(Target, Attack)], options: SimulationOptions) -> Result<Self, SimError> {
        let span = span_of(options)?;
        for (index, (_, attack)) in attacks.iter().enumerate() {
            attack.check_values(&Place::top(LIST).entry("attack", index))?;
        }
        let attacker = |(index, (target, attack)): (usize, &(Target, Attack))| {
            Attacker::on(*target, attack, span, (options.seed, index))
        };
        let mut attackers: Vec<Attacker> = attacks.iter().enumerate().map(attacker).collect();
        let times = attackers.iter_mut().map(Attacker::next_time).enumerate();
        let queue = times.filter_map(|(index, time)| Some(Reverse((time?, index)))).collect();
        let frame = Vec::with_capacity(2048);
        Ok(Self { attackers, queue, noise: Noise::new(options.seed), snaplen: options.snaplen, frame })
    }
}

impl Frames for AttackTraffic {
    fn next_frame(&mut self) -> Option<Frame<'_>> {
        let Reverse((_, index)) = self.queue.pop()?;
        let limit = self.snaplen.map_or(usize::MAX, |snaplen| usize::try_from(snaplen).unwrap_or(usize::MAX));
        let attacker = self.attackers.get_mut(index)?;
        let (time_ns, length) = attacker.write_next(&self.noise, limit, &mut self.frame)?;
        if let Some(next) = attacker.next_time() {
            self.queue.push(Reverse((next, index)));
        }
        let original_bytes = u32::try_from(length).unwrap_or(u32::MAX);
        Some(Frame { time_ns, bytes: &self.frame, original_bytes })
    }

    fn snaplen(&self) -> Option<u32> {
        self.snaplen
    }
}
