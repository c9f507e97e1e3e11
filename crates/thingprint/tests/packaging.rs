//! The files of the package fit each other and the program.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn generate(what: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("new");
    let output =
        Command::new(env!("CARGO_BIN_EXE_thingprint")).args(["generate", what]).arg(&inner).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    folder
}

/// Files of a folder with their texts.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder.join("new")).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn every_command_has_a_manual_page_and_generate_has_none() {
    let folder = generate("man");
    let pages = files(folder.path());
    let help = Command::new(env!("CARGO_BIN_EXE_thingprint")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"classify") && !commands.contains(&"generate"), "{commands:?}");
    for command in commands.iter().filter(|command| **command != "help") {
        let page = pages.get(&format!("thingprint-{command}.1")).expect(command);
        assert!(page.contains(&format!("thingprint {command}")), "{command}: {page}");
        assert!(page.contains(".SH OPTIONS") || page.contains(".SH SUBCOMMANDS"), "{command}: {page}");
    }
    assert!(pages["thingprint.1"].contains("thingprint\\-classify(1)"), "{}", pages["thingprint.1"]);
    assert!(!pages.contains_key("thingprint-generate.1") && !pages.contains_key("thingprint-help.1"));
}

#[test]
fn completions_are_for_three_shells() {
    let folder = generate("completions");
    let completions = files(folder.path());
    let names: Vec<&str> = completions.keys().map(String::as_str).collect();
    assert_eq!(names, ["_thingprint", "thingprint.bash", "thingprint.fish"]);
    assert!(completions.values().all(|text| text.contains("threshold")));
}

/// The settings of a unit, without comments.
fn unit(name: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("packaging").join(name)).unwrap();
    let is_setting = |line: &&str| !line.is_empty() && !line.starts_with('#');
    text.lines().filter(is_setting).map(str::to_owned).collect()
}

#[test]
fn the_unit_of_several_networks_is_as_hardened_as_that_of_one() {
    let (one, several) = (unit("thingprint.service"), unit("thingprint@.service"));
    assert_eq!(one.len(), several.len());
    let differ = one.iter().zip(&several).filter(|(one, several)| one != several);
    let differ: Vec<&str> = differ.map(|(_, several)| several.as_str()).collect();
    assert_eq!(
        differ,
        [
            "Description=Identify the devices on the network from their traffic (%i)",
            "ExecStart=/usr/bin/thingprint watch --config /etc/thingprint/%i.toml",
            "StateDirectory=thingprint-%i",
            "LogsDirectory=thingprint-%i",
            "WorkingDirectory=/var/lib/thingprint-%i",
        ]
    );
}

#[test]
fn a_unit_has_one_right_and_is_hardened() {
    let unit = unit("thingprint.service");
    for setting in [
        "Type=notify",
        "DynamicUser=yes",
        "AmbientCapabilities=CAP_NET_RAW",
        "CapabilityBoundingSet=CAP_NET_RAW",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
    ] {
        assert!(unit.iter().any(|line| line == setting), "{setting}");
    }
    // `systemd-analyze security` counts what is exposed, from 0 to 10; where it is there, it has the last word.
    let path = root().join("packaging/thingprint.service");
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(path)
        .output();
    match output {
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("Overall exposure level") => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
        _ => say_skipped(),
    }
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
fn say_skipped() {
    eprintln!("skipped: systemd-analyze is not installed, or too old");
}
