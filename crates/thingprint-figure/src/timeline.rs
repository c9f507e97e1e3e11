//! What something did over time, in panels below each other.

use crate::axis::Axis;
use crate::class::{Class, Colour};
use crate::drawing::{Anchor, Drawing, Figure, Label, MARGIN, Paint, Rect, SMALL, widest};
use crate::frame::{MARKS, WIDTH, base_line};
use crate::legend::{Entry, Sign, legend};
use crate::lettering::width;
use crate::number::is_drawable;
use crate::range::Range;

/// Height of the area of a panel, in pixels.
const PANEL: f64 = 64.0;
/// Distance between panels, with the name of the lower one, in pixels.
const GAP: f64 = 26.0;
/// Height of the row of spans, in pixels.
const SPANS: f64 = 20.0;
/// Greatest width of marks at the left, in pixels.
const WIDEST_MARK: f64 = 64.0;
/// Height of the coloured edge below a span, in pixels.
const EDGE: f64 = 4.0;
/// A span at least this wide has its name in it, in pixels.
const NAMED_FROM: f64 = 44.0;
/// Greatest width of the name of a time, in pixels.
const WIDEST_TICK: f64 = 120.0;
/// Distance of the names of times, in pixels.
const TICK_GAP: f64 = 8.0;
/// Bars are at least this wide, so that an hour of a long time is seen, in pixels.
const NARROWEST: f64 = 1.0;

/// Panels of bars over one axis of time, under a row of named spans.
///
/// ```
/// use thingprint_figure::{Axis, Class, Figure, Panel, PanelBar, Timeline};
///
/// let bar = PanelBar { from: 0.0, to: 1.0, value: 0.97, class: 0, tip: "13:00: lamp, 97 %".into() };
/// let timeline = Timeline {
///     title: "Hours of a lamp".into(),
///     time: (0.0, 24.0),
///     ticks: vec![(0.0, "13:00".into())],
///     classes: Class::list(["accepted"]),
///     panels: vec![Panel { axis: Axis::percent("confidence").bounds(0.0, 1.0), bars: vec![bar] }],
///     ..Timeline::default()
/// };
/// assert!(timeline.svg().contains("13:00: lamp, 97 %"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// What the figure shows.
    pub title: String,
    /// The same in more words, for those who cannot see it.
    pub description: String,
    /// First and last time, in any unit that the others are in as well.
    pub time: (f64, f64),
    /// Times that have a name, in order. A name that has no room is left out; its line is drawn.
    pub ticks: Vec<(f64, String)>,
    /// Classes of bars and spans.
    pub classes: Vec<Class>,
    /// What held for how long, above the panels; no row without any.
    pub spans: Vec<PanelSpan>,
    /// The panels from top to bottom.
    pub panels: Vec<Panel>,
}

/// A panel of a [`Timeline`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// What its bars measure. Bars begin at 0.
    pub axis: Axis,
    /// The bars; values that are not finite are left out, and a note says how many.
    pub bars: Vec<PanelBar>,
}

/// A bar of a [`Panel`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PanelBar {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// How high it is.
    pub value: f64,
    /// Index of its class; grey if there is none. Classes differ by colour, and from the second on by hatching.
    pub class: usize,
    /// What shows under the pointer.
    pub tip: String,
}

/// What held for some time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PanelSpan {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// What it is called.
    pub label: String,
    /// Index of its class; grey if there is none.
    pub class: usize,
}

impl Figure for Timeline {
    fn draw(&self) -> Drawing {
        let mut drawing = Drawing::new(&self.title, &self.description, WIDTH);
        let bars = || self.panels.iter().flat_map(|panel| &panel.bars);
        let has_time = is_drawable(self.time.0) && is_drawable(self.time.1) && self.time.0 < self.time.1;
        if !has_time || !bars().any(|bar| is_drawable(bar.value)) {
            return drawing.no_data();
        }
        let entries = self.classes.iter().enumerate().map(|(index, class)| Entry {
            name: &class.name,
            colour: class.colour,
            sign: Sign::Box(index),
        });
        legend(&mut drawing, &entries.collect::<Vec<_>>());
        let left = MARGIN + self.room_of_marks() + 6.0;
        let width = drawing.width() - left - MARGIN - 6.0;
        self.draw_spans(&mut drawing, (left, width));
        for panel in &self.panels {
            self.draw_panel(&mut drawing, (left, width), panel);
        }
        self.draw_tick_names(&mut drawing, (left, width));
        drawing.note_left_out(bars().filter(|bar| !is_drawable(bar.value)).count());
        drawing.reach(drawing.bottom() + 4.0);
        drawing
    }
}

impl Timeline {
    /// Width of the widest mark of all panels, so that panels are in line.
    fn room_of_marks(&self) -> f64 {
        let marks = self.panels.iter().filter_map(range).flat_map(|range| range.marks());
        let labels: Vec<String> = marks.map(|mark| mark.label).collect();
        widest(labels.iter().map(String::as_str).chain(["100"]), SMALL, WIDEST_MARK)
    }

    fn draw_spans(&self, drawing: &mut Drawing, (left, width): (f64, f64)) {
        if self.spans.is_empty() {
            return;
        }
        let y = drawing.bottom() + 4.0;
        for span in &self.spans {
            let Some((x, span_width)) = self.extent((left, width), (span.from, span.to)) else { continue };
            let gap = if span_width > 4.0 { 1.0 } else { 0.0 };
            let area = Rect { x, y, width: span_width - gap, height: SPANS };
            drawing.rect(area, Paint::new("faint"), &span.label);
            let edge = Rect { y: area.bottom() - EDGE, height: EDGE, ..area };
            self.fill(drawing, edge, span.class, &span.label);
            if span_width >= NAMED_FROM {
                let label = Label::new(&span.label, x + 3.0, y + 12.0).size(SMALL).tip(&span.label);
                drawing.label(label.limit(span_width - 6.0));
            }
        }
        drawing.reach(y + SPANS);
    }

    fn draw_panel(&self, drawing: &mut Drawing, (left, width): (f64, f64), panel: &Panel) {
        let y = drawing.bottom() + GAP;
        let area = Rect { x: left, y, width, height: PANEL };
        drawing.label(Label::new(&panel.axis.text(), left, y - 8.0).size(SMALL).limit(width).class("m"));
        let range = range(panel);
        if let Some(range) = &range {
            draw_marks(drawing, area, range);
        }
        for (at, _) in &self.ticks {
            if let Some((x, _)) = self.extent((left, width), (*at, *at)) {
                drawing.line((x, area.y), (x, area.bottom()), Paint::new("grid"));
            }
        }
        for bar in panel.bars.iter().filter(|bar| is_drawable(bar.value)) {
            let Some(range) = &range else { continue };
            let Some((x, bar_width)) = self.extent((left, width), (bar.from, bar.to)) else { continue };
            let height = PANEL * range.clamped(bar.value);
            let gap = if bar_width > 4.0 { 1.0 } else { 0.0 };
            let bar_area = Rect { x, y: area.bottom() - height, width: bar_width - gap, height };
            self.fill(drawing, bar_area, bar.class, &bar.tip);
        }
        base_line(drawing, area);
        drawing.reach(area.bottom());
    }

    fn draw_tick_names(&self, drawing: &mut Drawing, (left, across): (f64, f64)) {
        let (base, mut free_from) = (drawing.bottom() + 15.0, f64::NEG_INFINITY);
        for (at, name) in &self.ticks {
            let Some((x, _)) = self.extent((left, across), (*at, *at)) else { continue };
            let half = width(name, SMALL).min(WIDEST_TICK) / 2.0;
            let x = x.clamp(half + 1.0, drawing.width() - half - 1.0);
            if x - half < free_from {
                continue;
            }
            free_from = x + half + TICK_GAP;
            let label = Label::new(name, x, base).size(SMALL).anchor(Anchor::Middle).class("m");
            drawing.label(label.limit(WIDEST_TICK));
        }
        drawing.reach(base - 15.0 + MARKS);
    }

    /// Place and width of some time, cut at the ends of the axis; none of what lies outside.
    fn extent(&self, (left, width): (f64, f64), (from, to): (f64, f64)) -> Option<(f64, f64)> {
        let share = |time: f64| (time - self.time.0) / (self.time.1 - self.time.0);
        let (from, to) = (share(from), share(to));
        let is_inside = from.is_finite() && to.is_finite() && from <= 1.0 && to >= 0.0 && from <= to;
        let (from, to) = (from.max(0.0), to.min(1.0));
        is_inside.then(|| (left + width * from, (width * (to - from)).max(NARROWEST)))
    }

    fn fill(&self, drawing: &mut Drawing, area: Rect, class: usize, tip: &str) {
        let colour = self.classes.get(class).map_or(Colour::Grey, |class| class.colour);
        drawing.rect(area, Paint::new(colour.fill()), tip);
        if let Some(hatch) = crate::class::hatch(class) {
            drawing.rect(area, Paint::hatch(hatch), tip);
        }
    }
}

/// The range of a panel's values, from 0.
fn range(panel: &Panel) -> Option<Range> {
    Range::from_zero(&panel.axis, panel.bars.iter().map(|bar| bar.value))
}

/// The lowest, the middle and the highest mark with their lines: a low panel has no room for more.
fn draw_marks(drawing: &mut Drawing, area: Rect, range: &Range) {
    let marks = range.marks();
    let last = marks.len().saturating_sub(1);
    for (index, mark) in marks.iter().enumerate() {
        let at = area.bottom() - area.height * mark.share;
        drawing.line((area.x, at), (area.right(), at), Paint::new("grid"));
        if index == 0 || index == last || (last.is_multiple_of(2) && index == last / 2) {
            let label = Label::new(&mark.label, area.x - 6.0, at + 4.0).size(SMALL).anchor(Anchor::End);
            drawing.label(label.limit(WIDEST_MARK).class("m"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(bars: Vec<PanelBar>) -> Timeline {
        let panels = vec![Panel { axis: Axis::new("volume", "bytes"), bars }];
        Timeline { title: "t".into(), time: (0.0, 10.0), panels, ..Timeline::default() }
    }

    fn bar(from: f64, to: f64, value: f64) -> PanelBar {
        PanelBar { from, to, value, class: 0, tip: format!("bar at {from}") }
    }

    #[test]
    fn bars_lie_at_their_time_and_outside_ones_are_left_out() {
        let figure = timeline(vec![bar(0.0, 5.0, 1.0), bar(20.0, 21.0, 1.0)]);
        let (left, width) = (100.0, 500.0);
        assert_eq!(figure.extent((left, width), (0.0, 5.0)), Some((100.0, 250.0)));
        assert_eq!(figure.extent((left, width), (-5.0, 15.0)), Some((100.0, 500.0)));
        assert_eq!(figure.extent((left, width), (10.5, 11.0)), None);
        assert_eq!(figure.extent((left, width), (f64::NAN, 1.0)), None);
        let svg = figure.svg();
        assert!(svg.contains("bar at 0") && !svg.contains("bar at 20"), "{svg}");
    }

    #[test]
    fn values_that_are_not_finite_are_counted() {
        let svg = timeline(vec![bar(0.0, 1.0, 3.0), bar(1.0, 2.0, f64::NAN)]).svg();
        assert!(svg.contains("1 value is not shown"), "{svg}");
        let empty = timeline(vec![bar(0.0, 1.0, f64::NAN)]).svg();
        assert!(empty.contains(">no data</text>"), "{empty}");
        let no_time = Timeline { time: (1.0, 1.0), ..timeline(vec![bar(0.0, 1.0, 3.0)]) };
        assert!(no_time.svg().contains(">no data</text>"));
    }

    #[test]
    fn names_of_times_do_not_run_into_each_other() {
        let ticks = (0..100).map(|at| (f64::from(at) / 10.0, "a long name".to_owned())).collect();
        let figure = Timeline { ticks, ..timeline(vec![bar(0.0, 1.0, 3.0)]) };
        let names = figure.svg().matches(">a long name<").count();
        assert!((5..=12).contains(&names), "{names}");
    }
}
