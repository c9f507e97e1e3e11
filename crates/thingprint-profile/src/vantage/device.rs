/// What a capture shows of one device: directions of its traffic, and how much of its name resolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceVantage {
    /// IP packets that it sent to single hosts.
    pub unicast_sent: u64,
    /// IP packets that it sent to groups and to all.
    pub group_sent: u64,
    /// Frames without an IP packet that it sent, such as ARP.
    pub other_sent: u64,
    /// IP packets that it received.
    pub received: u64,
    /// Flows over TCP.
    pub tcp_flows: u64,
    /// Those of them with packets of one direction alone which go on as if answers had come: they acknowledge what is not in the
    /// capture.
    pub one_sided_flows: u64,
    /// Other flows over TCP with packets of one direction alone: nobody answered, or little is left of a connection.
    pub unanswered_flows: u64,
    /// Names that it looked up in the clear.
    pub lookups: u64,
    /// Flows to port 853: DNS over TLS and over QUIC.
    pub dot_flows: u64,
    /// Flows over TLS and QUIC to public resolvers: DNS over HTTPS, or pages of their operators.
    pub doh_flows: u64,
    /// Hellos of TLS and QUIC that it sent.
    pub hellos: u64,
    /// Those of them with an encrypted hello inside (RFC 9849), or with random bytes in its place.
    pub ech_hellos: u64,
    /// Different names of servers in its hellos.
    pub server_names: u64,
    /// Those of them that it neither looked up nor got in an answer in the clear.
    pub unresolved_names: u64,
    /// Addresses outside that it opened flows to, those of resolvers left out.
    pub addresses: u64,
    /// Those of them that no DNS answer gave.
    pub unresolved_addresses: u64,
}

impl DeviceVantage {
    /// Whether it sent any frame.
    pub const fn is_there(self) -> bool {
        self.is_sender() || self.other_sent > 0
    }

    /// Whether it sent an IP packet.
    pub(super) const fn is_sender(self) -> bool {
        self.unicast_sent + self.group_sent > 0
    }

    /// With the counts of another device.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            unicast_sent: self.unicast_sent + other.unicast_sent,
            group_sent: self.group_sent + other.group_sent,
            other_sent: self.other_sent + other.other_sent,
            received: self.received + other.received,
            tcp_flows: self.tcp_flows + other.tcp_flows,
            one_sided_flows: self.one_sided_flows + other.one_sided_flows,
            unanswered_flows: self.unanswered_flows + other.unanswered_flows,
            lookups: self.lookups + other.lookups,
            dot_flows: self.dot_flows + other.dot_flows,
            doh_flows: self.doh_flows + other.doh_flows,
            hellos: self.hellos + other.hellos,
            ech_hellos: self.ech_hellos + other.ech_hellos,
            server_names: self.server_names + other.server_names,
            unresolved_names: self.unresolved_names + other.unresolved_names,
            addresses: self.addresses + other.addresses,
            unresolved_addresses: self.unresolved_addresses + other.unresolved_addresses,
        }
    }
}
