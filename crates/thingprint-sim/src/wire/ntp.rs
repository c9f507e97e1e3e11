use super::put32;
use crate::clock::SECOND_NS;

/// Port of NTP.
pub(crate) const PORT: u16 = 123;

/// Seconds from 1900, where NTP's era 0 begins, to 1970.
const TO_1970_S: i64 = 2_208_988_800;

/// A request of a simple client (RFC 5905 §14): nothing but version, mode and the time of sending, if that.
pub(crate) struct Request {
    pub(crate) version: u8,
    pub(crate) mode: u8,
    pub(crate) sent_ns: Option<i64>,
}

impl Request {
    /// The packet.
    pub(crate) fn packet(&self) -> Vec<u8> {
        let mut message = vec![self.version << 3 | self.mode];
        message.resize(40, 0);
        put_optional_time(&mut message, self.sent_ns);
        message
    }
}

/// What a server answers.
pub(crate) struct Answer {
    pub(crate) version: u8,
    pub(crate) mode: u8,
    pub(crate) stratum: u8,
    pub(crate) reference_id: [u8; 4],
    /// When the client sent its request, by the client's clock, if it says so.
    pub(crate) origin_ns: Option<i64>,
    pub(crate) received_ns: i64,
}

impl Answer {
    /// The response.
    pub(crate) fn response(&self) -> Vec<u8> {
        let mut message = vec![self.version << 3 | self.mode, self.stratum, 3, 0xe9];
        put32(&mut message, 0x0000_0120);
        put32(&mut message, 0x0000_0480);
        message.extend_from_slice(&self.reference_id);
        put_time(&mut message, self.received_ns - 37 * SECOND_NS);
        put_optional_time(&mut message, self.origin_ns);
        put_time(&mut message, self.received_ns);
        put_time(&mut message, self.received_ns + 40_000);
        message
    }
}

/// Appends a timestamp, or the zeros that stand for none.
fn put_optional_time(message: &mut Vec<u8>, time_ns: Option<i64>) {
    match time_ns {
        Some(time_ns) => put_time(message, time_ns),
        None => message.extend_from_slice(&[0; 8]),
    }
}

/// Appends a timestamp: seconds since 1900 in the era, and a fraction of 32 bits (RFC 5905 §6).
fn put_time(message: &mut Vec<u8>, time_ns: i64) {
    let seconds = (time_ns.div_euclid(SECOND_NS) + TO_1970_S).rem_euclid(1 << 32);
    let fraction = (time_ns.rem_euclid(SECOND_NS) << 32) / SECOND_NS;
    put32(message, u32::try_from(seconds).unwrap_or(0));
    put32(message, u32::try_from(fraction).unwrap_or(u32::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_counts_from_1900() {
        let mut message = Vec::new();
        put_time(&mut message, SECOND_NS / 2);
        assert_eq!(message, [0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0]);
    }

    #[test]
    fn messages_have_48_bytes_and_say_what_they_are() {
        let request = Request { version: 3, mode: 3, sent_ns: Some(0) }.packet();
        assert_eq!((request.len(), request[0]), (48, 0x1b));
        let mut answer = Answer {
            version: 3,
            mode: 4,
            stratum: 2,
            reference_id: [1; 4],
            origin_ns: Some(0),
            received_ns: 1,
        };
        let response = answer.response();
        assert_eq!((response.len(), response[0], response[1]), (48, 0x1c, 2));
        assert_eq!(response[24..32], request[40..48]);
        answer.origin_ns = None;
        assert_eq!(answer.response()[24..32], [0; 8]);
        assert_eq!(Request { version: 1, mode: 1, sent_ns: None }.packet()[40..48], [0; 8]);
    }
}
