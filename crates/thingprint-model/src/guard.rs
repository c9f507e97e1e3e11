use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, MacAddr};
use thingprint_instance::{Bag, BagName, EvidenceSet, Instance, Label};

use crate::error::FileFault;
use crate::parallel;
use crate::word_list::WordSet;

/// Digits of a device's own address that a word may not hold without being listed.
const ADDRESS_DIGITS: usize = 4;

/// Least transfer ratio of a bag that is learned from. Of bags without names of the unit it is about 1, of raw DHCP
/// options 0.67.
const LEAST_TRANSFER: f64 = 0.8;

/// Words that a unit has to have said again, before a bag is refused for what other units did not say.
const LEAST_REPEATED: u64 = 20;

/// Most words of a bag that are listed for each reason.
const MAX_LISTED: usize = 20;

/// Whether the words of a bag are of a class or of the unit that was captured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BagUnits {
    /// The bag.
    pub bag: BagName,
    /// Words of all devices, those of each device counted once.
    pub words: u64,
    /// Of those, the words that hold four or more hexadecimal digits in a row of the device's own link address.
    pub own_address: u64,
    /// Up to 20 words with digits of the device's own address, in byte order.
    ///
    /// They name units, so that no model file has them.
    #[serde(skip)]
    pub address_words: Vec<String>,
    /// In classes with two units: words of a window that another device has, for each word that the same unit has at
    /// another time; `None` where no such unit says anything again.
    pub transfer: Option<f64>,
    /// Up to 20 words that such a unit has at different times and no other device, in byte order.
    /// Likewise in no model file.
    #[serde(skip)]
    pub unit_words: Vec<String>,
    /// Whether the bag is refused: its transfer ratio is below 0.8.
    pub is_refused: bool,
}

/// Words by which windows are known: those of the same unit at another time, and those of other devices.
#[derive(Debug, Default)]
struct Transfer<'a> {
    from_unit: u64,
    from_others: u64,
    unit_words: BTreeSet<&'a str>,
}

/// The windows of each unit of each class, in the order of time.
type Units<'a> = BTreeMap<&'a str, BTreeMap<DeviceId, Vec<&'a Instance>>>;

/// Whether the words of each bag are of classes or of units, by labelled windows whose order does not matter; on up to so
/// many threads, of which the outcome does not depend.
///
/// A bag that names the unit makes a model that knows the very devices of its training and no others of their kind.
pub fn unit_guard(rows: &[(&Instance, &Label)], evidence: EvidenceSet, jobs: NonZeroUsize) -> Vec<BagUnits> {
    let mut units: Units<'_> = BTreeMap::new();
    for &(instance, label) in rows {
        units.entry(&label.class).or_default().entry(instance.device).or_default().push(instance);
    }
    for windows in units.values_mut().flat_map(BTreeMap::values_mut) {
        windows.sort_by_key(|window| (window.window_start, &window.capture));
    }
    let bags: Vec<BagName> = evidence.bags().collect();
    parallel::map(bags.len(), jobs, || (), |(), at| BagUnits::of(bags[at], &units))
}

impl BagUnits {
    fn of(bag: BagName, units: &Units<'_>) -> Self {
        let (mut words, mut own_address, mut address_words) = (0, 0, BTreeSet::new());
        for (device, windows) in units.values().flatten() {
            let of_device = words_of(windows, bag);
            words += of_device.len() as u64;
            let DeviceId::Mac(mac) = device else { continue };
            let address = AddressDigits::of(*mac);
            let own = of_device.into_iter().filter(|word| address.are_in(word));
            own.for_each(|word| {
                own_address += 1;
                address_words.insert(word);
            });
        }
        let transfer = Transfer::of(bag, units);
        let ratio = transfer.ratio();
        let is_refused =
            transfer.from_unit >= LEAST_REPEATED && ratio.is_some_and(|ratio| ratio < LEAST_TRANSFER);
        let (address_words, unit_words) = (listed(&address_words), listed(&transfer.unit_words));
        Self { bag, words, own_address, address_words, transfer: ratio, unit_words, is_refused }
    }

    /// Share of the words that hold digits of the device's own address, 0 to 1.
    pub fn address_share(&self) -> f64 {
        if self.words == 0 { 0.0 } else { self.own_address as f64 / self.words as f64 }
    }

    pub(crate) fn check_loaded(&self) -> Result<(), FileFault> {
        if self.transfer.is_none_or(|ratio| ratio >= 0.0) {
            Ok(())
        } else {
            Err(FileFault::Inconsistent("its report on units has a negative ratio"))
        }
    }
}

impl<'a> Transfer<'a> {
    fn of(bag: BagName, units: &Units<'a>) -> Self {
        let shared = shared_words(bag, units);
        let mut transfer = Self::default();
        for windows in units.values().filter(|units| units.len() > 1).flat_map(BTreeMap::values) {
            let (early, late) = windows.split_at(windows.len() / 2);
            transfer.count((early, &words_of(late, bag)), &shared, bag);
            transfer.count((late, &words_of(early, bag)), &shared, bag);
        }
        transfer
    }

    /// Counts the words of windows of a unit that its other windows have, and those that other devices have.
    fn count(
        &mut self,
        (windows, same): (&[&'a Instance], &WordSet<'a>),
        shared: &WordSet<'a>,
        bag: BagName,
    ) {
        let words = windows.iter().filter_map(|window| window.bags.get(bag)).flat_map(Bag::keys);
        for word in words.map(String::as_str) {
            let (is_same, is_shared) = (same.contains(word), shared.contains(word));
            self.from_unit += u64::from(is_same);
            self.from_others += u64::from(is_shared && !same.is_empty());
            if is_same && !is_shared {
                self.unit_words.insert(word);
            }
        }
    }

    fn ratio(&self) -> Option<f64> {
        (self.from_unit > 0).then(|| self.from_others as f64 / self.from_unit as f64)
    }
}

/// The words that two devices and more have, of whatever classes: they are the name of none. Units of a class may well
/// run other firmware, which shows in other devices of the vendor.
fn shared_words<'a>(bag: BagName, units: &Units<'a>) -> WordSet<'a> {
    let (mut seen, mut shared) = (WordSet::default(), WordSet::default());
    for windows in units.values().flat_map(BTreeMap::values) {
        let words = words_of(windows, bag);
        shared.extend(words.intersection(&seen).copied());
        seen.extend(words);
    }
    shared
}

fn words_of<'a>(windows: &[&'a Instance], bag: BagName) -> WordSet<'a> {
    let bags = windows.iter().filter_map(|window| window.bags.get(bag));
    bags.flat_map(Bag::keys).map(String::as_str).collect()
}

fn listed(words: &BTreeSet<&str>) -> Vec<String> {
    words.iter().take(MAX_LISTED).map(|&word| word.to_owned()).collect()
}

/// Digits in a row of an address, written without separators or with `:` or `-` between bytes.
struct AddressDigits(Vec<String>);

impl AddressDigits {
    fn of(mac: MacAddr) -> Self {
        let parts = ["", ":", "-"].into_iter().flat_map(|separator| {
            let address = mac.octets().map(|octet| format!("{octet:02x}")).join(separator);
            let length = ADDRESS_DIGITS + separator.len() * (ADDRESS_DIGITS / 2 - 1);
            let parts = (0..=address.len() - length).map(|at| address[at..at + length].to_owned());
            let parts = parts.filter(|part| separator.is_empty() || is_bytes(part, separator));
            parts.collect::<Vec<String>>()
        });
        Self(parts.collect())
    }

    fn are_in(&self, word: &str) -> bool {
        let word = word.to_ascii_lowercase();
        self.0.iter().any(|part| word.contains(part))
    }
}

/// Whether a part of a separated address is made of whole bytes.
fn is_bytes(part: &str, separator: &str) -> bool {
    part.split(separator).all(|byte| byte.len() == 2)
}

#[cfg(test)]
mod tests {
    use thingprint_flow::Timestamp;
    use thingprint_instance::{Attributes, Bags, Counts, Kind, Spreads};

    use super::*;

    fn window(unit: u8, hour: i64, words: &[&str]) -> Instance {
        let bag: Bag = words.iter().map(|&word| (word.to_owned(), 1)).collect();
        Instance {
            device: DeviceId::Mac(MacAddr::new([0x50, 0xc7, 0xbf, 0x0a, 0x1b, unit])),
            window_start: Timestamp::from_seconds(hour * 3_600),
            window_s: 3_600.0,
            capture: None,
            attributes: Attributes::default(),
            bags: Bags::from([(BagName::DOMAINS, bag)]),
            counts: Counts::default(),
            spread: Spreads::new(),
        }
    }

    fn check_address(word: &str, expected: bool) {
        let mac = MacAddr::new([0x50, 0xc7, 0xbf, 0x0a, 0x1b, 0x2c]);
        assert_eq!(AddressDigits::of(mac).are_in(word), expected, "{word}");
    }

    #[test]
    fn words_with_digits_of_the_own_address_are_found() {
        check_address("HS100-1B2C", true);
        check_address("plug_50c7bf0a1b2c._tcp.local", true);
        check_address("id-0a:1b:2c", true);
        check_address("50-c7", true);
        check_address("7bf0", true);
        check_address("HS100", false);
        check_address("0a-1c", false);
        check_address("a1-b2", false);
        check_address("1b2", false);
    }

    /// Two units of a class for 20 hours: one name of the class, and one of the unit, or a second one of the class.
    fn guard(own_name: bool) -> BagUnits {
        let name = |unit: u8| if own_name { format!("plug-{unit}") } else { "plug".to_owned() };
        let windows: Vec<Instance> = (0..20)
            .flat_map(|hour| [1, 2].map(|unit| window(unit, hour, &["cloud.example", &name(unit)])))
            .collect();
        let label = Label::new("plug", Kind::Iot);
        let rows: Vec<_> = windows.iter().map(|window| (window, &label)).collect();
        let mut reversed = rows.clone();
        reversed.reverse();
        let evidence = EvidenceSet::from(BagName::DOMAINS);
        let both = [&rows, &reversed].map(|rows| unit_guard(rows, evidence, NonZeroUsize::MIN));
        assert_eq!(both[0], both[1]);
        both[0][0].clone()
    }

    #[test]
    fn a_bag_that_names_units_is_refused() {
        let units = guard(true);
        // Of two words that a unit says again, other units say one.
        assert_eq!((units.transfer, units.is_refused, units.words), (Some(0.5), true, 4));
        assert_eq!(units.unit_words, ["plug-1", "plug-2"]);
        let units = guard(false);
        assert_eq!((units.transfer, units.is_refused, units.words), (Some(1.0), false, 4));
        assert!(units.unit_words.is_empty() && units.address_words.is_empty());
    }

    /// The second unit of a class has names of other firmware, which a device of another class has, too.
    #[test]
    fn other_firmware_refuses_no_bag() {
        let words = |unit: u8| if unit == 1 { "old.example" } else { "new.example" };
        let windows: Vec<(u8, Instance)> = (0..20)
            .flat_map(|hour| [1, 2, 3, 4].map(|unit| (unit, window(unit, hour, &[words(unit % 2)]))))
            .collect();
        let label = |class: &str| Label::new(class, Kind::Iot);
        let (plug, switch) = (label("plug"), label("switch"));
        let class = |unit: u8| if unit < 3 { &plug } else { &switch };
        let rows: Vec<_> = windows.iter().map(|(unit, window)| (window, class(*unit))).collect();
        let units = unit_guard(&rows, BagName::DOMAINS.into(), NonZeroUsize::MIN).remove(0);
        assert_eq!((units.transfer, units.is_refused), (Some(1.0), false));
    }

    #[test]
    fn a_class_of_one_unit_says_nothing_of_transfer() {
        let windows: Vec<Instance> = (0..30).map(|hour| window(0x2c, hour, &["1b2c.example"])).collect();
        let label = Label::new("plug", Kind::Iot);
        let rows: Vec<_> = windows.iter().map(|window| (window, &label)).collect();
        let units = unit_guard(&rows, BagName::DOMAINS.into(), NonZeroUsize::MIN).remove(0);
        assert_eq!((units.transfer, units.is_refused), (None, false));
        assert_eq!((units.own_address, units.address_words), (1, vec!["1b2c.example".to_owned()]));
    }

    #[test]
    fn few_words_refuse_no_bag() {
        let windows: Vec<Instance> =
            (0..4).flat_map(|hour| [1, 2].map(|unit| window(unit, hour, &[&format!("{unit}")]))).collect();
        let label = Label::new("plug", Kind::Iot);
        let rows: Vec<_> = windows.iter().map(|window| (window, &label)).collect();
        let units = unit_guard(&rows, BagName::DOMAINS.into(), NonZeroUsize::MIN).remove(0);
        assert_eq!((units.transfer, units.is_refused), (Some(0.0), false));
    }
}
