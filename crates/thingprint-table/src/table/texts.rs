use serde_json::Value;

use super::{Bag, Column, Json, Table, Values};
use crate::badge::Badge;
use crate::prose::Prose;

/// What stands in the place of a text, by the name of its column or of its key in a JSON document; `None` leaves it.
type Replace<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

impl Table {
    /// The table with other texts: in columns of texts, lists, bags, documents, and texts for people. Words of a bag that
    /// become equal are counted together; prose keeps its words and loses emphasis and links where one of them changes.
    #[must_use]
    pub fn with_texts(mut self, replace: &dyn Fn(&str, &str) -> Option<String>) -> Self {
        for column in &mut self.columns {
            column.replace_texts(replace);
        }
        self
    }
}

impl Column {
    fn replace_texts(&mut self, replace: Replace<'_>) {
        let name = self.name.as_str();
        match &mut self.values {
            Values::Text(values) => values.iter_mut().flatten().for_each(|text| put(text, name, replace)),
            Values::List(values) => {
                values.iter_mut().flatten().flatten().for_each(|text| put(text, name, replace));
            }
            Values::Bag(values) => {
                values.iter_mut().flatten().for_each(|bag| *bag = words(bag, name, replace));
            }
            Values::Json(values) => {
                values.iter_mut().flatten().for_each(|json| document(json, name, replace));
            }
            Values::Prose(values) => {
                for prose in values.iter_mut().flatten() {
                    if let Some(text) = replace(name, &prose.plain()) {
                        *prose = Prose::from(text);
                    }
                }
            }
            Values::Badges(values) => {
                for badge in values.iter_mut().flatten().flatten() {
                    if let Some(text) = replace(name, badge.text()) {
                        *badge = Badge::new(text, badge.tone());
                    }
                }
            }
            Values::Unsigned(_) | Values::Signed(_) | Values::Real(_) | Values::Flag(_) | Values::Time(_) => {
            }
        }
    }
}

fn put(text: &mut String, name: &str, replace: Replace<'_>) {
    if let Some(new) = replace(name, text) {
        *text = new;
    }
}

fn words(bag: &Bag, name: &str, replace: Replace<'_>) -> Bag {
    let mut words = Bag::new();
    for (word, count) in bag {
        let sum = words.entry(replace(name, word).unwrap_or_else(|| word.clone())).or_default();
        *sum = u64::saturating_add(*sum, *count);
    }
    words
}

/// A document that cannot be read as one, or written, could say anything: null takes its place.
fn document(json: &mut Json, name: &str, replace: Replace<'_>) {
    let mut value: Value = serde_json::from_str(json.as_str()).unwrap_or_default();
    replace_in(&mut value, name, replace);
    if let Ok(new) = Json::of(&value) {
        *json = new;
    }
}

/// Replaces the texts of a document, and its keys, by the key that they stand under.
pub(crate) fn replace_in(value: &mut Value, name: &str, replace: Replace<'_>) {
    match value {
        Value::String(text) => put(text, name, replace),
        Value::Array(values) => values.iter_mut().for_each(|value| replace_in(value, name, replace)),
        Value::Object(fields) => {
            let taken = std::mem::take(fields);
            for (mut key, mut value) in taken {
                replace_in(&mut value, &key, replace);
                put(&mut key, name, replace);
                fields.insert(key, value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::badge::Tone;
    use crate::table::{Cell, Type};

    #[test]
    fn texts_of_every_type_are_replaced_and_nothing_else() {
        let mut table = Table::new([
            ("text", Type::Text),
            ("list", Type::List),
            ("bag", Type::Bag),
            ("json", Type::Json),
            ("prose", Type::Prose),
            ("badges", Type::Badges),
            ("count", Type::Unsigned),
        ]);
        let bag: Bag = [("a", 1), ("b", 2), ("c", 4)].map(|(word, count)| (word.to_owned(), count)).into();
        let document = json!({"a": ["a", {"of": "b"}], "x": 7});
        table
            .push([
                Cell::from("a"),
                vec!["a".to_owned(), "c".to_owned()].into(),
                bag.into(),
                Json::of(&document).unwrap().into(),
                Prose::from("b").into(),
                vec![Badge::new("b", Tone::Good)].into(),
                7_u64.into(),
            ])
            .unwrap();
        table.push(std::iter::repeat_n(Cell::Absent, 7)).unwrap();
        let table = table.with_texts(&|name, text| {
            ["a", "b"].contains(&text).then(|| if name == "of" { "inner" } else { "new" }.to_owned())
        });
        let row: Vec<String> = (0..7).map(|column| table.text(column, 0)).collect();
        assert_eq!(row[0..2], ["new", "new, c"]);
        assert!(row[2].contains('c') && row[2].contains("new") && !row[2].contains('a'), "{}", row[2]);
        assert_eq!(
            serde_json::from_str::<Value>(&row[3]).unwrap(),
            json!({"new": ["new", {"of": "inner"}], "x": 7})
        );
        assert_eq!(row[4..], ["new", "new", "7"]);
        assert_eq!(table.text(0, 1), "-");
    }
}
