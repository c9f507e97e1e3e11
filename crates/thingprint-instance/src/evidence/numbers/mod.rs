//! The numbers. A further one is a file here and a line in the list.

use super::number::{NumberDefinition, Unit};
use super::registry::registry;

registry! {
    /// Name of a numeric attribute.
    Attribute of NumberDefinition as "attribute" {
        FLOW_VOLUME_BYTES = flow_volume_bytes,
        FLOW_DURATION_S = flow_duration_s,
        FLOW_RATE_BPS = flow_rate_bps,
        SLEEP_TIME_S = sleep_time_s,
        DNS_INTERVAL_S = dns_interval_s,
        NTP_INTERVAL_S = ntp_interval_s,
    }
}

impl Attribute {
    /// The unit.
    pub fn unit(self) -> Unit {
        self.definition().unit
    }

    /// What one of the values behind the number is, for the axis of a figure.
    pub fn value(self) -> &'static str {
        self.definition().value
    }
}
