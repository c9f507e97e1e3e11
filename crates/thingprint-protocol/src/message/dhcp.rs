use std::net::Ipv4Addr;

use serde::Serialize;
use thingprint_flow::MacAddr;

use super::json;

/// A DHCP or BOOTP message (RFC 2131 §2, RFC 2132).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DhcpMessage {
    /// 1 from a client, 2 from a server.
    pub op: u8,
    /// `htype`: the kind of hardware address, 1 for Ethernet.
    pub hardware_type: u8,
    /// `hlen`: bytes of the hardware address.
    pub hardware_bytes: u8,
    /// Relays that the message passed.
    pub hops: u8,
    /// Transaction id.
    pub xid: u32,
    /// `secs`: seconds since the client began.
    pub elapsed_s: u16,
    /// The top bit asks for a broadcast answer (RFC 2131 §2).
    pub flags: u16,
    /// The client's hardware address, where it is an Ethernet one.
    pub client_mac: Option<MacAddr>,
    /// Option 53: 1 DISCOVER, 2 OFFER, 3 REQUEST, 5 ACK ...; absent in plain BOOTP.
    pub message_type: Option<u8>,
    /// `ciaddr`: the address that the client already has.
    pub client_address: Option<Ipv4Addr>,
    /// `yiaddr`: the address that the server gives.
    pub assigned_address: Option<Ipv4Addr>,
    /// `siaddr`: the server to go on with.
    pub next_server_address: Option<Ipv4Addr>,
    /// `giaddr`: the relay that the message passed first.
    pub relay_address: Option<Ipv4Addr>,
    /// `sname`, written as the host name is; absent where it holds options (option 52).
    pub server_name: Option<String>,
    /// `file`, likewise.
    pub boot_file: Option<String>,
    /// Option 50: the address that the client asks for.
    pub requested_address: Option<Ipv4Addr>,
    /// Option 12, without trailing zeros, bytes outside printable ASCII as `\xNN`.
    pub host_name: Option<String>,
    /// Option 60, written as the host name is.
    pub vendor_class: Option<String>,
    /// Option 61, as sent: a type byte and what follows.
    #[serde(serialize_with = "json::optional_hex")]
    pub client_identifier: Option<Vec<u8>>,
    /// Option 55 in order: the options that the client wants, which tells its software.
    pub parameter_request_list: Vec<u8>,
    /// Option 51 in seconds; 4294967295 is for ever.
    pub lease_time_s: Option<u32>,
    /// Option 54: the address by which the server is known.
    pub server_identifier: Option<Ipv4Addr>,
    /// Option 161: where the device's usage description is (RFC 8520 §10), written as the host name is.
    pub mud_url: Option<String>,
    /// Every option in the order of its first part, also those without a field here; parts of one are joined (RFC
    /// 3396). One that is longer than what is left ends them.
    pub options: Vec<DhcpOption>,
}

/// An option of a DHCP message, as sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DhcpOption {
    /// The option's number (IANA "BOOTP Vendor Extensions and DHCP Options").
    pub code: u8,
    /// Its bytes.
    #[serde(serialize_with = "json::hex")]
    pub value: Vec<u8>,
}
