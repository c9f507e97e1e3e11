use super::rule::{KnownBy, Rule};

/// How many rules are written from profiles, and by what they know the hosts of the Internet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleTally {
    /// All of them.
    pub rules: u64,
    /// Those by an Internet address of which no name is known.
    pub by_address: u64,
    /// Those by a name that other devices looked up, and this one did not.
    pub by_lookup_of_others: u64,
    /// Those by a name that the device alone says.
    pub by_claim: u64,
}

impl RuleTally {
    pub(super) fn of<'a>(rules: impl Iterator<Item = &'a Rule>) -> Self {
        let mut tally = Self::default();
        for rule in rules {
            tally.rules += 1;
            match rule.known_by {
                Some(KnownBy::Address) => tally.by_address += 1,
                Some(KnownBy::OthersLookup) => tally.by_lookup_of_others += 1,
                Some(KnownBy::OwnClaim) => tally.by_claim += 1,
                None => {}
            }
        }
        tally
    }
}
