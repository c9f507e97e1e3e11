use super::{Lint, error, warning};
use crate::parser::ParserId;
use crate::schema::{Model, Reading};

/// Looks over what a model says beside its contents.
pub(super) fn check(model: &Model, lints: &mut Vec<Lint>) {
    if model.info.abbreviation.as_deref().is_none_or(str::is_empty) {
        lints.push(warning(
            "info.abbreviation",
            "a model without a name cannot be distinguished from others in outputs",
        ));
    }
    check_ports(model, lints);
    check_attributes(model, lints);
}

fn check_ports(model: &Model, lints: &mut Vec<Lint>) {
    let metadata = &model.metadata;
    let transports = metadata.transports();
    for (index, port) in metadata.server_ports.iter().enumerate() {
        let path = format!("metadata.server-ports[{index}]");
        if !transports.contains(&port.ip_protocol) {
            lints.push(warning(&path, "`ip-protocols` leaves this transport out"));
        }
        if metadata.server_ports.iter().take(index).any(|other| other == port) {
            lints.push(warning(&path, "stands here twice"));
        }
    }
}

fn check_attributes(model: &Model, lints: &mut Vec<Lint>) {
    let transports = model.metadata.transports();
    for (index, attribute) in model.attributes.iter().enumerate() {
        let path = format!("attributes[{index}]");
        if model.attributes.iter().take(index).any(|other| other == attribute) {
            lints.push(warning(&path, "stands here twice"));
        }
        let Reading::Builtin(name) = &attribute.read else { continue };
        let path = format!("{path}.read.builtin");
        match ParserId::named(name) {
            None => lints.push(error(path, format!("unknown parser {name:?}"))),
            Some(parser) if !transports.iter().any(|&transport| parser.is_over(transport)) => {
                lints.push(warning(path, "the parser reads nothing of the model's transports"));
            }
            Some(_) => {}
        }
    }
}
