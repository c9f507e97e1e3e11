use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use thingprint_experiment::{Cast, FlowRecord, Side};
use thingprint_flow::{DeviceId, DeviceIds, DeviceIndex, Flow, Observer, Timestamp, is_private};
use thingprint_instance::Label;
use thingprint_pipeline::{End, Event, Stage};
use thingprint_protocol::{
    DnsData, DnsMessage, Engine, Interest, Message, MessageContext, MessageObserver, Protocol, Sender,
};

/// Most flows of a data set that are written down, of some hundred bytes each; further ones are counted.
const MAX_FLOWS: usize = 1 << 23;

/// Most names remembered for one device; further ones are not.
const MAX_NAMES: usize = 1 << 16;

/// Writes down the flows of a trace, with the names that devices know the other ends by.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlowLog;

/// Flows that were written down, up to a number.
#[derive(Debug)]
pub(super) struct Written {
    flows: Vec<Closed>,
    /// Most of them.
    room: usize,
    /// Flows beyond.
    left_out: u64,
}

/// Follows the flows of a shard.
#[derive(Debug, Default)]
pub(super) struct Log {
    ids: DeviceIds,
    /// What each device has looked up.
    names: Vec<BTreeMap<IpAddr, Arc<str>>>,
    /// Flows that are closed.
    flows: Vec<Closed>,
}

/// The flows of labelled devices of a data set.
#[derive(Debug, Default)]
pub(super) struct Flows {
    pub(super) records: Vec<FlowRecord>,
    /// Flows that there was no room for.
    left_out: u64,
}

impl Flows {
    /// How many more flows may be written down.
    pub(super) fn room(&self) -> usize {
        MAX_FLOWS.saturating_sub(self.records.len())
    }

    pub(super) fn extend(&mut self, more: Self) {
        self.records.extend(more.records);
        self.left_out = self.left_out.saturating_add(more.left_out);
    }

    /// What a report is to say of flows that are not there.
    pub(super) fn left_out(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "Of single flows the first {MAX_FLOWS} are looked at; the {} that ended later are left out.",
                self.left_out
            )
        })
    }
}

/// A flow that is closed.
#[derive(Debug)]
pub(super) struct Closed {
    device: DeviceId,
    ended: Timestamp,
    first: Timestamp,
    last: Timestamp,
    bytes: u64,
    peer: IpAddr,
    protocol: u8,
    server_port: u16,
    domain: Option<Arc<str>>,
}

/// What rides with a flow: the name in its `ClientHello`.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerName(Option<Arc<str>>);

impl Written {
    /// None yet, with room for so many.
    pub(super) const fn new(room: usize) -> Self {
        Self { flows: Vec::new(), room, left_out: 0 }
    }

    /// Takes what a pipeline hands out.
    pub(super) fn take(&mut self, event: Event<Closed>) {
        match event {
            Event::Rows(rows) => self.add(rows),
            // Everything is read again.
            Event::Restart => *self = Self::new(self.room),
        }
    }

    /// Writes down flows.
    pub(super) fn add(&mut self, flows: Vec<Closed>) {
        let free = self.room.saturating_sub(self.flows.len());
        self.left_out = self.left_out.saturating_add(flows.len().saturating_sub(free) as u64);
        self.flows.extend(flows.into_iter().take(free));
    }

    /// The flows of labelled devices.
    pub(super) fn finish<'l>(self, label_of: impl Fn(DeviceId) -> Option<&'l Label>) -> Flows {
        let mut classes: BTreeMap<DeviceId, Option<Arc<str>>> = BTreeMap::new();
        let record = |flow: Closed| {
            let class = classes
                .entry(flow.device)
                .or_insert_with(|| label_of(flow.device).map(|label| Arc::from(label.class.as_str())));
            class.clone().map(|class| flow.record(class))
        };
        Flows { records: self.flows.into_iter().filter_map(record).collect(), left_out: self.left_out }
    }
}

impl Stage for FlowLog {
    type Observer = Log;
    type Row = Closed;
    type Rest = ();
    type Key = (DeviceId, Timestamp, IpAddr, u16);

    fn observer(&self, _: &Engine) -> Log {
        Log::default()
    }

    fn take(&self, observer: &mut Log) -> Vec<Closed> {
        std::mem::take(&mut observer.flows)
    }

    fn order(&self, row: &Closed) -> (Timestamp, Self::Key) {
        (row.ended, (row.device, row.first, row.peer, row.server_port))
    }

    fn device(&self, row: &Closed) -> Option<DeviceId> {
        Some(row.device)
    }

    fn finish(&self, _: Log, _: &End) {}
}

impl Log {
    /// Remembers the addresses of a name: that of the question, whatever aliases lead to them.
    fn learn(&mut self, device: DeviceIndex, dns: &DnsMessage) {
        let Some(question) = dns.questions.first() else { return };
        let name: Arc<str> = Arc::from(question.name.as_str());
        while self.names.len() <= device.as_usize() {
            self.names.push(BTreeMap::new());
        }
        let names = &mut self.names[device.as_usize()];
        for answer in &dns.answers {
            if let DnsData::Address(address) = answer.data
                && (names.len() < MAX_NAMES || names.contains_key(&address))
            {
                names.insert(address, Arc::clone(&name));
            }
        }
    }
}

impl Observer for Log {
    type State = ServerName;

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.ids.note(device, id);
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.ids.forget(device);
        if let Some(names) = self.names.get_mut(device.as_usize()) {
            names.clear();
        }
    }

    fn flow(&mut self, flow: Flow<ServerName>) {
        let Some(device) = self.ids.of(flow.device) else { return };
        let known = || self.names.get(flow.device.as_usize())?.get(&flow.peer.addr).cloned();
        self.flows.push(Closed {
            device,
            ended: flow.closed_at,
            first: flow.first,
            last: flow.last,
            bytes: flow.bytes(),
            peer: flow.peer.addr,
            protocol: flow.tuple.protocol(),
            server_port: flow.server_port(),
            domain: flow.state.0.clone().or_else(known),
        });
    }

    fn continue_flow(&mut self, state: &mut ServerName) -> ServerName {
        state.clone()
    }
}

impl MessageObserver for Log {
    fn interest(&self) -> Interest {
        let dns = Interest::NONE.and(Protocol::Dns, Sender::Device).and(Protocol::Dns, Sender::Peer);
        dns.and(Protocol::Tls, Sender::Device).and(Protocol::Tls, Sender::Peer)
    }

    fn message(
        &mut self,
        message: Cow<'_, Message>,
        context: &MessageContext<'_, '_>,
        state: &mut ServerName,
    ) {
        match &*message {
            Message::Dns(dns) if dns.is_response() => self.learn(context.device, dns),
            Message::ClientHello(hello) => {
                if let Some(name) = &hello.server_name {
                    state.0 = Some(Arc::from(name.as_str()));
                }
            }
            _ => {}
        }
    }
}

impl Closed {
    fn record(self, class: Arc<str>) -> FlowRecord {
        let is_group = is_group(self.peer);
        let is_local = is_group || is_private(self.peer) || self.peer.is_unspecified();
        FlowRecord {
            class,
            device: self.device,
            first: self.first,
            last: self.last,
            bytes: self.bytes,
            cast: if is_group { Cast::Multicast } else { Cast::Unicast },
            side: if is_local { Side::Lan } else { Side::Wan },
            protocol: self.protocol,
            server_port: self.server_port,
            domain: self.domain,
        }
    }
}

/// Whether an address is that of many hosts: a group, or a private network's broadcast. A public address that ends in 255
/// is a host like others.
fn is_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let is_directed = v4.octets()[3] == 255 && is_private(address);
            v4.is_multicast() || v4.is_broadcast() || is_directed
        }
        IpAddr::V6(v6) => v6.is_multicast(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_many() {
        for many in ["192.168.1.255", "255.255.255.255", "239.255.255.250", "ff02::fb"] {
            assert!(is_group(many.parse().unwrap()), "{many}");
        }
        for one in ["93.184.216.255", "192.168.1.25", "fe80::ff"] {
            assert!(!is_group(one.parse().unwrap()), "{one}");
        }
    }

    #[test]
    fn flows_that_there_is_no_room_for_are_told() {
        assert_eq!(Flows::default().left_out(), None);
        let mut flows = Flows::default();
        flows.extend(Flows { records: Vec::new(), left_out: 3 });
        assert!(flows.left_out().unwrap().contains("the 3 that ended later"));
        assert_eq!(flows.room(), MAX_FLOWS);
    }
}
