use super::{Exported, Lines, Spec};
use crate::export::note::{ExportNote, NoteKind};
use crate::export::plan::{DevicePlan, ExportPlan, version};
use crate::export::rule::{Header, PeerMatch, Rule};
use crate::export::text::rule_comment;
use crate::{Action, Direction, PortCondition, Prefix};

pub(super) const SPEC: Spec = Spec { name: "openwrt", has_rules: true, write };

/// Peers without a name that a device may begin to talk to in a minute.
const PEERS_A_MINUTE: u32 = 60;

const ABOUT: [&str; 6] = [
    "Rules of MUD profiles (RFC 8520) for OpenWrt 22.03 or later (firewall4, dnsmasq-full), written by thingprint.",
    "Run: uci batch < FILE, then service firewall restart and service dnsmasq restart. Remove what begins with tp_",
    "from /etc/config/firewall and /etc/config/dhcp.",
    "The zones are lan and wan. Sets hold the addresses of a name: they begin with what captures show, and dnsmasq fills",
    "them while it runs. Answers, and connections that are open, pass by the firewall's own connection tracking. It does",
    "not see what devices of one network send to each other: nftables can, on the bridge.",
];

/// Where traffic goes, as the firewall of `OpenWrt` sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To the router itself.
    ToRouter,
    /// Through the router.
    Through,
}

fn write(plan: &ExportPlan) -> Exported {
    let notes = plan.notes(plan.devices.iter().flat_map(notes).collect());
    let mut lines = Lines::new("#", &ABOUT, &notes);
    lines.blank();
    for (name, is_ipv6) in plan.peer_names() {
        set(plan, (name, is_ipv6), &mut lines);
    }
    for device in &plan.devices {
        let mut written = Sections { device, next: 0, lines: &mut lines };
        let rules = [Direction::FromDevice, Direction::ToDevice];
        for rule in rules.into_iter().flat_map(|direction| plan.rules(device, direction)) {
            written.rules(plan, rule);
        }
        written.drop_rest();
    }
    lines.line("commit firewall");
    lines.line("commit dhcp");
    Exported { text: lines.text, notes }
}

/// What `OpenWrt` cannot do for a device.
fn notes(device: &DevicePlan) -> Vec<ExportNote> {
    let mut notes = Vec::new();
    if device.device.mac.is_none() && device.device.addresses.is_empty() {
        notes.push(device.note(NoteKind::LeftOut, "neither its MAC address nor an IP address is known"));
    }
    for rule in &device.rules {
        if rule.most_peers.is_some() && rule.is_from_device() {
            let reason = format!("bounded to {PEERS_A_MINUTE} new peers a minute, not by how many there are");
            notes.push(device.note_on(rule, NoteKind::Narrowed, reason));
        }
        let accepts = rule.action == Action::Accept;
        if !accepts && !rule.is_from_device() && !opens_from_outside(rule) {
            let reason = "what the router sends, and answers to the device, pass by the firewall's connection tracking";
            notes.push(device.note_on(rule, NoteKind::Widened, reason));
        }
        if accepts && opens_from_outside(rule) && device.device.addresses.is_empty() {
            let reason = "its IP addresses are not known: what is opened to it from outside does not pass";
            notes.push(device.note_on(rule, NoteKind::LeftOut, reason));
        }
        if rule.names().count() > 1 {
            notes.push(device.note_on(rule, NoteKind::LeftOut, "a rule has one set"));
        }
    }
    notes
}

/// Whether a rule is about what somebody beyond the local network begins with the device.
fn opens_from_outside(rule: &Rule) -> bool {
    let is_opened = match rule.header {
        Header::Tcp { is_answer, .. } => !is_answer,
        // Answers to what the device asked come from the port of a service.
        Header::Udp { source, .. } => source.is_none(),
        Header::Any | Header::Protocol(_) | Header::Icmp { .. } => true,
    };
    !rule.is_from_device() && is_opened && ways(rule).contains(&Way::Through)
}

fn set(plan: &ExportPlan, (name, is_ipv6): (&str, bool), lines: &mut Lines) {
    let set = plan.set_of(name, is_ipv6);
    let version = version(is_ipv6);
    lines.comment(name);
    for (key, value) in [("name", set.clone()), ("family", format!("ipv{version}"))] {
        lines.line(format_args!("set firewall.{set}='ipset'"));
        lines.line(format_args!("set firewall.{set}.{key}='{value}'"));
    }
    lines.line(format_args!("add_list firewall.{set}.match='dest_ip'"));
    for address in plan.answers(name, is_ipv6) {
        lines.line(format_args!("add_list firewall.{set}.entry='{address}'"));
    }
    lines.line(format_args!("set dhcp.{set}='ipset'"));
    lines.line(format_args!("add_list dhcp.{set}.name='{set}'"));
    lines.line(format_args!("add_list dhcp.{set}.domain='{name}'"));
    lines.line(format_args!("set dhcp.{set}.table='fw4'"));
    lines.line(format_args!("set dhcp.{set}.table_family='inet'"));
}

/// Where the packets of a rule go.
fn ways(rule: &Rule) -> Vec<Way> {
    let is_local = |block: &Prefix| thingprint_flow::is_private(block.address()) || block.is_group();
    match rule.peers.first() {
        None => vec![Way::ToRouter, Way::Through],
        Some(PeerMatch::Local) => vec![Way::ToRouter],
        Some(PeerMatch::Name(_)) => vec![Way::Through],
        Some(PeerMatch::Blocks(blocks)) => {
            let has = |wanted: bool| blocks.iter().any(|block| is_local(block) == wanted);
            let ways = [(true, Way::ToRouter), (false, Way::Through)];
            ways.into_iter().filter(|(is_local, _)| has(*is_local)).map(|(_, way)| way).collect()
        }
    }
}

/// The sections of one device.
struct Sections<'a> {
    device: &'a DevicePlan,
    next: usize,
    lines: &'a mut Lines,
}

impl Sections<'_> {
    /// A section for each way that the packets of a rule take, and for each address of the device that they are sent to.
    fn rules(&mut self, plan: &ExportPlan, rule: &Rule) {
        if rule.names().count() > 1 {
            return;
        }
        if rule.is_from_device() {
            if matches!(rule.header, Header::Tcp { is_answer: true, .. }) {
                return;
            }
            for way in ways(rule) {
                for own in self.own(rule.is_ipv6) {
                    self.section(plan, rule, &[("src", "lan".to_owned()), own, dest(way)]);
                }
            }
        } else if opens_from_outside(rule) {
            let addresses = self.device.device.addresses.iter();
            let addresses: Vec<String> = addresses
                .filter(|address| {
                    address.is_ipv6() == rule.is_ipv6 && !thingprint_flow::is_private(**address)
                        || !rule.is_ipv6 && address.is_ipv4()
                })
                .map(ToString::to_string)
                .collect();
            for address in addresses {
                let place = [("src", "wan".to_owned()), ("dest", "lan".to_owned()), ("dest_ip", address)];
                self.section(plan, rule, &place);
            }
        }
    }

    /// By what the device is known where it sends.
    fn own(&self, is_ipv6: bool) -> Vec<(&'static str, String)> {
        if let Some(mac) = self.device.device.mac {
            return vec![("src_mac", mac.to_string())];
        }
        let addresses = self.device.device.addresses.iter().filter(|address| address.is_ipv6() == is_ipv6);
        addresses.map(|address| ("src_ip", address.to_string())).collect()
    }

    fn section(&mut self, plan: &ExportPlan, rule: &Rule, place: &[(&str, String)]) {
        let name = self.begin(&rule.entry, rule.remark());
        self.set(&name, "family", if rule.is_ipv6 { "ipv6" } else { "ipv4" });
        for (key, value) in place.iter().filter(|(_, value)| !value.is_empty()) {
            self.set(&name, key, value);
        }
        let side = if rule.is_from_device() { "dest" } else { "src" };
        for peer in &rule.peers {
            match peer {
                PeerMatch::Local => {}
                PeerMatch::Name(host) => {
                    let direction = if rule.is_from_device() { "" } else { " src" };
                    let set = plan.set_of(host, rule.is_ipv6);
                    self.set(&name, "ipset", &format!("{set}{direction}"));
                }
                PeerMatch::Blocks(blocks) => {
                    for block in blocks {
                        self.add(&name, &format!("{side}_ip"), &block.to_string());
                    }
                }
            }
        }
        self.header(&name, rule);
        if rule.most_peers.is_some() {
            self.set(&name, "limit", &format!("{PEERS_A_MINUTE}/minute"));
            self.set(&name, "limit_burst", &PEERS_A_MINUTE.to_string());
        }
        self.set(
            &name,
            "target",
            match rule.action {
                Action::Accept => "ACCEPT",
                Action::Drop => "DROP",
                Action::Reject => "REJECT",
            },
        );
    }

    fn header(&mut self, name: &str, rule: &Rule) {
        let (protocol, source, destination) = match rule.header {
            Header::Any => ("all".to_owned(), None, None),
            Header::Protocol(protocol) => (protocol.to_string(), None, None),
            Header::Tcp { source, destination, .. } => ("tcp".to_owned(), source, destination),
            Header::Udp { source, destination } => ("udp".to_owned(), source, destination),
            Header::Icmp { kind, code } => {
                let code = code.map(|code| format!("/{code}")).unwrap_or_default();
                if let Some(kind) = kind {
                    self.add(name, "icmp_type", &format!("{kind}{code}"));
                }
                ("icmp".to_owned(), None, None)
            }
        };
        self.set(name, "proto", &protocol);
        for (key, condition) in [("src_port", source), ("dest_port", destination)] {
            if let Some(condition) = condition {
                self.set(name, key, &port(condition));
            }
        }
    }

    /// What the device sends beside, to the router and through it.
    fn drop_rest(&mut self) {
        for is_ipv6 in [false, true] {
            for own in self.own(is_ipv6) {
                for way in [Way::ToRouter, Way::Through] {
                    let name = self.begin("anything else", None);
                    let family = if is_ipv6 { "ipv6" } else { "ipv4" };
                    let (dest, to) = dest(way);
                    for (key, value) in [
                        ("family", family),
                        ("src", "lan"),
                        (own.0, &own.1),
                        (dest, &to),
                        ("proto", "all"),
                        ("target", "DROP"),
                    ] {
                        if !value.is_empty() {
                            self.set(&name, key, value);
                        }
                    }
                }
            }
        }
    }

    /// Begins a section for an entry; gives its name.
    fn begin(&mut self, entry: &str, remark: Option<&str>) -> String {
        let name = format!("tp_{}_{}", self.device.id, self.next);
        self.next += 1;
        self.lines.line(format_args!("set firewall.{name}='rule'"));
        let about = rule_comment(&format!("{}: {entry}", self.device.device.name), remark);
        self.set(&name, "name", &about);
        name
    }

    fn set(&mut self, section: &str, key: &str, value: &str) {
        self.lines.line(format_args!("set firewall.{section}.{key}='{value}'"));
    }

    fn add(&mut self, section: &str, key: &str, value: &str) {
        self.lines.line(format_args!("add_list firewall.{section}.{key}='{value}'"));
    }
}

/// The zone that packets of a way go to; what goes to the router has none.
fn dest(way: Way) -> (&'static str, String) {
    let zone = if way == Way::Through { "*" } else { "" };
    ("dest", zone.to_owned())
}

fn port(condition: PortCondition) -> String {
    match condition {
        PortCondition::Equal(port) => port.to_string(),
        PortCondition::NotEqual(port) => format!("!{port}"),
        PortCondition::AtMost(port) => format!("0-{port}"),
        PortCondition::AtLeast(port) => format!("{port}-65535"),
        PortCondition::Range(low, high) => format!("{low}-{high}"),
    }
}
