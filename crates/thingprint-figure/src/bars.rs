//! Upright bars in groups, beside each other or stacked.

use crate::axis::Axis;
use crate::class::{Colour, hatch};
use crate::drawing::{Anchor, Drawing, Figure, Label, Paint, Rect, SMALL, polyline};
use crate::frame::{HEIGHT, WIDTH, base_line, level_axis, x_label};
use crate::legend::{Entry, Sign, legend};
use crate::lettering::width;
use crate::number::is_drawable;
use crate::range::Range;
use crate::series::Estimate;

/// Share of a group's room that its bars fill.
const FILLED: f64 = 0.78;
/// Widest bar, in pixels.
const WIDEST: f64 = 64.0;
/// Room for labels of groups that are turned, in pixels.
const TURNED: f64 = 110.0;

/// Bars for each group, one of each series, with deviations.
///
/// ```
/// use thingprint_figure::{Axis, BarSeries, Bars, Estimate, Figure};
///
/// let bars = Bars {
///     value: Axis::percent("accuracy"),
///     groups: vec!["ports".into(), "domains".into()],
///     series: vec![BarSeries { name: "home".into(), values: vec![Some(Estimate::new(0.92, 0.01)), None] }],
///     ..Bars::default()
/// };
/// assert!(bars.svg().contains("92%"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    /// What the figure shows.
    pub title: String,
    /// The same in more words, for those who cannot see it.
    pub description: String,
    /// What the groups are.
    pub x_label: String,
    /// What the height of bars means; the scale is taken as linear, because a bar begins at 0.
    pub value: Axis,
    /// Names of the groups.
    pub groups: Vec<String>,
    /// The series, each with one bar in each group.
    pub series: Vec<BarSeries>,
    /// Where the bars of a group stand.
    pub arrangement: Arrangement,
}

/// A series of bars, one for each group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BarSeries {
    /// What the legend calls it.
    pub name: String,
    /// Values in the order of groups; absent ones have no bar.
    pub values: Vec<Option<Estimate>>,
}

/// Where the bars of a group stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrangement {
    /// Beside each other.
    #[default]
    Grouped,
    /// On top of each other; negative values hang below 0. Deviations are not drawn, since they do not add up.
    Stacked,
}

impl Figure for Bars {
    fn draw(&self) -> Drawing {
        let axis = Axis { scale: crate::Scale::Linear, ..self.value.clone() };
        let mut drawing = Drawing::new(&self.title, &self.description, WIDTH);
        let (bars, left_out) = self.bars();
        let Some(range) = Range::from_zero(&axis, bars.iter().flat_map(Bar::ends)) else {
            let mut drawing = drawing.no_data();
            drawing.note_left_out(left_out);
            return drawing;
        };
        self.legend(&mut drawing);
        drawing.reach(drawing.bottom() + SMALL);
        let area = level_axis(&mut drawing, &axis, &range, HEIGHT);
        for bar in &bars {
            self.draw_bar(&mut drawing, area, &range, bar);
        }
        base_line(&mut drawing, area);
        self.group_labels(&mut drawing, area);
        x_label(&mut drawing, area, &self.x_label);
        drawing.note_left_out(left_out);
        drawing
    }
}

/// A bar between two values.
#[derive(Clone, Copy, Debug)]
struct Bar {
    group: usize,
    series: usize,
    from: f64,
    to: f64,
    estimate: Estimate,
    spread: Option<(f64, f64)>,
}

impl Bar {
    fn ends(&self) -> impl Iterator<Item = f64> + use<> {
        let spread = self.spread.map(|(low, high)| [low, high]);
        [self.from, self.to].into_iter().chain(spread.into_iter().flatten())
    }
}

impl Bars {
    /// The bars that can be drawn, and how many values cannot.
    fn bars(&self) -> (Vec<Bar>, usize) {
        let (mut bars, mut left_out) = (Vec::new(), 0);
        for group in 0..self.groups.len() {
            let (mut above, mut below) = (0.0, 0.0);
            for (series, values) in self.series.iter().enumerate() {
                let Some(Some(estimate)) = values.values.get(group).copied() else { continue };
                let base = if estimate.mean < 0.0 { &mut below } else { &mut above };
                let from = if self.arrangement == Arrangement::Stacked { *base } else { 0.0 };
                let to = from + estimate.mean;
                if !is_drawable(to) {
                    left_out += 1;
                    continue;
                }
                *base = to;
                let spread = estimate.spread().filter(|_| self.arrangement == Arrangement::Grouped);
                bars.push(Bar { group, series, from, to, estimate, spread });
            }
        }
        (bars, left_out)
    }

    fn legend(&self, drawing: &mut Drawing) {
        if self.series.len() < 2 {
            return;
        }
        let entry = |(index, series): (usize, &'_ BarSeries)| {
            (series.name.clone(), Colour::of(index), Sign::Box(index))
        };
        let entries: Vec<_> = self.series.iter().enumerate().map(entry).collect();
        let entries: Vec<_> =
            entries.iter().map(|(name, colour, sign)| Entry { name, colour: *colour, sign: *sign }).collect();
        legend(drawing, &entries);
    }

    fn draw_bar(&self, drawing: &mut Drawing, area: Rect, range: &Range, bar: &Bar) {
        let place = self.place(area, bar);
        let y = |value: f64| area.bottom() - area.height * range.clamped(value);
        let (top, bottom) = (y(bar.from.max(bar.to)), y(bar.from.min(bar.to)));
        let rect = Rect { y: top, height: bottom - top, ..place };
        drawing.rect(rect, Paint::new(Colour::of(bar.series).fill()), &self.tip(bar));
        if let Some(hatch) = hatch(bar.series) {
            drawing.rect(rect, Paint::hatch(hatch), &self.tip(bar));
        }
        let middle = place.x + place.width / 2.0;
        let mut end = if bar.to < 0.0 { bottom } else { top };
        if let Some((low, high)) = bar.spread {
            let (low, high, arm) = (y(low), y(high), (place.width / 4.0).min(6.0));
            let paint = Paint::new("ink").stroke_width(1.3);
            let path = [((middle, low), (middle, high)), ((middle - arm, low), (middle + arm, low))];
            let cap = ((middle - arm, high), (middle + arm, high));
            let path: String = path.into_iter().chain([cap]).map(|(a, b)| polyline(&[a, b])).collect();
            drawing.path(&path, paint, &self.tip(bar));
            end = if bar.to < 0.0 { low } else { high };
        }
        let text = self.value.short(bar.estimate.mean);
        if self.arrangement == Arrangement::Grouped && width(&text, SMALL) <= place.width * 1.1 + 4.0 {
            let base = if bar.to < 0.0 { end + 12.0 } else { end - 4.0 };
            let label = Label::new(&text, middle, base.max(area.y - 4.0)).size(SMALL);
            drawing.label(label.anchor(Anchor::Middle).class("halo"));
        }
    }

    /// From left to right.
    fn place(&self, area: Rect, bar: &Bar) -> Rect {
        let room = area.width / self.groups.len().max(1) as f64;
        let beside = if self.arrangement == Arrangement::Stacked { 1 } else { self.series.len().max(1) };
        let width = (room * FILLED / beside as f64).min(WIDEST);
        let index = if self.arrangement == Arrangement::Stacked { 0.0 } else { bar.series as f64 };
        let middle = area.x + room * (bar.group as f64 + 0.5);
        let x = middle - width * beside as f64 / 2.0 + width * index;
        let gap = if width > 6.0 { 1.0 } else { 0.0 };
        Rect { x, width: width - gap, ..Rect::default() }
    }

    fn tip(&self, bar: &Bar) -> String {
        let group = self.groups.get(bar.group).map_or("", String::as_str);
        let series = self.series.get(bar.series).map_or("", |series| series.name.as_str());
        format!("{group}, {series}: {}", bar.estimate.text(&self.value))
    }

    /// Writes the names of groups: level if they have room, else turned.
    fn group_labels(&self, drawing: &mut Drawing, area: Rect) {
        let room = area.width / self.groups.len().max(1) as f64;
        let middle = |index: usize| area.x + room * (index as f64 + 0.5);
        let groups = || self.groups.iter().enumerate();
        if groups().all(|(_, group)| width(group, SMALL) <= (room - 6.0).max(60.0).min(room)) {
            for (index, group) in groups() {
                let label = Label::new(group, middle(index), area.bottom() + 16.0).size(SMALL);
                drawing.label(label.anchor(Anchor::Middle).limit(room - 2.0));
            }
            drawing.reach(area.bottom() + 22.0);
            return;
        }
        let longest = groups().map(|(_, group)| width(group, SMALL)).fold(0.0, f64::max).min(TURNED);
        // Labels that stand closer than their height would run into each other.
        let stride = (SMALL * 1.3 / room).ceil().max(1.0);
        let upright = longest * 0.72 + 16.0;
        for (index, group) in groups().filter(|(index, _)| (*index as f64 % stride).abs() < 0.5) {
            let (x, y) = (middle(index) + 4.0, area.bottom() + 13.0);
            let label = Label::new(group, x, y).size(SMALL).anchor(Anchor::End).turn(-45.0);
            drawing.label(label.limit(TURNED.min((x - 2.0) * 1.3)));
        }
        drawing.reach(area.bottom() + upright);
    }
}
