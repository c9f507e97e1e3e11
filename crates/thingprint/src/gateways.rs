//! Which gateways the user names.

use std::collections::BTreeSet;

use thingprint_flow::{DeviceId, GatewayPolicy, MacAddr};
use thingprint_report::Labels;

/// The class of gateways in label files.
const GATEWAY_CLASS: &str = "gateway";

/// What the command line says of gateways.
#[derive(Clone, Debug, Default)]
pub(crate) struct GatewayChoice {
    /// Their addresses, if they are known.
    pub(crate) given: BTreeSet<MacAddr>,
    /// Whether there is none.
    pub(crate) is_none: bool,
}

/// Whether a device is labelled as a gateway.
pub(crate) fn is_gateway(labels: &Labels, device: DeviceId) -> bool {
    let label = labels.label_of(device, None);
    label.is_some_and(|label| label.class.eq_ignore_ascii_case(GATEWAY_CLASS))
}

impl GatewayChoice {
    /// Who the gateways are, or how they are found; what has a label is never found to be one, and what is labelled
    /// `gateway` is one.
    pub(crate) fn policy(&self, labels: &Labels) -> GatewayPolicy {
        let macs = labels.devices().filter_map(|device| match device {
            DeviceId::Mac(mac) => Some(mac),
            DeviceId::Ip(_) => None,
        });
        let (labelled_gateways, labelled): (BTreeSet<MacAddr>, BTreeSet<MacAddr>) =
            macs.partition(|mac| is_gateway(labels, DeviceId::Mac(*mac)));
        let given = if self.given.is_empty() { labelled_gateways } else { self.given.clone() };
        GatewayPolicy { given, is_none: self.is_none, labelled }
    }
}
