use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thingprint_instance::{Attribute, Bag, Bags};

use crate::error::ModelError;
use crate::options::choice;

choice! {
    /// What a classifier looks at: the columns of Table 2 and the rows of Table 3 of the classification paper.
    ///
    /// The row "all attributes" of Table 3 is [`Scenario::Final`].
    Scenario as "scenario" {
        /// Stage-0 of the server ports alone.
        Ports = "ports",
        /// Stage-0 of the domain names alone.
        Domains = "domains",
        /// Stage-0 of the cipher suites alone.
        Ciphers = "ciphers",
        /// Stage-1 on the six outputs of the three stage-0 classifiers.
        Stage0 = "stage0",
        /// Stage-1 on flow volume, duration and rate: what is cheap to collect.
        Low = "low",
        /// `low` with sleep time, the two intervals and stage-0 of the ports.
        LowMedium = "low-medium",
        /// Stage-1 on everything.
        Final = "final",
    }
}

impl Scenario {
    /// The bags whose stage-0 the scenario needs.
    pub const fn bags(self) -> &'static [BagName] {
        match self {
            Self::Ports | Self::LowMedium => &[BagName::Ports],
            Self::Domains => &[BagName::Domains],
            Self::Ciphers => &[BagName::CipherSuites],
            Self::Stage0 | Self::Final => BagName::ALL,
            Self::Low => &[],
        }
    }

    /// The inputs of stage-1, in the order of columns; `None` where a stage-0 answers alone.
    pub fn inputs(self) -> Option<Vec<Input>> {
        let numbers: &[Attribute] = match self {
            Self::Ports | Self::Domains | Self::Ciphers => return None,
            Self::Stage0 => &[],
            Self::Low => &LOW_COST,
            Self::LowMedium | Self::Final => &Attribute::ALL,
        };
        let classes = self.bags().iter().map(|&bag| Input::Class(bag));
        let confidences = self.bags().iter().map(|&bag| Input::Confidence(bag));
        let numbers = numbers.iter().map(|&attribute| Input::Number(attribute));
        Some(classes.chain(confidences).chain(numbers).collect())
    }
}

/// Attributes of low collection cost (classification paper, §6.1).
const LOW_COST: [Attribute; 3] =
    [Attribute::FlowVolumeBytes, Attribute::FlowDurationS, Attribute::FlowRateBps];

choice! {
    /// Name of a bag of words.
    BagName as "bag" {
        /// Server ports.
        Ports = "ports",
        /// Names in DNS queries.
        Domains = "domains",
        /// Cipher-suite lists.
        CipherSuites = "cipher_suites",
    }
}

impl BagName {
    /// This bag of an instance.
    pub const fn of(self, bags: &Bags) -> &Bag {
        match self {
            Self::Ports => &bags.ports,
            Self::Domains => &bags.domains,
            Self::CipherSuites => &bags.cipher_suites,
        }
    }
}

/// One input of stage-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Input {
    /// The class that a stage-0 found: nominal.
    Class(BagName),
    /// The confidence of that stage-0, 0 to 1.
    Confidence(BagName),
    /// A numeric attribute of the instance.
    Number(Attribute),
}

impl fmt::Display for Input {
    /// The input as a column name: `ports_class`, `ports_confidence`, `flow_volume_bytes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(bag) => write!(f, "{bag}_class"),
            Self::Confidence(bag) => write!(f, "{bag}_confidence"),
            Self::Number(attribute) => f.write_str(attribute.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scenario: &str, expected: &[&str]) {
        let scenario: Scenario = scenario.parse().unwrap();
        let inputs = scenario.inputs().unwrap_or_default();
        assert_eq!(inputs.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{scenario}");
    }

    #[test]
    fn each_scenario_looks_at_what_the_paper_lists() {
        check("ports", &[]);
        check("low", &["flow_volume_bytes", "flow_duration_s", "flow_rate_bps"]);
        check(
            "low-medium",
            &[
                "ports_class",
                "ports_confidence",
                "flow_volume_bytes",
                "flow_duration_s",
                "flow_rate_bps",
                "sleep_time_s",
                "dns_interval_s",
                "ntp_interval_s",
            ],
        );
        assert_eq!(Scenario::Stage0.inputs().unwrap().len(), 6);
        assert_eq!(Scenario::Final.inputs().unwrap().len(), 12);
    }

    #[test]
    fn names_are_read_back() {
        for &scenario in Scenario::ALL {
            assert_eq!(scenario.name().parse::<Scenario>().unwrap(), scenario);
        }
        let error = "everything".parse::<Scenario>().unwrap_err().to_string();
        assert!(error.contains("scenario = everything") && error.contains("low-medium"), "{error}");
    }
}
