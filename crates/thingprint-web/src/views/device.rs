//! One device.

use thingprint_figure::{Drawing, Figure};
use thingprint_flow::Timestamp;
use thingprint_watch::{
    DeviceRecord, Event, FindingRecord, Health, SaidIdentity, Standing, StandingChange, WindowRecord,
    WordCount,
};

use super::devices::{badges, findings as finding_badges, meter, text_or_dash};
use super::event_table::EventTable;
use super::words::{bytes, count, counted, percent};
use super::{evidence, findings};
use crate::address;
use crate::device_list::{name, vendor};
use crate::form::LONGEST_LABEL;
use crate::html::Html;
use crate::site::clock;
use crate::time;
use crate::timeline::timeline;
use crate::views::shell::{Follows, View};
use crate::why::Why;

/// Windows in the table of hours; the figure has all of the time that is shown.
const TABLE_WINDOWS: usize = 48;
/// Spans of time that can be shown: days, in words.
pub(crate) const SPANS: [(u32, &str); 3] = [(1, "1 day"), (7, "7 days"), (30, "30 days")];

/// All that the page of a device shows.
pub(crate) struct DeviceView {
    pub(crate) device: DeviceRecord,
    /// The latest first.
    pub(crate) windows: Vec<WindowRecord>,
    pub(crate) changes: Vec<StandingChange>,
    pub(crate) findings: Vec<FindingRecord>,
    pub(crate) events: Vec<Event>,
    /// Evidence, or why it cannot be had.
    pub(crate) why: Result<Option<Why>, String>,
    /// Labels and classes that are known, to choose from.
    pub(crate) labels: Vec<String>,
    /// How many days of windows there are.
    pub(crate) days: u32,
}

impl DeviceView {
    /// The view.
    pub(crate) fn document(&self, health: &Health) -> String {
        let mut body = Html::new();
        let title = name(&self.device);
        self.head(&mut body, clock(health));
        body.raw("<div class=\"columns\">\n")
            .with(|body| self.verdict(body, health.model.is_some()))
            .with(|body| self.forms(body))
            .raw("</div>\n");
        self.why(&mut body);
        self.hours(&mut body, clock(health));
        self.seen(&mut body);
        self.findings(&mut body);
        self.events(&mut body);
        self.changes(&mut body);
        let id = self.device.sighting.device.to_string();
        View { title: &title, place: "/", follows: Follows::Device(&id), health, body: &body }.document()
    }

    fn place(&self) -> String {
        address::device(self.device.sighting.device)
    }

    fn head(&self, html: &mut Html, clock: Timestamp) {
        let sighting = &self.device.sighting;
        html.raw("<p class=\"crumb\"><a href=\"/\">Devices</a></p>\n<div id=\"head\" data-live><h1 class=\"wrap\">");
        html.text(name(&self.device))
            .raw(" ")
            .with(|html| badges(html, &self.device))
            .raw("</h1>\n<dl class=\"facts\">\n");
        fact(html, "Address", |html| _ = html.raw("<code>").value(sighting.device).raw("</code>"));
        fact(html, "IP addresses", |html| {
            for address in &sighting.addresses {
                html.raw("<code>").value(address).raw("</code> ");
            }
            if sighting.addresses.is_empty() {
                html.raw("<span class=\"absent\">none</span>");
            }
        });
        fact(html, "Host name", |html| text_or_dash(html, sighting.host_name.as_deref()));
        fact(html, "Vendor", |html| text_or_dash(html, vendor(&self.device)));
        fact(html, "First seen", |html| _ = html.time(sighting.first_seen));
        fact(html, "Last seen", |html| _ = html.ago(sighting.last_seen, clock));
        fact(html, "Packets", |html| {
            html.text(count(sighting.packets_up))
                .raw(" sent, ")
                .text(count(sighting.packets_down))
                .raw(" received");
        });
        fact(html, "Open findings", |html| finding_badges(html, &self.device));
        if let Some(why) = &sighting.gateway {
            fact(html, "Gateway", |html| _ = html.text(why));
        }
        html.raw("</dl></div>\n");
    }

    fn verdict(&self, html: &mut Html, has_model: bool) {
        html.raw("<section id=\"verdict\" class=\"box\" data-live aria-labelledby=\"verdict-title\">");
        html.raw("<h2 id=\"verdict-title\">Class</h2>\n");
        match &self.device.verdict {
            Some(verdict) => self.standing(html, verdict),
            None if self.device.sighting.gateway.is_some() => {
                html.raw("<p>A gateway forwards the traffic of others, so that it is not judged.</p>\n");
            }
            None if has_model => {
                html.raw("<p class=\"empty\">No verdict yet. It follows when the first window of this device ends, an hour ");
                html.raw("as a rule.</p>\n");
            }
            None => {
                html.raw("<p class=\"empty\">There is no model, so that devices get no class. Give one to watch with --model, ");
                html.raw("or label devices and train one on the page of the model.</p>\n");
            }
        }
        if let Some(window) = &self.device.provisional {
            provisional(html, window);
        }
        if let Some(said) = &self.device.sighting.identity {
            identity(html, said);
        }
        html.raw("</section>\n");
    }

    fn standing(&self, html: &mut Html, verdict: &Standing) {
        html.raw("<p class=\"verdict\">");
        match &verdict.class {
            Some(class) => _ = html.raw("<strong class=\"wrap\">").text(class).raw("</strong>"),
            None => _ = html.badge("unknown", "unknown"),
        }
        html.raw("</p>\n<dl class=\"facts\">\n");
        if verdict.class.is_none() {
            html.raw("<div class=\"wide\"><dt>Why unknown</dt><dd>");
            html.text(verdict.reason.as_deref().unwrap_or("no reason is given")).raw("</dd></div>\n");
            fact(html, "Most like", |html| _ = html.clipped(&verdict.best_guess));
        }
        fact(html, "Confidence", |html| meter(html, verdict.confidence));
        if let Some(likeness) = verdict.likeness {
            fact(html, "Likeness", |html| {
                html.text(format!("{likeness:.1}"))
                    .raw(" <span class=\"sub\">0 as most of its class, lower is less like it</span>");
            });
        }
        if let Some(family) = &verdict.family {
            fact(html, "Family", |html| _ = html.clipped(family));
        }
        fact(html, "Since", |html| _ = html.time(verdict.since));
        fact(html, "Windows", |html| _ = html.text(count(verdict.windows)).raw(" behind the verdict"));
        html.raw("</dl>\n");
        self.contradictions(html);
        if let (Some(label), Some(class)) = (&self.device.label, &verdict.class)
            && label != class
        {
            html.raw("<p class=\"note\">The label says ").text(label).raw(": a new model can learn it, see ");
            html.raw("<a href=\"/model\">Model</a>.</p>\n");
        }
    }

    /// What the device says of itself that does not fit the class.
    fn contradictions(&self, html: &mut Html) {
        let said = self.device.sighting.identity.as_ref();
        for contradiction in said.iter().flat_map(|said| &said.contradictions) {
            html.raw("<p class=\"note\">It says otherwise: ").value(contradiction).raw("</p>\n");
        }
    }

    fn forms(&self, html: &mut Html) {
        html.raw(
            "<section class=\"box\" aria-labelledby=\"label-title\"><h2 id=\"label-title\">Label</h2>\n",
        );
        html.raw("<form method=\"post\" action=\"/requests\" class=\"label\"><input type=\"hidden\" name=\"request\" value=\"label\">");
        self.hidden(html);
        html.raw("<label for=\"label\">What this device is</label>\n<input id=\"label\" name=\"label\" list=\"labels\" ");
        html.raw("autocomplete=\"off\"").attr("maxlength", LONGEST_LABEL.to_string());
        html.attr("value", self.device.label.as_deref().unwrap_or("")).raw(">\n<datalist id=\"labels\">");
        for label in &self.labels {
            html.raw("<option").attr("value", label).raw("></option>");
        }
        html.raw("</datalist>\n<button>Save label</button>\n<p class=\"hint\">A name that you choose. Windows of labelled ");
        html.raw("devices train a new model on request: see <a href=\"/model\">Model</a>. An empty label is taken back.</p></form>\n");
        html.raw("<div id=\"mute\" data-live>");
        self.mute(html);
        html.raw("</div></section>\n");
    }

    fn mute(&self, html: &mut Html) {
        let is_muted = self.device.is_muted;
        html.raw("<form method=\"post\" action=\"/requests\"><input type=\"hidden\" name=\"request\" value=\"mute\">");
        self.hidden(html);
        html.raw("<input type=\"hidden\" name=\"is_muted\"").attr("value", (!is_muted).to_string()).raw(">");
        html.raw("<button class=\"plain\" data-key=\"mute\">")
            .text(if is_muted { "Unmute" } else { "Mute" })
            .raw("</button> <span class=\"hint\">");
        html.text(if is_muted {
            "Its events stay on this page."
        } else {
            "Keeps its events on this page: nothing is sent."
        });
        html.raw("</span></form>");
    }

    fn hidden(&self, html: &mut Html) {
        html.raw("<input type=\"hidden\" name=\"device\"")
            .attr("value", self.device.sighting.device.to_string());
        html.raw("><input type=\"hidden\" name=\"back\"").attr("value", self.place()).raw(">");
    }

    /// A gateway that was known as one before its first window ended has no windows, and will have none.
    fn is_never_judged(&self) -> bool {
        self.device.sighting.gateway.is_some() && self.windows.is_empty()
    }

    fn why(&self, html: &mut Html) {
        if self.is_never_judged() {
            return;
        }
        html.raw("<section aria-labelledby=\"why-title\"><h2 id=\"why-title\">Why this class</h2>\n<div id=\"why\" data-live>\n");
        match &self.why {
            Ok(why) => evidence::write(html, why.as_ref()),
            Err(error) => {
                _ = html.raw("<p class=\"note\">The evidence cannot be had: ").text(error).raw("</p>");
            }
        }
        html.raw("</div></section>\n");
    }

    fn hours(&self, html: &mut Html, clock: Timestamp) {
        if self.is_never_judged() {
            return;
        }
        html.raw("<section aria-labelledby=\"hours-title\"><h2 id=\"hours-title\">Hours</h2>\n<p class=\"choices\">");
        for (days, words) in SPANS {
            let address = address::with_query(&self.place(), &[("days", &days.to_string())]);
            html.raw("<a")
                .attr("href", address)
                .flag("aria-current=\"true\"", days == self.days)
                .raw(">")
                .text(words);
            html.raw("</a> ");
        }
        html.raw("</p>\n<div id=\"hours\" data-live>\n");
        let windows: Vec<&WindowRecord> = self.windows.iter().chain(&self.device.provisional).collect();
        if windows.is_empty() {
            html.raw("<p class=\"empty\">No window in this time. A window appears here when it ends.</p></div></section>\n");
            return;
        }
        let from = time::before(clock, i64::from(self.days) * time::DAY_S);
        html.raw("<svg class=\"tp hatches\" aria-hidden=\"true\">").raw(Drawing::HATCHES).raw("</svg>\n");
        html.raw(
            "<figure class=\"figure\" tabindex=\"0\" role=\"group\" aria-label=\"Hours of the device\">",
        );
        html.drawing(&timeline(&name(&self.device), &windows, (from, clock)).draw());
        html.raw("<figcaption>Each bar is a window. Rest the pointer on a bar for its values; times are UTC.</figcaption></figure>\n");
        html.raw("</div>\n<details data-key=\"hours-table\"><summary>The same as a table</summary>\n<div id=\"hours-table\" data-live>\n");
        window_table(html, &self.windows);
        html.raw("</div></details></section>\n");
    }

    fn seen(&self, html: &mut Html) {
        let sighting = &self.device.sighting;
        html.raw("<section aria-labelledby=\"seen-title\"><h2 id=\"seen-title\">What it talks to</h2>\n");
        html.raw("<div id=\"seen\" class=\"columns four\" data-live>\n");
        words(html, "Names looked up", "Name", "queries", &sighting.names);
        words(html, "Server ports", "Port", "flows", &sighting.server_ports);
        words(html, "Ports it serves", "Port", "flows", &sighting.served_ports);
        words(html, "Protocols", "Protocol", "flows", &sighting.services);
        html.raw("</div></section>\n");
    }

    fn findings(&self, html: &mut Html) {
        html.raw("<section aria-labelledby=\"findings-title\"><h2 id=\"findings-title\">Findings</h2>\n");
        html.raw("<div id=\"findings\" data-live>\n");
        if self.findings.is_empty() {
            html.raw("<p class=\"empty\">None so far. A finding appears here minutes after the audit sees it.</p>\n");
        } else {
            let rows: Vec<&FindingRecord> = self.findings.iter().collect();
            let groups = findings::grouped(&rows);
            let groups: Vec<&findings::Group<'_>> = groups.iter().collect();
            findings::Table { names: None, events: &self.events, back: &self.place() }.write(html, &groups);
        }
        html.raw("</div></section>\n");
    }

    fn events(&self, html: &mut Html) {
        html.raw("<section aria-labelledby=\"events-title\"><h2 id=\"events-title\">Events</h2>\n<div id=\"events\" data-live>\n");
        let rows: Vec<&Event> = self.events.iter().collect();
        if rows.is_empty() {
            html.raw(
                "<p class=\"empty\">None so far. What happens to this device appears here at once.</p>\n",
            );
        } else {
            let caption = format!("{}, the latest first", counted(rows.len() as u64, "event"));
            EventTable { caption: &caption, label: "Events", names: None, back: &self.place() }
                .write(html, &rows);
        }
        html.raw("</div></section>\n");
    }

    fn changes(&self, html: &mut Html) {
        if self.changes.is_empty() {
            return;
        }
        html.raw("<section aria-labelledby=\"changes-title\"><h2 id=\"changes-title\">How its class changed</h2>\n");
        html.raw("<ol id=\"changes\" class=\"plain\" data-live>\n");
        for change in &self.changes {
            html.raw("<li>").time(change.at).raw(": ");
            // The first verdict came after none.
            if change.from != change.to {
                html.text(change.from.as_deref().unwrap_or("unknown")).raw(" → ");
            }
            html.raw("<strong>");
            html.text(change.to.as_deref().unwrap_or("unknown"))
                .raw("</strong>, ")
                .text(percent(change.confidence));
            html.raw("</li>\n");
        }
        html.raw("</ol></section>\n");
    }
}

fn fact(html: &mut Html, term: &'static str, write: impl FnOnce(&mut Html)) {
    html.raw("<div><dt>").raw(term).raw("</dt><dd>").with(write).raw("</dd></div>\n");
}

/// Who the device says it is, with how far that is to be trusted and by what it says so.
fn identity(html: &mut Html, said: &SaidIdentity) {
    let summary = &said.summary;
    let fields = [
        ("Vendor", &summary.vendor),
        ("Model", &summary.model),
        ("Type", &summary.device_type),
        ("Name", &summary.name),
        ("System", &summary.os),
    ];
    html.raw("<h3>What it says of itself</h3>\n<dl class=\"facts\">\n");
    for (term, known) in fields {
        let Some(known) = known else { continue };
        fact(html, term, |html| {
            html.clipped(&known.value).raw(" <span class=\"sub\">");
            html.text(format!("{}, by {}", known.certainty, known.sources.join(" and "))).raw("</span>");
        });
    }
    html.raw("</dl>\n");
}

fn provisional(html: &mut Html, window: &WindowRecord) {
    html.raw("<p class=\"sofar\">The window under way, which began at ").time(window.window_start).raw(": ");
    match &window.answer {
        Some(answer) => {
            html.text(&answer.best_guess).raw(" with ").text(percent(answer.confidence));
            html.raw(if answer.class.is_some() { "" } else { ", which is not accepted" });
        }
        None => _ = html.text(counted(window.flows, "flow")),
    }
    html.raw(" so far.</p>\n");
}

fn words(
    html: &mut Html,
    title: &'static str,
    column: &'static str,
    unit: &'static str,
    words: &[WordCount],
) {
    html.raw("<div class=\"table\" role=\"region\" tabindex=\"0\"")
        .attr("aria-label", title)
        .raw("><table><caption>");
    html.raw(title).raw("</caption>\n");
    if words.is_empty() {
        html.raw("<tbody><tr><td class=\"absent\">none seen</td></tr></tbody></table></div>\n");
        return;
    }
    html.raw("<thead><tr><th scope=\"col\">")
        .raw(column)
        .raw("</th><th scope=\"col\" class=\"n\">")
        .raw(unit);
    html.raw("</th></tr></thead>\n<tbody>\n");
    for word in words {
        html.raw("<tr><th scope=\"row\">")
            .clipped(&word.word)
            .raw("</th><td class=\"n\">")
            .text(count(word.count));
        html.raw("</td></tr>\n");
    }
    html.raw("</tbody></table></div>\n");
}

fn window_table(html: &mut Html, windows: &[WindowRecord]) {
    html.raw("<div class=\"table\" role=\"region\" aria-label=\"Windows\" tabindex=\"0\"><table><caption>Last windows");
    html.raw("</caption>\n<thead><tr><th scope=\"col\">Window</th><th scope=\"col\">Class</th>");
    html.raw("<th scope=\"col\" class=\"n\">Confidence</th><th scope=\"col\" class=\"n\">Sent</th>");
    html.raw("<th scope=\"col\" class=\"n\">Received</th><th scope=\"col\" class=\"n\">Flows</th>");
    html.raw("<th scope=\"col\" class=\"n\">Sleep</th></tr></thead>\n<tbody>\n");
    for window in windows.iter().take(TABLE_WINDOWS) {
        let answer = window.answer.as_ref();
        let class = answer.map(|answer| answer.class.as_deref().unwrap_or("unknown"));
        html.raw("<tr><th scope=\"row\">").time(window.window_start);
        if window.is_cut {
            html.raw(" ").badge("plain", "cut");
        }
        html.raw("</th><td>").with(|html| text_or_dash(html, class)).raw("</td><td class=\"n\">");
        html.text(answer.map_or("–".to_owned(), |answer| percent(answer.confidence)))
            .raw("</td><td class=\"n\">");
        html.text(bytes(window.bytes_up)).raw("</td><td class=\"n\">").text(bytes(window.bytes_down));
        html.raw("</td><td class=\"n\">").text(count(window.flows)).raw("</td><td class=\"n\">");
        html.text(window.sleep_time_s.map_or("–".to_owned(), |sleep| format!("{sleep:.0} s")))
            .raw("</td></tr>\n");
    }
    html.raw("</tbody></table></div>\n");
}
