//! Histograms.

use crate::axis::Axis;
use crate::class::{Colour, dash};
use crate::drawing::{Drawing, Figure, Label, MARGIN, Paint, Rect, polyline};
use crate::frame::{Frame, HEIGHT, WIDTH};
use crate::legend::{Entry, Sign, legend};
use crate::number::{percent, short};
use crate::range::Range;
use crate::series::Samples;

/// Bins where none are asked for.
const USUAL_BINS: usize = 40;
/// Most bins: more would be thinner than a pixel.
const MOST_BINS: usize = 300;
/// Height of each of several histograms below each other, in pixels.
const FACET: f64 = 90.0;

/// Histograms of several series over the same bins, as shares of each series' values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// What the figure shows.
    pub title: String,
    /// The same in more words, for those who cannot see it.
    pub description: String,
    /// What is counted. Bins are equally wide on the axis, thus by ratio on a logarithmic one.
    pub x: Axis,
    /// Number of bins, 40 if 0; 300 at most.
    pub bins: usize,
    /// How several series stand to each other.
    pub facets: Facets,
    /// The samples.
    pub series: Vec<Samples>,
}

/// How several series stand to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Facets {
    /// Below each other, each with an axis of shares of its own.
    #[default]
    Apart,
    /// In one area, as outlines.
    Together,
}

impl Figure for Histogram {
    fn draw(&self) -> Drawing {
        let mut drawing = Drawing::new(&self.title, &self.description, WIDTH);
        let values = self.series.iter().flat_map(|series| series.values.iter().copied());
        let Some(x) = Range::of(&self.x, values.clone()) else { return drawing.no_data() };
        let left_out = values.filter(|value| x.share(*value).is_none()).count();
        match self.facets {
            Facets::Apart => self.apart(&mut drawing, &x),
            Facets::Together => self.together(&mut drawing, &x),
        }
        drawing.note_left_out(left_out);
        drawing
    }
}

impl Histogram {
    fn apart(&self, drawing: &mut Drawing, x: &Range) {
        let height = if self.series.len() > 1 { FACET } else { HEIGHT };
        for (index, series) in self.series.iter().enumerate() {
            let shares = self.shares(x, series);
            facet_name(drawing, x, series);
            let is_last = index + 1 == self.series.len();
            let axis = if is_last {
                self.x.clone()
            } else {
                Axis { label: String::new(), unit: String::new(), ..self.x.clone() }
            };
            let Some(frame) = frame(drawing, (&axis, x), &shares, height) else { continue };
            for (bin, share) in shares.iter().enumerate() {
                let rect = bar(&frame, (bin, shares.len()), *share);
                let tip = format!("{}: {}", tip(&series.name, x, (bin, shares.len())), percent(*share));
                if *share > 0.0 {
                    drawing.rect(rect, Paint::new(Colour::Blue.fill()), &tip);
                }
            }
        }
    }

    fn together(&self, drawing: &mut Drawing, x: &Range) {
        let entries = self.series.iter().enumerate().map(|(index, series)| Entry {
            name: &series.name,
            colour: Colour::of(index),
            sign: Sign::Line(index),
        });
        legend(drawing, &entries.collect::<Vec<_>>());
        let all: Vec<Vec<f64>> = self.series.iter().map(|series| self.shares(x, series)).collect();
        let Some(frame) = frame(drawing, (&self.x, x), &all.concat(), HEIGHT) else { return };
        for (index, shares) in all.iter().enumerate() {
            let name = self.series.get(index).map_or("", |series| series.name.as_str());
            let path = outline(&frame, shares);
            drawing.path(&path, Paint::new(Colour::of(index).fill()).opacity(0.12), "");
            let class = format!("line {}", Colour::of(index).line());
            drawing.path(&path, Paint::new(&class).dash(dash(index)).stroke_width(1.6), name);
        }
    }

    /// Share of a series' values in each bin; values that are not on the axis are in none.
    fn shares(&self, x: &Range, series: &Samples) -> Vec<f64> {
        let bins = if self.bins == 0 { USUAL_BINS } else { self.bins.min(MOST_BINS) };
        let mut counts = vec![0.0; bins];
        // The bins' upper edges; a value on an edge belongs to the bin above it.
        let edges: Vec<f64> = (1..bins).map(|edge| edge as f64 / bins as f64).collect();
        let mut all = 0.0;
        for share in series.values.iter().filter_map(|value| x.share(*value)) {
            let bin = edges.partition_point(|edge| *edge <= share + 1e-12);
            if let Some(count) = counts.get_mut(bin) {
                *count += 1.0;
                all += 1.0;
            }
        }
        counts.into_iter().map(|count| if all > 0.0 { count / all } else { 0.0 }).collect()
    }
}

/// Writes the name of a series above its histogram.
fn facet_name(drawing: &mut Drawing, x: &Range, series: &Samples) {
    let count = series.values.iter().filter(|value| x.share(**value).is_some()).count();
    let name = format!("{} (n = {count})", series.name);
    let bottom = drawing.bottom();
    let label = Label::new(&name, MARGIN, bottom + 12.0).class("b").limit(drawing.width() - 2.0 * MARGIN);
    drawing.label(label);
    drawing.reach(bottom + 20.0);
}

/// The outline of each run of bins that hold something.
fn outline(frame: &Frame, shares: &[f64]) -> String {
    let bottom = frame.area.bottom();
    let mut path = String::new();
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for (bin, share) in shares.iter().chain([&0.0]).enumerate() {
        let bar = bar(frame, (bin, shares.len()), *share);
        if *share > 0.0 {
            if corners.is_empty() {
                corners.push((bar.x, bottom));
            }
            corners.extend([(bar.x, bar.y), (bar.right(), bar.y)]);
        } else if let Some((x, _)) = corners.last().copied() {
            corners.push((x, bottom));
            path.push_str(&polyline(&corners));
            corners.clear();
        }
    }
    path
}

fn frame(drawing: &mut Drawing, (axis, x): (&Axis, &Range), shares: &[f64], height: f64) -> Option<Frame> {
    let label = if height < HEIGHT { "share" } else { "share of values" };
    let y_axis = Axis::percent(label);
    let y = Range::from_zero(&y_axis, shares.iter().copied())?;
    Some(Frame::draw(drawing, (axis, x.clone()), (&y_axis, y), height))
}

fn bar(frame: &Frame, (bin, bins): (usize, usize), share: f64) -> Rect {
    let (left, right) = (bin as f64 / bins as f64, (bin + 1) as f64 / bins as f64);
    let (x, y) = (frame.across(left), frame.up(frame.y.clamped(share)));
    Rect { x, y, width: frame.across(right) - x, height: frame.area.bottom() - y }
}

fn tip(name: &str, x: &Range, (bin, bins): (usize, usize)) -> String {
    let edge = |bin: usize| short(x.value(bin as f64 / bins as f64));
    format!("{name}, {} to {}", edge(bin), edge(bin + 1))
}
