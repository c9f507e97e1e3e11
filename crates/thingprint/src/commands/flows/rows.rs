use std::collections::BTreeMap;

use serde::Serialize;
use thingprint_flow::{DeviceId, Endpoint, Flow, Frame, protocol_name};
use thingprint_pipeline::{FlowId, FlowRow};
use thingprint_profile::Matcher;
use thingprint_protocol::{Carrier, ClientHello, Engine, Heard, HeardMessage, Message, Protocol, Sender};
use thingprint_report::Labels;
use thingprint_table::{Cell, Json, Table, Type};

use super::Order;
use super::likeness;
use super::row::Row;
use super::split::Split;
use super::waiting::WaitingRows;
use crate::devices_seen::DevicesSeen;
use crate::messages::{Messages, counted};

/// Devices and protocols that are named where messages were left out.
const MOST_NAMED: usize = 5;

/// What is told of each flow.
const COLUMNS: [(&str, Type); 17] = [
    ("ts", Type::Time),
    ("id.orig_h", Type::Text),
    ("id.orig_p", Type::Unsigned),
    ("id.resp_h", Type::Text),
    ("id.resp_p", Type::Unsigned),
    ("proto", Type::Text),
    ("service", Type::Text),
    ("standard_port", Type::Flag),
    ("duration", Type::Real),
    ("orig_bytes", Type::Unsigned),
    ("resp_bytes", Type::Unsigned),
    ("orig_pkts", Type::Unsigned),
    ("resp_pkts", Type::Unsigned),
    ("end", Type::Text),
    ("community_id", Type::Text),
    ("device", Type::Text),
    ("label", Type::Text),
];
/// What is told of its messages.
const ATTRIBUTES: [(&str, Type); 4] = [
    ("ja3", Type::Text),
    ("ja4", Type::Text),
    ("messages", Type::Json),
    ("messages_dropped", Type::Unsigned),
];

/// Rows on their way into a table.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    columns: FlowColumns<'a>,
    order: Order,
    /// The network whose flows come.
    network: Option<String>,
    /// Rows that wait for their order.
    waiting: WaitingRows,
    split: Option<Split>,
    devices: DevicesSeen,
    written: u64,
    messages_dropped: BTreeMap<(DeviceId, Protocol), u64>,
}

/// What the columns of flows are, and what their values are made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlowColumns<'a> {
    pub(super) labels: &'a Labels,
    pub(super) engine: &'a Engine,
    /// Which known devices there are, where flows are to be compared with them.
    pub(super) matcher: Option<&'a Matcher<'a>>,
    /// Whether to list the messages.
    pub(super) has_attributes: bool,
    pub(super) shows_credentials: bool,
    /// Whether flows are of several networks.
    pub(super) has_networks: bool,
}

/// A message as JSON.
#[derive(Serialize)]
struct MessageRow<'a> {
    time: String,
    sender: Sender,
    #[serde(flatten)]
    message: &'a Message,
}

impl FlowColumns<'_> {
    /// The columns of flows.
    pub(super) fn columns(&self) -> Table {
        let likeness = likeness::COLUMNS.into_iter().filter(|_| self.matcher.is_some());
        let attributes = ATTRIBUTES.into_iter().filter(|_| self.has_attributes);
        let network = Some(("network", Type::Text)).filter(|_| self.has_networks);
        Table::new(COLUMNS.into_iter().chain(network).chain(likeness).chain(attributes))
    }

    /// Whether what is said in flows matters.
    pub(super) const fn wants_messages(&self) -> bool {
        self.has_attributes || self.matcher.is_some()
    }
}

impl<'a> Rows<'a> {
    /// No rows yet.
    pub(super) fn new(columns: FlowColumns<'a>, order: Order, split: Option<Split>) -> Self {
        Self {
            columns,
            order,
            network: None,
            waiting: WaitingRows::default(),
            split,
            devices: DevicesSeen::default(),
            written: 0,
            messages_dropped: BTreeMap::new(),
        }
    }

    /// From now on, flows are of another network.
    pub(super) fn enter(&mut self, network: &str) {
        self.network = Some(network.to_owned());
    }

    /// Takes flows that were closed, gives their captures their names, and gives back the rows that need not wait.
    pub(super) fn take(&mut self, flows: Vec<FlowRow>) -> anyhow::Result<Option<Table>> {
        let mut rows = Vec::with_capacity(flows.len());
        for row in flows {
            if let Some(split) = &mut self.split {
                split.finish(row.id, &outline(&row.flow, self.columns.engine))?;
            }
            let key = (row.flow.first, row.id);
            rows.push((key, self.row(row)?));
        }
        if self.order == Order::End {
            return self.table(rows.into_iter().map(|(_, row)| row)).map(Some);
        }
        self.waiting.extend(rows);
        let due = self.waiting.take_due();
        if due.is_empty() { Ok(None) } else { self.table(due.into_iter()).map(Some) }
    }

    /// The rows that wait.
    pub(super) fn rest(&mut self) -> anyhow::Result<Table> {
        let all = self.waiting.take_all();
        self.table(all.into_iter())
    }

    /// Forgets what came so far, since everything is read again.
    pub(super) fn restart(&mut self) {
        self.waiting = WaitingRows::default();
        self.devices = DevicesSeen::default();
        self.written = 0;
        self.messages_dropped.clear();
    }

    /// Whether flows get captures of their own.
    pub(super) const fn has_split(&self) -> bool {
        self.split.is_some()
    }

    /// Writes a frame into the captures of its flows.
    pub(super) fn write_frame(&mut self, flows: Vec<FlowId>, frame: &Frame<'_>) -> anyhow::Result<()> {
        self.split.as_mut().map_or(Ok(()), |split| split.write(flows, frame))
    }

    /// Ends the captures of flows, and says which were written.
    pub(super) fn close_split(&mut self, fragments: u64, messages: Messages) {
        if let Some(split) = self.split.take() {
            split.report(fragments, messages);
            split.close();
        }
    }

    /// Rows written.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Devices of these rows.
    pub(super) const fn devices(&self) -> &DevicesSeen {
        &self.devices
    }

    /// Says what was left out.
    pub(super) fn report(&self, messages: Messages) {
        if self.messages_dropped.is_empty() {
            return;
        }
        let count = counted(self.messages_dropped.values().sum(), "message was", "messages were");
        let named = self.messages_dropped.iter().take(MOST_NAMED).map(|((device, protocol), messages)| {
            format!("{messages} of {} of {device}", format!("{protocol:?}").to_lowercase())
        });
        let named: Vec<String> = named.collect();
        let more = if self.messages_dropped.len() > MOST_NAMED { ", and others" } else { "" };
        let named = format!("{}{more}", named.join(", "));
        let of_which = if self.columns.has_attributes {
            "; the column messages_dropped says of which flows"
        } else {
            ""
        };
        messages.warn(format!(
            "{count} left out ({named}): more than 1,024 in a flow, or too many bytes in all{of_which}"
        ));
    }

    fn table(&mut self, rows: impl Iterator<Item = Row>) -> anyhow::Result<Table> {
        let mut part = self.columns.columns();
        for row in rows {
            self.devices.see(row.device, self.columns.labels);
            part.push(row.into_cells(self.columns.labels))?;
        }
        self.written += part.rows() as u64;
        Ok(part)
    }

    fn row(&mut self, row: FlowRow) -> anyhow::Result<Row> {
        let service = service(&row.flow.state, self.columns.engine);
        let (mut row, flow) = Row::of(row, service);
        row.extend(self.network.clone().map(Cell::from));
        if let Some(matcher) = self.columns.matcher {
            row.extend(likeness::cells(matcher, &flow));
        }
        if self.columns.wants_messages() {
            for (protocol, messages) in &flow.state.dropped {
                *self.messages_dropped.entry((row.device, *protocol)).or_default() += messages;
            }
        }
        if self.columns.has_attributes {
            row.extend(self.attributes(flow.state)?);
        }
        Ok(row)
    }

    /// JA3, JA4, the messages, and how many of them are not there.
    fn attributes(&self, mut heard: Heard) -> anyhow::Result<[Cell; 4]> {
        for heard in &mut heard.messages {
            if self.columns.shows_credentials {
                heard.message.show_credentials();
            }
        }
        let hello = heard.messages.iter().find_map(|heard| client_hello(&heard.message));
        let rows: Vec<MessageRow<'_>> = heard.messages.iter().map(MessageRow::of).collect();
        Ok([
            Cell::from(hello.and_then(|(hello, _)| hello.ja3())),
            Cell::from(hello.map(|(hello, carrier)| hello.ja4(carrier))),
            Cell::from(Json::of(&rows)?),
            Cell::from(heard.messages_dropped()),
        ])
    }
}

impl<'a> MessageRow<'a> {
    fn of(heard: &'a HeardMessage) -> Self {
        let nanos = heard.time.as_nanos();
        let time = jiff::Timestamp::from_nanosecond(nanos.into());
        let time = time.map_or_else(|_| heard.time.to_string(), |time| time.to_string());
        Self { time, sender: heard.sender, message: &heard.message }
    }
}

/// What the name of a flow's capture says: protocol, client, server and service.
fn outline(flow: &Flow<Heard>, engine: &Engine) -> String {
    let (client, server) = flow.client_server();
    let service = service(&flow.state, engine).unwrap_or_else(|| "none".to_owned());
    let end = |end: Endpoint| format!("{}-{}", end.addr, end.port);
    format!("{}-{}-{}-{service}", protocol_name(flow.tuple.protocol()), end(client), end(server))
}

/// The protocols of a flow from the outside, as `smtp,tls`.
fn service(heard: &Heard, engine: &Engine) -> Option<String> {
    let services = heard.services(engine);
    (!services.is_empty()).then(|| services.join(",").to_lowercase())
}

fn client_hello(message: &Message) -> Option<(&ClientHello, Carrier)> {
    match message {
        Message::ClientHello(hello) => Some((hello, Carrier::Tcp)),
        Message::QuicInitial(initial) => Some((initial.client_hello.as_ref()?, Carrier::Quic)),
        _ => None,
    }
}
