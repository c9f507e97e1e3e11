use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{EvidenceSet, Instance, Label};

use super::{Joint, Known, Lexicon, Window};
use crate::blocks::{BLOCKS, Blocks};
use crate::classes::Classes;
use crate::error::FileFault;
use crate::families::Families;
use crate::guard::BagUnits;
use crate::likeness::{Days, Familiarity, Likeness, Sample, Shares};
use crate::model::MAX_BAGS;
use crate::parallel;
use crate::sequence;

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// What the recipe `best` has besides the two stages: the joint model with the words that it knows, and what is learned
/// out of fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JointParts {
    pub(crate) lexicon: Lexicon,
    pub(crate) joint: Joint,
    /// `None` where no training window can be compared with another of its class.
    pub(crate) likeness: Option<Likeness>,
    pub(crate) families: Families,
    /// What the guard found in each bag that there was, those that it refused included.
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_BAGS>")]
    pub(crate) units: Vec<BagUnits>,
}

/// The labelled rows of a training, with the number of the class of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) labelled: &'a [(&'a Instance, &'a Label)],
    pub(crate) row_classes: &'a [u16],
    pub(crate) classes: usize,
}

impl JointParts {
    /// Learns from labelled rows, whose order does not matter; gives what is known of windows under way, too.
    pub(crate) fn fit(
        rows: Rows<'_>,
        evidence: EvidenceSet,
        units: Vec<BagUnits>,
        jobs: NonZeroUsize,
    ) -> (Self, Option<Familiarity>) {
        let Rows { labelled: rows, row_classes, classes } = rows;
        let lexicon = Lexicon::of(evidence, &rows.iter().map(|row| row.0));
        let window = |(): &mut (), at: usize| lexicon.window(rows[at].0);
        let windows: Vec<Window> = parallel::map(rows.len(), jobs, || (), window);
        let known = Known { windows: &windows, row_classes, classes };
        let blocks = Blocks::of(rows, row_classes, classes);
        let said = out_of_fold(known, &lexicon, &blocks, jobs);
        let shares: Vec<Shares> = windows.iter().map(Shares::of).collect();
        let sample = Sample { shares: &shares, blocks: &blocks, days: &days(rows, row_classes) };
        let parts = Self {
            joint: Joint::fit(known, &lexicon, |_| true, jobs),
            likeness: Likeness::fit(sample, jobs),
            families: Families::of(&said, &blocks),
            lexicon,
            units,
        };
        (parts, Familiarity::fit(sample, jobs))
    }

    pub(crate) fn check_loaded(&self, evidence: EvidenceSet, classes: &Classes) -> Result<(), FileFault> {
        self.lexicon.check_loaded(evidence)?;
        self.joint.check_loaded(&self.lexicon, classes.len())?;
        self.families.check_loaded(classes.len())?;
        self.units.iter().try_for_each(BagUnits::check_loaded)?;
        self.likeness.as_ref().map_or(Ok(()), |likeness| likeness.check_loaded(&self.lexicon, classes.len()))
    }
}

/// What joint models that did not see a window's block of time say of it.
fn out_of_fold(known: Known<'_>, lexicon: &Lexicon, blocks: &Blocks, jobs: NonZeroUsize) -> Vec<Vec<f64>> {
    let fit = |block: usize| Joint::fit(known, lexicon, |row| blocks.block_of[row] != block, jobs);
    let models: Vec<Joint> = (0..BLOCKS).map(fit).collect();
    parallel::map(
        known.windows.len(),
        jobs,
        || (),
        |(), row| models[blocks.block_of[row]].distribution(&known.windows[row], known.classes),
    )
}

/// The rows of each device and class in each day.
fn days(rows: &[(&Instance, &Label)], row_classes: &[u16]) -> Days {
    let mut days: BTreeMap<(u16, DeviceId, i64), Vec<usize>> = BTreeMap::new();
    for (row, ((instance, _), &class)) in rows.iter().zip(row_classes).enumerate() {
        days.entry((class, instance.device, day_of(instance.window_start))).or_default().push(row);
    }
    days.into_values().collect()
}

/// The number of the day of a time, in UTC.
pub(crate) fn day_of(time: Timestamp) -> i64 {
    time.as_nanos().div_euclid(DAY_NS)
}

/// The time at which a day begins.
pub(crate) fn start_of_day(day: i64) -> Timestamp {
    Timestamp::from_nanos(day.saturating_mul(DAY_NS))
}
