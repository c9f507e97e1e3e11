use serde::Serialize;

use crate::sarif::mark;
use crate::{Audit, KnownFindings, Policy, Suppression};

/// Findings that are not shown, because somebody knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SetAside {
    /// Findings of an earlier audit.
    pub known: u64,
    /// Findings that the policy suppresses.
    pub suppressed: Vec<Suppressed>,
    /// Suppressions of the policy that act no more, in words.
    pub over: Vec<String>,
}

/// What a suppression of a policy set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suppressed {
    /// The rule.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// The last day on which it acts.
    pub until: String,
    /// Findings that were set aside; 0 where there was nothing to suppress.
    pub findings: u64,
}

impl Audit {
    /// Takes out the findings that are known, then those that the policy suppresses on a day, like `2026-11-30`. Without a
    /// day, nothing was heard, and every suppression acts.
    pub fn set_aside(&mut self, known: &KnownFindings, policy: &Policy, day: Option<&str>) -> SetAside {
        let mut aside = SetAside::default();
        let is_over = |suppression: &&Suppression| day.is_some_and(|day| suppression.is_over(day));
        let (over, acting): (Vec<_>, Vec<_>) = policy.suppressions().iter().partition(is_over);
        aside.over = over.into_iter().map(ended).collect();
        let mut counts = vec![0; acting.len()];
        for device in &mut self.devices {
            let mut findings = std::mem::take(&mut device.findings);
            findings.retain(|finding| {
                let by = acting.iter().position(|suppression| suppression.fits(device, finding));
                match by.and_then(|by| counts.get_mut(by)) {
                    _ if known.has(&mark(device, finding)) => aside.known += 1,
                    Some(count) => *count += 1,
                    None => return true,
                }
                false
            });
            device.findings = findings;
        }
        aside.suppressed = acting
            .into_iter()
            .zip(counts)
            .map(|(suppression, findings)| Suppressed {
                rule: suppression.rule.clone(),
                reason: suppression.reason.clone(),
                until: suppression.until.clone(),
                findings,
            })
            .collect();
        aside
    }
}

fn ended(suppression: &Suppression) -> String {
    let Suppression { rule, reason, until, .. } = suppression;
    format!("the suppression of {rule} ended on {until}: {reason}")
}

impl SetAside {
    /// What there is to say, a line each.
    pub fn in_words(&self) -> Vec<String> {
        let some = |count: u64| match count {
            1 => "1 finding".to_owned(),
            count => format!("{count} findings"),
        };
        let mut lines = Vec::new();
        if self.known > 0 {
            lines.push(format!("{} of an earlier audit left out", some(self.known)));
        }
        for Suppressed { rule, reason, until, findings } in &self.suppressed {
            lines.push(match findings {
                0 => format!("there is nothing of {rule} to suppress: {reason} (until {until})"),
                count => format!("{} of {rule} suppressed until {until}: {reason}", some(*count)),
            });
        }
        lines
    }
}
