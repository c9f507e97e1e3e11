//! Headings within sentences.

/// A heading as it stands within a sentence: with a small first letter, unless it begins with an abbreviation.
pub(crate) fn within_sentence(heading: &str) -> String {
    let mut chars = heading.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => heading.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_keep_their_letters() {
        assert_eq!(within_sentence("Flow duration"), "flow duration");
        assert_eq!(within_sentence("DNS interval"), "DNS interval");
        assert_eq!(within_sentence(""), "");
    }
}
