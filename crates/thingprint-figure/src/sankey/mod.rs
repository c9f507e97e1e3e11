//! Sankey diagrams: amounts that flow through columns of alternatives.

mod layout;

use crate::class::Colour;
use crate::drawing::{Anchor, Drawing, Figure, Label, MARGIN, Paint, Rect, SMALL, TEXT, widest};
use crate::frame::WIDTH;
use crate::lettering::width;
use crate::number::{exact, is_drawable, percent, place};
use layout::{Layout, Node, Ribbon};

/// Width of a node, in pixels.
const NODE: f64 = 12.0;
/// Greatest width of labels behind the last column, in pixels.
const LAST_LABELS: f64 = 220.0;
/// Width that one more column adds beyond three, in pixels.
const COLUMN: f64 = 90.0;
/// How much of the background a ribbon hides.
const RIBBON: f64 = 0.42;

/// Amounts that each take one alternative in every column, such as traffic by reach, protocol, port and domain.
///
/// Widths are proportional to amounts. Nodes are ordered so that few ribbons cross; small ones are joined.
///
/// ```
/// use thingprint_figure::{Figure, Sankey, SankeyFlow};
///
/// let flow = |path: [&str; 2], value| SankeyFlow { path: path.map(String::from).into(), value };
/// let sankey = Sankey {
///     columns: vec!["protocol".into(), "port".into()],
///     flows: vec![flow(["TCP", "443"], 80.0), flow(["UDP", "53"], 20.0)],
///     ..Sankey::default()
/// };
/// assert!(sankey.svg().contains("443"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sankey {
    /// What the figure shows.
    pub title: String,
    /// The same in more words, for those who cannot see it.
    pub description: String,
    /// What values count, such as "flows".
    pub unit: String,
    /// Names of the columns, from left to right.
    pub columns: Vec<String>,
    /// The flows, in any order; those with the same path add up.
    pub flows: Vec<SankeyFlow>,
    /// Index of the column whose nodes give ribbons their colours.
    pub colour_by: usize,
    /// Nodes of a smaller share of the whole are joined as "other", unless there is but one.
    pub smallest_share: f64,
    /// Most nodes of a column, "other" included; 1 at least.
    pub most_nodes: usize,
}

impl Default for Sankey {
    fn default() -> Self {
        Self {
            title: String::new(),
            description: String::new(),
            unit: String::new(),
            columns: Vec::new(),
            flows: Vec::new(),
            colour_by: 0,
            smallest_share: 0.01,
            most_nodes: 12,
        }
    }
}

/// An amount and the way that it takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SankeyFlow {
    /// The node of each column; what is missing at the end counts as "none".
    pub path: Vec<String>,
    /// The amount, above 0.
    pub value: f64,
}

impl Figure for Sankey {
    fn draw(&self) -> Drawing {
        let columns = self.columns.len();
        let more = columns.clamp(3, 8) as f64 - 3.0;
        let mut drawing = Drawing::new(&self.title, &self.description, WIDTH + COLUMN * more);
        let is_shown = |flow: &&SankeyFlow| is_drawable(flow.value) && flow.value > 0.0;
        let flows: Vec<&SankeyFlow> = self.flows.iter().filter(is_shown).collect();
        let Some(layout) = Layout::of(self, &flows) else { return drawing.no_data() };
        let texts: Vec<String> = layout.nodes.iter().map(|node| label(node, layout.total)).collect();
        let is_last = |node: &&Node| node.column + 1 == columns;
        let last =
            layout.nodes.iter().filter(is_last).map(|node| label(node, layout.total)).collect::<Vec<_>>();
        let room = widest(last.iter().map(String::as_str), SMALL, LAST_LABELS) + 8.0;
        let area = Rect {
            x: MARGIN,
            y: drawing.bottom() + 22.0,
            width: drawing.width() - 2.0 * MARGIN - room,
            height: layout.height,
        };
        let spacing = (area.width - NODE) / (columns.max(2) - 1) as f64;
        self.headings(&mut drawing, area, spacing);
        for ribbon in &layout.ribbons {
            self.ribbon(&mut drawing, area, spacing, (&layout, ribbon));
        }
        for (node, text) in layout.nodes.iter().zip(&texts) {
            let room = if node.column + 1 == columns { room } else { spacing - NODE - 8.0 };
            self.node(&mut drawing, area, spacing, (node, text, room));
        }
        drawing.reach(area.bottom() + MARGIN);
        let total = format!("All: {} {}.", exact(layout.total), self.unit);
        drawing.note(&total.replace(" .", "."));
        drawing.note_left_out(self.flows.len() - flows.len());
        drawing
    }
}

impl Sankey {
    fn headings(&self, drawing: &mut Drawing, area: Rect, spacing: f64) {
        for (index, name) in self.columns.iter().enumerate() {
            let x = area.x + spacing * index as f64;
            let is_last = index + 1 == self.columns.len();
            let limit = if is_last { drawing.width() - MARGIN - x } else { spacing - 8.0 };
            let (x, anchor) = if is_last && width(name, TEXT) > limit {
                (drawing.width() - MARGIN, Anchor::End)
            } else {
                (x, Anchor::Start)
            };
            let label = Label::new(name, x, area.y - 8.0).anchor(anchor).class("b");
            drawing.label(label.limit(limit.max(spacing - 8.0)));
        }
    }

    fn ribbon(&self, drawing: &mut Drawing, area: Rect, spacing: f64, (layout, ribbon): (&Layout, &Ribbon)) {
        let (Some(from), Some(to)) = (layout.nodes.get(ribbon.from), layout.nodes.get(ribbon.to)) else {
            return;
        };
        let left = area.x + spacing * from.column as f64 + NODE;
        let right = area.x + spacing * to.column as f64;
        let middle = f64::midpoint(left, right);
        let (start, end, height) = (area.y + ribbon.start, area.y + ribbon.end, ribbon.height.max(0.6));
        let [left, right, middle] = [left, right, middle].map(place);
        let [start, end, start_low, end_low] = [start, end, start + height, end + height].map(place);
        let path = format!(
            "M{left},{start}C{middle},{start} {middle},{end} {right},{end}L{right},{end_low}\
             C{middle},{end_low} {middle},{start_low} {left},{start_low}Z"
        );
        let share = percent(ribbon.value / layout.total);
        let tip = format!("{} to {}: {} {} ({share})", from.name, to.name, exact(ribbon.value), self.unit);
        drawing.path(&path, Paint::new(colour(ribbon.colour).fill()).opacity(RIBBON), &tip);
    }

    fn node(&self, drawing: &mut Drawing, area: Rect, spacing: f64, (node, text, room): (&Node, &str, f64)) {
        let x = area.x + spacing * node.column as f64;
        let y = area.y + node.y;
        let class = if node.column == self.colour_by { colour(node.colour).fill() } else { "dark" };
        let tip = format!("{}: {} {}", node.name, exact(node.value), self.unit);
        drawing.rect(Rect { x, y, width: NODE, height: node.height.max(1.0) }, Paint::new(class), &tip);
        let label = Label::new(text, x + NODE + 5.0, y + node.height / 2.0 + 4.0).size(SMALL);
        drawing.label(label.limit(room.max(10.0)).class("halo").tip(&tip));
    }
}

/// The name, its share behind it.
fn label(node: &Node, total: f64) -> String {
    let share = percent(node.value / total);
    let share = if share == "0%" { "<0.1%".to_owned() } else { share };
    format!("{} ({share})", node.name)
}

/// The colour of a node by its rank in the column that gives colours.
fn colour(rank: Option<usize>) -> Colour {
    rank.map_or(Colour::Grey, |rank| Colour::of(rank % 7))
}
