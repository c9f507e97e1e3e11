use crate::knowledge::{Pattern, PatternKind};
use crate::{Certainty, Claim, Field, Knowledge, Statement};

/// What follows from the statements of a device, by the tables of the knowledge.
pub(crate) struct Claims<'k> {
    knowledge: &'k Knowledge,
    claims: Vec<Claim>,
}

impl<'k> Claims<'k> {
    /// No claim yet.
    pub(crate) const fn new(knowledge: &'k Knowledge) -> Self {
        Self { knowledge, claims: Vec::new() }
    }

    /// The tables.
    pub(crate) const fn knowledge(&self) -> &'k Knowledge {
        self.knowledge
    }

    /// The claims.
    pub(crate) fn into_claims(self) -> Vec<Claim> {
        self.claims
    }

    /// The device says so itself.
    pub(crate) fn declared(&mut self, field: Field, value: &str, statement: &Statement) {
        self.add((field, value), Certainty::Declared, statement, None);
    }

    /// It follows from what others may have as well.
    pub(crate) fn likely(&mut self, field: Field, value: &str, statement: &Statement) {
        self.add((field, value), Certainty::Likely, statement, None);
    }

    /// What the longest pattern says that fits a text, at most as certain as given; whether there is one.
    pub(crate) fn by_pattern(
        &mut self,
        (kind, text): (PatternKind, &str),
        most: Certainty,
        statement: &Statement,
    ) -> bool {
        let Some(pattern) = self.knowledge.pattern(kind, text) else { return false };
        self.of_pattern(&pattern, most, statement);
        true
    }

    /// What a code of a scheme says of the type.
    pub(crate) fn by_type_code(&mut self, scheme: &str, code: &str, most: Certainty, statement: &Statement) {
        if let Some(row) = self.knowledge.type_code(scheme, code) {
            self.add((Field::Type, &row.device_type), most, statement, row.import.as_deref());
        }
    }

    /// Adds a claim; an empty value claims nothing. A vendor is named as the tables name it, and what is known of a model
    /// is added.
    pub(crate) fn add(
        &mut self,
        (field, value): (Field, &str),
        certainty: Certainty,
        statement: &Statement,
        import: Option<&str>,
    ) {
        let value = value.trim();
        if value.is_empty() || is_placeholder(value) {
            return;
        }
        match field {
            Field::Vendor => {
                let value = self.knowledge.vendor_name(value);
                self.push((field, value), certainty, statement, import);
            }
            Field::Model => self.add_model(value, certainty, statement, import),
            // Bytes that are no text name nothing.
            Field::Name if value.contains("\\x") => {}
            _ => self.push((field, value.to_owned()), certainty, statement, import),
        }
    }

    fn add_model(&mut self, value: &str, certainty: Certainty, statement: &Statement, import: Option<&str>) {
        let Some(pattern) = self.knowledge.pattern(PatternKind::Model, value) else {
            return self.push((Field::Model, value.to_owned()), certainty, statement, import);
        };
        if pattern.model.is_empty() {
            self.push((Field::Model, value.to_owned()), certainty, statement, import);
        }
        self.of_pattern(&pattern, certainty, statement);
    }

    fn of_pattern(&mut self, pattern: &Pattern, most: Certainty, statement: &Statement) {
        let certainty = pattern.certainty.min(most);
        let import = pattern.import.as_deref();
        let of_fields = [
            (Field::Vendor, &pattern.vendor),
            (Field::Model, &pattern.model),
            (Field::Type, &pattern.device_type),
            (Field::Os, &pattern.os),
        ];
        for (field, value) in of_fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            self.push((field, value.to_string()), certainty, statement, import);
        }
    }

    fn push(
        &mut self,
        (field, value): (Field, String),
        certainty: Certainty,
        statement: &Statement,
        import: Option<&str>,
    ) {
        let import = import.map(Into::into);
        self.claims.push(Claim { field, value, certainty, statement: statement.clone(), import });
    }
}

/// What firmware writes where nobody filled a field in.
fn is_placeholder(value: &str) -> bool {
    const PLACEHOLDERS: [&str; 8] = ["unknown", "none", "null", "n/a", "default", "undefined", "(null)", "-"];
    PLACEHOLDERS.iter().any(|placeholder| value.eq_ignore_ascii_case(placeholder))
}
