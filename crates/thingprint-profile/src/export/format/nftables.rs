use std::fmt::Write;
use std::net::IpAddr;

use super::{Exported, Lines, Spec};
use crate::export::family::NftFamily;
use crate::export::note::{ExportNote, NoteKind};
use crate::export::plan::{DevicePlan, ExportPlan, version};
use crate::export::rule::{Header, PeerMatch, Rule};
use crate::export::text::rule_comment;
use crate::{Action, Direction, PortCondition, Prefix};

pub(super) const SPEC: Spec = Spec { name: "nftables", has_rules: true, write };

/// What the table is called; other tables are left alone.
pub(super) const TABLE: &str = "thingprint";
/// How long a set knows an address that nobody uses.
const KEPT: &str = "1d";
/// How long a peer without a name is one of those that an entry may be used with.
const PEER_KEPT: &str = "1h";

const ABOUT: [&str; 8] = [
    "Rules of MUD profiles (RFC 8520) for nftables, written by thingprint.",
    "Load: nft -f FILE. Loading again replaces them. Remove: nft delete table FAMILY thingprint.",
    "Sets named tp_*_4 and tp_*_6 hold the addresses of a name. They begin with what captures show; dnsmasq fills",
    "them while it runs, by the lines of the format dnsmasq. An address that is not used is forgotten after a day.",
    "Each packet is looked at by itself, so that connections which are open already go on. A connection is opened",
    "by its client alone: of the other side, a SYN without ACK does not pass.",
    "What a device may do beside its profile: local name and time servers, DHCP, ARP, EAPOL, 802.3, neighbour discovery,",
    "ICMP errors, group membership. Broadcasts and multicasts of others to a device are not looked at.",
];

fn write(plan: &ExportPlan) -> Exported {
    let notes = plan.notes(notes(plan));
    let mut lines = Lines::new("#", &ABOUT, &notes);
    let family = plan.family;
    lines.blank();
    lines.line(format_args!("table {family} {TABLE}"));
    lines.line(format_args!("delete table {family} {TABLE}"));
    lines.line(format_args!("table {family} {TABLE} {{"));
    sets(plan, &mut lines);
    for device in &plan.devices {
        for direction in [Direction::FromDevice, Direction::ToDevice] {
            chain(plan, device, direction, &mut lines);
        }
    }
    hooks(plan, &mut lines);
    lines.line("}");
    Exported { text: lines.text, notes }
}

/// What nftables cannot do in this family.
fn notes(plan: &ExportPlan) -> Vec<ExportNote> {
    let mut notes = Vec::new();
    for device in &plan.devices {
        let is_by_address = plan.family == NftFamily::Inet || device.device.mac.is_none();
        if is_by_address && device.device.addresses.is_empty() {
            let reason = "its IP addresses are not known: what is sent to it is not looked at";
            notes.push(device.note(NoteKind::Widened, reason));
        } else if is_by_address {
            let reason =
                "known by its IP addresses: give it fixed ones, and write the rules again if they change";
            notes.push(device.note(NoteKind::Assumed, reason));
        }
        if plan.family == NftFamily::Bridge {
            let rejecting = device.rules.iter().filter(|rule| rule.action == Action::Reject);
            let reason = "a bridge drops what is to be rejected, and tells nobody";
            notes.extend(rejecting.map(|rule| device.note_on(rule, NoteKind::Narrowed, reason)));
        }
    }
    notes
}

fn sets(plan: &ExportPlan, lines: &mut Lines) {
    for is_ipv6 in [false, true].into_iter().filter(|is_ipv6| plan.uses_local(*is_ipv6)) {
        let version = version(is_ipv6);
        lines.line(format_args!("    set local_{version} {{"));
        lines.line(format_args!("        type ipv{version}_addr"));
        lines.line("        flags interval");
        lines.line(format_args!("        elements = {{ {} }}", listed(&plan.network.local(is_ipv6))));
        lines.line("    }");
    }
    for (name, is_ipv6) in plan.peer_names() {
        lines.comment_within(name);
        lines.line(format_args!("    set {} {{", plan.set_of(name, is_ipv6)));
        lines.line(format_args!("        type ipv{}_addr", version(is_ipv6)));
        lines.line("        flags dynamic,timeout");
        lines.line(format_args!("        timeout {KEPT}"));
        lines.line(format_args!("        size {}", plan.most_addresses(name, is_ipv6)));
        let answers: Vec<IpAddr> = plan.answers(name, is_ipv6).collect();
        if !answers.is_empty() {
            lines.line(format_args!("        elements = {{ {} }}", listed(&answers)));
        }
        lines.line("    }");
    }
    for device in &plan.devices {
        for is_ipv6 in [false, true] {
            let bounded = device.rules.iter().filter(|rule| rule.is_ipv6 == is_ipv6);
            let Some(most) = bounded.filter_map(|rule| rule.most_peers).max() else { continue };
            let version = version(is_ipv6);
            lines.line(format_args!("    set peers_{}_{version} {{", device.id));
            lines.line(format_args!("        type ipv{version}_addr . inet_service"));
            lines.line("        flags dynamic,timeout");
            lines.line(format_args!("        timeout {PEER_KEPT}"));
            lines.line(format_args!("        size {most}"));
            lines.line("    }");
        }
    }
}

/// The chain of what a device sends, or of what is sent to it.
fn chain(plan: &ExportPlan, device: &DevicePlan, direction: Direction, lines: &mut Lines) {
    let name = chain_name(device, direction);
    lines.comment_within(&device.device.name);
    lines.line(format_args!("    chain {name} {{"));
    if plan.family == NftFamily::Bridge {
        lines.line("        meta protocol { arp, 0x888e } return comment \"ARP, EAPOL\"");
        lines.line(
            "        ether type < 0x0600 return comment \"IEEE 802.3, as access points announce devices\"",
        );
        lines.line("        ip frag-off & 0x1fff != 0 return comment \"fragments after the first\"");
        lines.line("        frag frag-off != 0 return comment \"fragments after the first\"");
    }
    for rule in plan.rules(device, direction) {
        lines.line(format_args!("        {}", text(plan, device, rule)));
    }
    lines.line(format_args!("        counter drop comment \"{}\"", rule_comment(&device.device.name, None)));
    lines.line("    }");
}

fn chain_name(device: &DevicePlan, direction: Direction) -> String {
    let side = if direction == Direction::FromDevice { "from" } else { "to" };
    format!("{side}_{}", device.id)
}

fn text(plan: &ExportPlan, device: &DevicePlan, rule: &Rule) -> String {
    let mut text = String::new();
    let (network, peer_side, own_side) = match (rule.is_ipv6, rule.is_from_device()) {
        (false, true) => ("ip", "daddr", "saddr"),
        (false, false) => ("ip", "saddr", "daddr"),
        (true, true) => ("ip6", "daddr", "saddr"),
        (true, false) => ("ip6", "saddr", "daddr"),
    };
    // Conditions on addresses say the version of IP as well.
    if rule.peers.is_empty() && rule.own.is_none() {
        text.push_str(match plan.family {
            NftFamily::Bridge => {
                if rule.is_ipv6 {
                    "meta protocol ip6 "
                } else {
                    "meta protocol ip "
                }
            }
            NftFamily::Inet => {
                if rule.is_ipv6 {
                    "meta nfproto ipv6 "
                } else {
                    "meta nfproto ipv4 "
                }
            }
        });
    }
    if let Some(own) = rule.own {
        let _ = write!(text, "{network} {own_side} {} ", block(&own));
    }
    for peer in &rule.peers {
        let set = match peer {
            PeerMatch::Local => format!("@local_{}", version(rule.is_ipv6)),
            PeerMatch::Blocks(blocks) => format!("{{ {} }}", listed(blocks)),
            PeerMatch::Name(name) => format!("@{}", plan.set_of(name, rule.is_ipv6)),
        };
        let _ = write!(text, "{network} {peer_side} {set} ");
    }
    text.push_str(&header(rule));
    let accepts = rule.action == Action::Accept;
    if accepts && rule.is_from_device() {
        // What is used stays known.
        for name in rule.names() {
            let set = plan.set_of(name, rule.is_ipv6);
            let _ = write!(text, "update @{set} {{ {network} {peer_side} }} ");
        }
    }
    if rule.most_peers.is_some() {
        let peers = format!("@peers_{}_{}", device.id, version(rule.is_ipv6));
        let _ = match rule.direction {
            // A full set takes nobody, and then the rule does not match.
            Direction::FromDevice => write!(text, "update {peers} {{ {network} daddr . udp dport }} "),
            Direction::ToDevice => write!(text, "{network} saddr . udp sport {peers} "),
        };
    }
    let verdict = match (rule.action, plan.family) {
        (Action::Accept, _) => "return",
        (Action::Reject, NftFamily::Inet) => "counter reject",
        (Action::Drop, _) | (Action::Reject, NftFamily::Bridge) => "counter drop",
    };
    let _ = write!(text, "{verdict} comment \"{}\"", rule.comment());
    text
}

/// The condition on the header after IP, with a blank behind it.
fn header(rule: &Rule) -> String {
    let ports = |protocol: &str, source: Option<PortCondition>, destination: Option<PortCondition>| {
        let sides = [("sport", source), ("dport", destination)];
        let written = sides.into_iter().filter_map(|(side, condition)| Some((side, condition?)));
        let written: Vec<String> =
            written.map(|(side, condition)| format!("{protocol} {side} {} ", port(condition))).collect();
        if written.is_empty() { format!("meta l4proto {protocol} ") } else { written.concat() }
    };
    let icmp = if rule.is_ipv6 { "icmpv6" } else { "icmp" };
    match rule.header {
        Header::Any => String::new(),
        Header::Protocol(protocol) => format!("meta l4proto {protocol} "),
        Header::Tcp { source, destination, is_answer } => {
            let answer = if is_answer { "tcp flags & (syn | ack) != syn " } else { "" };
            format!("{}{answer}", ports("tcp", source, destination))
        }
        Header::Udp { source, destination } => ports("udp", source, destination),
        Header::Icmp { kind: None, code: None } => format!("meta l4proto {icmp} "),
        Header::Icmp { kind, code } => {
            let kind = kind.map(|kind| format!("{icmp} type {kind} ")).unwrap_or_default();
            let code = code.map(|code| format!("{icmp} code {code} ")).unwrap_or_default();
            format!("{kind}{code}")
        }
    }
}

fn port(condition: PortCondition) -> String {
    match condition {
        PortCondition::Equal(port) => port.to_string(),
        PortCondition::NotEqual(port) => format!("!= {port}"),
        PortCondition::AtMost(port) => format!("0-{port}"),
        PortCondition::AtLeast(port) => format!("{port}-65535"),
        PortCondition::Range(low, high) => format!("{low}-{high}"),
    }
}

/// The chains that traffic comes by. A verdict that ends a chain there would spare a second device its own rules, so what
/// passes returns.
fn hooks(plan: &ExportPlan, lines: &mut Lines) {
    for (hook, directions) in [
        ("forward", &[Direction::FromDevice, Direction::ToDevice][..]),
        ("input", &[Direction::FromDevice]),
        ("output", &[Direction::ToDevice]),
    ] {
        lines.line(format_args!("    chain {hook} {{"));
        lines.line(format_args!("        type filter hook {hook} priority filter; policy accept;"));
        for direction in directions {
            for (key, jumps) in jumps(plan, *direction) {
                lines.line(format_args!("        {key} vmap {{ {jumps} }}"));
            }
        }
        lines.line("    }");
    }
}

/// By what devices are known in a direction, and the chains of those that are known by it.
fn jumps(plan: &ExportPlan, direction: Direction) -> Vec<(&'static str, String)> {
    let is_from = direction == Direction::FromDevice;
    let keys = if is_from {
        ["ether saddr", "ip saddr", "ip6 saddr"]
    } else {
        ["ether daddr", "ip daddr", "ip6 daddr"]
    };
    let mut found: [Vec<(String, String)>; 3] = Default::default();
    let [by_mac, by_ipv4, by_ipv6] = &mut found;
    for device in &plan.devices {
        let chain = chain_name(device, direction);
        match device.device.mac {
            Some(mac) if is_from || plan.family == NftFamily::Bridge => by_mac.push((mac.to_string(), chain)),
            _ => {
                for address in &device.device.addresses {
                    let of_version = if address.is_ipv6() { &mut *by_ipv6 } else { &mut *by_ipv4 };
                    of_version.push((address.to_string(), chain.clone()));
                }
            }
        }
    }
    let used = keys.into_iter().zip(found).filter(|(_, jumps)| !jumps.is_empty());
    used.map(|(key, jumps)| {
        let jumps: Vec<String> =
            jumps.iter().map(|(address, chain)| format!("{address} : jump {chain}")).collect();
        (key, jumps.join(", "))
    })
    .collect()
}

fn block(block: &Prefix) -> String {
    let is_host = *block == Prefix::host(block.address());
    if is_host { block.address().to_string() } else { block.to_string() }
}

fn listed<T: Listed>(items: &[T]) -> String {
    items.iter().map(Listed::listed).collect::<Vec<_>>().join(", ")
}

/// What stands in a set.
trait Listed {
    fn listed(&self) -> String;
}

impl Listed for Prefix {
    fn listed(&self) -> String {
        block(self)
    }
}

impl Listed for IpAddr {
    fn listed(&self) -> String {
        self.to_string()
    }
}
