//! What the place of a capture shows: whose traffic passes there, in which directions, and how much of name resolution.

mod acknowledged;
mod device;
mod note;
mod observer;
mod resolvers;

pub use device::DeviceVantage;
pub use note::{VantageNote, VantageTopic};
pub use observer::{FlowVantage, VantageObserver};

/// Packets of a capture as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketVantage {
    /// IP packets.
    pub packets: u64,
    /// Those of them to groups and to all, by their link address.
    pub to_groups: u64,
    /// Those from inside to the Internet.
    pub outbound: u64,
    /// Those from the Internet to the inside.
    pub inbound: u64,
    /// Those whose payload was not captured whole.
    pub cut: u64,
    /// Bytes of the longest frame that was cut: the snap length.
    pub snap_bytes: u64,
}

/// What the place of a capture shows of the devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vantage {
    /// Packets of the capture as a whole.
    pub packets: PacketVantage,
    /// Devices that sent anything.
    pub devices: u64,
    /// Devices whose packets to and from single hosts are there.
    pub both_ways: u64,
    /// Devices of which only packets to groups and broadcasts are there, as any port of a switch shows them.
    pub groups_only: u64,
    /// Devices that send to single hosts, and to which no packet comes.
    pub sends_only: u64,
    /// What all of them show together.
    pub sums: DeviceVantage,
}

impl Vantage {
    /// What the devices of a capture and its packets show.
    pub fn of(devices: impl IntoIterator<Item = DeviceVantage>, packets: PacketVantage) -> Self {
        let mut vantage = Self { packets, ..Self::default() };
        for device in devices.into_iter().filter(|device| device.is_sender()) {
            vantage.devices += 1;
            let count = match (device.unicast_sent > 0, device.received > 0) {
                (true, true) => &mut vantage.both_ways,
                (true, false) => &mut vantage.sends_only,
                // What comes to a device that only speaks to groups are answers to them, seldom all of its traffic.
                (false, _) => &mut vantage.groups_only,
            };
            *count += 1;
            vantage.sums = vantage.sums.plus(device);
        }
        vantage
    }

    /// Whether most devices are seen by broadcasts alone, so that next to nothing is known of them.
    pub const fn is_switch_port(&self) -> bool {
        self.groups_only * 2 > self.devices
    }

    /// Whether one direction of most devices that are seen at all is missing.
    pub const fn is_one_sided(&self) -> bool {
        self.sends_only > self.both_ways
    }
}

impl PacketVantage {
    /// With the packets of another capture.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            to_groups: self.to_groups + other.to_groups,
            outbound: self.outbound + other.outbound,
            inbound: self.inbound + other.inbound,
            cut: self.cut + other.cut,
            snap_bytes: self.snap_bytes.max(other.snap_bytes),
        }
    }

    /// Whether nearly all packets go to groups, as at a port of a switch without mirroring.
    pub const fn is_switch_port(&self) -> bool {
        self.packets >= FEW_PACKETS && self.to_groups * 100 >= self.packets * NEARLY_ALL_PERCENT
    }

    /// Whether nearly all packets between inside and Internet go one way.
    pub const fn is_one_sided(&self) -> bool {
        let (both, most) = if self.outbound > self.inbound {
            (self.outbound + self.inbound, self.outbound)
        } else {
            (self.outbound + self.inbound, self.inbound)
        };
        both >= FEW_PACKETS && most * 100 >= both * ONE_WAY_PERCENT
    }
}

/// Fewer packets say nothing of the place of a capture.
const FEW_PACKETS: u64 = 20;
/// Share of packets to groups from which a port of a switch is likely; quiet devices behind a mirror port send far fewer.
const NEARLY_ALL_PERCENT: u64 = 90;
/// Share of packets that go one way from which the other one is missing: every download is acknowledged.
const ONE_WAY_PERCENT: u64 = 99;
