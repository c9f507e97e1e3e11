//! Events in a table, with what can be done about them.

use std::collections::BTreeMap;

use serde_json::Value;
use thingprint_flow::DeviceId;
use thingprint_watch::{DeviceRecord, Event};

use super::words::{self, counted};
use crate::address;
use crate::device_list::name;
use crate::html::Html;

/// Longest evidence that is shown, in characters; the API has the rest.
const EVIDENCE_CHARS: usize = 300;

/// What devices are called.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(BTreeMap<DeviceId, String>);

impl Names {
    pub(super) fn of(devices: &[DeviceRecord]) -> Self {
        Self(devices.iter().map(|device| (device.sighting.device, name(device))).collect())
    }

    /// Adds a link to the page of a device.
    pub(super) fn link(&self, html: &mut Html, device: DeviceId) {
        let id = device.to_string();
        let name = self.0.get(&device).unwrap_or(&id);
        html.raw("<a class=\"clip\"").attr("href", address::device(&id)).attr("title", name);
        html.raw(">").text(name).raw("</a>");
        if *name != id {
            html.raw("<span class=\"sub\"><code>").text(&id).raw("</code></span>");
        }
    }
}

/// Where a table of events is, and what is around it.
pub(super) struct EventTable<'a> {
    pub(super) caption: &'a str,
    /// What a screen reader calls it.
    pub(super) label: &'a str,
    /// `None` on the page of a device.
    pub(super) names: Option<&'a Names>,
    /// Where its forms lead back to.
    pub(super) back: &'a str,
}

impl EventTable<'_> {
    /// Adds the table, with a button for all of it.
    pub(super) fn write(&self, html: &mut Html, events: &[&Event]) {
        html.raw("<div class=\"table\" role=\"region\" tabindex=\"0\"").attr("aria-label", self.label);
        html.raw("><table class=\"cards events\"><caption>")
            .text(self.caption)
            .raw("</caption>\n<thead><tr>");
        html.raw("<th scope=\"col\" class=\"when\">When</th><th scope=\"col\" class=\"what\">What</th>");
        if self.names.is_some() {
            html.raw("<th scope=\"col\" class=\"who\">Device</th>");
        }
        html.raw("<th scope=\"col\">Details</th><th scope=\"col\" class=\"n times\">Times</th>");
        html.raw("<th scope=\"col\" class=\"state\">State</th></tr></thead>\n<tbody>\n");
        for event in events {
            self.row(html, event);
        }
        html.raw("</tbody></table></div>\n");
        let open: Vec<u64> =
            events.iter().filter(|event| event.acknowledged_at.is_none()).map(|event| event.id).collect();
        if open.len() > 1 {
            self.acknowledge_all(html, &open);
        }
    }

    fn row(&self, html: &mut Html, event: &Event) {
        html.raw("<tr")
            .attr("data-key", format!("event-{}", event.id))
            .raw("><td data-label=\"When\">")
            .time(event.at);
        html.raw("</td><th scope=\"row\" data-label=\"What\">")
            .with(|html| words::severity(html, event.severity));
        html.raw(" <span class=\"kind\">").text(event.kind.title()).raw("</span></th>");
        if let Some(names) = self.names {
            html.raw("<td data-label=\"Device\">");
            match event.device {
                Some(device) => names.link(html, device),
                None => _ = html.raw("<span class=\"absent\">all</span>"),
            }
            html.raw("</td>");
        }
        html.raw("<td data-label=\"Details\" class=\"wide\"><span class=\"wrap\">")
            .text(&event.text)
            .raw("</span>");
        html.with(|html| evidence(html, event)).raw("</td><td data-label=\"Times\" class=\"n\">");
        html.text(words::count(event.times)).raw("</td><td data-label=\"State\">");
        html.with(|html| self.state(html, event)).raw("</td></tr>\n");
    }

    fn state(&self, html: &mut Html, event: &Event) {
        if let Some(at) = event.acknowledged_at {
            // What an event tells may end by itself.
            let is_ended = event.evidence.get("ended_at").is_some_and(|ended| !ended.is_null());
            html.raw("<span class=\"absent\">").raw(if is_ended { "ended" } else { "acknowledged" });
            html.raw("</span> <span class=\"sub\">").time(at).raw("</span>");
            return;
        }
        let what = format!("Acknowledge event {}: {}", event.id, event.kind.title());
        acknowledge(html, &event.id.to_string(), self.back, ("Acknowledge", &what));
    }

    fn acknowledge_all(&self, html: &mut Html, open: &[u64]) {
        let open = open.get(..crate::form::MOST_EVENTS).unwrap_or(open);
        let numbers: Vec<String> = open.iter().map(u64::to_string).collect();
        let text = format!("Acknowledge these {}", counted(open.len() as u64, "event"));
        html.raw("<div class=\"below\">");
        acknowledge(html, &numbers.join(","), self.back, (&text, &format!("{text}: {}", self.label)));
        html.raw("</div>\n");
    }
}

/// Adds a button that acknowledges events, with its text and its name for those who hear it alone.
pub(super) fn acknowledge(html: &mut Html, events: &str, back: &str, (text, name): (&str, &str)) {
    html.raw("<form method=\"post\" action=\"/requests\"><input type=\"hidden\" name=\"request\" value=\"acknowledge\">");
    html.raw("<input type=\"hidden\" name=\"event\"").attr("value", events).raw(">");
    html.raw("<input type=\"hidden\" name=\"back\"").attr("value", back).raw("><button class=\"small\"");
    html.attr("aria-label", name).attr("data-key", format!("acknowledge-{events}"));
    html.raw(">").text(text).raw("</button></form>");
}

/// The first evidence, by the names of the commands.
fn evidence(html: &mut Html, event: &Event) {
    if event.evidence.is_empty() {
        return;
    }
    html.raw("<details class=\"evidence\"").attr("data-key", format!("evidence-{}", event.id));
    html.raw("><summary>evidence</summary><dl>");
    for (name, value) in &event.evidence {
        html.raw("<dt>").text(name).raw("</dt><dd>").text(shown(value)).raw("</dd>");
    }
    html.raw("</dl></details>");
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    let mut short: String = text.chars().take(EVIDENCE_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
