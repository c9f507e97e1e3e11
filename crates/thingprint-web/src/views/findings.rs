//! What the audit found.

use std::collections::BTreeMap;

use serde::Deserialize;
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_watch::{DeviceRecord, Event, EventKind, FindingRecord, Health, Severity};

use super::event_table::{Names, acknowledge};
use super::field;
use super::words::{self, count, counted};
use crate::address;
use crate::html::Html;
use crate::problem::Problem;
use crate::views::shell::{Follows, View};

/// Rows on a page.
const PAGE_ROWS: usize = 200;

/// Which findings are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct FindingQuery {
    /// A severity, or all of them.
    #[serde(default)]
    pub(crate) severity: String,
    /// `all` shows those that were acknowledged as well.
    #[serde(default)]
    pub(crate) state: String,
    /// Text that a finding has somewhere.
    #[serde(default)]
    pub(crate) q: String,
    /// From 1.
    pub(crate) page: Option<usize>,
}

impl FindingQuery {
    /// Fails for a severity or state that there is not.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let severities = Severity::ALL.map(Severity::as_str);
        if !self.severity.is_empty() && !severities.contains(&self.severity.as_str()) {
            let text = format!("'{}' is no severity: take error, warning or note.", self.severity);
            return Err(Problem::bad(text));
        }
        match self.state.as_str() {
            "" | "open" | "all" => Ok(()),
            state => Err(Problem::bad(format!("'{state}' is no state: take open or all."))),
        }
    }

    fn has(&self, finding: &FindingRecord) -> bool {
        let search = self.q.trim().to_lowercase();
        let texts = [&finding.rule, &finding.seen, &finding.expected, &finding.reference];
        (self.severity.is_empty() || finding.severity.as_str() == self.severity)
            && (self.state == "all" || finding.acknowledged_at.is_none())
            && (texts.iter().any(|text| text.to_lowercase().contains(&search))
                || finding.device.to_string().contains(&search))
    }

    fn address(&self, page: usize) -> String {
        let page = if page > 1 { page.to_string() } else { String::new() };
        let state = if self.state == "all" { "all" } else { "" };
        let query = [("severity", self.severity.as_str()), ("state", state), ("q", &self.q), ("page", &page)];
        address::with_query("/findings", &query)
    }
}

/// The view. Events are those of findings, which is what is acknowledged.
pub(crate) fn document(
    (findings, events): (&[FindingRecord], &[Event]),
    devices: &[DeviceRecord],
    query: &FindingQuery,
    health: &Health,
) -> String {
    let names = Names::of(devices);
    let matching: Vec<&FindingRecord> = findings.iter().filter(|finding| query.has(finding)).collect();
    let groups = grouped(&matching);
    let pages = groups.len().div_ceil(PAGE_ROWS).max(1);
    let page = query.page.unwrap_or(1).clamp(1, pages);
    let rows: Vec<&Group<'_>> = groups.iter().skip((page - 1) * PAGE_ROWS).take(PAGE_ROWS).collect();
    let mut body = Html::new();
    body.raw("<h1>Findings</h1>\n<p class=\"lead\">What devices and their peers were seen to say that the policy of the ");
    body.raw("audit does not accept.</p>\n")
        .with(|body| counts(body, findings))
        .with(|body| filter(body, query));
    body.raw("<div id=\"findings\" data-live>\n");
    if rows.is_empty() {
        body.raw("<p class=\"empty\">").raw(if findings.is_empty() {
            "No finding yet. One appears here minutes after a device says something that the policy does not accept."
        } else {
            "No finding is like that."
        });
        body.raw("</p>\n");
    } else {
        let table = Table { names: Some(&names), events, back: &query.address(page) };
        table.write(&mut body, &rows);
        pager(&mut body, query, (page, pages));
    }
    body.raw("</div>\n");
    View {
        title: "Findings",
        place: "/findings",
        follows: Follows::Kinds("event finding"),
        health,
        body: &body,
    }
    .document()
}

fn counts(html: &mut Html, findings: &[FindingRecord]) {
    html.raw("<ul id=\"counts\" class=\"counts\" data-live aria-label=\"Numbers of open findings\">\n");
    for severity in Severity::ALL.into_iter().rev() {
        let is = |finding: &&FindingRecord| finding.severity == severity && finding.acknowledged_at.is_none();
        let number = findings.iter().filter(is).count() as u64;
        html.raw("<li><a").attr("href", address::with_query("/findings", &[("severity", severity.as_str())]));
        html.raw("><strong>").text(count(number)).raw("</strong> open ").text(severity.as_str());
        html.raw(if number == 1 { "" } else { "s" }).raw("</a></li>\n");
    }
    html.raw("</ul>\n");
}

fn filter(html: &mut Html, query: &FindingQuery) {
    html.raw("<form id=\"filter\" class=\"filter\" method=\"get\" action=\"/findings\" role=\"search\">\n");
    field::search(html, "rule, value, standard", &query.q);
    let severities = [("", "all"), ("error", "errors"), ("warning", "warnings"), ("note", "notes")];
    let severities = severities.map(|(value, words)| (value, words, query.severity == value));
    field::choice(html, ("severity", "Severity"), severities);
    let states = [("open", "open"), ("all", "open and acknowledged")];
    field::choice(
        html,
        ("state", "State"),
        states.map(|(value, words)| (value, words, query.state == value)),
    );
    html.raw("<button>Apply</button></form>\n");
}

fn pager(html: &mut Html, query: &FindingQuery, (page, pages): (usize, usize)) {
    if pages < 2 {
        return;
    }
    html.raw("<nav class=\"pager\" aria-label=\"Pages of findings\">");
    if page > 1 {
        html.raw("<a rel=\"prev\"").attr("href", query.address(page - 1)).raw(">← Previous</a> ");
    }
    html.raw("<span>Page ").value(page).raw(" of ").value(pages).raw("</span>");
    if page < pages {
        html.raw(" <a rel=\"next\"").attr("href", query.address(page + 1)).raw(">Next →</a>");
    }
    html.raw("</nav>\n");
}

/// What was found of a rule and a device: the most severe value first. It is acknowledged as a whole.
pub(super) struct Group<'a>(Vec<&'a FindingRecord>);

/// Findings by rule and device, in the order of the first of each.
pub(super) fn grouped<'a>(findings: &[&'a FindingRecord]) -> Vec<Group<'a>> {
    let mut places: BTreeMap<(DeviceId, &str), usize> = BTreeMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for finding in findings {
        let place = *places.entry((finding.device, finding.rule.as_str())).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.0.push(finding),
            None => groups.push(Group(vec![finding])),
        }
    }
    groups
}

impl<'a> Group<'a> {
    /// Flows with the value that most of them have: one flow can have several values, as an offer of cipher suites does.
    fn flows(&self) -> u64 {
        self.0.iter().map(|finding| finding.flows).max().unwrap_or(0)
    }

    fn last_seen(&self) -> Option<Timestamp> {
        self.0.iter().map(|finding| finding.last_seen).max()
    }

    /// A finding that nobody acknowledged.
    fn open(&self) -> Option<&'a FindingRecord> {
        self.0.iter().copied().find(|finding| finding.acknowledged_at.is_none())
    }
}

/// Findings in a table.
pub(super) struct Table<'a> {
    /// `None` on the page of a device.
    pub(super) names: Option<&'a Names>,
    /// Events, among them those of the findings.
    pub(super) events: &'a [Event],
    /// Where its forms lead back to.
    pub(super) back: &'a str,
}

impl Table<'_> {
    pub(super) fn write(&self, html: &mut Html, groups: &[&Group<'_>]) {
        let findings: usize = groups.iter().map(|group| group.0.len()).sum();
        html.raw("<div class=\"table\" role=\"region\" aria-label=\"Findings\" tabindex=\"0\"><table class=\"cards\">");
        html.raw("<caption>")
            .text(counted(findings as u64, "finding"))
            .raw(" by rule and device, the most severe first</caption>\n");
        html.raw("<thead><tr><th scope=\"col\">Rule</th>");
        if self.names.is_some() {
            html.raw("<th scope=\"col\">Device</th>");
        }
        html.raw("<th scope=\"col\">Seen</th><th scope=\"col\">Accepted</th><th scope=\"col\" class=\"n\">Flows</th>");
        html.raw("<th scope=\"col\">Last</th><th scope=\"col\">State</th></tr></thead>\n<tbody>\n");
        for group in groups {
            self.row(html, group);
        }
        html.raw("</tbody></table></div>\n");
    }

    /// The open event of a finding: one stands for all values that were found of a rule and a device.
    fn event_of(&self, finding: &FindingRecord) -> Option<&Event> {
        self.events.iter().find(|event| {
            event.kind == EventKind::Finding
                && event.device == Some(finding.device)
                && event.subject == finding.rule
                && event.acknowledged_at.is_none()
        })
    }

    fn row(&self, html: &mut Html, group: &Group<'_>) {
        let Some((finding, others)) = group.0.split_first() else { return };
        let key = format!("{}-{}", finding.device, finding.rule);
        html.raw("<tr").attr("data-key", &key).raw("><th scope=\"row\" class=\"rule\" data-label=\"Rule\">");
        html.with(|html| words::severity(html, finding.severity))
            .raw(" <code>")
            .text(&finding.rule)
            .raw("</code></th>");
        if let Some(names) = self.names {
            html.raw("<td data-label=\"Device\">").with(|html| names.link(html, finding.device)).raw("</td>");
        }
        html.raw("<td data-label=\"Seen\" class=\"wide\"><span class=\"wrap\">").text(&finding.seen);
        html.raw("</span><span class=\"sub\">said by the ").text(&finding.by).raw("</span>");
        html.with(|html| more(html, others, &key)).raw("</td>");
        html.raw("<td data-label=\"Accepted\" class=\"wide\"><span class=\"wrap\">").text(&finding.expected);
        html.raw("</span><span class=\"sub\">").text(&finding.reference).raw("</span>");
        html.with(|html| details(html, finding, &key)).raw("</td><td data-label=\"Flows\" class=\"n\">");
        html.text(count(group.flows())).raw("</td><td data-label=\"Last\">");
        html.time(group.last_seen().unwrap_or(finding.last_seen));
        html.raw("</td><td data-label=\"State\">").with(|html| self.state(html, group)).raw("</td></tr>\n");
    }

    fn state(&self, html: &mut Html, group: &Group<'_>) {
        let Some(open) = group.open() else {
            html.raw("<span class=\"absent\">acknowledged</span>");
            return;
        };
        match self.event_of(open) {
            Some(event) => {
                let name = format!("Acknowledge {} of {}", open.rule, open.device);
                acknowledge(html, &event.id.to_string(), self.back, ("Acknowledge", &name));
            }
            // Its rule had been acknowledged before this value came, or nobody is told of it.
            None => self.acknowledge_rule(html, open),
        }
    }
}

/// The other values that were found of a rule and a device.
fn more(html: &mut Html, others: &[&FindingRecord], key: &str) {
    if others.is_empty() {
        return;
    }
    html.raw("<details").attr("data-key", format!("more-{key}")).raw("><summary>");
    html.text(format!("and {} more", others.len())).raw("</summary><ul class=\"plain\">");
    for finding in others {
        html.raw("<li>").with(|html| words::severity(html, finding.severity)).raw(" <span class=\"wrap\">");
        html.text(&finding.seen).raw("</span> <span class=\"sub\">").text(counted(finding.flows, "flow"));
        html.raw(", said by the ").text(&finding.by).raw("</span></li>");
    }
    html.raw("</ul></details>");
}

impl Table<'_> {
    /// Adds a button that acknowledges what a device has of a rule.
    fn acknowledge_rule(&self, html: &mut Html, finding: &FindingRecord) {
        let device = finding.device.to_string();
        let name = format!("Acknowledge {} of {device}", finding.rule);
        html.raw("<form method=\"post\" action=\"/requests\">");
        html.raw("<input type=\"hidden\" name=\"request\" value=\"acknowledge-finding\">");
        html.raw("<input type=\"hidden\" name=\"device\"").attr("value", &device).raw(">");
        html.raw("<input type=\"hidden\" name=\"rule\"").attr("value", &finding.rule).raw(">");
        html.raw("<input type=\"hidden\" name=\"back\"")
            .attr("value", self.back)
            .raw("><button class=\"small\"");
        html.attr("aria-label", &name).attr("data-key", format!("acknowledge-{device}-{}", finding.rule));
        html.raw(">Acknowledge</button></form>");
    }
}

fn details(html: &mut Html, finding: &FindingRecord, key: &str) {
    html.raw("<details class=\"evidence\"")
        .attr("data-key", format!("details-{key}"))
        .raw("><summary>what to do</summary><p>");
    html.text(&finding.remediation)
        .raw("</p><p class=\"sub\">First: ")
        .time(finding.first_seen)
        .raw(" <code>");
    html.text(&finding.example).raw("</code></p></details>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_finds_of_a_device_is_one_row() {
        let found = |device: &str, rule: &str, seen: &str, flows| FindingRecord {
            device: device.parse().unwrap(),
            rule: rule.to_owned(),
            severity: Severity::Error,
            by: "device".to_owned(),
            flows,
            seen: seen.to_owned(),
            expected: String::new(),
            reference: String::new(),
            remediation: String::new(),
            example: String::new(),
            first_seen: Timestamp::from_seconds(1),
            last_seen: Timestamp::from_seconds(i64::try_from(flows).unwrap()),
            acknowledged_at: (seen == "0x0004").then_some(Timestamp::from_seconds(9)),
        };
        let (one, other) = ("02:00:00:00:00:01", "02:00:00:00:00:02");
        let findings = [
            found(one, "TLS-003", "0x0004", 2),
            found(other, "TLS-003", "0x0005", 3),
            found(one, "TLS-003", "0x000a", 4),
            found(one, "NTP-001", "version 3", 5),
        ];
        let groups = grouped(&findings.iter().collect::<Vec<_>>());
        let rows: Vec<(usize, u64)> = groups.iter().map(|group| (group.0.len(), group.flows())).collect();
        assert_eq!(rows, [(2, 4), (1, 3), (1, 5)]);
        let open = groups[0].open().map(|finding| finding.seen.as_str());
        assert_eq!((open, groups[0].last_seen()), (Some("0x000a"), Some(Timestamp::from_seconds(4))));
        let mut html = Html::new();
        let all: Vec<&Group<'_>> = groups.iter().collect();
        Table { names: None, events: &[], back: "/findings" }.write(&mut html, &all);
        let text = html.into_string();
        assert_eq!(text.matches("<tr data-key").count(), 3, "{text}");
        assert!(text.contains("and 1 more") && text.contains("0x000a"), "{text}");
    }
}
