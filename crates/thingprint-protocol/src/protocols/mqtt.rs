//! The opening of MQTT connections (OASIS MQTT 3.1.1 and 5.0, and IBM's 3.1 before them): CONNECT and CONNACK.
//!
//! A CONNECT packet names its protocol, so it needs no port to be recognised. A CONNACK is read where the other side
//! sent a CONNECT. What follows carries application messages and is not read.
use serde::Serialize;

use crate::cursor::Cursor;
use crate::message::{MessageBody, size};
use crate::parser::{Parser, StreamView};
use crate::phase::{Phase, Step};
use crate::schema::IpProtocol;
use crate::text::escaped;
use crate::{Credential, Message, Text};

/// First bytes of the packets, which have no flags (MQTT 3.1.1 §2.2).
const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
/// A remaining length has at most four bytes of seven bits each (§2.2.3).
const MOST_LENGTH_BYTES: usize = 4;
/// Protocol levels (§3.1.2.2, MQTT 5.0 §3.1.2.2).
const LEVEL_3_1: u8 = 3;
const LEVEL_3_1_1: u8 = 4;
const LEVEL_5: u8 = 5;
/// Brokers that connect to others as bridges set the top bit of the level.
const BRIDGE: u8 = 0x80;

/// Connect flags (§3.1.2.3).
mod flag {
    pub(super) const RESERVED: u8 = 0x01;
    pub(super) const CLEAN_START: u8 = 0x02;
    pub(super) const WILL: u8 = 0x04;
    pub(super) const WILL_QOS: u8 = 0x18;
    pub(super) const WILL_RETAIN: u8 = 0x20;
    pub(super) const PASSWORD: u8 = 0x40;
    pub(super) const USER_NAME: u8 = 0x80;
}

/// A CONNECT packet (MQTT 3.1.1 §3.1, 5.0 §3.1). Texts are as sent, bytes outside printable ASCII as `\xNN`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MqttConnect {
    /// The protocol level: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0.
    pub version: u8,
    /// Whether the client is a broker that acts as a bridge.
    pub is_bridge: bool,
    /// Whether the broker is to forget the last session; "clean session" before 5.0.
    pub is_clean_start: bool,
    /// The longest silence of the client; 0 means no limit.
    pub keep_alive_s: u16,
    /// The client identifier; empty if the broker is to assign one.
    pub client_id: Text,
    /// The message that the broker publishes when the connection breaks.
    pub will: Option<MqttWill>,
    /// The user name. Services put tokens into it, so it is hidden as the password is.
    pub user_name: Option<Credential>,
    /// The password, bytes outside printable ASCII as `\xNN`.
    pub password: Option<Credential>,
}

/// A will message, without its contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MqttWill {
    /// The topic.
    pub topic: Text,
    /// Quality of service, 0 to 2.
    pub qos: u8,
    /// Whether the broker keeps it for later subscribers.
    pub is_retained: bool,
    /// Length of the message in bytes.
    pub length_bytes: usize,
}

/// A CONNACK packet (MQTT 3.1.1 §3.2, 5.0 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MqttConnack {
    /// Whether the broker continues an earlier session.
    pub is_session_present: bool,
    /// 0 if the broker accepted; else the return code up to 3.1.1 (1 to 5), or the reason code of 5.0 (from 128).
    pub reason_code: u8,
}

/// The parser.
pub(crate) struct Mqtt;

impl Parser for Mqtt {
    const TRANSPORTS: &'static [IpProtocol] = &[IpProtocol::Tcp];

    fn begin(view: StreamView<'_>) -> Step {
        let packet = match Packet::read(view.bytes) {
            Scan::Packet(packet) => packet,
            Scan::More => return Step::More,
            Scan::Other => return Step::Done,
        };
        let bytes = packet.total_bytes();
        let is_too_long = bytes > view.longest;
        if is_too_long && packet.names_protocol() {
            return Step::Read { bytes, message: None, then: Phase::DONE };
        }
        let Some(body) = packet.rest.get(..packet.length) else {
            return if is_too_long { Step::Done } else { Step::More };
        };
        let message = match packet.kind {
            CONNECT => connect(body).map(Message::MqttConnect),
            _ => connack(body).map(Message::MqttConnack),
        };
        message.map_or(Step::Done, |message| Step::Read { bytes, message: Some(message), then: Phase::DONE })
    }
}

/// The fixed header of a packet (§2.2), and what is there of the rest.
struct Packet<'a> {
    kind: u8,
    header_bytes: usize,
    length: usize,
    rest: &'a [u8],
}

enum Scan<'a> {
    More,
    Packet(Packet<'a>),
    Other,
}

impl<'a> Packet<'a> {
    fn read(bytes: &'a [u8]) -> Scan<'a> {
        let mut cursor = Cursor::new(bytes);
        let Some(kind) = cursor.u8() else { return Scan::More };
        if !matches!(kind, CONNECT | CONNACK) {
            return Scan::Other;
        }
        match variable_length(&mut cursor) {
            Some(length) => {
                Scan::Packet(Packet { kind, header_bytes: cursor.position(), length, rest: cursor.rest() })
            }
            None if bytes.len() <= MOST_LENGTH_BYTES => Scan::More,
            None => Scan::Other,
        }
    }

    const fn total_bytes(&self) -> usize {
        self.header_bytes + self.length
    }

    /// Whether the variable header of a CONNECT packet begins here.
    fn names_protocol(&self) -> bool {
        self.kind == CONNECT && level(&mut Cursor::new(self.rest)).is_some()
    }
}

/// An integer of up to four bytes, the lowest seven bits first (§2.2.3).
fn variable_length(cursor: &mut Cursor<'_>) -> Option<usize> {
    let mut length = 0;
    for place in 0..MOST_LENGTH_BYTES {
        let byte = cursor.u8()?;
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

/// The protocol level, with the bit of bridges, behind a name that fits it.
fn level(cursor: &mut Cursor<'_>) -> Option<u8> {
    let name = cursor.vector16()?;
    let level = cursor.u8()?;
    let fits = match level & !BRIDGE {
        LEVEL_3_1 => name == b"MQIsdp",
        LEVEL_3_1_1 | LEVEL_5 => name == b"MQTT",
        _ => false,
    };
    fits.then_some(level)
}

/// Reads the body of a CONNECT packet, which has to end where the packet ends.
fn connect(body: &[u8]) -> Option<MqttConnect> {
    let mut cursor = Cursor::new(body);
    let level = level(&mut cursor)?;
    let version = level & !BRIDGE;
    let flags = cursor.u8().filter(|flags| flags & flag::RESERVED == 0)?;
    let keep_alive_s = cursor.u16()?;
    skip_properties(&mut cursor, version)?;
    let connect = MqttConnect {
        version,
        is_bridge: level & BRIDGE != 0,
        is_clean_start: flags & flag::CLEAN_START != 0,
        keep_alive_s,
        client_id: escaped(cursor.vector16()?).into(),
        will: if flags & flag::WILL == 0 { None } else { Some(will(&mut cursor, version, flags)?) },
        user_name: credential(&mut cursor, flags & flag::USER_NAME)?,
        password: credential(&mut cursor, flags & flag::PASSWORD)?,
    };
    cursor.rest().is_empty().then_some(connect)
}

fn will(cursor: &mut Cursor<'_>, version: u8, flags: u8) -> Option<MqttWill> {
    let qos = (flags & flag::WILL_QOS) >> 3;
    skip_properties(cursor, version)?;
    let topic = escaped(cursor.vector16()?).into();
    let length_bytes = cursor.vector16()?.len();
    let is_retained = flags & flag::WILL_RETAIN != 0;
    (qos <= 2).then_some(MqttWill { topic, qos, is_retained, length_bytes })
}

/// A field that is there if its flag is set; the outer `None` is a packet that is too short.
#[expect(clippy::option_option, reason = "absent and unreadable are two things")]
fn credential(cursor: &mut Cursor<'_>, flag: u8) -> Option<Option<Credential>> {
    if flag == 0 {
        return Some(None);
    }
    Some(Some(Credential::new(escaped(cursor.vector16()?))))
}

/// Goes past the properties that MQTT 5.0 has here (5.0 §2.2.2).
fn skip_properties(cursor: &mut Cursor<'_>, version: u8) -> Option<()> {
    if version == LEVEL_5 {
        let length = variable_length(cursor)?;
        cursor.take(length)?;
    }
    Some(())
}

/// Reads the body of a CONNACK packet; 5.0 adds properties.
fn connack(body: &[u8]) -> Option<MqttConnack> {
    match body {
        [flags @ 0..=1, reason_code @ (0..=5 | 0x80..), ..] => {
            Some(MqttConnack { is_session_present: *flags == 1, reason_code: *reason_code })
        }
        _ => None,
    }
}

impl MessageBody for MqttConnect {
    fn heap_bytes(&self) -> usize {
        let secrets = [&self.user_name, &self.password].into_iter().flatten();
        self.client_id.held_bytes()
            + size::said(self.will.as_ref().map(|will| &will.topic))
            + secrets.map(|secret| secret.reveal().len()).sum::<usize>()
    }

    fn show_credentials(&mut self) {
        self.user_name.iter_mut().for_each(Credential::show);
        self.password.iter_mut().for_each(Credential::show);
        self.client_id.show();
        self.will.iter_mut().for_each(|will| will.topic.show());
    }
}

impl MessageBody for MqttConnack {
    fn heap_bytes(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use proptest::prelude::*;
    use thingprint_flow::{Ip, TcpFlags, TcpSegment, Transport};

    use super::{Mqtt, MqttConnack, MqttConnect};
    use crate::parser::{Memo, Parser, StreamView};
    use crate::phase::{Phase, Step};
    use crate::{Engine, Inspection, Message, Sender};

    const LONGEST: usize = 1024;

    /// A text with its length before it.
    fn text(text: &str) -> Vec<u8> {
        [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
    }

    /// A packet of at most 16,383 bytes.
    fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len() & 0x7f).unwrap();
        let rest = u8::try_from(body.len() >> 7).unwrap();
        let length = if rest == 0 { vec![length] } else { vec![length | 0x80, rest] };
        [&[kind][..], &length, body].concat()
    }

    /// A lamp that connects by MQTT 3.1.1 with everything.
    fn lamp() -> Vec<u8> {
        let body = [
            text("MQTT"),
            vec![4, 0xee, 0, 60],
            text("lamp-7"),
            text("home/lamp"),
            text("gone"),
            text("desk"),
            text("s3cret"),
        ];
        packet(0x10, &body.concat())
    }

    fn begin(bytes: &[u8]) -> Step {
        Mqtt::begin(StreamView { bytes, longest: LONGEST, memo: Memo::default() })
    }

    fn connect(bytes: &[u8]) -> Option<MqttConnect> {
        match begin(bytes) {
            Step::Read { message: Some(Message::MqttConnect(connect)), then: Phase::DONE, .. } => {
                Some(connect)
            }
            _ => None,
        }
    }

    #[test]
    fn a_connect_packet_is_read_field_by_field() {
        let read = connect(&lamp()).unwrap();
        assert_eq!(
            (read.version, read.is_bridge, read.is_clean_start, read.keep_alive_s),
            (4, false, true, 60)
        );
        assert_eq!(read.client_id, "lamp-7");
        let will = read.will.unwrap();
        assert_eq!(
            (will.topic.as_str(), will.qos, will.is_retained, will.length_bytes),
            ("home/lamp", 1, true, 4)
        );
        assert_eq!(read.user_name.unwrap().reveal(), "desk");
        assert_eq!(read.password.unwrap().reveal(), "s3cret");
    }

    #[test]
    fn old_and_new_versions_have_their_own_form() {
        let old = packet(0x10, &[text("MQIsdp"), vec![3, 0, 0, 10], text("meter")].concat());
        let read = connect(&old).unwrap();
        assert_eq!((read.version, read.is_clean_start, read.client_id.as_str()), (3, false, "meter"));
        assert_eq!((read.will, read.user_name, read.password), (None, None, None));
        let session_expiry = [5, 0x11, 0, 0, 0, 60];
        let delay = [5, 0x18, 0, 0, 0, 1];
        let new = [
            text("MQTT"),
            vec![5, 0x44, 0, 0],
            session_expiry.to_vec(),
            text(""),
            delay.to_vec(),
            text("t"),
            text(""),
            text("token"),
        ];
        let read = connect(&packet(0x10, &new.concat())).unwrap();
        assert_eq!((read.version, read.client_id.as_str(), read.user_name), (5, "", None));
        assert_eq!((read.will.unwrap().qos, read.password.unwrap().reveal()), (0, "token"));
        let bridge = packet(0x10, &[text("MQTT"), vec![0x84, 2, 0, 0], text("b")].concat());
        assert_eq!(connect(&bridge).map(|read| (read.version, read.is_bridge)), Some((4, true)));
    }

    #[test]
    fn a_cut_packet_waits_for_the_rest() {
        let long = packet(0x10, &[text("MQTT"), vec![4, 2, 0, 0], text(&"c".repeat(200))].concat());
        for bytes in [lamp(), long] {
            for cut in 0..bytes.len() {
                assert_eq!(begin(&bytes[..cut]), Step::More, "cut at {cut}");
            }
            let followed = [&bytes[..], &[0x82, 0]].concat();
            assert!(matches!(begin(&followed), Step::Read { bytes: read, .. } if read == bytes.len()));
        }
    }

    #[test]
    fn a_packet_beyond_the_limit_is_recognised_and_not_read() {
        let long = packet(0x10, &[text("MQTT"), vec![4, 2, 0, 0], text(&"c".repeat(2000))].concat());
        let expected = Step::Read { bytes: long.len(), message: None, then: Phase::DONE };
        assert_eq!(begin(&long[..LONGEST]), expected);
        assert_eq!(begin(&packet(0x20, &[0; 2000])[..LONGEST]), Step::Done);
    }

    #[test]
    fn packets_of_other_protocols_are_refused() {
        let body = |name: &str, level: u8, flags: u8, rest: &[u8]| {
            packet(0x10, &[&text(name)[..], &[level, flags, 0, 0], rest].concat())
        };
        for bytes in [
            body("MQTT", 3, 2, &text("a")),
            body("MQIsdp", 4, 2, &text("a")),
            body("MQTT", 6, 2, &text("a")),
            body("HTTP", 4, 2, &text("a")),
            body("MQTT", 4, 3, &text("a")),
            body("MQTT", 4, 0x1e, &[text("a"), text("t"), text("m")].concat()),
            body("MQTT", 4, 2, &[text("a"), vec![0]].concat()),
            body("MQTT", 4, 0x82, &text("a")),
            packet(0x11, &lamp()[2..]),
            packet(0x20, &[2, 0]),
            packet(0x20, &[0, 6]),
            packet(0x20, &[0]),
            vec![0x10, 0xff, 0xff, 0xff, 0xff, 0x7f],
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        ] {
            assert_eq!(begin(&bytes), Step::Done, "{}", bytes.escape_ascii());
        }
    }

    /// What an engine finds on a port of no meaning, whose client sends `asked` and whose server `answered`.
    fn inspect(asked: &[u8], answered: &[u8]) -> (Option<String>, Vec<Message>) {
        let engine = Engine::default();
        let (mut budget, mut state) = (engine.budget(), Inspection::default());
        let mut found = Vec::new();
        for (sender, payload) in [(Sender::Device, asked), (Sender::Peer, answered)] {
            let packet = Ip {
                transport: Transport::Tcp(TcpSegment { seq: 1, ack: 0, flags: TcpFlags(0x10) }),
                ..Ip::udp(([192, 0, 2, 1].into(), 40000), ([192, 0, 2, 2].into(), 40001), payload)
            };
            engine.inspect(&packet, sender, &mut state, &mut budget, &mut |message| found.push(message));
        }
        let service = engine.service(&state).map(str::to_owned);
        state.close(&mut budget);
        assert_eq!(budget.used_bytes(), 0);
        (service, found)
    }

    #[test]
    fn a_connection_is_detected_on_any_port() {
        let (service, found) = inspect(&lamp(), &packet(0x20, &[0, 5]));
        assert_eq!(service.as_deref(), Some("mqtt"));
        let refused = MqttConnack { is_session_present: false, reason_code: 5 };
        assert_eq!(found, [Message::MqttConnect(connect(&lamp()).unwrap()), Message::MqttConnack(refused)]);
        assert_eq!(inspect(&packet(0x20, &[0, 0]), &[]), (None, vec![]), "an answer alone proves nothing");
    }

    #[test]
    fn credentials_are_written_only_if_asked_for() {
        let mut message = Message::MqttConnect(connect(&lamp()).unwrap());
        let json = |message: &Message| serde_json::to_value(message).unwrap();
        let hidden = json(&message);
        assert_eq!((&hidden["message"], &hidden["client_id"]), (&"mqtt_connect".into(), &"lamp-7".into()));
        assert_eq!((&hidden["user_name"], &hidden["password"]), (&"***".into(), &"***".into()));
        assert!(!format!("{message:?}").contains("s3cret"));
        assert_eq!(message.held_bytes(), size_of::<Message>() + "lamp-7home/lampdesks3cret".len());
        message.show_credentials();
        let shown = json(&message);
        assert_eq!((&shown["user_name"], &shown["password"]), (&"desk".into(), &"s3cret".into()));
        assert!(!format!("{message:?}").contains("s3cret"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            start in prop::sample::select(vec![&b""[..], b"\x10", b"\x10\x20\0\x04MQTT\x04", b"\x10\x20\0\x04MQTT\x05", b"\x20"]),
            rest in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let bytes = [start, &rest].concat();
            let whole = begin(&bytes);
            // What is refused stays so with more bytes, and what is read does not change.
            for cut in 0..bytes.len() {
                match begin(&bytes[..cut]) {
                    Step::More => {}
                    step => prop_assert_eq!(&step, &whole, "cut at {}", cut),
                }
            }
        }

        #[test]
        fn a_changed_packet_is_admitted_by_the_model_if_it_is_read(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let mut bytes = lamp();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let is_read = connect(&bytes).is_some();
            prop_assert_eq!(inspect(&bytes, &[]).0.as_deref() == Some("mqtt"), is_read);
        }
    }
}
