use std::collections::BTreeSet;

use super::{Lint, LintLevel, error, warning};
use crate::matcher::Automaton;
use crate::schema::{Matcher, Model, Section, Statistic};
use crate::{Expression, SyntaxError};

/// An expression over more words than this is not looked through for what can never change its value.
const MOST_WORDS: usize = 10;

/// Checks how the protocol is detected.
pub(super) fn check(model: &Model, lints: &mut Vec<Lint>) {
    let contents = &model.contents;
    let described: BTreeSet<&str> = contents.sections().map(|(name, _)| name).collect();
    if described.is_empty() {
        lints.push(warning("contents", "nothing tells the protocol, so it is never found"));
    }
    for (name, section) in contents.sections() {
        check_section(&format!("contents.{name}"), section, lints);
    }
    let Some(select) = &contents.select else { return };
    let Some(parsed) = parsed("contents.select", select, lints) else { return };
    check_words("contents.select", &parsed, &described, "direction", lints);
    for unused in described.difference(&words(&parsed)) {
        lints.push(warning(format!("contents.{unused}"), "`select` never uses this direction"));
    }
    check_values("contents.select", &parsed, lints);
}

fn check_section(path: &str, section: &Section, lints: &mut Vec<Lint>) {
    if section.matchers.is_empty() {
        lints.push(error(format!("{path}.matchers"), "a direction needs at least one matcher"));
    }
    let mut ids = BTreeSet::new();
    for (index, matcher) in section.matchers.iter().enumerate() {
        let path = format!("{path}.matchers[{index}]");
        if !ids.insert(matcher.id()) {
            lints.push(error(format!("{path}.id"), format!("another matcher has the id {:?}", matcher.id())));
        }
        let same = section.matchers.iter().take(index).find(|other| has_same_pattern(matcher, other));
        if let Some(same) = same {
            let reason = format!("finds the same as {:?}", same.id());
            lints.push(warning(format!("{path}.pattern"), reason));
        }
        check_matcher(&format!("{path}.pattern"), matcher, lints);
    }
    let path = format!("{path}.eval");
    let Some(parsed) = section.eval.as_ref().and_then(|eval| parsed(&path, eval, lints)) else { return };
    check_words(&path, &parsed, &ids, "matcher with the id", lints);
    let used = words(&parsed);
    for (index, matcher) in section.matchers.iter().enumerate() {
        if !used.contains(matcher.id()) {
            let path = path.replace(".eval", &format!(".matchers[{index}]"));
            lints.push(warning(path, "unreachable: `eval` never uses this matcher"));
        }
    }
    check_values(&path, &parsed, lints);
}

fn check_matcher(path: &str, matcher: &Matcher, lints: &mut Vec<Lint>) {
    let automaton = match matcher {
        Matcher::String { pattern, .. } => Automaton::of_text(pattern),
        Matcher::Byte { pattern, .. } => Automaton::of_bytes(pattern),
        Matcher::Statistical { pattern, .. } => {
            let is_share = pattern.statistic == Statistic::Share;
            let covers_all = |low: Option<f64>, high: Option<f64>, most: f64| {
                low.is_none_or(|low| low <= 0.0) && high.is_none_or(|high| high >= most)
            };
            let most = if is_share { 1.0 } else { f64::INFINITY };
            if covers_all(pattern.at_least, pattern.at_most, most) {
                lints.push(warning(path, "holds for every flow"));
            }
            return;
        }
    };
    match automaton {
        Err(wrong) => lints.push(syntax(path, wrong)),
        Ok(automaton) if automaton.is_in_everything() => {
            lints.push(warning(path, "matches everything, even nothing at all"));
        }
        Ok(automaton) if automaton.is_in_every_byte() => {
            lints.push(warning(path, "matches every payload that is not empty"));
        }
        Ok(automaton) if automaton.is_in_nothing() => {
            lints.push(warning(path, "unreachable: nothing can match"));
        }
        Ok(_) => {}
    }
}

fn has_same_pattern(one: &Matcher, other: &Matcher) -> bool {
    match (one, other) {
        (Matcher::String { pattern: one, .. }, Matcher::String { pattern: other, .. })
        | (Matcher::Byte { pattern: one, .. }, Matcher::Byte { pattern: other, .. }) => one == other,
        (Matcher::Statistical { pattern: one, .. }, Matcher::Statistical { pattern: other, .. }) => {
            one == other
        }
        _ => false,
    }
}

fn parsed(path: &str, text: &str, lints: &mut Vec<Lint>) -> Option<Expression> {
    text.parse().map_err(|wrong| lints.push(syntax(path, wrong))).ok()
}

fn syntax(path: &str, wrong: SyntaxError) -> Lint {
    Lint { span: Some(wrong.span), ..error(path, wrong.reason) }
}

fn check_words(path: &str, parsed: &Expression, known: &BTreeSet<&str>, what: &str, lints: &mut Vec<Lint>) {
    for word in parsed.words() {
        if !known.contains(word.text.as_str()) {
            let reason = format!("there is no {what} {:?}", word.text);
            lints.push(Lint { span: Some(word.span), ..error(path, reason) });
        }
    }
}

/// Tries all values of the words: an expression that is always or never true, and words that never matter.
fn check_values(path: &str, parsed: &Expression, lints: &mut Vec<Lint>) {
    let words: Vec<&str> = words(parsed).into_iter().collect();
    if words.len() > MOST_WORDS {
        return;
    }
    let value = |bits: usize| {
        let of = |text: &str| words.iter().position(|word| *word == text).map(|place| bits >> place & 1 == 1);
        parsed.value(&mut |word| of(&word.text)) == Some(true)
    };
    let all = 0..1_usize << words.len();
    let true_count = all.clone().filter(|&bits| value(bits)).count();
    if true_count == 0 || true_count == all.len() {
        let always = if true_count == 0 { "never" } else { "always" };
        lints.push(warning(path, format!("is {always} true")));
        return;
    }
    for (place, word) in words.iter().enumerate() {
        let matters = all.clone().any(|bits| value(bits) != value(bits ^ (1 << place)));
        if !matters {
            let span = parsed.words().into_iter().find(|found| found.text == *word).map(|found| found.span);
            let reason = format!("{word:?} never changes the value");
            lints.push(Lint { span, level: LintLevel::Warning, ..warning(path, reason) });
        }
    }
}

fn words(parsed: &Expression) -> BTreeSet<&str> {
    parsed.words().into_iter().map(|word| word.text.as_str()).collect()
}
