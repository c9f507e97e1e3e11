//! The rules: one file each, and two lines here, one that names the file and one that puts the rule in its place.
mod certificate_issuer;
mod certificate_key;
mod certificate_lifetime;
mod certificate_name;
mod certificate_signature;
mod clear_service;
mod default_name;
mod dns_resolver;
mod http_authentication;
mod http_form;
mod http_version;
mod ntp_client_version;
mod ntp_modes;
mod ntp_server_version;
mod ntp_zero_origin;
mod relay_peers;
mod ssdp_man;
mod ssdp_nts;
mod ssdp_ttl;
mod tls_alpn;
mod tls_resumption;
mod tls_server_name;
mod tls_suite_chosen;
mod tls_suites_offered;
mod tls_version_chosen;
mod tls_version_offered;
mod upnp_port_mapping;
mod view;
mod wan_exposure;

use crate::Rule;

/// Every rule, in the order of their ids.
pub(crate) const RULES: &[Rule] = &[
    certificate_lifetime::RULE,
    certificate_issuer::RULE,
    certificate_name::RULE,
    certificate_signature::RULE,
    certificate_key::RULE,
    clear_service::RULE,
    dns_resolver::RULE,
    http_version::RULE,
    http_authentication::RULE,
    http_form::RULE,
    default_name::RULE,
    ntp_client_version::RULE,
    ntp_server_version::RULE,
    ntp_modes::RULE,
    ntp_zero_origin::RULE,
    relay_peers::RULE,
    ssdp_nts::RULE,
    ssdp_man::RULE,
    ssdp_ttl::RULE,
    tls_version_offered::RULE,
    tls_version_chosen::RULE,
    tls_suites_offered::RULE,
    tls_suite_chosen::RULE,
    tls_server_name::RULE,
    tls_alpn::RULE,
    tls_resumption::RULE,
    upnp_port_mapping::RULE,
    wan_exposure::RULE,
];

#[cfg(test)]
mod tests {
    use super::RULES;

    #[test]
    fn rules_stand_in_the_order_of_their_ids_and_say_all_there_is_to_say() {
        assert!(RULES.windows(2).all(|pair| pair[0].id < pair[1].id));
        for rule in RULES {
            for text in [rule.title, rule.checks, rule.why, rule.example, rule.remediation] {
                assert!(!text.is_empty(), "{}", rule.id);
            }
        }
    }
}
