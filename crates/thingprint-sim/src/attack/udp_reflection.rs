use serde::Deserialize;

use super::{Kind, Player};
use crate::SimError;
use crate::play::Scene;
use crate::profile::Place;

/// Requests that seem to come from a victim in the internet, to which the device sends its longer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UdpReflection {
    /// The port of the device's service, like 161 for SNMP.
    pub port: u16,
    /// Payload of a request, in bytes.
    pub request_bytes: u16,
    /// Payload of an answer, in bytes.
    pub response_bytes: u16,
}

impl Kind for UdpReflection {
    fn device_port(&self) -> Option<u16> {
        Some(self.port)
    }

    fn check(&self, place: &Place<'_>) -> Result<(), SimError> {
        let longest = self.request_bytes.max(self.response_bytes);
        place.field("response_bytes").ensure(longest <= 1472, "must fit a packet of 1,500 bytes")
    }

    fn player(&self) -> Box<dyn Player> {
        Box::new(*self)
    }
}

impl Player for UdpReflection {
    fn strike(&mut self, now: i64, scene: &mut Scene) {
        let path = scene.path_to_victim();
        let answered = now + scene.reaction();
        for (at, up, bytes) in [(now, false, self.request_bytes), (answered, true, self.response_bytes)] {
            let payload = scene.noise(bytes);
            scene.datagram(at, (path, up), payload);
        }
    }
}
