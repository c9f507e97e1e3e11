use thingprint_flow::DeviceId;

use super::{Claims, Reads, Source};
use crate::knowledge::OuiVendor;
use crate::oui::organisation;
use crate::{Certainty, Field, Said, Statement};

/// Who registered the block of the device's address with the IEEE. Who makes the radio, or the whole device for somebody else,
/// is not whose device it is.
pub(super) const SOURCE: Source = Source {
    name: NAME,
    title: "the block of the address, in the registry of the IEEE",
    reads: Reads::Address,
    claims,
};

const NAME: &str = "oui";

/// What a device's address says, by the registry that is compiled in or another one; `None` for an address that the device made
/// up, and without a link address.
pub(crate) fn statement(device: DeviceId, imported: Option<&str>) -> Option<Statement> {
    let DeviceId::Mac(mac) = device else { return None };
    Statement::new(NAME, "organisation", imported.or_else(|| organisation(mac))?)
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        match claims.knowledge().oui_vendor(&statement.value) {
            OuiVendor::Brand(row) => {
                let import = row.import.as_deref();
                claims.add((Field::Vendor, &row.vendor), Certainty::VendorOnly, statement, import);
            }
            OuiVendor::Known(vendor) => {
                claims.add((Field::Vendor, vendor), Certainty::VendorOnly, statement, None);
            }
            // Most organisations that nobody knows make radios for others.
            OuiVendor::Maker | OuiVendor::Unlisted => {}
        }
    }
}
