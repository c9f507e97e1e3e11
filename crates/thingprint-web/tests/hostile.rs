//! Names that somebody hostile chose stay text in every view.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use thingprint_table::escape;
use thingprint_web::Web;

use client::{Stream, get, post, start};
use fake::{Fake, id};

mod client;
mod fake;

/// What a device may call itself: markup, quotes, escapes of terminals, marks that turn writing, the end of a comment, of a
/// title and of a script, and lines of a stream of updates.
const NAMES: [&str; 7] = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><b onmouseover='alert(1)'>&lt;b&gt;",
    "a\u{202e}gpj.exe\u{2066}\u{200f}b\u{61c}",
    "\u{1b}[31mred\u{0}\u{7f}\u{85}\u{2028}end",
    "--></title></textarea></script></svg></datalist>",
    "line\r\nevent: resync\ndata: {}\n\n",
    "{{7*7}} ${7*7} %3Cb%3E javascript:alert(1) ../../../",
];

/// The views that show text from the network.
fn views() -> Vec<String> {
    let device = format!("/devices/{}", id(0));
    let fixed = ["/", "/?sort=class", "/changes?since=all", "/findings?state=all", "/health", "/model"];
    fixed.iter().map(|view| (*view).to_owned()).chain([device.clone(), device + "?days=30"]).collect()
}

/// A page over a device of that name, with a model that waits for a decision.
fn page_of(name: &str) -> (Web, Fake) {
    let fake = Fake::hostile(name);
    let web = start(fake.clone());
    assert_eq!(post(&web, "/requests", "request=train&back=/model").status, 303);
    let is_trained = || get(&web, "/api/v1/training").body.contains("\"state\":\"trained\"");
    for _ in 0..400 {
        if is_trained() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(is_trained(), "{}", get(&web, "/api/v1/training").body);
    (web, fake)
}

#[test]
fn hostile_names_add_no_element_and_no_attribute() {
    let (plain, _) = page_of("an ordinary name");
    let long = format!("{}<b>", "x".repeat(252));
    for name in NAMES.iter().copied().chain([long.as_str()]) {
        let (web, _) = page_of(name);
        for view in views() {
            let (plain, hostile) = (get(&plain, &view), get(&web, &view));
            assert_eq!((plain.status, hostile.status), (200, 200), "{view}");
            assert_eq!(elements(&hostile.body), elements(&plain.body), "{name:?} in {view}");
            let text = escape::html(name.trim());
            assert!(hostile.body.contains(&text), "{name:?} is not in {view}");
            let bad = hostile.body.chars().find(|c| escape::is_control(*c) && *c != '\n');
            assert_eq!(bad, None, "{name:?} in {view}");
        }
    }
}

#[test]
fn hostile_searches_and_parameters_stay_text() {
    let web = start(Fake::with_devices(3));
    let plain = elements(&get(&web, "/?q=nobody").body);
    for query in ["%22%3E%3Cscript%3E", "%E2%80%AE", "%3C/title%3E", "%00%1b"] {
        assert_eq!(elements(&get(&web, &format!("/?q={query}")).body), plain, "{query}");
        for path in
            ["/?show=", "/?sort=", "/changes?since=", "/changes?device=", "/findings?severity=", "/devices/"]
        {
            let answer = get(&web, &format!("{path}{query}"));
            assert!(matches!(answer.status, 400 | 404), "{path}{query}: {}", answer.status);
            assert!(
                !answer.body.contains("<script>") && !answer.body.contains("</title><"),
                "{}",
                answer.body
            );
        }
    }
}

#[test]
fn json_holds_hostile_names_as_they_are() {
    for name in NAMES {
        let (web, fake) = page_of(name);
        let device = get(&web, &format!("/api/v1/devices/{}", id(0)));
        assert_eq!(device.header("content-type"), Some("application/json"));
        assert_eq!(device.json()["host_name"], name);
        assert_eq!(get(&web, "/api/v1/events").json()["events"][0]["text"], name);
        let mut stream = Stream::open(&web).unwrap();
        let updates = fake.appear(name);
        web.publish(&updates);
        let (event, data) = stream.next();
        assert_eq!((event.as_str(), &data["host_name"]), ("device", &name.into()));
        assert_eq!(stream.next().0, "event");
    }
}

/// Tags with the names of their attributes, in order. The values are left out: they may differ.
fn elements(page: &str) -> Vec<String> {
    let (mut elements, mut rest) = (Vec::new(), page);
    while let Some(at) = rest.find('<') {
        let tag = &rest[at..at + end_of_tag(&rest[at..])];
        elements.push(without_values(tag));
        rest = &rest[at + tag.len()..];
    }
    elements
}

/// Where a tag ends, whatever its quoted values hold.
fn end_of_tag(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return at + 1,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    text.len()
}

fn without_values(tag: &str) -> String {
    let (mut bare, mut quote) = (String::new(), false);
    for c in tag.chars() {
        if c == '"' {
            quote = !quote;
        } else if !quote {
            bare.push(c);
        }
    }
    bare
}

#[test]
fn the_reader_of_elements_finds_what_is_added() {
    assert_eq!(elements("<a href=\"<b>\">x</a>"), ["<a href=>", "</a>"]);
    assert_ne!(elements("<p>a</p>"), elements("<p>a<b></p>"));
    assert_ne!(elements("<p title=\"a\">"), elements("<p title=\"a\" onclick=\"b\">"));
}
