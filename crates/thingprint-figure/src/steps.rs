//! Distributions as steps.

use crate::axis::{Axis, Guide};
use crate::class::{Colour, dash};
use crate::drawing::{Drawing, Figure, Paint, polyline};
use crate::frame::{Frame, HEIGHT, WIDTH, reserve};
use crate::legend::{Entry, Sign, legend};
use crate::number::is_drawable;
use crate::range::Range;
use crate::series::Samples;

/// Steps closer than this are drawn as one, in pixels.
const FINEST: f64 = 0.5;

/// Distribution functions of several series of samples.
///
/// ```
/// use thingprint_figure::{Axis, Cumulative, Figure, Samples, Steps};
///
/// let steps = Steps {
///     x: Axis::percent("confidence").bounds(0.0, 1.0),
///     cumulative: Cumulative::Ccdf,
///     series: vec![Samples::new("right", [0.99, 0.97, 1.0]), Samples::new("wrong", [0.4, 0.6])],
///     ..Steps::default()
/// };
/// assert!(steps.svg().contains("right"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps {
    /// What the figure shows.
    pub title: String,
    /// The same in more words, for those who cannot see it.
    pub description: String,
    /// What is distributed. Values outside of the axis count at its ends, so that shares stay those of all values.
    pub x: Axis,
    /// Which share of samples is shown.
    pub cumulative: Cumulative,
    /// The samples.
    pub series: Vec<Samples>,
    /// Values that matter.
    pub guides: Vec<Guide>,
}

/// Which share of samples a distribution function gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cumulative {
    /// Of those up to and with a value.
    #[default]
    Cdf,
    /// Of those above a value.
    Ccdf,
}

impl Figure for Steps {
    fn draw(&self) -> Drawing {
        let mut drawing = Drawing::new(&self.title, &self.description, WIDTH);
        let values = self.series.iter().flat_map(|series| series.values.iter().copied());
        let Some(x) = Range::of(&self.x, values.clone()) else { return drawing.no_data() };
        let label = match self.cumulative {
            Cumulative::Cdf => "share of values up to this",
            Cumulative::Ccdf => "share of values above this",
        };
        let shares = Axis::percent(label).bounds(0.0, 1.0);
        let Some(y) = Range::of(&shares, [0.0, 1.0]) else { return drawing.no_data() };
        let entries = self.series.iter().enumerate().map(|(index, series)| Entry {
            name: &series.name,
            colour: Colour::of(index),
            sign: Sign::Line(index),
        });
        legend(&mut drawing, &entries.collect::<Vec<_>>());
        let left_out = values.filter(|value| !is_drawable(*value)).count();
        reserve(&mut drawing, &self.guides);
        let frame = Frame::draw(&mut drawing, (&self.x, x), (&shares, y), HEIGHT);
        for (index, series) in self.series.iter().enumerate() {
            self.steps(&mut drawing, &frame, series, index);
        }
        frame.guides(&mut drawing, &self.guides);
        drawing.note_left_out(left_out);
        drawing
    }
}

impl Steps {
    fn steps(&self, drawing: &mut Drawing, frame: &Frame, series: &Samples, index: usize) {
        let drawable = series.values.iter().filter(|value| is_drawable(**value));
        let mut shares: Vec<f64> = drawable.map(|value| frame.x.clamped(*value)).collect();
        if shares.is_empty() {
            return;
        }
        shares.sort_by(f64::total_cmp);
        let class = format!("line {}", Colour::of(index).line());
        let tip = format!("{} (n = {})", series.name, shares.len());
        let path = polyline(&self.corners(frame, &shares));
        drawing.path(&path, Paint::new(&class).dash(dash(index)), &tip);
    }

    /// Corners of the steps over the whole axis, at sorted places of samples.
    fn corners(&self, frame: &Frame, sorted: &[f64]) -> Vec<(f64, f64)> {
        let height = |seen: usize| {
            let share = seen as f64 / sorted.len() as f64;
            frame.up(if self.cumulative == Cumulative::Cdf { share } else { 1.0 - share })
        };
        let mut corners = vec![(frame.across(0.0), height(0))];
        let mut drawn = 0;
        for (index, share) in sorted.iter().enumerate() {
            let seen = index + 1;
            let is_last_here = sorted.get(seen).is_none_or(|next| next > share);
            let is_far = |y: f64| corners.last().is_none_or(|(_, last)| (last - y).abs() >= FINEST);
            if is_last_here && (seen == sorted.len() || is_far(height(seen))) {
                let x = frame.across(*share);
                corners.extend([(x, height(drawn)), (x, height(seen))]);
                drawn = seen;
            }
        }
        corners.push((frame.across(1.0), height(drawn)));
        corners
    }
}
