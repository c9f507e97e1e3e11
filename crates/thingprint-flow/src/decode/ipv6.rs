use etherparse::Ipv6HeaderSlice;
use etherparse::err::ipv6::HeaderSliceError;

use super::counts::Malformed;
use super::network::{Body, Network};

/// Bytes of the fixed header.
const HEADER: usize = 40;

/// Next header value for "nothing follows" (RFC 8200 §4.7).
const NO_NEXT_HEADER: u8 = 59;

/// Reads an IPv6 packet (RFC 8200 §3) that starts at `bytes`; what follows it there is link padding. Extension
/// headers are part of the body.
pub(super) fn read(bytes: &[u8]) -> Result<Network<'_>, Malformed> {
    let header = Ipv6HeaderSlice::from_slice(bytes).map_err(|error| kind(&error))?;
    let protocol = header.next_header().0;
    let after = bytes.get(HEADER..).unwrap_or_default();
    // As with IPv4, 0 stands for segmentation offload, unless the packet says that it is empty.
    let length = match usize::from(header.payload_length()) {
        0 if protocol != NO_NEXT_HEADER => after.len(),
        length => length,
    };
    Ok(Network {
        src: header.source_addr().into(),
        dst: header.destination_addr().into(),
        ttl: header.hop_limit(),
        tos: header.traffic_class(),
        is_unfragmentable: false,
        is_unidentified: false,
        total_bytes: u32::try_from(HEADER + length).unwrap_or(u32::MAX),
        wire_bytes: 0,
        body: Body::new(protocol, after, length),
        fragment: None,
        is_cut: length > after.len(),
    })
}

fn kind(error: &HeaderSliceError) -> Malformed {
    match error {
        HeaderSliceError::Content(_) => Malformed::IpVersion,
        HeaderSliceError::Len(_) => Malformed::IpHeader,
    }
}
