use std::fmt;
use std::io;
use std::net::TcpStream;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use thingprint_endpoint::Endpoint;
use thingprint_flow::SourceClocks;

use crate::error::{LiveError, LiveErrorKind};
use crate::health::SourceState;
use crate::intake::IntakeOptions;
use crate::keep_alive::keep_alive;
use crate::outlet::Outlet;
use crate::pump::Pump;
use crate::source::Source;
use crate::source_spec::{SourceKind, not_a_source};
use crate::watched_stream::TICK;

/// How long to wait for the other side; a sensor that needs longer is not there.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// A server of captures, to which this machine connects: pcap-over-IP.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientSpec(Endpoint);

impl SourceKind for ClientSpec {
    const FORM: &'static str = "tcp://HOST:PORT";

    fn parse(text: &str) -> Option<Result<Self, LiveError>> {
        let endpoint = Endpoint::parse(text.strip_prefix("tcp://")?, None);
        Some(endpoint.map(Self).map_err(|reason| not_a_source(text, reason)))
    }

    fn source(&self, _: &IntakeOptions) -> Box<dyn Source> {
        Box::new(ClientSource { spec: self.clone(), clocks: SourceClocks::trusted() })
    }
}

impl fmt::Display for ClientSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp://{}", self.0)
    }
}

struct ClientSource {
    spec: ClientSpec,
    /// The clock of the other side, also when it is connected to again.
    clocks: SourceClocks,
}

impl Source for ClientSource {
    fn run(&mut self, outlet: &Outlet) -> Result<(), LiveError> {
        let stream = dial(&self.spec, outlet)?;
        let failed = |error: io::Error| LiveError::new(LiveErrorKind::Unreachable, outlet.name(), error);
        keep_alive(&stream).map_err(failed)?;
        outlet.set_state(SourceState::Starting, Some("connected, no capture began yet".to_owned()));
        let pump = Pump::new(outlet);
        let stream = Box::new(pump.watch(stream).of_sender());
        let pumped = pump.live(outlet.name(), stream, &mut self.clocks)?;
        let reason = format!("the other side ended the stream after {} packets", pumped.frames);
        Err(LiveError::new(LiveErrorKind::Closed, outlet.name(), reason))
    }
}

/// Connects in a thread of its own, since names are looked up without an end that could be set.
fn dial(spec: &ClientSpec, outlet: &Outlet) -> Result<TcpStream, LiveError> {
    let (sender, receiver) = sync_channel(1);
    let endpoint = spec.0.clone();
    let spawned = thread::Builder::new().name("dial".to_owned()).spawn(move || {
        // Nobody waits any more where the intake was stopped.
        let _ = sender.send(endpoint.connect(CONNECT_WITHIN));
    });
    spawned.map_err(|error| LiveError::new(LiveErrorKind::Unreachable, outlet.name(), error))?;
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => return Err(unreachable(outlet.name(), &error)),
            Err(RecvTimeoutError::Timeout) if !outlet.stop().is_set() => {}
            Err(_) => return Err(outlet.stopped()),
        }
    }
}

fn unreachable(name: &str, error: &io::Error) -> LiveError {
    let advice = match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there: begin the sender, or check the port",
        io::ErrorKind::TimedOut => "nothing answers there: check the address, and firewalls on the way",
        _ => "check the name and the address",
    };
    LiveError::new(LiveErrorKind::Unreachable, name, format!("cannot be connected to: {error}"))
        .advise(advice)
}
