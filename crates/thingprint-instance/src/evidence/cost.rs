/// What it costs to collect a piece of evidence, as the classification paper groups it (§6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CollectionCost {
    /// A flow exporter measures it.
    Low,
    /// It takes state for each device: server ports, sleep, intervals of queries.
    Medium,
    /// It takes a look into payloads.
    High,
}

impl CollectionCost {
    /// Every group, the cheapest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
