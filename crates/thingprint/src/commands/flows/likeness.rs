//! Which known device a flow looks like, and by what.

use thingprint_flow::Flow;
use thingprint_profile::{Answer, Candidate, Likeness, Matcher, Traits};
use thingprint_protocol::Heard;
use thingprint_table::{Cell, Type};

/// The columns of likenesses.
pub(super) const COLUMNS: [(&str, Type); 4] = [
    ("looks_like_answer", Type::Text),
    ("looks_like", Type::List),
    ("looks_like_score", Type::Real),
    ("looks_like_by", Type::List),
];

/// Values that are told of a flow.
const MOST_TOLD: usize = 8;

/// The answer for a flow in a word, the known devices that it names, the score of the first, and the values that speak
/// most for it. Nothing at all where the flow shows nothing to go by.
pub(super) fn cells(matcher: &Matcher<'_>, flow: &Flow<Heard>) -> [Cell; 4] {
    let traits = Traits::of(flow);
    if traits.is_empty() {
        return [Cell::Absent, Cell::Absent, Cell::Absent, Cell::Absent];
    }
    let Likeness { answer, candidates } = matcher.identify(&traits);
    let names: Vec<String> = answer.names().into_iter().map(str::to_owned).collect();
    let best = candidates.first().filter(|_| answer != Answer::Unknown);
    [
        Cell::from(answer.word()),
        Cell::from(names),
        Cell::from(best.map(|best| best.score)),
        Cell::from(best.map(told).unwrap_or_default()),
    ]
}

/// The values that speak most for a known device, such as `tls.server_name cloud.example`.
fn told(best: &Candidate) -> Vec<String> {
    let told = best.telling().take(MOST_TOLD);
    told.map(|evidence| format!("{} {}", evidence.attribute.name(), evidence.value)).collect()
}
