use std::fmt::Write;

use thingprint_flow::MacAddr;

use super::{Exported, Lines, Spec};
use crate::export::note::{ExportNote, NoteKind};
use crate::export::plan::{DevicePlan, ExportPlan, version};
use crate::export::rule::{Header, PeerMatch, Rule};
use crate::export::text::rule_comment;
use crate::{Action, Direction, PortCondition};

pub(super) const SPEC: Spec = Spec { name: "iptables", has_rules: true, write };

/// The chain in front of those of what devices send, where packets have the MAC address of who sent them.
const FROM: &str = "THINGPRINT_FROM";
/// The chain in front of those of what is sent to devices.
const TO: &str = "THINGPRINT_TO";
/// Where packets pass which of them.
const HOOKS: [(&str, &str); 4] = [("FORWARD", FROM), ("FORWARD", TO), ("INPUT", FROM), ("OUTPUT", TO)];
/// For how many seconds a peer without a name is one of those that an entry may be used with.
const PEER_KEPT_S: u32 = 3600;

const ABOUT: [&str; 7] = [
    "Rules of MUD profiles (RFC 8520) for a router with iptables and ipset, written by thingprint.",
    "Run: sh FILE. Running it again replaces the rules. Remove: iptables -D FORWARD -j THINGPRINT_FROM, and -D of what the",
    "last lines insert; the same with ip6tables.",
    "Sets named tp_*_4 and tp_*_6 hold the addresses of a name. They begin with what captures show; dnsmasq fills",
    "them while it runs, by the lines of the format dnsmasq-ipset.",
    "Each packet is looked at by itself, so that connections which are open already go on. A connection is opened",
    "by its client alone. A router does not see what devices of one network send to each other.",
];

fn write(plan: &ExportPlan) -> Exported {
    let notes = plan.notes(plan.devices.iter().map(addresses_note).collect());
    let mut lines = Lines::new("#", &ABOUT, &notes);
    lines.line("set -e");
    sets(plan, &mut lines);
    for is_ipv6 in [false, true] {
        rules(plan, is_ipv6, &mut lines);
    }
    Exported { text: lines.text, notes }
}

fn addresses_note(device: &DevicePlan) -> ExportNote {
    if device.device.addresses.is_empty() {
        let reason = "its IP addresses are not known: what is sent to it is not looked at";
        return device.note(NoteKind::Widened, reason);
    }
    let reason = "what is sent to it is known by its IP addresses: give it fixed ones, and write the rules again if they change";
    device.note(NoteKind::Assumed, reason)
}

fn sets(plan: &ExportPlan, lines: &mut Lines) {
    lines.line("ipset restore -exist <<'END'");
    for is_ipv6 in [false, true] {
        let (version, family) = (version(is_ipv6), family(is_ipv6));
        lines.line(format_args!("create tpl_local_{version} hash:net family {family}"));
        lines.line(format_args!("flush tpl_local_{version}"));
        for block in plan.network.local(is_ipv6) {
            lines.line(format_args!("add tpl_local_{version} {block}"));
        }
    }
    for (name, is_ipv6) in plan.peer_names() {
        let (set, family) = (plan.set_of(name, is_ipv6), family(is_ipv6));
        let most = plan.most_addresses(name, is_ipv6);
        lines.line(format_args!("create {set} hash:ip family {family} maxelem {most}"));
        for address in plan.answers(name, is_ipv6) {
            lines.line(format_args!("add {set} {address}"));
        }
    }
    for device in &plan.devices {
        for is_ipv6 in [false, true] {
            let bounded = device.rules.iter().filter(|rule| rule.is_ipv6 == is_ipv6);
            let Some(most) = bounded.filter_map(|rule| rule.most_peers).max() else { continue };
            let (set, family) = (peers(device, is_ipv6), family(is_ipv6));
            let limits = format!("timeout {PEER_KEPT_S} maxelem {most}");
            lines.line(format_args!("create {set} hash:ip,port family {family} {limits}"));
        }
    }
    lines.line("END");
}

const fn family(is_ipv6: bool) -> &'static str {
    if is_ipv6 { "inet6" } else { "inet" }
}

/// The set of peers without a name that a device talks to.
fn peers(device: &DevicePlan, is_ipv6: bool) -> String {
    format!("tpp_{}_{}", device.id, version(is_ipv6))
}

fn rules(plan: &ExportPlan, is_ipv6: bool, lines: &mut Lines) {
    let program = if is_ipv6 { "ip6tables" } else { "iptables" };
    lines.line(format_args!("{program}-restore --noflush <<'END'"));
    lines.line("*filter");
    lines.line(format_args!(":{FROM} - [0:0]"));
    lines.line(format_args!(":{TO} - [0:0]"));
    for device in &plan.devices {
        for direction in [Direction::FromDevice, Direction::ToDevice] {
            lines.line(format_args!(":{} - [0:0]", chain(device, direction)));
        }
    }
    for device in &plan.devices {
        for condition in conditions(device, is_ipv6) {
            lines.line(format_args!("-A {condition}"));
        }
        for direction in [Direction::FromDevice, Direction::ToDevice] {
            let chain = chain(device, direction);
            for rule in plan.rules(device, direction).filter(|rule| rule.is_ipv6 == is_ipv6) {
                for line in texts(plan, device, rule) {
                    lines.line(format_args!("-A {chain} {line}"));
                }
            }
            let name = rule_comment(&device.device.name, None);
            lines.line(format_args!("-A {chain} -m comment --comment \"{name}\" -j DROP"));
        }
    }
    lines.line("COMMIT");
    lines.line("END");
    for (hook, first) in HOOKS {
        let jump = format!("{hook} -j {first}");
        lines.line(format_args!("{program} -C {jump} 2>/dev/null || {program} -I {jump}"));
    }
}

fn chain(device: &DevicePlan, direction: Direction) -> String {
    let side = if direction == Direction::FromDevice { "F" } else { "T" };
    format!("TP{side}_{}", device.id)
}

/// In which chain a device is known by what, with the chain that follows.
fn conditions(device: &DevicePlan, is_ipv6: bool) -> Vec<String> {
    let jump = |direction| format!("-j {}", chain(device, direction));
    let addresses = || device.device.addresses.iter().filter(|address| address.is_ipv6() == is_ipv6);
    let from = |mac: MacAddr| format!("{FROM} -m mac --mac-source {mac} {}", jump(Direction::FromDevice));
    let mut conditions: Vec<String> = device.device.mac.map(from).into_iter().collect();
    if conditions.is_empty() {
        conditions.extend(
            addresses().map(|address| format!("{FROM} -s {address} {}", jump(Direction::FromDevice))),
        );
    }
    conditions.extend(addresses().map(|address| format!("{TO} -d {address} {}", jump(Direction::ToDevice))));
    conditions
}

/// The lines of a rule: one for each block of addresses.
fn texts(plan: &ExportPlan, device: &DevicePlan, rule: &Rule) -> Vec<String> {
    let (peer_side, own_side, set_side) =
        if rule.is_from_device() { ("-d", "-s", "dst") } else { ("-s", "-d", "src") };
    let mut conditions = String::new();
    let mut blocks = vec![String::new()];
    if let Some(own) = rule.own {
        let _ = write!(conditions, "{own_side} {own} ");
    }
    for peer in &rule.peers {
        match peer {
            PeerMatch::Blocks(peers) => {
                blocks = peers.iter().map(|block| format!("{peer_side} {block} ")).collect();
            }
            PeerMatch::Local => {
                let _ =
                    write!(conditions, "-m set --match-set tpl_local_{} {set_side} ", version(rule.is_ipv6));
            }
            PeerMatch::Name(name) => {
                let set = plan.set_of(name, rule.is_ipv6);
                let _ = write!(conditions, "-m set --match-set {set} {set_side} ");
            }
        }
    }
    conditions.push_str(&header(rule));
    let verdict = match rule.action {
        Action::Accept => "RETURN",
        Action::Drop => "DROP",
        Action::Reject => "REJECT",
    };
    let name = rule.comment();
    let mut lines = Vec::new();
    for block in blocks {
        let mut bound = String::new();
        if rule.most_peers.is_some() {
            let set = peers(device, rule.is_ipv6);
            if rule.is_from_device() {
                // A full set takes nobody, and then the rule behind does not match.
                lines.push(format!("{block}{conditions}-j SET --add-set {set} dst,dst --exist"));
            }
            bound = format!("-m set --match-set {set} {set_side},{set_side} ");
        }
        lines.push(format!("{block}{conditions}{bound}-m comment --comment \"{name}\" -j {verdict}"));
    }
    lines
}

/// The condition on the header after IP, with a blank behind it.
fn header(rule: &Rule) -> String {
    let ports = |source: Option<PortCondition>, destination: Option<PortCondition>| -> String {
        let sides = [("--sport", source), ("--dport", destination)];
        let written = sides.into_iter().filter_map(|(side, condition)| Some((side, condition?)));
        written.map(|(side, condition)| port(side, condition)).collect()
    };
    let (icmp, kind_option) =
        if rule.is_ipv6 { ("icmpv6", "--icmpv6-type") } else { ("icmp", "--icmp-type") };
    match rule.header {
        Header::Any => String::new(),
        Header::Protocol(protocol) => format!("-p {protocol} "),
        Header::Tcp { source, destination, is_answer } => {
            let answer = if is_answer { "! --syn " } else { "" };
            format!("-p tcp {}{answer}", ports(source, destination))
        }
        Header::Udp { source, destination } => format!("-p udp {}", ports(source, destination)),
        Header::Icmp { kind: Some(kind), code: Some(code) } => {
            format!("-p {icmp} {kind_option} {kind}/{code} ")
        }
        Header::Icmp { kind: Some(kind), code: None } => format!("-p {icmp} {kind_option} {kind} "),
        Header::Icmp { kind: None, .. } => format!("-p {icmp} "),
    }
}

fn port(side: &str, condition: PortCondition) -> String {
    match condition {
        PortCondition::Equal(port) => format!("{side} {port} "),
        PortCondition::NotEqual(port) => format!("! {side} {port} "),
        PortCondition::AtMost(port) => format!("{side} 0:{port} "),
        PortCondition::AtLeast(port) => format!("{side} {port}:65535 "),
        PortCondition::Range(low, high) => format!("{side} {low}:{high} "),
    }
}
