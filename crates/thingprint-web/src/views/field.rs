//! The fields of the forms that filter, each with its name.

use crate::html::Html;

/// Adds a field for a text to look for.
pub(super) fn search(html: &mut Html, example: &'static str, value: &str) {
    html.raw("<span class=\"field find\"><label for=\"q\">Find</label> <input id=\"q\" name=\"q\" type=\"search\" ");
    html.raw("maxlength=\"300\" autocomplete=\"off\" spellcheck=\"false\"").attr("placeholder", example);
    html.attr("value", value).raw("></span>\n");
}

/// Adds a choice: the name of its parameter and of the field, and options with their values, words, and whether it is
/// the present one.
pub(super) fn choice<V, W>(
    html: &mut Html,
    (parameter, name): (&'static str, &'static str),
    options: impl IntoIterator<Item = (V, W, bool)>,
) where
    V: AsRef<str>,
    W: AsRef<str>,
{
    html.raw("<span class=\"field\"><label")
        .attr("for", parameter)
        .raw(">")
        .raw(name)
        .raw("</label> <select");
    html.attr("id", parameter).attr("name", parameter).raw(">\n");
    for (value, words, is_chosen) in options {
        html.raw("<option").attr("value", value).flag("selected", is_chosen).raw(">").text(words);
        html.raw("</option>\n");
    }
    html.raw("</select></span>\n");
}
