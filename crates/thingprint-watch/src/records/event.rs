use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thingprint_flow::{DeviceId, Timestamp};

use super::{Severity, text};

/// Something happened that a person may want to know. What happens again while it is open is counted, and is no event of
/// its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its number, from 1; higher for later ones.
    pub id: u64,
    /// When it happened, by the clock of the packets.
    #[serde(with = "text::time")]
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// How severe it is.
    pub severity: Severity,
    /// The device; `None` where it is about the network or the capture.
    #[serde(with = "text::some_device")]
    pub device: Option<DeviceId>,
    /// What it is about: an address, a name, a rule, a source. With kind and device it tells events apart.
    pub subject: String,
    /// A sentence for people. It may hold text from the network.
    pub text: String,
    /// The first evidence, by the field names of the commands.
    pub evidence: Map<String, Value>,
    /// How often it happened, at least 1.
    pub times: u64,
    /// When somebody acknowledged it, or what it tells ended.
    #[serde(with = "text::some_time")]
    pub acknowledged_at: Option<Timestamp>,
}

/// What events are about, in the order in which people look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventTopic {
    /// Devices that came and went.
    Presence,
    /// What devices are.
    Classes,
    /// Whom devices talk to.
    Contacts,
    /// What devices do.
    Behaviour,
    /// What the audit found.
    Findings,
    /// How the reading goes.
    Reading,
}

impl EventTopic {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::Presence, Self::Classes, Self::Contacts, Self::Behaviour, Self::Findings, Self::Reading];

    /// A heading for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Presence => "Devices that came and went",
            Self::Classes => "Classes",
            Self::Contacts => "New names and ports",
            Self::Behaviour => "Behaviour",
            Self::Findings => "Findings",
            Self::Reading => "Capture and store",
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal / $title:literal in $topic:ident,)+) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum EventKind { $($(#[$doc])* $kind,)+ }

        impl EventKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// Its name, as JSON has it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// What it is called for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)+ }
            }

            /// What it is about.
            pub const fn topic(self) -> EventTopic {
                match self { $(Self::$kind => EventTopic::$topic,)+ }
            }
        }
    };
}

kinds! {
    /// A device was seen for the first time.
    NewDevice = "new-device" / "new device" in Presence,
    /// Many devices were seen for the first time in a minute; they have no events of their own.
    ManyNewDevices = "many-new-devices" / "many new devices" in Presence,
    /// A device has an IP address that it did not have before.
    NewAddress = "new-address" / "new address" in Presence,
    /// A device turned out to be a gateway.
    BecameGateway = "became-gateway" / "is a gateway" in Presence,
    /// The verdict on a device is another class.
    VerdictChanged = "verdict-changed" / "other class" in Classes,
    /// A device is of no known class any more.
    BecameUnknown = "became-unknown" / "became unknown" in Classes,
    /// What a device says of itself contradicts the verdict on it.
    IdentityContradicted = "identity-contradicted" / "says it is something else" in Classes,
    /// What a device says of itself does not contradict the verdict on it any more.
    IdentityAgrees = "identity-agrees" / "says what it is again" in Classes,
    /// A device that was seen in every window is not seen any more.
    WentSilent = "went-silent" / "went silent" in Presence,
    /// A device that was silent is seen again.
    CameBack = "came-back" / "came back" in Presence,
    /// A device looked up names that it had not looked up before.
    NewDomain = "new-domain" / "new names" in Contacts,
    /// A device turned to server ports that it had not turned to before.
    NewPort = "new-port" / "new ports" in Contacts,
    /// A device does what its earlier windows do not have.
    BehaviourChanged = "behaviour-changed" / "behaves otherwise" in Behaviour,
    /// Many devices changed in one window.
    NetworkChanged = "network-changed" / "network changed" in Behaviour,
    /// The audit found something that its policy does not accept.
    Finding = "finding" / "finding" in Findings,
    /// A device talked to what its MUD profile does not allow.
    MudViolation = "mud-violation" / "outside its MUD profile" in Contacts,
    /// Packets were lost.
    CaptureLoss = "capture-loss" / "packets lost" in Reading,
    /// Parts of what a tap saw are missing where they are collected, or came too late.
    PartsMissing = "parts-missing" / "parts missing" in Reading,
    /// Parts of what a tap saw wait to be sent; it ends when none waits any more.
    PartsWaiting = "parts-waiting" / "parts wait to be sent" in Reading,
    /// Several taps saw a device at the same time, and count it more than once.
    SeenTwice = "seen-twice" / "seen by several taps" in Reading,
    /// The gateways that were named, or found, are doubtful: what devices do counts as a gateway's, or the other way round.
    GatewayDoubtful = "gateway-doubtful" / "gateway in doubt" in Reading,
    /// The packets are of several networks.
    SeveralNetworks = "several-networks" / "several networks" in Reading,
    /// A cap was reached, and left out something of a device.
    LeftOut = "left-out" / "limit reached" in Reading,
    /// A source of packets failed.
    SourceFailed = "source-failed" / "source failed" in Reading,
    /// A source of packets works again.
    SourceRecovered = "source-recovered" / "source works again" in Reading,
    /// The clock of the packets stepped back.
    ClockStepped = "clock-stepped" / "clock stepped back" in Reading,
    /// The store could not be written; it ends when it can be again.
    StoreFailed = "store-failed" / "store failed" in Reading,
    /// Updates for the store were lost, since more waited than may.
    UpdatesLost = "updates-lost" / "updates lost" in Reading,
    /// Another model judges from now on.
    ModelSwitched = "model-switched" / "other model" in Classes,
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for EventKind {
    type Err = UnknownEventKind;

    fn from_str(text: &str) -> Result<Self, UnknownEventKind> {
        let kind = Self::ALL.iter().find(|kind| kind.as_str() == text);
        kind.copied().ok_or_else(|| UnknownEventKind(text.to_owned()))
    }
}

/// A text that names no kind of event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of event '{0}'")]
pub struct UnknownEventKind(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_name_everywhere() {
        for kind in EventKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert!("new device".parse::<EventKind>().is_err());
    }
}
