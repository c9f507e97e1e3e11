//! Where a text speaks of a device.

use thingprint_flow::DeviceId;

/// What stands where a text named a forgotten device.
const FORGOTTEN: &str = "[forgotten]";

/// Letters that a host name has at least to be looked for: a shorter one is a part of too many words.
const LEAST_NAME: usize = 3;

/// The words that name a device, in small letters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mentions(Vec<String>);

impl Mentions {
    /// The usual notations of the device's address, and names and addresses that only it has.
    pub(crate) fn of(device: DeviceId, others: impl IntoIterator<Item = String>) -> Self {
        let others = others.into_iter().filter(|word| word.chars().count() >= LEAST_NAME);
        let mut words: Vec<String> = notations(device).into_iter().chain(others).collect();
        for word in &mut words {
            word.make_ascii_lowercase();
        }
        // The longer one first: a name may be the beginning of another.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        Self(words)
    }

    /// The text with all of them replaced; `None` where it has none.
    pub(crate) fn replaced(&self, text: &str) -> Option<String> {
        self.0.iter().fold(None, |found: Option<String>, word| {
            replaced(found.as_deref().unwrap_or(text), word).or(found)
        })
    }

    /// Whether one of them is in these bytes.
    pub(crate) fn are_in(&self, bytes: &[u8]) -> bool {
        self.replaced(&String::from_utf8_lossy(bytes)).is_some()
    }
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

/// The text with a word replaced wherever it stands alone.
fn replaced(text: &str, word: &str) -> Option<String> {
    let small = text.to_ascii_lowercase();
    let is_ipv4 = word.parse::<std::net::Ipv4Addr>().is_ok();
    let (mut result, mut done) = (String::new(), 0);
    for (at, _) in small.match_indices(word) {
        let (before, behind) = (text.get(..at)?, text.get(at + word.len()..)?);
        if at >= done && stands_alone(before, behind, is_ipv4) {
            result.push_str(text.get(done..at)?);
            result.push_str(FORGOTTEN);
            done = at + word.len();
        }
    }
    result.push_str(text.get(done..)?);
    (done > 0).then_some(result)
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
        let others =
            ["192.168.1.2".to_owned(), "Annas-iPhone".to_owned(), "fe80::1".to_owned(), "tv".to_owned()];
        let mentions = Mentions::of("70:ee:50:18:34:43".parse().unwrap(), others);
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
        check("ß annas-iphone ß", Some("ß [forgotten] ß"));
    }
}
