//! The messages of all protocols, written as JSON in `snake_case`. Each type stands with its parser.
mod credential;
pub(crate) mod json;
pub(crate) mod size;
mod text;
mod uri;

use serde::Serialize;

use crate::Described;
use crate::protocols::registry;

pub use credential::Credential;
pub use text::Text;
pub use uri::Uri;

/// What a message of one kind contains.
pub(crate) trait MessageBody {
    /// Bytes behind its pointers, about.
    fn heap_bytes(&self) -> usize;

    /// Lets credentials be written by `Display` and as JSON from now on.
    fn show_credentials(&mut self) {}
}

/// Who sent a message of a flow, as the device whose flow it is sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// The device itself.
    Device,
    /// The other end.
    Peer,
}

macro_rules! messages {
    ($($module:ident: $protocol:ident, $title:literal, { $($message:ident($body:ident)),+ }, $exports:tt;)+) => {
        /// An application protocol that this crate detects.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Protocol {
            $(#[doc = concat!($title, ".")] $protocol,)+
            /// The protocol of a model without a parser: [`Inspection::model`](crate::Inspection::model) says which.
            Described,
        }

        impl Protocol {
            /// The protocols that have a parser, in the order of the registry.
            pub const PARSED: &[Self] = &[$(Self::$protocol),+];
        }

        /// One application message, parsed.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(tag = "message", rename_all = "snake_case")]
        pub enum Message {
            $($(#[doc = concat!("A [`", stringify!($body), "`](crate::", stringify!($body), ").")] $message(crate::$body),)+)+
            /// The attributes of a payload, as a model without a parser describes them.
            Described(Described),
        }

        impl Message {
            /// The protocol that the message belongs to.
            pub const fn protocol(&self) -> Protocol {
                match self {
                    $($(Self::$message(_))|+ => Protocol::$protocol,)+
                    Self::Described(_) => Protocol::Described,
                }
            }

            /// Lets credentials be written by `Display` and as JSON from now on; until then they are written as `***`.
            pub fn show_credentials(&mut self) {
                match self {
                    $($(Self::$message(body) => MessageBody::show_credentials(body),)+)+
                    Self::Described(described) => described.show_credentials(),
                }
            }

            /// Bytes that the message takes, those behind pointers included.
            pub(crate) fn held_bytes(&self) -> usize {
                let behind = match self {
                    $($(Self::$message(body) => MessageBody::heap_bytes(body),)+)+
                    Self::Described(described) => described.held_bytes(),
                };
                size_of::<Self>() + behind
            }
        }
    };
}
registry!(messages);
