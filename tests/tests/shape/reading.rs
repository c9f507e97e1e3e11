//! How files are read: what somebody may have made as long as they liked is read up to a limit.

use crate::tree::{TextFile, rust_files};

/// What reads to an end that is not ours.
const UNBOUNDED: [&str; 4] = ["fs::read(", "fs::read_to_string(", ".read_to_end(", ".read_to_string("];
/// What bounds it, in the same statement.
const BOUND: &str = "take(";

/// Who may read without a bound, and why.
const ALLOWED: [(&str, &str); 6] = [
    ("crates/thingprint-live/src/tcpdump/link_state.rs", "reads what the kernel says of an interface"),
    ("crates/thingprint-notify/src/sinks/syslog/message.rs", "reads the name of the machine"),
    ("crates/thingprint/src/commands/watch/service.rs", "reads what the kernel says of the process"),
    ("crates/thingprint/src/processor_time.rs", "reads what the kernel says of the process"),
    ("crates/thingprint/src/signals.rs", "reads what the kernel says of the process"),
    ("crates/thingprint/src/sources.rs", "reads the checkout when the program is built"),
];

#[test]
fn no_file_is_read_to_whatever_end_it_has() {
    let files = rust_files();
    let is_program = |path: &str| {
        path.starts_with("crates/")
            && path.contains("/src/")
            && !path.contains("tests")
            && !path.contains("-python/")
    };
    let is_allowed = |path: &str| ALLOWED.iter().any(|(allowed, _)| *allowed == path);
    let programs = files.iter().filter(|file| is_program(&file.path));
    let found: Vec<String> = programs
        .filter(|file| !is_allowed(&file.path))
        .flat_map(|file| unbounded(file).into_iter().map(|line| format!("{}:{line}", file.path)))
        .collect();
    assert_eq!(found, [""; 0], "read it by crates/thingprint/src/small_file.rs, or `take` a limit");
    let missing = ALLOWED.iter().filter(|(path, _)| !files.iter().any(|file| file.path == *path));
    assert_eq!(missing.collect::<Vec<_>>(), [&("", ""); 0]);
}

/// Statements that read without a bound, with the number of the line; tests read what they wrote.
fn unbounded(file: &TextFile) -> Vec<String> {
    let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
    let reads = |line: &str| UNBOUNDED.iter().any(|call| line.contains(call));
    let mut statement = String::new();
    let mut found = Vec::new();
    for (number, line) in (1..).zip(code.lines()).filter(|(_, line)| !line.trim_start().starts_with("//")) {
        statement.push_str(line.trim());
        if reads(line) && !statement.contains(BOUND) {
            found.push(format!("{number}: {}", line.trim()));
        }
        if line.ends_with([';', '{', '}']) {
            statement.clear();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_without_a_limit_is_found() {
        let text = "let a = fs::read(path)?;\nlet b = file\n    .take(4)\n    .read_to_end(&mut bytes)?;\n// fs::read(x)\n\
                    file.read_to_end(&mut c)?;\n#[cfg(test)]\nfs::read(y);\n";
        let file = TextFile { path: "a.rs".to_owned(), text: text.to_owned() };
        assert_eq!(unbounded(&file), ["1: let a = fs::read(path)?;", "6: file.read_to_end(&mut c)?;"]);
    }
}
