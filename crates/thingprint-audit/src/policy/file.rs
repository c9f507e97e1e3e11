use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Deserialize;

use super::day::some_day;
use super::scale::{Ruling, Scale, Verdict};
use super::{Judge, Policy};
use crate::rule::Values;
use crate::{PolicyError, Rule, Severity, Suppression};

/// A policy as it stands in its file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyFile {
    name: Option<String>,
    #[serde(default, deserialize_with = "some_day")]
    date: Option<String>,
    description: Option<String>,
    /// What a peer's misdeed is at most that the device never answered.
    #[serde(default = "note")]
    unanswered: Verdict,
    #[serde(default)]
    rules: BTreeMap<String, RuleFile>,
    #[serde(default)]
    suppress: Vec<Suppression>,
}

/// What it says of a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default = "yes")]
    on: bool,
    /// Values that are good.
    #[serde(default)]
    accept: Vec<String>,
    #[serde(default)]
    note: Vec<String>,
    #[serde(default)]
    warning: Vec<String>,
    #[serde(default)]
    error: Vec<String>,
    /// What every other value is.
    otherwise: Option<Verdict>,
    /// What is accepted, in words, if a list of the values says it badly.
    expected: Option<String>,
    /// Where it is written.
    references: Option<Vec<String>>,
    /// Where a severity, or a value, is written, if not in all of `references`.
    #[serde(default)]
    references_of: BTreeMap<String, Vec<String>>,
}

/// What a rule cites that cites nothing.
const OWN_JUDGEMENT: &str = "own judgement of the policy";
/// The rule of findings about MUD profiles, which no policy judges.
const MUD_RULE: &str = "MUD-001";

const fn yes() -> bool {
    true
}

const fn note() -> Verdict {
    Verdict::Note
}

/// Where in a policy something stands.
struct Place<'a> {
    file: &'a str,
    rule: &'a Rule,
}

impl PolicyFile {
    pub(super) fn read(file: &str, text: &str) -> Result<Self, PolicyError> {
        toml::from_str(text)
            .map_err(|error| PolicyError::Toml { file: file.to_owned(), message: error.to_string() })
    }

    /// Checks every value against what its rule can see.
    pub(super) fn into_policy(mut self, file: &str) -> Result<Policy, PolicyError> {
        let missing = self.missing();
        if !missing.is_empty() {
            return Err(PolicyError::Missing { file: file.to_owned(), fields: missing });
        }
        let mut judges = Vec::with_capacity(Rule::all().len());
        for rule in Rule::all() {
            let said = self.rules.remove(rule.id).filter(|said| said.on);
            judges.push(said.map(|said| said.into_judge(&Place { file, rule })).transpose()?);
        }
        let Self { name, date, description, unanswered, rules, suppress } = self;
        let [name, date, description] = [name, date, description].map(Option::unwrap_or_default);
        if !is_day(&date) {
            let message = format!("the date '{date}' is no day like 2026-11-22");
            return Err(PolicyError::Toml { file: file.to_owned(), message });
        }
        if let Some((rule, _)) = rules.into_iter().next() {
            return Err(PolicyError::UnknownRule { file: file.to_owned(), rule });
        }
        for suppression in &suppress {
            check_suppression(file, suppression)?;
        }
        if judges.iter().all(Option::is_none) {
            return Err(PolicyError::Empty { file: file.to_owned() });
        }
        Ok(Policy { name, date, description, unanswered, judges, suppressions: suppress })
    }
}

impl PolicyFile {
    /// The fields that have to be there and are not, all of them.
    fn missing(&self) -> Vec<String> {
        let own = [
            ("name", self.name.is_none()),
            ("date", self.date.is_none()),
            ("description", self.description.is_none()),
        ];
        let of_rule = |(id, rule): (&String, &RuleFile)| {
            let fields = [("otherwise", rule.otherwise.is_none()), ("references", rule.references.is_none())];
            fields.map(|(field, is_missing)| (format!("rules.{id}.{field}"), is_missing))
        };
        let own = own.into_iter().map(|(field, is_missing)| (field.to_owned(), is_missing));
        let all = own.chain(self.rules.iter().flat_map(of_rule));
        all.filter_map(|(field, is_missing)| is_missing.then_some(field)).collect()
    }
}

impl RuleFile {
    fn into_judge(self, place: &Place<'_>) -> Result<Judge, PolicyError> {
        let mut scale = Scale::new(self.otherwise.unwrap_or(Verdict::Error));
        let lists = [
            (Verdict::Accept, &self.accept),
            (Verdict::Note, &self.note),
            (Verdict::Warning, &self.warning),
            (Verdict::Error, &self.error),
        ];
        for (verdict, values) in lists {
            for value in values {
                place.set(&mut scale, value, verdict)?;
            }
        }
        let references = self.references.filter(|references| !references.is_empty());
        let mut references = vec![references.unwrap_or_else(|| vec![OWN_JUDGEMENT.to_owned()])];
        for (value, of_value) in self.references_of {
            place.check(&value)?;
            scale.rule(value, Ruling(references.len()));
            references.push(of_value);
        }
        Ok(Judge { scale: scale.describe(self.expected), references })
    }
}

impl Place<'_> {
    fn set(&self, scale: &mut Scale, value: &str, verdict: Verdict) -> Result<(), PolicyError> {
        let is_new = match self.rule.values {
            Values::Number(words) => {
                let word = words.iter().copied().find(|word| value.starts_with(word)).unwrap_or("");
                let range = value.strip_prefix(word).and_then(range);
                let range = range.ok_or_else(|| self.refuse(value, "is no number and no range like 3-4"))?;
                scale.set_range(word, range, verdict)
            }
            values if values.can_be(value) => scale.set(value, verdict),
            values => {
                let problem = format!("is nothing that the rule sees: expected {values}");
                return Err(self.refuse(value, &problem));
            }
        };
        if is_new { Ok(()) } else { Err(self.refuse(value, "is said twice")) }
    }

    /// Refuses what is neither a severity nor a value, nor the word before the numbers of values.
    fn check(&self, value: &str) -> Result<(), PolicyError> {
        let is_word = match self.rule.values {
            Values::Number(words) => words.iter().any(|word| word.trim_end() == value),
            Values::Words(_) | Values::Text => false,
        };
        if is_word || value.parse::<Severity>().is_ok() || self.rule.values.can_be(value) {
            return Ok(());
        }
        let values = self.rule.values;
        let problem = format!(
            "is no severity and nothing that the rule sees: expected note, warning, error, or {values}"
        );
        Err(self.refuse(value, &problem))
    }

    fn refuse(&self, value: &str, problem: &str) -> PolicyError {
        PolicyError::Value {
            file: self.file.to_owned(),
            rule: self.rule.id.to_owned(),
            value: value.to_owned(),
            problem: problem.to_owned(),
        }
    }
}

/// A number, or the numbers from one to another: `3-4`.
fn range(text: &str) -> Option<RangeInclusive<u32>> {
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    let (start, end) = (start.parse().ok()?, end.parse().ok()?);
    (start <= end).then_some(start..=end)
}

/// Refuses a suppression of a rule that does not exist, without a reason, or without a day on which it ends.
fn check_suppression(file: &str, suppression: &Suppression) -> Result<(), PolicyError> {
    let Suppression { rule, reason, until, .. } = suppression;
    // What a MUD profile does not allow is a finding beside those of rules.
    if Rule::of(rule).is_none() && rule != MUD_RULE {
        return Err(PolicyError::UnknownRule { file: file.to_owned(), rule: rule.clone() });
    }
    let problem = if reason.trim().is_empty() {
        "has no reason: say why it is lived with".to_owned()
    } else if !is_day(until) {
        format!("ends on '{until}', which is no day like 2026-12-31")
    } else {
        return Ok(());
    };
    Err(PolicyError::Suppression { file: file.to_owned(), rule: rule.clone(), problem })
}

/// Whether a text is a day as in ISO 8601: four digits, two and two.
fn is_day(text: &str) -> bool {
    let is_number = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|character| character.is_ascii_digit())
    };
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], [year, month, day]
        if is_number(year, 4) && is_number(month, 2) && is_number(day, 2)
            && ("01"..="12").contains(&month) && ("01"..="31").contains(&day))
}

#[cfg(test)]
mod tests {
    use super::OWN_JUDGEMENT;
    use crate::Policy;

    const HEAD: &str = "name = 'own'\ndate = '2026-01-01'\ndescription = 'a test'\n";

    fn read(rules: &str) -> Result<Policy, String> {
        Policy::from_toml("own.toml", &format!("{HEAD}{rules}")).map_err(|error| error.to_string())
    }

    #[test]
    fn an_own_policy_judges_by_the_rules_that_it_names() {
        let policy = read(
            "[rules.SSDP-003]\naccept = ['0-2']\nnote = ['3', '4-8']\notherwise = 'error'\nreferences = ['ours']\n\
             [rules.TLS-001]\non = false\notherwise = 'error'\nreferences = []",
        );
        let policy = policy.unwrap();
        assert_eq!((policy.name(), policy.date(), policy.description()), ("own", "2026-01-01", "a test"));
        let rule = "[rules.TLS-001]\notherwise = 'error'\nreferences = []\n\
                    [[suppress]]\nrule = 'TLS-001'\nreason = 'r'\nuntil = 2026-12-31";
        let bare = HEAD.replace("'2026-01-01'", "2026-01-01") + rule;
        let bare = Policy::from_toml("own.toml", &bare).unwrap();
        assert_eq!(bare.date(), "2026-01-01", "a day needs no quotes");
        let number = Policy::from_toml("own.toml", &HEAD.replace("'2026-01-01'", "2026"));
        assert!(number.unwrap_err().to_string().contains("expected a day like 2026-11-22, found integer"));
        assert_eq!(policy.rules().map(|rule| rule.id).collect::<Vec<_>>(), ["SSDP-003"]);
        assert_eq!(policy.references("SSDP-003"), ["ours"]);
        assert_eq!(policy.expected("SSDP-003"), Some("0-2"));
        assert_eq!((policy.expected("TLS-001"), policy.references("TLS-001").len()), (None, 0));
        assert_eq!(
            bare.references("TLS-001"),
            [OWN_JUDGEMENT],
            "what cites nothing is its author's judgement"
        );
    }

    #[test]
    fn a_policy_can_cite_for_a_value_or_a_severity_and_say_what_it_expects() {
        let policy = read(
            "[rules.NTP-003]\naccept = ['3-4']\notherwise = 'error'\nexpected = 'clients and servers'\n\
             references = ['A', 'B']\nreferences_of = { error = ['B'], 7 = ['C'] }",
        );
        let policy = policy.unwrap();
        assert_eq!(policy.expected("NTP-003"), Some("clients and servers"));
        assert_eq!(policy.references("NTP-003"), ["A", "B"]);
        assert_eq!(policy.all_references("NTP-003"), ["A", "B", "C"]);
        let judge = policy.judge("NTP-003").unwrap();
        let cited = |value: &str| judge.references(judge.scale.judge(value).unwrap().1).to_vec();
        assert_eq!((cited("7"), cited("6")), (vec!["C".to_owned()], vec!["B".to_owned()]));
    }

    #[test]
    fn a_suppression_has_a_rule_a_reason_and_an_end() {
        let rule = "[rules.TLS-001]\notherwise = 'error'\nreferences = []\n";
        let with = |rest: &str| read(&format!("{rule}[[suppress]]\n{rest}"));
        let good = "rule = 'TLS-001'\nreason = 'a new hub comes in spring'\nuntil = '2027-03-31'\n";
        let policy = with(good).unwrap();
        assert_eq!(policy.suppressions().len(), 1);
        let check = |rest: &str, expected: &str| {
            let error = with(rest).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(&good.replace("TLS-001", "TLS-999"), "there is no rule 'TLS-999'");
        check(&good.replace("a new hub comes in spring", " "), "TLS-001: has no reason");
        check(&good.replace("2027-03-31", "spring"), "TLS-001: ends on 'spring', which is no day");
        check("rule = 'TLS-001'\nreason = 'none'\n", "until");
        check(&format!("{good}severity = 'note'"), "severity");
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let check = |rules: &str, expected: &str| {
            let error = read(rules).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        let rule =
            |id: &str, rest: &str| format!("[rules.{id}]\notherwise = 'error'\nreferences = []\n{rest}");
        check(&rule("TLS-999", ""), "there is no rule 'TLS-999'");
        check(&rule("TLS-001", "accept = ['TLS 1.2']"), "own.toml: rule TLS-001: 'TLS 1.2' is nothing that");
        check(&rule("TLS-001", "accept = ['TLSv12']\nnote = ['TLSv12']"), "'TLSv12' is said twice");
        check(&rule("SSDP-003", "accept = ['2-1']"), "is no number and no range");
        check(&rule("SSDP-003", "accept = ['0-2']\nnote = ['2']"), "'2' is said twice");
        check(&rule("TLS-001", "acept = []"), "acept");
        check("[rules.TLS-001]\notherwise = 'fatal'\nreferences = []", "fatal");
        check("[rules.TLS-001]\nreferences = []", "own.toml: missing: rules.TLS-001.otherwise");
        check(
            "[rules.TLS-001]\n[rules.NTP-001]\nreferences = []",
            "rules.TLS-001.otherwise, rules.TLS-001.references",
        );
        check(&rule("TLS-999", ""), "HTTP-002, HTTP-003, NAME-001, NTP-001");
        check(&rule("TLS-001", "accept = ['TLS 1.2']"), "expected one of SSLv2, ");
        check(&rule("SSDP-003", "references_of = { x = ['A'] }"), "or a number, alone or behind IPv6");
        let nothing = Policy::from_toml("own.toml", "").unwrap_err().to_string();
        assert_eq!(nothing, "own.toml: missing: name, date, description; docs/policies.md explains the form");
        check(&rule("TLS-001", "references_of = { fatal = ['A'] }"), "'fatal' is no severity and nothing");
        for day in ["soon", "2026-13-01", "2026-1-1", "2026-11-22-"] {
            let text = format!("name = 'own'\ndate = '{day}'\ndescription = ''\n{}", rule("TLS-001", ""));
            let error = Policy::from_toml("own.toml", &text).unwrap_err().to_string();
            assert!(error.contains("is no day like"), "{error}");
        }
        check("colour = 'red'", "colour");
        check("", "own.toml: no rule is on");
        check("[rules.TLS-001]\non = false\notherwise = 'error'\nreferences = []", "no rule is on");
    }
}
