mod fit;
mod written;

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use thingprint_flow::ContentHash;

use super::attribute::Attribute;
use super::traits::{MOST_VALUE_BYTES, MOST_VALUES, Traits};
use crate::json::{self, Node};
use crate::{ProfileError, ProfileFault};

/// What a fingerprint file says that it is.
const FORMAT: &str = "thingprint-fingerprints";
/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;
/// The member with the devices.
const DEVICES: &str = "devices";
/// The member with what was learned from.
const CAPTURES: &str = "captures";
/// Devices of a file.
const MOST_DEVICES: usize = 65_536;
/// Length of a device's name, in bytes.
const MOST_NAME_BYTES: usize = 256;
/// Captures that are remembered: seven years of hours.
const MOST_CAPTURES: usize = 65_536;
/// How many bytes a name has.
const NAME_RULE: &str = "a name has 1 to 256 bytes";

/// Devices that are known by name, with what they show: what a fingerprint file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownDevices {
    devices: BTreeMap<String, Traits>,
    /// What was learned from, in the order in which it was.
    captures: Vec<ContentHash>,
}

impl KnownDevices {
    /// Bytes of the longest file that is read.
    pub const MOST_FILE_BYTES: usize = 64 << 20;

    /// Learns what a device shows; adds to what is known of that name. Fails for a name that no file may have.
    pub fn learn(&mut self, name: &str, traits: &Traits) -> Result<(), ProfileError> {
        if !is_name(name) {
            let fault = ProfileFault::Meaning(NAME_RULE.to_owned());
            return Err(ProfileError { path: format!("device '{name}'"), fault });
        }
        self.devices.entry(name.to_owned()).or_default().join(traits);
        Ok(())
    }

    /// Notes captures that were learned from, so that none counts twice. The last 65,536 are remembered.
    pub fn learn_captures(&mut self, captures: impl IntoIterator<Item = ContentHash>) {
        self.captures.extend(captures);
        let forgotten = self.captures.len().saturating_sub(MOST_CAPTURES);
        self.captures.drain(..forgotten);
    }

    /// Whether a capture was learned from.
    pub fn has_learned(&self, capture: ContentHash) -> bool {
        self.captures.contains(&capture)
    }

    /// Whether a device is known, and everything of it that is shown.
    pub fn has_all(&self, name: &str, traits: &Traits) -> bool {
        let known = self.devices.get(name);
        known.is_some_and(|known| traits.iter().all(|(attribute, value, _)| known.has(attribute, value)))
    }

    /// The devices by name, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Traits)> {
        self.devices.iter().map(|(name, traits)| (name.as_str(), traits))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.devices.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// The fingerprint file, with a final line break: JSON whose members stand in the order of their names, so that
    /// equal contents give equal files.
    ///
    /// `{"format": "thingprint-fingerprints", "version": 1, "captures": [HASH, ...], "devices": {NAME: {ATTRIBUTE: {VALUE:
    /// FLOWS}}}}`; without `captures` where none is known.
    pub fn to_json(&self) -> Result<String, ProfileError> {
        written::to_json(self)
    }

    /// Reads a fingerprint file. Fields that are not known, another version, and more than the limits allow are
    /// refused, with their place. Beside what is read, it takes memory for one device at a time.
    pub fn from_json(text: &str) -> Result<Self, ProfileError> {
        let members: BTreeMap<String, &RawValue> = json::parse_as(text, Self::MOST_FILE_BYTES)?;
        let head = members.iter().filter(|(name, _)| name.as_str() != DEVICES);
        let head = head.map(|(name, raw)| Ok((name.clone(), json::value_of(raw, name)?)));
        let head = head.collect::<Result<Map<String, Value>, ProfileError>>()?.into();
        let root = Node::root(&head).object()?;
        root.only(&["format", "version", CAPTURES])?;
        let format = root.need("format")?;
        if format.text()? != FORMAT {
            return Err(format.meaning(format!("expected \"{FORMAT}\": this is another kind of file")));
        }
        let version = root.need("version")?;
        if version.number::<u32>("a version number")? != VERSION {
            return Err(version.meaning(format!("only version {VERSION} is known")));
        }
        let Some(devices) = members.get(DEVICES) else {
            return Err(root.need(DEVICES).map_or_else(|error| error, |node| node.meaning(NAME_RULE)));
        };
        let captures = root.get(CAPTURES).map(|captures| hashes(&captures)).transpose()?;
        Ok(Self { devices: devices_of(devices)?, captures: captures.unwrap_or_default() })
    }
}

fn devices_of(raw: &RawValue) -> Result<BTreeMap<String, Traits>, ProfileError> {
    if !raw.get().starts_with('{') {
        let value = json::value_of(raw, DEVICES)?;
        return Err(Node::at(&value, DEVICES.to_owned()).kind("an object"));
    }
    let all: BTreeMap<String, &RawValue> = json::members_of(raw, DEVICES)?;
    if all.len() > MOST_DEVICES {
        let fault = ProfileFault::TooMany { most: MOST_DEVICES, things: "devices" };
        return Err(ProfileError { path: DEVICES.to_owned(), fault });
    }
    let mut devices = BTreeMap::new();
    for (name, raw) in all {
        let path = json::joined(DEVICES, &name);
        let value = json::value_of(raw, &path)?;
        let node = Node::at(&value, path);
        if !is_name(&name) {
            return Err(node.meaning(NAME_RULE));
        }
        devices.insert(name, traits(&node)?);
    }
    Ok(devices)
}

fn hashes(node: &Node<'_>) -> Result<Vec<ContentHash>, ProfileError> {
    let nodes = node.list()?;
    if nodes.len() > MOST_CAPTURES {
        return Err(node.fault(ProfileFault::TooMany { most: MOST_CAPTURES, things: "captures" }));
    }
    nodes.iter().map(|node| node.parsed("64 hexadecimal digits", hash)).collect()
}

fn hash(text: &str) -> Option<ContentHash> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(ContentHash::new(bytes))
}

fn is_name(name: &str) -> bool {
    (1..=MOST_NAME_BYTES).contains(&name.len())
}

fn traits(node: &Node<'_>) -> Result<Traits, ProfileError> {
    let mut traits = Traits::default();
    for (name, values) in node.object()?.all() {
        let Some(attribute) = Attribute::named(name) else {
            return Err(values.meaning("no attribute of this name is known"));
        };
        let members = values.object()?;
        if members.all().nth(MOST_VALUES).is_some() {
            return Err(values.fault(ProfileFault::TooMany { most: MOST_VALUES, things: "values" }));
        }
        for (value, flows) in members.all() {
            if value.len() > MOST_VALUE_BYTES {
                return Err(flows.meaning(format!("a value has at most {MOST_VALUE_BYTES} bytes")));
            }
            let expected = "a number of flows, 1 or more";
            match flows.number(expected)? {
                0 => return Err(flows.meaning(format!("expected {expected}"))),
                count => traits.add(attribute, value.to_owned(), count),
            }
        }
    }
    Ok(traits)
}
