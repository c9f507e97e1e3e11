//! Labels, and the model that learns from them.

use thingprint_watch::{DeviceRecord, GivenLabel, Health, Trained};

use super::event_table::Names;
use super::words::{count, counted, tenths};
use crate::html::Html;
use crate::training::TrainingState;
use crate::views::shell::{Follows, View};

/// Confused classes that are shown; the API has all.
const MOST_CONFUSED: usize = 20;
/// A comparison on fewer windows than this may be chance.
const FEW_WINDOWS: u64 = 100;

/// The view.
pub(crate) fn document(
    labels: &[GivenLabel],
    devices: &[DeviceRecord],
    state: &TrainingState,
    health: &Health,
) -> String {
    let mut body = Html::new();
    body.raw("<h1>Model</h1>\n<p id=\"model\" class=\"lead\" data-live>");
    match &health.model {
        Some(model) => _ = body.raw("In use: <strong class=\"wrap\">").text(model).raw("</strong>."),
        None => _ = body.raw("No model is in use. Label devices and train one, or give one to the program."),
    }
    body.raw("</p>\n<div id=\"training\" data-live").attr("data-state", state.as_str()).raw(">\n");
    training(&mut body, state, labels);
    body.raw("</div>\n<section aria-labelledby=\"labels-title\"><h2 id=\"labels-title\">Labels</h2>\n");
    body.raw("<div id=\"labels\" data-live>\n")
        .with(|body| label_table(body, labels, devices))
        .raw("</div></section>\n");
    View { title: "Model", place: "/model", follows: Follows::Kinds("change"), health, body: &body }
        .document()
}

fn training(html: &mut Html, state: &TrainingState, labels: &[GivenLabel]) {
    match state {
        TrainingState::Running { since } => {
            html.raw(
                "<section class=\"box\" aria-busy=\"true\"><h2>A model is being trained</h2>\n<p>Since ",
            )
            .text(since);
            html.raw(". It takes seconds to minutes, and the comparison appears here. The present model goes on judging.</p>\n");
            html.raw("<p><a href=\"/model\">Look again</a></p></section>\n");
        }
        TrainingState::Trained { trained } => comparison(html, trained),
        TrainingState::Failed { error } => {
            html.raw("<p class=\"note\" role=\"alert\"><strong>Training failed:</strong> ")
                .text(error)
                .raw("</p>\n");
            start(html, labels);
        }
        TrainingState::None => start(html, labels),
    }
}

fn start(html: &mut Html, labels: &[GivenLabel]) {
    html.raw("<section class=\"box\"><h2>Train a model</h2>\n<p>It learns from the stored windows of labelled devices, and is ");
    html.raw("compared with the present model on the last quarter of each device's time, which neither learned from. Nothing ");
    html.raw("changes until you decide.</p>\n");
    if labels.is_empty() {
        html.raw(
            "<p class=\"empty\">There is no label yet: label devices on their pages first.</p></section>\n",
        );
        return;
    }
    html.raw(
        "<form method=\"post\" action=\"/requests\"><input type=\"hidden\" name=\"request\" value=\"train\">",
    );
    html.raw("<input type=\"hidden\" name=\"back\" value=\"/model\"><button data-key=\"train\">Train from ");
    html.text(counted(labels.len() as u64, "labelled device")).raw("</button></form></section>\n");
}

fn comparison(html: &mut Html, trained: &Trained) {
    html.raw("<section class=\"box\" aria-labelledby=\"compare-title\"><h2 id=\"compare-title\">A new model waits for your ");
    html.raw("decision</h2>\n<p>Trained at ").time(trained.at).raw(" from ");
    html.text(counted(trained.train_windows, "window")).raw("; compared on ");
    html.text(counted(trained.test_windows, "other window")).raw(".</p>\n<dl class=\"numbers compare\">\n");
    share(html, "New model", Some(trained.accuracy));
    share(html, "Present model", trained.present_accuracy);
    html.raw("</dl>\n<p>").text(verdict(trained)).raw("</p>\n");
    for warning in &trained.warnings {
        html.raw("<p class=\"note\">").text(warning).raw("</p>\n");
    }
    confusion(html, trained);
    html.raw("<details><summary>").text(format!("Classes of the new model ({})", trained.classes.len()));
    html.raw("</summary><p class=\"wrap\">").text(trained.classes.join(", ")).raw("</p></details>\n");
    decisions(html, trained);
    html.raw("</section>\n");
}

fn share(html: &mut Html, term: &'static str, share: Option<f64>) {
    html.raw("<div><dt>").raw(term).raw("</dt><dd><strong>").text(share.map_or("none".to_owned(), tenths));
    html.raw("</strong><span class=\"sub\">of the windows get their label's class</span></dd></div>\n");
}

/// What the two numbers say, and how far to trust them.
fn verdict(trained: &Trained) -> String {
    let caution = if trained.test_windows < FEW_WINDOWS {
        " With so few windows the difference may be chance."
    } else {
        ""
    };
    let Some(present) = trained.present_accuracy else {
        return format!("There is no present model to compare with.{caution}");
    };
    let points = (trained.accuracy - present) * 100.0;
    match points {
        points if points.abs() < 0.05 => format!("Both are equally good on these windows.{caution}"),
        points if points > 0.0 => {
            format!("The new model is better by {points:.1} percentage points.{caution}")
        }
        points => format!("The new model is worse by {:.1} percentage points.{caution}", points.abs()),
    }
}

fn confusion(html: &mut Html, trained: &Trained) {
    let mut wrong: Vec<_> = trained.confusion.iter().filter(|(label, given, _)| label != given).collect();
    if wrong.is_empty() {
        html.raw("<p>The new model confuses no two classes on these windows.</p>\n");
        return;
    }
    wrong.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.cmp(b)));
    html.raw("<div class=\"table\" role=\"region\" aria-label=\"Confused classes\" tabindex=\"0\"><table><caption>What the new ");
    html.raw(
        "model confuses</caption>\n<thead><tr><th scope=\"col\">Label</th><th scope=\"col\">Given class</th>",
    );
    html.raw("<th scope=\"col\" class=\"n\">Windows</th></tr></thead>\n<tbody>\n");
    for (label, given, windows) in wrong.iter().take(MOST_CONFUSED) {
        html.raw("<tr><th scope=\"row\">")
            .clipped(label)
            .raw("</th><td>")
            .clipped(given)
            .raw("</td><td class=\"n\">");
        html.text(count(*windows)).raw("</td></tr>\n");
    }
    html.raw("</tbody></table></div>\n");
}

/// The buttons. Scripts ask once more in a dialog; without them the buttons are enough, since this is the confirmation.
fn decisions(html: &mut Html, trained: &Trained) {
    html.raw("<div class=\"decide\">");
    decide(html, "switch", "Switch to the new model");
    decide(html, "discard", "Discard it");
    html.raw("</div>\n<dialog id=\"confirm\" aria-labelledby=\"confirm-title\"><h2 id=\"confirm-title\">Switch to the new model?");
    html.raw("</h2>\n<p>It judges every window from now on. It gets ")
        .text(tenths(trained.accuracy))
        .raw(" right");
    if let Some(present) = trained.present_accuracy {
        html.raw(", the present one ").text(tenths(present));
    }
    html.raw(".</p>\n<div class=\"decide\"><button type=\"button\" data-confirm>Switch</button>");
    html.raw("<button type=\"button\" data-cancel class=\"plain\">Cancel</button></div></dialog>\n");
}

fn decide(html: &mut Html, choice: &'static str, text: &'static str) {
    html.raw("<form method=\"post\" action=\"/requests\"");
    html.flag("data-dialog=\"confirm\"", choice == "switch");
    html.raw(
        "><input type=\"hidden\" name=\"request\" value=\"decide\"><input type=\"hidden\" name=\"choice\"",
    );
    html.attr("value", choice).raw("><input type=\"hidden\" name=\"back\" value=\"/model\"><button");
    html.attr("data-key", choice)
        .flag("class=\"plain\"", choice == "discard")
        .raw(">")
        .raw(text)
        .raw("</button></form>");
}

fn label_table(html: &mut Html, labels: &[GivenLabel], devices: &[DeviceRecord]) {
    if labels.is_empty() {
        html.raw("<p class=\"empty\">No label yet. Labels that you give on the pages of devices appear here at once.</p>\n");
        return;
    }
    let names = Names::of(devices);
    html.raw("<div class=\"table\" role=\"region\" aria-label=\"Labels\" tabindex=\"0\"><table class=\"cards\"><caption>");
    html.text(counted(labels.len() as u64, "labelled device"))
        .raw("</caption>\n<thead><tr><th scope=\"col\">Device</th>");
    html.raw("<th scope=\"col\">Label</th><th scope=\"col\">Class given</th><th scope=\"col\" class=\"n\">Windows</th>");
    html.raw("<th scope=\"col\">Since</th></tr></thead>\n<tbody>\n");
    for label in labels {
        // Devices come in the order of their addresses.
        let place = devices.binary_search_by_key(&label.device, |device| device.sighting.device).ok();
        let device = place.and_then(|place| devices.get(place));
        let verdict = device.and_then(|device| device.verdict.as_ref());
        let class = verdict.map(|verdict| verdict.class.as_deref().unwrap_or("unknown"));
        html.raw("<tr").attr("data-key", format!("label-{}", label.device)).raw("><th scope=\"row\">");
        html.with(|html| names.link(html, label.device))
            .raw("</th><td data-label=\"Label\">")
            .clipped(&label.label);
        html.raw("</td><td data-label=\"Class given\">").clipped(class.unwrap_or("–"));
        html.raw("</td><td data-label=\"Windows\" class=\"n\">");
        html.text(device.map_or("–".to_owned(), |device| count(device.windows)))
            .raw("</td><td data-label=\"Since\">");
        html.time(label.at).raw("</td></tr>\n");
    }
    html.raw("</tbody></table></div>\n");
}
