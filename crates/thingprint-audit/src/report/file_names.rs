//! Names of the files that MUD profiles are written to.

use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::DeviceId;

use super::Observations;

/// Bytes of a label that a file name keeps: with an address and a number behind it, the name fits any file system.
const MOST_SLUG_BYTES: usize = 40;

/// The devices, each with a file name of its own, without the ending.
pub fn file_names(seen: &Observations) -> BTreeMap<DeviceId, String> {
    named(seen.devices.values().map(|id| (*id, seen.name(*id))).collect())
}

/// Names for devices with these labels: the label, with the address where another has the same or nothing of it is
/// left, and with a number where even that is another's. No two are alike, also where only letters and digits count, and
/// not their case: so they are looked up.
fn named(labels: Vec<(DeviceId, String)>) -> BTreeMap<DeviceId, String> {
    let slugs: BTreeMap<DeviceId, String> =
        labels.into_iter().map(|(id, label)| (id, slug(&label))).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for slug in slugs.values() {
        *counts.entry(folded(slug)).or_default() += 1;
    }
    let is_own = |slug: &str| !slug.is_empty() && counts.get(&folded(slug)) == Some(&1);
    // Labels that are nobody else's are given out first, so that they stay as they are.
    let (own, others): (Vec<_>, Vec<_>) = slugs.into_iter().partition(|(_, slug)| is_own(slug));
    let mut taken = BTreeSet::new();
    let mut names = BTreeMap::new();
    for (id, slug) in own {
        names.insert(id, free(slug, &mut taken));
    }
    for (id, label) in others {
        let address = slug(&id.to_string());
        let name = if label.is_empty() { address } else { format!("{label}-{address}") };
        names.insert(id, free(name, &mut taken));
    }
    names
}

/// A name that is not taken yet, and is from now on: the one wanted, or with the first number behind it that is free.
fn free(wanted: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number: u64| format!("{wanted}-{number}"));
    let mut names = std::iter::once(wanted.clone()).chain(numbered);
    names.find(|name| taken.insert(folded(name))).unwrap_or(wanted)
}

/// A label as a file name: letters and digits of ASCII as they are, one hyphen for what is between them, and no more
/// than 40 bytes.
pub(crate) fn slug(label: &str) -> String {
    let words = label.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-");
    slug.truncate(MOST_SLUG_BYTES);
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// Letters and digits of a name in lower case.
pub(crate) fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(number: u8) -> DeviceId {
        format!("02:00:00:00:00:{number:02x}").parse().unwrap()
    }

    fn names(labels: &[&str]) -> Vec<String> {
        let given = (1..).zip(labels).map(|(number, label)| (device(number), (*label).to_owned()));
        named(given.collect()).into_values().collect()
    }

    #[test]
    fn labels_become_file_names() {
        let check = |label: &str, expected: &str| assert_eq!(slug(label), expected);
        check("LiFX Bulb", "LiFX-Bulb");
        check("../../etc/passwd", "etc-passwd");
        check("d0:73:d5:01:83:08", "d0-73-d5-01-83-08");
        check("灯", "");
        check(&"a".repeat(300), &"a".repeat(40));
        check(&format!("{} b", "a".repeat(39)), &"a".repeat(39));
    }

    #[test]
    fn no_two_devices_have_one_file() {
        assert_eq!(names(&["Lamp", "Lock", "灯"]), ["Lamp", "Lock", "02-00-00-00-00-03"]);
        assert_eq!(names(&["Lamp", "lamp"]), ["Lamp-02-00-00-00-00-01", "lamp-02-00-00-00-00-02"]);
        assert_eq!(
            names(&["Lamp", "Lamp", "Lamp-02-00-00-00-00-01", "Lamp 02 00 00 00 00 01 2"]),
            [
                "Lamp-02-00-00-00-00-01-3",
                "Lamp-02-00-00-00-00-02",
                "Lamp-02-00-00-00-00-01",
                "Lamp-02-00-00-00-00-01-2"
            ]
        );
    }

    #[test]
    fn names_differ_whatever_the_labels_are() {
        let long = "x".repeat(300);
        let of_first = "Lamp 02:00:00:00:00:01";
        let some = ["Lamp", "lamp", "L amp", of_first, "lamp-02-00-00-00-00-01-2", "灯", &long];
        for case in 0..some.len().pow(4) {
            let labels = [1, 7, 49, 343].map(|place| some[case / place % some.len()]);
            let names = names(&labels);
            let folded: BTreeSet<String> = names.iter().map(|name| folded(name)).collect();
            assert_eq!(folded.len(), labels.len(), "{names:?}");
            assert!(names.iter().all(|name| (1..=100).contains(&name.len())), "{names:?}");
        }
    }
}
