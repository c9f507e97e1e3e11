//! As much of Rust's grammar as the rules need: tokens without comments and literals, and the paths among them.

/// The words and signs of a source text. Comments, lifetimes and the contents of literals are left out; `::` is one
/// sign, every other sign stands alone.
pub(crate) fn tokens(source: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while !rest.is_empty() {
        let length = skipped(rest).unwrap_or_else(|| {
            let length = word_or_sign(rest);
            tokens.push(&rest[..length]);
            length
        });
        rest = &rest[length..];
    }
    tokens
}

/// The tokens without the inner modules that are compiled for tests alone.
pub(crate) fn without_tests<'a>(tokens: &[&'a str]) -> Vec<&'a str> {
    let marker = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let [first, after @ ..] = rest {
        let is_marked = rest.starts_with(&marker) && rest.get(marker.len() + 1) == Some(&"{");
        rest = if is_marked {
            let body = &rest[marker.len() + 1..];
            &body[block_length(body)..]
        } else {
            kept.push(*first);
            after
        };
    }
    kept
}

/// Every path, those in `use` declarations one for each name: `use a::{b, c::d}` gives `a::b` and `a::c::d`. Names
/// that something is imported under are left out.
pub(crate) fn paths(tokens: &[&str]) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = tokens;
    while let [token, after @ ..] = rest {
        rest = if *token == "::" || is_word(token) { tree(rest, "", &mut paths) } else { after };
    }
    paths
}

/// Reads a path or a tree of paths, and gives what follows.
fn tree<'a, 'b>(mut rest: &'a [&'b str], prefix: &str, paths: &mut Vec<String>) -> &'a [&'b str] {
    let mut path = prefix.to_owned();
    loop {
        match rest {
            ["::", after @ ..] => rest = after,
            ["{", after @ ..] if !path.is_empty() => return branches(after, &path, paths),
            [name, after @ ..] if is_word(name) || (*name == "*" && !path.is_empty()) => {
                path = if path.is_empty() { (*name).to_owned() } else { format!("{path}::{name}") };
                rest = after;
                if rest.first() != Some(&"::") {
                    paths.push(path);
                    return rest;
                }
            }
            _ => return rest,
        }
    }
}

/// Reads the branches of a tree up to its closing brace.
fn branches<'a, 'b>(mut rest: &'a [&'b str], prefix: &str, paths: &mut Vec<String>) -> &'a [&'b str] {
    loop {
        rest = match rest {
            [] => return rest,
            ["}", after @ ..] => return after,
            [",", after @ ..] | ["as", _, after @ ..] => after,
            _ => {
                let after = tree(rest, prefix, paths);
                if after.len() == rest.len() { &rest[1..] } else { after }
            }
        };
    }
}

/// Length of the block that the tokens begin with, braces included.
fn block_length(tokens: &[&str]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match *token {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

fn is_word(token: &str) -> bool {
    token.starts_with(is_word_start)
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Length of what the text begins with if that is no token.
fn skipped(text: &str) -> Option<usize> {
    if text.starts_with(char::is_whitespace) {
        return Some(text.len() - text.trim_start().len());
    }
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment_length(text));
    }
    string_length(text).or_else(|| quote_length(text))
}

/// Length of a block comment, which may hold others.
fn block_comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let step = match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length of a string literal, plain or raw, with its prefix.
fn string_length(text: &str) -> Option<usize> {
    let after_prefix = text.trim_start_matches(['b', 'c']);
    let prefix = text.len() - after_prefix.len();
    if prefix > 1 {
        return None;
    }
    if let Some(raw) = after_prefix.strip_prefix('r') {
        let body = raw.trim_start_matches('#');
        let hashes = raw.len() - body.len();
        let end = format!("\"{}", "#".repeat(hashes));
        let length = body.strip_prefix('"')?.find(&end)?;
        return Some(prefix + 1 + hashes + 1 + length + end.len());
    }
    let body = after_prefix.strip_prefix('"')?;
    Some(prefix + 1 + closing(body, '"')?)
}

/// Length of a character literal or a lifetime.
fn quote_length(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let second = body.chars().nth(1);
    if body.starts_with('\\') || second == Some('\'') {
        return Some(1 + closing(body, '\'')?);
    }
    Some(1 + word_length(body))
}

/// Where a literal ends, its closing quote included.
fn closing(body: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in body.char_indices() {
        if c == quote && !is_escaped {
            return Some(at + 1);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    None
}

fn word_or_sign(text: &str) -> usize {
    let sign = if text.starts_with("::") { 2 } else { text.chars().next().map_or(0, char::len_utf8) };
    word_length(text).max(sign)
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !(is_word_start(c) || c.is_numeric())).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::rust_files;

    #[test]
    fn no_file_is_read_wrongly() {
        for file in rust_files() {
            let tokens = tokens(&file.text);
            let count = |sign: &str| tokens.iter().filter(|token| **token == sign).count();
            assert_eq!(count("{"), count("}"), "{}", file.path);
            assert_eq!(count("("), count(")"), "{}", file.path);
        }
    }

    #[test]
    fn tokens_are_what_is_neither_comment_nor_literal() {
        let check = |source: &str, expected: &[&str]| assert_eq!(tokens(source), expected, "{source}");
        check("use a::b; // use c", &["use", "a", "::", "b", ";"]);
        check("x /* a /* b */ c */ y", &["x", "y"]);
        check(
            r#"f("a \" b", 'c', '\'', b'"', &'a str)"#,
            &["f", "(", ",", ",", ",", "b", ",", "&", "str", ")"],
        );
        check(r##"g(r#"a " b"#, br"\", c"d")"##, &["g", "(", ",", ",", ")"]);
        check("größe_1+2", &["größe_1", "+", "2"]);
    }

    #[test]
    fn modules_of_tests_are_left_out() {
        let source = "fn a() {} #[cfg(test)] mod tests { fn b() { c() } } fn d() {} #[cfg(test)] mod e;";
        let kept = without_tests(&tokens(source)).concat();
        assert_eq!(kept, "fna(){}fnd(){}#[cfg(test)]mode;");
    }

    #[test]
    fn paths_come_out_of_trees_and_of_code() {
        let check =
            |source: &str, expected: &[&str]| assert_eq!(paths(&tokens(source)), expected, "{source}");
        check("a::b::c()", &["a::b::c"]);
        check("::a::b", &["a::b"]);
        check(
            "use a::{self, b, c::{d, e as f}, g::*};",
            &["use", "a::self", "a::b", "a::c::d", "a::c::e", "a::g::*"],
        );
        check("use {a::b, c};", &["use", "a::b", "c"]);
        check("a * b", &["a", "b"]);
        check("Vec::<a::B>::new()", &["a::B", "new"]);
        check("match x { a::B { c } => d }", &["match", "x", "a::B", "c", "d"]);
    }
}
