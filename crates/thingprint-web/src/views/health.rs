//! How the capture goes.

use thingprint_flow::LossCounts;
use thingprint_watch::{Health, LeftOut, SinkHealth, SourceHealth, SourceState};

use super::status::alerts;
use super::words::{bytes, count};
use crate::html::Html;
use crate::time;
use crate::views::shell::{Follows, View};

/// The view.
pub(crate) fn document(health: &Health) -> String {
    let mut body = Html::new();
    body.raw("<h1>Capture</h1>\n<div id=\"alerts\" data-live>\n").with(|body| write_alerts(body, health));
    body.raw("</div>\n<section aria-labelledby=\"sources-title\"><h2 id=\"sources-title\">Sources</h2>\n");
    body.raw("<div id=\"sources\" data-live>\n").with(|body| sources(body, health)).raw("</div></section>\n");
    body.raw("<section aria-labelledby=\"sinks-title\"><h2 id=\"sinks-title\">Events are sent to</h2>\n");
    body.raw("<div id=\"sinks\" data-live>\n").with(|body| sinks(body, health)).raw("</div></section>\n");
    body.raw("<section aria-labelledby=\"packets-title\"><h2 id=\"packets-title\">Packets</h2>\n");
    body.raw("<dl id=\"packets\" class=\"numbers\" data-live>\n").with(|body| packets(body, health));
    body.raw("</dl></section>\n<section aria-labelledby=\"limits-title\"><h2 id=\"limits-title\">Limits that were reached</h2>\n");
    body.raw("<div id=\"limits\" data-live>\n")
        .with(|body| left_out(body, &health.losses))
        .raw("</div></section>\n");
    body.raw("<section aria-labelledby=\"program-title\"><h2 id=\"program-title\">Program</h2>\n");
    body.raw("<dl id=\"program\" class=\"numbers\" data-live>\n").with(|body| program(body, health));
    body.raw("</dl></section>\n<p class=\"hint\">Programs read the same at <code>/api/v1/health</code>, and Prometheus at ");
    body.raw("<code>/metrics</code>.</p>\n");
    View { title: "Capture", place: "/health", follows: Follows::All, health, body: &body }.document()
}

fn write_alerts(html: &mut Html, health: &Health) {
    let alerts = alerts(health);
    if alerts.is_empty() {
        html.raw("<p class=\"lead\">")
            .badge("good", "all well")
            .raw(if health.sources.iter().any(|source| source.dropped.is_none()) {
                " Packets are read. Not every source tells whether packets were lost before they came here.</p>\n"
            } else {
                " Packets are read, and nothing is lost.</p>\n"
            });
        return;
    }
    html.raw("<ul class=\"plain alerts\">\n");
    for alert in alerts {
        let word = if alert.tone == "info" { "note" } else { "problem" };
        html.raw("<li>").badge(alert.tone, word).raw(" ").text(&alert.text).raw("</li>\n");
    }
    html.raw("</ul>\n");
}

fn sources(html: &mut Html, health: &Health) {
    if health.sources.is_empty() {
        html.raw("<p class=\"empty\">No source yet. Interfaces, streams and folders that are read appear here.</p>\n");
        return;
    }
    html.raw("<div class=\"table\" role=\"region\" aria-label=\"Sources\" tabindex=\"0\"><table class=\"cards\"><caption>");
    html.raw("Where packets come from</caption>\n<thead><tr><th scope=\"col\">Source</th><th scope=\"col\">State</th>");
    html.raw("<th scope=\"col\" class=\"n\">Packets</th><th scope=\"col\" class=\"n\">Lost</th>");
    html.raw("<th scope=\"col\" class=\"n\">Restarts</th><th scope=\"col\">Last packet</th></tr></thead>\n<tbody>\n");
    for source in &health.sources {
        row(html, source);
    }
    html.raw("</tbody></table></div>\n");
}

fn row(html: &mut Html, source: &SourceHealth) {
    let (tone, word) = match source.state {
        SourceState::Starting => ("info", "starting"),
        SourceState::Reading => ("good", "reading"),
        SourceState::Failed => ("high", "failed"),
        SourceState::Ended => ("plain", "ended"),
    };
    html.raw("<tr")
        .attr("data-key", format!("source-{}", source.name))
        .raw("><th scope=\"row\">")
        .clipped(&source.name);
    html.raw("</th><td data-label=\"State\">").badge(tone, word);
    if let Some(message) = &source.message {
        html.raw("<span class=\"sub wrap\">").text(message).raw("</span>");
    }
    html.raw("</td><td data-label=\"Packets\" class=\"n\">").text(count(source.packets));
    html.raw("</td><td data-label=\"Lost\" class=\"n\">")
        .text(source.dropped.map_or("unknown".to_owned(), count));
    if let Some(losses) = losses(source) {
        html.raw("<span class=\"sub wrap\">").text(losses).raw("</span>");
    }
    html.raw("</td><td data-label=\"Restarts\" class=\"n\">").text(count(source.restarts));
    html.raw("</td><td data-label=\"Last packet\">");
    match source.last_packet {
        Some(last) => _ = html.time(last),
        None => _ = html.raw("<span class=\"absent\">none yet</span>"),
    }
    html.raw("</td></tr>\n");
}

/// What was left out beside packets that were lost; `None` where nothing was.
fn losses(source: &SourceHealth) -> Option<String> {
    let counts = [
        (source.wrongly_timed, "packets of the future"),
        (source.steps_back, "steps back of the clock"),
        (source.shortened, "packets shortened"),
        (source.unread, "captures not read to the end"),
        (source.left_out, "files or senders left out"),
    ];
    let parts: Vec<String> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{}: {}", *what, count(*number)))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn sinks(html: &mut Html, health: &Health) {
    if health.sinks.is_empty() {
        html.raw(
            "<p class=\"empty\">Nobody is told of events. <code>--notify</code> names whom to tell.</p>\n",
        );
        return;
    }
    html.raw("<div class=\"table\" role=\"region\" aria-label=\"Sinks\" tabindex=\"0\"><table class=\"cards\"><caption>");
    html.raw("Where events go</caption>\n<thead><tr><th scope=\"col\">Sink</th><th scope=\"col\">State</th>");
    html.raw("<th scope=\"col\" class=\"n\">Delivered</th><th scope=\"col\" class=\"n\">Waiting</th>");
    html.raw(
        "<th scope=\"col\" class=\"n\">Lost</th><th scope=\"col\">Last delivery</th></tr></thead>\n<tbody>\n",
    );
    for sink in &health.sinks {
        sink_row(html, sink);
    }
    html.raw("</tbody></table></div>\n");
}

fn sink_row(html: &mut Html, sink: &SinkHealth) {
    html.raw("<tr")
        .attr("data-key", format!("sink-{}", sink.name))
        .raw("><th scope=\"row\">")
        .clipped(&sink.name);
    html.raw("</th><td data-label=\"State\">");
    match &sink.problem {
        Some(problem) => {
            html.badge("high", "failing").raw("<span class=\"sub wrap\">").text(problem).raw("</span>");
        }
        None => _ = html.badge("good", "works"),
    }
    html.raw("</td><td data-label=\"Delivered\" class=\"n\">").text(count(sink.delivered));
    html.raw("</td><td data-label=\"Waiting\" class=\"n\">").text(count(sink.waiting));
    html.raw("</td><td data-label=\"Lost\" class=\"n\">").text(count(sink.dropped));
    html.raw("</td><td data-label=\"Last delivery\">");
    match sink.last_delivery {
        Some(last) => _ = html.time(last),
        None => _ = html.raw("<span class=\"absent\">none yet</span>"),
    }
    html.raw("</td></tr>\n");
}

fn packets(html: &mut Html, health: &Health) {
    let capture = health.capture;
    number(html, "Read", &count(capture.packets), &format!("{} on the wire.", bytes(capture.bytes)));
    number(
        html,
        "Dropped",
        &count(capture.dropped),
        "By the system, because they were not read fast enough.",
    );
    number(
        html,
        "Late",
        &count(capture.late),
        "Too late for their window; they count in the oldest open one.",
    );
    number(html, "Malformed", &count(capture.malformed), "They could not be decoded. A few are normal.");
    number(html, "Left out", &count(capture.left_out), "Flows, devices, words and messages beyond a limit.");
}

fn left_out(html: &mut Html, losses: &LeftOut) {
    if losses.totals.is_empty() {
        html.raw("<p class=\"empty\">None. What a limit leaves out of a device appears here.</p>\n");
        return;
    }
    html.raw("<div class=\"table\" role=\"region\" aria-label=\"Limits\" tabindex=\"0\"><table class=\"cards\"><caption>");
    html.raw("What limits left out, the devices first that lost most</caption>\n<thead><tr>");
    html.raw("<th scope=\"col\">Device</th><th scope=\"col\">Left out</th></tr></thead>\n<tbody>\n");
    for lost in &losses.devices {
        loss_row(html, &lost.device.to_string(), &lost.counts);
    }
    if !losses.others.is_empty() {
        loss_row(html, "addresses that nobody answered, and others", &losses.others);
    }
    html.raw("</tbody></table></div>\n");
}

fn loss_row(html: &mut Html, name: &str, counts: &LossCounts) {
    html.raw("<tr").attr("data-key", format!("limit-{name}")).raw("><th scope=\"row\">").clipped(name);
    html.raw("</th><td data-label=\"Left out\">").text(LeftOut::in_words(counts)).raw("</td></tr>\n");
}

fn program(html: &mut Html, health: &Health) {
    let absent = || "–".to_owned();
    let time = |time: Option<thingprint_flow::Timestamp>| time.map_or_else(absent, time::minute);
    number(html, "Clock of the packets", &time(health.clock), "Time of the last packet, UTC.");
    number(html, "Started", &time(health.started_at), "By the clock of the machine, UTC.");
    number(
        html,
        "Last window stored",
        &time(health.last_window),
        "Start of it. A window is final five minutes after its end.",
    );
    number(html, "Devices", &count(health.devices), "Known so far, gateways included.");
    number(html, "Open flows", &count(health.open_flows), "Connections that go on.");
    number(
        html,
        "Memory",
        &health.memory_bytes.map_or_else(absent, bytes),
        "Resident memory of the program.",
    );
    let store = health
        .store_problem
        .as_deref()
        .unwrap_or("Accounts that are not written yet, each with the updates of a moment.");
    number(html, "Waiting for the store", &count(health.store_waiting), store);
    let lost = "Windows and other updates that were dropped while the store could not be written.";
    number(html, "Lost by the store", &count(health.store.dropped()), lost);
    let waited = format!("All together {} s.", health.store.waited_ms / 1000);
    number(html, "Waits for the store", &count(health.store.waits), &waited);
    number(html, "Model", health.model.as_deref().unwrap_or("none"), "What judges windows.");
}

fn number(html: &mut Html, term: &'static str, value: &str, meaning: &str) {
    html.raw("<div><dt>").raw(term).raw("</dt><dd><strong class=\"wrap\">").text(value);
    html.raw("</strong><span class=\"sub wrap\">").text(meaning).raw("</span></dd></div>\n");
}
