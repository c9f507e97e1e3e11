use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;

use thingprint_flow::{Endpoint, protocol_name};
use thingprint_profile::{CheckReport, Denied, DenyReason, Direction, EntryUse};
use thingprint_protocol::Sender;

use crate::sarif::{self, RuleEntry, Text};
use crate::{Example, Finding, Severity};

/// A rule that is part of no policy, in words.
pub(crate) struct RuleText {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) checks: &'static str,
    pub(crate) why: &'static str,
    pub(crate) example: &'static str,
    pub(crate) remediation: &'static str,
    pub(crate) operator: &'static str,
}

/// The rule of findings about profiles.
pub(crate) const RULE: RuleText = RuleText {
    id: "MUD-001",
    title: "MUD profile",
    checks: "Whether the device's MUD profile allows whom it talks to: peer, protocol, port, and who opened the connection.",
    why: "A profile says what a device of its kind needs. What goes beyond it is a profile that is out of date, another \
          firmware, or somebody else who makes use of the device.",
    example: "A lamp opens tcp to 198.51.100.66 port 23, of which its profile says nothing.",
    remediation: "Find out what the device wants there. Add an entry to the profile where it has to be, and keep the device from \
           it where it has not.",
    operator: "Find out what the device wants there. Add an entry to the profile where it has to be, and \
               block it at the firewall where it has not; mud export writes the rules.",
};

/// Where it is written what a profile means.
pub(crate) const REFERENCE: &str = "RFC 8520";

/// What came out when a device was held against its profile.
#[derive(Debug)]
pub struct Verdict {
    /// The file of the profile.
    pub file: String,
    /// What was found.
    pub report: CheckReport,
}

/// A verdict as JSON has it.
#[derive(Debug, Serialize)]
pub struct VerdictDocument<'a> {
    file: &'a str,
    flows: u64,
    denied_flows: u64,
    implied_flows: u64,
    /// Allowed because the device says itself, by server name or Host, whom it talks to.
    claimed_flows: u64,
    /// Not judged: there were too many contacts.
    dropped_flows: u64,
    denied: Vec<DeniedDocument<'a>>,
    unused: Vec<String>,
    /// Entries that were used, with the conditions of theirs that traffic does not tell, and that were taken to hold.
    assumed: BTreeMap<String, &'a BTreeSet<String>>,
}

#[derive(Debug, Serialize)]
struct DeniedDocument<'a> {
    peer: String,
    names: &'a [String],
    protocol: String,
    server_port: Option<u16>,
    /// Who opened it; null where the device sent nothing, so that the ports alone would tell.
    initiated: Option<&'static str>,
    direction: &'static str,
    /// Who was seen to send: `device`, `peer` or `both`.
    sent_by: &'static str,
    flows: u64,
    reason: String,
    nearest: Option<&'a str>,
}

/// The rule of findings about profiles, for SARIF.
pub(crate) fn sarif_rule() -> RuleEntry {
    let text = |text: String| Text { text };
    RuleEntry {
        id: RULE.id,
        short_description: text(RULE.title.to_owned()),
        full_description: text(format!("{} {}", RULE.checks, RULE.why)),
        help: text(sarif::help(
            (RULE.why, RULE.example, RULE.remediation),
            &[("For the operator", RULE.operator), ("Reference", REFERENCE)],
        )),
        help_uri: sarif::help_uri(REFERENCE),
    }
}

impl Verdict {
    /// The file of the profile.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The name of the file without its folders.
    fn file_name(&self) -> &str {
        let name = Path::new(&self.file).file_name().and_then(OsStr::to_str);
        name.unwrap_or(&self.file)
    }

    /// What was found.
    pub(crate) const fn report(&self) -> &CheckReport {
        &self.report
    }

    /// Entries that were never used, as `list/entry`.
    pub(crate) fn unused(&self) -> impl Iterator<Item = String> {
        self.report.unused().map(entry_name)
    }

    /// Entries that were used by taking conditions to hold which traffic does not tell.
    fn assumed(&self) -> impl Iterator<Item = &EntryUse> {
        self.report.entries.iter().filter(|used| used.flows > 0 && !used.assumed.is_empty())
    }

    /// A finding for each combination of peer, protocol, port and reason that is not allowed; the most frequent first.
    /// What the device never answered is a note, since it is not the device that does it.
    pub fn findings(&self) -> Vec<Finding> {
        let mut found: BTreeMap<(Severity, String), Finding> = BTreeMap::new();
        for (at, denied) in self.report.denied.iter().enumerate() {
            // Both halves of one contact are one finding, told by the first.
            let is_second = at.checked_sub(1).and_then(|at| self.report.denied.get(at));
            if is_second.is_some_and(|first| first.contact == denied.contact) {
                continue;
            }
            let finding = self.finding(denied);
            let key = (finding.severity, finding.seen.clone());
            match found.get_mut(&key) {
                Some(known) => {
                    known.flows += finding.flows;
                    if finding.example < known.example {
                        known.example = finding.example;
                    }
                }
                None => {
                    found.insert(key, finding);
                }
            }
        }
        let mut findings: Vec<Finding> = found.into_values().collect();
        findings.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.flows.cmp(&a.flows)));
        findings
    }

    /// The verdict as JSON has it.
    pub(crate) fn document(&self) -> VerdictDocument<'_> {
        VerdictDocument {
            file: &self.file,
            flows: self.report.flows,
            denied_flows: self.report.denied_flows,
            implied_flows: self.report.implied_flows,
            claimed_flows: self.report.claimed_flows,
            dropped_flows: self.report.dropped_flows,
            denied: self.report.denied.iter().map(DeniedDocument::of).collect(),
            unused: self.unused().collect(),
            assumed: self.assumed().map(|used| (entry_name(used), &used.assumed)).collect(),
        }
    }

    fn finding(&self, denied: &Denied) -> Finding {
        let is_sent = !is_silent(denied);
        Finding {
            rule: RULE.id,
            severity: if is_sent { Severity::Warning } else { Severity::Note },
            by: if is_sent { Sender::Device } else { Sender::Peer },
            flows: denied.flows,
            is_lower_bound: false,
            total: self.report.flows,
            seen: seen(denied),
            suite: None,
            expected: format!("what {} allows", self.file_name()),
            reference: REFERENCE.to_owned(),
            operator: RULE.operator,
            remediation: RULE.remediation,
            example: example(denied),
        }
    }
}

impl<'a> DeniedDocument<'a> {
    fn of(denied: &'a Denied) -> Self {
        let nearest = match &denied.reason {
            DenyReason::Refused { .. } => None,
            DenyReason::NoEntry { nearest, .. } => nearest.as_deref(),
        };
        let is_opener_known = !is_silent(denied) || denied.contact.initiated == Direction::ToDevice;
        Self {
            peer: denied.contact.peer.to_string(),
            names: &denied.names,
            protocol: protocol_name(denied.contact.protocol).into_owned(),
            server_port: denied.contact.server_port,
            initiated: is_opener_known.then(|| denied.contact.initiated.name()),
            direction: denied.direction.name(),
            sent_by: sent_by(denied),
            flows: denied.flows,
            reason: reason(denied),
            nearest,
        }
    }
}

/// What is not allowed, such as `tcp to a.example port 443: no entry for this peer`. Of what only the peer sent nobody
/// knows whether the device had asked for it, so that the peer is the one that is told of.
fn seen(denied: &Denied) -> String {
    let contact = &denied.contact;
    let protocol = protocol_name(contact.protocol);
    let peer = denied.names.first().cloned().unwrap_or_else(|| contact.peer.to_string());
    let port = contact.server_port.map(|port| format!(" port {port}")).unwrap_or_default();
    let whom = match contact.initiated {
        Direction::FromDevice if is_silent(denied) => format!("{protocol} from {peer}{port}"),
        Direction::FromDevice => format!("{protocol} to {peer}{port}"),
        Direction::ToDevice if port.is_empty() => format!("{protocol} from {peer}"),
        Direction::ToDevice => format!("{protocol} from {peer} to the device's{port}"),
    };
    let answer = match denied.tally.up_packets {
        0 if denied.tally.refused_flows > 0 => "; the device refused",
        0 => "; the device sent nothing",
        _ => "",
    };
    format!("{whom}{answer}: {}", reason(denied))
}

/// Why it is not allowed, and why the peer's name is in doubt.
fn reason(denied: &Denied) -> String {
    let reason = match &denied.reason {
        DenyReason::Refused { .. } => denied.reason.to_string(),
        DenyReason::NoEntry { miss, .. } => miss.to_string(),
    };
    match &denied.doubt {
        Some(doubt) => format!("{reason}; {doubt}"),
        None => reason,
    }
}

/// Whether the device sent nothing, or nothing but resets.
const fn is_silent(denied: &Denied) -> bool {
    denied.tally.up_packets == 0
}

const fn sent_by(denied: &Denied) -> &'static str {
    match (denied.tally.up_packets, denied.tally.down_packets) {
        (0, _) => "peer",
        (_, 0) => "device",
        _ => "both",
    }
}

/// The first flow; where only the peer sent, it is the client here, since the flow was not seen to be opened by the
/// device.
fn example(denied: &Denied) -> Example {
    let socket = |end: Endpoint| SocketAddr::new(end.addr, end.port);
    let (local, remote) = (socket(denied.tally.local), socket(denied.tally.remote));
    let (client, server) = match denied.contact.initiated {
        Direction::FromDevice if !is_silent(denied) => (local, remote),
        Direction::FromDevice | Direction::ToDevice => (remote, local),
    };
    Example { time: denied.tally.first, protocol: denied.contact.protocol, client, server, capture: None }
}

fn entry_name(entry: &EntryUse) -> String {
    format!("{}/{}", entry.list, entry.entry)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::net::IpAddr;

    use thingprint_flow::{Endpoint, Timestamp};
    use thingprint_profile::{
        Contact, ContactTally, Denied, DenyReason, Direction, Miss, NameDoubt, Place, PortSpan,
    };

    use super::{DeniedDocument, example, seen};

    const ROUTER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 1));
    const FRAME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 7));

    /// Datagrams of a router's port 1900 to a device that sent so many, and that the ports make the client.
    fn denied(up_packets: u64, refused_flows: u64) -> Denied {
        let contact = Contact {
            peer: ROUTER,
            place: Place::Local,
            protocol: 17,
            initiated: Direction::FromDevice,
            server_port: Some(1900),
            client_port: None,
            service: None,
            host: None,
        };
        let tally = ContactTally {
            flows: 1,
            up_packets,
            refused_flows,
            down_packets: 1,
            bytes: 300,
            first: Timestamp::from_seconds(0),
            local: Endpoint { addr: FRAME, port: 40_000 },
            remote: Endpoint { addr: ROUTER, port: 1900 },
            client_ports: PortSpan::one(40_000),
            port_flows: BTreeMap::from([(40_000, 1)]),
            spoken: BTreeSet::new(),
        };
        let reason = DenyReason::NoEntry { miss: Miss::Peer, nearest: None };
        let direction = Direction::ToDevice;
        Denied { contact, tally, flows: 1, names: Vec::new(), direction, reason, doubt: None }
    }

    #[test]
    fn what_only_the_peer_sent_is_told_of_the_peer() {
        let silent = denied(0, 0);
        let expected = "udp from 192.168.1.1 port 1900; the device sent nothing: no entry for this peer";
        assert_eq!(seen(&silent), expected);
        assert_eq!(example(&silent).client.to_string(), "192.168.1.1:1900");
        let document = DeniedDocument::of(&silent);
        assert_eq!((document.initiated, document.sent_by), (None, "peer"));
        assert!(seen(&denied(0, 1)).contains("port 1900; the device refused: "));
        let asked = denied(1, 0);
        assert_eq!(seen(&asked), "udp to 192.168.1.1 port 1900: no entry for this peer");
        assert_eq!(example(&asked).server.to_string(), "192.168.1.1:1900");
        let document = DeniedDocument::of(&asked);
        assert_eq!((document.initiated, document.sent_by), (Some(Direction::FromDevice.name()), "both"));
    }

    #[test]
    fn a_reason_says_that_a_name_may_be_missing() {
        let unnamed = Denied { doubt: Some(NameDoubt::NoAnswer), ..denied(1, 0) };
        let expected = "no entry for this peer; no DNS answer in these captures names it";
        assert_eq!(DeniedDocument::of(&unnamed).reason, expected);
    }
}
