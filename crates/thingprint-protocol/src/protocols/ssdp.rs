//! SSDP messages (`UPnP` Device Architecture 2.0 §1): heads of HTTP messages, each in a UDP payload of its own.
//!
//! The method identifies a search and a notification; an answer needs a header that only SSDP has. Whether the head ends
//! with an empty line does not matter.
use serde::Serialize;
use thingprint_flow::Ip;

use crate::message::{MessageBody, size};
use crate::parser::Parser;
use crate::protocols::http::{self, Headers, Outline, StartLine};
use crate::schema::IpProtocol;
use crate::text::escaped;
use crate::{HttpVersion, Message, Text, Uri};

/// An SSDP message (`UPnP` Device Architecture 2.0 §1): a search, a notification, or the answer to a search. Texts are as
/// sent, quotation marks included, bytes outside printable ASCII as `\xNN`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SsdpMessage {
    /// `M-SEARCH` or `NOTIFY`; absent in an answer.
    pub method: Option<String>,
    /// The request target, `*` as a rule; absent in an answer.
    pub uri: Option<Uri>,
    /// The version of HTTP that the first line names.
    pub version: Option<HttpVersion>,
    /// The status code of an answer.
    pub status: Option<u16>,
    /// The reason phrase of an answer.
    pub phrase: Option<Text>,
    /// `HOST`.
    pub host: Option<Uri>,
    /// `MAN`, which should be `"ssdp:discover"`.
    pub search_type: Option<Text>,
    /// `ST`.
    pub search_target: Option<Text>,
    /// `MX`: seconds within which an answer is wanted.
    pub most_wait_s: Option<u32>,
    /// `NT`.
    pub notification_type: Option<Text>,
    /// `NTS`.
    pub notification_sub_type: Option<Text>,
    /// `USN`.
    pub unique_service_name: Option<Text>,
    /// `SERVER`.
    pub server: Option<Text>,
    /// `USER-AGENT`.
    pub user_agent: Option<Text>,
    /// `CACHE-CONTROL`.
    pub cache_control: Option<Text>,
    /// `LOCATION`, else `AL`.
    pub location: Option<Uri>,
    /// Names of the headers in order, in lower case, joined by commas; the first 512 bytes.
    pub field_order: Option<String>,
    /// Time to live, or hop limit, of the IP packet.
    pub ip_ttl: u8,
}

/// The parser.
pub(crate) struct Ssdp;

impl Parser for Ssdp {
    const TRANSPORTS: &'static [IpProtocol] = &[IpProtocol::Udp];

    fn datagram(packet: &Ip<'_>) -> Option<Message> {
        parse(packet.payload, packet.ttl).map(Message::Ssdp)
    }
}

impl MessageBody for SsdpMessage {
    fn heap_bytes(&self) -> usize {
        let uris = [&self.uri, &self.host, &self.location];
        size::text(self.method.as_ref())
            + size::text(self.field_order.as_ref())
            + self.texts().into_iter().map(|text| size::said(text.as_ref())).sum::<usize>()
            + uris.into_iter().map(|uri| size::uri(uri.as_ref())).sum::<usize>()
    }

    fn show_credentials(&mut self) {
        self.uri.iter_mut().for_each(Uri::show);
        self.host.iter_mut().for_each(Uri::show);
        self.location.iter_mut().for_each(Uri::show);
        let texts = [
            &mut self.phrase,
            &mut self.search_type,
            &mut self.search_target,
            &mut self.notification_type,
            &mut self.notification_sub_type,
            &mut self.unique_service_name,
            &mut self.server,
            &mut self.user_agent,
            &mut self.cache_control,
        ];
        texts.into_iter().flatten().for_each(Text::show);
    }
}

impl SsdpMessage {
    fn texts(&self) -> [&Option<Text>; 9] {
        [
            &self.phrase,
            &self.search_type,
            &self.search_target,
            &self.notification_type,
            &self.notification_sub_type,
            &self.unique_service_name,
            &self.server,
            &self.user_agent,
            &self.cache_control,
        ]
    }
}

/// Reads the SSDP message in a UDP payload; `ip_ttl` is the packet's time to live.
pub fn parse(payload: &[u8], ip_ttl: u8) -> Option<SsdpMessage> {
    let (start, headers) = match http::outline(payload) {
        Outline::Whole { start, headers, .. } | Outline::Begun { start: Some(start), headers } => {
            (start, headers)
        }
        Outline::Begun { start: None, .. } | Outline::Other => return None,
    };
    match start {
        StartLine::Request { method, target, version } => {
            let is_ssdp = [&b"M-SEARCH"[..], b"NOTIFY"].iter().any(|name| method.eq_ignore_ascii_case(name));
            is_ssdp.then(|| SsdpMessage {
                method: Some(escaped(method)),
                uri: Some(Uri::new(escaped(target))),
                version: Some(version),
                ..message(headers, ip_ttl)
            })
        }
        StartLine::Response { version, status, phrase } => {
            let message = message(headers, ip_ttl);
            let is_ssdp = message.search_target.is_some() || message.unique_service_name.is_some();
            is_ssdp.then(|| SsdpMessage {
                version,
                status: Some(status),
                phrase: Some(escaped(phrase).into()),
                ..message
            })
        }
    }
}

/// What the headers say.
fn message(headers: Headers<'_>, ip_ttl: u8) -> SsdpMessage {
    let [host, man, st, mx, nt, nts, usn, server, user_agent, cache_control, location, al] = headers.texts([
        "host",
        "man",
        "st",
        "mx",
        "nt",
        "nts",
        "usn",
        "server",
        "user-agent",
        "cache-control",
        "location",
        "al",
    ]);
    SsdpMessage {
        method: None,
        uri: None,
        version: None,
        status: None,
        phrase: None,
        host: host.map(Uri::new),
        search_type: man.map(Text::from),
        search_target: st.map(Text::from),
        most_wait_s: mx.and_then(|seconds| seconds.parse().ok()),
        notification_type: nt.map(Text::from),
        notification_sub_type: nts.map(Text::from),
        unique_service_name: usn.map(Text::from),
        server: server.map(Text::from),
        user_agent: user_agent.map(Text::from),
        cache_control: cache_control.map(Text::from),
        location: location.or(al).map(Uri::new),
        field_order: headers.order(),
        ip_ttl,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::{HttpVersion, Message, Uri};

    const VERSION_1_1: Option<HttpVersion> = Some(HttpVersion { major: 1, minor: 1 });

    #[test]
    fn a_search_tells_what_is_searched() {
        let payload =
            b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMan: \"ssdp:discover\"\r\nMX: 3\r\n\
            ST: urn:dial-multiscreen-org:service:dial:1\r\nUSER-AGENT: lamp/1.0\r\n\r\n";
        let search = parse(payload, 2).unwrap();
        assert_eq!(
            (search.method.as_deref(), search.uri.as_ref().map(Uri::reveal)),
            (Some("M-SEARCH"), Some("*"))
        );
        assert_eq!((search.version, search.status, search.ip_ttl), (VERSION_1_1, None, 2));
        assert_eq!(search.host.as_ref().map(Uri::reveal), Some("239.255.255.250:1900"));
        assert_eq!(search.search_type.as_deref(), Some("\"ssdp:discover\""));
        assert_eq!(search.search_target.as_deref(), Some("urn:dial-multiscreen-org:service:dial:1"));
        assert_eq!((search.most_wait_s, search.user_agent.as_deref()), (Some(3), Some("lamp/1.0")));
    }

    #[test]
    fn a_notification_needs_no_end() {
        let payload =
            b"NOTIFY * HTTP/1.1\nNT:upnp:rootdevice\nNTS : ssdp:alive\nUSN: uuid:7::upnp:rootdevice\n\
            LOCATION: http://192.0.2.7/d.xml\nCACHE-CONTROL: max-age=100\nSERVER: Linux UPnP/1.0 Lamp/1";
        let notification = parse(payload, 4).unwrap();
        assert_eq!(notification.notification_type.as_deref(), Some("upnp:rootdevice"));
        assert_eq!(notification.notification_sub_type.as_deref(), Some("ssdp:alive"));
        assert_eq!(notification.unique_service_name.as_deref(), Some("uuid:7::upnp:rootdevice"));
        assert_eq!(notification.location.as_ref().map(Uri::reveal), Some("http://192.0.2.7/d.xml"));
        assert_eq!(notification.cache_control.as_deref(), Some("max-age=100"));
        assert_eq!(notification.server.as_deref(), Some("Linux UPnP/1.0 Lamp/1"));
        assert_eq!((notification.search_target, notification.ip_ttl), (None, 4));
    }

    #[test]
    fn an_answer_needs_a_header_of_its_own() {
        let answer = parse(b"HTTP/1.1 200 OK\r\nEXT:\r\nST: ssdp:all\r\nUSN: uuid:7\r\n\r\n", 64).unwrap();
        assert_eq!((answer.method, answer.uri, answer.version), (None, None, VERSION_1_1));
        assert_eq!((answer.status, answer.phrase.as_deref()), (Some(200), Some("OK")));
        assert_eq!(answer.search_target.as_deref(), Some("ssdp:all"));
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nServer: lamp\r\n\r\n", 64), None);
    }

    #[test]
    fn secrets_in_addresses_are_not_written_unless_asked() {
        let payload = b"NOTIFY http://u:pw1@h/ HTTP/1.1\r\nHost: u:pw2@h\r\nNT: x\r\nLOCATION: http://u:pw3@h/?token=pw4\r\n\
            SERVER: Linux (http://u:pw5@h/)\r\nUSN: uuid:7::x?authcode=pw6\r\nUSER-AGENT: u:pw7@h\r\n";
        let mut message = Message::Ssdp(parse(payload, 2).unwrap());
        let json = |message: &Message| serde_json::to_string(message).unwrap();
        assert!(!format!("{message:?} {}", json(&message)).contains("pw"));
        message.show_credentials();
        assert!(!format!("{message:?}").contains("pw"));
        for secret in ["pw1", "pw2", "pw3", "pw4", "pw5", "pw6", "pw7"] {
            assert!(json(&message).contains(secret), "{secret}");
        }
    }

    #[test]
    fn other_payloads_are_refused() {
        for payload in [
            &b"BT-SEARCH * HTTP/1.1\r\nST: x\r\n\r\n"[..],
            b"GET / HTTP/1.1\r\nST: x\r\n\r\n",
            b"M-SEARCH *",
            b"M-SEARCH * RTSP/1.0\r\n\r\n",
            b"",
            b"\0\x01\0\0",
        ] {
            assert_eq!(parse(payload, 1), None, "{payload:?}");
        }
    }
}
