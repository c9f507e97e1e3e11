//! Where nodes and ribbons of a Sankey diagram stand.

use std::collections::BTreeMap;

use super::{Sankey, SankeyFlow};

/// Height of all amounts together, in pixels.
const AMOUNTS: f64 = 270.0;
/// Least distance of nodes, which leaves a line for each label, in pixels.
const GAP: f64 = 14.0;
/// Most distance of nodes, in pixels.
const WIDEST_GAP: f64 = 46.0;
/// Sweeps over the columns in search of fewer crossings.
const SWEEPS: usize = 12;
/// Name of what a flow says nothing about.
const MISSING: &str = "none";

/// Nodes and ribbons with their places, from the top left of the diagram.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) nodes: Vec<Node>,
    pub(super) ribbons: Vec<Ribbon>,
    /// Sum of all amounts.
    pub(super) total: f64,
    pub(super) height: f64,
}

/// An alternative of a column.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) column: usize,
    pub(super) name: String,
    pub(super) value: f64,
    /// Whether several small ones are joined in it.
    is_rest: bool,
    /// Rank in its column by size, which stands for a colour; none for what is joined.
    pub(super) colour: Option<usize>,
    pub(super) y: f64,
    pub(super) height: f64,
}

/// What flows from one node to another.
#[derive(Clone, Debug)]
pub(super) struct Ribbon {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) value: f64,
    /// Colour of the node that the flows pass in the column that gives colours.
    pub(super) colour: Option<usize>,
    /// Upper end at the left and at the right.
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) height: f64,
}

impl Layout {
    /// The layout of flows above 0; none without any, or without columns.
    pub(super) fn of(sankey: &Sankey, flows: &[&SankeyFlow]) -> Option<Self> {
        let total: f64 = flows.iter().map(|flow| flow.value).sum();
        if flows.is_empty() || sankey.columns.is_empty() || !crate::number::is_drawable(total) {
            return None;
        }
        let mut columns: Vec<Column> =
            (0..sankey.columns.len()).map(|column| Column::of(sankey, flows, column, total)).collect();
        let mut first = 0;
        for column in &mut columns {
            column.first = first;
            first += column.nodes.len();
        }
        let nodes: Vec<Node> = columns.iter().flat_map(|column| column.nodes.clone()).collect();
        let ribbons = ribbons(sankey, flows, &columns);
        let mut layout = Self { nodes, ribbons, total, height: 0.0 };
        let order = layout.best_order(&columns);
        layout.place_nodes(&order);
        layout.place_ribbons();
        Some(layout)
    }

    /// Nodes of each column from top to bottom, in the order with the fewest crossings that was met.
    fn best_order(&self, columns: &[Column]) -> Vec<Vec<usize>> {
        let mut order: Vec<Vec<usize>> = columns
            .iter()
            .map(|column| (column.first..column.first + column.nodes.len()).collect())
            .collect();
        let links = self.links();
        let mut best = (crossings(&order, &links), order.clone());
        for sweep in 0..SWEEPS {
            let columns: Vec<usize> = if sweep % 2 == 0 {
                (1..order.len()).collect()
            } else {
                (0..order.len() - 1).rev().collect()
            };
            for column in columns {
                let neighbour = if sweep % 2 == 0 { column - 1 } else { column + 1 };
                let ranks = ranks(&order[neighbour]);
                let center = |node: usize| center(node, &links, &ranks);
                let mut sorted: Vec<(bool, f64, usize)> =
                    order[column].iter().map(|node| (self.is_rest(*node), center(*node), *node)).collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
                order[column] = sorted.into_iter().map(|(_, _, node)| node).collect();
            }
            let found = crossings(&order, &links);
            if found < best.0 {
                best = (found, order.clone());
            }
        }
        best.1
    }

    fn is_rest(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|node| node.is_rest)
    }

    /// Amounts between nodes, whatever their colour.
    fn links(&self) -> BTreeMap<(usize, usize), f64> {
        let mut links = BTreeMap::new();
        for ribbon in &self.ribbons {
            *links.entry((ribbon.from, ribbon.to)).or_insert(0.0) += ribbon.value;
        }
        links
    }

    fn place_nodes(&mut self, order: &[Vec<usize>]) {
        let most = order.iter().map(Vec::len).max().unwrap_or(1).max(1);
        self.height = AMOUNTS + GAP * (most - 1) as f64;
        for column in order {
            let spaces = column.len().saturating_sub(1);
            let gap = ((self.height - AMOUNTS) / spaces.max(1) as f64).min(WIDEST_GAP);
            let mut y = (self.height - AMOUNTS - gap * spaces as f64) / 2.0;
            for index in column {
                let Some(node) = self.nodes.get_mut(*index) else { continue };
                node.height = node.value / self.total * AMOUNTS;
                node.y = y;
                y += node.height + gap;
            }
        }
    }

    /// Stacks ribbons at both ends in the order of what they lead to, so that they do not cross at a node.
    fn place_ribbons(&mut self) {
        let tops: Vec<f64> = self.nodes.iter().map(|node| node.y).collect();
        let (mut left, mut right) = (tops.clone(), tops.clone());
        let top = |node: usize| tops.get(node).copied().unwrap_or(0.0);
        for ribbon in &mut self.ribbons {
            ribbon.height = ribbon.value / self.total * AMOUNTS;
        }
        self.ribbons.sort_by(|a, b| top(a.to).total_cmp(&top(b.to)).then(a.colour.cmp(&b.colour)));
        for ribbon in &mut self.ribbons {
            ribbon.start = left[ribbon.from];
            left[ribbon.from] += ribbon.height;
        }
        self.ribbons.sort_by(|a, b| {
            top(a.from).total_cmp(&top(b.from)).then(a.colour.cmp(&b.colour)).then(a.to.cmp(&b.to))
        });
        for ribbon in &mut self.ribbons {
            ribbon.end = right[ribbon.to];
            right[ribbon.to] += ribbon.height;
        }
    }
}

/// The nodes of a column, and which name belongs to which.
#[derive(Clone, Debug)]
struct Column {
    /// Index of the first node among all.
    first: usize,
    nodes: Vec<Node>,
    by_name: BTreeMap<String, usize>,
}

impl Column {
    fn of(sankey: &Sankey, flows: &[&SankeyFlow], column: usize, total: f64) -> Self {
        let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
        for flow in flows {
            *sums.entry(name(flow, column)).or_insert(0.0) += flow.value;
        }
        let mut sums: Vec<(&str, f64)> = sums.into_iter().collect();
        sums.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        let most = sankey.most_nodes.max(1);
        let small = sums.iter().filter(|(_, value)| value / total < sankey.smallest_share).count();
        let mut kept = sums.len() - if small > 1 { small } else { 0 };
        if kept > most || (kept == most && kept < sums.len()) {
            kept = most - 1;
        }
        let node = |(rank, (name, value)): (usize, &(&str, f64))| Node {
            column,
            name: (*name).to_owned(),
            value: *value,
            is_rest: false,
            colour: Some(rank),
            y: 0.0,
            height: 0.0,
        };
        let mut nodes: Vec<Node> = sums.iter().take(kept).enumerate().map(node).collect();
        if kept < sums.len() {
            let value = sums.iter().skip(kept).map(|(_, value)| value).sum();
            let name = format!("other ({})", sums.len() - kept);
            nodes.push(Node { column, name, value, is_rest: true, colour: None, y: 0.0, height: 0.0 });
        }
        let place = |(rank, (name, _)): (usize, &(&str, f64))| ((*name).to_owned(), rank.min(kept));
        Self { first: 0, nodes, by_name: sums.iter().enumerate().map(place).collect() }
    }

    fn node(&self, flow: &SankeyFlow, column: usize) -> usize {
        self.by_name.get(name(flow, column)).copied().unwrap_or(0)
    }
}

fn name(flow: &SankeyFlow, column: usize) -> &str {
    flow.path.get(column).map_or(MISSING, String::as_str)
}

/// Ribbons between neighbouring columns, one for each colour that passes.
fn ribbons(sankey: &Sankey, flows: &[&SankeyFlow], columns: &[Column]) -> Vec<Ribbon> {
    let mut sums: BTreeMap<(usize, usize, Option<usize>), f64> = BTreeMap::new();
    let colours = sankey.colour_by.min(columns.len() - 1);
    for flow in flows {
        let node = |column: usize| columns.get(column).map(|nodes| nodes.first + nodes.node(flow, column));
        let colour =
            columns.get(colours).and_then(|nodes| nodes.nodes.get(nodes.node(flow, colours))?.colour);
        for column in 1..columns.len() {
            let (Some(from), Some(to)) = (node(column - 1), node(column)) else { continue };
            *sums.entry((from, to, colour)).or_insert(0.0) += flow.value;
        }
    }
    let ribbon =
        |((from, to, colour), value)| Ribbon { from, to, value, colour, start: 0.0, end: 0.0, height: 0.0 };
    sums.into_iter().map(ribbon).collect()
}

/// Where each node stands in its column.
fn ranks(column: &[usize]) -> BTreeMap<usize, f64> {
    column.iter().enumerate().map(|(rank, node)| (*node, rank as f64)).collect()
}

/// The mean rank of a node's neighbours in a column, each with the weight of its amount.
fn center(node: usize, links: &BTreeMap<(usize, usize), f64>, ranks: &BTreeMap<usize, f64>) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for ((from, to), value) in links {
        let other = if *from == node { to } else { from };
        if (*from == node || *to == node)
            && let Some(rank) = ranks.get(other)
        {
            sum += rank * value;
            weight += value;
        }
    }
    if weight > 0.0 { sum / weight } else { 0.0 }
}

/// How much crosses, each crossing with the smaller of both amounts.
fn crossings(order: &[Vec<usize>], links: &BTreeMap<(usize, usize), f64>) -> f64 {
    let mut sum = 0.0;
    for pair in order.windows(2) {
        let (left, right) = (ranks(&pair[0]), ranks(&pair[1]));
        let here: Vec<(f64, f64, f64)> = links
            .iter()
            .filter_map(|((from, to), value)| Some((*left.get(from)?, *right.get(to)?, *value)))
            .collect();
        for (index, a) in here.iter().enumerate() {
            let crossed = here[index + 1..].iter().filter(|b| (a.0 - b.0) * (a.1 - b.1) < 0.0);
            sum += crossed.map(|b| a.2.min(b.2)).sum::<f64>();
        }
    }
    sum
}
