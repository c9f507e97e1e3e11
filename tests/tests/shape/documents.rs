//! Documents name files and tests that are there.

use crate::tree::{extension, root, rust_files, text_files};

/// Folders at the root of the checkout that documents name paths in.
const FOLDERS: [&str; 9] =
    [".ci/", ".github/", "crates/", "datasets/", "docs/", "fuzz/", "notebooks/", "packaging/", "tests/"];

/// A word in code type with at least this many underscores is the name of a test: they are sentences.
const TEST_UNDERSCORES: usize = 4;

/// Names of metrics begin so, and are as long.
const METRIC: &str = "thingprint_";

#[test]
fn documents_name_what_is_there() {
    let code: String = rust_files().into_iter().map(|file| file.text).collect();
    let is_there = |document: &str, name: &Named<'_>| match name {
        Named::File(path) => root().join(path).exists(),
        Named::Link(path) => root().join(document).parent().is_some_and(|folder| folder.join(path).exists()),
        Named::Test(name) => code.contains(&format!("fn {name}(")),
    };
    let documents: Vec<_> = text_files().into_iter().filter(|file| is_document(&file.path)).collect();
    assert!(documents.iter().any(|file| file.path == "ARCHITECTURE.md"));
    let mut missing = Vec::new();
    for file in &documents {
        let names = names(&file.text).into_iter().filter(|name| !is_there(&file.path, name));
        missing.extend(names.map(|name| format!("{}: {name:?}", file.path)));
    }
    assert_eq!(missing, [""; 0]);
}

/// Reports of experiments are written by the program, and name the files beside them.
fn is_document(path: &str) -> bool {
    extension(path) == Some("md") && !path.starts_with("results/")
}

/// Something that a document names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named<'a> {
    /// From the root of the repository.
    File(&'a str),
    /// From the folder of the document.
    Link(&'a str),
    Test(&'a str),
}

/// The files and tests that a document names: in code type inside a line, or as the target of a link.
fn names(document: &str) -> Vec<Named<'_>> {
    let spans =
        document.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).filter_map(named_in_code);
    let links = document.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter_map(linked);
    spans.chain(links).collect()
}

fn named_in_code(span: &str) -> Option<Named<'_>> {
    if FOLDERS.iter().any(|folder| span.starts_with(folder)) && !span.contains(' ') {
        return Some(Named::File(span));
    }
    let is_name = span.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    (is_name && !span.starts_with(METRIC) && span.matches('_').count() >= TEST_UNDERSCORES)
        .then_some(Named::Test(span))
}

fn linked(target: &str) -> Option<Named<'_>> {
    // What follows a sign names a place in the file.
    let target = target.split('#').next().unwrap_or(target);
    let is_local = !target.is_empty() && !target.contains("://");
    is_local.then_some(Named::Link(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_tests_are_found_in_a_document() {
        let check =
            |document: &str, expected: &[Named<'_>]| assert_eq!(names(document), expected, "{document}");
        check("see `tests/run` and `a/b`", &[Named::File("tests/run")]);
        check(
            "held by `a_full_table_lets_go`, not by `iter_over_type`",
            &[Named::Test("a_full_table_lets_go")],
        );
        check("[licence](LICENSE) of [us](https://example.org)", &[Named::Link("LICENSE")]);
    }
}
