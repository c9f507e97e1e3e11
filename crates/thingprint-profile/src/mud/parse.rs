//! MUD files read: strict about what changes the meaning of an entry, lenient about names that published files use.

use std::collections::{BTreeMap, BTreeSet};

use super::entry;
use super::profile::{AccessList, Direction, ListKind, MudProfile};
use crate::json::{self, Members, Node};
use crate::{ProfileError, ProfileFault};

/// Entries of a file.
const MOST_ENTRIES: usize = 16_384;
/// Length of the name of a list or an entry, in bytes (RFC 8519).
const MOST_NAME_BYTES: usize = 64;

/// The container of the lists: as RFC 8519 names it, and as drafts of it did.
const LISTS: [&str; 2] = ["ietf-access-control-list:acls", "ietf-access-control-list:access-lists"];

/// Members of the container `mud` that are read.
const KNOWN: [&str; 15] = [
    "mud-version",
    "mud-url",
    "last-update",
    "cache-validity",
    "is-supported",
    "mud-signature",
    "systeminfo",
    "mfg-name",
    "model-name",
    "firmware-rev",
    "software-rev",
    "documentation",
    "extensions",
    "from-device-policy",
    "to-device-policy",
];

impl MudProfile {
    /// Bytes of a file. A MUD file is some kilobytes; the largest published ones stay under 100.
    pub const MOST_FILE_BYTES: usize = 4 << 20;

    /// Whether the file of it is within the limits of what is read.
    pub(super) fn can_be_read(&self) -> bool {
        let lists = self.from_device.iter().chain(&self.to_device);
        let entries: usize = lists.map(|list| list.entries.len()).sum();
        entries <= MOST_ENTRIES && self.to_json().len() <= Self::MOST_FILE_BYTES
    }

    /// Reads a MUD file: JSON as RFC 7951 has it, of the modules ietf-mud, ietf-acldns (RFC 8520) and
    /// ietf-access-control-list (RFC 8519).
    ///
    /// Also read are names that published files use: the container `access-lists` for `acls`, the type
    /// `ethernet-acl-type`, the operator `range`, and names without the module in front where it is plain. Members of
    /// other modules are passed over, but not inside a match, where leaving one out would let more pass:
    /// [`Entry::unjudged`](super::Entry::unjudged) names them. Anything else fails, with its place.
    pub fn from_json(text: &str) -> Result<Self, ProfileError> {
        let document = json::parse(text, Self::MOST_FILE_BYTES)?;
        let root = Node::root(&document).object()?;
        let mud = root.need("ietf-mud:mud")?.object()?;
        refuse_unknown(&mud, &KNOWN)?;
        let lists = match root.any(&LISTS) {
            Some(lists) => self::lists(&lists.object()?)?,
            None => BTreeMap::new(),
        };
        let optional = |name| mud.get(name).map(|node| node.text().map(str::to_owned)).transpose();
        Ok(Self {
            mud_version: version(&mud.need("mud-version")?)?,
            mud_url: mud.need("mud-url")?.text()?.to_owned(),
            last_update: mud.need("last-update")?.parsed("a date and time", date_and_time)?,
            cache_validity_h: mud.get("cache-validity").map(|node| hours(&node)).transpose()?,
            is_supported: mud.need("is-supported")?.truth()?,
            mud_signature: optional("mud-signature")?,
            systeminfo: optional("systeminfo")?,
            mfg_name: optional("mfg-name")?,
            model_name: optional("model-name")?,
            firmware_rev: optional("firmware-rev")?,
            software_rev: optional("software-rev")?,
            documentation: optional("documentation")?,
            extensions: extensions(&mud)?,
            from_device: policy(&mud, Direction::FromDevice, &lists)?,
            to_device: policy(&mud, Direction::ToDevice, &lists)?,
        })
    }
}

/// Refuses members that are not known; those of other modules have a colon in their name.
pub(super) fn refuse_unknown(members: &Members<'_>, known: &[&str]) -> Result<(), ProfileError> {
    let foreign: Vec<&str> = members.all().map(|(name, _)| name).filter(|name| name.contains(':')).collect();
    members.only(&[known, &foreign].concat())
}

fn version(node: &Node<'_>) -> Result<u8, ProfileError> {
    match node.number("version 1")? {
        1 => Ok(1),
        other => Err(node.meaning(format!("version {other} of MUD is not known, only version 1"))),
    }
}

fn hours(node: &Node<'_>) -> Result<u8, ProfileError> {
    let expected = "1 to 168 hours";
    match node.number(expected)? {
        hours @ 1..=168 => Ok(hours),
        other => Err(node.meaning(format!("{other} is not {expected}"))),
    }
}

/// A `date-and-time` of RFC 6991, by its form.
pub(super) fn date_and_time(text: &str) -> Option<String> {
    let form = b"dddd-dd-ddTdd:dd:dd";
    let (start, rest) = text.as_bytes().split_at_checked(form.len())?;
    let fits = |(byte, wanted): (&u8, &u8)| {
        if *wanted == b'd' { byte.is_ascii_digit() } else { byte == wanted }
    };
    let rest = match rest.split_first() {
        Some((b'.', fraction)) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            fraction.get(digits..).filter(|_| digits > 0)?
        }
        _ => rest,
    };
    let has_zone = match rest {
        b"Z" => true,
        [b'+' | b'-', zone @ ..] => zone.len() == b"dd:dd".len() && zone.iter().zip(b"dd:dd").all(fits),
        _ => false,
    };
    (start.iter().zip(form).all(fits) && has_zone).then(|| text.to_owned())
}

fn extensions(mud: &Members<'_>) -> Result<Vec<String>, ProfileError> {
    let Some(node) = mud.get("extensions") else { return Ok(Vec::new()) };
    node.list()?.iter().map(|name| name.text().map(str::to_owned)).collect()
}

/// The lists that a policy names.
fn policy(
    mud: &Members<'_>,
    direction: Direction,
    lists: &BTreeMap<String, AccessList>,
) -> Result<Vec<AccessList>, ProfileError> {
    let member = match direction {
        Direction::FromDevice => "from-device-policy",
        Direction::ToDevice => "to-device-policy",
    };
    let Some(policy) = mud.get(member) else { return Ok(Vec::new()) };
    let Some(references) = policy.object()?.get("access-lists") else { return Ok(Vec::new()) };
    let Some(references) = references.object()?.get("access-list") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let mut named = BTreeSet::new();
    for reference in references.list()? {
        let name = reference.object()?.need("name")?;
        let list = lists.get(name.text()?).ok_or_else(|| name.meaning("no access list has this name"))?;
        // The key of the list in RFC 8520; each copy would cost memory, too.
        if !named.insert(list.name.as_str()) {
            return Err(name.meaning(format!("a second reference to the access list '{}'", list.name)));
        }
        found.push(list.clone());
    }
    Ok(found)
}

/// All lists of a file by name.
fn lists(acls: &Members<'_>) -> Result<BTreeMap<String, AccessList>, ProfileError> {
    let mut found = BTreeMap::new();
    let Some(lists) = acls.get("acl") else { return Ok(found) };
    let mut left = MOST_ENTRIES;
    for node in lists.list()? {
        let list = list(&node, &mut left)?;
        if let Some(before) = found.insert(list.name.clone(), list) {
            return Err(node.meaning(format!("a second access list '{}'", before.name)));
        }
    }
    Ok(found)
}

fn list(node: &Node<'_>, left: &mut usize) -> Result<AccessList, ProfileError> {
    let list = node.object()?;
    refuse_unknown(&list, &["name", "type", "aces"])?;
    let name = name(&list)?;
    let kind = list.get("type").map(|node| node.parsed("a type of access list", list_kind)).transpose()?;
    let mut entries = Vec::new();
    let mut names = BTreeSet::new();
    let aces = match list.get("aces") {
        Some(aces) => aces.object()?.get("ace"),
        None => None,
    };
    for ace in aces.map(|aces| aces.list()).transpose()?.unwrap_or_default() {
        *left = left.checked_sub(1).ok_or_else(|| {
            ace.fault(ProfileFault::TooMany { most: MOST_ENTRIES, things: "entries of access lists" })
        })?;
        let members = ace.object()?;
        let name = self::name(&members)?;
        if !names.insert(name.clone()) {
            return Err(ace.meaning(format!("a second entry '{name}'")));
        }
        entries.push(entry::read(name, &members)?);
    }
    Ok(AccessList { name, kind, entries })
}

fn name(members: &Members<'_>) -> Result<String, ProfileError> {
    let name = members.need("name")?;
    let is_name = |text: &str| (1..=MOST_NAME_BYTES).contains(&text.len());
    name.parsed("a name of 1 to 64 bytes", |text| is_name(text).then(|| text.to_owned()))
}

fn list_kind(text: &str) -> Option<ListKind> {
    let text = entry::identity(text);
    let named = ListKind::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, kind)| kind);
    named.or_else(|| (text == "ethernet-acl-type").then_some(ListKind::Ethernet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_and_time_is_told_by_its_form() {
        let check =
            |text: &str, expected: bool| assert_eq!(date_and_time(text).is_some(), expected, "{text}");
        check("2018-09-30T16:51:45.044+10:00", true);
        check("2024-05-01T00:00:00Z", true);
        check("2024-05-01T00:00:00-00:00", true);
        check("2024-05-01T00:00:00", false);
        check("2024-05-01T00:00:00.Z", false);
        check("2024-05-01 00:00:00Z", false);
        check("2024-05-01T00:00:00+1:00", false);
        check("", false);
    }
}
