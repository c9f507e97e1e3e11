use std::collections::BTreeSet;

use super::*;

fn pseudonyms() -> Pseudonyms {
    Pseudonyms { key: [7; 32] }
}

fn new(text: &str) -> String {
    pseudonyms().replaced("text", text).unwrap_or_else(|| text.to_owned())
}

#[test]
fn a_mac_address_has_one_pseudonym_in_every_notation() {
    let of = new("70:ee:50:18:34:43");
    let address: MacAddr = of.parse().unwrap();
    assert!(address.is_locally_administered() && address.is_host());
    for notation in ["70-EE-50-18-34-43", "70ee.5018.3443", "70ee50183443", "70EE50183443"] {
        assert_eq!(new(notation).parse::<MacAddr>().unwrap(), address, "{notation}");
        assert_eq!(new(notation).len(), notation.len());
    }
    assert_eq!(new("device 70:ee:50:18:34:43, seen"), format!("device {of}, seen"));
    assert_eq!(new("uuid:2f402f80-da50-11e1-9b23-70ee50183443").len(), 41);
    assert!(!new("uuid:2f402f80-da50-11e1-9b23-70ee50183443").contains("70ee50183443"));
    let (uuid, urn) = (new("2f402f80-da50-11e1-9b23-70ee50183443"), "urn:schemas-upnp-org:device:Basic:1");
    let usn = format!("uuid:2f402f80-da50-11e1-9b23-70ee50183443::{urn}");
    assert_eq!(new(&usn), format!("uuid:{uuid}::{urn}"));
    assert!(!uuid.contains("2f402f80-da50"));
    // Six letters, not a group of hosts.
    assert_ne!(new("6f64616c6961"), "6f64616c6961");
    for group in ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "33:33:00:00:00:fb", "00:00:00:00:00:00"] {
        assert_eq!(new(group), group);
    }
    assert_ne!(new("33:33:ff:18:34:43"), "33:33:ff:18:34:43");
    let other = Pseudonyms { key: [8; 32] };
    assert_ne!(other.replaced("text", "70:ee:50:18:34:43").unwrap(), of);
}

#[test]
fn an_address_stays_in_its_kind_of_network() {
    let check = |text: &str, fits: fn(&IpAddr) -> bool| {
        let address: IpAddr = new(text).parse().unwrap();
        assert!(fits(&address) && address.to_string() != text, "{text} {address}");
    };
    let v4 = |address: &IpAddr, range: &str| address.to_string().starts_with(range);
    check("192.168.1.7", |address| address.to_string().starts_with("192.168."));
    check("10.1.2.3", |address| address.to_string().starts_with("10."));
    check("8.8.8.8", |address| matches!(address, IpAddr::V4(address) if address.octets()[0] >= 240));
    check("fe80::72ee:50ff:fe18:3443", |address| address.to_string().starts_with("fe80::"));
    check("fd00:1::1", |address| address.to_string().starts_with("fd"));
    check("2a00:1450:4001::1", |address| address.to_string().starts_with("2001:db8:"));
    check("ff02::1:ff18:3443", |address| address.to_string().starts_with("ff02::1:ff"));
    assert!(v4(&new("::ffff:192.168.1.7").parse().unwrap(), "::ffff:192.168."));
    for address in ["0.0.0.0", "127.0.0.1", "224.0.0.251", "255.255.255.255", "::", "::1", "ff02::fb"] {
        assert_eq!(new(address), address);
    }
    // Those of one subnet stay in one, and no two become one.
    let all: BTreeSet<String> = (0..=255).map(|host| new(&format!("192.168.1.{host}"))).collect();
    assert_eq!(all.len(), 256);
    let subnets: BTreeSet<&str> = all.iter().filter_map(|text| Some(text.rsplit_once('.')?.0)).collect();
    assert_eq!(subnets.len(), 1);
}

#[test]
fn words_in_texts_are_found() {
    let (host, mac) = (new("192.168.1.7"), new("70:ee:50:18:34:43"));
    let check = |text: &str, expected: &str| assert_eq!(new(text), expected, "{text}");
    check(
        "tcp 192.168.1.7:51000 > 198.51.100.1:443",
        &format!("tcp {host}:51000 > {}:443", new("198.51.100.1")),
    );
    check("http://192.168.1.7:80/desc.xml", &format!("http://{host}:80/desc.xml"));
    check("from 192.168.1.7.", &format!("from {host}."));
    check("[fe80::1]:80", &format!("[{}]:80", new("fe80::1")));
    check("dhcp chaddr=70:ee:50:18:34:43 x", &format!("dhcp chaddr={mac} x"));
    let [d, c, b, a] = host.parse::<Ipv4Addr>().unwrap().octets();
    check("7.1.168.192.in-addr.arpa", &format!("{a}.{b}.{c}.{d}.in-addr.arpa"));
    let of = |name: &str| pseudonyms().name(name);
    check("annas-pc.lan", &format!("{}.lan", of("annas-pc")));
    check("Kitchen Lamp._hue._tcp.local", &format!("{}._hue._tcp.local", of("kitchen lamp")));
    check("_googlecast._tcp.local", "_googlecast._tcp.local");
    check("tv.fritz.box", &format!("{}.fritz.box", of("tv")));
    check("Anna's iPhone", &of("Anna's iPhone"));
    check("name=Zoë’s living room lamp, on", &format!("name={}, on", of("Zoë’s living room lamp")));
    check("Annas-iPhone joined", &format!("{} joined", of("Annas-iPhone")));
    assert_eq!(pseudonyms().replaced("host_name", "lamp"), Some(of("lamp")));
    assert_eq!(of("lamp"), of("LAMP"));
}

#[test]
fn what_names_nobody_stays() {
    for text in [
        "",
        "443",
        "tcp/443",
        "api.amazon.com",
        "TLS 1.2",
        "1301-1302-c02b",
        "udhcp 1.30",
        "2026-11-01T13:00:00Z",
        "12:30:45",
        "android-dhcp-13",
        "it's",
        "devices' 's",
        "pool.ntp.org",
        "1.2",
        "desktop",
        "deadbeef",
    ] {
        assert_eq!(pseudonyms().replaced("text", text), None, "{text}");
    }
    for column in ["ja3", "cipher_suites", "extraction", "label"] {
        assert_eq!(pseudonyms().replaced(column, "e7d705a3286e19ea42f587b344ee6865"), None);
    }
}

/// Texts of letters that the rules look for, drawn by a hash.
fn odd_texts() -> impl Iterator<Item = String> {
    let letters: Vec<char> = "0123456789abcdefABCDEF :.-_'\u{2019}sßK/=local".chars().collect();
    (0..3000_u32).map(move |seed| {
        let draw = |at: u32| blake3::hash(&[seed.to_be_bytes(), at.to_be_bytes()].concat()).as_bytes()[0];
        let length = u32::from(draw(0) % 50);
        (1..=length).map(|at| letters[usize::from(draw(at)) % letters.len()]).collect()
    })
}

#[test]
fn no_text_panics() {
    for text in odd_texts() {
        let _ = (new(&text), pseudonyms().replaced("host_name", &text));
        let _ = new(&format!("Anna\u{2019}s {text}'s ._{text}.local"));
    }
}

#[test]
fn no_address_is_left_in_a_text() {
    for seed in 0..2000_u32 {
        let hash = blake3::hash(&seed.to_be_bytes());
        let mut octets: [u8; 6] = *hash.as_bytes().first_chunk().unwrap();
        octets[0] &= 0xfe;
        let mac = MacAddr::new(octets);
        let ip = Ipv4Addr::from(*hash.as_bytes().last_chunk::<4>().unwrap());
        let is_one_hosts = !ip.is_multicast() && !ip.is_loopback();
        for (before, behind) in [(' ', ' '), ('(', ')'), ('=', ','), ('/', '/'), (',', ';')] {
            let text = new(&format!("a{before}{mac}{behind} b{before}{ip}{behind} c{before}{ip}:80{behind}"));
            assert!(!text.contains(&mac.to_string()), "{text}");
            let is_left = text.contains(&format!("{before}{ip}"));
            assert!(!is_left || !is_one_hosts || ip.is_private(), "{text}");
        }
    }
}
