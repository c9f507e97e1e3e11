//! Whether the reading goes well, in a line.

use thingprint_watch::{Health, SourceState};

use crate::html::Html;
use crate::time;

/// Updates that wait for the store from which on people should know: a batch or two is normal.
const MANY_WAITING: u64 = 1_000;
/// No packet may come for so long before people should know.
const QUIET_S: i64 = 15 * time::MINUTE_S;

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alert {
    /// Class of the style sheet.
    pub(crate) tone: &'static str,
    pub(crate) text: String,
}

/// What is wrong with the reading, the worst first.
pub(crate) fn alerts(health: &Health) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let mut add = |tone, text| alerts.push(Alert { tone, text });
    if let Some(problem) = &health.store_problem {
        add("critical", format!("The store cannot be written: {problem}. What is seen now may be lost."));
    }
    for source in health.sources.iter().filter(|source| source.state == SourceState::Failed) {
        let why = source.message.as_deref().unwrap_or("no reason was given");
        add("high", format!("Source {} fails and is tried again: {why}.", source.name));
    }
    if health.capture.dropped > 0 {
        let text =
            "Packets were dropped because they were not read fast enough. Volumes and flows are too low.";
        add("medium", format!("{} {text}", words_of(health.capture.dropped)));
    }
    if health.capture.left_out > 0 {
        let text = "flows, devices, words or messages were left out because a limit was reached.";
        add("medium", format!("{} {text}", words_of(health.capture.left_out)));
    }
    if health.store_waiting >= MANY_WAITING {
        add(
            "medium",
            format!("{} updates wait for the store: it is too slow.", words_of(health.store_waiting)),
        );
    }
    if let Some(last) = health.last_arrival
        && time::seconds_between(last, time::now()) > QUIET_S
        && !health.sources.iter().all(|source| source.state == SourceState::Ended)
    {
        let ago = time::duration(time::seconds_between(last, time::now()));
        add("medium", format!("The last packet came {ago} ago."));
    }
    if health.model.is_none() {
        add("info", "There is no model: devices are listed and audited, and get no class.".to_owned());
    }
    alerts
}

/// The line in the head of each view.
pub(crate) fn line(html: &mut Html, health: &Health) {
    let alerts = alerts(health);
    html.raw("<p id=\"status\" class=\"status\" data-live><a href=\"/health\">");
    match alerts.first() {
        Some(alert) if alert.tone != "info" => {
            html.badge(alert.tone, if alerts.len() == 1 { "1 problem" } else { "problems" });
            html.raw(" <span class=\"clip\"")
                .attr("title", &alert.text)
                .raw(">")
                .text(&alert.text)
                .raw("</span>");
        }
        _ => {
            let (tone, words) = reading(health);
            html.badge(tone, words);
        }
    }
    html.raw("</a></p>\n");
}

fn reading(health: &Health) -> (&'static str, &'static str) {
    let is = |state| !health.sources.is_empty() && health.sources.iter().all(|source| source.state == state);
    match health.clock {
        _ if is(SourceState::Ended) => ("plain", "all sources ended"),
        None => ("info", "waiting for packets"),
        Some(_) => ("good", "reading"),
    }
}

fn words_of(count: u64) -> String {
    super::words::count(count)
}
