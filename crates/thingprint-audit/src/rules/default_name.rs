use thingprint_flow::{Flow, MacAddr};
use thingprint_protocol::{Heard, Message, Sender};

use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// Names with which systems leave the factory, in lower case.
const NAMES: [&str; 14] = [
    "android",
    "buildroot",
    "default",
    "embedded",
    "espressif",
    "generic",
    "ipad",
    "ipcam",
    "iphone",
    "linux",
    "localhost",
    "openwrt",
    "raspberrypi",
    "unknown",
];
/// How names begin that systems make of a word and digits or letters at random, in lower case, and how many of these follow at
/// least.
const PREFIXES: [(&str, usize); 12] = [
    ("amazon-", 9),
    ("android-", 8),
    ("brn", 12),
    ("brw", 12),
    ("desktop-", 7),
    ("esp-", 6),
    ("esp_", 6),
    ("kindle-", 6),
    ("laptop-", 8),
    ("npi", 6),
    ("tasmota-", 4),
    ("xboxone-", 6),
];
/// Digits of a hardware address that no name has by chance: those that its maker gave to the unit.
const UNIT_DIGITS: usize = 6;

/// A device that gives no name is judged as `none`.
pub(super) const RULE: Rule = Rule {
    id: "NAME-001",
    protocols: &[],
    looks_at: LooksAt::Flows,
    title: "Default host name",
    checks: "Whether the host name that a device gives by DHCP is that of the factory, or has its hardware address in it.",
    why: "A default name tells whoever is in the network which make it is, and often that nobody has set it up; a name with the \
          hardware address knows the device again in every network.",
    example: "A plug calls itself ESP_0A1B2C.",
    remediation: "Give the device a name of its own, and change its default password if it still has that as well.",
    operator: "Rename the device in its settings or its app, and change its password if that is still the \
               one it came with.",
    values: Values::Words(&["own", "none", "default", "with-address"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    const REQUEST: u8 = 1;
    for heard in &flow.state.messages {
        let Message::Dhcp(message) = &heard.message else { continue };
        // A name is the fault of who gives it, and not of the server that hears it.
        if heard.sender != Sender::Device || message.op != REQUEST || heard.is_passed_on {
            continue;
        }
        let name = message.host_name.as_deref().unwrap_or_default();
        sightings.see(heard, value(name, message.client_mac), || format!("host name {name}"));
    }
}

fn value(name: &str, mac: Option<MacAddr>) -> &'static str {
    let name = name.to_ascii_lowercase();
    let of_prefix = |(prefix, least): &(&str, usize)| {
        let rest = name.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.len() >= *least && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    match name.as_str() {
        "" => "none",
        name if mac.is_some_and(|mac| has_address(name, mac)) => "with-address",
        name if NAMES.contains(&name) || PREFIXES.iter().any(of_prefix) => "default",
        _ => "own",
    }
}

/// Whether a name has the last digits of a hardware address, with whatever marks between them.
fn has_address(name: &str, mac: MacAddr) -> bool {
    let digits: String = name.chars().filter(|mark| !matches!(mark, '-' | '_' | ':' | '.')).collect();
    let address: String = mac.to_string().chars().filter(char::is_ascii_hexdigit).collect();
    let unit = address.len().checked_sub(UNIT_DIGITS).and_then(|at| address.get(at..));
    unit.is_some_and(|unit| digits.contains(unit))
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn names_of_the_factory_are_known() {
        let mac = "02:00:00:0a:1b:2c".parse().ok();
        let check = |name: &str, expected: &str| assert_eq!(value(name, mac), expected, "{name}");
        check("", "none");
        check("kitchen-lamp", "own");
        check("Lamp-0A1B2C", "with-address");
        check("lamp_0a-1b-2c", "with-address");
        check("020000aa1b2c", "own");
        check("localhost", "default");
        check("android-9f8e7d6c5b4a3021", "default");
        check("android-phone-of-bob", "own");
        check("DESKTOP-A1B2C3D", "default");
        check("esp", "own");
        check("brn", "own");
        assert_eq!(value("Lamp-0A1B2C", None), "own");
    }
}
