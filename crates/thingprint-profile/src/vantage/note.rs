use serde_json::{Value, json};

use super::{PacketVantage, Vantage};

/// A share of packets or flows from which a note becomes severe, in percent.
const SEVERE_PERCENT: u64 = 10;

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VantageTopic {
    /// Whose packets are there, and in which directions.
    Directions,
    /// Packets to groups and to all.
    Groups,
    /// Packets that were not captured whole.
    SnapLength,
    /// Connections with one direction alone.
    Flows,
    /// Look-ups of names.
    NameResolution,
    /// Encrypted look-ups.
    EncryptedDns,
    /// Encrypted hellos.
    EncryptedHello,
}

/// What a capture shows of one topic, and what to do where it hides something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VantageNote {
    /// What it is about.
    pub topic: VantageTopic,
    /// Whether results lack much because of it.
    pub is_severe: bool,
    /// What the capture shows.
    pub text: String,
    /// What to do; `None` where nothing is hidden.
    pub advice: Option<&'static str>,
}

impl VantageTopic {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Directions => "directions",
            Self::Groups => "broadcasts",
            Self::SnapLength => "snap length",
            Self::Flows => "one-sided flows",
            Self::NameResolution => "name resolution",
            Self::EncryptedDns => "encrypted DNS",
            Self::EncryptedHello => "encrypted hello",
        }
    }
}

impl VantageNote {
    fn new(topic: VantageTopic, text: String) -> Self {
        Self { topic, is_severe: false, text, advice: None }
    }

    fn advise(self, is_severe: bool, advice: &'static str) -> Self {
        Self { is_severe, advice: Some(advice), ..self }
    }

    /// As JSON has it.
    pub fn json(&self) -> Value {
        json!({
            "topic": self.topic.as_str(),
            "severe": self.is_severe,
            "text": self.text,
            "advice": self.advice,
        })
    }
}

impl std::fmt::Display for VantageNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)?;
        self.advice.map_or(Ok(()), |advice| write!(f, ": {advice}"))
    }
}

impl Vantage {
    /// What the capture shows, topic by topic.
    pub fn notes(&self) -> Vec<VantageNote> {
        if self.packets.packets == 0 {
            return Vec::new();
        }
        let mut notes = vec![self.directions(), self.packets.groups()];
        notes.extend(self.packets.cut_packets());
        notes.extend(self.flows());
        notes.push(self.name_resolution());
        notes.extend(self.encrypted_dns());
        notes.extend(self.encrypted_hellos());
        notes
    }

    /// As JSON has it: the counts, and the notes.
    pub fn json(&self) -> Value {
        let (packets, sums) = (&self.packets, &self.sums);
        json!({
            "devices": self.devices,
            "both_ways": self.both_ways,
            "groups_only": self.groups_only,
            "sends_only": self.sends_only,
            "packets": packets.packets,
            "group_packets": packets.to_groups,
            "outbound_packets": packets.outbound,
            "inbound_packets": packets.inbound,
            "cut_packets": packets.cut,
            "snap_bytes": (packets.cut > 0).then_some(packets.snap_bytes),
            "tcp_flows": sums.tcp_flows,
            "one_sided_tcp_flows": sums.one_sided_flows,
            "unanswered_tcp_flows": sums.unanswered_flows,
            "lookups": sums.lookups,
            "dot_flows": sums.dot_flows,
            "doh_flows": sums.doh_flows,
            "hellos": sums.hellos,
            "ech_hellos": sums.ech_hellos,
            "server_names": sums.server_names,
            "unresolved_server_names": sums.unresolved_names,
            "addresses": sums.addresses,
            "unresolved_addresses": sums.unresolved_addresses,
            "notes": self.notes().iter().map(VantageNote::json).collect::<Vec<_>>(),
        })
    }

    fn directions(&self) -> VantageNote {
        let Self { devices, both_ways, groups_only, sends_only, .. } = *self;
        let new = |text| VantageNote::new(VantageTopic::Directions, text);
        if devices > 0 && self.is_switch_port() {
            let text =
                format!("{groups_only} of {devices} devices are seen by broadcasts and multicasts alone");
            new(text).advise(true, SWITCH_PORT)
        } else if self.is_one_sided() {
            new(format!("{sends_only} of {devices} devices are seen to send only"))
                .advise(true, "the capture lacks one direction; mirror both")
        } else {
            new(format!("{both_ways} of {devices} devices are seen in both directions"))
        }
    }

    /// A connection that nobody answered says nothing of the capture; one that goes on without answers does.
    fn flows(&self) -> Option<VantageNote> {
        let (one_sided, unanswered) = (self.sums.one_sided_flows, self.sums.unanswered_flows);
        let answered = self.sums.tcp_flows.saturating_sub(unanswered);
        let silent = match unanswered {
            0 => String::new(),
            1 => "; 1 further TCP flow was not answered".to_owned(),
            flows => format!("; {flows} further TCP flows were not answered"),
        };
        let text = format!(
            "{one_sided} of {} lack the answers that they acknowledge{silent}",
            counted(answered, "TCP flow with answers", "TCP flows with answers")
        );
        let note = VantageNote::new(VantageTopic::Flows, text);
        if one_sided == 0 {
            return (unanswered > 0).then_some(note);
        }
        let advice = "the capture lacks one direction of these; mirror both directions";
        Some(note.advise(is_share(one_sided, answered, 50), advice))
    }

    fn name_resolution(&self) -> VantageNote {
        let sums = &self.sums;
        let text = format!(
            "{} names looked up in the clear; {} of {} server names in TLS and QUIC, and {} of {} addresses outside, come in \
             no DNS message of the capture",
            sums.lookups, sums.unresolved_names, sums.server_names, sums.unresolved_addresses, sums.addresses
        );
        let note = VantageNote::new(VantageTopic::NameResolution, text);
        if sums.unresolved_names + sums.unresolved_addresses == 0 {
            return note;
        }
        let is_blind = sums.lookups == 0 && sums.addresses > 0;
        note.advise(
            is_blind,
            "they were looked up before the capture began, elsewhere, or encrypted, or are fixed in the device; capture \
             while devices start",
        )
    }

    fn encrypted_dns(&self) -> Option<VantageNote> {
        let (dot, doh, lookups) = (self.sums.dot_flows, self.sums.doh_flows, self.sums.lookups);
        let text = format!(
            "names are missing that devices look up by encrypted DNS: {} to port 853 (DoT, DoQ), {} over TLS or QUIC to \
             public resolvers (DoH, or their web pages), {} in the clear",
            counted(dot, "flow", "flows"),
            counted(doh, "flow", "flows"),
            counted(lookups, "lookup", "lookups")
        );
        (dot + doh > 0).then(|| {
            VantageNote::new(VantageTopic::EncryptedDns, text).advise(
                is_share(dot + doh, dot + doh + lookups, SEVERE_PERCENT),
                "block port 853 and these resolvers at the gateway, so that devices fall back to the DNS of the network",
            )
        })
    }

    fn encrypted_hellos(&self) -> Option<VantageNote> {
        let (ech, all) = (self.sums.ech_hellos, self.sums.hellos);
        let text = format!(
            "{ech} of {all} TLS and QUIC hellos have the extension of encrypted hellos (ECH): their server name is the \
             public one of the provider; or random bytes (GREASE, RFC 9849 §6.2), and the name is the true one. The two \
             look alike"
        );
        (ech > 0).then(|| {
            VantageNote::new(VantageTopic::EncryptedHello, text).advise(
                is_share(ech, all, 50),
                "answers to HTTPS queries with the parameter ech show which servers offer it; a resolver can leave it out",
            )
        })
    }
}

impl PacketVantage {
    /// What is severe of the packets alone, where devices are not looked at.
    pub fn severe_notes(&self) -> Vec<VantageNote> {
        let groups = Some(self.groups()).filter(|note| note.is_severe);
        let one_way = self.is_one_sided().then(|| {
            let (outbound, inbound) = (self.outbound, self.inbound);
            let text = format!("{outbound} packets go to the Internet, and {inbound} come from it");
            VantageNote::new(VantageTopic::Directions, text)
                .advise(true, "the capture lacks one direction; mirror both")
        });
        groups.into_iter().chain(one_way).collect()
    }

    fn groups(&self) -> VantageNote {
        let Self { packets, to_groups, .. } = *self;
        let percent = (to_groups * 100).checked_div(packets).unwrap_or(0);
        let text = format!("{to_groups} of {packets} IP packets ({percent}%) are broadcasts and multicasts");
        let note = VantageNote::new(VantageTopic::Groups, text);
        if self.is_switch_port() { note.advise(true, SWITCH_PORT) } else { note }
    }

    fn cut_packets(&self) -> Option<VantageNote> {
        let Self { packets, cut, snap_bytes, .. } = *self;
        let text = format!(
            "{cut} of {packets} IP packets were not captured whole; the longest of these frames has {snap_bytes} bytes"
        );
        (cut > 0).then(|| {
            VantageNote::new(VantageTopic::SnapLength, text).advise(
                is_share(cut, packets, SEVERE_PERCENT),
                "names, hellos and certificates may be missing; capture whole packets (tcpdump -s 0)",
            )
        })
    }
}

/// The commonest mistake of beginners.
const SWITCH_PORT: &str =
    "as at a switch port without mirroring; capture on the access point or at a mirror port";

const fn is_share(part: u64, whole: u64, percent: u64) -> bool {
    whole > 0 && part * 100 >= whole * percent
}

fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
