use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use thingprint_instance::Instance;
use thingprint_model::{Acceptance, DeviceVerdict, Model, Prediction, Test};

use crate::records::{Standing, WindowAnswer};

/// Judges windows and devices by a model.
#[derive(Debug)]
pub(crate) struct Judge {
    model: Arc<Model>,
    acceptance: Acceptance,
}

impl Judge {
    pub(crate) const fn new(model: Arc<Model>, acceptance: Acceptance) -> Self {
        Self { model, acceptance }
    }

    /// Identifies the model, to see whether answers that were stored are its own.
    pub(crate) fn id(&self) -> u64 {
        let mut bytes = Vec::new();
        let mut hasher = DefaultHasher::new();
        // A model that cannot be written is like no other.
        if self.model.write_to(&mut bytes).is_ok() {
            bytes.hash(&mut hasher);
        }
        hasher.finish()
    }

    /// What the model says of a final window.
    pub(crate) fn window(&self, instance: &Instance) -> (WindowAnswer, Prediction) {
        let prediction = self.model.predict(instance);
        let doubt = self.model.doubt(instance, &prediction, &self.acceptance);
        let reason = doubt.map(|doubt| doubt.to_string());
        (answer(&prediction, reason), prediction)
    }

    /// Whether the class of a final window is accepted.
    pub(crate) fn accepts(&self, prediction: &Prediction) -> bool {
        self.model.failed_tests(prediction, &self.acceptance).is_empty()
    }

    /// What the model says of a window so far. Its likeness is not asked: a window that has just begun lacks much of what its
    /// class has. What it has so far must be familiar of the class.
    pub(crate) fn window_so_far(&self, instance: &Instance) -> WindowAnswer {
        let prediction = self.model.predict(instance);
        let doubt = self.model.doubt_so_far(instance, &prediction, &self.acceptance);
        answer(&prediction, doubt.map(|doubt| doubt.to_string()))
    }

    /// What the model says of a device over these windows; `None` without any.
    pub(crate) fn device<'a>(
        &self,
        windows: impl IntoIterator<Item = &'a Prediction>,
    ) -> Option<DeviceVerdict> {
        self.model.device_verdicts(windows).pop()
    }

    /// The class of a verdict on a device, where it is accepted.
    pub(crate) fn accepted(&self, verdict: &DeviceVerdict) -> Option<String> {
        let failed = self.model.failed_device_tests(verdict, &self.acceptance);
        failed.is_empty().then(|| verdict.class.to_string())
    }

    /// A verdict on a device as the one that stands; words that training never saw are those of `last`, its last window.
    pub(crate) fn standing(&self, verdict: &DeviceVerdict, last: &Instance) -> Standing {
        let doubt = self.model.device_doubt(&[last], verdict, &self.acceptance);
        let is_unlike = doubt.as_ref().is_some_and(|doubt| doubt.failed.contains(&Test::Likeness));
        let family = self.model.family_of(&verdict.distribution, &verdict.class).filter(|_| !is_unlike);
        let accepted = family.as_ref().and_then(|family| family.accept(self.acceptance.confidence));
        Standing {
            class: doubt.is_none().then(|| verdict.class.to_string()),
            best_guess: verdict.class.to_string(),
            confidence: verdict.confidence,
            likeness: verdict.likeness,
            reason: doubt.map(|doubt| doubt.to_string()),
            family: accepted.map(ToString::to_string),
            windows: verdict.windows,
            since: last.window_start,
        }
    }
}

fn answer(prediction: &Prediction, reason: Option<String>) -> WindowAnswer {
    WindowAnswer {
        class: reason.is_none().then(|| prediction.class.to_string()),
        best_guess: prediction.class.to_string(),
        confidence: prediction.confidence,
        likeness: prediction.likeness,
        reason,
        distribution: prediction.distribution.clone(),
    }
}
