use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Deserialize;

use super::{Amount, LookupPolicy, PortCrowd, When};

/// A connection that a device opens, and what is said over it.
///
/// Exactly one of `names`, `crowd`, `peer` and `address` says to whom.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// What the connection is for, for readers.
    pub name: String,
    /// When it is opened.
    #[serde(default)]
    pub when: When,
    /// What is spoken.
    pub speaks: Speaks,
    /// Domain names with the weight of each in the choice.
    #[serde(default)]
    pub names: BTreeMap<String, f64>,
    /// A crowd of the profile to choose a name from.
    pub crowd: Option<String>,
    /// Another device of the home that is always on.
    pub peer: Option<String>,
    /// A fixed address.
    pub address: Option<Ipv4Addr>,
    /// The server's port.
    pub port: u16,
    /// Other ports that it goes to now and then.
    pub other_ports: Option<PortCrowd>,
    /// Whether the other side opens it, to `port` of the device. It then goes to a peer or a fixed address.
    #[serde(default)]
    pub incoming: bool,
    /// The port of the side that opens it; left out for an ephemeral one.
    pub local_port: Option<u16>,
    /// How names are asked for.
    #[serde(default)]
    pub asks: LookupPolicy,
    /// TLS: which hello of the profile is sent.
    pub hello: Option<String>,
    /// TLS: the probability that a session is resumed, without certificates.
    #[serde(default)]
    pub resumed: f64,
    /// TLS: length of the server's certificates together, in bytes; left out, it follows from the name.
    pub certificate_bytes: Option<u16>,
    /// HTTP: the request.
    pub request: Option<Request>,
    /// TCP and UDP: what each message of the device begins with, in hexadecimal.
    #[serde(default)]
    pub prefix_up: Hex,
    /// TCP and UDP: what each message of the server begins with, in hexadecimal.
    #[serde(default)]
    pub prefix_down: Hex,
    /// How long it is held, in seconds; left out, it ends when everything is said.
    pub lasts_s: Option<Amount>,
    /// How it ends.
    #[serde(default)]
    pub ends: Ending,
    /// How many such connections are opened together, each to a name of its own choice.
    pub at_once: Option<Amount>,
    /// What is said.
    pub talk: Vec<Talk>,
}

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaks {
    /// TLS over TCP.
    Tls,
    /// HTTP/1.1 over TCP, in clear.
    Http,
    /// A protocol of its own over TCP.
    Tcp,
    /// A protocol of its own over UDP.
    Udp,
    /// What looks like QUIC (RFC 9000 headers, opaque contents) over UDP.
    Quic,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The device closes it.
    #[default]
    Device,
    /// The server closes it.
    Server,
    /// The device resets it.
    Reset,
}

/// An HTTP request and what its response says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method; a body follows when the turn has bytes to send.
    pub method: String,
    /// The path.
    pub path: String,
    /// The version of HTTP that the request names: 1.0 or 1.1.
    #[serde(default = "version_1_1")]
    pub version: String,
    /// The version that the response names.
    #[serde(default = "version_1_1")]
    pub answer_version: String,
    /// The `Authorization` header, like `Basic dXNlcjpwYXNz`.
    pub authorization: Option<String>,
    /// The `WWW-Authenticate` header of a response that refuses the request.
    pub challenge: Option<String>,
    /// The form that the body begins with, like `user=a&password=b`; the body is of that type then.
    pub form: Option<String>,
    /// The `User-Agent` header.
    pub agent: Option<String>,
    /// The `Content-Type` of the response.
    #[serde(default = "usual_content")]
    pub content_type: String,
    /// The `Server` header of the response.
    #[serde(default = "usual_server")]
    pub server: String,
}

fn version_1_1() -> String {
    "1.1".to_owned()
}

fn usual_content() -> String {
    "application/octet-stream".to_owned()
}

fn usual_server() -> String {
    "httpd".to_owned()
}

/// Turns of a conversation: the device says something and the server answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Talk {
    /// When, while the connection lasts; left out, it is said at once after the opening, in the order written.
    pub when: Option<When>,
    /// How many turns follow each other.
    #[serde(default = "one")]
    pub turns: Amount,
    /// What the device sends in a turn, in bytes of its protocol; 0 for nothing.
    pub up_bytes: Amount,
    /// What the server sends in a turn, in bytes of its protocol; 0 for nothing.
    pub down_bytes: Amount,
    /// Pause between turns, in seconds.
    #[serde(default = "none")]
    pub pause_s: Amount,
    /// Whether the server speaks first, and the device answers.
    #[serde(default)]
    pub server_first: bool,
    /// The most that is sent, in kilobits per second; left out, what the path carries.
    pub rate_kbps: Option<f64>,
}

fn one() -> Amount {
    Amount::Exactly(1.0)
}

fn none() -> Amount {
    Amount::Exactly(0.0)
}

/// Bytes, read from an even number of hexadecimal digits; blanks are for the eye.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Hex(pub(crate) Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fail = || format!("invalid bytes '{text}': expected pairs of hexadecimal digits");
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
        let pair = |pair: &[u8]| {
            let digits = std::str::from_utf8(pair).ok().filter(|digits| digits.len() == 2)?;
            u8::from_str_radix(digits, 16).ok()
        };
        digits.chunks(2).map(|digits| pair(digits).ok_or_else(fail)).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_pairs_of_digits() {
        let read = |text: &str| Hex::try_from(text.to_owned());
        assert_eq!(read("2a 00 ff"), Ok(Hex(vec![0x2a, 0, 0xff])));
        assert_eq!(read(""), Ok(Hex::default()));
        assert!(read("2a0").is_err());
        assert!(read("zz").is_err());
    }
}
