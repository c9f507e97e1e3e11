/// Which ports an entry is about: `port-range-or-operator` of the module ietf-packet-fields (RFC 8519).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortCondition {
    /// This port: operator `eq`.
    Equal(u16),
    /// Any other port: operator `neq`.
    NotEqual(u16),
    /// This port and lower ones: operator `lte`.
    AtMost(u16),
    /// This port and higher ones: operator `gte`.
    AtLeast(u16),
    /// From the first port to the second one, both included.
    Range(u16, u16),
}

/// The lowest and the highest of the ports that one side of some flows had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortSpan {
    /// The lowest.
    pub low: u16,
    /// The highest.
    pub high: u16,
}

/// How many of the ports of a span a condition means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Among {
    /// Every one.
    All,
    /// Some, and others not: what that says of the ports between which the span lies is open.
    Some,
    /// None.
    None,
}

impl PortCondition {
    /// How many of the ports of a span are meant.
    pub(super) fn among(self, span: PortSpan) -> Among {
        let (low, high) = match self {
            Self::Equal(port) => (port, port),
            Self::AtMost(port) => (0, port),
            Self::AtLeast(port) => (port, u16::MAX),
            Self::Range(low, high) => (low, high),
            Self::NotEqual(port) => {
                return match Self::Equal(port).among(span) {
                    Among::All => Among::None,
                    Among::Some => Among::Some,
                    Among::None => Among::All,
                };
            }
        };
        if low <= span.low && span.high <= high {
            Among::All
        } else if span.high < low || high < span.low {
            Among::None
        } else {
            Among::Some
        }
    }
}

impl PortSpan {
    /// A single port.
    pub const fn one(port: u16) -> Self {
        Self { low: port, high: port }
    }

    /// The span that holds another port, too.
    #[must_use]
    pub fn with(self, port: u16) -> Self {
        Self { low: self.low.min(port), high: self.high.max(port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_means_all_ports_of_a_span_or_some_or_none() {
        let check = |condition: PortCondition, low, high, expected| {
            assert_eq!(condition.among(PortSpan { low, high }), expected, "{condition:?} {low} {high}");
        };
        check(PortCondition::Equal(53), 53, 53, Among::All);
        check(PortCondition::Equal(53), 53, 54, Among::Some);
        check(PortCondition::Equal(53), 54, 55, Among::None);
        check(PortCondition::NotEqual(53), 54, 54, Among::All);
        check(PortCondition::NotEqual(53), 52, 60, Among::Some);
        check(PortCondition::NotEqual(53), 53, 53, Among::None);
        check(PortCondition::AtMost(1023), 0, 1023, Among::All);
        check(PortCondition::AtMost(1023), 0, 1024, Among::Some);
        check(PortCondition::AtMost(1023), 1024, 1025, Among::None);
        check(PortCondition::AtLeast(1024), 1024, 65535, Among::All);
        check(PortCondition::AtLeast(1024), 1023, 65535, Among::Some);
        check(PortCondition::Range(10, 20), 10, 20, Among::All);
        check(PortCondition::Range(10, 20), 10, 21, Among::Some);
        check(PortCondition::Range(10, 20), 21, 30, Among::None);
    }
}
