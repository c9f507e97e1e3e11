use std::collections::{BTreeMap, VecDeque};

use thingprint_flow::Timestamp;
use thingprint_instance::Instance;
use thingprint_model::{DeviceVerdict, Prediction};

use crate::judge::Judge;
use crate::records::{Standing, StandingChange, WindowRecord};

/// Windows that a verdict stands on: a day of hours, so that what a device does at night counts as well.
pub(crate) const WINDOWS: usize = 24;
/// Windows that have to agree before another verdict takes the place of the one that stands: a device that was exchanged is
/// noticed in three hours.
pub(crate) const AGREEING: usize = 3;
/// Windows that together have to be of no class before a device is unknown. False alarms of single windows come in rows,
/// since what makes one odd goes on for a while.
pub(crate) const DOUBTING: usize = 6;

/// The verdict on a device that stands, with the windows behind it.
///
/// It is that of `classify` by device over the last 24 final windows: the mean of their distributions, and the median of
/// their likenesses. The first one stands at once. Another class takes its place where the last three windows, judged
/// together, are that class; only these three count from then on. The device is unknown where none of the last three
/// windows is accepted by itself, nor the last six together. So a single odd window changes nothing, and a device that was
/// exchanged for another is noticed after three.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StandingVerdict {
    recent: VecDeque<Prediction>,
    standing: Option<Standing>,
}

impl StandingVerdict {
    /// Goes on from an earlier reading; the latest window last. Of windows that were cut it is not known how much they lack.
    pub(crate) fn resumed(windows: &[WindowRecord], standing: Option<Standing>) -> Self {
        let mut recent: VecDeque<Prediction> =
            windows.iter().filter(|window| !window.is_cut).filter_map(prediction).collect();
        recent.drain(..recent.len().saturating_sub(WINDOWS));
        Self { recent, standing }
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
        let (by_all, by_last) = (judge.accepted(&all), self.accepted_of_last(judge, AGREEING));
        let verdict = match (&before.class, by_all, by_last) {
            // The last windows are another class.
            (standing, _, Some(class))
                if self.recent.len() >= AGREEING && standing.as_ref() != Some(&class) =>
            {
                self.keep_last(AGREEING);
                judge.device(&self.recent)?
            }
            (Some(_), _, None) if self.is_in_doubt(judge) => {
                self.keep_last(DOUBTING);
                judge.device(&self.recent)?
            }
            (None, Some(_), _) if !self.is_in_doubt(judge) => all,
            _ => {
                self.standing = Some(keep(judge, before, (window, &all)));
                return None;
            }
        };
        Some(self.stand(judge, (window, &verdict), before.class))
    }

    /// The class of the last windows, judged together.
    fn accepted_of_last(&self, judge: &Judge, windows: usize) -> Option<String> {
        judge.accepted(&judge.device(self.last(windows))?)
    }

    /// Whether none of the last windows is accepted, and no class is for more of them together.
    fn is_in_doubt(&self, judge: &Judge) -> bool {
        self.recent.len() >= AGREEING
            && self.last(AGREEING).all(|window| !judge.accepts(window))
            && self.accepted_of_last(judge, DOUBTING).is_none()
    }

    /// Windows before the last ones count no more.
    fn keep_last(&mut self, windows: usize) {
        self.recent.drain(..self.recent.len().saturating_sub(windows));
    }

    fn last(&self, windows: usize) -> impl Iterator<Item = &Prediction> {
        self.recent.iter().skip(self.recent.len().saturating_sub(windows))
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
    // Numbers of another class would say nothing about this one.
    Standing { windows: now.windows, ..before }
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::num::NonZeroUsize;
    use std::sync::Arc;

    use thingprint_instance::{InstanceOptions, Kind, Label, Labeled};
    use thingprint_model::{Acceptance, Model, TrainOptions};
    use thingprint_pipeline::{Event, InstanceStage, Pipeline, Simulated};
    use thingprint_sim::{Simulation, SimulationOptions, home};

    use super::*;

    /// Windows of the simulated home, and a model that knows its devices but those of addresses that end so.
    fn judged(hours: u64, left_out: &str) -> (Vec<Instance>, Judge) {
        let options = SimulationOptions { duration_s: hours * 3600, ..SimulationOptions::default() };
        let simulation = Simulation::new(&home().unwrap(), options).unwrap();
        let mut windows = Vec::new();
        let stage = InstanceStage::new(InstanceOptions::default());
        let run = Pipeline::default().run(&Simulated::from(simulation), &stage, |event| {
            if let Event::Rows(rows) = event {
                windows.extend(rows);
            }
            Ok::<_, Infallible>(())
        });
        let Ok(_) = run;
        let is_known = |window: &&Instance| left_out.is_empty() || !name(window).ends_with(left_out);
        let rows: Vec<Labeled> = windows
            .iter()
            .filter(is_known)
            .map(|window| Labeled {
                instance: window.clone(),
                label: Some(Label::new(name(window), Kind::Iot)),
            })
            .collect();
        let model = Model::fit(&rows, &TrainOptions::default(), NonZeroUsize::MIN).unwrap();
        (windows, Judge::new(Arc::new(model), Acceptance::default()))
    }

    fn name(window: &Instance) -> String {
        window.device.to_string()
    }

    fn of<'a>(windows: &'a [Instance], device: &'a str) -> impl Iterator<Item = &'a Instance> {
        windows.iter().filter(move |window| name(window) == device)
    }

    /// The changes that windows bring, by their places.
    fn push<'a>(
        verdict: &mut StandingVerdict,
        judge: &Judge,
        windows: impl Iterator<Item = &'a Instance>,
    ) -> Vec<(usize, Option<String>)> {
        let change = |(at, window): (usize, &Instance)| {
            // One address, whatever stands behind it.
            let window = Instance { device: PLUG.parse().unwrap(), ..window.clone() };
            let (_, prediction) = judge.window(&window);
            Some((at, verdict.push(judge, &window, prediction)?.to))
        };
        windows.enumerate().filter_map(change).collect()
    }

    const PLUG: &str = "30:c4:6a:10:7e:b3";
    const CAMERA: &str = "7c:51:0e:4a:02:9c";

    #[test]
    fn a_verdict_stands_at_once_and_an_odd_window_or_two_change_nothing() {
        let (windows, judge) = judged(16, "");
        let mut verdict = StandingVerdict::default();
        let first = push(&mut verdict, &judge, of(&windows, PLUG).take(8));
        assert_eq!(first, [(0, Some(PLUG.to_owned()))]);
        assert!(push(&mut verdict, &judge, of(&windows, CAMERA).take(2)).is_empty());
        assert!(push(&mut verdict, &judge, of(&windows, PLUG).skip(8)).is_empty());
        assert_eq!(verdict.standing().unwrap().class.as_deref(), Some(PLUG));
    }

    #[test]
    fn a_device_that_was_exchanged_is_another_class_after_three_windows() {
        let (windows, judge) = judged(16, "");
        let mut verdict = StandingVerdict::default();
        push(&mut verdict, &judge, of(&windows, PLUG));
        let changes = push(&mut verdict, &judge, of(&windows, CAMERA));
        assert_eq!(changes, [(2, Some(CAMERA.to_owned()))]);
        let standing = verdict.standing().unwrap();
        let third = of(&windows, CAMERA).nth(2).unwrap();
        assert_eq!(standing.since, end_of(third));
        assert_eq!(standing.windows, of(&windows, CAMERA).count() as u64, "those of before count no more");
    }

    #[test]
    fn a_stranger_is_unknown_and_says_why() {
        let (windows, judge) = judged(16, CAMERA);
        let mut verdict = StandingVerdict::default();
        let changes = push(&mut verdict, &judge, of(&windows, CAMERA));
        assert!(changes.iter().all(|(_, class)| class.is_none()), "{changes:?}");
        assert!(verdict.standing().unwrap().reason.is_some());
    }
}
