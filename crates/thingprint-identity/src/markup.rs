//! Texts of elements in XML from devices, which is often cut or broken: what is looked for is found without the rest.

/// Elements that are looked at; descriptions of devices have some hundreds.
const MOST_ELEMENTS: usize = 4096;

/// The text of the first element of each of these names, whatever its prefix, in the order of the document.
pub(crate) fn first_texts(document: &str, names: &[&'static str]) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for (name, text) in all_texts(document, names) {
        if found.iter().all(|(known, _)| *known != name) {
            found.push((name, text));
        }
    }
    found
}

/// The text of every element of these names, whatever its prefix, in the order of the document.
pub(crate) fn all_texts(document: &str, names: &[&'static str]) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut rest = document;
    for _ in 0..MOST_ELEMENTS {
        let Some((_, after)) = rest.split_once('<') else { break };
        let Some((tag, content)) = after.split_once('>') else { break };
        rest = content;
        let Some(name) = names.iter().find(|name| local_name(tag) == Some(**name)) else { continue };
        if tag.ends_with('/') {
            continue;
        }
        let Some((text, behind)) = content.split_once('<') else { break };
        // An element with elements in it has no text of its own.
        if behind.starts_with('/') {
            found.push((*name, decoded(text.trim())));
        }
    }
    found
}

/// The name in a start tag, without a prefix; `None` for other markup.
fn local_name(tag: &str) -> Option<&str> {
    let name = tag.split(|letter: char| letter.is_ascii_whitespace() || letter == '/').next()?;
    if name.is_empty() || name.starts_with(['!', '?']) {
        return None;
    }
    name.rsplit(':').next()
}

/// Letters instead of the five entities of XML.
fn decoded(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // The ampersand last, so that nothing is decoded twice.
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.into_iter().fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_text_of_a_name_counts() {
        let document = "<?xml version=\"1.0\"?><root><device><a/><d:manufacturer>A &amp;lt; B</d:manufacturer>\
                        <modelName x='1'> M </modelName><deviceList><device><modelName>N</modelName>";
        let found = first_texts(document, &["manufacturer", "modelName", "a", "device"]);
        assert_eq!(found, [("manufacturer", "A &lt; B".to_owned()), ("modelName", "M".to_owned())]);
        let names: Vec<String> =
            all_texts(document, &["modelName"]).into_iter().map(|(_, text)| text).collect();
        assert_eq!(names, ["M", "N"]);
    }

    #[test]
    fn what_is_cut_is_no_text() {
        assert_eq!(first_texts("<modelName>ABC", &["modelName"]), []);
        assert_eq!(first_texts("<modelName", &["modelName"]), []);
        assert_eq!(first_texts("<!--modelName>ABC</", &["modelName"]), []);
    }

    proptest! {
        #[test]
        fn any_document_is_read(document in "[<>/a!? &;:-]{0,200}") {
            all_texts(&document, &["a", "aa"]);
        }
    }
}
