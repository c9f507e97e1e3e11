//! What speaks for the class of a device, and what against it.

use super::words::percent;
use crate::html::Html;
use crate::why::{Why, WhyValue, WhyWord};

/// Words and inputs that are shown for each side, the strongest of all.
const MOST_SHOWN: usize = 10;
/// Contributions below this are nothing, in nats and in parts of the probability.
const LEAST: f64 = 1e-3;

/// A word or input with its weight.
struct Item<'a> {
    /// The bag of a word; none of an input.
    bag: &'a str,
    name: &'a str,
    detail: String,
    weight: f64,
}

/// Adds the evidence, or why there is none.
pub(super) fn write(html: &mut Html, why: Option<&Why>) {
    let Some(why) = why else {
        html.raw("<p class=\"empty\">Evidence appears here after the first window of this device, if there is a model.</p>\n");
        return;
    };
    summary(html, why);
    let (words, rival) = words(why);
    if !words.is_empty() {
        let (pro, contra) = sides(words);
        html.raw("<div class=\"sides\">\n");
        side(html, &format!("Words for {}", why.class), "for", &pro);
        side(
            html,
            &rival.map_or("Words against it".to_owned(), |rival| format!("Words for {rival} instead")),
            "against",
            &contra,
        );
        html.raw("</div>\n<p class=\"hint\">Weights are nats: the class is e<sup>weight</sup> times as likely with the word ");
        html.raw("as without it, mean of the windows.</p>\n");
    }
    inputs(html, why);
    decisive(html, why);
}

fn summary(html: &mut Html, why: &Why) {
    html.raw("<p>Over ")
        .text(super::words::counted(why.windows, "window"))
        .raw(", <strong>")
        .text(&why.class);
    html.raw("</strong> has probability ").text(percent(why.confidence)).raw(".");
    if let Some(joint) = &why.joint {
        let (nats, rival) = (joint.nats, &joint.rival);
        html.raw(" The words together weigh ")
            .text(format!("{nats:+.1}"))
            .raw(" nats against the runner-up <strong>");
        html.text(rival).raw("</strong>");
        html.raw(if nats > 0.0 { ": they speak for the class." } else { ": they speak for the runner-up." });
    }
    html.raw("</p>\n");
}

/// The words that weigh something, of the joint model where there is one, and the class that they are weighed against.
fn words(why: &Why) -> (Vec<Item<'_>>, Option<&str>) {
    if let Some(joint) = &why.joint {
        let items = joint.bags.iter().flat_map(|bag| bag.words.iter().map(|word| item(&bag.bag, word)));
        return (items.collect(), Some(&joint.rival));
    }
    let items = why.bags.iter().flat_map(|bag| bag.words.iter().map(|word| item(&bag.bag, word)));
    (items.collect(), None)
}

fn item<'a>(bag: &'a str, word: &'a WhyWord) -> Item<'a> {
    Item {
        bag,
        name: &word.word,
        detail: format!("{:.1} in a window", word.count),
        weight: word.contribution,
    }
}

/// What speaks for and what against, each the strongest first.
fn sides(items: Vec<Item<'_>>) -> (Vec<Item<'_>>, Vec<Item<'_>>) {
    let weighty = items.into_iter().filter(|item| item.weight.abs() >= LEAST);
    let (mut pro, mut contra): (Vec<_>, Vec<_>) = weighty.partition(|item| item.weight > 0.0);
    for side in [&mut pro, &mut contra] {
        side.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        side.truncate(MOST_SHOWN);
    }
    (pro, contra)
}

fn side(html: &mut Html, title: &str, tone: &'static str, items: &[Item<'_>]) {
    html.raw("<div class=\"side\"><div class=\"table\" role=\"region\" tabindex=\"0\"")
        .attr("aria-label", title);
    html.raw("><table class=\"weights\"><caption>").text(title).raw("</caption>\n");
    if items.is_empty() {
        html.raw("<tbody><tr><td class=\"absent\">nothing</td></tr></tbody></table></div></div>\n");
        return;
    }
    html.raw("<thead><tr><th scope=\"col\">Word</th><th scope=\"col\">Bag</th>");
    html.raw("<th scope=\"col\" class=\"n\">Weight</th></tr></thead>\n<tbody>\n");
    let greatest = items.iter().map(|item| item.weight.abs()).fold(LEAST, f64::max);
    for item in items {
        html.raw("<tr><th scope=\"row\"")
            .attr("title", &item.detail)
            .raw(">")
            .clipped(item.name)
            .raw("</th><td>");
        html.text(item.bag.replace('_', " ")).raw("</td><td class=\"n\">");
        weight(html, tone, (item.weight, greatest), &format!("{:+.2}", item.weight));
        html.raw("</td></tr>\n");
    }
    html.raw("</tbody></table></div></div>\n");
}

/// A weight as a number with a bar, whose length is its share of the greatest.
fn weight(html: &mut Html, tone: &'static str, (weight, greatest): (f64, f64), text: &str) {
    let width = (weight.abs() / greatest * 100.0).clamp(0.0, 100.0);
    html.text(text)
        .raw("<svg class=\"meter ")
        .raw(tone)
        .raw("\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" ");
    html.raw("aria-hidden=\"true\"><rect class=\"fill\" height=\"6\"").attr("width", format!("{width:.0}"));
    html.raw("/></svg>");
}

/// The inputs of the forest, where one decides.
fn inputs(html: &mut Html, why: &Why) {
    let detail = |value: Option<&WhyValue>| match value {
        None => "absent".to_owned(),
        Some(WhyValue::Number(number)) => thingprint_table::Notation::Significant.text(*number),
        Some(WhyValue::Class(class)) => class.clone(),
    };
    let items = why.inputs.iter().map(|input| Item {
        bag: "",
        name: &input.input,
        detail: detail(input.value.as_ref()),
        weight: input.contribution,
    });
    let mut items: Vec<Item<'_>> = items.filter(|item| item.weight.abs() >= LEAST).collect();
    if items.is_empty() {
        return;
    }
    items.truncate(MOST_SHOWN);
    let greatest = items.iter().map(|item| item.weight.abs()).fold(LEAST, f64::max);
    html.raw("<div class=\"table\" role=\"region\" aria-label=\"Inputs of the forest\" tabindex=\"0\">");
    html.raw("<table class=\"weights\"><caption>Inputs of the forest</caption>\n<thead><tr><th scope=\"col\">Input</th>");
    html.raw("<th scope=\"col\">Value</th><th scope=\"col\" class=\"n\">Change of probability</th></tr></thead>\n<tbody>\n");
    for item in items {
        let tone = if item.weight > 0.0 { "for" } else { "against" };
        html.raw("<tr><th scope=\"row\">")
            .text(item.name.replace('_', " "))
            .raw("</th><td>")
            .clipped(&item.detail);
        let text = format!("{:+.1} %", item.weight * 100.0);
        html.raw("</td><td class=\"n\">").with(|html| weight(html, tone, (item.weight, greatest), &text));
        html.raw("</td></tr>\n");
    }
    html.raw("</tbody></table></div>\n");
}

/// What was not seen and would decide.
fn decisive(html: &mut Html, why: &Why) {
    let Some(joint) = why.joint.as_ref().filter(|joint| !joint.decisive.is_empty()) else { return };
    html.raw("<p>Not seen here, and would decide:</p><ul class=\"decisive\">\n");
    for word in joint.decisive.iter().take(MOST_SHOWN) {
        let side = if word.nats > 0.0 { &why.class } else { &joint.rival };
        html.raw("<li>")
            .text(word.bag.replace('_', " "))
            .raw(" ")
            .clipped(&word.word)
            .raw(" would speak for ")
            .text(side);
        html.raw(" (").text(format!("{:.1}", word.nats.abs())).raw(" nats; in ").text(percent(word.share));
        html.raw(" of its training windows)</li>\n");
    }
    html.raw("</ul>\n");
}
