use thingprint_flow::{DeviceIndex, FiveTuple, Flow, Observer, Sighting, Timestamp, WindowIndex};
use thingprint_protocol::{Ear, Engine, Heard, Listening, Losses};

use crate::community_id::community_id;

/// Records flows with what is said in them, and which packet belongs to which.
#[derive(Debug)]
pub(super) struct Recorder<'e> {
    ear: Ear<'e>,
    /// Flows that were begun.
    begun: u64,
    /// Whether to say which flows a packet belongs to.
    wants_seen: bool,
    seen: Vec<u64>,
    closed: Vec<Flow<Told>>,
}

/// What rides with a flow.
#[derive(Debug, Default)]
pub(super) struct Riding {
    /// The flow's number, from 1 in the order of first packets; 0 before there was one.
    number: u64,
    community_id: Option<Box<str>>,
    listening: Listening,
}

/// What is told of a flow.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) number: u64,
    pub(super) community_id: Option<Box<str>>,
    pub(super) heard: Heard,
}

impl<'e> Recorder<'e> {
    /// A recorder of flows; with their messages, and with a note of the flows of each packet, where wanted.
    pub(super) const fn new(engine: &'e Engine, wants_messages: bool, wants_seen: bool) -> Self {
        let ear = if wants_messages { Ear::new(engine) } else { Ear::without_messages(engine) };
        Self { ear, begun: 0, wants_seen, seen: Vec::new(), closed: Vec::new() }
    }

    /// The numbers of the flows that the last packet belongs to.
    pub(super) fn take_seen(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.seen)
    }

    /// The flows that were closed and not taken yet.
    pub(super) fn closed(&self) -> &[Flow<Told>] {
        &self.closed
    }

    /// Takes the flows that were closed.
    pub(super) fn take_closed(&mut self) -> Vec<Flow<Told>> {
        std::mem::take(&mut self.closed)
    }

    /// What could not be read for messages.
    pub(super) const fn losses(&self) -> Losses {
        self.ear.losses()
    }
}

impl Observer for Recorder<'_> {
    type State = Riding;

    #[inline]
    fn packet(&mut self, sighting: &Sighting<'_, '_>, state: &mut Riding) {
        if state.number == 0 {
            self.begun += 1;
            state.number = self.begun;
            state.community_id = community_id(sighting.ip).map(String::into_boxed_str);
        }
        if self.wants_seen {
            self.seen.push(state.number);
        }
        self.ear.packet(sighting, &mut state.listening);
    }

    fn active(&mut self, _: DeviceIndex, _: &FiveTuple, _: Timestamp, _: Timestamp) {}

    fn flow(&mut self, flow: Flow<Riding>) {
        let server_port = flow.server_port();
        self.closed.push(flow.map_state(|Riding { number, community_id, listening }| Told {
            number,
            community_id,
            heard: self.ear.heard(listening, server_port),
        }));
    }

    fn go_on(&mut self, state: &mut Riding) -> Riding {
        Riding { listening: state.listening.go_on(), ..Riding::default() }
    }

    fn ended(&mut self, state: Riding) {
        self.ear.ended(state.listening);
    }

    fn window_closed(&mut self, _: WindowIndex) {}
}
