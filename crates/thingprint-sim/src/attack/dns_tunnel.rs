use serde::Deserialize;

use super::{Kind, Player};
use crate::play::Scene;
use crate::wire::Payload;
use crate::wire::dns::{Answer, Question};

/// The device sends data in the names of DNS queries for one domain, of which each is new, by way of its own resolver. The
/// answers say that there are no such records, which acknowledges the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsTunnel {}

/// Whose names are asked for; RFC 2606 §3 sets it aside.
const DOMAIN: &str = "example.net";
/// Type of the records asked for: TXT.
const TXT: u16 = 16;
/// Shortest and longest data of a query, in characters.
const CHARACTERS: [u32; 2] = [40, 110];
/// Most characters of a label (RFC 1035 §2.3.4), with room for the length.
const LABEL: usize = 60;
/// The alphabet of base 32 (RFC 4648 §6), in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl Kind for DnsTunnel {
    fn player(&self) -> Box<dyn Player> {
        Box::new(*self)
    }
}

impl Player for DnsTunnel {
    fn strike(&mut self, now: i64, scene: &mut Scene) {
        let resolver = scene.resolver();
        let path = scene.path_of_client(resolver, 53);
        let name = name(scene);
        let question = Question { id: scene.bits16(), name: &name, kind: TXT, edns: true };
        scene.datagram(now, (path, true), Payload::exact(question.query()));
        let answer = Answer { chain: &[], ttl_s: 1, addresses: &[], missing: false };
        let at = now + scene.round_trip();
        scene.datagram(at, (path, false), Payload::exact(question.response(&answer)));
    }
}

/// A name that carries data.
fn name(scene: &mut Scene) -> String {
    let [least, most] = CHARACTERS;
    let mut name = String::new();
    for at in 0..least + scene.below(most - least) {
        if at > 0 && (at as usize).is_multiple_of(LABEL) {
            name.push('.');
        }
        let letter = ALPHABET.get(scene.below(32) as usize).copied().unwrap_or(b'a');
        name.push(char::from(letter));
    }
    format!("{name}.{DOMAIN}")
}
