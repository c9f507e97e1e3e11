use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use thingprint_flow::{
    DeviceId, DeviceIndex, DeviceLosses, DevicePacket, FiveTuple, Flow, Identity, Ip, MacAddr, Observer,
    Packet, TcpSegment, Timestamp, Transport, WindowIndex,
};
use thingprint_instance::{Instance, InstanceObserver, InstanceOptions};
use thingprint_protocol::{MessageContext, MessageObserver, Sender};

use crate::device_table::DeviceTable;
use crate::event::{Connection, Event, EventKind, Host, Said};
use crate::survey::Survey;

const SECOND_NS: i64 = 1_000_000_000;
/// How long after its end a window still takes connections: logs tell of them when they have ended.
const LAG_NS: i64 = 24 * 3600 * SECOND_NS;
/// How long messages wait for earlier ones: logs tell of queries when they were answered.
const WAITING_NS: i64 = 60 * SECOND_NS;
/// Most messages that wait; beyond it the earliest goes.
const MAX_WAITING: usize = 1 << 16;
/// Most addresses that are counted for having no known link address.
const MAX_OWNERLESS: usize = 1 << 16;

/// Makes instances of the events of logs.
///
/// A connection counts in the window in which it began, with all its bytes, since logs do not say when it sent them. A window is
/// final 24 hours after its end, and what comes later counts in the earliest window that is not, as a late packet does.
#[derive(Debug)]
pub struct LogInstances<'s> {
    survey: &'s Survey<'s>,
    options: InstanceOptions,
    observer: InstanceObserver,
    devices: DeviceTable,
    clock: Timestamp,
    /// Windows that are not final, as far as anything was in them.
    windows: BTreeSet<WindowIndex>,
    /// The latest window that is final.
    last_final: Option<WindowIndex>,
    waiting: BTreeMap<(Timestamp, u64), Box<Said>>,
    said: u64,
    ownerless: BTreeSet<IpAddr>,
    late: u64,
}

/// What of logs is in no instance, or not where it belongs.
#[derive(Clone, Debug, Default)]
pub struct LogLosses {
    /// Connections and messages that came after their window was final, and count in a later one.
    pub late: u64,
    /// Addresses inside of which no link address is known, so that it is not known whose traffic it is.
    pub ownerless: usize,
    /// Devices that were forgotten, since there were too many.
    pub forgotten: u64,
    /// What caps left out, by device.
    pub left_out: DeviceLosses,
}

impl<'s> LogInstances<'s> {
    /// Instances by these options, of which the evidence and the identity should be those that the survey gives, and windows
    /// have a length.
    pub fn new(survey: &'s Survey<'s>, options: InstanceOptions) -> Self {
        Self {
            survey,
            observer: InstanceObserver::draining(options.clone()),
            devices: DeviceTable::new(options.flow.max_devices),
            options,
            clock: Timestamp::MIN,
            windows: BTreeSet::new(),
            last_final: None,
            waiting: BTreeMap::new(),
            said: 0,
            ownerless: BTreeSet::new(),
            late: 0,
        }
    }

    /// Takes an event.
    pub fn push(&mut self, event: Event) {
        self.clock = self.clock.max(event.written);
        match event.kind {
            EventKind::Connection(connection) => self.connection(&connection),
            EventKind::Said(said) => {
                self.said += 1;
                self.waiting.insert((said.time, self.said), said);
            }
            EventKind::Lease(_) => {}
        }
        let horizon = self.clock.plus_nanos(-WAITING_NS);
        while let Some(entry) = self.waiting.first_entry()
            && (entry.key().0 < horizon || self.waiting.len() > MAX_WAITING)
        {
            if let Some((_, said)) = self.waiting.pop_first() {
                self.message(&said);
            }
        }
        while let Some(window) = self.windows.first().copied()
            && self.options.flow.window.end_of(window).plus_nanos(LAG_NS) <= self.clock
        {
            self.close(window);
        }
    }

    /// The logs end.
    pub fn finish(&mut self) {
        while let Some((_, said)) = self.waiting.pop_first() {
            self.message(&said);
        }
        while let Some(window) = self.windows.first().copied() {
            self.close(window);
        }
    }

    /// The instances that became final since they were taken last, in the order of windows and devices.
    pub fn take_ready(&mut self) -> Vec<Instance> {
        self.observer.take_ready()
    }

    /// What is in no instance, or not where it belongs.
    pub fn losses(&self) -> LogLosses {
        LogLosses {
            late: self.late,
            ownerless: self.ownerless.len(),
            forgotten: self.devices.forgotten,
            left_out: self.observer.left_out(),
        }
    }

    fn close(&mut self, window: WindowIndex) {
        self.windows.remove(&window);
        self.last_final = self.last_final.max(Some(window));
        self.observer.window_closed(window);
        self.observer.window_final(window);
    }

    /// The window that something counts in.
    fn window(&mut self, time: Timestamp) -> WindowIndex {
        let window = self.options.flow.window.index_of(time);
        let window = match self.last_final {
            Some(last) if window <= last => {
                self.late += 1;
                WindowIndex(last.0.saturating_add(1))
            }
            _ => window,
        };
        self.windows.insert(window);
        window
    }

    fn connection(&mut self, connection: &Connection) {
        let Connection { originator, responder, first, .. } = *connection;
        let client = self.device(originator, first);
        let server = self.device(responder, first).filter(|server| Some(*server) != client);
        if client.is_none() && server.is_none() {
            return;
        }
        let window = self.window(first);
        for (id, is_client) in [(client, true), (server, false)] {
            if let Some(id) = id {
                self.flow(connection, id, is_client, window);
            }
        }
    }

    fn flow(&mut self, connection: &Connection, id: DeviceId, is_client: bool, window: WindowIndex) {
        let Connection { protocol, originator, responder, first, last, sent, answered, is_refused, end } =
            *connection;
        let device = self.devices.index(id, &mut self.observer);
        if sent.packets > 0 && answered.packets > 0 && !is_refused {
            self.devices.establish(device, &mut self.observer);
        }
        let (tuple, _) = FiveTuple::of(&ip(protocol, originator, responder.at));
        let (local, peer) =
            if is_client { (originator.at, responder.at) } else { (responder.at, originator.at) };
        let (up, down) = if is_client { (sent, answered) } else { (answered, sent) };
        self.observer.active(device, &tuple, first, last);
        self.observer.flow(Flow {
            device,
            window,
            tuple,
            local,
            peer,
            is_client,
            first,
            last,
            up,
            down,
            end,
            closed_at: last,
            is_missing_syn: false,
            resets_up: if is_refused && !is_client { up.packets } else { 0 },
            is_established: self.devices.is_established(device),
            state: (),
        });
    }

    fn message(&mut self, said: &Said) {
        let Some(id) = self.device(said.from, said.time) else { return };
        let window = self.window(said.time);
        let device = self.devices.index(id, &mut self.observer);
        let ip = ip(said.protocol, said.from, said.to);
        let packet = Packet {
            time: said.time,
            src_mac: mac(id),
            dst_mac: None,
            wire_bytes: 0,
            ip: Some(ip),
            other: None,
        };
        // What is late counts at the start of its window, as a late packet does.
        let time = said.time.max(self.options.flow.window.start_of(window));
        self.tell((device, window, time), &packet, &ip, said);
    }

    fn tell(
        &mut self,
        (device, window, time): (DeviceIndex, WindowIndex, Timestamp),
        packet: &Packet<'_>,
        ip: &Ip<'_>,
        said: &Said,
    ) {
        let is_established = self.devices.is_established(device);
        let packet =
            DevicePacket { device, is_sent: true, is_established, window, time, number: 0, packet, ip };
        let context = MessageContext { device, window, time, sender: Sender::Device, packet: Some(&packet) };
        self.observer.message(Cow::Borrowed(&said.message), &context, &mut ());
    }

    /// The device that a host is; `None` for what is outside, for gateways, and for whom no link address is known.
    fn device(&mut self, host: Host, time: Timestamp) -> Option<DeviceId> {
        let (book, address) = (&self.survey.book, host.at.addr);
        if self.options.flow.identity == Identity::Ip {
            return book.is_inside(address).then_some(DeviceId::Ip(address));
        }
        let Some(mac) = host.mac.or_else(|| book.owner(address, time)) else {
            if book.is_inside(address) && self.ownerless.len() < MAX_OWNERLESS {
                self.ownerless.insert(address);
            }
            return None;
        };
        let is_host = !address.is_multicast() && !book.is_gateway(mac);
        is_host.then_some(DeviceId::Mac(mac))
    }
}

const fn mac(id: DeviceId) -> Option<MacAddr> {
    match id {
        DeviceId::Mac(mac) => Some(mac),
        DeviceId::Ip(_) => None,
    }
}

/// A packet from one host to another, without content.
fn ip(protocol: u8, from: Host, to: thingprint_flow::Endpoint) -> Ip<'static> {
    let transport = match protocol {
        6 => Transport::Tcp(TcpSegment::default()),
        17 => Transport::Udp,
        other => Transport::Other(other),
    };
    Ip { transport, ..Ip::udp((from.at.addr, from.at.port), (to.addr, to.port), b"") }
}
