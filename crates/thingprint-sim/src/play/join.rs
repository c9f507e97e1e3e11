//! Joining the network: an address by DHCP, its announcement by ARP, and the IPv6 link.

use std::net::Ipv4Addr;

use super::nic::Nic;
use crate::clock::MILLISECOND_NS;
use crate::profile::{Dhcp, Unit};
use crate::wire::arp::Station;
use crate::wire::dhcp::{self, CLIENT_PORT, Exchange, SERVER_PORT, State, Type};
use crate::wire::{BROADCAST, End, Path, Payload, arp, ipv6};

/// What a device says of itself, with its own names filled in.
pub(super) struct Identity {
    dhcp: Dhcp,
    host_name: Option<String>,
}

impl Identity {
    pub(super) fn new(dhcp: &Dhcp, unit: &Unit) -> Self {
        let host_name = dhcp.host_name.as_ref().map(|name| unit.fill_in(name));
        Self { dhcp: dhcp.clone(), host_name }
    }

    fn exchange<'a>(&'a self, nic: &'a Nic, id: u32) -> Exchange<'a> {
        Exchange {
            id,
            client: nic.mac,
            address: nic.ip,
            server: nic.world.gateway_ip(),
            lease_s: nic.world.network.lease_s,
            domain: &nic.world.network.domain,
            host_name: self.host_name.as_deref(),
            vendor_class: self.dhcp.vendor_class.as_deref(),
            parameters: &self.dhcp.parameters,
        }
    }
}

/// Joins the network at `at`; when the device can talk.
pub(super) fn join(nic: &mut Nic, identity: &Identity, at: i64, is_return: bool) -> i64 {
    let id = nic.chance.bits32();
    let mut at = at;
    if !(is_return && identity.dhcp.remembers) {
        let discover = identity.exchange(nic, id).discover();
        let offer = identity.exchange(nic, id).answer(Type::Offer);
        plan_up(nic, at, discover);
        let offered = at + nic.between_ms(1.0, 30.0);
        plan_down(nic, offered, offer);
        at = offered + nic.lan_ns();
    }
    let state = if is_return && identity.dhcp.remembers { State::Rebooting } else { State::Selecting };
    let request = identity.exchange(nic, id).request(state);
    let ack = identity.exchange(nic, id).answer(Type::Ack);
    plan_up(nic, at, request);
    let given = at + nic.between_ms(1.0, 20.0);
    plan_down(nic, given, ack);
    settle(nic, given)
}

/// Is back with the address of before, without asking; when the device can talk.
pub(super) fn rejoin(nic: &mut Nic, at: i64) -> i64 {
    let announced = arp::request(Station { mac: nic.mac, ip: nic.ip }, nic.ip);
    nic.plan_frame(at, announced);
    at + 20 * MILLISECOND_NS
}

/// Prolongs the lease with the server that gave it.
pub(super) fn renew(nic: &mut Nic, identity: &Identity, at: i64) {
    let gateway = nic.gateway(SERVER_PORT);
    let at = nic.reach(at, gateway.ip, gateway.mac);
    let id = nic.chance.bits32();
    let path = nic.path(CLIENT_PORT, gateway);
    let request = identity.exchange(nic, id).request(State::Renewing);
    let ack = identity.exchange(nic, id).answer(Type::Ack);
    nic.plan_udp(at, (path, true), Payload::exact(request));
    let given = at + nic.between_ms(1.0, 20.0);
    nic.plan_udp(given, (path, false), Payload::exact(ack));
}

/// Makes sure that the address is free, announces it, and says hello on the IPv6 link.
fn settle(nic: &mut Nic, at: i64) -> i64 {
    let mac = nic.mac;
    let own = nic.ip;
    let probed = at + nic.lan_ns();
    nic.plan_frame(probed, arp::request(Station { mac, ip: Ipv4Addr::UNSPECIFIED }, own));
    let announced = probed + nic.between_ms(150.0, 300.0);
    nic.plan_frame(announced, arp::request(Station { mac, ip: own }, own));
    if nic.stack.ipv6 {
        settle_ipv6(nic, probed);
    }
    announced + 20 * MILLISECOND_NS
}

fn settle_ipv6(nic: &mut Nic, at: i64) {
    let station = ipv6::Station::new(nic.mac);
    let gateway = ipv6::Station::new(nic.world.network.gateway.0);
    nic.plan_frame(at + MILLISECOND_NS, station.probe());
    let reported = at + nic.between_ms(20.0, 400.0);
    nic.plan_frame(reported, station.membership());
    let solicited = at + nic.between_ms(1000.0, 1100.0);
    nic.plan_frame(solicited, station.solicit_router());
    let answered = solicited + nic.between_ms(1.0, 8.0);
    nic.plan_frame(answered, gateway.advertise_router(station));
}

/// A message of a device without an address: from nobody to everybody.
fn plan_up(nic: &mut Nic, at: i64, message: Vec<u8>) {
    let nobody = End { mac: nic.mac, ip: Ipv4Addr::UNSPECIFIED, port: CLIENT_PORT, ttl: nic.stack.ttl };
    let everybody = End { mac: BROADCAST, ip: Ipv4Addr::BROADCAST, port: SERVER_PORT, ttl: 64 };
    nic.plan_udp(at, (Path { device: nobody, peer: everybody }, true), Payload::exact(message));
}

/// The gateway's answer, which goes to the address that it gives.
fn plan_down(nic: &mut Nic, at: i64, message: Vec<u8>) {
    let path = nic.path(CLIENT_PORT, nic.gateway(dhcp::SERVER_PORT));
    nic.plan_udp(at, (path, false), Payload::exact(message));
}
