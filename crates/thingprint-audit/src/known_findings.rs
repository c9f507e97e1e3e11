use std::collections::BTreeSet;

use serde_json::Value;

use crate::sarif::FINGERPRINT;

/// Findings of an earlier audit, by what stays the same from one to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownFindings {
    marks: BTreeSet<String>,
}

impl KnownFindings {
    /// Reads the log of an earlier audit in SARIF. The error completes "failed to read FILE: ".
    pub fn from_sarif(text: &str) -> Result<Self, String> {
        let log: Value = serde_json::from_str(text)
            .map_err(|error| format!("{error}; give a log that `audit --sarif` wrote"))?;
        let runs = log["runs"].as_array().ok_or("it has no 'runs': give a log that `audit --sarif` wrote")?;
        let results = runs.iter().filter_map(|run| run["results"].as_array()).flatten();
        let mut marks = BTreeSet::new();
        for (at, result) in results.enumerate() {
            let mark = result["partialFingerprints"][FINGERPRINT].as_str();
            let mark = mark.ok_or_else(|| {
                format!(
                    "result {at} has no fingerprint '{FINGERPRINT}': give a log that `audit --sarif` wrote"
                )
            })?;
            let grouped = result["properties"]["findings"].as_array().into_iter().flatten();
            marks.extend(grouped.filter_map(|finding| Some(finding["mark"].as_str()?.to_owned())));
            marks.insert(mark.to_owned());
        }
        Ok(Self { marks })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Whether a finding of this mark is known.
    pub(crate) fn has(&self, mark: &str) -> bool {
        self.marks.contains(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::KnownFindings;

    #[test]
    fn what_is_no_log_of_an_audit_is_refused_with_what_to_give() {
        let check = |text: &str, expected: &str| {
            let error = KnownFindings::from_sarif(text).unwrap_err();
            assert!(error.contains(expected) && error.contains("audit --sarif"), "{error}");
        };
        check("rule,severity", "expected value at line 1");
        check("{}", "no 'runs'");
        check(r#"{"runs": [{"results": [{"ruleId": "X"}]}]}"#, "result 0 has no fingerprint");
        assert!(KnownFindings::from_sarif(r#"{"runs": [{"results": []}]}"#).unwrap().is_empty());
    }
}
