use thingprint_flow::DeviceId;

/// What the status says while we are there.
pub(super) const ONLINE: &str = "online";

/// What it says else; the last will.
pub(super) const OFFLINE: &str = "offline";

/// The longest prefix: topics have room for 65,535 bytes, and this is to be read by people.
const MAX_PREFIX_BYTES: usize = 128;

/// The longest name of a device in a topic: an IPv6 address.
const MAX_ID_BYTES: usize = 45;

/// Names of topics. Of what the network says there is nothing in them but addresses in hexadecimal.
#[derive(Clone, Debug)]
pub(super) struct Topics {
    prefix: String,
    discovery_prefix: String,
    /// The prefix as a name in Home Assistant.
    pub(super) node: String,
}

impl Topics {
    /// The topics below a prefix that was [checked](check).
    pub(super) fn new(prefix: &str, discovery_prefix: &str) -> Self {
        let node = prefix.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        Self { prefix: prefix.to_owned(), discovery_prefix: discovery_prefix.to_owned(), node }
    }

    /// Whether we are there; the last will.
    pub(super) fn status(&self) -> String {
        format!("{}/status", self.prefix)
    }

    /// All events.
    pub(super) fn events(&self) -> String {
        format!("{}/events", self.prefix)
    }

    /// The network as it is now.
    pub(super) fn network(&self) -> String {
        format!("{}/network", self.prefix)
    }

    /// A device as it is now.
    pub(super) fn state(&self, id: &str) -> String {
        format!("{}/device/{id}/state", self.prefix)
    }

    /// Events of a device.
    pub(super) fn event(&self, id: &str) -> String {
        format!("{}/device/{id}/event", self.prefix)
    }

    /// The states of all devices, as a filter.
    pub(super) fn any_device_state(&self) -> String {
        self.state("+")
    }

    /// The device of a topic that [`any_device_state`](Self::any_device_state) matches.
    pub(super) fn device_of<'a>(&self, topic: &'a str) -> Option<&'a str> {
        let rest = topic.strip_prefix(self.prefix.as_str())?.strip_prefix("/device/")?;
        rest.strip_suffix("/state").filter(|id| is_id(id))
    }

    /// Where Home Assistant finds a device.
    pub(super) fn discovery(&self, id: &str) -> String {
        format!("{}/device/{}_{id}/config", self.discovery_prefix, self.node)
    }

    /// Where it finds the network.
    pub(super) fn network_discovery(&self) -> String {
        format!("{}/device/{}/config", self.discovery_prefix, self.node)
    }
}

/// A device in a topic: its address, with a hyphen for what is not a digit.
pub(super) fn id(device: DeviceId) -> String {
    match device {
        DeviceId::Mac(mac) => mac.to_string().replace(':', ""),
        DeviceId::Ip(ip) => ip.to_string().replace([':', '.'], "-"),
    }
}

fn is_id(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    !text.is_empty() && text.len() <= MAX_ID_BYTES && text.bytes().all(is_inside)
}

/// Whether a text can stand before topics.
pub(super) fn check(prefix: &str) -> Result<(), String> {
    let is_level =
        |level: &str| !level.is_empty() && !level.contains(['+', '#']) && !level.contains(char::is_control);
    if prefix.len() > MAX_PREFIX_BYTES || prefix.starts_with('$') || !prefix.split('/').all(is_level) {
        return Err(format!(
            "'{}' cannot stand before topics; use levels like attic/thingprint, without +, # and $, at most \
             {MAX_PREFIX_BYTES} bytes",
            prefix.escape_debug()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_an_address_without_separators() {
        let check = |device: &str, expected: &str| assert_eq!(id(device.parse().unwrap()), expected);
        check("a8:40:7c:0b:33:f2", "a8407c0b33f2");
        check("192.0.2.7", "192-0-2-7");
        check("fe80::1", "fe80--1");
    }

    #[test]
    fn devices_are_found_in_topics_and_nothing_else() {
        let topics = Topics::new("attic/thingprint", "homeassistant");
        let check = |topic: &str, expected| assert_eq!(topics.device_of(topic), expected, "{topic}");
        check(&topics.state("a8407c0b33f2"), Some("a8407c0b33f2"));
        check("attic/thingprint/device/fe80--1/state", Some("fe80--1"));
        check("attic/thingprint/device/a/b/state", None);
        check("attic/thingprint/device/hub/state", None);
        check("attic/thingprint/device//state", None);
        check("attic/thingprint/device/a8407c0b33f2/event", None);
        check("other/device/a8407c0b33f2/state", None);
        check(&topics.state(&"a".repeat(46)), None);
        assert_eq!(topics.discovery("fe80--1"), "homeassistant/device/attic_thingprint_fe80--1/config");
    }
}
