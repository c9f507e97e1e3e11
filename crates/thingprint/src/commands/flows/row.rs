use thingprint_flow::{DeviceId, Endpoint, Flow, FlowEnd, Tally, Timestamp, address_text, protocol_name};
use thingprint_pipeline::FlowRow;
use thingprint_protocol::Heard;
use thingprint_report::Labels;
use thingprint_table::Cell;

/// The row of a flow, with its values as they are: most rows wait for their order, and texts would take three times as much.
#[derive(Debug)]
pub(super) struct Row {
    /// The device that the flow is of.
    pub(super) device: DeviceId,
    /// Time of the first packet.
    first: Timestamp,
    client: Endpoint,
    server: Endpoint,
    protocol: u8,
    service: Option<Box<str>>,
    standard_port: Option<bool>,
    duration_ns: u64,
    /// What the client sent.
    orig: Tally,
    /// What the server sent.
    resp: Tally,
    end: FlowEnd,
    community_id: Option<Box<str>>,
    /// Values of the columns behind those of every flow.
    more: Vec<Cell>,
}

impl Row {
    /// The row of a flow of this service, with what stands behind its own columns; gives back what was said in the flow.
    pub(super) fn of(row: FlowRow, service: Option<String>) -> (Self, Flow<Heard>) {
        let FlowRow { device, community_id, flow, .. } = row;
        let (client, server) = flow.client_server();
        let (orig, resp) = if flow.is_client { (flow.up, flow.down) } else { (flow.down, flow.up) };
        let row = Self {
            device,
            first: flow.first,
            client,
            server,
            protocol: flow.tuple.protocol(),
            service: service.map(String::into_boxed_str),
            standard_port: flow.state.standard_port,
            duration_ns: flow.duration_ns(),
            orig,
            resp,
            end: flow.end,
            community_id,
            more: Vec::new(),
        };
        (row, flow)
    }

    /// Adds values of further columns.
    pub(super) fn extend(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.more.extend(cells);
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.service, &self.community_id].into_iter().flatten();
        let more = self.more.iter().map(Cell::memory_bytes).sum::<usize>();
        size_of::<Self>() + texts.map(|text| text.len()).sum::<usize>() + more
    }

    /// The values of its columns.
    pub(super) fn into_cells(self, labels: &Labels) -> Vec<Cell> {
        let label = labels.label_at(self.device, None, self.first).map(|label| label.class.clone());
        let mut cells = vec![
            Cell::from(self.first),
            Cell::from(address_text(self.client.addr)),
            Cell::from(u64::from(self.client.port)),
            Cell::from(address_text(self.server.addr)),
            Cell::from(u64::from(self.server.port)),
            Cell::from(protocol_name(self.protocol).into_owned()),
            Cell::from(self.service.map(String::from)),
            Cell::from(self.standard_port),
            Cell::from(self.duration_ns as f64 / 1e9),
            Cell::from(self.orig.bytes),
            Cell::from(self.resp.bytes),
            Cell::from(self.orig.packets),
            Cell::from(self.resp.packets),
            Cell::from(end_name(self.end)),
            Cell::from(self.community_id.map(String::from)),
            Cell::from(self.device.to_string()),
            Cell::from(label),
        ];
        cells.extend(self.more);
        cells
    }
}

/// How a flow ended, in a word.
const fn end_name(end: FlowEnd) -> &'static str {
    match end {
        FlowEnd::Reset => "reset",
        FlowEnd::Finished => "finished",
        FlowEnd::Idle => "idle",
        FlowEnd::Superseded => "superseded",
        FlowEnd::Aged => "aged",
        FlowEnd::Edge => "open",
        FlowEnd::Evicted => "evicted",
    }
}
