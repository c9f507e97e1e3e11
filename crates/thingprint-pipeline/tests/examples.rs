//! The examples do what they say, on a simulated home.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};
use std::process::Command;

use thingprint_sim::{CaptureReader, Home, Simulation, SimulationOptions, home, unsafe_home};

/// Writes some hours of a simulated home.
fn write(path: &Path, home: &Home, seed: u64) {
    let options = SimulationOptions { duration_s: 3 * 3600, seed, ..SimulationOptions::default() };
    let mut reader = CaptureReader::new(Simulation::new(home, options).unwrap());
    std::io::copy(&mut reader, &mut std::fs::File::create(path).unwrap()).unwrap();
}

/// Runs an example, which is built with the tests; gives the lines that it prints.
fn run(name: &str, captures: &[&Path]) -> Vec<String> {
    let test = std::env::current_exe().unwrap();
    let folder: PathBuf = test.ancestors().nth(2).unwrap().join("examples");
    let output = Command::new(folder.join(name)).args(captures).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn every_example_runs_on_the_simulated_home() {
    let folder = tempfile::tempdir().unwrap();
    let [monday, tuesday, bad] =
        ["monday.pcap", "tuesday.pcap", "unsafe.pcap"].map(|name| folder.path().join(name));
    write(&monday, &home().unwrap(), 1);
    write(&tuesday, &home().unwrap(), 2);
    write(&bad, &unsafe_home().unwrap(), 1);

    let lines = run("extract", &[&bad]);
    let (summary, instances) = lines.split_last().unwrap();
    assert!(summary.contains(" frames, gateways {"), "{summary}");
    let instances = instances.iter().filter(|line| line.ends_with(" flows")).count();

    let lines = run("one_pass", &[&bad]);
    let counts: Vec<usize> =
        lines[0].split(", ").map(|part| part.split(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(counts[0], instances, "{lines:?}");
    assert!(counts[1] > 0 && counts[2] > 5, "{lines:?}");

    let findings = run("audit", &[&bad]);
    assert!(findings.iter().any(|line| line.contains(" TLS-")), "{findings:?}");

    let verdicts = run("train_classify", &[&monday, &tuesday]);
    let right = verdicts.iter().filter(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        words[0] == words[2]
    });
    assert!(right.count() * 2 > verdicts.len(), "{verdicts:?}");
}
