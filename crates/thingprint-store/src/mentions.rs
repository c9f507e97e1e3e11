//! Where a text speaks of a device.

use serde_json::Value;
use thingprint_flow::DeviceId;

/// What stands where a text named a forgotten device.
const FORGOTTEN: &str = "[forgotten]";

/// Letters that a host name has at least to be looked for: a shorter one is a part of too many words.
const LEAST_NAME: usize = 3;

/// The words that name a device, in small letters, the longer ones first: one may be the beginning of another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mentions {
    /// Notations of the device's address, and IP addresses that only it had.
    addresses: Vec<String>,
    /// Host names that only it had. They are words that others use for other things as well, such as `camera`.
    names: Vec<String>,
}

impl Mentions {
    /// The usual notations of the device's address, and IP addresses and host names that only it has.
    pub(crate) fn of(device: DeviceId, addresses: Vec<String>, names: Vec<String>) -> Self {
        let names = names.into_iter().filter(|word| word.chars().count() >= LEAST_NAME);
        let addresses = notations(device).into_iter().chain(addresses);
        Self { addresses: small(addresses), names: small(names) }
    }

    /// The text with addresses and names replaced; `None` where it has none.
    pub(crate) fn replaced(&self, text: &str) -> Option<String> {
        let found = self.without_addresses(text);
        self.without_names(found.as_deref().unwrap_or(text)).or(found)
    }

    /// The text with addresses replaced: for text in which a host name never stands.
    pub(crate) fn without_addresses(&self, text: &str) -> Option<String> {
        replaced_all(text, &self.addresses, |before, behind, word| {
            let is_ipv4 = word.parse::<std::net::Ipv4Addr>().is_ok();
            stands_alone(before, behind, is_ipv4)
        })
    }

    /// A name of digits alone is no name in a text, which is full of numbers; in names it is one.
    fn without_names(&self, text: &str) -> Option<String> {
        replaced_all(text, &self.names, |before, behind, word| {
            let is_first = before.is_empty() && (behind.is_empty() || behind.starts_with('.'));
            is_whole_name(before, behind) && (!is_number(word) || is_first)
        })
    }

    /// Replaces them in the strings of a JSON value, and not in its keys; in how many.
    pub(crate) fn replace_in(&self, value: &mut Value) -> u64 {
        match value {
            Value::String(text) => match self.replaced(text) {
                Some(other) => {
                    *text = other;
                    1
                }
                None => 0,
            },
            Value::Array(values) => values.iter_mut().map(|value| self.replace_in(value)).sum(),
            Value::Object(map) => map.values_mut().map(|value| self.replace_in(value)).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
    }

    /// Whether the letters of one of them are in these bytes, as a word or within others: where they are not, nothing is to be
    /// replaced.
    pub(crate) fn may_be_in(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        self.addresses.iter().chain(&self.names).any(|word| text.contains(word))
    }

    /// Whether an address of the device is in these bytes.
    pub(crate) fn addresses_are_in(&self, bytes: &[u8]) -> bool {
        self.without_addresses(&String::from_utf8_lossy(bytes)).is_some()
    }

    /// Whether an address or a name of the device is in these bytes.
    pub(crate) fn are_in(&self, bytes: &[u8]) -> bool {
        self.replaced(&String::from_utf8_lossy(bytes)).is_some()
    }
}

fn small(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.map(|word| word.to_ascii_lowercase()).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words
}

/// The text with each of these words replaced where it may be.
fn replaced_all(text: &str, words: &[String], may: impl Fn(&str, &str, &str) -> bool) -> Option<String> {
    words.iter().fold(None, |found: Option<String>, word| {
        let text = found.as_deref().unwrap_or(text);
        replaced(text, word, |before, behind| may(before, behind, word)).or(found)
    })
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

fn notations(device: DeviceId) -> Vec<String> {
    let DeviceId::Mac(mac) = device else { return vec![device.to_string()] };
    let colons = mac.to_string();
    let digits = colons.replace(':', "");
    let mut dotted = digits.clone();
    for at in [8, 4] {
        dotted.insert(at, '.');
    }
    vec![colons.replace(':', "-"), colons, digits, dotted]
}

/// The text with a word replaced wherever it may be, by what stands before it and behind it.
fn replaced(text: &str, word: &str, may: impl Fn(&str, &str) -> bool) -> Option<String> {
    let small = text.to_ascii_lowercase();
    let (mut result, mut done) = (String::new(), 0);
    for (at, _) in small.match_indices(word) {
        let (before, behind) = (text.get(..at)?, text.get(at + word.len()..)?);
        if at >= done && may(before, behind) {
            result.push_str(text.get(done..at)?);
            result.push_str(FORGOTTEN);
            done = at + word.len();
        }
    }
    result.push_str(text.get(done..)?);
    (done > 0).then_some(result)
}

/// Whether a host name is not a part of a longer one: `camera` is none in `my-camera`.
fn is_whole_name(before: &str, behind: &str) -> bool {
    let goes_on = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '-' || letter == '_')
    };
    // The mark that stands for what is forgotten already.
    let is_mark = before.ends_with('[') && behind.starts_with(']');
    !goes_on(before.chars().next_back()) && !goes_on(behind.chars().next()) && !is_mark
}

fn stands_alone(before: &str, behind: &str, is_ipv4: bool) -> bool {
    let mut next = behind.chars();
    let (last, first, second) = (before.chars().next_back(), next.next(), next.next());
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let goes_on = is_ipv4
        && (last == Some('.') || first == Some('.') && second.is_some_and(|letter| letter.is_ascii_digit()));
    !is_word(last) && !is_word(first) && !goes_on
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_stand_alone_are_replaced() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let (addresses, names) = (words(&["192.168.1.2", "fe80::1"]), words(&["Annas-iPhone", "tv", "443"]));
        let mentions = Mentions::of("70:ee:50:18:34:43".parse().unwrap(), addresses, names);
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(mentions.replaced(text).as_deref(), expected);
        check("device 70:EE:50:18:34:43 said", Some("device [forgotten] said"));
        check("70-ee-50-18-34-43,70ee50183443,70ee.5018.3443", Some("[forgotten],[forgotten],[forgotten]"));
        check("tcp 192.168.1.2:443 > 192.168.1.20:1", Some("tcp [forgotten]:443 > 192.168.1.20:1"));
        check("from 192.168.1.2.", Some("from [forgotten]."));
        check("5.192.168.1.2 192.168.1.2.7 1192.168.1.2", None);
        check("annas-iphone.local", Some("[forgotten].local"));
        check("annas-iphones", None);
        check("[fe80::1]:80 fe80::12", Some("[[forgotten]]:80 fe80::12"));
        check("tv", None);
        check("my-annas-iphone annas-iphone_2", None);
        check("tcp/443 and 443.5 of [forgotten]", None);
        check("443.lan", Some("[forgotten].lan"));
        check("ß annas-iphone ß", Some("ß [forgotten] ß"));
        let mut value = serde_json::json!({ "Annas-iPhone": [null, 443, { "x": "annas-iphone" }, "443"] });
        assert_eq!(mentions.replace_in(&mut value), 2);
        let expected =
            serde_json::json!({ "Annas-iPhone": [null, 443, { "x": "[forgotten]" }, "[forgotten]"] });
        assert_eq!(value, expected);
    }
}
