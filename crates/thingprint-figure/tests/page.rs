//! Pages: well-formed, with nothing of what they show taken for markup, and nothing from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use roxmltree::{Document, Node, ParsingOptions};
use sha2::{Digest, Sha256};
use thingprint_figure::{Axis, BarSeries, Bars, Estimate, Page};
use thingprint_table::{Badge, Cell, Column, Prose, Table, Tone, Type};

#[test]
fn a_page_holds_what_was_written() {
    let html = page("Title", &["a.example".to_owned(), "b".to_owned()]).html();
    let expected = [
        "<title>Title</title>",
        "<h1>Title</h1>",
        "<h2 id=\"s1\">a.example</h2>",
        "<td>a.example</td>",
        "<span class=\"badge high\">a.example</span>",
        "<td class=\"n\" data-sort=\"9.9e-1\">99.0 <span class=\"unit\">%</span></td>",
        "<figcaption>a.example</figcaption>",
        "<dt>seed</dt><dd>a.example</dd>",
    ];
    for part in expected {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn the_policy_lets_in_style_and_script_alone() {
    let html = page("Title", &["x".to_owned()]).html();
    let policy = between(&html, "Content-Security-Policy\" content=\"", "\"");
    let (style, script) = (between(&html, "<style>", "</style>"), between(&html, "<script>", "</script>"));
    let expected = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    );
    assert_eq!(policy, expected);
}

#[test]
fn sections_are_listed_from_three_on() {
    let contents = |sections: usize| {
        let mut page = Page::new("Title");
        (0..sections).for_each(|index| drop(page.section(format!("Section {index}")).html()));
        page.html().contains("<a href=\"#s1\">Section 0</a>")
    };
    assert!(!contents(2));
    assert!(contents(3));
}

#[test]
fn tables_align_numbers_and_fill_what_is_missing() {
    let mut table = Table::new([Column::texts("name"), Column::count("count"), Column::texts("more")]);
    table.add([Cell::from("a"), Cell::from(3_u64)]);
    table.add([Cell::from("b"), Cell::Absent]);
    let html = Page::new("t").table(&table, "").html();
    assert!(html.contains("<th scope=\"col\">name</th><th scope=\"col\" class=\"n\">count</th>"), "{html}");
    assert!(
        html.contains("<td class=\"n\" data-sort=\"3e0\">3</td><td class=\"absent\" data-absent=\"\">–</td>")
    );
}

proptest! {
    #[test]
    fn any_text_is_text(title: String, texts in prop::collection::vec(hostile(), 1..6)) {
        let html = page(&title, &texts).html();
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        // A script's text is no markup in HTML; XML, whose parser checks here, would read it as such.
        let script = between(&html, "<script>", "</script>");
        let xml = html.replace(script, "");
        let document = Document::parse_with_options(&xml, options).unwrap_or_else(|error| panic!("{error} in {xml}"));
        prop_assert_eq!(count(&document, "script"), 1);
        prop_assert_eq!(count(&document, "style"), 1);
        prop_assert_eq!(count(&document, "img"), 0);
        let ids: Vec<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
        prop_assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        for node in document.descendants().filter(Node::is_element) {
            for attribute in node.attributes() {
                let (name, value) = (attribute.name(), attribute.value());
                prop_assert!(!name.starts_with("on") && name != "style" && name != "src", "{}", name);
                prop_assert!(name != "href" || value.starts_with('#') || value.starts_with("https://"), "{}", value);
            }
        }
    }
}

/// A page with every part, all of which say the same texts.
fn page(title: &str, texts: &[String]) -> Page {
    let text = |index: usize| texts[index % texts.len()].clone();
    let mut table = Table::new([
        Column::texts(text(0)).help(text(1)),
        Column::new(text(2), Type::Badges),
        Column::percent("c", 1),
        Column::new("d", Type::Prose),
    ]);
    table.add([
        Cell::from(text(0)),
        Cell::from(Badge::new(text(0), Tone::High)),
        Cell::from(0.99),
        Cell::from(Prose::new().strong(text(2)).code(text(1))),
    ]);
    let bars = Bars {
        title: text(0),
        description: text(1),
        value: Axis::new(text(2), text(3)),
        groups: vec![text(0)],
        series: vec![
            BarSeries { name: text(1), values: vec![Some(Estimate::new(1.0, 0.5))] },
            BarSeries { name: text(2), values: vec![Some(2.0.into())] },
        ],
        ..Bars::default()
    };
    let mut page = Page::new(title);
    page.summary(text(0)).section(text(0)).section(text(1)).section(text(2));
    page.paragraph(
        Prose::from(text(0)).code(text(1)).link(text(2), text(3)).link("x", "https://a.example/'\"<"),
    );
    page.note(Tone::Critical, text(0))
        .list([text(0), text(1)])
        .table(&table, text(0))
        .figure(&bars, text(0))
        .figure(&bars, "");
    page.details(text(0), |page| {
        page.definitions([("seed", text(0)), ("commit", text(1))]).code(&text(2));
    });
    page
}

fn hostile() -> impl Strategy<Value = String> {
    let known = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style><script>",
        "]]>",
        "<!--",
        "&lt;&#0;",
        "javascript:alert(1)",
        "\u{0}\u{8}\u{202e}\u{ffff}",
    ];
    prop_oneof![any::<String>(), prop::sample::select(known.map(String::from).to_vec())]
}

fn count(document: &Document<'_>, name: &str) -> usize {
    document.descendants().filter(|node| node.tag_name().name() == name).count()
}

#[track_caller]
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

/// SHA-256 in Base64, as a content security policy has it.
fn hash(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = Sha256::digest(text.as_bytes());
    let group = |bytes: &[u8]| -> String {
        let bits =
            (0..3).fold(0, |bits, index| bits << 8 | u32::from(bytes.get(index).copied().unwrap_or(0)));
        let letter = |index: usize| {
            let at = usize::try_from(bits >> (18 - 6 * index) & 63).unwrap();
            if index <= bytes.len() { char::from(LETTERS[at]) } else { '=' }
        };
        (0..4).map(letter).collect()
    };
    digest.chunks(3).map(group).collect()
}
