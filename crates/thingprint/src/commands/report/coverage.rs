//! How much was seen and judged, and what is missing: what nobody could judge is not clean.

use std::collections::BTreeSet;

use thingprint_audit::Judgement;
use thingprint_figure::Page;
use thingprint_flow::{DeviceId, LossCounts, Timestamp};
use thingprint_table::{Cell, Column, Table, Tone, percent_decimals};

use super::told::Told;
use crate::identities::in_short;
use crate::messages::counted;

/// Devices that lost most and are named.
const MOST_LOSSES: usize = 50;

/// How much was seen and judged.
pub(super) fn coverage(page: &mut Page, told: &Told<'_>) {
    page.section("How much was seen");
    let hours: BTreeSet<Timestamp> = told.windows.iter().map(|row| row.instance.window_start).collect();
    let (mut seen, mut judged) = (0, 0);
    for coverage in told.report.audit.coverage().values() {
        seen += coverage.seen;
        judged += coverage.judged;
    }
    let share = if seen > 0 { judged as f64 / seen as f64 } else { 0.0 };
    let all = told.report.audit.judgement();
    let Judgement { unrecognised, without_rule, .. } = all;
    page.definitions([
        ("gateway", gateways(told)),
        ("windows with traffic", counted(hours.len() as u64, "window", "windows")),
        ("windows of devices", counted(told.windows.len() as u64, "window", "windows")),
        ("flows that a rule is about", format!("{seen}, of which {judged} ({}) could be judged", percent(share))),
        (
            "all flows",
            format!(
                "{}; of the sums of devices, {unrecognised} have no recognised protocol, and {without_rule} one that no rule is about",
                told.report.flows_in_words()
            ),
        ),
    ]);
    missing(page, told);
    for note in told.missing.notes() {
        page.note(Tone::Note, format!("{note}."));
    }
    let (vantage, unjudged) = (told.report.vantage_table(), told.report.unjudged_table());
    if vantage.rows() > 0 {
        page.table(&vantage, "What the place of the capture shows, and what to do where it hides something");
    }
    if unjudged.rows() > 0 {
        page.table(&unjudged, "Flows that no rule could judge: nothing is known of them");
    }
}

/// A share in percent: what is not nothing is not 0 %, and what is not all is not 100 %.
fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.01 {
        return "<1 %".to_owned();
    }
    format!("{:.*} %", percent_decimals(share, 0), 100.0 * share)
}

/// Who the gateways are and why: what they forward is not theirs, so a wrong one makes the whole page wrong.
fn gateways(told: &Told<'_>) -> String {
    let gateway = |(mac, reason): (&thingprint_flow::MacAddr, &thingprint_flow::GatewayReason)| {
        let says = told.known.identity(DeviceId::Mac(*mac)).and_then(in_short);
        let says = says.map_or_else(String::new, |says| format!(", {says} by what it says"));
        format!("{mac}{says} ({reason})")
    };
    let gateways: Vec<String> = told.report.header.gateways.0.iter().map(gateway).collect();
    if gateways.is_empty() {
        return "none was found: every address is taken for a device".to_owned();
    }
    format!("{}; what it forwards is that of the devices behind", gateways.join(", "))
}

/// What the page lacks.
fn missing(page: &mut Page, told: &Told<'_>) {
    let missing = told.missing;
    let causes = missing.causes();
    let messages = &told.report.header.messages_left_out;
    if causes.is_empty() && messages.is_empty() {
        let read = "Everything that was given was read, and nothing was left out because it was too much.";
        let cut = told.report.header.vantage.map_or(0, |vantage| vantage.packets.cut);
        if cut > 0 {
            let cut = counted(cut, "packet was", "packets were");
            page.note(
                Tone::Medium,
                format!("{read} But {cut} not captured whole: what they lack was not seen."),
            );
        } else {
            page.note(Tone::Good, read);
        }
        return;
    }
    for cause in causes {
        page.note(Tone::Medium, format!("{cause}."));
    }
    for messages in messages {
        page.note(Tone::Medium, format!("{messages}."));
    }
    let mut losses: Vec<(String, &LossCounts)> = missing
        .left_out
        .by_size()
        .into_iter()
        .map(|(device, counts)| {
            let name = told.known.called(device);
            (name.map_or_else(|| device.to_string(), |name| format!("{name} ({device})")), counts)
        })
        .collect();
    let more = losses.len().saturating_sub(MOST_LOSSES);
    losses.truncate(MOST_LOSSES);
    if more > 0 {
        page.paragraph(format!("{} lost less.", counted(more as u64, "further device", "further devices")));
    }
    let others = missing.left_out.others();
    losses.extend(
        (!others.is_empty()).then(|| ("addresses that nobody answered, and others".to_owned(), others)),
    );
    if losses.is_empty() {
        return;
    }
    let mut table = Table::new([Column::texts("device"), Column::texts("left out")]);
    for (name, counts) in losses {
        let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        table.add([Cell::from(name), Cell::from(counts.join(", "))]);
    }
    page.table(&table, "Left out because it was more than is kept of a device");
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn nearly_nothing_is_not_nothing_and_nearly_all_is_not_all() {
        for (share, text) in
            [(0.0, "0 %"), (0.0004, "<1 %"), (0.954, "95 %"), (0.999, "99.9 %"), (1.0, "100 %")]
        {
            assert_eq!(percent(share), text);
        }
    }
}
