use std::borrow::Cow;
use std::fmt;
use std::net::Ipv4Addr;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use thingprint_flow::MacAddr;

use super::{Uri, json};
use crate::secrecy::redacted;
use crate::text::{escaped, hex};

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
    pub mud_url: Option<Uri>,
    /// Every option in the order of its first part, also those without a field here; parts of one are joined (RFC
    /// 3396). One that is longer than what is left ends them.
    pub options: Vec<DhcpOption>,
}

/// An option of a DHCP message, as sent.
///
/// Of a MUD URL the secrets are written as `***`: by `Debug` always, as JSON until
/// [`Message::show_credentials`](crate::Message::show_credentials).
#[derive(Clone, PartialEq, Eq)]
pub struct DhcpOption {
    /// The option's number (IANA "BOOTP Vendor Extensions and DHCP Options").
    pub code: u8,
    /// Its bytes, secrets included.
    pub value: Vec<u8>,
    is_shown: bool,
}

impl DhcpOption {
    /// Option 161: a MUD URL (RFC 8520 §17.3).
    pub(crate) const MUD_URL: u8 = 161;

    /// An option whose secrets are not shown.
    pub(crate) fn new(code: u8, value: &[u8]) -> Self {
        Self { code, value: value.to_vec(), is_shown: false }
    }

    /// Lets its secrets be written as JSON.
    pub const fn show(&mut self) {
        self.is_shown = true;
    }

    /// Its bytes, with `***` for each secret.
    fn redacted(&self) -> Cow<'_, [u8]> {
        if self.code != Self::MUD_URL {
            return Cow::Borrowed(&self.value);
        }
        let text = escaped(&self.value);
        let shown = redacted(&text);
        if shown == text { Cow::Borrowed(&self.value) } else { Cow::Owned(shown.into_bytes()) }
    }
}

impl fmt::Debug for DhcpOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "option {}: {:?}", self.code, self.redacted())
    }
}

/// `code`, and `value` in hexadecimal digits.
impl Serialize for DhcpOption {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = if self.is_shown { Cow::Borrowed(&*self.value) } else { self.redacted() };
        let mut option = serializer.serialize_struct("DhcpOption", 2)?;
        option.serialize_field("code", &self.code)?;
        option.serialize_field("value", &hex(&value))?;
        option.end()
    }
}
