use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thingprint_flow::{FlowOptions, named_options, protocol_name};

use crate::{EvidenceSet, ModelsId, Origin};

const SECOND_NS: u64 = 1_000_000_000;

/// How flows and messages become instances. Every choice that the papers leave open is a field here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceOptions {
    /// What instances are made of.
    pub origin: Origin,
    /// Devices, flows and windows.
    pub flow: FlowOptions,
    /// What is extracted.
    pub evidence: EvidenceSet,
    /// How the rates of flows become one.
    pub rate: RateMean,
    /// What a word of the bag of ports is.
    pub port_word: PortWord,
    /// Which flows give a word to the bag of ports.
    pub port_scope: PortScope,
    /// Where the bag of domains takes names from.
    pub names: BTreeSet<NameSource>,
    /// Fingerprint of the protocol models that find the messages; `None` where they are the built-in ones.
    pub models: Option<ModelsId>,
    /// Fewest IP packets that a device sends in a window that gives an instance.
    pub min_packets: u64,
    /// Shortest gap that counts as sleep, in nanoseconds.
    pub min_gap_ns: u64,
    /// Longest gap or interval that counts, in nanoseconds.
    pub max_gap_ns: u64,
    /// Silence that ends a burst of queries, in nanoseconds.
    pub burst_gap_ns: u64,
    /// Most distinct words of one bag of one instance; further ones are dropped and counted.
    pub max_words: usize,
    /// Most bytes that the words of one device take while its windows are open, and those of each window in a part;
    /// further ones are dropped and counted.
    pub max_device_bytes: usize,
    /// Most bytes that the words of all devices take, and in a part, which keeps all windows, 32 times as many; beyond it
    /// the device with the most gives up half of its largest bag. A pipeline gives each of its shards an equal part.
    pub max_bytes: usize,
}

impl Default for InstanceOptions {
    fn default() -> Self {
        Self {
            origin: Origin::default(),
            flow: FlowOptions::default(),
            evidence: EvidenceSet::paper(),
            rate: RateMean::default(),
            port_word: PortWord::default(),
            port_scope: PortScope::default(),
            names: BTreeSet::from([NameSource::Dns]),
            models: None,
            min_packets: 1,
            min_gap_ns: SECOND_NS,
            max_gap_ns: 24 * 3600 * SECOND_NS,
            burst_gap_ns: SECOND_NS,
            max_words: 1 << 14,
            max_device_bytes: 2 << 20,
            max_bytes: 128 << 20,
        }
    }
}

impl InstanceOptions {
    /// What the tool behind the classification paper measured: see [`FlowOptions::joy`].
    pub fn joy() -> Self {
        Self { flow: FlowOptions::joy(), ..Self::default() }
    }
}

/// How the rates of a window's flows become one attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateMean {
    /// The mean of 8 × volume / duration over the flows that have a duration.
    #[default]
    Flows,
    /// 8 × the sum of their volumes / the sum of their durations.
    Sum,
}

/// What a word of the bag of ports is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortWord {
    /// The server's port number: `443`.
    #[default]
    Port,
    /// Transport and port number: `tcp/443`.
    ProtoPort,
}

impl PortWord {
    /// The word for a server port of an IP protocol.
    pub fn word(self, protocol: u8, port: u16) -> String {
        match self {
            Self::Port => port.to_string(),
            Self::ProtoPort => format!("{}/{port}", protocol_name(protocol)),
        }
    }
}

/// Which of a device's flows give a word to the bag of ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortScope {
    /// All that the device initiated.
    #[default]
    All,
    /// Of these, the ones whose peer is neither private nor multicast.
    Internet,
}

/// A place where names are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameSource {
    /// DNS queries.
    Dns,
    /// The `server_name` extension of TLS `ClientHello`s.
    Sni,
}

named_options!(RateMean, "a mean of rates: expected flows or sum", "flows" => Self::Flows, "sum" => Self::Sum);
named_options!(PortWord, "a form of port words: expected port or proto/port",
    "port" => Self::Port, "proto/port" => Self::ProtoPort);
named_options!(PortScope, "a scope of ports: expected all or internet",
    "all" => Self::All, "internet" => Self::Internet);
named_options!(NameSource, "a source of names: expected dns or sni", "dns" => Self::Dns, "sni" => Self::Sni);
