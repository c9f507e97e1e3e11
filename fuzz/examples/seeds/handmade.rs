use std::io;

use thingprint_fuzz::StreamScript;

use crate::seeds::Seeds;

/// Messages that the home does not send, by the target that wants them.
const MESSAGES: [(&str, &[u8]); 16] = [
    ("dns", b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x04lamp\0\0\x01\0\x01"),
    (
        "dns",
        b"\0\0\x84\0\0\0\0\x03\0\0\0\0\x04_hap\x04_tcp\x05local\0\0\x0c\0\x01\0\0\x11\x94\0\x07\x04Lamp\xc0\x0c\
        \xc0\x27\0\x21\x80\x01\0\0\0\x78\0\x0d\0\0\0\0\x1f\x90\x04lamp\xc0\x16\
        \xc0\x27\0\x10\x80\x01\0\0\x11\x94\0\x05\x04md=1",
    ),
    ("ntp", &[0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    ("ntp", &[0x17, 0, 3, 42, 0, 0, 0, 0]),
    (
        "ntp",
        b"\x23\0\x06\xec\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
        \0\0\0\0\x01\x02\x03\x04\x01\x04\0\x10uniqueidentf\x02\x04\0\x10cookiecookie",
    ),
    ("http", b"GET /old\r\n"),
    ("http", b"ICY 200 OK\r\nicy-name: radio\r\n\r\n"),
    (
        "http",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nServer: lamp/1\r\n\r\n4;x=y\r\nbody\r\n0\r\nA: b\r\n\r\n\
        HTTP/1.1 401 No\nWWW-Authenticate : Digest realm=\"x\"\n folded\n\n",
    ),
    (
        "http",
        b"POST http://u:p@lamp/a b HTTP/1.1\r\nHost: lamp\r\nAuthorization: Basic dTpw\r\nContent-Length: 3\r\n\r\n\
        abcHEAD / HTTP/1.0\r\n\r\nCONNECT lamp:443 HTTP/1.1\r\n\r\n",
    ),
    ("ssdp", b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n"),
    ("ssdp", b"NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\nNTS: ssdp:alive\r\nUSN: uuid:1\r\nLOCATION: http://192.0.2.1/d.xml\r\n\r\n"),
    ("ssdp", b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nSERVER: lamp/1 UPnP/1.0\r\nUSN: uuid:1\r\n\r\n"),
    // A hello of SSL 2, and an alert.
    ("tls", b"\x80\x1f\x01\x03\x01\0\x06\0\0\0\x10\0\0\x2f\0\0\x35\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"),
    ("tls", b"\x15\x03\x03\0\x02\x02\x28"),
    // Datagrams as they are: a version list, and Google's QUIC.
    ("quic", b"\x02\x13\0\x80\0\0\0\0\x04abcd\x04efgh\0\0\0\x01"),
    ("quic", b"\x02\x0d\0\x0dabcdefghQ043"),
];

/// Options of a DHCP message: those that tell of the device, a MUD URL (RFC 8520), and one that is too long.
const DHCP_OPTIONS: &[u8] = b"\x63\x82\x53\x63\x35\x01\x01\x3d\x07\x01\x02\0\0\0\0\x01\x32\x04\xc0\0\x02\x07\x0c\x04lamp\
    \x3c\x07lamp1.0\x37\x03\x01\x03\x06\x51\x07\0\0\0lamp\xa1\x17https://lamp.example/m\n\0\x34\x01\x03\x39\xf0\x05";
const DHCP_HEADER_BYTES: usize = 236;

/// Streams of models that are data alone: what both sides say.
const STREAMS: [[&[u8]; 2]; 3] = [
    [b"ON desk\nOFF door\n", b"OK\x07OK\0"],
    [b"hello\x7e\x02\x05\x01\x02\x05\x02on\x03\x04beta\xff", b"OK"],
    [b"\x7e\x01\x03abc and bye", b"\x7e\x02\x80\x05\x01x"],
];

/// Seeds that are written here.
pub(crate) fn add(seeds: &mut Seeds) -> io::Result<()> {
    for (target, bytes) in MESSAGES {
        seeds.add(target, bytes)?;
    }
    let mut dhcp = vec![0; DHCP_HEADER_BYTES];
    dhcp[..3].copy_from_slice(&[1, 1, 6]);
    seeds.add("dhcp", &[&dhcp, DHCP_OPTIONS].concat())?;
    for sides in STREAMS {
        for flags in [1, 3] {
            let pieces = [(7, 9), (2, 6)];
            seeds.add("streams", &StreamScript { flags, pieces: &pieces, sides }.finish())?;
        }
    }
    let dns = [&b"\0\x16"[..], MESSAGES[0].1, b"\0\x16", MESSAGES[0].1].concat();
    let messages = MESSAGES.into_iter().filter(|(target, _)| *target == "http").map(|(_, bytes)| bytes);
    for client in messages.chain([&dns[..]]) {
        let script = StreamScript { flags: 0, pieces: &[(9, 30)], sides: [client, MESSAGES[7].1] };
        seeds.add("streams", &script.finish())?;
    }
    Ok(())
}
