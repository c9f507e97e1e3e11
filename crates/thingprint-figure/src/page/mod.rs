//! Pages of HTML that need nothing beside them.

mod prose;
mod table;

use std::fmt;

use thingprint_table::{Prose, Table, Tone, escape};

use crate::drawing::{Drawing, Figure, HATCHES};

/// The style sheet, of the page and of its figures.
const STYLE: &str = concat!(include_str!("page.css"), include_str!("../figure.css"));
/// Sorts tables by a click or key on the head of a column. The page can be read without it.
const SCRIPT: &str = include_str!("sort.js");
/// SHA-256 of both, by which the page's policy lets in these and nothing else.
const STYLE_HASH: &str = "69WtIkE5cJfC9wykrH/7Qsq3bYPRpUvwMDpmGx7MNU0=";
const SCRIPT_HASH: &str = "mmr4iPMgJwgkM8vggsgVkxpZRWpuKFE0ZxcZ/TlsDnM=";
/// From so many sections on a page has a list of them.
const LISTED_FROM: usize = 3;

/// One self-contained HTML page: prose, tables that can be sorted, figures.
///
/// It needs no network and no scripts, follows the reader's choice of light or dark, and can be printed. A content
/// security policy forbids everything but its own style sheet and script. Every text is escaped, so that names seen
/// on a network can be written as they are.
///
/// ```
/// use thingprint_figure::Page;
/// use thingprint_table::{Prose, Tone};
///
/// let mut page = Page::new("Audit of <lab>");
/// page.summary("What ten devices were seen to do.");
/// page.section("Findings").note(Tone::High, Prose::from("One device offers ").code("TLS 1.0"));
/// page.details("How this was made", |page| {
///     page.definitions([("seed", "1"), ("policy", "bcp2026")]);
/// });
/// assert!(page.html().contains("Audit of &lt;lab&gt;"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    title: String,
    body: String,
    sections: Vec<String>,
}

impl Page {
    /// An empty page of a title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// What the page says, in a sentence or two.
    pub fn summary(&mut self, prose: impl Into<Prose>) -> &mut Self {
        self.write(&format!("<p class=\"summary\">{}</p>\n", prose::html(&prose.into())))
    }

    /// Begins a section. Three sections or more are listed at the top; the first has the anchor `#s1`.
    pub fn section(&mut self, title: impl Into<String>) -> &mut Self {
        let title = title.into();
        self.sections.push(title.clone());
        let number = self.sections.len();
        self.write(&format!("<h2 id=\"s{number}\">{}</h2>\n", escape::html(&title)))
    }

    /// A paragraph.
    pub fn paragraph(&mut self, prose: impl Into<Prose>) -> &mut Self {
        self.write(&format!("<p>{}</p>\n", prose::html(&prose.into())))
    }

    /// A paragraph that stands out, such as how a figure may mislead.
    pub fn note(&mut self, tone: Tone, prose: impl Into<Prose>) -> &mut Self {
        let (class, prose) = (prose::class(tone), prose::html(&prose.into()));
        self.write(&format!("<div class=\"note {class}\" role=\"note\"><p>{prose}</p></div>\n"))
    }

    /// A list of items.
    pub fn list<T: Into<Prose>>(&mut self, items: impl IntoIterator<Item = T>) -> &mut Self {
        let item = |item: T| format!("<li>{}</li>\n", prose::html(&item.into()));
        let items: String = items.into_iter().map(item).collect();
        if items.is_empty() { self } else { self.write(&format!("<ul>\n{items}</ul>\n")) }
    }

    /// A table that readers can sort, with a caption that says what it shows.
    pub fn table(&mut self, table: &Table, caption: impl Into<Prose>) -> &mut Self {
        self.write(&table::html(table, &caption.into()))
    }

    /// A figure with a caption.
    pub fn figure(&mut self, figure: &(impl Figure + ?Sized), caption: impl Into<Prose>) -> &mut Self {
        self.drawing(&figure.draw(), caption)
    }

    /// A figure that was drawn already, with a caption.
    pub fn drawing(&mut self, drawing: &Drawing, caption: impl Into<Prose>) -> &mut Self {
        let caption = caption.into();
        let caption = if caption.is_empty() {
            String::new()
        } else {
            format!("<figcaption>{}</figcaption>\n", prose::html(&caption))
        };
        self.write(&format!("<figure>\n{}{caption}</figure>\n", drawing.inline()))
    }

    /// Something that shows when its summary is opened. Sections do not belong into it.
    pub fn details(&mut self, summary: impl Into<Prose>, write: impl FnOnce(&mut Self)) -> &mut Self {
        let summary = prose::html(&summary.into());
        self.write(&format!("<details>\n<summary>{summary}</summary>\n"));
        write(self);
        self.write("</details>\n")
    }

    /// Terms and what they stand for, such as seed and commit.
    pub fn definitions<T, D>(&mut self, definitions: impl IntoIterator<Item = (T, D)>) -> &mut Self
    where
        T: Into<Prose>,
        D: Into<Prose>,
    {
        let definition = |(term, meaning): (T, D)| {
            format!("<dt>{}</dt><dd>{}</dd>\n", prose::html(&term.into()), prose::html(&meaning.into()))
        };
        let definitions: String = definitions.into_iter().map(definition).collect();
        if definitions.is_empty() { self } else { self.write(&format!("<dl>\n{definitions}</dl>\n")) }
    }

    /// Text as a program writes it, line by line.
    pub fn code(&mut self, text: &str) -> &mut Self {
        let lines: Vec<String> = text.lines().map(escape::html).collect();
        self.write(&format!("<pre tabindex=\"0\"><code>{}</code></pre>\n", lines.join("\n")))
    }

    /// The page as the text of a file.
    pub fn html(&self) -> String {
        self.to_string()
    }

    fn write(&mut self, html: &str) -> &mut Self {
        self.body.push_str(html);
        self
    }

    fn contents(&self) -> String {
        if self.sections.len() < LISTED_FROM {
            return String::new();
        }
        let item = |(index, title): (usize, &String)| {
            format!("<li><a href=\"#s{}\">{}</a></li>\n", index + 1, escape::html(title))
        };
        let items: String = self.sections.iter().enumerate().map(item).collect();
        format!("<nav aria-label=\"Contents\">\n<ul>\n{items}</ul>\n</nav>\n")
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = escape::html(&self.title);
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{STYLE_HASH}'; script-src 'sha256-{SCRIPT_HASH}'; \
             base-uri 'none'; form-action 'none'"
        );
        let hatches = if self.body.contains("url(#tp-h") {
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tp hatches\" aria-hidden=\"true\">{HATCHES}</svg>\n"
            )
        } else {
            String::new()
        };
        write!(
            f,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"color-scheme\" content=\"light dark\"/>\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{hatches}\
             <main>\n<h1>{title}</h1>\n{}{}</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
            self.contents(),
            self.body
        )
    }
}
