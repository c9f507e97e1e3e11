use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rumqttc::{Client, Connection, Event, LastWill, MqttOptions, NetworkOptions, Packet, QoS};
use thingprint_endpoint::Endpoint;

use super::topics::{self, Topics};

/// A broker that hears nothing for one and a half times this says that we are gone (the last will).
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A broker that does not answer within this time is tried again.
const CONNECT_TIMEOUT_S: u64 = 5;

/// Messages have at most 64 KiB and some members (see `delivery.rs`); a longer one of somebody else ends the connection.
const MAX_PACKET_BYTES: usize = 256 * 1024;

/// Messages on their way from thread to thread: more than are sent before their acknowledgements are waited for.
const CHANNEL: usize = 100;

/// Devices of earlier runs that are noted: a broker keeps as many as somebody publishes.
const MAX_FOUND: usize = 4000;

/// User and password.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// A message to publish.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: String,
    is_retained: bool,
}

impl Message {
    /// A message that the broker keeps for those who come later; an empty one takes it away.
    pub(super) fn retained(topic: String, payload: &str) -> Self {
        Self { topic, payload: payload.to_owned(), is_retained: true }
    }

    /// A message for those who are there.
    pub(super) const fn passing(topic: String, payload: String) -> Self {
        Self { topic, payload, is_retained: false }
    }
}

/// One connection to a broker, with a thread that keeps it. It ends when the connection breaks: what the client library
/// carries over to another one (events of the old, messages that it drops) is more than we could account for.
#[derive(Clone)]
pub(super) struct Link {
    client: Client,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_connected: bool,
    has_ended: bool,
    /// Messages that the thread was given.
    given: u64,
    /// Messages that the broker acknowledged.
    acknowledged: u64,
    /// Why it ended.
    problem: Option<String>,
    /// Devices that the broker keeps a state of.
    found: BTreeSet<String>,
}

impl Link {
    /// Starts the thread, which connects.
    pub(super) fn start(endpoint: &Endpoint, login: Option<&Login>, topics: &Topics) -> io::Result<Self> {
        let (client, mut connection) = Client::new(options(endpoint, login, topics), CHANNEL);
        let mut network = NetworkOptions::new();
        network.set_connection_timeout(CONNECT_TIMEOUT_S);
        connection.eventloop.set_network_options(network);
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let keeper = Keeper { shared: Arc::clone(&shared), topics: topics.clone() };
        thread::Builder::new().name("notify-mqtt".to_owned()).spawn(move || keeper.run(connection))?;
        Ok(Self { client, shared })
    }

    /// Whether it ended.
    pub(super) fn has_ended(&self) -> bool {
        self.shared.lock().has_ended
    }

    /// Whether the broker has not answered yet.
    pub(super) fn is_connecting(&self) -> bool {
        let state = self.shared.lock();
        !state.is_connected && !state.has_ended
    }

    /// Why there is no connection.
    pub(super) fn problem(&self) -> String {
        self.shared.lock().why()
    }

    /// Waits for the answer of the broker; why there is no connection, where there is none.
    pub(super) fn wait_connected(&self, limit: Duration) -> Result<(), String> {
        let state = self.shared.wait_for(limit, |state| state.is_connected || state.has_ended);
        if state.is_connected { Ok(()) } else { Err(state.why()) }
    }

    /// Publishes messages, and waits until the broker has acknowledged all of them.
    pub(super) fn publish(&self, messages: &[Message], limit: Duration) -> Result<(), String> {
        for message in messages {
            self.give(message)?;
        }
        let target = self.shared.lock().given;
        let is_done = |state: &State| state.acknowledged >= target;
        let state = self.shared.wait_for(limit, |state| state.has_ended || is_done(state));
        match (is_done(&state), state.has_ended) {
            (true, _) => Ok(()),
            (false, true) => Err(state.why()),
            (false, false) => Err("the broker does not acknowledge what it gets".to_owned()),
        }
    }

    /// Gives a message to the thread. Where it takes no more, the link ends: which of the messages the acknowledgements that
    /// still come are of would not be known.
    fn give(&self, message: &Message) -> Result<(), String> {
        let Message { topic, payload, is_retained } = message.clone();
        if self.client.try_publish(topic, QoS::AtLeastOnce, is_retained, payload).is_ok() {
            self.shared.lock().given += 1;
            return Ok(());
        }
        let why = "the broker does not take what it gets".to_owned();
        let mut state = self.shared.lock();
        (state.is_connected, state.has_ended) = (false, true);
        state.problem.get_or_insert_with(|| why.clone());
        drop(state);
        self.shared.changed.notify_all();
        Err(why)
    }

    /// Asks for the messages of a filter.
    pub(super) fn subscribe(&self, filter: &str) -> Result<(), String> {
        self.client.try_subscribe(filter, QoS::AtLeastOnce).map_err(|error| format!("subscribe: {error}"))
    }

    /// Devices that the broker keeps a state of, as far as they were found since this was asked.
    pub(super) fn take_found(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.shared.lock().found)
    }

    /// Ends the connection.
    pub(super) fn close(&self, limit: Duration) {
        // A channel that is full belongs to a connection that hangs: the process ends it.
        let _ = self.client.try_disconnect();
        drop(self.shared.wait_for(limit, |state| state.has_ended));
    }
}

fn options(endpoint: &Endpoint, login: Option<&Login>, topics: &Topics) -> MqttOptions {
    // Random, since a broker throws out whoever has the same name as somebody who comes.
    let name = format!("thingprint-{:08x}", RandomState::new().hash_one("client") >> 32);
    let mut options = MqttOptions::new(name, endpoint.bracketed_host(), endpoint.port());
    options.set_keep_alive(KEEP_ALIVE);
    options.set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
    options.set_last_will(LastWill::new(topics.status(), topics::OFFLINE, QoS::AtLeastOnce, true));
    if let Some(login) = login {
        options.set_credentials(&login.user, &login.password);
    }
    options
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Counts and flags: nothing is half done where a thread ended.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is so, or the time is over.
    fn wait_for(&self, limit: Duration, mut is_so: impl FnMut(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_timeout_while(self.lock(), limit, |state| !is_so(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    /// Why there is no connection.
    fn why(&self) -> String {
        let why = if self.has_ended { "the connection broke" } else { "the broker has not answered yet" };
        self.problem.clone().unwrap_or_else(|| why.to_owned())
    }
}

/// The thread of a connection.
struct Keeper {
    shared: Arc<Shared>,
    topics: Topics,
}

impl Keeper {
    fn run(self, mut connection: Connection) {
        for event in connection.iter() {
            match event {
                Ok(event) => self.take(&event),
                Err(error) => {
                    self.shared.lock().problem = Some(error.to_string());
                    return;
                }
            }
        }
    }

    fn take(&self, event: &Event) {
        let mut state = self.shared.lock();
        match event {
            // Nobody waits for what comes behind the end.
            _ if state.has_ended => return,
            Event::Incoming(Packet::ConnAck(_)) => state.is_connected = true,
            Event::Incoming(Packet::PubAck(_)) => state.acknowledged += 1,
            Event::Incoming(Packet::Publish(message)) if !message.payload.is_empty() => {
                if let Some(id) = self.topics.device_of(&message.topic)
                    && state.found.len() < MAX_FOUND
                {
                    state.found.insert(id.to_owned());
                }
            }
            _ => return,
        }
        self.shared.changed.notify_all();
    }
}

impl Drop for Keeper {
    /// Also where the thread panics: another connection is made then.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_connected = false;
        state.has_ended = true;
        drop(state);
        self.shared.changed.notify_all();
    }
}
