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

impl PortCondition {
    /// Whether every port of a span is meant. With `NotEqual` that is judged by the ends of the span, which is exact for a
    /// single port; the ports of a contact's client are judged one by one as far as they are remembered.
    pub const fn covers(self, span: PortSpan) -> bool {
        match self {
            Self::Equal(port) => span.low == port && span.high == port,
            Self::NotEqual(port) => span.low != port && span.high != port,
            Self::AtMost(port) => span.high <= port,
            Self::AtLeast(port) => span.low >= port,
            Self::Range(low, high) => low <= span.low && span.high <= high,
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
    fn a_condition_covers_a_span_whole_or_not() {
        let check = |condition: PortCondition, low, high, expected| {
            assert_eq!(condition.covers(PortSpan { low, high }), expected, "{condition:?} {low} {high}");
        };
        check(PortCondition::Equal(53), 53, 53, true);
        check(PortCondition::Equal(53), 53, 54, false);
        check(PortCondition::NotEqual(53), 54, 54, true);
        check(PortCondition::NotEqual(53), 53, 60, false);
        check(PortCondition::AtMost(1023), 0, 1023, true);
        check(PortCondition::AtMost(1023), 0, 1024, false);
        check(PortCondition::AtLeast(1024), 1024, 65535, true);
        check(PortCondition::AtLeast(1024), 1023, 65535, false);
        check(PortCondition::Range(10, 20), 10, 20, true);
        check(PortCondition::Range(10, 20), 10, 21, false);
    }
}
