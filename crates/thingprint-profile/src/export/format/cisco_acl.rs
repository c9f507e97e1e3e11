use std::net::{IpAddr, Ipv4Addr};

use super::{Exported, Lines, Spec};
use crate::export::note::{ExportNote, NoteKind};
use crate::export::plan::{DevicePlan, ExportPlan};
use crate::export::rule::{Header, PeerMatch, Rule};
use crate::{Action, Direction, PortCondition, Prefix};

pub(super) const SPEC: Spec = Spec { name: "cisco-acl", has_rules: true, write };

const ABOUT: [&str; 5] = [
    "Access lists of MUD profiles (RFC 8520) for Cisco IOS, written by thingprint.",
    "Apply the FROM list of a device to what comes in at its port, and the TO list to what goes out there: the lists say",
    "any for the device itself.",
    "IOS keeps no sets of names: an entry with a name has the addresses that captures show. Write the lists again when",
    "they change; thingprint audit --mud shows that they did.",
];

fn write(plan: &ExportPlan) -> Exported {
    let notes = plan.notes(plan.devices.iter().flat_map(|device| notes(plan, device)).collect());
    let mut lines = Lines::new("!", &ABOUT, &notes);
    for device in &plan.devices {
        for direction in [Direction::FromDevice, Direction::ToDevice] {
            for is_ipv6 in [false, true] {
                list(plan, device, (direction, is_ipv6), &mut lines);
            }
        }
    }
    Exported { text: lines.text, notes }
}

/// What IOS cannot do for a device.
fn notes(plan: &ExportPlan, device: &DevicePlan) -> Vec<ExportNote> {
    let mut notes = Vec::new();
    for rule in &device.rules {
        for name in rule.names() {
            if plan.answers(name, rule.is_ipv6).next().is_none() {
                let reason = format!("no capture shows an address of {name}");
                notes.push(device.note_on(rule, NoteKind::LeftOut, reason));
            } else {
                let reason = format!("only for the addresses of {name} that captures show");
                notes.push(device.note_on(rule, NoteKind::Narrowed, reason));
            }
        }
        if rule.most_peers.is_some() {
            notes.push(device.note_on(rule, NoteKind::Widened, "an access list counts no peers"));
        }
        if rule.action == Action::Reject {
            let reason = "deny, whether the sender is told or not is the interface's choice";
            notes.push(device.note_on(rule, NoteKind::Assumed, reason));
        }
    }
    notes
}

fn list(plan: &ExportPlan, device: &DevicePlan, (direction, is_ipv6): (Direction, bool), lines: &mut Lines) {
    let side = if direction == Direction::FromDevice { "FROM" } else { "TO" };
    let id = device.id.to_ascii_uppercase().replace('_', "-");
    lines.line("!");
    lines.comment(&device.device.name);
    if is_ipv6 {
        lines.line(format_args!("ipv6 access-list TP-{id}-{side}-6"));
    } else {
        lines.line(format_args!("ip access-list extended TP-{id}-{side}-4"));
    }
    for rule in plan.rules(device, direction).filter(|rule| rule.is_ipv6 == is_ipv6) {
        let peers = peers(plan, rule);
        if !peers.is_empty() {
            lines.line(format_args!(" remark {}", rule.comment()));
        }
        for peer in peers {
            lines.line(format_args!(" {}", text(rule, &peer)));
        }
    }
    lines.line(format_args!(" deny {} any any", if is_ipv6 { "ipv6" } else { "ip" }));
    lines.line("exit");
}

/// The addresses on the other side: those that fit all conditions.
fn peers(plan: &ExportPlan, rule: &Rule) -> Vec<String> {
    let mut blocks: Option<Vec<Prefix>> = None;
    for peer in &rule.peers {
        let of_peer: Vec<Prefix> = match peer {
            PeerMatch::Local => plan.network.local(rule.is_ipv6),
            PeerMatch::Blocks(blocks) => blocks.clone(),
            PeerMatch::Name(name) => plan.answers(name, rule.is_ipv6).map(Prefix::host).collect(),
        };
        blocks = Some(match blocks {
            None => of_peer,
            Some(known) => {
                let common =
                    known.iter().flat_map(|left| of_peer.iter().filter_map(|right| left.common(*right)));
                Prefix::widest(common)
            }
        });
    }
    blocks.map_or_else(|| vec!["any".to_owned()], |blocks| blocks.iter().map(address).collect())
}

/// An address with its wildcard, as IOS has it.
fn address(block: &Prefix) -> String {
    let is_host = *block == Prefix::host(block.address());
    match block.address() {
        address if is_host => format!("host {address}"),
        IpAddr::V4(address) => {
            let wildcard = Ipv4Addr::from(u32::MAX.checked_shr(block.bits().into()).unwrap_or(0));
            format!("{address} {wildcard}")
        }
        IpAddr::V6(_) => block.to_string(),
    }
}

fn text(rule: &Rule, peer: &str) -> String {
    let action = if rule.action == Action::Accept { "permit" } else { "deny" };
    let (protocol, source_port, destination_port, rest) = header(rule);
    let own = rule.own.map_or_else(|| "any".to_owned(), |own| address(&own));
    let (source, destination) =
        if rule.is_from_device() { (own.as_str(), peer) } else { (peer, own.as_str()) };
    format!("{action} {protocol} {source}{source_port} {destination}{destination_port}{rest}")
}

/// The protocol, the conditions on the ports and what stands at the end.
fn header(rule: &Rule) -> (String, String, String, String) {
    let port = |condition: Option<PortCondition>| condition.map(port).unwrap_or_default();
    match rule.header {
        Header::Any => (
            (if rule.is_ipv6 { "ipv6" } else { "ip" }).to_owned(),
            String::new(),
            String::new(),
            String::new(),
        ),
        Header::Protocol(protocol) => (protocol.to_string(), String::new(), String::new(), String::new()),
        Header::Tcp { source, destination, is_answer } => {
            let rest = if is_answer { " established" } else { "" };
            ("tcp".to_owned(), port(source), port(destination), rest.to_owned())
        }
        Header::Udp { source, destination } => {
            ("udp".to_owned(), port(source), port(destination), String::new())
        }
        Header::Icmp { kind, code } => {
            let numbers = [kind, code].into_iter().flatten().map(|number| format!(" {number}"));
            ("icmp".to_owned(), String::new(), String::new(), numbers.collect::<Vec<_>>().concat())
        }
    }
}

fn port(condition: PortCondition) -> String {
    match condition {
        PortCondition::Equal(port) => format!(" eq {port}"),
        PortCondition::NotEqual(port) => format!(" neq {port}"),
        PortCondition::AtMost(u16::MAX) | PortCondition::AtLeast(0) => String::new(),
        PortCondition::AtMost(port) => format!(" lt {}", u32::from(port) + 1),
        PortCondition::AtLeast(port) => format!(" gt {}", u32::from(port) - 1),
        PortCondition::Range(low, high) => format!(" range {low} {high}"),
    }
}
