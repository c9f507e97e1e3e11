use std::fs;
use std::path::Path;

/// Where Linux shows the interfaces of the network namespace.
const FOLDER: &str = "/sys/class/net";
/// Interfaces that a message names; a router may have hundreds.
const MOST_NAMED: usize = 20;
/// `IFF_UP` of netdevice(7).
const UP: u32 = 1;

/// Whether an interface can deliver packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
    /// It is up, or the system does not say.
    Up,
    /// It was set down.
    Down,
    /// It is up, and has no cable, peer or access point.
    NoCarrier,
}

impl LinkState {
    /// The state of an interface now.
    pub(super) fn of(interface: &str) -> Self {
        let read = |file: &str| fs::read_to_string(format!("{FOLDER}/{interface}/{file}")).ok();
        let flags = read("flags");
        let flags = flags.as_deref().map(str::trim).and_then(|flags| flags.strip_prefix("0x"));
        match flags.and_then(|flags| u32::from_str_radix(flags, 16).ok()) {
            Some(flags) if flags & UP == 0 => Self::Down,
            Some(_) if read("carrier").is_some_and(|carrier| carrier.trim() == "0") => Self::NoCarrier,
            _ => Self::Up,
        }
    }

    /// What is said of an interface in this state; `None` where nothing has to be.
    pub(super) fn message(self, interface: &str) -> Option<String> {
        match self {
            Self::Up => None,
            Self::Down => Some(format!(
                "{interface}: the interface is down; packets come again when it is up: ip link set {interface} up"
            )),
            Self::NoCarrier => {
                Some(format!("{interface}: the interface has no carrier; check the cable, or the other end"))
            }
        }
    }
}

/// Whether an interface is there, as far as the system shows its interfaces. Names that tcpdump has itself are believed: `any`,
/// and the numbers of its own list.
pub(super) fn exists(interface: &str) -> bool {
    let is_of_tcpdump = interface == "any" || interface.bytes().all(|byte| byte.is_ascii_digit());
    is_of_tcpdump || !Path::new(FOLDER).is_dir() || Path::new(FOLDER).join(interface).exists()
}

/// The names of this machine's interfaces, for messages; empty where the system does not show them.
pub(super) fn interfaces() -> Vec<String> {
    let Ok(entries) = fs::read_dir(FOLDER) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    if names.len() > MOST_NAMED {
        let more = names.len() - MOST_NAMED;
        names.truncate(MOST_NAMED);
        names.push(format!("and {more} more"));
    }
    names
}
