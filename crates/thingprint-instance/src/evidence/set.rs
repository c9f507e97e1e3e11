use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Attribute, BagName, UnknownEvidence};

/// A choice of evidence: which bags and which numbers.
///
/// As a text it is a list of names like `ports,sleep_time_s`. A list may also name a set: `paper`, what the
/// classification paper uses, or `all`, what this version knows. `none` is the empty set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EvidenceSet {
    /// A bit for each number, by its place in the registry.
    numbers: u32,
    /// A bit for each bag.
    bags: u32,
}

/// Text of the set without evidence.
const NONE: &str = "none";
/// Text of the paper's set.
const PAPER: &str = "paper";
/// Text of the whole registry.
const ALL: &str = "all";

impl EvidenceSet {
    /// No evidence.
    pub const NONE: Self = Self { numbers: 0, bags: 0 };

    /// What the classification paper uses: six numbers and three bags.
    pub fn paper() -> Self {
        Self::all().only(Attribute::is_of_paper, BagName::is_of_paper)
    }

    /// Every number and bag of the registry.
    pub fn all() -> Self {
        Attribute::all().map(Self::from).chain(BagName::all().map(Self::from)).fold(Self::NONE, Self::with)
    }

    /// What training uses where nothing else is asked for.
    pub fn trained_on() -> Self {
        Self::all().only(Attribute::is_trained_on, BagName::is_trained_on)
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self { numbers: self.numbers | other.numbers, bags: self.bags | other.bags }
    }

    /// Those of these that are in `other`, too.
    #[must_use]
    pub const fn within(self, other: Self) -> Self {
        Self { numbers: self.numbers & other.numbers, bags: self.bags & other.bags }
    }

    /// These without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self { numbers: self.numbers & !other.numbers, bags: self.bags & !other.bags }
    }

    /// The numbers and bags of these for which a condition holds.
    #[must_use]
    pub fn only(self, number: impl Fn(Attribute) -> bool, bag: impl Fn(BagName) -> bool) -> Self {
        let numbers = self.numbers().filter(|attribute| number(*attribute)).map(Self::from);
        let bags = self.bags().filter(|name| bag(*name)).map(Self::from);
        numbers.chain(bags).fold(Self::NONE, Self::with)
    }

    /// The numbers, in the order of columns.
    pub fn numbers(self) -> impl Iterator<Item = Attribute> + Clone {
        Attribute::all().filter(move |attribute| self.has_number(*attribute))
    }

    /// The bags, in the order of columns.
    pub fn bags(self) -> impl Iterator<Item = BagName> + Clone {
        BagName::all().filter(move |bag| self.has_bag(*bag))
    }

    /// Whether a number is in the set.
    pub const fn has_number(self, attribute: Attribute) -> bool {
        self.numbers >> attribute.place() & 1 == 1
    }

    /// Whether a bag is in the set.
    pub const fn has_bag(self, bag: BagName) -> bool {
        self.bags >> bag.place() & 1 == 1
    }

    /// How many bags of the set come before one of them.
    pub const fn index_of_bag(self, bag: BagName) -> usize {
        (self.bags & ((1 << bag.place()) - 1)).count_ones() as usize
    }

    /// Whether there is nothing in the set.
    pub const fn is_empty(self) -> bool {
        self.numbers == 0 && self.bags == 0
    }

    /// The names, in the order of columns.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.numbers().map(Attribute::name).chain(self.bags().map(BagName::name))
    }
}

impl Default for EvidenceSet {
    /// The paper's.
    fn default() -> Self {
        Self::paper()
    }
}

impl From<Attribute> for EvidenceSet {
    fn from(attribute: Attribute) -> Self {
        Self { numbers: 1 << attribute.place(), bags: 0 }
    }
}

impl From<BagName> for EvidenceSet {
    fn from(bag: BagName) -> Self {
        Self { numbers: 0, bags: 1 << bag.place() }
    }
}

impl fmt::Display for EvidenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str(NONE);
        }
        let names: Vec<&str> = self.names().collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for EvidenceSet {
    type Err = UnknownEvidence;

    fn from_str(text: &str) -> Result<Self, UnknownEvidence> {
        if text == NONE {
            return Ok(Self::NONE);
        }
        text.split(',').map(parse_item).try_fold(Self::NONE, |set, item| Ok(set.with(item?)))
    }
}

/// Reads a name of evidence or of a set.
fn parse_item(name: &str) -> Result<EvidenceSet, UnknownEvidence> {
    match name {
        PAPER => return Ok(EvidenceSet::paper()),
        ALL => return Ok(EvidenceSet::all()),
        _ => {}
    }
    let attribute = name.parse().map(|attribute: Attribute| attribute.into());
    attribute.or_else(|_| name.parse().map(|bag: BagName| bag.into())).map_err(|_: UnknownEvidence| {
        let known = [PAPER, ALL].into_iter().chain(EvidenceSet::all().names()).collect();
        UnknownEvidence { what: "evidence", name: name.to_owned(), known }
    })
}

impl TryFrom<String> for EvidenceSet {
    type Error = UnknownEvidence;

    fn try_from(text: String) -> Result<Self, UnknownEvidence> {
        text.parse()
    }
}

impl From<EvidenceSet> for String {
    fn from(set: EvidenceSet) -> Self {
        set.to_string()
    }
}
