//! What changed since a time.

use serde::Deserialize;
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_table::rfc3339;
use thingprint_watch::{DeviceRecord, Event, EventFilter, EventTopic, Health};

use super::event_table::{EventTable, Names};
use super::field;
use super::words::counted;
use crate::address;
use crate::html::Html;
use crate::problem::Problem;
use crate::time;
use crate::views::shell::{Follows, View};

/// Events that a page shows at most; the oldest of them are left out, and the page says so.
pub(crate) const MOST_EVENTS: usize = 500;
/// Since when changes are shown if nothing is said.
const DEFAULT_SPAN: &str = "24h";
/// Spans to choose from: parameter, seconds, in words.
const SPANS: [(&str, i64, &str); 4] = [
    ("1h", time::HOUR_S, "1 hour"),
    ("24h", 24 * time::HOUR_S, "24 hours"),
    ("7d", 7 * time::DAY_S, "7 days"),
    ("30d", 30 * time::DAY_S, "30 days"),
];
/// Which changes are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeQuery {
    /// A span like `24h`, a time, or `all`.
    #[serde(default)]
    pub(crate) since: String,
    /// A time from the form, which stands before the span.
    #[serde(default)]
    pub(crate) from: String,
    /// `open` leaves out what was acknowledged.
    #[serde(default)]
    pub(crate) state: String,
    /// Of this device alone.
    #[serde(default)]
    pub(crate) device: String,
}

impl ChangeQuery {
    /// Which events these are, by the clock of the packets. Fails for a time or device that cannot be read.
    pub(crate) fn filter(&self, clock: Timestamp) -> Result<EventFilter, Problem> {
        let device: Option<DeviceId> = match self.device.trim() {
            "" => None,
            device => Some(device.parse().map_err(|error| Problem::bad(format!("{error}.")))?),
        };
        let is_open = match self.state.as_str() {
            "" | "all" => false,
            "open" => true,
            state => return Err(Problem::bad(format!("'{state}' is no state: take open or all."))),
        };
        let since = self.since(clock)?;
        Ok(EventFilter { device, since, is_open, most: MOST_EVENTS, ..EventFilter::default() })
    }

    /// `None` for all of the time.
    fn since(&self, clock: Timestamp) -> Result<Option<Timestamp>, Problem> {
        let text = self.chosen();
        if text == "all" {
            return Ok(None);
        }
        if let Some((_, seconds, _)) = SPANS.iter().find(|(span, ..)| *span == text) {
            return Ok(Some(time::before(clock, *seconds)));
        }
        let spans: Vec<&str> = SPANS.iter().map(|(span, ..)| *span).collect();
        let problem = || {
            let known = spans.join(", ");
            Problem::bad(format!(
                "'{text}' is no time: take {known}, all, or a time like 2026-11-30T07:00:00Z."
            ))
        };
        rfc3339::parse(text).map(Some).ok_or_else(problem)
    }

    fn chosen(&self) -> &str {
        match (self.from.trim(), self.since.trim()) {
            ("", "") => DEFAULT_SPAN,
            ("", since) => since,
            (from, _) => from,
        }
    }

    fn address(&self, since: &str) -> String {
        address::with_query("/changes", &[("since", since), ("state", &self.state), ("device", &self.device)])
    }
}

/// The view.
pub(crate) fn document(
    events: &[Event],
    devices: &[DeviceRecord],
    (query, filter): (&ChangeQuery, &EventFilter),
    health: &Health,
) -> String {
    let names = Names::of(devices);
    let mut body = Html::new();
    body.raw("<h1>Changes</h1>\n").with(|body| choices(body, query, filter, &names));
    body.raw("<div id=\"sections\" data-live>\n").with(|body| summary(body, events, filter));
    for topic in EventTopic::ALL {
        let title = topic.title();
        let own: Vec<&Event> = events.iter().filter(|event| event.kind.topic() == *topic).collect();
        if !own.is_empty() {
            section(&mut body, title, &own, (&names, &query.address(query.chosen())));
        }
    }
    if events.is_empty() {
        body.raw("<p class=\"empty\">Nothing changed in this time. New devices, changed classes, new names and ports, findings ");
        body.raw("and trouble of the capture appear here as they happen.</p>\n");
    }
    body.raw("</div>\n");
    View { title: "Changes", place: "/changes", follows: Follows::Kinds("event"), health, body: &body }
        .document()
}

fn choices(html: &mut Html, query: &ChangeQuery, filter: &EventFilter, names: &Names) {
    html.raw("<p class=\"choices\">Since ");
    for (span, _, words) in SPANS {
        html.raw("<a")
            .attr("href", query.address(span))
            .flag("aria-current=\"true\"", query.chosen() == span);
        html.raw(">").raw(words).raw("</a> ");
    }
    html.raw("<a").attr("href", query.address("all")).flag("aria-current=\"true\"", query.chosen() == "all");
    html.raw(">all</a></p>\n<form id=\"filter\" class=\"filter\" method=\"get\" action=\"/changes\">\n");
    html.raw(
        "<span class=\"field\"><label for=\"from\">Since (UTC)</label> <input id=\"from\" name=\"from\" ",
    );
    let from = filter.since.map(|since| time::format(since, "%Y-%m-%dT%H:%M")).unwrap_or_default();
    html.raw("type=\"datetime-local\"").attr("value", from).raw("></span>\n");
    let states = [("all", "open and acknowledged"), ("open", "open")];
    field::choice(
        html,
        ("state", "State"),
        states.map(|(value, words)| (value, words, query.state == value)),
    );
    html.raw("<input type=\"hidden\" name=\"device\"").attr("value", &query.device);
    html.raw(">\n<button>Apply</button></form>\n");
    if let Some(device) = filter.device {
        html.raw("<p>Only of ").with(|html| names.link(html, device)).raw(" <a class=\"quiet\"");
        let all = ChangeQuery { device: String::new(), ..query.clone() };
        html.attr("href", all.address(query.chosen())).raw(">All devices</a></p>\n");
    }
}

fn summary(html: &mut Html, events: &[Event], filter: &EventFilter) {
    let open = events.iter().filter(|event| event.acknowledged_at.is_none()).count() as u64;
    html.raw("<p class=\"lead\">").text(counted(events.len() as u64, "event"));
    if let Some(since) = filter.since {
        html.raw(" since ").time(since);
    }
    html.raw(", ").value(open).raw(" of them open.");
    if events.len() >= MOST_EVENTS {
        html.raw(" These are the latest; choose a shorter time to be sure that none is left out.");
    }
    html.raw("</p>\n");
}

fn section(html: &mut Html, title: &'static str, events: &[&Event], (names, back): (&Names, &str)) {
    html.raw("<section><h2>").raw(title).raw("</h2>\n");
    let caption = format!("{}, the latest first", counted(events.len() as u64, "event"));
    EventTable { caption: &caption, label: title, names: Some(names), back }.write(html, events);
    html.raw("</section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_span_or_a_date() {
        let clock = Timestamp::from_seconds(1_000_000);
        let since = |since: &str, from: &str| {
            let query = ChangeQuery { since: since.into(), from: from.into(), ..ChangeQuery::default() };
            query.filter(clock).map(|filter| filter.since).map_err(|problem| problem.text)
        };
        assert_eq!(since("", ""), Ok(Some(Timestamp::from_seconds(1_000_000 - 86_400))));
        assert_eq!(since("1h", ""), Ok(Some(Timestamp::from_seconds(1_000_000 - 3_600))));
        assert_eq!(since("all", ""), Ok(None));
        assert_eq!(since("1h", "1970-01-02T00:00"), Ok(Some(Timestamp::from_seconds(86_400))));
        assert!(since("yesterday", "").unwrap_err().contains("24h"));
    }
}
