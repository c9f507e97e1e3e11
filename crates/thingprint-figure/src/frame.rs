//! The frame of a plot: axes with marks, grid and labels.

use crate::axis::{Across, Axis, Guide};
use crate::drawing::{Anchor, Drawing, Label, MARGIN, Paint, Rect, SMALL, TEXT, widest};
use crate::lettering::width;
use crate::range::Range;

/// Usual width of a figure, in pixels.
pub(crate) const WIDTH: f64 = 760.0;
/// Usual height of the area that data are drawn into, in pixels.
pub(crate) const HEIGHT: f64 = 280.0;
/// Room of marks below an axis, in pixels.
pub(crate) const MARKS: f64 = 20.0;
/// Room of an axis' label, in pixels.
pub(crate) const LABEL: f64 = 20.0;
/// Height of the name of an upright guide, in pixels.
const GUIDE: f64 = 14.0;
/// Greatest width of marks at the left, in pixels.
const WIDEST_MARK: f64 = 80.0;

/// An area with two axes that data are drawn into.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) area: Rect,
    pub(crate) x: Range,
    pub(crate) y: Range,
}

impl Frame {
    /// Draws both axes below what there is so far.
    pub(crate) fn draw(drawing: &mut Drawing, x: (&Axis, Range), y: (&Axis, Range), height: f64) -> Self {
        let area = level_axis(drawing, y.0, &y.1, height);
        upright_lines(drawing, area, &x.1);
        x_marks(drawing, area, x.0, &x.1);
        Self { area, x: x.1, y: y.1 }
    }

    /// Where a pair of values lies, if both are on the axes.
    pub(crate) fn place(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        Some((self.across(self.x.share(x)?), self.up(self.y.share(y)?)))
    }

    /// The place of a share of the horizontal axis.
    pub(crate) fn across(&self, share: f64) -> f64 {
        self.area.x + self.area.width * share
    }

    /// The place of a share of the vertical axis.
    pub(crate) fn up(&self, share: f64) -> f64 {
        self.area.bottom() - self.area.height * share
    }

    /// Draws the guides that lie within the axes. Names of upright ones stand above the area, each in a line of its
    /// own, for which [`reserve`] made room.
    pub(crate) fn guides(&self, drawing: &mut Drawing, guides: &[Guide]) {
        let mut base = self.area.y - 5.0;
        for guide in guides {
            match guide.across {
                Across::X => {
                    self.upright_guide(drawing, guide, base);
                    base -= GUIDE;
                }
                Across::Y => self.level_guide(drawing, guide),
            }
        }
    }

    fn upright_guide(&self, drawing: &mut Drawing, guide: &Guide, base: f64) {
        let Some(share) = self.x.share(guide.at) else { return };
        let at = self.across(share);
        drawing.line((at, base + 3.0), (at, self.area.bottom()), Paint::new("ink").dash("4 4"));
        let half = width(&guide.label, SMALL).min(self.area.width) / 2.0;
        let middle = at.clamp(self.area.x + half, (self.area.right() - half).max(self.area.x + half));
        let label = Label::new(&guide.label, middle, base).size(SMALL).anchor(Anchor::Middle);
        drawing.label(label.limit(self.area.width).class("halo"));
    }

    fn level_guide(&self, drawing: &mut Drawing, guide: &Guide) {
        let Some(share) = self.y.share(guide.at) else { return };
        let at = self.up(share);
        drawing.line((self.area.x, at), (self.area.right(), at), Paint::new("ink").dash("4 4"));
        let base = if share > 0.9 { at + 13.0 } else { at - 5.0 };
        let label = Label::new(&guide.label, self.area.right() - 4.0, base).size(SMALL).anchor(Anchor::End);
        drawing.label(label.limit(self.area.width - 8.0).class("halo"));
    }
}

/// Makes room for the names of upright guides above the area that follows.
pub(crate) fn reserve(drawing: &mut Drawing, guides: &[Guide]) {
    let uprights = guides.iter().filter(|guide| guide.across == Across::X).count();
    drawing.reach(drawing.bottom() + GUIDE * uprights as f64);
}

/// Draws a vertical axis with its grid, and gives the area beside it.
pub(crate) fn level_axis(drawing: &mut Drawing, axis: &Axis, range: &Range, height: f64) -> Rect {
    let marks = range.marks();
    let text = axis.text();
    // Axes of shares are alike, so that areas below each other are in line.
    let least = axis.percent.then_some("100");
    let room = widest(marks.iter().map(|mark| mark.label.as_str()).chain(least), SMALL, WIDEST_MARK);
    let label = if text.is_empty() { 0.0 } else { LABEL };
    let (x, y) = (MARGIN + label + room + 6.0, drawing.bottom() + 6.0);
    let area = Rect { x, y, width: drawing.width() - x - MARGIN - 6.0, height };
    for mark in marks {
        let at = area.bottom() - height * mark.share;
        drawing.line((x, at), (area.right(), at), Paint::new("grid"));
        let label = Label::new(&mark.label, x - 6.0, at + 4.0).size(SMALL).anchor(Anchor::End);
        drawing.label(label.limit(WIDEST_MARK).class("m"));
    }
    if !text.is_empty() {
        let label = Label::new(&text, MARGIN + TEXT, y + height / 2.0).anchor(Anchor::Middle).turn(-90.0);
        drawing.label(label.limit(height));
    }
    drawing.reach(area.bottom());
    area
}

/// Draws the grid of a horizontal axis.
pub(crate) fn upright_lines(drawing: &mut Drawing, area: Rect, range: &Range) {
    for mark in range.marks() {
        let at = area.x + area.width * mark.share;
        drawing.line((at, area.y), (at, area.bottom()), Paint::new("grid"));
    }
}

/// Draws a horizontal axis below an area: its line, marks as far as they do not run into each other, and its label.
pub(crate) fn x_marks(drawing: &mut Drawing, area: Rect, axis: &Axis, range: &Range) {
    base_line(drawing, area);
    let mut free_from = f64::NEG_INFINITY;
    for mark in range.marks() {
        let at = area.x + area.width * mark.share;
        let half = width(&mark.label, SMALL) / 2.0;
        if at - half < free_from {
            continue;
        }
        free_from = at + half + 4.0;
        let at = at.clamp(half + 1.0, (drawing.width() - half - 1.0).max(half + 1.0));
        let label = Label::new(&mark.label, at, area.bottom() + 15.0).size(SMALL);
        drawing.label(label.anchor(Anchor::Middle).class("m"));
    }
    drawing.reach(area.bottom() + MARKS);
    x_label(drawing, area, &axis.text());
}

/// Draws the label of a horizontal axis below everything so far.
pub(crate) fn x_label(drawing: &mut Drawing, area: Rect, text: &str) {
    let bottom = drawing.bottom();
    if text.is_empty() {
        drawing.reach(bottom + 6.0);
        return;
    }
    let middle = area.x + area.width / 2.0;
    let room = 2.0 * middle.min(drawing.width() - middle) - 2.0;
    drawing.label(Label::new(text, middle, bottom + 14.0).anchor(Anchor::Middle).limit(room));
    drawing.reach(bottom + LABEL + 4.0);
}

/// Draws the line below an area.
pub(crate) fn base_line(drawing: &mut Drawing, area: Rect) {
    drawing.line((area.x, area.bottom()), (area.right(), area.bottom()), Paint::new("axis"));
}
