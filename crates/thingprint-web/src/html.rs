use std::fmt::Display;

use thingprint_figure::Drawing;
use thingprint_table::escape;

/// A piece of a page. Markup comes from the program's own text, everything else is escaped: there is no way to put a
/// text of run time in as markup.
#[derive(Clone, Debug, Default)]
pub(crate) struct Html(String);

impl Html {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds markup that is written in the program.
    pub(crate) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text. Markup in it is escaped, and characters that turn or hide what is around them are made visible.
    pub(crate) fn text(&mut self, text: impl AsRef<str>) -> &mut Self {
        self.0.push_str(&escape::html(text.as_ref()));
        self
    }

    /// Adds a number or anything else that is shown as text.
    pub(crate) fn value(&mut self, value: impl Display) -> &mut Self {
        self.text(value.to_string())
    }

    /// Adds an attribute to the tag that is open.
    pub(crate) fn attr(&mut self, name: &'static str, value: impl AsRef<str>) -> &mut Self {
        self.0.extend([" ", name, "=\"", &escape::html(value.as_ref()), "\""]);
        self
    }

    /// Adds an attribute, where it holds.
    pub(crate) fn flag(&mut self, attribute: &'static str, holds: bool) -> &mut Self {
        if holds {
            self.0.extend([" ", attribute]);
        }
        self
    }

    /// Adds text that is cut by the width of its place, with the whole under the pointer.
    pub(crate) fn clipped(&mut self, text: &str) -> &mut Self {
        self.raw("<span class=\"clip\"").attr("title", text).raw(">").text(text).raw("</span>")
    }

    /// Adds a piece.
    pub(crate) fn add(&mut self, piece: &Self) -> &mut Self {
        self.0.push_str(&piece.0);
        self
    }

    /// Adds what a function writes.
    pub(crate) fn with(&mut self, write: impl FnOnce(&mut Self)) -> &mut Self {
        write(self);
        self
    }

    /// Adds a figure, whose text is escaped where it is drawn.
    pub(crate) fn drawing(&mut self, drawing: &Drawing) -> &mut Self {
        self.0.push_str(&drawing.inline());
        self
    }

    /// A word that stands out, with a sign besides its colour. The tone is a class of the style sheet.
    pub(crate) fn badge(&mut self, tone: &'static str, text: &str) -> &mut Self {
        self.raw("<span class=\"badge ").raw(tone).raw("\">").text(text).raw("</span>")
    }

    /// The markup.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_stay_text() {
        let mut html = Html::new();
        html.raw("<a").attr("title", "\"><script>").raw(">").text("<b>&\u{202e}\u{0}").raw("</a>");
        let expected = "<a title=\"&quot;&gt;&lt;script&gt;\">&lt;b&gt;&amp;\u{fffd}\u{fffd}</a>";
        assert_eq!(html.into_string(), expected);
    }

    #[test]
    fn clipped_text_has_its_whole_under_the_pointer() {
        let mut html = Html::new();
        html.clipped("a'b");
        assert_eq!(html.into_string(), "<span class=\"clip\" title=\"a&#39;b\">a&#39;b</span>");
    }
}
