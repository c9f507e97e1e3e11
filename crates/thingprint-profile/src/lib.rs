//! What a device shows of itself, and whom it talks to, as files that a later run can hold against it: [`Fingerprints`]
//! tell devices apart, and a [`MudBuilder`] writes and checks MUD profiles. An [`ExportPlan`] makes firewall
//! rules of profiles. A [`Vantage`] says what the place of a capture
//! shows of all this.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]
#![warn(clippy::indexing_slicing)]

mod error;
mod export;
mod fingerprint;
mod json;
mod mud;
mod vantage;

pub use error::{ProfileError, ProfileFault};
pub use export::{
    ExportDevice, ExportFormat, ExportNetwork, ExportNote, ExportPlan, Exported, NftFamily, NoteKind,
    ParseExportFormatError, RuleTally,
};
pub use fingerprint::{
    Answer, Attribute, Candidate, CipherList, Evidence, Fingerprints, KNOWN_COVERAGE, KNOWN_MARGIN,
    KnownDevices, Likeness, MOST_SHARING, Matcher, SHARED_COVERAGE, Traits,
};
pub use mud::{
    AccessList, Action, CheckReport, Contact, ContactTally, Denied, DenyReason, Direction, Entry, EntryUse,
    Ethernet, Host, HostSource, ListKind, Miss, MudBuilder, MudDraft, MudLimits, MudOptions, MudProfile,
    NameDoubt, NameEvidence, Network, Peer, Place, PortCondition, PortSpan, Prefix, Service, TransportMatch,
    Width, is_mud_url,
};
pub use vantage::{
    DeviceVantage, FlowVantage, PacketVantage, Vantage, VantageNote, VantageObserver, VantageTopic,
};
