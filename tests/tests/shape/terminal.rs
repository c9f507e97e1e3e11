//! What reaches a terminal: it passes one writer, which escapes what would act on it.

use crate::tree::rust_files;

/// What writes to standard output or standard error.
const WRITERS: [&str; 8] =
    ["print!(", "println!(", "eprint!(", "eprintln!(", "dbg!", "stdout()", "stderr()", "/dev/tty"];

/// Who may, and why.
const ALLOWED: [(&str, &str); 3] = [
    ("crates/thingprint/src/terminal.rs", "escapes what it is given"),
    ("crates/thingprint/src/commands/experiment/silence.rs", "writes nothing, and lets nothing be written"),
    ("crates/thingprint-notify/src/sinks/standard_output.rs", "writes JSON, which has escapes of its own"),
];

#[test]
fn everything_for_a_terminal_passes_one_writer() {
    let is_program = |path: &str| path.starts_with("crates/") && path.contains("/src/");
    let is_allowed = |path: &str| ALLOWED.iter().any(|(allowed, _)| *allowed == path);
    let found: Vec<String> = rust_files()
        .iter()
        .filter(|file| is_program(&file.path) && !is_allowed(&file.path))
        .flat_map(|file| writers(&file.text).into_iter().map(|line| format!("{}:{line}", file.path)))
        .collect();
    assert_eq!(found, [""; 0], "write it through crates/thingprint/src/terminal.rs");
}

#[test]
fn who_may_write_is_there() {
    let files = rust_files();
    let missing = ALLOWED.iter().filter(|(path, _)| !files.iter().any(|file| file.path == *path));
    assert_eq!(missing.collect::<Vec<_>>(), [&("", ""); 0]);
}

/// Lines of code that write past the one writer, with their numbers.
fn writers(text: &str) -> Vec<String> {
    let is_code = |line: &str| !line.trim_start().starts_with("//");
    let is_whole = |line: &str, at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let names = |line: &str, writer: &str| line.match_indices(writer).any(|(at, _)| is_whole(line, at));
    let writes = |line: &str| WRITERS.iter().any(|writer| names(line, writer));
    let lines = (1..).zip(text.lines()).filter(|(_, line)| is_code(line) && writes(line));
    lines.map(|(number, line)| format!("{number}: {}", line.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_is_found_and_documentation_is_none() {
        let text = "/// println!(\"x\");\nlet out = io::stdout().lock();\n    eprintln!(\"{name}\");\nsaid.use_stderr();\n";
        assert_eq!(writers(text), ["2: let out = io::stdout().lock();", "3: eprintln!(\"{name}\");"]);
    }
}
