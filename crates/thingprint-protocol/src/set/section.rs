use super::model_state::Role;
use crate::matcher::{Automaton, Beginning, CompiledCondition, Tallies, View};
use crate::schema::{Matcher, Model, Section};
use crate::{Expression, Fault, ModelError, Sender, Span, SyntaxError};

/// How to detect a protocol in one direction, compiled.
#[derive(Clone, Debug)]
pub(super) struct CompiledSection {
    tests: Vec<Test>,
    eval: Expression<usize>,
}

#[derive(Clone, Debug)]
enum Test {
    Content(Box<Automaton>),
    Statistical(CompiledCondition),
}

/// A direction has at most this many matchers: one bit each in [`Found`].
const MOST_MATCHERS: usize = 32;

/// Which matchers of contents found something in a payload, one bit each.
pub(crate) type Found = u32;

/// What is at hand of one side of a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload<'a> {
    pub(crate) sender: Sender,
    /// A payload, or the first bytes of a stream.
    pub(crate) bytes: &'a [u8],
    /// Whether nothing more of it is to come.
    pub(crate) is_whole: bool,
}

impl CompiledSection {
    /// Compiles a section; conditions are added to `conditions`.
    pub(super) fn compile(
        model: &Model,
        role: Role,
        section: &Section,
        conditions: &mut Vec<CompiledCondition>,
    ) -> Result<Self, ModelError> {
        let path = format!("contents.{}", role.name());
        let mut tests = Vec::with_capacity(section.matchers.len());
        for (index, matcher) in section.matchers.iter().enumerate() {
            let path = format!("{path}.matchers[{index}]");
            check_id(section, index).map_err(|fault| model.error(format!("{path}.id"), fault))?;
            let test = Test::compile(matcher, conditions);
            tests.push(test.map_err(|fault| model.error(format!("{path}.pattern"), fault))?);
        }
        if tests.is_empty() {
            let fault = Fault::Meaning("a direction needs at least one matcher".to_owned());
            return Err(model.error(format!("{path}.matchers"), fault));
        }
        if tests.len() > MOST_MATCHERS {
            let fault = Fault::Meaning(format!("a direction has at most {MOST_MATCHERS} matchers"));
            return Err(model.error(format!("{path}.matchers"), fault));
        }
        let eval = eval(section).map_err(|fault| model.error(format!("{path}.eval"), fault))?;
        Ok(Self { tests, eval })
    }

    /// Whether the direction holds, as far as that is known yet; conditions on the packets of the flow are unknown.
    pub(super) fn holds(&self, payload: &Payload<'_>) -> Option<bool> {
        self.eval.value(&mut |&index| match self.tests.get(index)? {
            Test::Content(automaton) => automaton.finds(payload.bytes, payload.is_whole),
            Test::Statistical(_) => None,
        })
    }

    /// Whether it depends on conditions on the packets of the flow.
    pub(super) fn has_conditions(&self) -> bool {
        self.tests.iter().any(|test| matches!(test, Test::Statistical(_)))
    }

    /// Which matchers a payload satisfies; `None` while the rest of it may satisfy more.
    pub(super) fn found(&self, payload: &Payload<'_>) -> Option<Found> {
        let mut found = 0;
        for (index, test) in self.tests.iter().enumerate() {
            if let Test::Content(automaton) = test
                && automaton.finds(payload.bytes, payload.is_whole)?
            {
                found |= 1 << index;
            }
        }
        Some(found)
    }

    /// Whether the direction holds, given which matchers a payload satisfied.
    pub(super) fn settles(&self, found: Found, tallies: &Tallies, view: View) -> Option<bool> {
        self.eval.value(&mut |&index| match self.tests.get(index)? {
            Test::Content(_) => Some(found >> index & 1 == 1),
            Test::Statistical(condition) => condition.holds(tallies, view),
        })
    }

    /// What a payload that counts may begin with.
    pub(super) fn beginning(&self) -> Beginning {
        self.beginning_of(&self.eval)
    }

    fn beginning_of(&self, eval: &Expression<usize>) -> Beginning {
        match eval {
            Expression::Is(index) => match self.tests.get(*index) {
                Some(Test::Content(automaton)) => automaton.beginning(),
                _ => Beginning::ANY,
            },
            Expression::Not(_) => Beginning::ANY,
            Expression::And(parts) => {
                parts.iter().fold(Beginning::ANY, |all, part| all.and(self.beginning_of(part)))
            }
            Expression::Or(parts) => {
                parts.iter().fold(Beginning::NONE, |all, part| all.or(self.beginning_of(part)))
            }
        }
    }
}

impl Test {
    fn compile(matcher: &Matcher, conditions: &mut Vec<CompiledCondition>) -> Result<Self, Fault> {
        let content = |automaton| Self::Content(Box::new(automaton));
        match matcher {
            Matcher::String { pattern, .. } => {
                Automaton::of_text(pattern).map(content).map_err(|error| error.of(pattern))
            }
            Matcher::Byte { pattern, .. } => {
                Automaton::of_bytes(pattern).map(content).map_err(|error| error.of(pattern))
            }
            Matcher::Statistical { pattern, .. } => {
                let condition = CompiledCondition::new(pattern, conditions.len()).map_err(Fault::Meaning)?;
                conditions.push(condition.clone());
                Ok(Self::Statistical(condition))
            }
        }
    }
}

/// An id has to be a word of an expression, and one matcher's alone.
fn check_id(section: &Section, index: usize) -> Result<(), Fault> {
    let Some(id) = section.matchers.get(index).map(Matcher::id) else { return Ok(()) };
    match id.parse::<Expression>() {
        Ok(Expression::Is(word)) if word.text == id => {}
        _ => {
            return Err(Fault::Meaning(format!("invalid id {id:?}: use letters, digits, `-` and `_`")));
        }
    }
    let is_taken = section.matchers.iter().take(index).any(|other| other.id() == id);
    if is_taken { Err(Fault::Meaning(format!("another matcher has the id {id:?}"))) } else { Ok(()) }
}

fn eval(section: &Section) -> Result<Expression<usize>, Fault> {
    let Some(text) = &section.eval else {
        let mut all: Vec<_> = (0..section.matchers.len()).map(Expression::Is).collect();
        return Ok(if all.len() == 1 { all.remove(0) } else { Expression::And(all) });
    };
    let unknown = |span: Span, id: &str| SyntaxError::new(span, format!("unknown matcher {id:?}"));
    let parsed: Expression = text.parse().map_err(|error: SyntaxError| error.of(text))?;
    let mapped = parsed.try_map(&mut |word| {
        let index = section.matchers.iter().position(|matcher| matcher.id() == word.text);
        index.ok_or_else(|| unknown(word.span, &word.text))
    });
    mapped.map_err(|error| error.of(text))
}
