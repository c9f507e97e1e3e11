//! The parsers alone: pure functions from the bytes of a payload or stream to messages. An [`Engine`](crate::Engine)
//! calls them at the right place; here they are for who has the place already, and for tests with hostile bytes.
pub use crate::protocols::dhcp::parse as dhcp;
pub use crate::protocols::dns::{named as name_dns, parse as dns};
pub use crate::protocols::http::{
    BodyLength, Head, may_begin as may_begin_http, parse_cut as cut_http, parse_head as http,
};
pub use crate::protocols::ntp::{parse as ntp, parse_control as ntp_control};
pub use crate::protocols::quic::{Handshake as QuicHandshake, Reading as QuicReading};
pub use crate::protocols::ssdp::parse as ssdp;
pub use crate::protocols::tls::certificate::chain as certificates;
pub use crate::protocols::tls::hello::{client_hello, server_hello};
