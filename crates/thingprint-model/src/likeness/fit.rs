use std::num::NonZeroUsize;

use super::{ClassLikeness, Likeness, LikenessThresholds, MAX_REFERENCES, Norm, Shares, affinity_to};
use crate::blocks::{BLOCKS, Blocks};
use crate::parallel;
use crate::quantile::{median, quantile};

/// Quantile of a class's affinities whose distance from the median is its σ, and of its drops below the median.
const TAIL: f64 = 0.1;

/// Share of the tail of all classes together that no σ is below.
const POOLED_SHARE: f64 = 0.5;

/// Least σ, for classes whose windows are all the same.
pub(super) const LEAST_SIGMA: f64 = 1e-3;

/// How much a day may be below what 1 % of the training's days are below.
const DAY_MARGIN: f64 = 0.5;

/// The training windows that likeness is learned from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample<'a> {
    pub(crate) shares: &'a [Shares],
    pub(crate) blocks: &'a Blocks,
    /// The windows of each class and device in each day, by number.
    pub(crate) days: &'a Days,
}

/// Windows of one device and class in one day.
pub(crate) type Days = Vec<Vec<usize>>;

impl Likeness {
    /// Learns from windows; `None` where no window can be compared with another of its class.
    pub(crate) fn fit(sample: Sample<'_>, jobs: NonZeroUsize) -> Option<Self> {
        let affinities = out_of_fold(sample, jobs);
        let norms = norms(&affinities, sample.blocks)?;
        let mut likenesses = vec![None; affinities.len()];
        for (rows, norm) in sample.blocks.by_class.iter().zip(&norms) {
            for &row in rows {
                likenesses[row] = affinities[row].map(|affinity| norm.likeness(affinity));
            }
        }
        let thresholds = thresholds(&likenesses, sample.days)?;
        let references = |rows: &Vec<usize>| -> Vec<Shares> {
            evenly_spaced(rows).map(|row| sample.shares[row].clone()).collect()
        };
        let classes = sample.blocks.by_class.iter().map(references).zip(norms);
        let classes = classes.map(|(references, norm)| ClassLikeness { references, norm }).collect();
        Some(Self { classes, thresholds })
    }
}

/// The affinity of each window to windows of its class in other blocks of time.
fn out_of_fold(sample: Sample<'_>, jobs: NonZeroUsize) -> Vec<Option<f64>> {
    let classes = sample.blocks.by_class.len();
    let references: Vec<Vec<Vec<usize>>> = (0..classes)
        .map(|class| {
            (0..BLOCKS).map(|block| evenly_spaced(&sample.blocks.outside(class, block)).collect()).collect()
        })
        .collect();
    let class_of = class_of_rows(sample);
    parallel::map(
        sample.shares.len(),
        jobs,
        || (),
        |(), row| {
            let references = &references[class_of[row]][sample.blocks.block_of[row]];
            affinity_to(&sample.shares[row], references.iter().map(|&other| &sample.shares[other]))
        },
    )
}

/// The class of each row.
pub(super) fn class_of_rows(sample: Sample<'_>) -> Vec<usize> {
    let mut class_of = vec![0; sample.shares.len()];
    for (class, rows) in sample.blocks.by_class.iter().enumerate() {
        for &row in rows {
            class_of[row] = class;
        }
    }
    class_of
}

/// Up to so many of the items that a class keeps, evenly spaced.
pub(super) fn evenly_spaced(rows: &[usize]) -> impl Iterator<Item = usize> {
    let kept = rows.len().min(MAX_REFERENCES);
    (0..kept).map(move |at| rows[at * rows.len() / kept])
}

/// The norm of each class; a class without affinities has that of all together.
pub(super) fn norms(affinities: &[Option<f64>], blocks: &Blocks) -> Option<Vec<Norm>> {
    let of_rows = |rows: &[usize]| -> Vec<f64> { rows.iter().filter_map(|&row| affinities[row]).collect() };
    let by_class: Vec<Vec<f64>> = blocks.by_class.iter().map(|rows| of_rows(rows)).collect();
    let medians: Vec<Option<f64>> = by_class.iter().map(|own| median(own.clone())).collect();
    let drops = by_class.iter().zip(&medians).filter_map(|(own, median)| Some((own, (*median)?)));
    let drops = drops.flat_map(|(own, median)| own.iter().map(move |affinity| median - affinity)).collect();
    let least = (POOLED_SHARE * quantile(drops, 1.0 - TAIL)?).max(LEAST_SIGMA);
    let all: Vec<f64> = by_class.iter().flatten().copied().collect();
    let pooled = norm(&all, least)?;
    Some(by_class.iter().map(|own| norm(own, least).unwrap_or(pooled)).collect())
}

fn norm(affinities: &[f64], least_sigma: f64) -> Option<Norm> {
    let median = median(affinities.to_vec())?;
    let tail = quantile(affinities.to_vec(), TAIL)?;
    Some(Norm { median, sigma: (median - tail).max(least_sigma) })
}

fn thresholds(likenesses: &[Option<f64>], days: &Days) -> Option<LikenessThresholds> {
    let own: Vec<f64> = likenesses.iter().copied().flatten().collect();
    let day = |rows: &Vec<usize>| median(rows.iter().filter_map(|&row| likenesses[row]).collect());
    let of_days = days.iter().filter_map(day).collect();
    Some(LikenessThresholds {
        five_percent: quantile(own.clone(), 0.05)?,
        one_percent: quantile(own, 0.01)?,
        day: quantile(of_days, 0.01)? - DAY_MARGIN,
    })
}
