use serde::Deserialize;

use super::{Kind, Player};
use crate::play::Scene;
use crate::wire::{Payload, ssdp};

/// Searches for all `UPnP` devices that seem to come from a victim in the internet: the device sends several answers to
/// each (`UPnP` Device Architecture 1.1 §1.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SsdpReflection {}

/// What a device answers for: itself, its UUID, and its type.
const TARGETS: [&str; 3] =
    ["upnp:rootdevice", "uuid:2f402f80-da50-11e1-9b23-001788abcdef", "urn:schemas-upnp-org:device:Basic:1"];

impl Kind for SsdpReflection {
    fn device_port(&self) -> Option<u16> {
        Some(ssdp::PORT)
    }

    fn player(&self) -> Box<dyn Player> {
        Box::new(*self)
    }
}

impl Player for SsdpReflection {
    fn strike(&mut self, now: i64, scene: &mut Scene) {
        let path = scene.path_to_victim();
        let search = ssdp::search("ssdp:all", "\"ssdp:discover\"");
        scene.datagram(now, (path, false), Payload::exact(search));
        let mut at = now;
        for target in TARGETS {
            at += scene.reaction();
            let answer = answer(target, path.device.ip);
            scene.datagram(at, (path, true), Payload::exact(answer));
        }
    }
}

fn answer(target: &str, ip: std::net::Ipv4Addr) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT:\r\nLOCATION: http://{ip}:49152/description.xml\r\n\
         SERVER: Linux UPnP/1.0\r\nST: {target}\r\nUSN: {target}\r\n\r\n"
    )
    .into_bytes()
}
