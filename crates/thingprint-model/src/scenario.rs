use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thingprint_instance::{Attribute, BagName, CollectionCost, EvidenceSet};

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
        /// Stage-1 on the outputs of the stage-0 classifiers.
        Stage0 = "stage0",
        /// Stage-1 on what costs little to collect: flow volume, duration and rate.
        Low = "low",
        /// `low` with what costs more: sleep time, the two intervals and stage-0 of the ports.
        LowMedium = "low-medium",
        /// Stage-1 on everything.
        Final = "final",
    }
}

impl Scenario {
    /// The scenario of a bag's stage-0 alone; `None` where the paper has none.
    pub fn of_bag(bag: BagName) -> Option<Self> {
        Self::ALL.iter().copied().find(|scenario| scenario.only_bag() == Some(bag))
    }

    /// What the scenario looks at, of this evidence: the cost groups are those of the paper.
    pub fn evidence(self, evidence: EvidenceSet) -> EvidenceSet {
        let up_to = |most: CollectionCost| {
            let is_cheap = move |cost: Option<CollectionCost>| cost.is_some_and(|cost| cost <= most);
            evidence.only(|number| is_cheap(number.cost()), |bag| is_cheap(bag.cost()))
        };
        match self {
            Self::Ports | Self::Domains | Self::Ciphers => {
                self.only_bag().map_or(EvidenceSet::NONE, EvidenceSet::from)
            }
            Self::Stage0 => evidence.only(|_| false, |_| true),
            Self::Low => up_to(CollectionCost::Low),
            Self::LowMedium => up_to(CollectionCost::Medium),
            Self::Final => evidence,
        }
    }

    /// The inputs of stage-1 with this evidence, in the order of columns; `None` where a stage-0 answers alone.
    pub fn inputs(self, evidence: EvidenceSet) -> Option<Vec<Input>> {
        if self.only_bag().is_some() {
            return None;
        }
        let evidence = self.evidence(evidence);
        let classes = evidence.bags().map(Input::Class);
        let confidences = evidence.bags().map(Input::Confidence);
        Some(classes.chain(confidences).chain(evidence.numbers().map(Input::Number)).collect())
    }

    /// The bag whose stage-0 answers alone.
    const fn only_bag(self) -> Option<BagName> {
        match self {
            Self::Ports => Some(BagName::PORTS),
            Self::Domains => Some(BagName::DOMAINS),
            Self::Ciphers => Some(BagName::CIPHER_SUITES),
            Self::Stage0 | Self::Low | Self::LowMedium | Self::Final => None,
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
        let inputs = scenario.inputs(EvidenceSet::paper()).unwrap_or_default();
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
        let count = |scenario: Scenario| scenario.inputs(EvidenceSet::paper()).unwrap().len();
        assert_eq!((count(Scenario::Stage0), count(Scenario::Final)), (6, 12));
    }

    #[test]
    fn a_scenario_looks_at_what_is_chosen() {
        let chosen = EvidenceSet::from(BagName::DOMAINS).with(Attribute::FLOW_RATE_BPS.into());
        let check = |scenario: Scenario, expected: &str| {
            assert_eq!(scenario.evidence(chosen).to_string(), expected, "{scenario}");
        };
        check(Scenario::Final, "flow_rate_bps,domains");
        check(Scenario::Stage0, "domains");
        check(Scenario::LowMedium, "flow_rate_bps");
        check(Scenario::Ports, "ports");
        assert_eq!(Scenario::of_bag(BagName::CIPHER_SUITES), Some(Scenario::Ciphers));
    }

    #[test]
    fn names_are_read_back() {
        for &scenario in Scenario::ALL {
            assert_eq!(scenario.name().parse::<Scenario>().unwrap(), scenario);
        }
        let error = "everything".parse::<Scenario>().unwrap_err().to_string();
        assert!(error.contains("scenario 'everything'") && error.contains("low-medium"), "{error}");
    }
}
