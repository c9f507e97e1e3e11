use etherparse::Ipv4HeaderSlice;
use etherparse::err::ipv4::{HeaderError, HeaderSliceError};

use super::counts::Malformed;
use super::network::{Body, Fragment, Network};

/// Reads an IPv4 packet (RFC 791 §3.1) that starts at `bytes`; what follows it there is link padding.
#[inline]
pub(super) fn read(bytes: &[u8]) -> Result<Network<'_>, Malformed> {
    let header = Ipv4HeaderSlice::from_slice(bytes).map_err(|error| kind(&error))?;
    let header_length = header.slice().len();
    // A length of 0 is what the host saw of a packet that its network card was still to cut (segmentation offload).
    let total = match usize::from(header.total_len()) {
        0 => bytes.len(),
        total => total,
    };
    let length = total.checked_sub(header_length).ok_or(Malformed::IpLength)?;
    let after = bytes.get(header_length..).unwrap_or_default();
    Ok(Network {
        src: header.source_addr().into(),
        dst: header.destination_addr().into(),
        ttl: header.ttl(),
        tos: header.slice().get(1).copied().unwrap_or_default(),
        is_unfragmentable: header.dont_fragment(),
        is_unidentified: header.identification() == 0,
        total_bytes: u32::try_from(total).unwrap_or(u32::MAX),
        wire_bytes: 0,
        body: Body::new(header.protocol().0, after, length),
        fragment: fragment(&header),
        is_cut: total > bytes.len(),
    })
}

fn fragment(header: &Ipv4HeaderSlice<'_>) -> Option<Fragment> {
    header.is_fragmenting_payload().then(|| Fragment {
        id: header.identification().into(),
        offset: header.fragments_offset().byte_offset().into(),
        more: header.more_fragments(),
    })
}

fn kind(error: &HeaderSliceError) -> Malformed {
    match error {
        HeaderSliceError::Content(HeaderError::UnexpectedVersion { .. }) => Malformed::IpVersion,
        _ => Malformed::IpHeader,
    }
}
