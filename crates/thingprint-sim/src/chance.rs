use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A stream of randomness, selected by the seed and a name. It gives the same numbers on every machine,
/// which the standard library's logarithm and cosine do not promise.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of `name` under `seed`. The name goes in by three independent hashes, the seed as it is.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        for (salt, part) in (1_u64..).zip(key[8..].chunks_exact_mut(8)) {
            part.copy_from_slice(&hash(name, salt).to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number of [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        const STEPS: f64 = (1_u64 << 53) as f64;
        (self.0.next_u64() >> 11) as f64 / STEPS
    }

    /// Whether something of this probability happens now.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number of [low, high).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `bound`, 0 when there is none. The bias of the multiplication is below 2^-32.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let scaled = (u64::from(self.0.next_u32()) * u64::from(bound)) >> 32;
        u32::try_from(scaled).unwrap_or(0)
    }

    /// A draw from the exponential distribution with this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// A draw from the standard normal distribution (Box and Muller's method, one of its two values).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.unit())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Any 16 bits.
    pub(crate) fn bits16(&mut self) -> u16 {
        let [low, high, ..] = self.0.next_u32().to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// Any 32 bits.
    pub(crate) fn bits32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Any `N` bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// Fills `bytes` with any bytes.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

/// A hash of a name that stays the same on every machine and in every release: FNV-1a, then the finish of
/// `SplitMix64`, which spreads short names over all bits. Different salts give unrelated hashes.
pub(crate) fn hash(name: &str, salt: u64) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325 ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in name.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(state)
}

/// Spreads a number over all 64 bits (the finish of `SplitMix64`).
pub(crate) fn mix(number: u64) -> u64 {
    let mut state = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_and_by_name_and_repeat() {
        let draw = |seed, name| Chance::new(seed, name).bits32();
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
    }

    #[test]
    fn draws_keep_their_means() {
        let mut chance = Chance::new(7, "means");
        let mut mean = |draw: &mut dyn FnMut(&mut Chance) -> f64| {
            (0..20_000).map(|_| draw(&mut chance)).sum::<f64>() / 20_000.0
        };
        assert!((mean(&mut |c| c.unit()) - 0.5).abs() < 0.01);
        assert!((mean(&mut |c| c.exponential(3.0)) - 3.0).abs() < 0.1);
        assert!(mean(&mut Chance::normal).abs() < 0.03);
        assert!((mean(&mut |c| f64::from(c.below(11))) - 5.0).abs() < 0.1);
    }
}
