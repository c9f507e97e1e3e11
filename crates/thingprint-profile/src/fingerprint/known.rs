use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::attribute::Attribute;
use super::traits::{MOST_VALUE_BYTES, MOST_VALUES, Traits};
use crate::json::{self, Node};
use crate::{ProfileError, ProfileFault};

/// What a fingerprint file says that it is.
const FORMAT: &str = "thingprint-fingerprints";
/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;
/// Devices of a file.
const MOST_DEVICES: usize = 65_536;
/// Length of a device's name, in bytes.
const MOST_NAME_BYTES: usize = 256;
/// How many bytes a name has.
const NAME_RULE: &str = "a name has 1 to 256 bytes";

/// Devices that are known by name, with what they show: what a fingerprint file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownDevices {
    devices: BTreeMap<String, Traits>,
}

impl KnownDevices {
    /// Bytes of the longest file that is read.
    pub const MOST_FILE_BYTES: usize = 64 << 20;

    /// Learns what a device shows; adds to what is known of that name. Fails for a name that no file may have, and for one
    /// device more than a file may have.
    pub fn learn(&mut self, name: &str, traits: &Traits) -> Result<(), ProfileError> {
        let is_new = !self.devices.contains_key(name);
        let fault = if !is_name(name) {
            ProfileFault::Meaning(NAME_RULE.to_owned())
        } else if is_new && self.len() >= MOST_DEVICES {
            ProfileFault::TooMany { most: MOST_DEVICES, things: "devices" }
        } else {
            self.devices.entry(name.to_owned()).or_default().join(traits);
            return Ok(());
        };
        Err(ProfileError { path: format!("device '{name}'"), fault })
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
    /// `{"format": "thingprint-fingerprints", "version": 1, "devices": {NAME: {ATTRIBUTE: {VALUE: FLOWS}}}}`
    pub fn to_json(&self) -> String {
        let devices: Map<String, Value> =
            self.devices.iter().map(|(name, traits)| (name.clone(), attributes(traits))).collect();
        let mut document = json!({ "format": FORMAT, "version": VERSION, "devices": devices });
        document.sort_all_objects();
        format!("{document:#}\n")
    }

    /// Reads a fingerprint file. Fields that are not known, another version, and more than the limits allow are
    /// refused, with their place.
    pub fn from_json(text: &str) -> Result<Self, ProfileError> {
        let document = json::parse(text, Self::MOST_FILE_BYTES)?;
        let root = Node::root(&document).object()?;
        root.only(&["format", "version", "devices"])?;
        let format = root.need("format")?;
        if format.text()? != FORMAT {
            return Err(format.meaning(format!("expected \"{FORMAT}\": this is another kind of file")));
        }
        let version = root.need("version")?;
        if version.number::<u32>("a version number")? != VERSION {
            return Err(version.meaning(format!("only version {VERSION} is known")));
        }
        let mut known = Self::default();
        let devices = root.need("devices")?;
        for (name, node) in devices.object()?.all() {
            if known.len() >= MOST_DEVICES {
                return Err(devices.fault(ProfileFault::TooMany { most: MOST_DEVICES, things: "devices" }));
            }
            if !is_name(name) {
                return Err(node.meaning(NAME_RULE));
            }
            known.devices.insert(name.to_owned(), traits(&node)?);
        }
        Ok(known)
    }
}

fn is_name(name: &str) -> bool {
    (1..=MOST_NAME_BYTES).contains(&name.len())
}

fn attributes(traits: &Traits) -> Value {
    let values = |attribute| -> Map<String, Value> {
        let values = traits.values(attribute);
        values.map(|(value, flows)| (value.to_owned(), flows.into())).collect()
    };
    let attributes = traits.attributes();
    let attributes: Map<String, Value> =
        attributes.map(|attribute| (attribute.name().to_owned(), values(attribute).into())).collect();
    attributes.into()
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
