//! An [`Endpoint`] is a host and a port, as sources, sinks and transports are given them on the command line.

mod endpoint;

pub use endpoint::Endpoint;
