use std::cmp::Reverse;

use crate::sources::{self, Claims};
use crate::{Answer, Certainty, Claim, Field, Knowledge, Said, Statement, Statements};

/// Who a device is by what it says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Of the fields that anything is said of: most devices of a large network say little.
    answers: Box<[(Field, Answer)]>,
}

impl Identity {
    /// What follows from the statements of a device.
    pub fn of(statements: &Statements, knowledge: &Knowledge) -> Self {
        let mut claims = claims_of(statements, knowledge);
        doubt_emulations(&mut claims, knowledge);
        let by_place =
            |claim: &Claim| (claim.field, Reverse(claim.certainty), sources::place(claim.statement.source));
        // Those of a source stay in the order in which it made them.
        claims.sort_by_key(by_place);
        let answer = |field: Field| {
            let of_field: Vec<Claim> = claims.iter().filter(|claim| claim.field == field).cloned().collect();
            (!of_field.is_empty()).then(|| (field, answer(field, of_field, knowledge)))
        };
        Self { answers: Field::ALL.into_iter().filter_map(answer).collect() }
    }

    /// What is known of a field.
    pub fn answer(&self, field: Field) -> &Answer {
        static NOTHING: Answer =
            Answer { value: None, certainty: None, reasons: Vec::new(), contradictions: Vec::new() };
        self.answers.iter().find(|(of, _)| *of == field).map_or(&NOTHING, |(_, answer)| answer)
    }

    /// The value of a field.
    pub fn value(&self, field: Field) -> Option<&str> {
        self.answer(field).value.as_deref()
    }
}

fn claims_of(statements: &Statements, knowledge: &Knowledge) -> Vec<Claim> {
    let mut claims = Claims::new(knowledge);
    for source in sources::all() {
        let said: Vec<(&Statement, Said)> =
            statements.iter().filter(|(statement, _)| statement.source == source.name).collect();
        if !said.is_empty() {
            (source.claims)(&said, &mut claims);
        }
    }
    claims.into_claims()
}

/// The vendors whose devices others emulate, so that voice assistants switch what stands behind them.
const EMULATED: [&str; 2] = ["Philips", "Belkin"];
/// The sources by which they do.
const EMULATED_BY: [&str; 3] = ["hue", "upnp", "ssdp"];

/// A hub that emulates a bridge of Hue or a switch of `WeMo` declares to be one. That is no more than likely where something else
/// names another vendor, and nothing else this one.
fn doubt_emulations(claims: &mut [Claim], knowledge: &Knowledge) {
    let is_emulating = |claim: &Claim| EMULATED_BY.contains(&claim.statement.source);
    let is_emulated =
        |vendor: &str| EMULATED.iter().any(|emulated| knowledge.is_one_vendor(vendor, emulated));
    let vendors = claims.iter().filter(|claim| claim.field == Field::Vendor);
    let (emulating, others): (Vec<&Claim>, Vec<&Claim>) = vendors.partition(|claim| is_emulating(claim));
    let Some(emulated) = emulating.into_iter().find(|claim| is_emulated(&claim.value)) else { return };
    let agrees = |other: &&Claim| knowledge.is_one_vendor(&other.value, &emulated.value);
    let is_doubtful = !others.is_empty() && !others.iter().any(agrees);
    for claim in claims.iter_mut().filter(|claim| is_doubtful && is_emulating(claim)) {
        claim.certainty = claim.certainty.min(Certainty::Likely);
    }
}

/// The answer that claims of a field give, the most certain first.
fn answer(field: Field, claims: Vec<Claim>, knowledge: &Knowledge) -> Answer {
    let Some(best) = claims.first().cloned() else { return Answer::default() };
    let (reasons, others): (Vec<Claim>, Vec<Claim>) =
        claims.into_iter().partition(|claim| is_same(field, (&claim.value, &best.value), knowledge));
    let contradictions = if is_exclusive(field) { others } else { Vec::new() };
    // Nothing decides between claims that are as certain: both are shown.
    let is_open = contradictions.first().is_some_and(|other| other.certainty == best.certainty);
    let value = (!is_open).then(|| spelled(&reasons, knowledge).unwrap_or(best.value));
    Answer { certainty: value.is_some().then_some(best.certainty), value, reasons, contradictions }
}

/// Whether a device has one value of a field. It has several names, and is known by names of its model that differ in how
/// much they say, as its system is.
const fn is_exclusive(field: Field) -> bool {
    matches!(field, Field::Vendor | Field::Type)
}

fn is_same(field: Field, (one, other): (&str, &str), knowledge: &Knowledge) -> bool {
    one.eq_ignore_ascii_case(other) || field == Field::Vendor && knowledge.is_one_vendor(one, other)
}

/// The spelling of the most certain claims, the shortest of a vendor; a brand rather than who makes it.
fn spelled(reasons: &[Claim], knowledge: &Knowledge) -> Option<String> {
    let best = reasons.first()?;
    let is_brand = |claim: &&Claim| knowledge.is_brand_of(&claim.value, &best.value);
    if let Some(brand) = reasons.iter().find(is_brand).filter(|_| best.field == Field::Vendor) {
        return Some(brand.value.clone());
    }
    let as_certain = reasons.iter().filter(|claim| claim.certainty == best.certainty);
    match best.field {
        Field::Vendor => as_certain.map(|claim| &claim.value).min_by_key(|value| value.len()).cloned(),
        _ => Some(best.value.clone()),
    }
}
