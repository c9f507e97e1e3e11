use super::dnsmasq::write_sets;
use super::{Exported, Spec};
use crate::export::plan::ExportPlan;

pub(super) const SPEC: Spec = Spec { name: "dnsmasq-ipset", has_rules: false, write };

const ABOUT: [&str; 3] = [
    "Lines for dnsmasq.conf, written by thingprint: each answer for a name goes into the set that rules for iptables look",
    "at. Devices have to ask this dnsmasq: one that asks a public resolver or resolves names over HTTPS fills no set.",
    "Load the rules first: where there is no set, dnsmasq can only say so. Check: dnsmasq --test.",
];

fn write(plan: &ExportPlan) -> Exported {
    write_sets(plan, &ABOUT, |name, versions| {
        let sets: Vec<String> = versions.iter().map(|is_ipv6| plan.set_of(name, *is_ipv6)).collect();
        format!("ipset=/{name}/{}", sets.join(","))
    })
}
