/// The pool of time servers that anybody may use.
const POOL: &str = "pool.ntp.org";
/// Parts of it that are continents.
const CONTINENTS: [&str; 6] = ["africa", "asia", "europe", "north-america", "oceania", "south-america"];
/// DHCP options of a list that says nothing of who wants them.
const MOST_COMMON_OPTIONS: usize = 3;

/// Something that the messages of a device show, and by which it may be known (protocol paper, §II).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// Cipher suites that it offers, in order: four hexadecimal digits each, joined by `-`.
    TlsCipherSuites,
    /// Types of the extensions of its `ClientHello`, in order: decimal, joined by `-`; empty where it has none.
    TlsExtensions,
    /// Groups that it supports, in order: four hexadecimal digits each, joined by `-`.
    TlsGroups,
    /// JA3 of its `ClientHello`.
    TlsJa3,
    /// JA4 of its `ClientHello`, over TCP or QUIC.
    TlsJa4,
    /// Host that it names in its `ClientHello`.
    TlsServerName,
    /// Cipher suite that a server chose for it: four hexadecimal digits.
    TlsChosenSuite,
    /// Method of its HTTP requests.
    HttpMethod,
    /// `Host` of its HTTP requests.
    HttpHost,
    /// `User-Agent` of its HTTP requests.
    HttpUserAgent,
    /// `Server` of the HTTP servers that answer it.
    HttpServer,
    /// `Server` that it calls itself when it answers over HTTP.
    HttpOwnServer,
    /// Name that it asks a name server for.
    DnsName,
    /// Options that it wants of a DHCP server, in order: decimal, joined by `-`.
    DhcpParameterList,
    /// Vendor class that it gives a DHCP server.
    DhcpVendorClass,
    /// Host name that it gives a DHCP server.
    DhcpHostName,
    /// MUD URL that it gives a DHCP server.
    DhcpMudUrl,
    /// Version of its NTP requests.
    NtpVersion,
    /// Address of a server that it asks for the time.
    NtpServer,
    /// `SERVER` that it calls itself over SSDP.
    SsdpServer,
    /// `USER-AGENT` that it calls itself over SSDP.
    SsdpUserAgent,
    /// What it searches for over SSDP.
    SsdpSearchTarget,
    /// Type of what it announces over SSDP: its USN without the unit's own part.
    SsdpType,
}

impl Attribute {
    /// Every attribute with its name in files, in order.
    pub const ALL: [(Self, &str); 23] = [
        (Self::TlsCipherSuites, "tls.cipher_suites"),
        (Self::TlsExtensions, "tls.extensions"),
        (Self::TlsGroups, "tls.groups"),
        (Self::TlsJa3, "tls.ja3"),
        (Self::TlsJa4, "tls.ja4"),
        (Self::TlsServerName, "tls.server_name"),
        (Self::TlsChosenSuite, "tls.chosen_suite"),
        (Self::HttpMethod, "http.method"),
        (Self::HttpHost, "http.host"),
        (Self::HttpUserAgent, "http.user_agent"),
        (Self::HttpServer, "http.server"),
        (Self::HttpOwnServer, "http.own_server"),
        (Self::DnsName, "dns.name"),
        (Self::DhcpParameterList, "dhcp.parameter_list"),
        (Self::DhcpVendorClass, "dhcp.vendor_class"),
        (Self::DhcpHostName, "dhcp.host_name"),
        (Self::DhcpMudUrl, "dhcp.mud_url"),
        (Self::NtpVersion, "ntp.version"),
        (Self::NtpServer, "ntp.server"),
        (Self::SsdpServer, "ssdp.server"),
        (Self::SsdpUserAgent, "ssdp.user_agent"),
        (Self::SsdpSearchTarget, "ssdp.search_target"),
        (Self::SsdpType, "ssdp.type"),
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(attribute, _)| *attribute == self).map_or("", |(_, name)| name)
    }

    /// Whether its few values are common to many kinds of devices, so that one of them names nobody, even where a
    /// single known device shows it.
    pub const fn is_generic(self) -> bool {
        matches!(self, Self::HttpMethod | Self::NtpVersion | Self::TlsChosenSuite)
    }

    /// Whether a value is common to many kinds of devices: any of a generic attribute, the name of a public pool of time
    /// servers, and a list of three DHCP options at most, which wants no more than every host does, such as subnet mask,
    /// router and name servers.
    pub fn is_generic_value(self, value: &str) -> bool {
        match self {
            Self::DnsName => is_public_pool(value),
            Self::DhcpParameterList => value.split('-').count() <= MOST_COMMON_OPTIONS,
            _ => self.is_generic(),
        }
    }

    /// The attribute of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(attribute, _)| *attribute)
    }
}

/// Whether a name is that of the pool, or of one of its parts for everybody: by number, country or continent. The pool
/// gives makers names of their own, which tell.
fn is_public_pool(name: &str) -> bool {
    let Some(part) = name.strip_suffix(POOL) else { return false };
    let is_for_all = |label: &str| label.len() <= 2 || CONTINENTS.contains(&label);
    part.is_empty() || part.strip_suffix('.').is_some_and(|labels| labels.split('.').all(is_for_all))
}
