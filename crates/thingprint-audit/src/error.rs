use crate::Rule;

/// A policy that cannot be used; worded to follow "failed to read".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is no TOML, or has a field that is unknown or of the wrong kind.
    #[error("{file}: {message}")]
    Toml {
        /// The file, as whoever read it calls it.
        file: String,
        /// What the TOML reader says, with line and column.
        message: String,
    },
    /// Fields that every policy has.
    #[error("{file}: missing: {}; docs/policies.md explains the form", fields.join(", "))]
    Missing {
        /// The file.
        file: String,
        /// All that are missing, like `date` and `rules.TLS-001.otherwise`.
        fields: Vec<String>,
    },
    /// A policy by which nothing would be found.
    #[error("{file}: no rule is on")]
    Empty {
        /// The file.
        file: String,
    },
    /// A rule that does not exist.
    #[error("{file}: there is no rule '{rule}': there are {}", rule_ids())]
    UnknownRule {
        /// The file.
        file: String,
        /// The name that no rule has.
        rule: String,
    },
    /// A suppression that nobody could explain or that never ends.
    #[error("{file}: suppression of {rule}: {problem}")]
    Suppression {
        /// The file.
        file: String,
        /// The rule.
        rule: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A value that the rule never sees, or that stands in two lists.
    #[error("{file}: rule {rule}: '{value}' {problem}")]
    Value {
        /// The file.
        file: String,
        /// The rule.
        rule: String,
        /// The value as written.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
}

fn rule_ids() -> String {
    let ids: Vec<&str> = Rule::all().iter().map(|rule| rule.id).collect();
    ids.join(", ")
}
