//! An [`Endpoint`] is a host and a port, as sources, sinks and transports are given them on the command line.

mod endpoint;
#[cfg(feature = "tls")]
mod tls;

pub use endpoint::Endpoint;
#[cfg(feature = "tls")]
pub use tls::{OptionFile, tls_client};
