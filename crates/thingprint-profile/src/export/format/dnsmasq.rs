use super::nftables::TABLE;
use super::{Exported, Lines, Spec};
use crate::export::note::{ExportNote, NoteKind};
use crate::export::plan::{ExportPlan, version};

pub(super) const SPEC: Spec = Spec { name: "dnsmasq", has_rules: false, write };

const ABOUT: [&str; 4] = [
    "Lines for dnsmasq.conf, written by thingprint: each answer for a name goes into the set that rules for nftables look",
    "at. Needs dnsmasq 2.87 or later with nftset, and devices that ask this dnsmasq: a device that asks a public resolver",
    "or resolves names over HTTPS fills no set. Load the rules first: where there is no set, dnsmasq can only say so.",
    "Check: dnsmasq --test.",
];

fn write(plan: &ExportPlan) -> Exported {
    let family = plan.family;
    write_sets(plan, &ABOUT, |name, versions| {
        let sets: Vec<String> = versions
            .iter()
            .map(|is_ipv6| {
                let set = plan.set_of(name, *is_ipv6);
                format!("{}#{family}#{TABLE}#{set}", version(*is_ipv6))
            })
            .collect();
        format!("nftset=/{name}/{}", sets.join(","))
    })
}

/// Writes a line for each name, by the versions of IP by which it is talked to.
pub(super) fn write_sets(
    plan: &ExportPlan,
    about: &[&str],
    line: impl Fn(&str, &[bool]) -> String,
) -> Exported {
    let names = plan.peer_names();
    let reason = "dnsmasq takes answers for all names below a name as answers for it";
    let below = ExportNote { device: None, kind: NoteKind::Widened, reason: reason.to_owned(), entry: None };
    let notes: Vec<ExportNote> = if names.is_empty() { Vec::new() } else { vec![below] };
    let mut lines = Lines::new("#", about, &notes);
    lines.blank();
    let mut names = names.into_iter().peekable();
    while let Some((name, is_ipv6)) = names.next() {
        let mut versions = vec![is_ipv6];
        versions.extend(names.next_if(|(next, _)| *next == name).map(|(_, is_ipv6)| is_ipv6));
        lines.line(line(name, &versions));
    }
    Exported { text: lines.text, notes }
}
