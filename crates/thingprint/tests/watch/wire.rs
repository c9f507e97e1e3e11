//! A simulated home is played over a wire: the windows of `watch -i` are those of `extract` on what was captured there.
//! Skipped, with the reason, where there are no network namespaces, no tcpdump or no tcpreplay.

use std::process::{Child, Command, Stdio, id};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stage::Stage;

/// Simulated seconds for each second of the test.
const SPEED: &str = "600";
/// How long packets may be on their way.
const PATIENCE: Duration = Duration::from_mins(2);

/// Two namespaces with a pair of interfaces between them, which go away with it.
struct Wire {
    near: String,
    far: String,
}

impl Wire {
    fn new() -> Result<Self, String> {
        let wire = Self { near: format!("tpw{}n", id()), far: format!("tpw{}f", id()) };
        let Self { near, far } = &wire;
        run("tcpdump", "--version")?;
        run("tcpreplay", "--version")?;
        run("ip", &format!("netns add {near}"))?;
        run("ip", &format!("netns add {far}"))?;
        for name in [near, far] {
            // The ends of the wire must say nothing of their own.
            run("ip", &format!("netns exec {name} sysctl -q -w net.ipv6.conf.default.disable_ipv6=1"))?;
        }
        run("ip", &format!("-n {near} link add near0 type veth peer name far0 netns {far}"))?;
        run("ip", &format!("-n {near} link set near0 up"))?;
        run("ip", &format!("-n {far} link set far0 up"))?;
        Ok(wire)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for name in [&self.near, &self.far] {
            let _ = run("ip", &format!("netns del {name}"));
        }
    }
}

fn run(program: &str, arguments: &str) -> Result<(), String> {
    let output = Command::new(program).args(arguments.split(' ')).output();
    let output = output.map_err(|error| format!("{program} cannot be run: {error}"))?;
    let said = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{program} {arguments}: {}", said())) }
}

/// A program that is killed with the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program in a namespace.
fn inside(stage: &Stage, namespace: &str, words: &str) -> Killed {
    let arguments = format!("netns exec {namespace} {words}");
    let mut command = Command::new("ip");
    command.args(arguments.split(' ')).current_dir(stage.path("."));
    Killed(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Packets that a store's devices have sent and received.
fn packets(stage: &Stage) -> u64 {
    let said = stage.run("store live.db devices");
    let rows = if said.status == 0 { said.json_lines() } else { Vec::new() };
    rows.iter().map(|row| row["packets_up"].as_u64().unwrap_or(0)).sum()
}

/// What does not depend on when exactly the kernel handed a frame to whom.
fn without_times(rows: Vec<Value>) -> Vec<Vec<Value>> {
    let kept =
        ["device", "flows", "packets_up", "packets_down", "bytes_up", "bytes_down", "ports", "domains"];
    let all = rows.into_iter().map(|row| kept.iter().map(|name| row[*name].clone()).collect::<Vec<_>>());
    let mut all: Vec<Vec<Value>> = all.collect();
    all.sort_by_key(|row| row[0].to_string());
    all
}

#[allow(clippy::print_stdout, reason = "a test says why it skips")]
fn skip(reason: &str) {
    println!("skipped: {reason}");
}

#[test]
fn windows_of_a_wire_are_those_of_what_was_captured_there() {
    let wire = match Wire::new() {
        Ok(wire) => wire,
        Err(reason) => return skip(&reason),
    };
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap");
    // What the watch hears is kept on its way.
    let tapped = stage.path("tapped.pcap");
    let script = format!("#!/bin/sh\ntcpdump \"$@\" | tee {}\n", tapped.display());
    std::fs::write(stage.path("tap"), script).unwrap();
    run("chmod", &format!("+x {}", stage.path("tap").display())).unwrap();
    let program = env!("CARGO_BIN_EXE_thingprint");
    let tap = stage.path("tap").display().to_string();
    // A day is a window here: the test must not meet the edge of one.
    let watch = format!("{program} watch -i near0 --tcpdump {tap} --store live.db --no-page --window 1d -q");
    let mut watch = inside(&stage, &wire.near, &watch);
    let beside = format!("tcpdump -U -s 0 -B 65536 -w {} -i near0", stage.path("beside.pcap").display());
    let beside = inside(&stage, &wire.near, &beside);
    let begins = |name: &str| std::fs::metadata(stage.path(name)).is_ok_and(|file| file.len() >= 24);
    wait_until("captures begin", || begins("tapped.pcap") && begins("beside.pcap"));
    let home = stage.path("home.pcap").display().to_string();
    let replay = format!("netns exec {} tcpreplay -q -i far0 -x {SPEED} {home}", wire.far);
    run("ip", &replay).unwrap();
    let size = || std::fs::metadata(stage.path("beside.pcap")).unwrap().len();
    let tapped_size = || std::fs::metadata(&tapped).unwrap().len();
    wait_until("both captures are complete", || size() == tapped_size() && size() > 100_000);
    wait_until("packets are in the store", || packets(&stage) > 100);
    let pid = rustix::process::Pid::from_child(&watch.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    watch.0.wait().unwrap();
    drop(beside);
    let kept = stage.ok("store live.db export --with-cut").json_lines();
    let heard = stage.ok("extract tapped.pcap --window 1d").json_lines();
    assert!(kept.len() > 5 && kept == heard, "{} and {} windows", kept.len(), heard.len());
    let beside = stage.ok("extract beside.pcap --window 1d").json_lines();
    assert_eq!(without_times(beside), without_times(kept));
}
