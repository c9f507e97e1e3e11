use serde::Serialize;

use crate::{HttpVersion, Uri};

/// An SSDP message (`UPnP` Device Architecture 2.0 §1): a search, a notification, or the answer to a search. Texts are as
/// sent, quotation marks included, bytes outside printable ASCII as `\xNN`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SsdpMessage {
    /// `M-SEARCH` or `NOTIFY`; absent in an answer.
    pub method: Option<String>,
    /// The request target, `*` as a rule; absent in an answer.
    pub uri: Option<Uri>,
    /// The version of HTTP that the first line names.
    pub version: Option<HttpVersion>,
    /// The status code of an answer.
    pub status: Option<u16>,
    /// The reason phrase of an answer.
    pub phrase: Option<String>,
    /// `HOST`.
    pub host: Option<Uri>,
    /// `MAN`, which should be `"ssdp:discover"`.
    pub search_type: Option<String>,
    /// `ST`.
    pub search_target: Option<String>,
    /// `MX`: seconds within which an answer is wanted.
    pub most_wait_s: Option<u32>,
    /// `NT`.
    pub notification_type: Option<String>,
    /// `NTS`.
    pub notification_sub_type: Option<String>,
    /// `USN`.
    pub unique_service_name: Option<String>,
    /// `SERVER`.
    pub server: Option<String>,
    /// `USER-AGENT`.
    pub user_agent: Option<String>,
    /// `CACHE-CONTROL`.
    pub cache_control: Option<String>,
    /// `LOCATION`, else `AL`.
    pub location: Option<Uri>,
    /// Time to live, or hop limit, of the IP packet.
    pub ip_ttl: u8,
}
