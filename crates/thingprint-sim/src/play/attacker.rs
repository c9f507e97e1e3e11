use super::World;
use super::scene::Scene;
use crate::attack::{Attack, Player, Target};
use crate::chance::Chance;
use crate::clock::{SECOND_NS, span_ns};
use crate::wire::Noise;

/// Someone who attacks a device, or acts through it, and what the device does then.
pub(crate) struct Attacker {
    player: Box<dyn Player>,
    scene: Scene,
    gap_s: f64,
    next_ns: i64,
    end_ns: i64,
}

impl Attacker {
    /// The attacker of the `index`-th attack on a device of a home; none when the home has no such device.
    pub(crate) fn in_home(
        attack: &Attack,
        world: &World,
        (start_ns, seed, index): (i64, u64, usize),
    ) -> Option<Self> {
        let peer = world.peers.get(&attack.device)?;
        let target = Target {
            mac: peer.mac,
            ip: peer.ip,
            ttl: peer.ttl,
            gateway: world.network.gateway,
            resolver: world.gateway_ip(),
        };
        Some(Self::on(target, attack, (start_ns, world.end_ns), (seed, index)))
    }

    /// The attacker of the `index`-th attack, from the first time to before the second.
    pub(crate) fn on(
        target: Target,
        attack: &Attack,
        (from_ns, to_ns): (i64, i64),
        (seed, index): (u64, usize),
    ) -> Self {
        let begins = attack.start_s * SECOND_NS;
        let ends = begins.saturating_add(i64::from(attack.duration_s) * SECOND_NS);
        let chance = Chance::new(seed, &format!("attack {index} on {}", attack.device));
        let mut attacker = Self {
            player: attack.kind.player(),
            scene: Scene::new(target, attack.kind.device_port(), chance),
            gap_s: 1.0 / attack.packets_per_s,
            next_ns: begins.max(from_ns),
            end_ns: ends.min(to_ns),
        };
        attacker.next_ns += attacker.gap_ns();
        attacker
    }

    /// When the next frame passes; none when the attack is over.
    pub(crate) fn next_time(&mut self) -> Option<i64> {
        loop {
            let frame = self.scene.outbox.next_time();
            let event = Some(self.next_ns).filter(|at| *at < self.end_ns);
            match (frame, event) {
                (None, None) => return None,
                (Some(frame), event) if event.is_none_or(|event| frame <= event) => {
                    return Some(frame).filter(|at| *at < self.end_ns);
                }
                _ => self.strike(),
            }
        }
    }

    /// Writes the next frame, no more than `limit` bytes of it; its time and true length.
    pub(crate) fn write_next(
        &mut self,
        noise: &Noise,
        limit: usize,
        frame: &mut Vec<u8>,
    ) -> Option<(i64, usize)> {
        self.scene.write_next(noise, limit, frame)
    }

    /// Sends a packet, and plans what comes of it.
    fn strike(&mut self) {
        let now = self.next_ns;
        self.next_ns += self.gap_ns();
        self.scene.outbox.begin(now);
        self.player.strike(now, &mut self.scene);
    }

    fn gap_ns(&mut self) -> i64 {
        span_ns(self.scene.chance.exponential(self.gap_s)).max(1_000)
    }
}
