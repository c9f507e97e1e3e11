use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Name of the generator behind everything random, as the model file records it.
pub const GENERATOR: &str = "ChaCha8 (rand_chacha 0.10)";

/// What random numbers are drawn for: each use has a stream of its own, so that no use disturbs another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// One tree of a forest.
    Tree(u32),
    /// The split into training and test rows.
    Split,
    /// The folds of out-of-fold training.
    Folds,
    /// One draw of a bootstrap.
    Resample(u32),
}

impl Purpose {
    fn stream(self) -> u64 {
        match self {
            Self::Tree(index) => u64::from(index),
            Self::Split => 1 << 32,
            Self::Folds => (1 << 32) + 1,
            Self::Resample(index) => (1 << 33) + u64::from(index),
        }
    }
}

/// Seeded random numbers for one purpose.
pub(crate) struct Generator(ChaCha8Rng);

impl Generator {
    pub(crate) fn new(seed: u64, purpose: Purpose) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(purpose.stream());
        Self(generator)
    }

    /// A number below `bound`, every one equally likely (Lemire 2019, "Fast random integer generation in an
    /// interval"); 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let mut product = u64::from(self.0.next_u32()) * u64::from(bound);
        if low_half(product) < bound && bound > 0 {
            let unfair = bound.wrapping_neg() % bound;
            while low_half(product) < unfair {
                product = u64::from(self.0.next_u32()) * u64::from(bound);
            }
        }
        high_half(product)
    }

    /// Brings the items into a random order, every order equally likely (Fisher and Yates).
    ///
    /// Items beyond the first 2^32 keep their places; no table here is that long.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        for last in (1..count).rev() {
            let other = self.below(last + 1);
            items.swap(last as usize, other as usize);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
const fn low_half(product: u64) -> u32 {
    product as u32
}

const fn high_half(product: u64) -> u32 {
    low_half(product >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_below_a_bound_are_equally_likely() {
        let mut generator = Generator::new(7, Purpose::Split);
        let mut seen = [0_u32; 6];
        for _ in 0..60_000 {
            seen[generator.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (9_600..10_400).contains(&count)), "{seen:?}");
    }

    #[test]
    fn purposes_and_seeds_have_streams_of_their_own() {
        let draw = |seed, purpose| {
            let mut generator = Generator::new(seed, purpose);
            [generator.below(u32::MAX), generator.below(u32::MAX)]
        };
        assert_eq!(draw(1, Purpose::Tree(0)), draw(1, Purpose::Tree(0)));
        assert_ne!(draw(1, Purpose::Tree(0)), draw(1, Purpose::Tree(1)));
        assert_ne!(draw(1, Purpose::Tree(0)), draw(2, Purpose::Tree(0)));
        assert_ne!(draw(1, Purpose::Split), draw(1, Purpose::Folds));
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Generator::new(3, Purpose::Folds).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn the_stream_of_a_seed_is_fixed() {
        let mut generator = Generator::new(1, Purpose::Tree(0));
        let drawn: Vec<u32> = (0..4).map(|_| generator.below(1_000)).collect();
        assert_eq!(drawn, [549, 402, 984, 80]);
    }
}
