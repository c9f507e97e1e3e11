/// Running text: plain, strong, code and links.
///
/// ```
/// use thingprint_table::Prose;
///
/// let prose = Prose::from("Offered ").code("TLS 1.0").text(", see ").link("RFC 8996", "https://www.rfc-editor.org");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prose {
    spans: Vec<Span>,
}

/// A part of a [`Prose`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// Plain text.
    Text(String),
    /// Text that stands out.
    Strong(String),
    /// A name or value as a program knows it.
    Code(String),
    /// A link.
    Link {
        /// What is shown.
        text: String,
        /// Where it leads to.
        address: String,
    },
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

    /// Adds a link. On a page, an address that is not of HTTP, mail or the page itself becomes text, since following it
    /// might run something.
    #[must_use]
    pub fn link(self, text: impl Into<String>, address: impl Into<String>) -> Self {
        self.with(Span::Link { text: text.into(), address: address.into() })
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The parts, in order.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The text without emphasis and addresses.
    pub fn plain(&self) -> String {
        let text = |span: &Span| match span {
            Span::Text(text) | Span::Strong(text) | Span::Code(text) | Span::Link { text, .. } => {
                text.clone()
            }
        };
        self.spans.iter().map(text).collect()
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
