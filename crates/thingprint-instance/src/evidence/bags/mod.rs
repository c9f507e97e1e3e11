//! The bags of words. A further one is a file here and a line in the list.

use super::bag::BagDefinition;
use super::registry::registry;

registry! {
    /// Name of a bag of words.
    BagName of BagDefinition as "bag" {
        PORTS = ports,
        DOMAINS = domains,
        CIPHER_SUITES = cipher_suites,
        SERVED_PORTS = served_ports,
        SIZES = sizes,
        DHCP = dhcp,
        DECLARED = declared,
        STACK = stack,
        NETWORK = network,
        ORGANISATIONS = organisations,
    }
}

impl BagName {
    /// What its words are, in the plural: `ports`, `cipher lists`.
    pub fn words(self) -> &'static str {
        self.definition().words
    }
}
