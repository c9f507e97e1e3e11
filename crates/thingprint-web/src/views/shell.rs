//! What all views have around them.

use std::sync::LazyLock;

use thingprint_watch::Health;

use crate::asset;
use crate::html::Html;
use crate::site::clock;
use crate::time;
use crate::views::status;

/// The views in the order of the navigation: address, name, and what is in it.
const VIEWS: [(&str, &str); 5] = [
    ("/", "Devices"),
    ("/changes", "Changes"),
    ("/findings", "Findings"),
    ("/health", "Capture"),
    ("/model", "Model"),
];

/// Version of the page's files in their addresses, so that browsers keep them until they change.
static VERSION: LazyLock<String> = LazyLock::new(|| format!("{:016x}", asset::version()));

/// A view in the frame of the page.
pub(crate) struct View<'a> {
    pub(crate) title: &'a str,
    /// Its address in the navigation.
    pub(crate) place: &'a str,
    /// Which updates have the page's script load it again.
    pub(crate) follows: Follows<'a>,
    pub(crate) health: &'a Health,
    pub(crate) body: &'a Html,
}

/// Which updates change a view. What people do, and that updates were left out, changes every view.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Follows<'a> {
    /// All of them.
    All,
    /// Those of a device, since its evidence is costly.
    Device(&'a str),
    /// Those of these names.
    Kinds(&'static str),
}

impl View<'_> {
    /// The whole document.
    pub(crate) fn document(&self) -> String {
        let mut html = head(self.title, true);
        html.raw(
            "<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header class=\"top\">\n",
        );
        html.raw("<p class=\"brand\"><a href=\"/\">thingprint</a></p>\n<nav aria-label=\"Views\"><ul>\n");
        for (address, name) in VIEWS {
            html.raw("<li><a").attr("href", address);
            html.flag("aria-current=\"true\"", address == self.place).raw(">").text(name).raw("</a></li>\n");
        }
        html.raw("</ul></nav>\n").with(|html| status::line(html, self.health)).raw("</header>\n");
        html.raw("<main id=\"main\" tabindex=\"-1\"");
        match self.follows {
            Follows::All => {}
            Follows::Device(device) => _ = html.attr("data-device", device),
            Follows::Kinds(kinds) => _ = html.attr("data-kinds", kinds),
        }
        html.raw(">\n").add(self.body).raw("\n</main>\n");
        html.raw("<footer><p>Times in <span id=\"zone\">UTC</span>. Ages are counted from the last packet, ");
        html.text(time::minute(clock(self.health))).raw(" UTC.</p></footer>\n");
        html.raw("<div id=\"announce\" class=\"unseen\" role=\"status\" aria-live=\"polite\"></div>\n");
        html.raw("</body>\n</html>\n");
        html.into_string()
    }
}

/// A document without navigation, for what has no view.
pub(crate) fn bare(title: &str, body: &Html) -> String {
    let mut html = head(title, false);
    html.raw("<body class=\"bare\">\n<main id=\"main\">\n").add(body).raw("\n</main>\n</body>\n</html>\n");
    html.into_string()
}

fn head(title: &str, has_script: bool) -> Html {
    let mut html = Html::new();
    html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<title>").text(title);
    html.raw(" · thingprint</title>\n<link rel=\"stylesheet\"").attr("href", versioned("/static/page.css"));
    html.raw(">\n<link rel=\"icon\" type=\"image/svg+xml\"")
        .attr("href", versioned("/static/icon.svg"))
        .raw(">\n");
    if has_script {
        html.raw("<script type=\"module\"").attr("src", versioned("/static/page.js")).raw("></script>\n");
    }
    html.raw("</head>\n");
    html
}

fn versioned(address: &str) -> String {
    format!("{address}?v={}", *VERSION)
}
