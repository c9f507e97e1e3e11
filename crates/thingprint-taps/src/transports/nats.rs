mod address;
mod connection;
mod inbox;
mod jetstream;
mod login;
mod outbound;
mod reader;
#[cfg(feature = "tls")]
mod secure;
mod wire;

use std::fmt;
use std::sync::Arc;

use self::address::Address;
use self::inbox::NatsInbox;
use self::login::Login;
use self::outbound::NatsOutbound;
use self::wire::Security;
use super::{Inbox, Kind, Outbound, Parsed, Transport, TransportOptions};
use crate::error::TapsError;
use crate::name::Name;
use crate::shelf::{FolderShelf, Shelf};

/// A server of NATS with `JetStream`, spoken to without a client library: what is needed of the protocol are six verbs, and
/// a library would bring sixty crates and an asynchronous runtime.
pub(super) const KIND: Kind = Kind { form: "nats://HOST:PORT", parse };

fn parse(text: &str) -> Option<Parsed> {
    let (scheme, rest) = text.split_once("://")?;
    let is_secure = match scheme.to_ascii_lowercase().as_str() {
        "nats" => false,
        "tls" | "nats+tls" => true,
        _ => return None,
    };
    let address = Address::parse(rest, is_secure);
    let bad = |problem| TapsError::BadTransport { transport: format!("{scheme}://..."), problem };
    Some(address.map(|address| Arc::new(Nats(address)) as Arc<dyn Transport>).map_err(bad))
}

/// A server.
#[derive(Clone, Debug)]
struct Nats(Address);

/// A server, and how it lets us in.
#[derive(Clone, Debug)]
struct Server {
    address: Address,
    login: Login,
    security: Security,
}

impl fmt::Display for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Nats {
    fn server(&self, options: &TransportOptions) -> Result<Server, TapsError> {
        let bad = |problem| TapsError::BadTransport { transport: self.to_string(), problem };
        let login = match &options.credentials {
            Some(path) => Login::read(path).map_err(bad)?,
            None => Login::None,
        };
        let security = Security::of(&self.0, options).map_err(bad)?;
        Ok(Server { address: self.0.clone(), login, security })
    }
}

impl Transport for Nats {
    fn outbound(&self, options: &TransportOptions) -> Result<Box<dyn Outbound>, TapsError> {
        Ok(Box::new(NatsOutbound::new(self.server(options)?)))
    }

    fn inbox(&self, network: &Name, options: &TransportOptions) -> Result<Box<dyn Inbox>, TapsError> {
        let folder = || Arc::new(FolderShelf(options.pieces.clone())) as Arc<dyn Shelf>;
        let pieces = options.shelf.clone().unwrap_or_else(folder);
        Ok(Box::new(NatsInbox::new(self.server(options)?, network.clone(), pieces)))
    }
}

impl Server {
    fn unreachable(&self, problem: impl Into<String>) -> TapsError {
        TapsError::Unreachable { transport: self.address.to_string(), problem: problem.into() }
    }
}

/// The subject of the parcels of a tap.
fn subject(network: &Name, tap: &str) -> String {
    format!("thingprint.parts.{network}.{tap}")
}

#[cfg(test)]
mod tests {
    use crate::transports::TransportSpec;

    #[test]
    fn servers_are_named_by_address_and_hold_no_secret() {
        let shown = |text: &str| TransportSpec::parse(text).map(|spec| spec.to_string());
        assert_eq!(shown("nats://hub.example.org").unwrap(), "nats://hub.example.org:4222");
        assert_eq!(shown("NATS://10.0.0.1:4333").unwrap(), "nats://10.0.0.1:4333");
        assert_eq!(shown("tls://[::1]:4333").unwrap(), "tls://[::1]:4333");
        for bad in [
            "nats://",
            "nats://ann:s3cret@hub",
            "nats://s3cret@hub",
            "nats://hub:0",
            "nats://hub/path",
            "nats://a b",
        ] {
            let error = shown(bad).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{bad}: {error}");
        }
        assert!(shown("nats://ann:x@hub").unwrap_err().to_string().contains("--credentials"));
    }
}
