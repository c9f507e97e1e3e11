use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thingprint_instance::{Kind, Label};

use crate::error::{FileFault, ModelError};
use crate::sequence::{self, Named};

/// Most classes that a model can tell apart.
pub const MAX_CLASSES: usize = 4_096;

/// Probabilities closer than this are a tie, which goes to the lowest class name in byte order.
pub(crate) const TIE: f64 = 1e-12;

/// A class that a model knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Its name.
    pub name: Arc<str>,
    /// Whether its devices are specific-purpose ones.
    pub kind: Kind,
    /// Training instances of it.
    pub instances: u64,
}

/// The classes of a model, ordered by name in byte order; a class number is an index into them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Classes(#[serde(deserialize_with = "sequence::ascending::<_, _, MAX_CLASSES>")] Vec<Class>);

impl Classes {
    /// The classes of these labels, and how often each occurs.
    pub fn of<'a>(labels: impl IntoIterator<Item = &'a Label>) -> Result<Self, ModelError> {
        let mut found: BTreeMap<&str, (Kind, u64)> = BTreeMap::new();
        for label in labels {
            let (kind, instances) = found.entry(&label.class).or_insert((label.kind, 0));
            if *kind != label.kind {
                return Err(ModelError::KindConflict { class: label.class.clone() });
            }
            *instances += 1;
        }
        let class = |(name, (kind, instances)): (&str, _)| Class { name: name.into(), kind, instances };
        Ok(Self(found.into_iter().map(class).collect()))
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no class at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The classes in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Class> {
        self.0.iter()
    }

    /// Number of the class of this name.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.0.binary_search_by(|class| class.name.as_bytes().cmp(name.as_bytes())).ok()
    }

    /// Name of the class with this number; empty for a number that no class has.
    pub fn name(&self, number: usize) -> Arc<str> {
        self.0.get(number).map_or_else(|| Arc::from(""), |class| Arc::clone(&class.name))
    }

    /// Training instances of all classes together.
    pub fn instances(&self) -> u64 {
        self.0.iter().map(|class| class.instances).fold(0, u64::saturating_add)
    }

    /// Refuses what no training makes: no choice between classes, too many, or names out of order.
    pub(crate) fn check_loaded(&self) -> Result<(), FileFault> {
        if !(2..=MAX_CLASSES).contains(&self.len()) {
            return Err(FileFault::Inconsistent("its number of classes is out of range"));
        }
        if !self.0.is_sorted_by(|a, b| a.name.as_bytes() < b.name.as_bytes()) {
            return Err(FileFault::Inconsistent("its classes are out of order"));
        }
        Ok(())
    }
}

impl Named for Class {
    fn name(&self) -> &str {
        &self.name
    }
}

impl<'a> IntoIterator for &'a Classes {
    type Item = &'a Class;
    type IntoIter = std::slice::Iter<'a, Class>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Number of the class with the highest probability; of classes within [`TIE`] of it, the first, which is the one
/// with the lowest name.
pub(crate) fn most_likely(distribution: &[f64]) -> usize {
    let highest = distribution.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    distribution.iter().position(|&probability| probability >= highest - TIE).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(class: &str, kind: Kind) -> Label {
        Label::new(class, kind)
    }

    #[test]
    fn classes_stand_in_byte_order_with_their_counts() {
        let labels =
            [label("b", Kind::Iot), label("a", Kind::Iot), label("Z", Kind::NonIot), label("b", Kind::Iot)];
        let classes = Classes::of(&labels).unwrap();
        assert_eq!(classes.iter().map(|class| &*class.name).collect::<Vec<_>>(), ["Z", "a", "b"]);
        assert_eq!(classes.iter().map(|class| class.instances).collect::<Vec<_>>(), [1, 1, 2]);
        assert_eq!(classes.number("b"), Some(2));
        assert_eq!(classes.number("c"), None);
        assert_eq!(classes.instances(), 4);
    }

    #[test]
    fn a_class_has_one_kind() {
        let labels = [label("a", Kind::Iot), label("a", Kind::NonIot)];
        let error = Classes::of(&labels).unwrap_err().to_string();
        assert_eq!(
            error,
            "class 'a' is iot on some instances and non-iot on others: give it one kind in the label file"
        );
    }

    fn check_most_likely(distribution: &[f64], expected: usize) {
        assert_eq!(most_likely(distribution), expected, "{distribution:?}");
    }

    #[test]
    fn ties_go_to_the_lowest_name() {
        check_most_likely(&[0.2, 0.4, 0.4], 1);
        check_most_likely(&[0.2, 0.4 - 1e-13, 0.4], 1);
        check_most_likely(&[0.2, 0.4 - 1e-11, 0.4], 2);
        check_most_likely(&[], 0);
    }
}
