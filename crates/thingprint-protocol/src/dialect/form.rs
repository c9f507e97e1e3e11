//! The published form as it is written.
use serde::Deserialize;

use crate::schema::{EtherType, IpProtocol, TrafficMode};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ModelForm {
    pub(super) info: InfoForm,
    pub(super) metadata: MetadataForm,
    pub(super) contents: ContentsForm,
    pub(super) attributes: Vec<AttributeForm>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct InfoForm {
    pub(super) version: Option<u32>,
    pub(super) last_update: Option<String>,
    #[serde(rename = "namespace")]
    _namespace: Option<String>,
    pub(super) abbreviation: Option<String>,
    pub(super) standard_name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) protocol_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct MetadataForm {
    pub(super) ether_types: Vec<EtherType>,
    pub(super) ip_protocols: Vec<ProtocolNumber>,
    pub(super) server_port: Option<PortsForm>,
    pub(super) traffic_mode: Vec<ModeForm>,
    #[serde(rename = "network-scope")]
    _network_scope: Vec<String>,
    #[serde(rename = "content-class")]
    _content_class: Vec<String>,
    #[serde(rename = "relationship")]
    _relationship: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PortsForm {
    pub(super) port: Vec<u16>,
}

/// A transport protocol by its number.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u8")]
pub(super) struct ProtocolNumber(pub(super) IpProtocol);

impl TryFrom<u8> for ProtocolNumber {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        [IpProtocol::Tcp, IpProtocol::Udp]
            .into_iter()
            .find(|protocol| protocol.number() == number)
            .map(Self)
            .ok_or_else(|| format!("protocol {number} has no payloads that are looked at: expected 6 or 17"))
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum ModeForm {
    Unicast,
    Multicast,
    Broadcast,
}

impl ModeForm {
    pub(super) const fn plain(self) -> TrafficMode {
        match self {
            Self::Unicast => TrafficMode::Unicast,
            Self::Multicast => TrafficMode::Multicast,
            Self::Broadcast => TrafficMode::Broadcast,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ContentsForm {
    pub(super) request: Option<SectionForm>,
    pub(super) response: Option<SectionForm>,
    pub(super) combined: Option<SectionForm>,
    pub(super) protocol: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SectionForm {
    pub(super) matchers: Vec<MatcherForm>,
    pub(super) eval: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "matcher-type", deny_unknown_fields)]
pub(super) enum MatcherForm {
    #[serde(rename = "matcher:regex", rename_all = "kebab-case")]
    Regex { id: u32, matcher_pattern: PatternForm },
    #[serde(rename = "matcher:byteseek", rename_all = "kebab-case")]
    Byteseek { id: u32, matcher_pattern: PatternForm },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatternForm {
    pub(super) pattern: String,
    /// Where the pattern has to stand; anywhere without it.
    pub(super) index: Option<u16>,
}

impl MatcherForm {
    pub(super) const fn id(&self) -> u32 {
        match self {
            Self::Regex { id, .. } | Self::Byteseek { id, .. } => *id,
        }
    }

    pub(super) const fn pattern(&self) -> &PatternForm {
        match self {
            Self::Regex { matcher_pattern, .. } | Self::Byteseek { matcher_pattern, .. } => matcher_pattern,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AttributeForm {
    pub(super) name: String,
    pub(super) parser_type: ParserType,
    pub(super) parser_pattern: ParserForm,
    pub(super) data_type: DataType,
    pub(super) direction: DirectionForm,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum ParserType {
    #[serde(rename = "parser:regex")]
    Regex,
    #[serde(rename = "parser:byteseek:range")]
    Range,
    #[serde(rename = "parser:byteseek:tlv")]
    Tlv,
}

/// The fields of all parsers: each uses its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ParserForm {
    pub(super) pattern: Option<String>,
    pub(super) group: Option<u32>,
    pub(super) seek_pattern_from: Option<String>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) seek_pattern: Option<String>,
    pub(super) tag_pattern: Option<String>,
    pub(super) tag_bit_length: Option<u8>,
    pub(super) length_bit_length: Option<u8>,
    pub(super) find_all: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum DataType {
    #[serde(alias = "string")]
    String,
    #[serde(alias = "bytes")]
    Bytes,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum DirectionForm {
    Request,
    Response,
    Combined,
}
