//! Each command is in the tests and documents that are about all of them, so that a new one is not forgotten.

use crate::tree::{rust_files, text_files};

/// Where the commands are listed.
const COMMANDS: &str = "crates/thingprint/src/commands.rs";
/// Tests that run every command that there is anything to see of.
const TESTS: [&str; 2] =
    ["crates/thingprint/tests/hostile/mod.rs", "crates/thingprint/tests/pseudonyms/mod.rs"];
/// A page that says of every command what it does with names.
const PAGE: &str = "docs/privacy.md";
/// Commands that a test leaves out, and why.
const LEFT_OUT: [(&str, &str, &str); 4] = [
    ("generate", "", "it is hidden, and writes what is compiled in"),
    ("demo", "crates/thingprint/tests/hostile/mod.rs", "it reads nothing from outside"),
    ("merge", "crates/thingprint/tests/pseudonyms/mod.rs", "its rows are those of extract"),
    ("knowledge", "crates/thingprint/tests/pseudonyms/mod.rs", "its tables name no device of a network"),
];

/// The names of the commands, as they are typed.
fn commands() -> Vec<String> {
    let files = rust_files();
    let file = files.iter().find(|file| file.path == COMMANDS).unwrap();
    let (_, list) = file.text.split_once("enum Command {").unwrap();
    let (list, _) = list.split_once("\n}\n").unwrap();
    let variants = list.lines().filter_map(|line| line.trim().split_once('('));
    let variants = variants.filter(|(name, _)| name.chars().all(char::is_alphanumeric));
    variants.map(|(name, _)| name.to_lowercase()).collect()
}

#[test]
fn every_command_is_in_the_tests_of_all_commands() {
    let commands = commands();
    assert!(commands.len() > 15, "{commands:?}");
    let files = rust_files();
    let mut missing = Vec::new();
    for path in TESTS {
        let test = files.iter().find(|file| file.path == path).unwrap();
        let is_left_out = |command: &str| {
            LEFT_OUT.iter().any(|(left_out, of, _)| *left_out == command && (of.is_empty() || *of == path))
        };
        let is_run = |command: &str| {
            [format!("\"{command}\""), format!("\"{command} ")].iter().any(|begin| test.text.contains(begin))
        };
        let lacks = commands.iter().filter(|command| !is_left_out(command) && !is_run(command));
        missing.extend(lacks.map(|command| format!("{path} does not run {command}")));
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_command_says_what_it_does_with_names() {
    let page = text_files().into_iter().find(|file| file.path == PAGE).unwrap();
    let (_, table) = page.text.split_once("| command | `--pseudonyms` |").unwrap();
    let is_named = |command: &String| {
        command == "generate"
            || table.contains(&format!("`{command}`"))
            || table.contains(&format!("`{command} "))
    };
    let missing: Vec<String> = commands().into_iter().filter(|command| !is_named(command)).collect();
    assert_eq!(missing, [""; 0], "{PAGE}");
}
