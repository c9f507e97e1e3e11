//! What is done without a connection: names, clocks, announcements, echoes.

use super::nic::Nic;
use super::script::{Act, Script};
use super::world::Peer;
use crate::clock::{MILLISECOND_NS, SECOND_NS, span_ns};
use crate::profile::{Lookup, LookupPolicy, Mdns, MdnsSays, Ntp, Ping, Ssdp, SsdpSays};
use crate::wire::ssdp::Advertiser;
use crate::wire::{End, Payload, icmp, ipv6, mdns, ntp, ssdp};

/// Time to live of multicast DNS messages (RFC 6762 §11).
const MDNS_TTL: u8 = 255;

/// Asks for names.
pub(super) fn lookup(nic: &mut Nic, script: &Script, (act, spec): (&Act, &Lookup), at: i64) {
    let mut at = at;
    for _ in 0..spec.at_once.draw_few(&mut nic.chance) {
        let Some(place) = act.choice.draw(&mut nic.chance) else { return };
        let Some(server) = script.directory.get(place) else { return };
        nic.resolve(at, (place, server), spec.asks);
        at += nic.between_ms(1.0, 60.0);
    }
}

/// Asks a server for the time.
pub(super) fn clock(nic: &mut Nic, script: &Script, (act, spec): (&Act, &Ntp), at: i64) {
    let Some((mut at, end, rtt_ns)) = find(nic, script, (act, spec.asks, ntp::PORT), at) else { return };
    let port = spec.local_port.unwrap_or_else(|| nic.ephemeral_port());
    let path = nic.path(port, end);
    for _ in 0..spec.polls.draw_few(&mut nic.chance) {
        let sent_ns = spec.stamped.then_some(at);
        let request = ntp::Request { version: spec.version, mode: spec.mode, sent_ns };
        nic.plan_udp(at, (path, true), Payload::exact(request.packet()));
        if nic.chance.happens(spec.answered) {
            let answered = at + rtt_ns + nic.between_ms(0.0, 3.0);
            let answer = ntp::Answer {
                version: spec.answer_version.unwrap_or(spec.version),
                mode: spec.answer_mode,
                stratum: 2,
                reference_id: [end.ip.octets()[3], 17, 34, 51],
                origin_ns: sent_ns,
                received_ns: at + rtt_ns / 2,
            };
            nic.plan_udp(answered, (path, false), Payload::exact(answer.response()));
        }
        at += span_ns(spec.gap_s.draw(&mut nic.chance)).max(MILLISECOND_NS);
    }
}

/// Sends echo requests a second apart, each with its reply.
pub(super) fn ping(nic: &mut Nic, script: &Script, (act, spec): (&Act, &Ping), at: i64) {
    let Some((mut at, end, rtt_ns)) = find(nic, script, (act, LookupPolicy::Cached, 0), at) else { return };
    let path = nic.path(0, end);
    let id = nic.chance.bits16();
    let count = spec.count.draw_few(&mut nic.chance);
    for sequence in (0..count).filter_map(|sequence| u16::try_from(sequence).ok()) {
        nic.plan_icmp(at, (path, true), icmp::echo(false, id, sequence));
        let answered = at + rtt_ns + nic.between_ms(0.0, 2.0);
        nic.plan_icmp(answered, (path, false), icmp::echo(true, id, sequence));
        at += SECOND_NS;
    }
}

/// Searches for devices, or announces its own.
pub(super) fn simple_discovery(nic: &mut Nic, script: &Script, spec: &Ssdp, at: i64) {
    let copies = spec.copies.draw_few(&mut nic.chance);
    match (spec.says, &spec.target, &script.upnp) {
        (SsdpSays::Search, Some(target), _) => search(nic, spec, (target, copies), at),
        (SsdpSays::Alive, _, Some(upnp)) => {
            let advertiser = Advertiser { upnp, uuid: &upnp.uuid, ip: nic.ip };
            let path = nic.group_path(ssdp::GROUP, ssdp::PORT, spec.ttl);
            let mut at = at;
            for target in (0..copies).flat_map(|_| advertiser.targets()) {
                nic.plan_udp(at, (path, true), Payload::exact(advertiser.notify(&target, &spec.nts)));
                at += nic.between_ms(1.0, 120.0);
            }
        }
        _ => {}
    }
}

fn search(nic: &mut Nic, spec: &Ssdp, (target, copies): (&str, u32), at: i64) {
    let port = nic.ephemeral_port();
    let mut path = nic.group_path(ssdp::GROUP, port, spec.ttl);
    path.peer.port = ssdp::PORT;
    let mut at = at;
    for _ in 0..copies {
        nic.plan_udp(at, (path, true), Payload::exact(ssdp::search(target, &spec.man)));
        at += nic.between_ms(100.0, 1000.0);
    }
    let world = nic.world.clone();
    for peer in spec.answers.iter().filter_map(|name| world.peers.get(name)) {
        answer_search(nic, peer, (target, port), at);
    }
}

/// A peer answers a search for all, for root devices or for what it is, within the two seconds it is given.
fn answer_search(nic: &mut Nic, peer: &Peer, (target, port): (&str, u16), at: i64) {
    let Some(upnp) = &peer.upnp else { return };
    let advertiser = Advertiser { upnp, uuid: &upnp.uuid, ip: peer.ip };
    let path = nic.path(port, End { mac: peer.mac.0, ip: peer.ip, port: ssdp::PORT, ttl: peer.ttl });
    let mut at = at + nic.between_ms(5.0, 900.0);
    for own in advertiser.targets().iter().filter(|own| target == "ssdp:all" || target == own.as_str()) {
        nic.plan_udp(at, (path, false), Payload::exact(advertiser.answer(own)));
        at += nic.between_ms(1.0, 20.0);
    }
}

/// Asks the link for services, or announces its own.
pub(super) fn multicast_dns(nic: &mut Nic, script: &Script, spec: &Mdns, at: i64) {
    let name = script.unit.fill_in(&spec.host);
    let host = mdns::Host { name: &name, ip: nic.ip, port: spec.port, services: &spec.services };
    let message = match spec.says {
        MdnsSays::Query => mdns::query(&spec.services),
        MdnsSays::Announce => host.announcement(),
    };
    if nic.stack.ipv6 {
        let frame = ipv6::Station::new(nic.mac).multicast_dns(&message);
        nic.plan_frame(at + MILLISECOND_NS / 5, frame);
    }
    let path = nic.group_path(mdns::GROUP, mdns::PORT, MDNS_TTL);
    nic.plan_udp(at, (path, true), Payload::exact(message));
}

/// Chooses a server and finds the way to it: when packets can go, to which end, and how far it is.
fn find(
    nic: &mut Nic,
    script: &Script,
    (act, policy, port): (&Act, LookupPolicy, u16),
    at: i64,
) -> Option<(i64, End, i64)> {
    let place = act.choice.draw(&mut nic.chance)?;
    let server = script.directory.get(place)?;
    let (ready, ip) = nic.resolve(at, (place, server), policy);
    let end = server.end(ip?, port);
    let ready = nic.reach(ready, end.ip, end.mac);
    Some((ready, end, server.rtt_ns))
}
