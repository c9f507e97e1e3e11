use serde::{Deserialize, Serialize};

/// How to detect a protocol, by the direction of the packets.
///
/// Payloads of a datagram flow are looked at one by one, and a direction holds once one payload of it satisfies its
/// `eval`. Of a TCP stream, the first bytes of each direction are looked at, joined over segments. Which side of a flow
/// is the client need not be known: either may be, as long as requests and responses go opposite ways.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contents {
    /// What a client sends. Missing: not described, so nothing that a client sends counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Section>,
    /// What a server sends. Missing: not described, so nothing that a server sends counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Section>,
    /// What either of them sends. Missing: not described.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined: Option<Section>,
    /// Boolean expression over `request`, `response` and `combined` that gives the verdict, with `and`, `or`, `not`
    /// (or `&`, `|`, `!`) and brackets. Missing: one of the described directions is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
}

/// How to detect a protocol in one direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Section {
    /// The matchers that `eval` speaks of. Missing: none, and the direction never holds.
    pub matchers: Vec<Matcher>,
    /// Boolean expression over the ids of matchers. Missing: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval: Option<String>,
}

/// One thing to look for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Matcher {
    /// A regular expression on the bytes of a payload, which need not be text. Classes such as `\s` and case folding
    /// are those of ASCII, and `.` is any byte but a line feed. It is searched anywhere; `^` is the payload's start.
    String {
        /// Name in `eval`: letters, digits, `-` and `_`.
        id: String,
        /// The expression.
        pattern: String,
    },
    /// A byte pattern: `16 03 00-04 ??{2} (01|02)`. It is searched anywhere, or at one place when it begins with `@`
    /// and an offset: `@236 63 82 53 63`.
    Byte {
        /// Name in `eval`: letters, digits, `-` and `_`.
        id: String,
        /// The pattern.
        pattern: String,
    },
    /// A condition on the sizes, times and numbers of packets.
    Statistical {
        /// Name in `eval`: letters, digits, `-` and `_`.
        id: String,
        /// The condition.
        pattern: Condition,
    },
}

/// A condition on the packets with payload of a direction, judged once, when the flow has had `packets` of them both
/// ways; until then it is unknown. It holds when the statistic lies from `at-least` to `at-most`; it does not when there
/// is nothing to take the statistic of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Condition {
    /// What is computed.
    pub statistic: Statistic,
    /// Of what it is computed. Missing: of sizes.
    #[serde(default)]
    pub of: Measure,
    /// For `share`: the range that values are to lie in, both ends included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<[f64; 2]>,
    /// Least value. Missing: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Greatest value. Missing: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// Packets with payload that the flow has to have, both ways together: 1 to 1000. Missing: 10.
    #[serde(default = "Condition::default_packets")]
    pub packets: u16,
}

/// A figure over the packets of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// The number of values.
    Count,
    /// Their arithmetic mean.
    Mean,
    /// The least of them.
    Minimum,
    /// The greatest of them.
    Maximum,
    /// The share of them, 0 to 1, that lies in a range.
    Share,
}

/// What a packet contributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Bytes of its transport payload.
    #[default]
    Size,
    /// Seconds since the packet before it in the same direction (for `combined`: in any).
    Gap,
}

impl Condition {
    const fn default_packets() -> u16 {
        10
    }
}

impl Contents {
    /// The directions that are described, by name.
    pub(crate) fn sections(&self) -> impl Iterator<Item = (&'static str, &Section)> {
        [("request", &self.request), ("response", &self.response), ("combined", &self.combined)]
            .into_iter()
            .filter_map(|(name, section)| Some((name, section.as_ref()?)))
    }
}

impl Matcher {
    /// The name in `eval`.
    pub fn id(&self) -> &str {
        match self {
            Self::String { id, .. } | Self::Byte { id, .. } | Self::Statistical { id, .. } => id,
        }
    }
}
