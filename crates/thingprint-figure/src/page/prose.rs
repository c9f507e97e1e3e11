//! Text with emphasis, and badges.

use thingprint_table::escape::html as escape;
use thingprint_table::{Badge, Prose, Span, Tone};

/// What the address of a link may begin with; any other is written as text.
const SCHEMES: [&str; 4] = ["https://", "http://", "mailto:", "#"];

pub(super) fn html(prose: &Prose) -> String {
    prose.spans().iter().map(span).collect()
}

pub(super) fn badge(badge: &Badge) -> String {
    format!("<span class=\"badge {}\">{}</span>", class(badge.tone()), escape(badge.text()))
}

/// Class of the style sheet.
pub(super) const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Plain => "plain",
        Tone::Note => "info",
        Tone::Low => "low",
        Tone::Medium => "medium",
        Tone::High => "high",
        Tone::Critical => "critical",
    }
}

/// Place in the order of sorting.
pub(super) const fn rank(tone: Tone) -> u8 {
    match tone {
        Tone::Good => 0,
        Tone::Plain => 1,
        Tone::Note => 2,
        Tone::Low => 3,
        Tone::Medium => 4,
        Tone::High => 5,
        Tone::Critical => 6,
    }
}

fn span(span: &Span) -> String {
    match span {
        Span::Text(text) => escape(text),
        Span::Strong(text) => format!("<strong>{}</strong>", escape(text)),
        Span::Code(text) => format!("<code>{}</code>", escape(text)),
        Span::Link { text, address } if SCHEMES.iter().any(|scheme| address.starts_with(scheme)) => {
            format!("<a href=\"{}\" rel=\"noreferrer\">{}</a>", escape(address), escape(text))
        }
        Span::Link { text, address } => format!("{} ({})", escape(text), escape(address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_schemes_become_links() {
        let check =
            |address: &str, expected: &str| assert_eq!(html(&Prose::new().link("x", address)), expected);
        check("https://a.example/?a&b", "<a href=\"https://a.example/?a&amp;b\" rel=\"noreferrer\">x</a>");
        check("#top", "<a href=\"#top\" rel=\"noreferrer\">x</a>");
        check("javascript:alert(1)", "x (javascript:alert(1))");
        check(" https://a.example", "x ( https://a.example)");
    }
}
