//! Families of classes: those that labels gave, such as vendors, and those that training could not keep apart.
mod clouds;
mod learned;
mod names;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use thingprint_instance::Label;

pub(crate) use learned::Families;
pub use names::FamilyByNames;

use crate::classes::Classes;
use crate::error::{FileFault, ModelError};
use crate::model::Model;
use crate::prediction::reaches;

/// Most classes that the name of a learned family names.
const MOST_NAMED: usize = 8;

/// A family of classes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Family {
    /// The name that labels gave; else the names of its classes with ` or ` between.
    pub name: Arc<str>,
    /// Its classes, in the order of the model.
    pub classes: Vec<Arc<str>>,
    /// Whether labels gave it; else training could not keep its classes apart.
    pub is_given: bool,
}

/// The family of an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FamilyAnswer {
    /// The family of the most likely class.
    pub family: Arc<str>,
    /// Probability of all its classes together.
    pub confidence: f64,
}

impl FamilyAnswer {
    /// The family, when its confidence reaches the threshold.
    pub fn accept(&self, threshold: f64) -> Option<&Arc<str>> {
        reaches(self.confidence, threshold).then_some(&self.family)
    }
}

/// The family that labels gave each class.
pub(crate) type GivenFamilies = Vec<Option<Arc<str>>>;

/// The families that labels give the classes. Fails where labels of a class disagree; those without one say nothing.
pub(crate) fn given_families<'a>(
    classes: &Classes,
    labels: impl IntoIterator<Item = &'a Label>,
) -> Result<GivenFamilies, ModelError> {
    let mut given: GivenFamilies = vec![None; classes.len()];
    for label in labels {
        let (Some(number), Some(family)) = (classes.number(&label.class), &label.family) else { continue };
        let Some(known) = given.get_mut(number) else { continue };
        match known {
            None => *known = Some(Arc::from(family.as_str())),
            Some(known) if **known == **family => {}
            Some(known) => {
                let families = [known.to_string(), family.clone()];
                return Err(ModelError::FamilyConflict { class: label.class.clone(), families });
            }
        }
    }
    Ok(given)
}

/// Refuses loaded families of other classes.
pub(crate) fn check_given(given: &GivenFamilies, classes: &Classes) -> Result<(), FileFault> {
    if given.is_empty() || given.len() == classes.len() {
        Ok(())
    } else {
        Err(FileFault::Inconsistent("its given families do not fit its classes"))
    }
}

impl Model {
    /// The families of classes: those that labels gave, in the order of names, then those of several classes that training
    /// could not keep apart, each of which got 5 % and more of what models said of windows of another that they had not seen.
    pub fn families(&self) -> Vec<Family> {
        let names = |classes: &[usize]| classes.iter().map(|&class| self.classes.name(class)).collect();
        let given = self.given_members().into_iter();
        let given = given.map(|(name, classes)| Family { name, classes: names(&classes), is_given: true });
        let learned = self.learned_families().into_iter().map(|classes| Family {
            name: self.learned_name(&classes),
            classes: names(&classes),
            is_given: false,
        });
        given.chain(learned).collect()
    }

    /// The family of the most likely class of a distribution over the model's classes, with its probability; `None` where
    /// that class has no family. A family that labels gave is preferred.
    pub fn family_of(&self, distribution: &[f64], class: &str) -> Option<FamilyAnswer> {
        let class = self.classes.number(class)?;
        let (family, classes) = self.given_around(class).or_else(|| self.learned_around(class))?;
        let probability = |class: &usize| distribution.get(*class).copied().unwrap_or(0.0);
        Some(FamilyAnswer { family, confidence: classes.iter().map(probability).sum() })
    }

    /// Whether a class is the true one, or of the family that labels give the true one; `None` where they gave none at all.
    pub(crate) fn is_in_family(&self, class: &str, truth: &Label) -> Option<bool> {
        let family = |class: &str| self.given_family(self.classes.number(class)?).map(|family| &**family);
        let of_truth = truth.family.as_deref().or_else(|| family(&truth.class));
        let is_same = class == truth.class || of_truth.is_some() && family(class) == of_truth;
        self.given.iter().any(Option::is_some).then_some(is_same)
    }

    fn given_around(&self, class: usize) -> Option<(Arc<str>, Vec<usize>)> {
        let family = self.given_family(class)?;
        let is_of_it = |other: &usize| self.given_family(*other) == Some(family);
        Some((Arc::clone(family), (0..self.given.len()).filter(is_of_it).collect()))
    }

    fn learned_around(&self, class: usize) -> Option<(Arc<str>, Vec<usize>)> {
        let classes = self.joint.as_ref()?.families.around(class);
        (classes.len() > 1).then(|| (self.learned_name(&classes), classes))
    }

    /// The family that labels gave a class.
    fn given_family(&self, class: usize) -> Option<&Arc<str>> {
        self.given.get(class)?.as_ref()
    }

    /// The classes of each given family.
    fn given_members(&self) -> BTreeMap<Arc<str>, Vec<usize>> {
        let mut members: BTreeMap<Arc<str>, Vec<usize>> = BTreeMap::new();
        for (class, family) in self.given.iter().enumerate() {
            if let Some(family) = family {
                members.entry(Arc::clone(family)).or_default().push(class);
            }
        }
        members
    }

    fn learned_families(&self) -> Vec<Vec<usize>> {
        self.joint.as_ref().map(|parts| parts.families.several()).unwrap_or_default()
    }

    fn learned_name(&self, classes: &[usize]) -> Arc<str> {
        let named = classes.iter().take(MOST_NAMED).map(|&class| self.classes.name(class).to_string());
        let rest = classes.len().saturating_sub(MOST_NAMED);
        let rest = (rest > 0).then(|| format!("{rest} more"));
        named.chain(rest).collect::<Vec<_>>().join(" or ").into()
    }
}
