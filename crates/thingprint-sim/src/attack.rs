use serde::Deserialize;

use crate::profile::Place;
use crate::{Home, SimError};

/// The most packets a second that an attack may have.
const MOST_PER_S: f64 = 1e6;

/// An attack on a device of a home, or through it, for some time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// The device, by its name in the home. It answers whether or not its profile has it on.
    pub device: String,
    /// What is done.
    pub kind: AttackKind,
    /// When it begins, in seconds since 1970.
    pub start_s: i64,
    /// How long it lasts, in seconds.
    pub duration_s: u32,
    /// Packets that the attacker sends each second, on average; they come at random moments.
    pub packets_per_s: f64,
}

/// What an attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttackKind {
    /// Requests that seem to come from a victim in the internet, to which the device sends its longer answers.
    #[serde(rename_all = "kebab-case")]
    UdpReflection {
        /// The port of the device's service, like 1900 for SSDP or 161 for SNMP.
        port: u16,
        /// Payload of a request, in bytes.
        #[serde(rename = "request_bytes")]
        request_bytes: u16,
        /// Payload of an answer, in bytes.
        #[serde(rename = "response_bytes")]
        response_bytes: u16,
    },
    /// Openings of TCP connections from addresses that never answer. The device holds up to 128 of them half open, and
    /// repeats its answer after 1 and 3 seconds (RFC 6298 §2); what comes beyond is dropped in silence.
    TcpSyn {
        /// The port of the device's service.
        port: u16,
    },
}

impl Attack {
    /// Rejects an unsupported attack, as the `index`-th of those given.
    pub(crate) fn check(&self, home: &Home, index: usize) -> Result<(), SimError> {
        let place = Place::top(&home.file).entry("attack", index);
        let known = home.labels().iter().any(|device| device.name == self.device);
        place.field("device").ensure(known, "unknown device: expected the name of a device of the home")?;
        let rate = self.packets_per_s > 0.0 && self.packets_per_s <= MOST_PER_S;
        place.field("packets_per_s").ensure(rate, "must be above 0 and at most 1000000")?;
        let start = (0..=i64::from(u32::MAX)).contains(&self.start_s);
        place.field("start_s").ensure(start, "exceeds the range of capture timestamps")?;
        if let AttackKind::UdpReflection { request_bytes, response_bytes, .. } = self.kind {
            let longest = request_bytes.max(response_bytes);
            place.field("response_bytes").ensure(longest <= 1472, "must fit a packet of 1,500 bytes")?;
        }
        Ok(())
    }
}
