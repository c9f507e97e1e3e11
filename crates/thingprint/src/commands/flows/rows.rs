use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use thingprint_flow::{DeviceId, Endpoint, Flow, FlowEnd, Tally, Timestamp, protocol_name};
use thingprint_profile::Matcher;
use thingprint_protocol::schema::Model;
use thingprint_protocol::{Carrier, ClientHello, Engine, Heard, HeardMessage, Message, Sender};
use thingprint_report::{Cell, Json, Labels, Table, TableWriter, Type};

use super::likeness;
use super::record::Told;
use super::split::Split;
use crate::messages::{Messages, counted};

/// Rows that are kept back, so that they can be written in the order of first packets.
const MOST_WAITING: usize = 1 << 16;

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
    making: Making<'a>,
    /// Whether rows may be written before the end.
    may_flow: bool,
    waiting: BTreeMap<(Timestamp, u64), Row>,
    devices: BTreeSet<DeviceId>,
    written: u64,
    messages_dropped: u64,
}

#[derive(Debug)]
struct Row {
    device: DeviceId,
    cells: Vec<Cell>,
}

/// What rows are made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Making<'a> {
    pub(super) labels: &'a Labels,
    pub(super) engine: &'a Engine,
    /// Which known devices there are, where flows are to be held against them.
    pub(super) matcher: Option<&'a Matcher<'a>>,
    /// Whether to tell the messages.
    pub(super) has_attributes: bool,
    pub(super) shows_credentials: bool,
}

/// A message as JSON.
#[derive(Serialize)]
struct Said<'a> {
    time: String,
    sender: Sender,
    #[serde(flatten)]
    message: &'a Message,
}

impl Making<'_> {
    /// The columns of flows.
    pub(super) fn columns(&self) -> Table {
        let likeness = likeness::COLUMNS.into_iter().filter(|_| self.matcher.is_some());
        let attributes = ATTRIBUTES.into_iter().filter(|_| self.has_attributes);
        Table::new(COLUMNS.into_iter().chain(likeness).chain(attributes))
    }

    /// Whether what is said in flows matters.
    pub(super) const fn wants_messages(&self) -> bool {
        self.has_attributes || self.matcher.is_some()
    }
}

impl<'a> Rows<'a> {
    /// No rows yet; they may be written before the end where `may_flow`.
    pub(super) const fn new(making: Making<'a>, may_flow: bool) -> Self {
        Self {
            making,
            may_flow,
            waiting: BTreeMap::new(),
            devices: BTreeSet::new(),
            written: 0,
            messages_dropped: 0,
        }
    }

    /// Adds flows that were closed, and gives their captures their names.
    pub(super) fn add(
        &mut self,
        flows: Vec<Flow<Told>>,
        devices: &[DeviceId],
        mut split: Option<&mut Split>,
    ) -> anyhow::Result<()> {
        for flow in flows {
            let Some(device) = devices.get(flow.device.as_usize()) else { continue };
            if let Some(split) = &mut split {
                split.finish(flow.state.number, &self.outline(&flow))?;
            }
            let key = (flow.first, flow.state.number);
            let cells = self.cells(flow, *device)?;
            self.waiting.insert(key, Row { device: *device, cells });
        }
        Ok(())
    }

    /// Writes the rows for which there is no room.
    pub(super) fn write_due(&mut self, writer: &mut TableWriter<'_>) -> anyhow::Result<()> {
        if !self.may_flow || self.waiting.len() <= 2 * MOST_WAITING {
            return Ok(());
        }
        let Some(first_kept) = self.waiting.keys().rev().nth(MOST_WAITING - 1).copied() else {
            return Ok(());
        };
        let kept = self.waiting.split_off(&first_kept);
        let due = std::mem::replace(&mut self.waiting, kept);
        self.write(due, writer)
    }

    /// Writes the rows that wait.
    pub(super) fn write_all(&mut self, writer: &mut TableWriter<'_>) -> anyhow::Result<()> {
        let all = std::mem::take(&mut self.waiting);
        self.write(all, writer)
    }

    /// Leaves out what is no device after all.
    pub(super) fn leave_out(&mut self, device: DeviceId) {
        self.waiting.retain(|_, row| row.device != device);
    }

    /// Rows written.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Devices of these rows.
    pub(super) fn devices(&self) -> usize {
        self.devices.len()
    }

    /// Says what was left out.
    pub(super) fn report(&self, messages: Messages) {
        if self.messages_dropped == 0 {
            return;
        }
        let count = counted(self.messages_dropped, "message was", "messages were");
        let of_which =
            if self.making.has_attributes { "; the column messages_dropped says of which flows" } else { "" };
        messages
            .warn(format!("{count} left out: more than 1,024 in a flow, or too many bytes in all{of_which}"));
    }

    fn write(
        &mut self,
        rows: BTreeMap<(Timestamp, u64), Row>,
        writer: &mut TableWriter<'_>,
    ) -> anyhow::Result<()> {
        let mut part = self.making.columns();
        for row in rows.into_values() {
            self.devices.insert(row.device);
            part.push(row.cells)?;
        }
        self.written += part.rows() as u64;
        Ok(writer.push(part)?)
    }

    /// What the name of a flow's capture says: protocol, client, server and service.
    fn outline(&self, flow: &Flow<Told>) -> String {
        let (client, server) = flow.client_server();
        let service = self.service(&flow.state.heard).unwrap_or_else(|| "none".to_owned());
        let end = |end: Endpoint| format!("{}-{}", end.addr, end.port);
        format!("{}-{}-{}-{service}", protocol_name(flow.tuple.protocol()), end(client), end(server))
    }

    fn service(&self, heard: &Heard) -> Option<String> {
        let model = heard.model.and_then(|model| self.making.engine.models().model(model));
        model.map(Model::name).map(str::to_lowercase)
    }

    fn cells(&mut self, mut flow: Flow<Told>, device: DeviceId) -> anyhow::Result<Vec<Cell>> {
        let community_id = flow.state.community_id.take();
        let flow = flow.map_state(|told| told.heard);
        let (client, server) = flow.client_server();
        let (orig, resp): (Tally, Tally) =
            if flow.is_client { (flow.up, flow.down) } else { (flow.down, flow.up) };
        let label = self.making.labels.label_of(device, None).map(|label| label.class.clone());
        let mut cells = vec![
            Cell::from(flow.first),
            Cell::from(client.addr.to_string()),
            Cell::from(u64::from(client.port)),
            Cell::from(server.addr.to_string()),
            Cell::from(u64::from(server.port)),
            Cell::from(protocol_name(flow.tuple.protocol()).into_owned()),
            Cell::from(self.service(&flow.state)),
            Cell::from(flow.state.standard_port),
            Cell::from(flow.duration_ns() as f64 / 1e9),
            Cell::from(orig.bytes),
            Cell::from(resp.bytes),
            Cell::from(orig.packets),
            Cell::from(resp.packets),
            Cell::from(end_name(flow.end)),
            Cell::from(community_id.as_deref()),
            Cell::from(device.to_string()),
            Cell::from(label),
        ];
        if let Some(matcher) = self.making.matcher {
            cells.extend(likeness::cells(matcher, &flow));
        }
        if self.making.wants_messages() {
            self.messages_dropped += flow.state.messages_dropped;
        }
        if self.making.has_attributes {
            cells.extend(self.attributes(flow.state)?);
        }
        Ok(cells)
    }

    /// JA3, JA4, the messages, and how many of them are not there.
    fn attributes(&self, mut heard: Heard) -> anyhow::Result<[Cell; 4]> {
        for heard in &mut heard.messages {
            if self.making.shows_credentials {
                heard.message.show_credentials();
            }
        }
        let hello = heard.messages.iter().find_map(|heard| client_hello(&heard.message));
        let said: Vec<Said<'_>> = heard.messages.iter().map(Said::of).collect();
        Ok([
            Cell::from(hello.and_then(|(hello, _)| hello.ja3())),
            Cell::from(hello.map(|(hello, carrier)| hello.ja4(carrier))),
            Cell::from(Json::of(&said)?),
            Cell::from(heard.messages_dropped),
        ])
    }
}

impl<'a> Said<'a> {
    fn of(heard: &'a HeardMessage) -> Self {
        let nanos = heard.time.as_nanos();
        let time = jiff::Timestamp::from_nanosecond(nanos.into());
        let time = time.map_or_else(|_| heard.time.to_string(), |time| time.to_string());
        Self { time, sender: heard.sender, message: &heard.message }
    }
}

fn client_hello(message: &Message) -> Option<(&ClientHello, Carrier)> {
    match message {
        Message::ClientHello(hello) => Some((hello, Carrier::Tcp)),
        Message::QuicInitial(initial) => Some((initial.client_hello.as_ref()?, Carrier::Quic)),
        _ => None,
    }
}

/// How a flow ended, in a word.
const fn end_name(end: FlowEnd) -> &'static str {
    match end {
        FlowEnd::Reset => "reset",
        FlowEnd::Finished => "finished",
        FlowEnd::Idle => "idle",
        FlowEnd::Aged => "aged",
        FlowEnd::Edge => "open",
        FlowEnd::Evicted => "evicted",
    }
}
