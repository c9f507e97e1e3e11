use etherparse::{IpAuthHeaderSlice, Ipv6FragmentHeaderSlice, Ipv6RawExtHeaderSlice};

use super::counts::Malformed;
use super::network::{Body, Fragment};

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
/// The fragment header (RFC 8200 §4.5).
pub(super) const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// A body after its extension headers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extended<'a> {
    /// What follows the last extension header that could be read.
    pub(super) body: Body<'a>,
    /// Set when the body is a part of a datagram.
    pub(super) fragment: Option<Fragment>,
    /// What stopped the reading.
    pub(super) trouble: Option<Malformed>,
}

/// Steps over extension headers (RFC 8200 §4; authentication: RFC 4302 §2), up to one that says
/// that the rest is a fragment.
///
/// Each header is at least 8 bytes long, so the chain ends with the packet.
pub(super) fn step_over(mut body: Body<'_>) -> Extended<'_> {
    loop {
        let stepped = match body.protocol {
            HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY | HOST_IDENTITY | SHIM6 => generic(body),
            AUTHENTICATION => authentication(body),
            FRAGMENT => match fragment(body) {
                Some((rest, Some(fragment))) => {
                    return Extended { body: rest, fragment: Some(fragment), trouble: None };
                }
                Some((rest, None)) => Some(rest),
                None => None,
            },
            _ => return Extended { body, fragment: None, trouble: None },
        };
        let Some(rest) = stepped else {
            // A header that the snap length cut off is no fault of the packet.
            let trouble = (body.captured.len() == body.length).then_some(Malformed::ExtensionHeader);
            return Extended { body, fragment: None, trouble };
        };
        body = rest;
    }
}

fn generic(body: Body<'_>) -> Option<Body<'_>> {
    let header = Ipv6RawExtHeaderSlice::from_slice(body.captured).ok()?;
    after(body, header.next_header().0, header.slice().len())
}

fn authentication(body: Body<'_>) -> Option<Body<'_>> {
    let header = IpAuthHeaderSlice::from_slice(body.captured).ok()?;
    after(body, header.next_header().0, header.slice().len())
}

fn fragment(body: Body<'_>) -> Option<(Body<'_>, Option<Fragment>)> {
    let header = Ipv6FragmentHeaderSlice::from_slice(body.captured).ok()?;
    let rest = after(body, header.next_header().0, header.slice().len())?;
    let fragment = header.is_fragmenting_payload().then(|| Fragment {
        id: header.identification(),
        offset: header.fragment_offset().byte_offset().into(),
        more: header.more_fragments(),
    });
    Some((rest, fragment))
}

fn after(body: Body<'_>, protocol: u8, header: usize) -> Option<Body<'_>> {
    let captured = body.captured.get(header..)?;
    Some(Body { protocol, captured, length: body.length.checked_sub(header)? })
}
