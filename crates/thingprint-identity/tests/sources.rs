//! What devices say, byte by byte, by each source.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod network;

use network::{DEVICE_IP, Network, OTHER_IP, dhcp, mdns, record, txt, values};
use thingprint_identity::{Certainty, Field};

const ALL: [u8; 4] = [255, 255, 255, 255];
const MDNS: [u8; 4] = [224, 0, 0, 251];
const SSDP: [u8; 4] = [239, 255, 255, 250];

#[test]
fn services_of_multicast_dns() {
    let hap = "lamp._hap._tcp.local";
    let message = mdns(
        &[record("_hap._tcp.local", 12, &network::dns_name(hap))],
        &[txt(hap, &["md=Lamp 3", "ci=5", "sf=0"]), record("acme.local", 1, &DEVICE_IP)],
    );
    let network = || Network::new().says((5353, 5353), MDNS, &message);
    assert_eq!(
        network().said(),
        [
            "dns_sd _hap._tcp ci=5",
            "dns_sd _hap._tcp instance=lamp",
            "dns_sd _hap._tcp md=Lamp 3",
            "dns_sd _hap._tcp sf=0",
            "dns_sd host_name=acme",
            "dns_sd service=_hap._tcp",
        ]
    );
    let identity = network().identity();
    assert_eq!(values(&identity), [None, Some("Lamp 3"), Some("light"), Some("acme"), None]);
    assert_eq!(identity.answer(Field::Model).certainty, Some(Certainty::Declared));
    assert_eq!(identity.answer(Field::Name).certainty, Some(Certainty::Likely));
}

#[test]
fn a_question_and_an_answer_for_others_say_nothing() {
    let answer = [record("_hap._tcp.local", 12, &network::dns_name("lamp._hap._tcp.local"))];
    let mut question = mdns(&answer, &[]);
    question[2] = 0; // A query, with an answer that the device knows already.
    question.splice(4..6, [0, 1]);
    question.splice(12..12, [network::dns_name("_hap._tcp.local"), vec![0, 12, 0, 1]].concat());
    assert_eq!(Network::new().says((5353, 5353), MDNS, &question).said(), [""; 0]);
    let proxy = mdns(&answer, &[record("other.local", 1, &OTHER_IP)]);
    assert_eq!(Network::new().says((5353, 5353), MDNS, &proxy).said(), [""; 0]);
    let heard = mdns(&answer, &[record("other.local", 1, &OTHER_IP)]);
    assert_eq!(Network::new().hears((5353, 5353), &heard).said(), [""; 0]);
}

#[test]
fn a_record_that_no_longer_holds_says_nothing() {
    let mut gone = txt("lamp._hap._tcp.local", &["md=Lamp 3"]);
    let ttl_at = network::dns_name("lamp._hap._tcp.local").len() + 4;
    gone[ttl_at..ttl_at + 4].fill(0);
    assert_eq!(Network::new().says((5353, 5353), MDNS, &mdns(&[gone], &[])).said(), [""; 0]);
}

const DESCRIPTION: &str = "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device>\
    <deviceType>urn:schemas-upnp-org:device:DigitalSecurityCamera:1</deviceType><friendlyName>Hall</friendlyName>\
    <manufacturer>Acme &amp; Sons</manufacturer><modelName>Eye</modelName><modelNumber>E-1</modelNumber>\
    <deviceList><device><modelName>Part</modelName></device></deviceList></device></root>";

fn http(content_type: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nServer: Acme/1\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

#[test]
fn descriptions_of_upnp_in_any_segments() {
    for most in [40, 500, 5000] {
        let identity = Network::new().answers(8080, &http("text/xml", DESCRIPTION), most).identity();
        let expected = [Some("Acme & Sons"), Some("Eye"), Some("camera"), Some("Hall"), None];
        assert_eq!(values(&identity), expected, "segments of {most} bytes");
        assert_eq!(identity.answer(Field::Vendor).sources(), ["upnp"]);
    }
    let said = Network::new().answers(8080, &http("text/plain", DESCRIPTION), 500).said();
    assert_eq!(said, ["http server=Acme/1"]);
}

#[test]
fn announcements_of_ssdp_and_no_searches() {
    let notify =
        b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: urn:schemas-upnp-org:device:Printer:1\r\n\
        NTS: ssdp:alive\r\nSERVER: Linux/3 UPnP/1.0 Acme/2\r\nLOCATION: http://192.168.1.7/d.xml\r\n\
        USN: uuid:1::urn:schemas-upnp-org:device:Printer:1\r\n\r\n";
    let network = || Network::new().says((1900, 1900), SSDP, notify);
    assert_eq!(
        network().said(),
        [
            "ssdp device_type=urn:schemas-upnp-org:device:Printer:1",
            "ssdp location=http://192.168.1.7/d.xml",
            "ssdp server=Linux/3 UPnP/1.0 Acme/2",
            "ssdp unit=uuid:1",
        ]
    );
    assert_eq!(network().identity().value(Field::Type), Some("printer"));
    let search = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 3\r\n\
        ST: urn:schemas-upnp-org:device:Printer:1\r\nSERVER: Printer\r\n\r\n";
    assert_eq!(Network::new().says((50_000, 1900), SSDP, search).said(), [""; 0]);
}

const NS: &str = "xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"";

#[test]
fn cameras_by_ws_discovery() {
    let matches = format!(
        "<?xml version=\"1.0\"?><s:Envelope {NS}><s:Body><d:ProbeMatches><d:ProbeMatch>\
         <d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/hardware/EYE-2 \
         onvif://www.onvif.org/name/Front%20Door onvif://www.onvif.org/type/ptz</d:Scopes>\
         </d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
    );
    let identity = Network::new().says((3702, 50_000), OTHER_IP, matches.as_bytes()).identity();
    assert_eq!(values(&identity), [None, Some("EYE-2"), Some("camera"), Some("Front Door"), None]);
    let probe = format!(
        "<s:Envelope {NS}><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Envelope>"
    );
    assert_eq!(Network::new().says((50_000, 3702), SSDP, probe.as_bytes()).said(), [""; 0]);
}

/// The exclusive or of the TP-Link Smart Home protocol.
fn tp_link(text: &str) -> Vec<u8> {
    let mut key = 171;
    text.bytes()
        .map(|byte| {
            key ^= byte;
            key
        })
        .collect()
}

#[test]
fn plugs_of_tp_link_over_udp_and_tcp() {
    let info = "{\"system\":{\"get_sysinfo\":{\"alias\":\"Kettle\",\"model\":\"HS110(EU)\",\"type\":\"IOT.SMARTPLUGSWITCH\"}}}";
    let body = tp_link(info);
    let framed = [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], &body].concat();
    for network in
        [Network::new().says((9999, 50_000), OTHER_IP, &body), Network::new().answers(9999, &framed, 5000)]
    {
        let identity = network.identity();
        assert_eq!(identity.value(Field::Vendor), Some("TP-Link"));
        assert_eq!(identity.value(Field::Type), Some("smart-plug"));
        assert_eq!(identity.value(Field::Name), Some("Kettle"));
    }
    let asked = tp_link("{\"system\":{\"get_sysinfo\":{}}}");
    assert_eq!(Network::new().says((50_000, 9999), ALL, &asked).said(), [""; 0]);
}

#[test]
fn lamps_of_lifx() {
    let mut answer = vec![0_u8; 36];
    answer[2..4].copy_from_slice(&[0x00, 0x14]);
    answer[32] = 25;
    answer.extend(b"Kitchen");
    answer.resize(36 + 32, 0);
    answer[0] = 68;
    let network = || Network::new().says((56_700, 56_700), OTHER_IP, &answer);
    assert_eq!(network().said(), ["lifx label=Kitchen"]);
    let identity = network().identity();
    assert_eq!(values(&identity), [Some("LIFX"), None, Some("light"), Some("Kitchen"), None]);
    answer[32] = 2; // A question of an app.
    assert_eq!(Network::new().says((56_700, 56_700), OTHER_IP, &answer).said(), [""; 0]);
}

#[test]
fn lamps_of_yeelight() {
    let notify =
        b"NOTIFY * HTTP/1.1\r\nHost: 239.255.255.250:1982\r\nLocation: yeelight://192.168.1.7:55443\r\n\
        NTS: ssdp:alive\r\nmodel: color\r\nname: Desk\r\n\r\n";
    let identity = Network::new().says((1982, 1982), SSDP, notify).identity();
    assert_eq!(values(&identity), [Some("Yeelight"), Some("color"), Some("light"), Some("Desk"), None]);
}

#[test]
fn bridges_of_hue() {
    let config = "{\"name\":\"Bridge\",\"modelid\":\"BSB002\",\"bridgeid\":\"00\",\"apiversion\":\"1\",\"swversion\":\"2\"}";
    let identity = Network::new().answers(80, &http("application/json", config), 5000).identity();
    assert_eq!(identity.value(Field::Vendor), Some("Philips"));
    assert_eq!(identity.value(Field::Type), Some("bridge"));
    let other = "{\"name\":\"Bridge\",\"bridgeid\":\"00\"}";
    let said = Network::new().answers(80, &http("application/json", other), 5000).said();
    assert_eq!(said, ["http server=Acme/1"]);
}

#[test]
fn a_bridge_that_something_else_speaks_against_is_likely_at_most() {
    let config = "{\"name\":\"Bridge\",\"modelid\":\"BSB002\",\"bridgeid\":\"00\",\"apiversion\":\"1\"}";
    // An address block of Amazon, and one of Philips.
    for (block, certainty) in
        [([0x44, 0x65, 0x0d], Certainty::Likely), ([0x00, 0x17, 0x88], Certainty::Declared)]
    {
        let mac = [block[0], block[1], block[2], 0, 0, 7];
        let identity = Network::of(mac).answers(80, &http("application/json", config), 5000).identity();
        let answer = identity.answer(Field::Type);
        assert_eq!((answer.value.as_deref(), answer.certainty), (Some("bridge"), Some(certainty)), "{mac:?}");
        let has_other =
            identity.answer(Field::Vendor).contradictions.iter().any(|claim| claim.value == "Amazon");
        assert_eq!(has_other, certainty == Certainty::Likely, "{identity:?}");
    }
}

#[test]
fn a_text_without_a_key_says_nothing() {
    let message = mdns(&[txt("lamp._hap._tcp.local", &["=md=Lamp 3", "md", "ci=5"])], &[]);
    let said = Network::new().says((5353, 5353), MDNS, &message).said();
    assert_eq!(said, ["dns_sd _hap._tcp ci=5", "dns_sd service=_hap._tcp"]);
}

#[test]
fn plugs_of_edimax() {
    let mut answer = [&network::DEVICE[..], b"EDIMAX\0\0\0\0\0\0\x01\xa1\xfe\x5e"].concat();
    answer.extend(b"SP1101W\0\0\0\0\0\0\x001.09\0\0\0\0Plug4a\0\0\0\0");
    let network = || Network::new().says((20_560, 50_000), OTHER_IP, &answer);
    assert_eq!(network().said(), ["edimax model=SP1101W", "edimax name=Plug4a", "edimax version=1.09"]);
    let identity = network().identity();
    assert_eq!(
        values(&identity)[..4],
        [Some("Edimax"), Some("SP-1101W"), Some("smart-plug"), Some("Plug4a")]
    );
    assert_eq!(identity.answer(Field::Model).certainty, Some(Certainty::Declared));
    for length in 0..answer.len() {
        Network::new().says((20_560, 50_000), OTHER_IP, &answer[..length]).said();
    }
    let question = b"\xff\xff\xff\xff\xff\xffEDIMAX\0\0\0\0\0\0\0\xa1\xff\x5e";
    assert_eq!(Network::new().says((50_000, 20_560), ALL, question).said(), [""; 0]);
}

#[test]
fn cubes_of_eq3() {
    let network = |payload: &[u8]| Network::new().says((23_272, 23_272), OTHER_IP, payload);
    let answer = b"eQ3MaxApKEQ0000001>I\0\x0c\xc3\x86\x01\x13";
    assert_eq!(network(answer).said(), ["eq3 serial=KEQ0000001"]);
    assert_eq!(values(&network(answer).identity())[..3], [Some("eQ-3"), Some("MAX! Cube"), Some("bridge")]);
    for payload in [&answer[..17], b"eQ3Max*\0**********I"] {
        assert_eq!(network(payload).said(), [""; 0]);
    }
}

#[test]
fn broadcasts_of_tuya() {
    let text = b"{\"gwId\":\"1\",\"productKey\":\"abc\",\"version\":\"3.1\"}";
    let length = u32::try_from(text.len() + 12).unwrap().to_be_bytes();
    let head = [&[0, 0, 0x55, 0xaa, 0, 0, 0, 0, 0, 0, 0, 0][..], &length, &[0; 4]].concat();
    let message = [&head[..], text, &[1, 2, 3, 4, 0, 0, 0xaa, 0x55]].concat();
    let network = || Network::new().says((50_000, 6666), ALL, &message);
    assert_eq!(network().said(), ["tuya productKey=abc", "tuya version=3.1"]);
    assert_eq!(network().identity().answer(Field::Vendor).certainty, Some(Certainty::VendorOnly));
    // Version 3.3, encrypted by OpenSSL with the MD5 sum of the text that all devices share as the key.
    let secret = [
        0x28, 0xe6, 0x0e, 0x82, 0xdd, 0x40, 0xce, 0x3a, 0x77, 0x6e, 0x2e, 0xdc, 0xfd, 0x3a, 0x0e, 0x95, 0xc5,
        0x76, 0xbd, 0x58, 0x02, 0xff, 0x6e, 0x94, 0xb7, 0xd8, 0xdf, 0xd1, 0xd3, 0x0b, 0x2f, 0x94, 0xb8, 0x1a,
        0x9e, 0x2e, 0xe4, 0xb9, 0x8c, 0x61, 0x27, 0x7a, 0xc0, 0xde, 0x50, 0x40, 0xcd, 0xbd,
    ];
    let message = [&head[..], &secret, &[1, 2, 3, 4, 0, 0, 0xaa, 0x55]].concat();
    let said = Network::new().says((50_000, 6667), ALL, &message).said();
    assert_eq!(said, ["tuya productKey=abc", "tuya version=3.3"]);
    let broken = [&head[..], &secret[1..], &[1, 2, 3, 4, 0, 0, 0xaa, 0x55]].concat();
    assert_eq!(Network::new().says((50_000, 6667), ALL, &broken).said(), [""; 0]);
}

#[test]
fn switches_and_phones_by_lldp() {
    let element =
        |kind: u8, value: &[u8]| [&[kind << 1, u8::try_from(value.len()).unwrap()][..], value].concat();
    let frame = [
        element(1, &[4, 2, 0, 0, 0, 0, 7]),
        element(5, b"desk-12"),
        element(7, &[0, 0x24, 0, 0x24]),
        element(127, b"\x00\x12\xbb\x09Acme Inc."),
        element(127, b"\x00\x12\xbb\x0aT-100"),
        element(0, &[]),
    ]
    .concat();
    let identity = Network::new().frame(0x88cc, &frame).identity();
    assert_eq!(
        values(&identity),
        [Some("Acme Inc."), Some("T-100"), Some("voip-phone"), Some("desk-12"), None]
    );
    for length in 0..frame.len() {
        Network::new().frame(0x88cc, &frame[..length]).said();
    }
}

#[test]
fn devices_by_cdp() {
    let element =
        |kind: u8, value: &[u8]| [&[0, kind, 0, u8::try_from(4 + value.len()).unwrap()][..], value].concat();
    let frame = [
        vec![2, 180, 0, 0],
        element(1, b"sw-1"),
        element(5, b"IOS 15\nCopyright"),
        element(6, b"cisco WS-C2960"),
    ];
    let frame = frame.concat();
    let identity = Network::new().frame(0x2000, &frame).identity();
    assert_eq!(values(&identity)[..2], [Some("Cisco"), Some("WS-C2960")]);
    assert_eq!(values(&identity)[3..], [Some("sw-1"), Some("IOS 15")]);
    for length in 0..frame.len() {
        Network::new().frame(0x2000, &frame[..length]).said();
    }
}

#[test]
fn requests_to_a_dhcp_server() {
    let options = b"\x0c\x04lamp\x37\x03\x01\x03\x06\x3c\x06acme-1\x4d\x05\x04user\x7c\x09\0\0\0\x09\x04abcd\x3d\x05\0name";
    let said = Network::new().says((68, 67), ALL, &dhcp(options)).said();
    assert_eq!(
        said,
        [
            "dhcp client_identifier=name",
            "dhcp enterprise=9",
            "dhcp enterprise_class=abcd",
            "dhcp host_name=lamp",
            "dhcp requested_options=1,3,6",
            "dhcp user_class=user",
            "dhcp vendor_class=acme-1",
        ]
    );
    let mut relayed = dhcp(options);
    relayed[33] = 8; // Of another client.
    assert_eq!(Network::new().says((68, 67), ALL, &relayed).said(), [""; 0]);
}

/// A name of `NetBIOS`, encoded.
fn netbios_name(name: &str, kind: u8) -> Vec<u8> {
    let padded = name.bytes().chain(std::iter::repeat(b' ')).take(15).chain([kind]);
    let letters = padded.flat_map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 15)]);
    [vec![32], letters.collect(), vec![0]].concat()
}

#[test]
fn names_of_netbios() {
    let registration = |kind, flags| {
        let head = [0, 1, 0x29, 0x10, 0, 1, 0, 0, 0, 0, 0, 1];
        let question = [netbios_name("STUDY", kind), vec![0, 32, 0, 1]].concat();
        let record = [0xc0, 12, 0, 32, 0, 1, 0, 4, 0x93, 0xe0, 0, 6, flags, 0, 192, 168, 1, 7];
        [&head[..], &question, &record].concat()
    };
    let said = |payload: &[u8]| Network::new().says((137, 137), ALL, payload).said();
    assert_eq!(said(&registration(0x20, 0x00)), ["netbios registered_name=STUDY"]);
    assert_eq!(said(&registration(0x1d, 0x00)), [""; 0], "the master browser's");
    assert_eq!(said(&registration(0x00, 0x80)), [""; 0], "a group's");
    let mut announcement = vec![0x11, 0x02, 0, 1];
    announcement.extend([0; 80]);
    announcement.extend(b"\\MAILSLOT\\BROWSE\0\x01\0\x80\xfc\x0a\0STUDY\0\0\0\0\0\0\0\0\0\0\0");
    announcement.extend([6, 1, 3, 0x10, 0, 0, 15, 1, 0x55, 0xaa]);
    announcement.extend(b"Desk\0");
    assert_eq!(
        Network::new().says((138, 138), ALL, &announcement).said(),
        ["netbios announced_name=STUDY", "netbios comment=Desk"]
    );
}

#[test]
fn agents_servers_and_the_servers_that_are_asked() {
    let request = b"GET / HTTP/1.1\r\nHost: api.lifx.co\r\nUser-Agent: acme/1.0\r\n\r\n";
    let network = || Network::new().asks(request);
    assert_eq!(network().said(), ["dns server=api.lifx.co", "http user_agent=acme/1.0"]);
    let identity = network().identity();
    assert_eq!(identity.value(Field::Vendor), Some("LIFX"));
    assert_eq!(identity.answer(Field::Vendor).certainty, Some(Certainty::VendorOnly));
    let query = [&[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &network::dns_name("api.lifx.co"), &[0, 1, 0, 1]]
        .concat();
    assert_eq!(Network::new().says((50_000, 53), OTHER_IP, &query).said(), ["dns server=api.lifx.co"]);
}

#[test]
fn clients_of_mqtt() {
    let connect = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04lamp";
    assert_eq!(Network::new().asks(connect).said(), ["mqtt client_id=lamp"]);
}
