//! All devices.

use thingprint_flow::Timestamp;
use thingprint_watch::{DeviceRecord, Health, Standing, WindowAnswer};

use super::field;
use super::words::{count, counted, percent};
use crate::address;
use crate::device_list::{DeviceList, DevicePage, Show, SortKey, name, vendor};
use crate::html::Html;
use crate::site::clock;
use crate::views::shell::{Follows, View};

/// Addresses that a row shows; the page of the device has all.
const ROW_ADDRESSES: usize = 2;
/// The choices of the filter, in words.
const CHOICES: [(Show, &str); 9] = [
    (Show::All, "all"),
    (Show::New, "new"),
    (Show::Unknown, "unknown class"),
    (Show::Findings, "with open findings"),
    (Show::Events, "with open events"),
    (Show::Labelled, "labelled"),
    (Show::Unlabelled, "not labelled"),
    (Show::Gateways, "gateways"),
    (Show::Muted, "muted"),
];
/// The filters with a number at the top.
const COUNTED: [(Show, &str); 5] = [
    (Show::All, "all"),
    (Show::New, "new"),
    (Show::Unknown, "unknown"),
    (Show::Findings, "with findings"),
    (Show::Events, "with events"),
];
/// The columns: what they are sorted by, their name, whether the greatest comes first, and what they say.
const COLUMNS: [(SortKey, &str, bool, &str); 8] = [
    (
        SortKey::Name,
        "Device",
        false,
        "The label that a person gave, else the name that it told DHCP, else its address. Below: its MAC address and the \
         IP addresses that it sent from.",
    ),
    (
        SortKey::Class,
        "Class",
        false,
        "What the model takes it for over its last windows. It is unknown where no class is sure, or where it is like \
         none of those that were trained.",
    ),
    (
        SortKey::Confidence,
        "Confidence",
        true,
        "Mean probability of the class. It is how sure the model is among the classes that it knows, and not how often it \
         is right.",
    ),
    (
        SortKey::Vendor,
        "Vendor",
        false,
        "The vendor by what the device and its address say, else the family of the class where the evidence for it is clear, \
         else the vendor class that the device told DHCP.",
    ),
    (SortKey::FirstSeen, "First seen", true, "Time of its first packet."),
    (SortKey::LastSeen, "Last seen", true, "Age of its last packet, by the clock of the packets."),
    (SortKey::Findings, "Findings", true, "What the audit found and nobody acknowledged, by severity."),
    (SortKey::Events, "Events", true, "Events that nobody acknowledged."),
];

/// The view.
pub(crate) fn document(devices: &[DeviceRecord], list: &DeviceList, health: &Health) -> String {
    let page = list.of(devices);
    let mut body = Html::new();
    body.raw("<h1>Devices</h1>\n")
        .with(|body| counts(body, (devices, list), health.model.is_some()))
        .with(|body| filter(body, list));
    if devices.is_empty() {
        nothing_yet(&mut body, health);
    } else {
        table(&mut body, (&page, list), (clock(health), health.model.is_some()));
    }
    body.with(legend);
    View { title: "Devices", place: "/", follows: Follows::All, health, body: &body }.document()
}

/// How many there are of each kind; each number shows those. Where there is no model and no verdict of an earlier one, nobody knows
/// how many are unknown.
fn counts(html: &mut Html, (devices, list): (&[DeviceRecord], &DeviceList), has_model: bool) {
    let is_judged = has_model || devices.iter().any(|device| device.verdict.is_some());
    html.raw("<ul id=\"counts\" class=\"counts\" data-live aria-label=\"Numbers of devices\">\n");
    for (show, words) in COUNTED.into_iter().filter(|(show, _)| *show != Show::Unknown || is_judged) {
        let number = devices.iter().filter(|device| show.has(device)).count();
        let address =
            address::with_query("/", &[("show", if show == Show::All { "" } else { show.as_str() })]);
        html.raw("<li><a").attr("href", address);
        html.flag("aria-current=\"true\"", list.show == show && list.search.is_empty());
        html.raw("><strong>").text(count(number as u64)).raw("</strong> ").text(words).raw("</a></li>\n");
    }
    html.raw("</ul>\n");
}

fn filter(html: &mut Html, list: &DeviceList) {
    html.raw("<form id=\"filter\" class=\"filter\" method=\"get\" action=\"/\" role=\"search\">\n");
    field::search(html, "name, address, class, vendor", &list.search);
    let shown = CHOICES.iter().map(|(show, words)| (show.as_str(), *words, list.show == *show));
    field::choice(html, ("show", "Show"), shown);
    field::choice(html, ("sort", "Order"), orders(list));
    html.raw("<button>Apply</button>\n</form>\n");
}

/// The orders to choose from: that of each column, and the present one if it is another.
fn orders(list: &DeviceList) -> Vec<(String, String, bool)> {
    let chosen = DeviceList::sort_parameter(list.key, list.is_descending);
    let attention = (SortKey::Attention.to_string(), "what needs attention".to_owned());
    let columns = COLUMNS.iter().map(|(key, title, is_greatest_first, _)| {
        (DeviceList::sort_parameter(*key, *is_greatest_first), title.to_lowercase())
    });
    let mut orders: Vec<(String, String)> = std::iter::once(attention).chain(columns).collect();
    if !orders.iter().any(|(value, _)| *value == chosen) {
        orders.push((chosen.clone(), format!("{}, reversed", words_of(list.key))));
    }
    orders
        .into_iter()
        .map(|(value, words)| {
            let is_chosen = value == chosen;
            (value, words, is_chosen)
        })
        .collect()
}

/// What an order is called.
fn words_of(key: SortKey) -> String {
    key.as_str().replace('_', " ")
}

fn table(
    html: &mut Html,
    (page, list): (&DevicePage<'_>, &DeviceList),
    (clock, has_model): (Timestamp, bool),
) {
    html.raw("<div id=\"devices\" data-live>\n");
    html.raw("<div class=\"table\" role=\"region\" aria-label=\"Devices\" tabindex=\"0\">\n");
    html.raw("<table class=\"cards\"><caption>").text(caption(page, list)).raw("</caption>\n<thead><tr>");
    for (key, title, is_greatest_first, _) in COLUMNS {
        header(html, list, (key, title, is_greatest_first));
    }
    html.raw("</tr></thead>\n<tbody>\n");
    for device in &page.devices {
        row(html, device, (clock, has_model));
    }
    html.raw("</tbody></table></div>\n");
    if page.devices.is_empty() {
        html.raw("<p class=\"empty\">No device is like that. <a href=\"/\">Show all devices</a></p>\n");
    }
    pager(html, page, list);
    html.raw("</div>\n");
}

fn caption(page: &DevicePage<'_>, list: &DeviceList) -> String {
    let devices = counted(page.total as u64, "device");
    let order = match list.key {
        SortKey::Attention => "what needs attention first".to_owned(),
        key => format!("by {}", words_of(key)),
    };
    if page.pages > 1 {
        return format!(
            "{devices}, {order}; page {} of {}",
            count(page.page as u64),
            count(page.pages as u64)
        );
    }
    format!("{devices}, {order}")
}

fn header(
    html: &mut Html,
    list: &DeviceList,
    (key, title, is_greatest_first): (SortKey, &'static str, bool),
) {
    let is_sorted = list.key == key;
    let is_descending = if is_sorted { !list.is_descending } else { is_greatest_first };
    html.raw("<th scope=\"col\"");
    if is_sorted {
        html.attr("aria-sort", if list.is_descending { "descending" } else { "ascending" });
    }
    html.raw("><a class=\"sort\"").attr("href", link(list, key, is_descending, 1));
    html.attr("data-key", format!("sort-{key}")).raw(">").text(title).raw("</a></th>");
}

fn row(html: &mut Html, device: &DeviceRecord, (clock, has_model): (Timestamp, bool)) {
    let sighting = &device.sighting;
    html.raw("<tr").attr("data-key", sighting.device.to_string()).raw("><th scope=\"row\">");
    html.with(|html| naming(html, device)).raw("</th>");
    html.raw("<td data-label=\"Class\">").with(|html| class(html, device, has_model)).raw("</td>");
    html.raw("<td data-label=\"Confidence\" class=\"n\">").with(|html| confidence(html, device)).raw("</td>");
    html.raw("<td data-label=\"Vendor\" class=\"vendor\">")
        .with(|html| text_or_dash(html, vendor(device)))
        .raw("</td>");
    html.raw("<td data-label=\"First seen\">").time(sighting.first_seen).raw("</td>");
    html.raw("<td data-label=\"Last seen\">").ago(sighting.last_seen, clock).raw("</td>");
    html.raw("<td data-label=\"Findings\">").with(|html| findings(html, device)).raw("</td>");
    html.raw("<td data-label=\"Events\" class=\"n\">").with(|html| events(html, device)).raw("</td></tr>\n");
}

fn naming(html: &mut Html, device: &DeviceRecord) {
    let sighting = &device.sighting;
    let id = sighting.device.to_string();
    html.raw("<a class=\"name clip\"").attr("href", address::device(&id)).attr("title", name(device));
    html.attr("data-key", format!("open-{id}")).raw(">").text(name(device)).raw("</a>");
    html.raw(" ")
        .with(|html| badges(html, device))
        .raw("<span class=\"sub clip\"><code>")
        .text(&id)
        .raw("</code>");
    for address in sighting.addresses.iter().take(ROW_ADDRESSES) {
        html.raw(" <code>").value(address).raw("</code>");
    }
    let more = sighting.addresses.len().saturating_sub(ROW_ADDRESSES);
    if more > 0 {
        html.raw(" +").value(more);
    }
    html.raw("</span>");
}

/// What is special about a device.
pub(super) fn badges(html: &mut Html, device: &DeviceRecord) {
    let sighting = &device.sighting;
    let badges = [
        (device.is_new, "note", "new"),
        (sighting.gateway.is_some(), "plain", "gateway"),
        (sighting.is_randomised, "plain", "random MAC"),
        (device.is_muted, "plain", "muted"),
    ];
    for (_, tone, text) in badges.into_iter().filter(|(is_so, ..)| *is_so) {
        html.badge(tone, text).raw(" ");
    }
}

fn class(html: &mut Html, device: &DeviceRecord, has_model: bool) {
    let so_far = device.provisional.as_ref().and_then(|window| window.answer.as_ref());
    match (&device.verdict, so_far) {
        _ if device.sighting.gateway.is_some() => _ = html.raw("<span class=\"absent\">not judged</span>"),
        (Some(verdict), _) => standing(html, verdict),
        (None, Some(answer)) => first_guess(html, answer),
        (None, None) if has_model => _ = html.raw("<span class=\"absent\">no verdict yet</span>"),
        (None, None) => _ = html.raw("<span class=\"absent\">no model</span>"),
    }
}

/// The answer for a window under way, where there is no verdict yet.
fn first_guess(html: &mut Html, answer: &WindowAnswer) {
    let Some(class) = &answer.class else {
        html.badge("unknown", "unknown").raw("<span class=\"sub clip\"");
        html.attr("title", answer.reason.as_deref().unwrap_or("")).raw(">so far, like ");
        html.text(&answer.best_guess).raw("</span>");
        return;
    };
    html.clipped(class).raw("<span class=\"sub\">so far, not final</span>");
}

fn standing(html: &mut Html, verdict: &Standing) {
    let Some(class) = &verdict.class else {
        html.badge("unknown", "unknown").raw("<span class=\"sub clip\"");
        html.attr("title", verdict.reason.as_deref().unwrap_or("")).raw(">like ").text(&verdict.best_guess);
        html.raw("</span>");
        return;
    };
    html.clipped(class);
}

fn confidence(html: &mut Html, device: &DeviceRecord) {
    let so_far = device.provisional.as_ref().and_then(|window| window.answer.as_ref());
    match (&device.verdict, so_far) {
        _ if device.sighting.gateway.is_some() => dash(html),
        (Some(verdict), _) => meter(html, verdict.confidence),
        (None, Some(answer)) => meter(html, answer.confidence),
        (None, None) => dash(html),
    }
}

/// A share as a number with a bar.
pub(super) fn meter(html: &mut Html, share: f64) {
    let width = if share.is_finite() { share.clamp(0.0, 1.0) * 100.0 } else { 0.0 };
    html.text(percent(share)).raw("<svg class=\"meter\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" ");
    html.raw("aria-hidden=\"true\"><rect class=\"back\" width=\"100\" height=\"6\"/><rect class=\"fill\" height=\"6\"");
    html.attr("width", format!("{width:.0}")).raw("/></svg>");
}

/// Numbers of open findings as badges.
pub(super) fn findings(html: &mut Html, device: &DeviceRecord) {
    let found = device.findings;
    let kinds =
        [("high", found.error, "error"), ("medium", found.warning, "warning"), ("info", found.note, "note")];
    let mut is_empty = true;
    for (tone, number, noun) in kinds.into_iter().filter(|(_, number, _)| *number > 0) {
        html.badge(tone, &counted(number, noun)).raw(" ");
        is_empty = false;
    }
    if is_empty {
        dash(html);
    }
}

fn events(html: &mut Html, device: &DeviceRecord) {
    if device.open_events == 0 {
        return dash(html);
    }
    let address =
        address::with_query("/changes", &[("device", &device.sighting.device.to_string()), ("since", "all")]);
    html.raw("<a").attr("href", address).attr("data-key", format!("events-{}", device.sighting.device));
    html.raw(">").text(count(device.open_events)).raw("<span class=\"unseen\"> open events</span></a>");
}

/// Text that may be absent.
pub(super) fn text_or_dash(html: &mut Html, text: Option<&str>) {
    match text {
        Some(text) => _ = html.clipped(text),
        None => dash(html),
    }
}

fn dash(html: &mut Html) {
    html.raw("<span class=\"absent\">–</span>");
}

fn pager(html: &mut Html, page: &DevicePage<'_>, list: &DeviceList) {
    if page.pages < 2 {
        return;
    }
    html.raw("<nav class=\"pager\" aria-label=\"Pages of devices\">");
    if page.page > 1 {
        let address = link(list, list.key, list.is_descending, page.page - 1);
        html.raw("<a rel=\"prev\" data-key=\"prev\"").attr("href", address).raw(">← Previous</a> ");
    }
    html.raw("<span>Page ").value(page.page).raw(" of ").value(page.pages).raw("</span>");
    if page.page < page.pages {
        let address = link(list, list.key, list.is_descending, page.page + 1);
        html.raw(" <a rel=\"next\" data-key=\"next\"").attr("href", address).raw(">Next →</a>");
    }
    html.raw("</nav>\n");
}

fn link(list: &DeviceList, key: SortKey, is_descending: bool, page: usize) -> String {
    let sort = if key == SortKey::Attention {
        String::new()
    } else {
        DeviceList::sort_parameter(key, is_descending)
    };
    let show = if list.show == Show::All { "" } else { list.show.as_str() };
    let page = if page > 1 { page.to_string() } else { String::new() };
    address::with_query("/", &[("q", &list.search), ("show", show), ("sort", &sort), ("page", &page)])
}

fn nothing_yet(html: &mut Html, health: &Health) {
    html.raw("<div id=\"devices\" data-live><div class=\"empty\"><h2>No device yet</h2>\n<p>");
    match health.clock {
        None => html.raw("No packet has arrived. A device appears here seconds after its first packet."),
        Some(_) => html.raw(
            "Packets arrive. A device appears here seconds after the first packet that it sends itself.",
        ),
    };
    html.raw(" Its class follows when its first window ends, an hour as a rule; until then there is a first guess. ");
    html.raw("<a href=\"/health\">Capture</a> shows whether packets arrive.</p></div></div>\n");
}

fn legend(html: &mut Html) {
    html.raw("<details class=\"legend\"><summary>What the columns say</summary>\n<dl>\n");
    for (_, title, _, meaning) in COLUMNS {
        html.raw("<dt>").text(title).raw("</dt><dd>").text(meaning).raw("</dd>\n");
    }
    html.raw("</dl></details>\n");
}
