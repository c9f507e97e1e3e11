//! The protocols whose messages are parsed: a module each.
pub(crate) mod dhcp;
pub(crate) mod dns;
pub(crate) mod http;
pub(crate) mod ntp;
pub(crate) mod quic;
pub(crate) mod ssdp;
pub(crate) mod tls;
