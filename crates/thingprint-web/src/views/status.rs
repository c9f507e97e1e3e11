//! Whether the reading goes well, in a line.

use thingprint_watch::{Health, SourceState};

use crate::html::Html;
use crate::time;

/// Share of the time since the start that the reading may wait for the store before people should know, as a divisor: a
/// hundredth.
const WAITED_SHARE: u64 = 100;
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
    if health.store.dropped() > 0 {
        let (windows, others) =
            (words_of(health.store.windows_dropped), words_of(health.store.updates_dropped));
        add("high", format!("The store lost {windows} windows and {others} other updates."));
    }
    let unread: u64 = health.sources.iter().map(|source| source.unread).sum();
    if unread > 0 {
        add("medium", format!("{} captures were not read to their end.", words_of(unread)));
    }
    if is_store_slow(health) {
        let (waits, seconds) = (words_of(health.store.waits), health.store.waited_ms / 1000);
        add(
            "medium",
            format!("The store is too slow: the reading waited {waits} times for it, {seconds} s in all."),
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

/// Whether the reading waited for the store for more than a small part of its time.
fn is_store_slow(health: &Health) -> bool {
    let Some(started) = health.started_at else { return false };
    let run_ms = u64::try_from(time::seconds_between(started, time::now())).unwrap_or(0).saturating_mul(1000);
    health.store.waited_ms > run_ms / WAITED_SHARE && health.store.waits > 0
}

/// The line in the head of each view.
pub(crate) fn line(html: &mut Html, health: &Health) {
    let alerts = alerts(health);
    html.raw("<p id=\"status\" class=\"status\" data-live><a href=\"/health\">");
    match alerts.first() {
        Some(alert) if alert.tone != "info" => {
            let problems = alerts.iter().filter(|alert| alert.tone != "info").count() as u64;
            html.badge(alert.tone, &super::words::counted(problems, "problem"));
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
