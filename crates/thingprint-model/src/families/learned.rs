use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::blocks::Blocks;
use crate::classes::MAX_CLASSES;
use crate::error::FileFault;
use crate::sequence;

/// Mass that two classes give each other out of fold when they belong together.
const MUTUAL_MASS: f64 = 0.05;

/// Classes that a training cannot keep apart: for each class the first class of its family, which may be itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Families(#[serde(deserialize_with = "sequence::at_most::<_, _, MAX_CLASSES>")] Vec<u16>);

impl Families {
    /// Joins classes by what models that did not see a window say of it.
    pub(crate) fn of(said: &[Vec<f64>], blocks: &Blocks) -> Self {
        let masses: Vec<Vec<f64>> = blocks.by_class.iter().map(|rows| mean(said, rows)).collect();
        let mass = |truth: usize, answer: usize| masses[truth].get(answer).copied().unwrap_or(0.0);
        let mut heads: Vec<usize> = (0..masses.len()).collect();
        for class in 0..masses.len() {
            for other in class + 1..masses.len() {
                if mass(class, other).min(mass(other, class)) >= MUTUAL_MASS {
                    join(&mut heads, class, other);
                }
            }
        }
        Self(heads.into_iter().map(|head| u16::try_from(head).unwrap_or(u16::MAX)).collect())
    }

    /// The learned families of several classes, in the order of their first classes.
    pub(crate) fn several(&self) -> Vec<Vec<usize>> {
        let mut members: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        for (class, head) in self.0.iter().enumerate() {
            members.entry(*head).or_default().push(class);
        }
        members.into_values().filter(|family| family.len() > 1).collect()
    }

    /// The classes of the family of a class, itself included; none for an unknown class.
    pub(crate) fn around(&self, class: usize) -> Vec<usize> {
        let head = self.0.get(class);
        let is_member = |other: &(usize, &u16)| Some(other.1) == head;
        self.0.iter().enumerate().filter(is_member).map(|(class, _)| class).collect()
    }

    /// Refuses loaded families that are none.
    pub(crate) fn check_loaded(&self, classes: usize) -> Result<(), FileFault> {
        let is_head = |head: &u16| self.0.get(usize::from(*head)) == Some(head);
        if self.0.len() == classes && self.0.iter().all(is_head) {
            Ok(())
        } else {
            Err(FileFault::Inconsistent("its families do not fit its classes"))
        }
    }
}

/// The mean of what is said of these rows; empty without rows.
fn mean(said: &[Vec<f64>], rows: &[usize]) -> Vec<f64> {
    let mut mean = vec![0.0; rows.first().map_or(0, |&row| said[row].len())];
    for &row in rows {
        for (sum, probability) in mean.iter_mut().zip(&said[row]) {
            *sum += probability / rows.len() as f64;
        }
    }
    mean
}

/// Makes one family of those of two classes.
fn join(heads: &mut [usize], class: usize, other: usize) {
    let (first, second) = (heads[class].min(heads[other]), heads[class].max(heads[other]));
    heads.iter_mut().filter(|head| **head == second).for_each(|head| *head = first);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window of each class, of which this is said.
    fn check(said: &[&[f64]], expected: &[&[usize]]) {
        let by_class = (0..said.len()).map(|class| vec![class]).collect();
        let blocks = Blocks { by_class, block_of: vec![0; said.len()] };
        let said: Vec<Vec<f64>> = said.iter().map(|said| said.to_vec()).collect();
        assert_eq!(Families::of(&said, &blocks).several(), expected);
    }

    #[test]
    fn classes_that_are_taken_for_each_other_are_a_family() {
        check(&[&[0.9, 0.1, 0.0], &[0.05, 0.95, 0.0], &[0.0, 0.0, 1.0]], &[&[0, 1]]);
        check(&[&[0.9, 0.1, 0.0], &[0.04, 0.96, 0.0], &[0.0, 0.0, 1.0]], &[]);
        check(&[&[0.5, 0.0, 0.5], &[0.0, 0.8, 0.2], &[0.1, 0.1, 0.8]], &[&[0, 1, 2]]);
    }
}
