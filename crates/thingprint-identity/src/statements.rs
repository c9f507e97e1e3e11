use std::collections::BTreeMap;

use thingprint_protocol::{DhcpMessage, Message};

use crate::Statement;
use crate::sources::{self, Record};

/// Statements of one source that are kept of a device: far more than devices make, and few enough that a device which makes
/// up names does not push out what it said elsewhere.
const MOST_OF_A_SOURCE: usize = 256;

/// What a device said of itself: each statement once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statements {
    /// In order. A map would take ten times as much for the few statements that most devices make.
    said: Vec<(Statement, Said)>,
    dropped: u64,
}

/// How a statement was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// How often.
    pub times: u64,
    /// Whether the device sent it from an address of its own, so that it is the device's even if it forwards packets of others.
    pub is_own: bool,
}

impl Statements {
    /// The statements, in order of source, key and value.
    pub fn iter(&self) -> impl Iterator<Item = (&Statement, Said)> {
        self.said.iter().map(|(statement, said)| (statement, *said))
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// Statements that found no room.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What a forwarding host says for itself.
    #[must_use]
    pub fn own(mut self) -> Self {
        self.said.retain(|(_, said)| said.is_own);
        self
    }

    /// Whether the device said anything by DHCP itself.
    pub fn has_dhcp(&self) -> bool {
        self.iter().any(|(statement, _)| statement.source == sources::DHCP)
    }

    /// Adds what a DHCP request of the device says that a relay passed on.
    pub fn hear_of(&mut self, message: &DhcpMessage) {
        let mut record = Record::default();
        sources::read_dhcp(&Message::Dhcp(message.clone()), &mut record);
        for (key, value) in record.into_said() {
            if let Some(statement) = Statement::new(sources::DHCP, &key, &value) {
                self.add(statement, true);
            }
        }
    }

    /// Adds what was heard elsewhere of the same device.
    pub fn merge(&mut self, other: Self) {
        self.dropped += other.dropped;
        for (statement, Said { times, is_own }) in other.said {
            let at = match self.place(&statement) {
                Ok(said) => {
                    *said = Said { times: said.times + times, is_own: said.is_own || is_own };
                    continue;
                }
                Err(at) => at,
            };
            if self.has_room(statement.source) {
                self.said.insert(at, (statement, Said { times, is_own }));
            } else {
                self.dropped += 1;
            }
        }
    }

    /// Adds a statement; returns the bytes that it takes now and did not before. `None` where it says nothing new.
    pub(crate) fn add(&mut self, statement: Statement, is_own: bool) -> Option<usize> {
        let at = match self.place(&statement) {
            Ok(said) => {
                said.times += 1;
                let is_news = is_own && !said.is_own;
                said.is_own |= is_own;
                return is_news.then_some(0);
            }
            Err(at) => at,
        };
        if !self.has_room(statement.source) {
            self.dropped += 1;
            return None;
        }
        let bytes = statement.held_bytes();
        self.said.insert(at, (statement, Said { times: 1, is_own }));
        Some(bytes)
    }

    /// Lets go of at least so many bytes, or of all: last the statements of the sources that have fewest. Returns the bytes
    /// and the number of statements.
    pub(crate) fn let_go(&mut self, bytes: usize) -> (usize, u64) {
        let (mut freed, mut statements) = (0, 0);
        while freed < bytes {
            let mut sizes: BTreeMap<&'static str, usize> = BTreeMap::new();
            for (statement, _) in &self.said {
                *sizes.entry(statement.source).or_default() += statement.held_bytes();
            }
            let Some((largest, _)) = sizes.into_iter().max_by_key(|(_, bytes)| *bytes) else { break };
            let of_largest = self.said.iter().filter(|(statement, _)| statement.source == largest).count();
            let (mut at, kept) = (0, of_largest.saturating_sub(1 + MOST_OF_A_SOURCE / 8));
            self.said.retain(|(statement, _)| {
                let is_kept = statement.source != largest || at < kept;
                at += usize::from(statement.source == largest);
                if !is_kept {
                    freed += statement.held_bytes();
                    statements += 1;
                }
                is_kept
            });
        }
        self.dropped += statements;
        (freed, statements)
    }

    /// How a statement was made, or where it belongs.
    fn place(&mut self, statement: &Statement) -> Result<&mut Said, usize> {
        let at = self.said.binary_search_by(|(said, _)| said.cmp(statement))?;
        self.said.get_mut(at).map(|(_, said)| said).ok_or(at)
    }

    fn has_room(&self, source: &'static str) -> bool {
        let mut of_source = self.said.iter().filter(|(statement, _)| statement.source == source);
        of_source.nth(MOST_OF_A_SOURCE - 1).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(source: &'static str, value: &str) -> Statement {
        Statement::new(source, "key", value).unwrap()
    }

    #[test]
    fn one_source_does_not_push_out_another() {
        let mut statements = Statements::default();
        statements.add(statement("dhcp", "lamp"), true);
        for number in 0..1000 {
            statements.add(statement("dns", &format!("{number}.example")), true);
        }
        assert_eq!((statements.iter().count(), statements.dropped()), (257, 744));
        let (freed, count) = statements.let_go(1);
        assert!(freed > 0 && count == 33);
        assert!(statements.iter().any(|(statement, _)| statement.source == "dhcp"));
        assert_eq!(statements.let_go(usize::MAX).1, 224);
        assert!(statements.is_empty());
    }

    #[test]
    fn a_statement_is_kept_once_and_counted() {
        let (mut one, mut other) = (Statements::default(), Statements::default());
        assert!(one.add(statement("dhcp", "lamp"), false) > Some(0));
        assert_eq!(one.add(statement("dhcp", "lamp"), false), None);
        let mut own = one.clone();
        assert_eq!(
            own.add(statement("dhcp", "lamp"), true),
            Some(0),
            "it is news that a device speaks for itself"
        );
        other.add(statement("dhcp", "lamp"), true);
        other.add(statement("dhcp", "lock"), false);
        one.merge(other);
        let said: Vec<(u64, bool)> = one.iter().map(|(_, said)| (said.times, said.is_own)).collect();
        assert_eq!(said, [(3, true), (1, false)]);
        assert_eq!(one.own().iter().count(), 1);
    }
}
