//! The registry of transports: each kind is a file of this folder and a line of `transports!`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::error::TapsError;
use crate::name::Name;
use crate::shelf::Shelf;

/// Declares the kinds of transports, each with its file.
macro_rules! transports {
    ($($(#[$when:meta])* $file:ident,)+) => {
        $($(#[$when])* mod $file;)+

        /// Every kind, in the order in which help lists them.
        const KINDS: &[Kind] = &[$($(#[$when])* $file::KIND),+];
    };
}

transports! {
    folder,
    nats,
}

/// A kind of transport.
pub(crate) struct Kind {
    /// How it is written, as help shows it.
    pub(crate) form: &'static str,
    /// Reads such a text; `None` where it is another kind.
    pub(crate) parse: fn(&str) -> Option<Parsed>,
}

/// What a text says about a transport.
pub(crate) type Parsed = Result<Arc<dyn Transport>, TapsError>;

/// A way between taps and a collector; shown without secrets.
pub(crate) trait Transport: fmt::Display + Send + Sync {
    /// Opens the end of a tap. What is elsewhere is connected when it is used.
    fn outbound(&self, options: &TransportOptions) -> Result<Box<dyn Outbound>, TapsError>;

    /// Opens the end of a collector of a network.
    fn inbox(&self, network: &Name, options: &TransportOptions) -> Result<Box<dyn Inbox>, TapsError>;
}

/// How transports are let in, as far as they need it.
#[derive(Clone, Debug, Default)]
pub struct TransportOptions {
    /// A file with credentials.
    pub credentials: Option<PathBuf>,
    /// Certificates (PEM) that a server is checked against, in place of those of the system.
    pub tls_ca: Option<PathBuf>,
    /// The folder in which pieces of parcels are kept that came in several messages.
    pub pieces: PathBuf,
    /// Where they are kept in place of that, by collectors that share one store.
    pub shelf: Option<Arc<dyn Shelf>>,
    /// The certificate (PEM) by which this end is known, and its key.
    pub tls_identity: Option<(PathBuf, PathBuf)>,
}

/// What a tap sends by.
pub trait Outbound: Send {
    /// Sends a parcel within the time: when this returns, whoever collects will get it, whatever ends or breaks.
    fn send(&mut self, parcel: &Outgoing<'_>, limit: Duration) -> Result<(), TapsError>;
}

/// A parcel to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The network.
    pub network: &'a Name,
    /// The tap.
    pub tap: &'a Name,
    /// What distinguishes it from every other one; names of one tap are in its order.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What a collector takes parcels from, in the order of each tap.
pub trait Inbox: Send {
    /// The next parcel, or `None` where none came within the time. It comes again unless it is acknowledged.
    fn next(&mut self, wait: Duration) -> Result<Option<Arrival>, TapsError>;

    /// The parcel that came last is on our disk.
    fn acknowledge(&mut self) -> Result<(), TapsError>;

    /// Whether nothing waits any more, also nothing that was delivered before and comes again.
    fn is_drained(&mut self) -> Result<bool, TapsError>;
}

/// A parcel that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Where it is from, for messages.
    pub place: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A transport as a user names it: `folder:PATH`, ...
#[derive(Clone)]
pub struct TransportSpec {
    name: String,
    transport: Arc<dyn Transport>,
}

impl TransportSpec {
    /// Reads the text that an option or a configuration has.
    pub fn parse(text: &str) -> Result<Self, TapsError> {
        if let Some(transport) = KINDS.iter().find_map(|kind| (kind.parse)(text)) {
            return transport.map(|transport| Self { name: transport.to_string(), transport });
        }
        let scheme = text.split(':').next().unwrap_or_default().to_owned();
        Err(TapsError::UnknownTransport { scheme, forms: Self::forms() })
    }

    /// The forms that there are, for help and errors.
    pub fn forms() -> String {
        KINDS.iter().map(|kind| kind.form).collect::<Vec<_>>().join(", ")
    }

    /// Opens the end of a tap.
    pub fn outbound(&self, options: &TransportOptions) -> Result<Box<dyn Outbound>, TapsError> {
        self.transport.outbound(options)
    }

    /// Opens the end of a collector of a network.
    pub fn inbox(&self, network: &Name, options: &TransportOptions) -> Result<Box<dyn Inbox>, TapsError> {
        self.transport.inbox(network, options)
    }
}

impl fmt::Display for TransportSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

impl fmt::Debug for TransportSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TransportSpec").field(&self.name).finish()
    }
}
