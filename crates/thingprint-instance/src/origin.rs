use serde::{Deserialize, Serialize};
use thingprint_flow::named_options;

/// What instances are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Packets.
    #[default]
    Packets,
    /// Logs of Zeek, whose connections are not cut at the edges of windows.
    Zeek,
    /// EVE JSON of Suricata, likewise; sizes are those of frames.
    Eve,
}

named_options!(Origin, "an origin of instances: expected packets, zeek or eve",
    "packets" => Self::Packets, "zeek" => Self::Zeek, "eve" => Self::Eve);
