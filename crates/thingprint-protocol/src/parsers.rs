//! The parsers alone: pure functions from the bytes of a payload or stream to messages. An [`Engine`](crate::Engine)
//! calls them at the right place; here they are for who has the place already, and for tests with hostile bytes.
pub use crate::dhcp::parse as dhcp;
pub use crate::dns::{named as name_dns, parse as dns};
pub use crate::http::{
    BodyLength, Head, may_begin as may_begin_http, parse_cut as cut_http, parse_head as http,
};
pub use crate::ntp::{parse as ntp, parse_control as ntp_control};
pub use crate::quic::{Handshake as QuicHandshake, Reading as QuicReading};
pub use crate::ssdp::parse as ssdp;
pub use crate::tls::certificate::chain as certificates;
pub use crate::tls::hello::{client_hello, server_hello};
