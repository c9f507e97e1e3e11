//! Files: how long they are, what they are named, whether lints apply to them, paths of somebody's machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::packages::{Package, packages};
use crate::tree::{extension, root, rust_files, text_files};

/// The hard end of a file, in lines.
const MAX_LINES: usize = 600;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] =
    ["util", "utils", "helper", "helpers", "common", "misc", "type", "types", "shared"];

/// Folders of somebody's machine, by the first part of their absolute path.
const MACHINE_FOLDERS: [&str; 5] = ["home", "root", "tmp", "work", "Users"];

/// The packages that open files, connect and read the clock: the command, the Python package that
/// calls it, what it reads live, writes to and sends by, and these tests.
const OUTSIDE: [&str; 9] = [
    "thingprint",
    "thingprint-endpoint",
    "thingprint-live",
    "thingprint-notify",
    "thingprint-python",
    "thingprint-store",
    "thingprint-taps",
    "thingprint-tests",
    "thingprint-web",
];

/// What a library's first file says, so that clippy refuses what clippy.toml disallows.
const LIBRARY_LINTS: &str =
    "#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]";

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
    let has_lints = |manifest: &str| {
        let manifest = fs::read_to_string(manifest).unwrap();
        manifest.contains("\n[lints]\nworkspace = true\n")
    };
    let without = packages().into_iter().filter(|package| !has_lints(&package.manifest));
    assert_eq!(without.map(|package| package.name).collect::<Vec<_>>(), [""; 0]);
}

/// README begins with `cargo run`, which refuses to choose between two programs.
#[test]
fn there_is_one_program_to_run() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let members = manifest["workspace"]["default-members"].as_array().unwrap();
    assert_eq!(members.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>(), ["crates/*"]);
    let has_program = |package: &Package| {
        let folder = Path::new(&package.manifest).parent().unwrap();
        let says = fs::read_to_string(&package.manifest).unwrap().contains("[[bin]]");
        let is_run = folder.starts_with(root().join("crates"));
        is_run && (says || folder.join("src/main.rs").exists() || folder.join("src/bin").exists())
    };
    let programs = packages().into_iter().filter(has_program);
    assert_eq!(programs.map(|package| package.name).collect::<Vec<_>>(), ["thingprint"]);
}

#[test]
fn every_workspace_has_the_same_lints() {
    let lints = |path: &str| {
        let manifest: toml::Table = fs::read_to_string(root().join(path)).unwrap().parse().unwrap();
        manifest["workspace"].get("lints").cloned().unwrap()
    };
    assert_eq!(lints("fuzz/Cargo.toml"), lints("Cargo.toml"));
    assert_eq!(lints("crates/thingprint-python/Cargo.toml"), lints("Cargo.toml"));
}

/// The Python package gives the answers of the program, to the bit, so it is built of the same versions.
#[test]
fn the_python_package_is_built_of_the_same_versions() {
    let locked = |path: &str| -> BTreeSet<(String, String)> {
        let lock: toml::Table = fs::read_to_string(root().join(path)).unwrap().parse().unwrap();
        let text = |package: &toml::Value, key: &str| package[key].as_str().unwrap().to_owned();
        let packages = lock["package"].as_array().unwrap().iter();
        packages.map(|package| (text(package, "name"), text(package, "version"))).collect()
    };
    let (program, python) = (locked("Cargo.lock"), locked("crates/thingprint-python/Cargo.lock"));
    let names: BTreeSet<&str> = program.iter().map(|(name, _)| name.as_str()).collect();
    // Numbers of any size, which arrow alone works with here.
    let is_other = |package: &&(String, String)| {
        package.0 != "num-bigint" && names.contains(package.0.as_str()) && !program.contains(*package)
    };
    let others = python.iter().filter(is_other);
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&(String, String)>::new());
    assert!(names.len() > 100 && python.len() > 100);
}

#[test]
fn every_document_is_linked_from_another() {
    let files = text_files();
    let documents = || files.iter().filter(|file| extension(&file.path) == Some("md"));
    let is_read = |path: &str| !path.contains('/') || path.starts_with("docs/");
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let is_linked = |path: &str| {
        let ends = [format!("/{})", name(path)), format!("({})", name(path)), format!("/{}#", name(path))];
        documents().any(|other| other.path != path && ends.iter().any(|end| other.text.contains(end)))
    };
    let lost: Vec<&str> =
        documents().map(|file| file.path.as_str()).filter(|path| is_read(path) && !is_linked(path)).collect();
    assert!(lost.is_empty(), "documents that nobody finds: {lost:?}");
}

#[test]
fn libraries_leave_files_and_clocks_to_the_command() {
    let libraries = packages().into_iter().filter(|package| !OUTSIDE.contains(&package.name.as_str()));
    let without = libraries.filter(|package| {
        let face = package.manifest.replace("Cargo.toml", "src/lib.rs");
        !fs::read_to_string(face).unwrap().contains(LIBRARY_LINTS)
    });
    assert_eq!(without.map(|package| package.name).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn no_file_names_a_folder_of_somebodys_machine() {
    let found: Vec<String> = text_files()
        .iter()
        .flat_map(|file| machine_paths(&file.text).into_iter().map(|path| format!("{}: {path}", file.path)))
        .collect();
    assert_eq!(found, [""; 0]);
}

fn too_long(text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > MAX_LINES).then(|| format!("{lines} lines"))
}

/// Whether a path has a part that says nothing.
fn is_empty_name(path: &str) -> bool {
    path.trim_end_matches(".rs").split('/').any(|part| EMPTY_NAMES.contains(&part))
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
    fn a_path_of_a_machine_is_found() {
        let (home, root) = (format!("/{}/ann/x.pcap", "home"), format!("/{}/.cache", "root"));
        assert_eq!(machine_paths(&format!("reads '{home}'; and {root}.")), [home, format!("{root}.")]);
        assert_eq!(machine_paths(&format!("$HOME{root} ~{root} https://example.org{root}")), [""; 0]);
    }
}
