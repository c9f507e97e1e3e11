//! The drawing that every figure becomes.

use std::fmt;

use crate::lettering::{shorten, width, wrap};
use crate::number::place;
use thingprint_table::escape;

/// Style sheet of all drawings. Colours are classes and not variables, because many programs that show SVG know no
/// variables; what they do not know of the dark half leaves the light one.
pub(crate) const STYLE: &str = include_str!("figure.css");
/// Hatchings, which the drawings of a page share.
pub(crate) const HATCHES: &str = include_str!("hatch.svg");
/// Room around a drawing, in pixels.
pub(crate) const MARGIN: f64 = 12.0;
/// Font size of text in figures, in pixels.
pub(crate) const TEXT: f64 = 12.0;
/// Font size of marks, legends and notes, in pixels.
pub(crate) const SMALL: f64 = 11.0;
/// Font size of a title, in pixels.
const TITLE: f64 = 15.0;
/// Lines that a title may have; what goes beyond is in the drawing's name.
const TITLE_LINES: usize = 2;
/// Height of a figure without data, in pixels.
const EMPTY: f64 = 90.0;

/// Data that can be drawn.
pub trait Figure {
    /// The drawing.
    fn draw(&self) -> Drawing;

    /// The drawing as an SVG file of its own.
    fn svg(&self) -> String {
        self.draw().to_string()
    }
}

/// A drawn figure. `Display` writes an SVG file that needs nothing beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    title: String,
    description: String,
    width: f64,
    /// Where the drawing ends so far, from the top.
    bottom: f64,
    body: String,
}

impl Drawing {
    /// Style sheet for pages of others that show drawings by [`Drawing::inline`].
    pub const STYLE: &'static str = STYLE;
    /// Hatchings, as definitions for one `<svg>` of a page that shows drawings by [`Drawing::inline`].
    pub const HATCHES: &'static str = HATCHES;

    /// What it shows, in more words than its title.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// A drawing that shows its title already. Title and description are what a screen reader says.
    pub(crate) fn new(title: &str, description: &str, width: f64) -> Self {
        let (title, description) = (title.to_owned(), description.to_owned());
        let mut drawing = Self { title, description, width, bottom: MARGIN, body: String::new() };
        drawing.write_title();
        drawing
    }

    /// A figure's whole drawing where there is nothing to draw.
    pub(crate) fn no_data(mut self) -> Self {
        let middle = self.bottom + EMPTY / 2.0;
        let area = Rect { x: MARGIN, y: self.bottom, width: self.width - 2.0 * MARGIN, height: EMPTY };
        self.rect(area, Paint::new("faint"), "");
        self.label(Label::new("no data", self.width / 2.0, middle + 4.0).anchor(Anchor::Middle).class("m"));
        self.bottom += EMPTY + MARGIN;
        self
    }

    /// Width in pixels.
    pub(crate) fn width(&self) -> f64 {
        self.width
    }

    /// Where the drawing ends so far, from the top, in pixels.
    pub(crate) fn bottom(&self) -> f64 {
        self.bottom
    }

    /// Has the drawing reach down to a place, if it does not yet.
    pub(crate) fn reach(&mut self, bottom: f64) {
        self.bottom = self.bottom.max(bottom);
    }

    /// A remark below everything so far.
    pub(crate) fn note(&mut self, text: &str) {
        for line in wrap(text, SMALL, self.width - 2.0 * MARGIN) {
            self.bottom += SMALL + 4.0;
            self.label(Label::new(&line, MARGIN, self.bottom - 4.0).size(SMALL).class("m"));
        }
        self.bottom += 4.0;
    }

    /// A note about values that are not drawn, if there are any.
    pub(crate) fn note_left_out(&mut self, count: usize) {
        match count {
            0 => {}
            1 => self.note("1 value is not shown: not finite, or outside of the axis."),
            _ => self.note(&format!("{count} values are not shown: not finite, or outside of the axis.")),
        }
    }

    /// A rectangle, with what shows when the pointer rests on it.
    pub(crate) fn rect(&mut self, rect: Rect, paint: Paint<'_>, tip: &str) {
        let Rect { x, y, width, height } = rect;
        let (x, y) = (place(x), place(y));
        let (width, height) = (place(width.max(0.0)), place(height.max(0.0)));
        let attributes = format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
        self.element("rect", &attributes, paint, tip);
    }

    /// A path of absolute commands.
    pub(crate) fn path(&mut self, path: &str, paint: Paint<'_>, tip: &str) {
        self.element("path", &format!("d=\"{path}\""), paint, tip);
    }

    /// A straight line.
    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), paint: Paint<'_>) {
        self.path(&polyline(&[from, to]), paint, "");
    }

    /// Text, shortened where it is wider than it may be; its whole then shows under the pointer.
    pub(crate) fn label(&mut self, label: Label<'_>) {
        let shown = shorten(label.text, label.size, label.limit);
        let tip = if label.tip.is_empty() && shown != label.text { label.text } else { label.tip };
        let title =
            if tip.is_empty() { String::new() } else { format!("<title>{}</title>", escape::html(tip)) };
        self.body.extend(["<text ", &label.attributes(), ">", &title, &escape::html(&shown), "</text>\n"]);
    }

    /// The drawing as an element of a page that has style sheet and hatchings.
    pub fn inline(&self) -> String {
        let (width, height) = (place(self.width), place(self.bottom));
        let title = escape::html(if self.title.is_empty() { "Figure" } else { &self.title });
        let about = match self.description.as_str() {
            "" => String::new(),
            text => format!("<desc>{}</desc>\n", escape::html(text)),
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tp\" role=\"img\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n<title>{title}</title>\n{about}\
             <rect class=\"bg\" width=\"{width}\" height=\"{height}\"/>\n{}</svg>\n",
            self.body
        )
    }

    fn write_title(&mut self) {
        let mut lines = wrap(&self.title, TITLE, self.width - 2.0 * MARGIN - TITLE);
        if lines.len() > TITLE_LINES {
            lines.truncate(TITLE_LINES);
            lines.iter_mut().skip(TITLE_LINES - 1).for_each(|line| line.push('…'));
        }
        for line in lines {
            self.bottom += TITLE + 4.0;
            self.label(Label::new(&line, MARGIN, self.bottom - 5.0).size(TITLE).class("b"));
        }
        self.bottom += 6.0;
    }

    fn element(&mut self, name: &str, attributes: &str, paint: Paint<'_>, tip: &str) {
        let head = format!("<{name} {attributes}{paint}");
        let element = match tip {
            "" => format!("{head}/>\n"),
            tip => format!("{head}><title>{}</title></{name}>\n", escape::html(tip)),
        };
        self.body.push_str(&element);
    }
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inline = self.inline();
        let (head, body) = inline.split_once("<title>").unwrap_or((&inline, ""));
        let hatches = if self.body.contains("url(#tp-h") { HATCHES } else { "" };
        let (name, rest) = body.split_once("<rect class=\"bg\"").unwrap_or((body, ""));
        write!(f, "{head}<title>{name}<style>\n{STYLE}</style>\n{hatches}<rect class=\"bg\"{rest}")
    }
}

/// A rectangle, in pixels from the top left.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Rect {
    pub(crate) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// How a form is painted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paint<'a> {
    class: &'a str,
    hatch: Option<&'a str>,
    dash: &'a str,
    opacity: Option<f64>,
    stroke_width: Option<f64>,
}

impl<'a> Paint<'a> {
    /// By classes of the style sheet.
    pub(crate) fn new(class: &'a str) -> Self {
        Self { class, ..Self::default() }
    }

    /// With a hatching instead of a colour.
    pub(crate) fn hatch(hatch: &'a str) -> Self {
        Self { hatch: Some(hatch), ..Self::default() }
    }

    pub(crate) fn dash(self, dash: &'a str) -> Self {
        Self { dash, ..self }
    }

    pub(crate) fn opacity(self, opacity: f64) -> Self {
        Self { opacity: Some(opacity), ..self }
    }

    pub(crate) fn stroke_width(self, width: f64) -> Self {
        Self { stroke_width: Some(width), ..self }
    }
}

impl fmt::Display for Paint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.class.is_empty() {
            write!(f, " class=\"{}\"", self.class)?;
        }
        if let Some(hatch) = self.hatch {
            write!(f, " fill=\"url(#{hatch})\"")?;
        }
        if !self.dash.is_empty() {
            write!(f, " stroke-dasharray=\"{}\"", self.dash)?;
        }
        if let Some(opacity) = self.opacity {
            write!(f, " fill-opacity=\"{}\"", place(opacity))?;
        }
        if let Some(width) = self.stroke_width {
            write!(f, " stroke-width=\"{}\"", place(width))?;
        }
        Ok(())
    }
}

/// Which part of a text stands at its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Anchor {
    #[default]
    Start,
    Middle,
    End,
}

/// Text to be written into a drawing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label<'a> {
    text: &'a str,
    tip: &'a str,
    x: f64,
    y: f64,
    size: f64,
    anchor: Anchor,
    /// Degrees clockwise.
    turn: f64,
    class: &'a str,
    /// Greatest width, in pixels.
    limit: f64,
}

impl<'a> Label<'a> {
    /// Text that begins at a place, on a base line.
    pub(crate) fn new(text: &'a str, x: f64, y: f64) -> Self {
        let anchor = Anchor::Start;
        Self { text, tip: "", x, y, size: TEXT, anchor, turn: 0.0, class: "", limit: f64::INFINITY }
    }

    pub(crate) fn size(self, size: f64) -> Self {
        Self { size, ..self }
    }

    pub(crate) fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub(crate) fn turn(self, turn: f64) -> Self {
        Self { turn, ..self }
    }

    pub(crate) fn class(self, class: &'a str) -> Self {
        Self { class, ..self }
    }

    pub(crate) fn limit(self, limit: f64) -> Self {
        Self { limit, ..self }
    }

    pub(crate) fn tip(self, tip: &'a str) -> Self {
        Self { tip, ..self }
    }

    fn attributes(&self) -> String {
        let (x, y, size) = (place(self.x), place(self.y), place(self.size));
        let anchor = match self.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let turn = match place(self.turn).as_str() {
            "0" => String::new(),
            turn => format!(" transform=\"rotate({turn} {x} {y})\""),
        };
        let class = Paint::new(self.class);
        format!("x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{anchor}{turn}{class}")
    }
}

/// The path from point to point.
pub(crate) fn polyline(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let command = if index == 0 { "M" } else { "L" };
        path.extend([command, &place(*x), ",", &place(*y)]);
    }
    path
}

/// The widest of some texts, in pixels, but not wider than a limit.
pub(crate) fn widest<'a>(texts: impl IntoIterator<Item = &'a str>, size: f64, limit: f64) -> f64 {
    texts.into_iter().map(|text| width(text, size)).fold(0.0, f64::max).min(limit)
}
