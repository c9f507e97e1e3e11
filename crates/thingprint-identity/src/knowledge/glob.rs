/// Whether a pattern fits a whole text: `*` stands for any letters, and the case of ASCII letters does not count.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = without_start(text, first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(after) = behind_first(rest, part) else { return false };
        rest = after;
    }
    rest.len() >= last.len()
        && rest
            .as_bytes()
            .get(rest.len() - last.len()..)
            .is_some_and(|end| end.eq_ignore_ascii_case(last.as_bytes()))
}

fn without_start<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(rest)
}

/// What is behind the first place where a part stands.
fn behind_first<'t>(text: &'t str, part: &str) -> Option<&'t str> {
    if part.is_empty() {
        return Some(text);
    }
    let at =
        text.as_bytes().windows(part.len()).position(|bytes| bytes.eq_ignore_ascii_case(part.as_bytes()))?;
    text.get(at + part.len()..)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, text, expected) in [
            ("abc", "ABC", true),
            ("abc", "abcd", false),
            ("abc*", "abcd", true),
            ("abc*", "ab", false),
            ("*cd", "abCD", true),
            ("*cd", "abcde", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("**", "", true),
            ("*é*", "caféx", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
