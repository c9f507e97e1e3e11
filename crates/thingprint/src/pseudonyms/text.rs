use std::net::{IpAddr, Ipv4Addr};

use thingprint_flow::MacAddr;

use super::address::ip;
use super::{Domain, Pseudonyms};

/// Last labels of names that a local network gives, which no public name has (RFC 6762 appendix G, RFC 8375, and what routers
/// are set to).
const LOCAL: [&str; 10] = [
    "local",
    "lan",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "private",
    "corp",
    "localdomain",
    "fritz.box",
];

/// Words that make a host name one of somebody's personal things, as `Annas-iPhone` is.
const PERSONAL: [&str; 14] = [
    "iphone", "ipad", "ipod", "macbook", "imac", "airpods", "watch", "galaxy", "pixel", "phone", "laptop",
    "notebook", "desktop", "tablet",
];

/// Hexadecimal digits in a row that stand for a unit: those of a MAC address without separators, or more.
const UNIT_DIGITS: usize = 12;

/// Words behind a possessive that belong to what is possessed: `Anna's living room lamp`.
const POSSESSED_WORDS: usize = 3;

/// The name of a host in a local network, with a pseudonym for the labels that somebody chose; `None` for another name.
/// Labels of services, which begin with `_`, and the suffix stay.
pub(super) fn local_name(text: &str, pseudonym: &dyn Fn(&str) -> String) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let small = name.to_ascii_lowercase();
    let has_suffix = |suffix: &&&str| small.strip_suffix(**suffix).is_some_and(|rest| rest.ends_with('.'));
    let suffix = LOCAL.iter().filter(has_suffix).max_by_key(|suffix| suffix.len())?;
    if name.contains(['/', '\n', '=', ',']) {
        return None;
    }
    let given = name.get(..name.len() - suffix.len() - 1)?;
    let (own, services) = match given.find("._") {
        _ if given.starts_with('_') => ("", given),
        Some(at) => (given.get(..at)?, given.get(at + 1..)?),
        None => (given, ""),
    };
    let own = (!own.is_empty()).then(|| pseudonym(own));
    let labels = [own.as_deref().unwrap_or_default(), services, suffix];
    let labels: Vec<&str> = labels.into_iter().filter(|label| !label.is_empty()).collect();
    Some(labels.join("."))
}

impl Pseudonyms {
    /// A text with pseudonyms for each word that names a unit or its owner; `None` where none does.
    pub(super) fn words(&self, text: &str) -> Option<String> {
        let without_owners = self.owners(text);
        let text = without_owners.as_deref().unwrap_or(text);
        let (mut result, mut is_changed) = (String::new(), without_owners.is_some());
        let mut rest = text;
        while let Some(begin) = rest.find(is_of_word) {
            let (before, behind) = rest.split_at(begin);
            let end = behind.find(|letter| !is_of_word(letter)).unwrap_or(behind.len());
            let (run, next) = behind.split_at(end);
            // A sentence may end behind an address.
            let word = run.trim_end_matches(['.', ':', '-']);
            let (word, tail) = run.split_at(word.len());
            let new = self.word(word);
            is_changed |= new.is_some();
            result.extend([before, new.as_deref().unwrap_or(word), tail]);
            rest = next;
        }
        result.push_str(rest);
        is_changed.then_some(result)
    }

    fn word(&self, word: &str) -> Option<String> {
        self.address(word)
            .or_else(|| self.local_name(word))
            .or_else(|| self.personal(word))
            .or_else(|| self.parts(word))
    }

    /// The pseudonym of an address of any notation, alone or with a port.
    fn address(&self, word: &str) -> Option<String> {
        if let Ok(address) = word.parse::<IpAddr>() {
            return Some(ip(self, address).to_string());
        }
        // Without separators, what would be a group's address is more likely a text in hexadecimal digits.
        let is_bare = word.len() == UNIT_DIGITS;
        if let Some(address) = mac_of(word).filter(|address| !is_bare || address.is_host()) {
            return Some(in_notation(word, self.mac(address)));
        }
        let (address, port) = word.rsplit_once(':')?;
        let is_port = port.bytes().all(|digit| digit.is_ascii_digit());
        let address = address.parse::<Ipv4Addr>().ok().filter(|_| is_port)?;
        Some(format!("{}:{port}", ip(self, address.into())))
    }

    /// The pseudonym of a host name with a word of personal things and another word beside it.
    fn personal(&self, word: &str) -> Option<String> {
        if word.contains(['.', ':']) {
            return None;
        }
        let parts: Vec<&str> = word.split(['-', '_']).filter(|part| !part.is_empty()).collect();
        let is_thing = |part: &&str| PERSONAL.contains(&part.to_ascii_lowercase().as_str());
        (parts.len() > 1 && parts.iter().any(is_thing)).then(|| self.name(word))
    }

    /// The word with other digits where it has those of a unit: a serial number, or a UUID that ends in a MAC address.
    fn parts(&self, word: &str) -> Option<String> {
        if let Some(uuid) = self.uuid(word) {
            return Some(uuid);
        }
        let mut is_changed = false;
        let parts = word.split_inclusive([':', '-', '.', '_']).map(|part| {
            let digits = part.trim_end_matches([':', '-', '.', '_']);
            let is_unit =
                digits.len() >= UNIT_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_changed |= is_unit;
            let tail = part.get(digits.len()..).unwrap_or_default();
            if is_unit { self.digits(digits) + tail } else { part.to_owned() }
        });
        let new: String = parts.collect();
        is_changed.then_some(new)
    }

    /// The word with another UUID in the place of one, as in `uuid:...::urn:...`.
    fn uuid(&self, word: &str) -> Option<String> {
        let is_beside = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
        let mut places = word.char_indices().filter_map(|(at, _)| {
            let (before, behind) = word.split_at(at);
            let (uuid, behind) = (behind.get(..UUID.len())?, behind.get(UUID.len()..)?);
            let stands_alone = !is_beside(before.chars().next_back()) && !is_beside(behind.chars().next());
            (stands_alone && is_uuid(uuid)).then_some((before, uuid, behind))
        });
        let (before, uuid, behind) = places.next()?;
        let mut digits = self.digits(&uuid.replace('-', ""));
        for at in [8, 13, 18, 23] {
            digits.insert(at, '-');
        }
        let [before, behind] =
            [before, behind].map(|part| self.parts(part).unwrap_or_else(|| part.to_owned()));
        Some(before + &digits + &behind)
    }

    /// As many hexadecimal digits in the place of others; of twelve, those of the MAC address that they are.
    fn digits(&self, digits: &str) -> String {
        if let Some(address) = mac_of(digits).filter(|address| address.is_host()) {
            return in_notation(digits, self.mac(address));
        }
        let hash = self.hash(Domain::Digits, digits.to_ascii_lowercase().as_bytes());
        hash.to_hex().chars().cycle().take(digits.len()).collect()
    }

    /// The text with a pseudonym for what somebody owns: `Anna's iPhone`.
    fn owners(&self, text: &str) -> Option<String> {
        let at = text.find("'s ").or_else(|| text.find("\u{2019}s "))?;
        let before = text.get(..at)?;
        let owner = before.rfind(|letter: char| !letter.is_alphanumeric()).map_or(0, |space| {
            space + before.get(space..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
        });
        let behind = text.get(at..)?;
        let skip = behind.chars().next().map_or(0, char::len_utf8);
        let is_end = |letter: char| !letter.is_alphanumeric() && !" '\u{2019}-".contains(letter);
        let end = behind.find(is_end).unwrap_or(behind.len());
        let words = behind.get(..end)?.match_indices(' ').nth(POSSESSED_WORDS);
        let end = words.map_or(end, |(space, _)| space);
        let (thing, rest) = (text.get(owner..at + end)?.trim_end(), text.get(at + end..)?);
        let blanks = text.get(owner + thing.len()..at + end)?;
        if !is_owned(thing, text.get(owner..at)?) {
            let (kept, rest) = (text.get(..at + 1 + skip)?, text.get(at + 1 + skip..)?);
            return Some(format!("{kept}{}", self.owners(rest)?));
        }
        let rest = self.owners(rest).unwrap_or_else(|| rest.to_owned());
        Some(format!("{}{}{blanks}{rest}", text.get(..owner)?, self.name(thing)))
    }
}

/// Whether a possessive is somebody's: of a name, which begins with a capital, or of a personal thing.
fn is_owned(thing: &str, owner: &str) -> bool {
    let is_name = owner.starts_with(char::is_uppercase) && !NO_NAMES.contains(&owner);
    let is_personal = |word: &str| PERSONAL.contains(&word.to_ascii_lowercase().as_str());
    !owner.is_empty() && (is_name || thing.split(' ').any(is_personal))
}

/// Words before a possessive that begin sentences and are no names.
const NO_NAMES: [&str; 9] = ["It", "That", "This", "There", "Here", "What", "Today", "Device", "Server"];

/// The form of a UUID (RFC 9562 §4).
const UUID: &str = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";

fn is_uuid(text: &str) -> bool {
    text.bytes().zip(UUID.bytes()).all(|(found, form)| match form {
        b'-' => found == b'-',
        _ => found.is_ascii_hexdigit(),
    })
}

/// Letters of addresses and names of hosts.
fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || "._:-".contains(letter)
}

/// A MAC address in a notation with all twelve digits, but for two dashes, which lists of cipher suites have.
fn mac_of(word: &str) -> Option<MacAddr> {
    let count = |letters: &[u8]| word.bytes().filter(|byte| letters.contains(byte)).count();
    let (colons, dashes, dots) = (count(b":"), count(b"-"), count(b"."));
    let digits = word.bytes().filter(u8::is_ascii_hexdigit).count();
    let is_notation = matches!((colons, dashes, dots), (0, 0, 0 | 2) | (5, 0, 0) | (0, 5, 0));
    let has_nothing_else = digits + colons + dashes + dots == word.len();
    (digits == UNIT_DIGITS && is_notation && has_nothing_else).then(|| word.parse().ok()).flatten()
}

/// The address in the notation of another: its separators and the size of its letters.
fn in_notation(like: &str, address: MacAddr) -> String {
    let mut digits = address.to_string().replace(':', "").into_bytes().into_iter();
    let is_large = like.bytes().any(|byte| byte.is_ascii_uppercase());
    let letters = like.chars().map(|letter| {
        if !letter.is_ascii_hexdigit() {
            return letter;
        }
        let digit = char::from(digits.next().unwrap_or(b'0'));
        if is_large { digit.to_ascii_uppercase() } else { digit }
    });
    letters.collect()
}

#[cfg(test)]
mod tests;
