//! Text with a little emphasis.

use crate::xml::escape;

/// What the address of a link may begin with; any other is written as text.
const SCHEMES: [&str; 4] = ["https://", "http://", "mailto:", "#"];

/// Running text: plain, strong, code and links.
///
/// ```
/// use thingprint_figure::Prose;
///
/// let prose = Prose::from("Offered ").code("TLS 1.0").text(", see ").link("RFC 8996", "https://www.rfc-editor.org");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prose {
    spans: Vec<Span>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Span {
    Text(String),
    Strong(String),
    Code(String),
    Link { text: String, address: String },
}

impl Prose {
    /// No text yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds plain text.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.with(Span::Text(text.into()))
    }

    /// Adds text that stands out.
    #[must_use]
    pub fn strong(self, text: impl Into<String>) -> Self {
        self.with(Span::Strong(text.into()))
    }

    /// Adds a name or value as a program knows it.
    #[must_use]
    pub fn code(self, text: impl Into<String>) -> Self {
        self.with(Span::Code(text.into()))
    }

    /// Adds a link. An address that is not of HTTP, mail or the page itself becomes text, since following it might
    /// run something.
    #[must_use]
    pub fn link(self, text: impl Into<String>, address: impl Into<String>) -> Self {
        self.with(Span::Link { text: text.into(), address: address.into() })
    }

    /// Whether nothing was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub(crate) fn html(&self) -> String {
        self.spans.iter().map(Span::html).collect()
    }

    fn with(mut self, span: Span) -> Self {
        self.spans.push(span);
        self
    }
}

impl From<&str> for Prose {
    fn from(text: &str) -> Self {
        Self::new().text(text)
    }
}

impl From<String> for Prose {
    fn from(text: String) -> Self {
        Self::new().text(text)
    }
}

impl Span {
    fn html(&self) -> String {
        match self {
            Self::Text(text) => escape(text),
            Self::Strong(text) => format!("<strong>{}</strong>", escape(text)),
            Self::Code(text) => format!("<code>{}</code>", escape(text)),
            Self::Link { text, address } if SCHEMES.iter().any(|scheme| address.starts_with(scheme)) => {
                format!("<a href=\"{}\" rel=\"noreferrer\">{}</a>", escape(address), escape(text))
            }
            Self::Link { text, address } => format!("{} ({})", escape(text), escape(address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_schemes_become_links() {
        let check =
            |address: &str, expected: &str| assert_eq!(Prose::new().link("x", address).html(), expected);
        check("https://a.example/?a&b", "<a href=\"https://a.example/?a&amp;b\" rel=\"noreferrer\">x</a>");
        check("#top", "<a href=\"#top\" rel=\"noreferrer\">x</a>");
        check("javascript:alert(1)", "x (javascript:alert(1))");
        check(" https://a.example", "x ( https://a.example)");
        check("data:text/html,x", "x (data:text/html,x)");
    }
}
