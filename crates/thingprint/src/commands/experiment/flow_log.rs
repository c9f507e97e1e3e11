use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use thingprint_experiment::{Cast, FlowRecord, Side};
use thingprint_flow::{
    DeviceId, DeviceIndex, Finished, FiveTuple, Flow, FlowOptions, Observer, Packet, Sighting, Timestamp,
    Tracker, WindowIndex, is_private,
};
use thingprint_instance::Label;
use thingprint_protocol::{Budget, DnsData, Engine, Inspection, Limits, Message, Sender};

/// Most flows of a data set that are written down, of some hundred bytes each; further ones are counted.
const MAX_FLOWS: usize = 1 << 23;

/// Most names remembered for one device; further ones are not.
const MAX_NAMES: usize = 1 << 16;

/// Writes down the flows of a trace, with the names that devices know the other ends by.
#[derive(Debug)]
pub(super) struct FlowLog {
    tracker: Tracker<Log>,
}

#[derive(Debug)]
struct Log {
    engine: Engine,
    budget: Budget,
    /// What each device has looked up.
    names: Vec<BTreeMap<IpAddr, Arc<str>>>,
    /// Flows that are closed.
    flows: Vec<Closed>,
    /// Most of them.
    room: usize,
    /// Flows beyond.
    left_out: u64,
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

#[derive(Debug)]
struct Closed {
    device: DeviceIndex,
    first: Timestamp,
    last: Timestamp,
    bytes: u64,
    peer: IpAddr,
    protocol: u8,
    server_port: u16,
    domain: Option<Arc<str>>,
}

/// What rides with a flow.
#[derive(Debug, Default)]
struct State {
    inspection: Inspection,
    /// Name in the `ClientHello`.
    server_name: Option<Arc<str>>,
}

impl FlowLog {
    /// A log with room for so many flows.
    pub(super) fn new(options: FlowOptions, room: usize) -> Self {
        let engine = Engine::new(Limits::default());
        let budget = engine.budget();
        let log = Log { engine, budget, names: Vec::new(), flows: Vec::new(), room, left_out: 0 };
        Self { tracker: Tracker::new(options, log) }
    }

    pub(super) fn push(&mut self, packet: &Packet<'_>) {
        self.tracker.push(packet);
    }

    /// The flows of labelled devices.
    pub(super) fn finish<'l>(self, label_of: impl Fn(DeviceId) -> Option<&'l Label>) -> Flows {
        let Finished { observer, devices, .. } = self.tracker.finish();
        let classes: Vec<Option<(DeviceId, Arc<str>)>> = devices
            .into_iter()
            .map(|device| Some((device, Arc::from(label_of(device)?.class.as_str()))))
            .collect();
        let record = |flow: Closed| {
            let (device, class) = classes.get(flow.device.as_usize())?.as_ref()?;
            Some(flow.record(*device, Arc::clone(class)))
        };
        Flows {
            records: observer.flows.into_iter().filter_map(record).collect(),
            left_out: observer.left_out,
        }
    }
}

impl Log {
    /// Remembers the addresses of a name: that of the question, whatever aliases lead to them.
    fn learn(&mut self, device: DeviceIndex, message: Message, state: &mut State) {
        match message {
            Message::Dns(dns) if dns.is_response() => {
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
            Message::ClientHello(hello) => {
                if let Some(name) = &hello.server_name {
                    state.server_name = Some(Arc::from(name.as_str()));
                }
            }
            _ => {}
        }
    }
}

impl Observer for Log {
    type State = State;

    fn packet(&mut self, sighting: &Sighting<'_, '_>, state: &mut State) {
        let sender = if sighting.is_sent { Sender::Device } else { Sender::Peer };
        let mut found = Vec::new();
        let Self { engine, budget, .. } = self;
        engine
            .inspect(sighting.ip, sender, &mut state.inspection, budget, &mut |message| found.push(message));
        for message in found {
            self.learn(sighting.device, message, state);
        }
    }

    fn active(&mut self, _: DeviceIndex, _: &FiveTuple, _: Timestamp, _: Timestamp) {}

    fn flow(&mut self, mut flow: Flow<State>) {
        flow.state.inspection.close(&mut self.budget);
        if self.flows.len() >= self.room {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let known = || self.names.get(flow.device.as_usize())?.get(&flow.peer.addr).cloned();
        self.flows.push(Closed {
            device: flow.device,
            first: flow.first,
            last: flow.last,
            bytes: flow.bytes(),
            peer: flow.peer.addr,
            protocol: flow.tuple.protocol(),
            server_port: flow.server_port(),
            domain: flow.state.server_name.clone().or_else(known),
        });
    }

    fn go_on(&mut self, state: &mut State) -> State {
        State { inspection: state.inspection.go_on(), server_name: state.server_name.clone() }
    }

    fn ended(&mut self, mut state: State) {
        state.inspection.close(&mut self.budget);
    }

    fn window_closed(&mut self, _: WindowIndex) {}
}

impl Closed {
    fn record(self, device: DeviceId, class: Arc<str>) -> FlowRecord {
        let is_group = is_group(self.peer);
        let is_local = is_group || is_private(self.peer) || self.peer.is_unspecified();
        FlowRecord {
            class,
            device,
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
