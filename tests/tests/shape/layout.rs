//! Files: their length and names, attributes and imports that hide something, paths of somebody's machine.

use std::fs;

use crate::code::{paths, tokens};
use crate::tree::{TextFile, packages, root, rust_files, text_files};

/// The hard end of a file, in lines.
const MAX_LINES: usize = 600;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] =
    ["util", "utils", "helper", "helpers", "common", "misc", "type", "types", "shared"];

/// Folders of somebody's machine, by the first part of their absolute path.
const MACHINE_FOLDERS: [&str; 5] = ["home", "root", "tmp", "work", "Users"];

#[test]
fn files_stay_short() {
    let found: Vec<String> = rust_files()
        .iter()
        .filter_map(|file| too_long(&file.text).map(|why| format!("{}: {why}", file.path)))
        .collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn modules_are_named_after_what_is_in_them() {
    let found: Vec<String> =
        rust_files().into_iter().map(|file| file.path).filter(|path| is_empty_name(path)).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn every_package_has_the_lints_of_the_workspace() {
    let without = packages().into_iter().filter(|package| !package.manifest.has_workspace_lints);
    assert_eq!(without.map(|package| package.folder).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn fuzz_targets_have_the_same_lints() {
    let lints = |path: &str| {
        let manifest: toml::Table = fs::read_to_string(root().join(path)).unwrap().parse().unwrap();
        manifest["workspace"].get("lints").cloned().unwrap()
    };
    assert_eq!(lints("fuzz/Cargo.toml"), lints("Cargo.toml"));
}

#[test]
fn lints_are_allowed_with_a_reason_only() {
    assert_eq!(found_in_code(allowed_without_reason), [""; 0]);
}

#[test]
fn nothing_is_imported_by_the_handful() {
    assert_eq!(found_in_code(globs), [""; 0]);
}

#[test]
fn no_file_names_a_folder_of_somebodys_machine() {
    let found: Vec<String> = text_files()
        .iter()
        .flat_map(|file| machine_paths(&file.text).into_iter().map(|path| format!("{}: {path}", file.path)))
        .collect();
    assert_eq!(found, [""; 0]);
}

fn found_in_code(rule: fn(&[&str]) -> Vec<String>) -> Vec<String> {
    let found = |file: &TextFile| {
        let found = rule(&tokens(&file.text));
        found.into_iter().map(|what| format!("{}: {what}", file.path)).collect::<Vec<_>>()
    };
    rust_files().iter().flat_map(found).collect()
}

fn too_long(text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > MAX_LINES).then(|| format!("{lines} lines"))
}

/// Whether a path has a part that says nothing.
fn is_empty_name(path: &str) -> bool {
    path.trim_end_matches(".rs").split('/').any(|part| EMPTY_NAMES.contains(&part))
}

/// Attributes that switch a lint off without saying why.
fn allowed_without_reason(tokens: &[&str]) -> Vec<String> {
    let is_attribute = |at: usize| {
        let before = at.checked_sub(1).map(|before| tokens[before]);
        matches!(before, Some("[" | ",")) && tokens.get(at + 1) == Some(&"(")
    };
    let starts =
        (0..tokens.len()).filter(|at| matches!(tokens[*at], "allow" | "expect") && is_attribute(*at));
    let attributes = starts.map(|at| {
        let length = tokens[at..].iter().position(|token| *token == "]").unwrap_or(tokens.len() - at);
        &tokens[at..at + length]
    });
    attributes.filter(|attribute| !attribute.contains(&"reason")).map(<[&str]>::concat).collect()
}

/// Imports of everything that a module has. Tests may take all of what they test, and a prelude of tests is made
/// for it.
fn globs(tokens: &[&str]) -> Vec<String> {
    let is_fine = |path: &str| matches!(path, "super::*" | "proptest::prelude::*");
    paths(tokens).into_iter().filter(|path| path.ends_with("::*") && !is_fine(path)).collect()
}

/// Absolute paths into folders that exist on one machine and not on the next.
fn machine_paths(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for folder in MACHINE_FOLDERS.map(|folder| format!("/{folder}/")) {
        for (at, _) in text.match_indices(&folder) {
            let is_absolute = text[..at].chars().next_back().is_none_or(|c| !is_path_char(c));
            if is_absolute {
                found.push(text[at..].chars().take_while(|c| is_path_char(*c)).collect());
            }
        }
    }
    found
}

fn is_path_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '~' | '$' | '{' | '}' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(too_long(&"x\n".repeat(600)), None);
        assert_eq!(too_long(&"x\n".repeat(601)), Some("601 lines".to_owned()));
    }

    #[test]
    fn an_empty_name_is_found() {
        let check = |path: &str, expected| assert_eq!(is_empty_name(path), expected, "{path}");
        check("crates/thingprint-flow/src/utils.rs", true);
        check("crates/thingprint-flow/src/common/mod.rs", true);
        check("crates/thingprint-flow/src/commons.rs", false);
    }

    #[test]
    fn an_allow_without_reason_is_found() {
        let check =
            |source: &str, expected: &[&str]| assert_eq!(allowed_without_reason(&tokens(source)), expected);
        check("#[allow(dead_code)] fn f() {}", &["allow(dead_code)"]);
        check("#![expect(clippy::unwrap_used)]", &["expect(clippy::unwrap_used)"]);
        check("#[cfg_attr(test, allow(dead_code))]", &["allow(dead_code))"]);
        check("#[allow(dead_code, reason = \"why\")] fn f() { x.expect(\"y\") }", &[]);
    }

    #[test]
    fn a_glob_is_found() {
        let check =
            |source: &str, expected: &[&str]| assert_eq!(globs(&tokens(source)), expected, "{source}");
        check("use crate::model::*;", &["crate::model::*"]);
        check("use polars::prelude::*;", &["polars::prelude::*"]);
        check("use a::{b, c::*};", &["a::c::*"]);
        check("#[cfg(test)] mod tests { use super::*; use proptest::prelude::*; }", &[]);
    }

    #[test]
    fn a_path_of_a_machine_is_found() {
        let (home, root) = (format!("/{}/ann/x.pcap", "home"), format!("/{}/.cache", "root"));
        assert_eq!(machine_paths(&format!("reads '{home}'; and {root}.")), [home, format!("{root}.")]);
        assert_eq!(machine_paths(&format!("$HOME{root} ~{root} https://example.org{root}")), [""; 0]);
    }
}
