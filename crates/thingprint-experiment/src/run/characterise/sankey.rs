//! A day of a device: how it talks, with whom, and how much (Fig. 2).
use std::collections::BTreeMap;

use thingprint_figure::{Sankey, SankeyFlow};
use thingprint_flow::DeviceId;
use thingprint_table::{Cell, Column, Table};

use super::Traffic;
use crate::flows::FlowRecord;
use crate::outcome::Section;
use crate::run::trial::most_frequent;

/// Columns of the figure.
const COLUMNS: [&str; 5] = ["cast", "network", "protocol", "port", "name"];

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// Nodes below this share of the bytes are drawn as one.
const SMALLEST_SHARE: f64 = 0.002;

/// Most nodes of a column.
const MOST_NODES: usize = 14;

/// Bytes by path.
type Paths = BTreeMap<[String; COLUMNS.len()], u64>;

pub(super) fn sections(traffic: &Traffic<'_>) -> Vec<Section> {
    let section = |class: &&str| section(class, traffic.flows.get(class)?);
    traffic.drawn.iter().filter_map(section).collect()
}

fn section(class: &str, flows: &[&FlowRecord]) -> Option<Section> {
    let day = busiest_day(flows)?;
    let paths = paths(flows.iter().copied().filter(|flow| day_of(flow) == day));
    let mut table = Table::new([
        Column::texts("cast"),
        Column::texts("network"),
        Column::texts("protocol"),
        Column::texts("port"),
        Column::texts("name"),
        Column::count("bytes"),
    ]);
    for (path, bytes) in &paths {
        let [cast, network, protocol, port, name] = path.clone().map(Cell::from);
        table.add([cast, network, protocol, port, name, Cell::from(*bytes)]);
    }
    let flow = |(path, bytes): (&[String; COLUMNS.len()], &u64)| SankeyFlow {
        path: path.to_vec(),
        value: *bytes as f64,
    };
    let chart = Sankey {
        title: format!("A day of {class}"),
        description: "Bytes both ways by cast, network, protocol, server port and name".to_owned(),
        unit: "B".to_owned(),
        columns: COLUMNS.map(str::to_owned).to_vec(),
        flows: paths.iter().map(flow).collect(),
        colour_by: 2,
        smallest_share: SMALLEST_SHARE,
        most_nodes: MOST_NODES,
    };
    let fold = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    Some(Section {
        name: format!("day-{}", class.chars().map(fold).collect::<String>()),
        heading: format!("A day of {class}"),
        prose: "The day (UTC) of one device of the class with most flows. A name is the one that the device had looked up, \
                or said in its ClientHello, for the other end."
            .to_owned(),
        table,
        chart: Some(chart.into()),
    })
}

fn day_of(flow: &FlowRecord) -> (DeviceId, i64) {
    (flow.device, flow.first.as_nanos().div_euclid(DAY_S * 1_000_000_000))
}

/// The device and day with most flows; of equals, the first.
fn busiest_day(flows: &[&FlowRecord]) -> Option<(DeviceId, i64)> {
    most_frequent(flows.iter().map(|flow| day_of(flow))).map(|(day, _)| day)
}

fn paths<'a>(flows: impl Iterator<Item = &'a FlowRecord>) -> Paths {
    let mut paths = Paths::new();
    for flow in flows {
        let name = flow.domain.as_deref().unwrap_or("no name");
        let path = [
            flow.cast.name().to_owned(),
            flow.side.name().to_owned(),
            flow.protocol_name(),
            flow.server_port.to_string(),
            name.to_owned(),
        ];
        let bytes = paths.entry(path).or_default();
        *bytes = bytes.saturating_add(flow.bytes);
    }
    paths
}
