use std::collections::{BTreeMap, VecDeque};

use thingprint_flow::Timestamp;
use thingprint_instance::Instance;
use thingprint_model::{DeviceVerdict, Prediction};

use crate::judge::Judge;
use crate::records::{Standing, StandingChange, WindowRecord};

/// Windows that a verdict stands on: a day of hours, so that what a device does at night counts as well.
pub(crate) const WINDOWS: usize = 24;
/// Windows that have to agree before another verdict takes the place of the one that stands: two false alarms in a row are
/// rare, and a device that was exchanged is noticed in three hours.
pub(crate) const AGREEING: usize = 3;

/// The verdict on a device that stands, with the windows behind it.
///
/// It is that of `classify` by device over the last 24 final windows: the mean of their distributions, and the median of
/// their likenesses. The first one stands at once. Another class takes its place where the last three windows, judged
/// alone by the same rule, are that class; only these three count from then on. It is unknown where neither the last 24
/// windows nor the last three are accepted. So a single odd window changes nothing, and a device that was exchanged for
/// another is noticed after three.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StandingVerdict {
    recent: VecDeque<Prediction>,
    standing: Option<Standing>,
}

impl StandingVerdict {
    /// Goes on from an earlier reading; the latest window last.
    pub(crate) fn resumed(windows: &[WindowRecord], standing: Option<Standing>) -> Self {
        let skipped = windows.len().saturating_sub(WINDOWS);
        Self { recent: windows.iter().skip(skipped).filter_map(prediction).collect(), standing }
    }

    /// Keeps the answers over so many classes: those of another model count no more.
    pub(crate) fn keep_answers_of(&mut self, classes: usize) {
        self.recent.retain(|prediction| prediction.distribution.len() == classes);
    }

    /// Answers so far count no more, since another model judges; the verdict stands until its windows speak against it.
    pub(crate) fn forget_answers(&mut self) {
        self.recent.clear();
    }

    /// The verdict that stands.
    pub(crate) const fn standing(&self) -> Option<&Standing> {
        self.standing.as_ref()
    }

    /// Takes in a final window, and gives the change where another verdict stands now.
    pub(crate) fn push(
        &mut self,
        judge: &Judge,
        window: &Instance,
        prediction: Prediction,
    ) -> Option<StandingChange> {
        self.recent.push_back(prediction);
        if self.recent.len() > WINDOWS {
            self.recent.pop_front();
        }
        let all = judge.device(&self.recent)?;
        let Some(before) = self.standing.take() else {
            return Some(self.stand(judge, (window, &all), None));
        };
        let last = judge.device(self.last())?;
        let (by_all, by_last) = (judge.accepted(&all), judge.accepted(&last));
        let has_enough = self.recent.len() >= AGREEING;
        let verdict = match (&before.class, by_all, by_last) {
            // Neither accepts any class.
            (Some(_), None, None) if has_enough => all,
            // The last windows are another class.
            (standing, _, Some(class)) if has_enough && standing.as_ref() != Some(&class) => {
                self.recent.drain(..self.recent.len() - AGREEING);
                last
            }
            (None, Some(_), _) => all,
            _ => {
                self.standing = Some(keep(judge, before, (window, &all)));
                return None;
            }
        };
        Some(self.stand(judge, (window, &verdict), before.class))
    }

    /// The windows that have to agree.
    fn last(&self) -> impl Iterator<Item = &Prediction> {
        self.recent.iter().skip(self.recent.len().saturating_sub(AGREEING))
    }

    fn stand(
        &mut self,
        judge: &Judge,
        (window, verdict): (&Instance, &DeviceVerdict),
        from: Option<String>,
    ) -> StandingChange {
        let standing = judge.standing(verdict, window);
        let change = StandingChange {
            device: window.device,
            at: end_of(window),
            from,
            to: standing.class.clone(),
            confidence: standing.confidence,
        };
        self.standing = Some(Standing { since: change.at, ..standing });
        change
    }
}

/// The verdict goes on to stand, with the numbers of now.
fn keep(judge: &Judge, before: Standing, (window, verdict): (&Instance, &DeviceVerdict)) -> Standing {
    let now = judge.standing(verdict, window);
    if now.class == before.class {
        return Standing { since: before.since, ..now };
    }
    Standing { confidence: now.confidence, likeness: now.likeness, windows: now.windows, ..before }
}

/// When a window ended.
pub(crate) fn end_of(window: &Instance) -> Timestamp {
    window.window_start.plus_nanos(nanos(window.window_s))
}

/// Seconds of a window in nanoseconds.
#[expect(clippy::cast_possible_truncation, reason = "windows are shorter than 292 years")]
pub(crate) fn nanos(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}

/// The answer of a window that was stored.
fn prediction(window: &WindowRecord) -> Option<Prediction> {
    let answer = window.answer.as_ref()?;
    Some(Prediction {
        device: window.device,
        window_start: window.window_start,
        stage0: BTreeMap::new(),
        distribution: answer.distribution.clone(),
        class: answer.best_guess.as_str().into(),
        confidence: answer.confidence,
        likeness: answer.likeness,
    })
}
