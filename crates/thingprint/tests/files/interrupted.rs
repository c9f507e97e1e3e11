//! Signals, kills, and what the next run makes of what they leave.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{names, stage_with_home};
use crate::stage::Stage;

/// Kills of each command; together with the others more than fifty.
const KILLS: u32 = 14;

/// Commands that write for a while, each into names that begin with `new`.
const COMMANDS: [&str; 4] = [
    "extract home.pcap -o new.csv",
    "audit home.pcap --html new.html --mud-out new/mud --fingerprints-out new.json --format json -o new-audit.json",
    "flows home.pcap --split new -o new.parquet",
    "simulate --duration 2h -o new.pcap --labels new.csv",
];

fn spawn(stage: &Stage, command: &str, stdin: Stdio) -> Child {
    stage.command(command, stdin).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    // It may have ended by itself.
    let _ = kill_process(pid, signal);
}

/// Runs a command and sends it a signal after a part of the time that it takes.
fn interrupted(stage: &Stage, command: &str, signal: Signal, after: Duration) -> ExitStatus {
    let mut child = spawn(stage, command, Stdio::null());
    sleep(after);
    send(&child, signal);
    child.wait().unwrap()
}

/// What a command makes, with the time that it takes; it is taken away again.
fn made_by(stage: &Stage, command: &str) -> (Vec<String>, Duration) {
    let start = Instant::now();
    stage.ok(command);
    let duration = start.elapsed();
    let made = names(stage, "").into_iter().filter(|name| name.contains("new")).collect();
    take_away(stage);
    (made, duration)
}

fn take_away(stage: &Stage) {
    for name in names(stage, "").iter().filter(|name| name.starts_with("new")) {
        let path = stage.path(name);
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
}

#[test]
fn an_interrupted_command_leaves_nothing_and_ends_by_the_signal() {
    let stage = stage_with_home();
    let before = names(&stage, "");
    let mut by_signal = 0;
    for command in COMMANDS {
        // The first run takes longer than those that follow.
        made_by(&stage, command);
        let (whole, duration) = made_by(&stage, command);
        for kill in 0..KILLS {
            let signal = [Signal::INT, Signal::TERM, Signal::HUP][kill as usize % 3];
            let status = interrupted(&stage, command, signal, duration * kill / KILLS);
            let left = names(&stage, "");
            if status.success() || left != before {
                // It was putting results into place, or was done: then all are there.
                let made: Vec<String> = left.into_iter().filter(|name| name.contains("new")).collect();
                assert_eq!(made, whole, "{command}: {status}");
            }
            assert!(status.success() || status.signal() == Some(signal.as_raw()), "{command}: {status}");
            by_signal += u32::from(!status.success());
            take_away(&stage);
        }
    }
    assert!(by_signal > 2 * KILLS, "{by_signal} runs were interrupted");
}

#[test]
fn what_a_killed_command_leaves_goes_with_the_next_run_of_the_same() {
    let stage = stage_with_home();
    let before = names(&stage, "");
    let mut left = 0;
    for command in COMMANDS {
        let (whole, duration) = made_by(&stage, command);
        for kill in 0..4 {
            interrupted(&stage, command, Signal::KILL, duration * (2 * kill + 3) / 11);
            left += usize::from(
                names(&stage, "")
                    .iter()
                    .any(|name| Path::new(name).extension().is_some_and(|extension| extension == "part")),
            );
        }
        take_away(&stage);
        stage.ok(command);
        let mut expected = [before.clone(), whole].concat();
        expected.sort();
        assert_eq!(names(&stage, ""), expected, "{command}");
        take_away(&stage);
    }
    assert!(left >= 4, "{left} kills left something");
}

#[test]
fn another_run_of_the_same_result_is_left_alone() {
    let stage = stage_with_home();
    let mut first = spawn(&stage, "extract - -o new.csv", Stdio::piped());
    let half_done = || names(&stage, "").iter().any(|name| name.starts_with(".new.csv."));
    let start = Instant::now();
    while !half_done() {
        assert!(start.elapsed() < Duration::from_mins(1), "{:?}", names(&stage, ""));
        sleep(Duration::from_millis(10));
    }
    stage.ok("simulate --duration 1h -o other.pcap");
    stage.ok("extract other.pcap -o new.csv");
    assert!(half_done());
    let home = fs::read(stage.path("home.pcap")).unwrap();
    first.stdin.take().unwrap().write_all(&home).unwrap();
    assert!(first.wait().unwrap().success());
    assert_eq!(
        fs::read_to_string(stage.path("new.csv")).unwrap(),
        stage.run_with_stdin("extract - --format csv", "home.pcap").stdout
    );
    assert!(!half_done());
}

#[test]
fn a_signal_that_is_ignored_from_the_start_stays_so() {
    let stage = stage_with_home();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP INT; exec $T extract - -o new.csv"]).current_dir(stage.path(""));
    shell.env("T", env!("CARGO_BIN_EXE_thingprint")).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut child = shell.arg0("sh").spawn().unwrap();
    let start = Instant::now();
    while !names(&stage, "").iter().any(|name| name.starts_with(".new.csv.")) {
        assert!(start.elapsed() < Duration::from_mins(1), "{:?}", names(&stage, ""));
        sleep(Duration::from_millis(10));
    }
    send(&child, Signal::HUP);
    send(&child, Signal::INT);
    sleep(Duration::from_millis(200));
    child.stdin.take().unwrap().write_all(&fs::read(stage.path("home.pcap")).unwrap()).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(stage.path("new.csv").exists());
}
