//! A seeded set of instances with the shape of the classification paper's: 28 kinds of device and one general-purpose
//! class, from 13 to 4,177 hours of each in 50,378, bags that are often empty, and numbers that overlap.
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{Bag, BagName, Bags, Counts, EvidenceSet, Instance, Kind, Label, Labeled, Spreads};

/// Hours of each class: those that the paper names, and between them a spread that gives its total.
const HOURS: [u32; 29] = [
    13, 21, 96, 143, 208, 340, 486, 612, 748, 890, 1_020, 1_190, 1_330, 1_480, 1_610, 1_760, 1_900, 2_050,
    2_150, 2_247, 2_350, 2_460, 2_570, 2_690, 2_868, 3_200, 3_501, 4_177, 6_268,
];

/// How the devices of one class behave.
struct Profile {
    ports: Vec<(String, f64)>,
    domains: Vec<(String, f64)>,
    cipher_suites: Vec<(String, f64)>,
    /// Logarithm of each attribute: centre, width, and how often it is absent.
    attributes: [(f64, f64, f64); 6],
}

/// `count` labelled instances, in order of time.
pub(crate) fn instances(count: usize, seed: u64) -> Vec<Labeled> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let profiles: Vec<Profile> = (0..HOURS.len()).map(|class| Profile::draw(class, &mut random)).collect();
    (0..count).map(|hour| instance(hour, &profiles, &mut random)).collect()
}

fn instance(hour: usize, profiles: &[Profile], random: &mut ChaCha8Rng) -> Labeled {
    let class = draw_class(hour, random);
    let profile = &profiles[class];
    let kind = if class + 1 == HOURS.len() { Kind::NonIot } else { Kind::Iot };
    let attributes = profile.attributes.map(|(centre, width, absent)| {
        (uniform(random) >= absent).then(|| (centre + width * normal(random)).exp())
    });
    let bags = Bags::from([
        (BagName::PORTS, bag(&profile.ports, random)),
        (BagName::DOMAINS, bag(&profile.domains, random)),
        (BagName::CIPHER_SUITES, bag(&profile.cipher_suites, random)),
    ]);
    let octet = u8::try_from(class).unwrap_or(u8::MAX);
    let instance = Instance {
        device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, octet])),
        window_start: Timestamp::from_seconds(3_600 * i64::try_from(hour).unwrap_or(0)),
        window_s: 3_600.0,
        capture: None,
        attributes: EvidenceSet::paper().numbers().zip(attributes).collect(),
        bags,
        counts: Counts::default(),
        spread: Spreads::new(),
    };
    Labeled { instance, label: Some(Label::new(format!("class-{class:02}"), kind)) }
}

/// Every class once, then by its share of the hours.
fn draw_class(hour: usize, random: &mut ChaCha8Rng) -> usize {
    if hour < HOURS.len() {
        return hour;
    }
    let mut left = uniform(random) * f64::from(HOURS.iter().sum::<u32>());
    let passes = |hours: &u32| {
        left -= f64::from(*hours);
        left < 0.0
    };
    HOURS.iter().position(passes).unwrap_or(0)
}

impl Profile {
    fn draw(class: usize, random: &mut ChaCha8Rng) -> Self {
        let mut own = |prefix: &str, most: f64| -> Vec<(String, f64)> {
            let count = 1 + below(random, most);
            (0..count)
                .map(|word| (format!("{prefix}{class}-{word}.example"), 0.2 + 0.8 * uniform(random)))
                .collect()
        };
        let mut ports = own("8", 12.0);
        let mut domains = own("api", 14.0);
        let mut cipher_suites = own("c02f-c030-", 3.0);
        for (port, share) in [("53", 0.9), ("123", 0.5), ("443", 0.7), ("80", 0.4)] {
            ports.push((port.to_owned(), share * uniform(random)));
        }
        for vendor in 0..3 {
            domains.push((format!("vendor{}.example", (class + vendor) % 9), 0.3 * uniform(random)));
            cipher_suites.push((format!("002f-{:04x}", (class + vendor) % 7), 0.2 * uniform(random)));
        }
        let attributes = [5.0, 2.0, 7.0, 4.0, 5.0, 6.0].map(|centre| {
            (
                centre + 1.5 * normal(random),
                0.1 + 0.4 * uniform(random),
                0.3 * uniform(random) * uniform(random),
            )
        });
        Self { ports, domains, cipher_suites, attributes }
    }
}

fn bag(words: &[(String, f64)], random: &mut ChaCha8Rng) -> Bag {
    if uniform(random) < 0.15 {
        return Bag::new();
    }
    let mut bag = Bag::new();
    for (word, share) in words {
        if uniform(random) < *share {
            bag.insert(word.clone(), 1 + below(random, 8.0) as u64);
        }
    }
    bag
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and not negative")]
fn below(random: &mut ChaCha8Rng, bound: f64) -> usize {
    (uniform(random) * bound) as usize
}

/// A number from 0 up to 1.
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number of the standard normal distribution (Box and Muller).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(random)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(random)).cos()
}
