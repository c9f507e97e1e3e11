use std::collections::BTreeMap;
use std::net::IpAddr;

use thingprint_flow::{DeviceId, GatewayReason, MacAddr, Timestamp};
use thingprint_protocol::DhcpMessage;

use crate::Bag;

/// What is listed of one device, or of a gateway at addresses of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceEntry {
    /// The device.
    pub device: DeviceId,
    /// Why it is a gateway; `None` for a device.
    pub gateway: Option<GatewayReason>,
    /// Whether its MAC address is locally administered, as randomised ones are.
    pub is_randomised: bool,
    /// IP addresses that it sent from, with the packets from each; 0 for one that it only claimed.
    pub addresses: BTreeMap<IpAddr, u64>,
    /// The host name that it told a DHCP server last (option 12).
    pub host_name: Option<String>,
    /// The vendor class that it told a DHCP server last (option 60).
    pub vendor_class: Option<String>,
    /// What it told a DHCP server of other clients, though it is no relay.
    pub contradictions: Vec<String>,
    /// Names that it looked up in the DNS, with the number of times.
    pub names: Bag,
    /// Server ports of the flows that it initiated, as `tcp/443`, with the number of flows.
    pub server_ports: Bag,
    /// Ports that it served to others, as `tcp/80`, with the number of flows.
    pub served_ports: Bag,
    /// Application protocols that it spoke, on any port and either side, with the number of flows.
    pub services: Bag,
    /// Those of them that others opened to it, with the number of flows; of a DHCP server that answers all alone, the
    /// number of answers.
    pub served_services: Bag,
    /// Whether it sent frames, such as those of ARP, and no IP packet.
    pub has_frames_alone: bool,
    /// Time of its first IP packet; of its first frame where it sent none; `None` where there is nothing of it.
    pub first_seen: Option<Timestamp>,
    /// Time of its last IP packet, or frame.
    pub last_seen: Option<Timestamp>,
    /// IP packets that it sent.
    pub packets_up: u64,
    /// Those of them to one host alone, not to a group or to all.
    pub unicast_up: u64,
    /// IP packets that it received.
    pub packets_down: u64,
}

/// What an inventory has of one host: who is a gateway may only be known at the end.
#[derive(Clone, Debug, PartialEq)]
pub struct InventoryRecord {
    all: DeviceEntry,
    own: Own,
}

/// What of it was seen at addresses of the host's own. Of most hosts that is all, and of those that somebody made up nothing, so that
/// it is not kept twice.
#[derive(Clone, Debug, PartialEq)]
enum Own {
    Nothing,
    All,
    Part(Box<DeviceEntry>),
}

impl DeviceEntry {
    /// A device of which nothing else is known.
    pub const fn new(device: DeviceId) -> Self {
        Self {
            device,
            gateway: None,
            is_randomised: matches!(device, DeviceId::Mac(mac) if mac.is_locally_administered()),
            addresses: BTreeMap::new(),
            host_name: None,
            vendor_class: None,
            contradictions: Vec::new(),
            names: Bag::new(),
            server_ports: Bag::new(),
            served_ports: Bag::new(),
            services: Bag::new(),
            served_services: Bag::new(),
            has_frames_alone: false,
            first_seen: None,
            last_seen: None,
            packets_up: 0,
            unicast_up: 0,
            packets_down: 0,
        }
    }

    /// A device that sent nothing itself: a relay passed on its DHCP message, between these times.
    pub fn of_client(client: MacAddr, times: (Timestamp, Timestamp)) -> Self {
        Self::of_silent(DeviceId::Mac(client), times)
    }

    /// The same of a device that is identified by whatever address.
    pub fn of_silent(device: DeviceId, (first, last): (Timestamp, Timestamp)) -> Self {
        Self { first_seen: Some(first), last_seen: Some(last), ..Self::new(device) }
    }

    /// A gateway that nothing was seen of but what it forwards.
    pub fn of_gateway(mac: MacAddr, reason: GatewayReason) -> Self {
        Self { gateway: Some(reason), ..Self::new(DeviceId::Mac(mac)) }
    }

    /// The device with nothing but what it said of itself.
    fn unseen(&self) -> Self {
        Self {
            host_name: self.host_name.clone(),
            vendor_class: self.vendor_class.clone(),
            ..Self::new(self.device)
        }
    }

    /// Adds what a DHCP message of the device says that a relay passed on; its own frames come first.
    pub fn hear_of(&mut self, message: &DhcpMessage) {
        self.host_name = self.host_name.take().or_else(|| message.host_name.as_deref().map(str::to_owned));
        self.vendor_class =
            self.vendor_class.take().or_else(|| message.vendor_class.as_deref().map(str::to_owned));
    }
}

impl InventoryRecord {
    /// A host with what was seen of it at all addresses, and at those of its own.
    pub(crate) fn new(all: DeviceEntry, own: DeviceEntry) -> Self {
        let own = match own {
            own if own == all => Own::All,
            own if own == all.unseen() => Own::Nothing,
            own => Own::Part(Box::new(own)),
        };
        Self { all, own }
    }

    /// The host.
    pub const fn device(&self) -> DeviceId {
        self.all.device
    }

    /// The addresses that the host claimed as its own, and did not only send from.
    pub fn claimed(&self) -> impl Iterator<Item = IpAddr> {
        let own = match &self.own {
            Own::Nothing => None,
            Own::All => Some(&self.all),
            Own::Part(own) => Some(&**own),
        };
        own.into_iter().flat_map(|own| own.addresses.keys().copied())
    }

    /// The host as a device, if it sent anything.
    pub fn into_device(self) -> Option<DeviceEntry> {
        (self.all.packets_up > 0 || self.all.has_frames_alone).then_some(self.all)
    }

    /// The host as a gateway: what it says for itself, without what it forwards.
    pub fn into_gateway(self, reason: GatewayReason) -> DeviceEntry {
        let own = match self.own {
            Own::Nothing => self.all.unseen(),
            Own::All => self.all,
            Own::Part(own) => *own,
        };
        DeviceEntry { gateway: Some(reason), ..own }
    }
}
