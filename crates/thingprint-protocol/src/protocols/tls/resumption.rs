use serde::{Serialize, Serializer};

use crate::cursor::Cursor;

/// Extension types (IANA `ExtensionType`).
pub(super) const SESSION_TICKET: u16 = 35;
pub(super) const PRE_SHARED_KEY: u16 = 41;
/// Sessions of a hello that are kept; clients send one or two.
pub(super) const MOST_RESUMPTIONS: usize = 4;

/// An earlier session that a client offers to go on with.
///
/// What stands for the session is random, and tells nothing but that it is the same session again. So a mark of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Resumption {
    /// By what the session is known.
    pub by: ResumedBy,
    /// The same for the same session: 64 bits of a hash.
    #[serde(serialize_with = "as_hex")]
    pub mark: u64,
}

/// By what an earlier session is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResumedBy {
    /// The session identifier of TLS 1.2 and older (RFC 5246 §7.4.1.2).
    SessionId,
    /// A session ticket of TLS 1.2 and older (RFC 5077 §3.2).
    Ticket,
    /// An identity of a pre-shared key of TLS 1.3 (RFC 8446 §4.2.11).
    Psk,
}

impl Resumption {
    /// A session identifier, where there is one. A client that offers TLS 1.3 sends a random one (RFC 8446 appendix D.4), and
    /// so does one with a ticket (RFC 5077 §3.4): neither stands for a session.
    pub(super) fn of_session_id(id: &[u8]) -> Option<Self> {
        Self::of(ResumedBy::SessionId, id)
    }

    /// The contents of the extension `session_ticket`; an empty one asks for a ticket.
    pub(super) fn of_ticket(ticket: &[u8]) -> Option<Self> {
        Self::of(ResumedBy::Ticket, ticket)
    }

    /// The identities of the extension `pre_shared_key`.
    pub(super) fn of_identities(mut extension: Cursor<'_>) -> Vec<Self> {
        let mut identities = Cursor::new(extension.vector16().unwrap_or_default());
        let identity = || {
            let identity = identities.vector16()?;
            let _age: [u8; 4] = identities.array()?;
            Some(identity)
        };
        std::iter::from_fn(identity)
            .take(MOST_RESUMPTIONS)
            .filter_map(|identity| Self::of(ResumedBy::Psk, identity))
            .collect()
    }

    fn of(by: ResumedBy, bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self { by, mark: hash(bytes) })
    }
}

/// FNV-1a: the same on every machine, since results depend on it.
fn hash(bytes: &[u8]) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.iter().fold(BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference to the field")]
fn as_hex<S: Serializer>(mark: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{mark:016x}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ResumedBy, Resumption, hash};
    use crate::cursor::Cursor;

    /// The extension with these identities, without binders.
    fn identities(identities: &[&[u8]]) -> Vec<u8> {
        let mut list = Vec::new();
        for identity in identities {
            list.extend([0, u8::try_from(identity.len()).unwrap()]);
            list.extend(*identity);
            list.extend([0, 0, 0, 9]);
        }
        let mut bytes = vec![0, u8::try_from(list.len()).unwrap()];
        bytes.extend(list);
        bytes
    }

    #[test]
    fn a_session_has_one_mark_whatever_its_age() {
        let read = |bytes: &[u8]| Resumption::of_identities(Cursor::new(bytes));
        let [one, two] = read(&identities(&[b"one", b"two"]))[..] else { panic!("two identities") };
        assert_eq!((one.by, two.by), (ResumedBy::Psk, ResumedBy::Psk));
        assert_ne!(one.mark, two.mark);
        assert_eq!(read(&identities(&[b"two"])), [two]);
        assert_eq!(read(&identities(&[b"x".as_slice(); 9])).len(), 4);
        let whole = identities(&[b"one"]);
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut]), [], "{cut}");
        }
        assert_eq!(Resumption::of_ticket(b""), None);
        assert_eq!(Resumption::of_session_id(b"one").map(|offer| offer.mark), Some(one.mark));
    }

    /// Of the authors' own test vectors.
    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }

    proptest! {
        #[test]
        fn any_extension_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Resumption::of_identities(Cursor::new(&bytes)).len() <= 4);
        }
    }
}
