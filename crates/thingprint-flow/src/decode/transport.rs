use etherparse::{TcpHeaderSlice, UdpHeaderSlice};

use super::counts::Malformed;
use super::network::Body;
use crate::{TcpFlags, TcpSegment, Transport};

const TCP: u8 = 6;
const UDP: u8 = 17;

const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;

/// A transport header, read, with what it carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) transport: Transport,
    pub(super) src_port: u16,
    pub(super) dst_port: u16,
    pub(super) payload: &'a [u8],
    pub(super) payload_bytes: usize,
    /// Set when the header contradicts itself or its packet; what could be read is there all the same.
    pub(super) trouble: Option<Malformed>,
}

impl<'a> Segment<'a> {
    /// Reads the transport header of a body. Only TCP and UDP have ports here, since flows are defined by theirs.
    #[inline]
    pub(super) fn of(body: Body<'a>) -> Self {
        match body.protocol {
            TCP => tcp(body),
            UDP => udp(body),
            protocol => Self {
                transport: Transport::Other(protocol),
                src_port: 0,
                dst_port: 0,
                payload: body.captured,
                payload_bytes: body.length,
                trouble: None,
            },
        }
    }
}

/// RFC 9293 §3.1.
#[inline]
fn tcp(body: Body<'_>) -> Segment<'_> {
    let Ok(header) = TcpHeaderSlice::from_slice(body.captured) else { return unfit_tcp(body) };
    let length = header.slice().len();
    let flags = header.slice().get(13).copied().unwrap_or_default();
    Segment {
        transport: Transport::Tcp(TcpSegment {
            seq: header.sequence_number(),
            ack: header.acknowledgment_number(),
            flags: TcpFlags(flags),
        }),
        src_port: header.source_port(),
        dst_port: header.destination_port(),
        payload: body.captured.get(length..).unwrap_or_default(),
        payload_bytes: body.length - length,
        trouble: None,
    }
}

/// A TCP header that the snap length cut, or that is none: ports, sequence number and control bits are taken as
/// far as they are there, else they are 0.
#[cold]
fn unfit_tcp(body: Body<'_>) -> Segment<'_> {
    let (src_port, dst_port) = ports(body.captured);
    let number = |at: usize| body.captured.get(at..).and_then(<[u8]>::first_chunk).copied();
    let [seq, ack] = [4, 8].map(|at| number(at).map_or(0, u32::from_be_bytes));
    let offset = body.captured.get(12).map_or(TCP_HEADER, |byte| usize::from(byte >> 4) * 4);
    let flags = body.captured.get(13).copied().unwrap_or_default();
    let payload_bytes = if offset < TCP_HEADER { None } else { body.length.checked_sub(offset) };
    Segment {
        transport: Transport::Tcp(TcpSegment { seq, ack, flags: TcpFlags(flags) }),
        src_port,
        dst_port,
        payload: &[],
        payload_bytes: payload_bytes.unwrap_or(0),
        trouble: payload_bytes.is_none().then_some(Malformed::TransportHeader),
    }
}

/// RFC 768. A length of 0 is left by segmentation offload and by jumbograms (RFC 2675 §4); one that does not fit
/// gives way to the IP length.
#[inline]
fn udp(body: Body<'_>) -> Segment<'_> {
    let Ok(header) = UdpHeaderSlice::from_slice(body.captured) else { return unfit_udp(body) };
    let claimed = usize::from(header.length());
    let fits = (UDP_HEADER..=body.length).contains(&claimed);
    let length = if fits { claimed } else { body.length } - UDP_HEADER;
    let after = body.captured.get(UDP_HEADER..).unwrap_or_default();
    Segment {
        transport: Transport::Udp,
        src_port: header.source_port(),
        dst_port: header.destination_port(),
        payload: after.get(..length).unwrap_or(after),
        payload_bytes: length,
        trouble: (!fits && claimed != 0).then_some(Malformed::TransportHeader),
    }
}

/// A UDP header that the snap length cut, or that its packet has no room for.
#[cold]
fn unfit_udp(body: Body<'_>) -> Segment<'_> {
    let (src_port, dst_port) = ports(body.captured);
    Segment {
        transport: Transport::Udp,
        src_port,
        dst_port,
        payload: &[],
        payload_bytes: body.length.saturating_sub(UDP_HEADER),
        trouble: (body.length < UDP_HEADER).then_some(Malformed::TransportHeader),
    }
}

fn ports(bytes: &[u8]) -> (u16, u16) {
    match bytes.first_chunk() {
        Some([s0, s1, d0, d1]) => (u16::from_be_bytes([*s0, *s1]), u16::from_be_bytes([*d0, *d1])),
        None => (0, 0),
    }
}
