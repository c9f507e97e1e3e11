//! MUD profiles (RFC 8520): read, written from traffic, and checked against it.
mod builder;
mod check;
mod contact;
mod controllers;
mod draft;
mod entry;
mod export;
mod index;
mod judge;
mod label;
mod names;
mod parse;
mod port;
mod prefix;
mod profile;
mod served;
mod url;
mod width;
mod write;

pub use builder::{MudBuilder, MudLimits};
pub use check::{CheckReport, Denied, DenyReason, EntryUse};
pub(crate) use contact::is_domain_name;
pub use contact::{Contact, ContactTally, Host, HostSource, Place, Service};
pub use draft::{MudDraft, MudOptions};
pub use judge::Miss;
pub use names::{NameDoubt, NameEvidence};
pub use port::{PortCondition, PortSpan};
pub use prefix::Prefix;
pub use profile::{
    AccessList, Action, Direction, Entry, Ethernet, ListKind, MudProfile, Network, Peer, TransportMatch,
};
pub use url::is_mud_url;
pub use width::Width;
