use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use thingprint_flow::SourceClocks;

use crate::error::{LiveError, LiveErrorKind};
use crate::health::SourceState;
use crate::intake::IntakeOptions;
use crate::keep_alive::keep_alive;
use crate::outlet::Outlet;
use crate::pump::Pump;
use crate::readiness::Readiness;
use crate::source::Source;
use crate::source_spec::{SourceKind, not_a_source};
use crate::watched_stream::TICK;

/// Senders at the same time. Each may make its reader keep 16 MiB; a home has one sensor, a campus a dozen.
const MOST_SENDERS: usize = 16;

/// An address at which senders of captures connect: pcap-over-IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerSpec(SocketAddr);

impl SourceKind for ServerSpec {
    const FORM: &'static str = "tcp-listen://ADDRESS:PORT";

    fn parse(text: &str) -> Option<Result<Self, LiveError>> {
        let address = text.strip_prefix("tcp-listen://")?;
        let parsed = address.parse().map(Self).map_err(|_| {
            let reason =
                format!("'{address}' is not an address with a port, as 127.0.0.1:57012 or [::]:57012 is");
            not_a_source(text, reason)
        });
        Some(parsed)
    }

    fn source(&self, _: &IntakeOptions) -> Box<dyn Source> {
        Box::new(ServerSource { address: self.0, accepted: 0, has_sender: false })
    }
}

impl fmt::Display for ServerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp-listen://{}", self.0)
    }
}

struct ServerSource {
    address: SocketAddr,
    /// Senders so far.
    accepted: u64,
    /// Whether a sender was connected when they were counted last.
    has_sender: bool,
}

impl Source for ServerSource {
    fn run(&mut self, outlet: &Outlet) -> Result<(), LiveError> {
        let listener = self.listen(outlet)?;
        let mut senders: Vec<JoinHandle<()>> = Vec::new();
        let mut result = Ok(());
        while !outlet.stop().is_set() && result.is_ok() {
            self.forget_ended(&mut senders, outlet);
            show(outlet, &listener, (senders.len(), self.accepted));
            result = self.accept(&listener, &mut senders, outlet);
        }
        drop(listener);
        for sender in senders {
            // It says itself why it ended; a panic is printed by the thread.
            let _ = sender.join();
        }
        result
    }
}

impl ServerSource {
    fn listen(&self, outlet: &Outlet) -> Result<TcpListener, LiveError> {
        let bound = TcpListener::bind(self.address);
        let listener = bound.map_err(|error| cannot_listen(outlet.name(), &error))?;
        let made = listener.set_nonblocking(true);
        made.map_err(|error| cannot_listen(outlet.name(), &error))?;
        Ok(listener)
    }

    /// Takes a sender where one waits.
    fn accept(
        &mut self,
        listener: &TcpListener,
        senders: &mut Vec<JoinHandle<()>>,
        outlet: &Outlet,
    ) -> Result<(), LiveError> {
        let waits = listener.wait(TICK).map_err(|error| cannot_listen(outlet.name(), &error))?;
        if !waits {
            return Ok(());
        }
        // A sender that went away again, or a limit of the system: the others go on.
        let Ok((stream, peer)) = listener.accept() else {
            outlet.stop().sleep(TICK);
            return Ok(());
        };
        if senders.len() >= MOST_SENDERS {
            outlet.update(|health| health.left_out += 1);
            outlet.notice(format!(
                "{}: sender {peer} was refused: {MOST_SENDERS} are connected",
                outlet.name()
            ));
            return Ok(());
        }
        // The one before may have ended a moment ago: what is not received in between counts.
        self.forget_ended(senders, outlet);
        senders.push(self.begin(stream, peer, outlet)?);
        self.has_sender = true;
        Ok(())
    }

    /// Forgets senders that ended; without the last of them nothing is received.
    fn forget_ended(&mut self, senders: &mut Vec<JoinHandle<()>>, outlet: &Outlet) {
        senders.retain(|sender| !sender.is_finished());
        if senders.is_empty() && std::mem::take(&mut self.has_sender) {
            outlet.update(|health| health.interruptions += 1);
        }
    }

    /// Begins to read a sender in a thread of its own.
    fn begin(
        &mut self,
        stream: TcpStream,
        peer: SocketAddr,
        outlet: &Outlet,
    ) -> Result<JoinHandle<()>, LiveError> {
        let for_sender = outlet.clone();
        let thread = thread::Builder::new().name("sender".to_owned());
        let spawned = thread.spawn(move || receive(stream, peer, &for_sender));
        outlet.update(|health| health.restarts += u64::from(self.accepted > 0));
        self.accepted += 1;
        spawned.map_err(|error| cannot_listen(outlet.name(), &error))
    }
}

/// Reads what one sender sends, as a capture of its own.
fn receive(stream: TcpStream, peer: SocketAddr, outlet: &Outlet) {
    outlet.notice(format!("{}: sender {peer} connected", outlet.name()));
    let made = stream.set_nonblocking(false).and_then(|()| keep_alive(&stream));
    let name = format!("{} from {peer}", outlet.name());
    let read = made.map_err(|error| LiveError::new(LiveErrorKind::Closed, &name, error)).and_then(|()| {
        let pump = Pump::new(outlet);
        let stream = Box::new(pump.watch(stream).of_sender());
        pump.live(&name, stream, &mut SourceClocks::trusted())
    });
    match read {
        Ok(pumped) => {
            outlet.notice(format!("{}: sender {peer} ended after {} packets", outlet.name(), pumped.frames));
        }
        Err(error) if error.kind == LiveErrorKind::Stopped => {}
        Err(error) => outlet.notice(format!("failed to read {error}")),
    }
}

/// Says how many senders there are. Without the last one that was there, the source fails: packets are missing from then on.
fn show(outlet: &Outlet, listener: &TcpListener, (senders, accepted): (usize, u64)) {
    let address = listener.local_addr().map_or_else(|_| outlet.name().to_owned(), |at| at.to_string());
    let message = match senders {
        0 if accepted > 0 => format!("listens on {address}, no sender is connected any more"),
        0 => format!("listens on {address}, no sender is connected"),
        1 => format!("listens on {address}, one sender is connected"),
        more => format!("listens on {address}, {more} senders are connected"),
    };
    outlet.update(|health| {
        if health.message.as_ref() != Some(&message) {
            let is_left = senders == 0 && accepted > 0;
            health.state = if is_left { SourceState::Failed } else { SourceState::Reading };
            health.message = Some(message);
        }
    });
}

fn cannot_listen(name: &str, error: &io::Error) -> LiveError {
    let (kind, advice) = match error.kind() {
        io::ErrorKind::AddrInUse => {
            (LiveErrorKind::Unreachable, "another program listens there: end it, or take another port")
        }
        io::ErrorKind::PermissionDenied => (LiveErrorKind::NoPermission, "take a port above 1023"),
        io::ErrorKind::AddrNotAvailable => {
            (LiveErrorKind::Unreachable, "this machine has no such address: see 'ip address'")
        }
        _ => (LiveErrorKind::Unreachable, ""),
    };
    LiveError::new(kind, name, format!("cannot listen: {error}")).advise(advice)
}
