use std::num::NonZeroUsize;

use serde::Serialize;
use thingprint_instance::{Instance, Label, Labeled};

use super::{Joint, Known, Lexicon, Window};
use crate::blocks::{BLOCKS, Blocks};
use crate::classes::most_likely;
use crate::model::Model;
use crate::parallel;
use crate::training::narrow;

/// Most windows of a class and block that are asked about: more would only take time.
const MOST_ASKED: usize = 32;

/// How far below the best accuracy of a curve more windows do not matter.
const NEGLIGIBLE: f64 = 0.01;

/// How much better models of more windows are: a joint model is trained on the first 1, 2, 4 ... windows of each class in
/// two of three blocks of time, and asked about windows of the third.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearningCurve {
    /// Numbers of windows, ascending, with what models of them reach.
    pub points: Vec<CurvePoint>,
}

/// What models of so many windows of each class reach.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Most windows of each class that they are trained on.
    pub windows: u64,
    /// Mean over the classes of the share of windows that are classified correctly, 0 to 1; `None` where no class has
    /// windows in several blocks.
    pub accuracy: Option<f64>,
    /// The same of each class, in the model's order; `None` for a class with windows in one block only.
    pub classes: Vec<Option<f64>>,
}

impl LearningCurve {
    /// The number of windows from which on more hardly matter: the first that is within a hundredth of the best.
    pub fn enough(&self) -> Option<u64> {
        let best = self.points.iter().filter_map(|point| point.accuracy).fold(0.0, f64::max);
        let is_enough =
            |point: &&CurvePoint| point.accuracy.is_some_and(|accuracy| accuracy >= best - NEGLIGIBLE);
        self.points.iter().find(is_enough).map(|point| point.windows)
    }
}

impl Model {
    /// The learning curve of the rows that this model was trained on; `None` for the paper's recipe.
    pub fn learning_curve<'a>(
        &self,
        rows: impl IntoIterator<Item = &'a Labeled>,
        jobs: NonZeroUsize,
    ) -> Option<LearningCurve> {
        let parts = self.joint.as_ref()?;
        let rows = rows.into_iter().filter_map(|row| Some((&row.instance, row.label.as_ref()?)));
        let rows: Vec<(&Instance, &Label, u16)> = rows
            .filter_map(|(instance, label)| {
                Some((instance, label, narrow(self.classes.number(&label.class)?)))
            })
            .collect();
        let pairs: Vec<(&Instance, &Label)> = rows.iter().map(|row| (row.0, row.1)).collect();
        let row_classes: Vec<u16> = rows.iter().map(|row| row.2).collect();
        let windows: Vec<Window> =
            parallel::map(rows.len(), jobs, || (), |(), at| parts.lexicon.window(rows[at].0));
        let blocks = Blocks::of(&pairs, &row_classes, self.classes.len());
        let known = Known { windows: &windows, row_classes: &row_classes, classes: self.classes.len() };
        let most = blocks.by_class.iter().map(Vec::len).max().unwrap_or(0) as u64;
        let numbers = std::iter::successors(Some(1_u64), |windows| windows.checked_mul(2));
        let numbers = numbers.take_while(|windows| *windows == 1 || *windows <= most / 2);
        let point = |windows| curve_point(known, (&parts.lexicon, &blocks), windows, jobs);
        Some(LearningCurve { points: numbers.map(point).collect() })
    }
}

fn curve_point(
    known: Known<'_>,
    (lexicon, blocks): (&Lexicon, &Blocks),
    windows: u64,
    jobs: NonZeroUsize,
) -> CurvePoint {
    let mut tallies = vec![(0_u32, 0_u32); known.classes];
    for block in 0..BLOCKS {
        let mut is_wanted = vec![false; known.windows.len()];
        for class in 0..known.classes {
            let outside = blocks.outside(class, block).into_iter();
            outside
                .take(usize::try_from(windows).unwrap_or(usize::MAX))
                .for_each(|row| is_wanted[row] = true);
        }
        let has_trained = |class: usize| blocks.by_class[class].iter().any(|&row| is_wanted[row]);
        let joint = Joint::fit(known, lexicon, |row| is_wanted[row], jobs);
        let asked: Vec<usize> = (0..known.classes)
            .filter(|&class| has_trained(class))
            .flat_map(|class| evenly(&blocks.inside(class, block)))
            .collect();
        let said = parallel::map(
            asked.len(),
            jobs,
            || (),
            |(), at| most_likely(&joint.distribution(&known.windows[asked[at]], known.classes)),
        );
        for (&row, said) in asked.iter().zip(said) {
            let class = usize::from(known.row_classes[row]);
            tallies[class].0 += u32::from(said == class);
            tallies[class].1 += 1;
        }
    }
    let share = |&(right, asked): &(u32, u32)| (asked > 0).then(|| f64::from(right) / f64::from(asked));
    let classes: Vec<Option<f64>> = tallies.iter().map(share).collect();
    let shares: Vec<f64> = classes.iter().flatten().copied().collect();
    let accuracy = (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64);
    CurvePoint { windows, accuracy, classes }
}

/// Up to [`MOST_ASKED`] rows, evenly spaced.
fn evenly(rows: &[usize]) -> Vec<usize> {
    let count = rows.len().min(MOST_ASKED);
    (0..count).filter_map(|at| rows.get(at * rows.len() / count).copied()).collect()
}
