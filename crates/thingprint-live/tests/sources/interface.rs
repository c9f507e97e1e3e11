//! What a user sees of an interface, by a stand-in for tcpdump.

use std::path::PathBuf;

use thingprint_live::{Intake, IntakeOptions, SourceState};

use crate::reading::{expect_nothing, start_with, stop, take, wait_for, wait_for_failure};

fn start(interface: &str) -> Intake {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sources/tcpdump");
    start_from(interface, path)
}

fn start_from(interface: &str, path: PathBuf) -> Intake {
    let options = IntakeOptions { tcpdump: Some(path), ..IntakeOptions::default() };
    start_with(&format!("interface:{interface}"), options)
}

#[test]
fn packets_of_tcpdump_come_at_once() {
    let mut intake = start("delivers");
    assert_eq!(take(&mut intake, 2), [0, 1]);
    let health = wait_for(&mut intake, |health| health.dropped == Some(0));
    assert_eq!(
        (health.name.as_str(), health.state, health.message),
        ("delivers", SourceState::Reading, None)
    );
    stop(intake);
}

#[test]
fn tcpdump_is_asked_what_it_dropped() {
    let mut intake = start("counts");
    assert_eq!(take(&mut intake, 1), [0]);
    wait_for(&mut intake, |health| health.dropped == Some(3));
    wait_for(&mut intake, |health| health.dropped == Some(6));
    stop(intake);
}

#[test]
fn drops_of_one_that_ended_stay_counted() {
    let mut intake = start("loses");
    assert_eq!(take(&mut intake, 1), [0]);
    let health = wait_for_failure(&mut intake, "tcpdump ended (exit status: 1): out of memory");
    assert_eq!(health.dropped, Some(2));
    assert_eq!(take(&mut intake, 1), [0]);
    wait_for(&mut intake, |health| health.dropped == Some(4));
    stop(intake);
}

#[test]
fn tcpdump_gets_the_filter_behind_all_options() {
    let mut intake = start("arguments -w x");
    let arguments = "[-n][-U][-s][0][-B][65536][-w][-][-i][arguments][--][-w x]";
    wait_for_failure(
        &mut intake,
        &format!("tcpdump ended (exit status: 1): {arguments} (tried again in 1 s)"),
    );
    stop(intake);
}

#[test]
fn each_failure_says_what_to_do() {
    let check = |interface: &str, message: &str| {
        let mut intake = start(interface);
        wait_for_failure(&mut intake, message);
        stop(intake);
    };
    check(
        "forbidden",
        "capturing needs CAP_NET_RAW: run as root, give it to tcpdump (setcap cap_net_raw+ep ",
    );
    check("absent", "absent: No such device exists; there are ");
    check("down", "down: That device is not up; set it up: ip link set down up");
    check("filtered prot 5", "syntax error; the filter is 'prot 5': see 'man pcap-filter'");
    check("garbage", "unknown capture format: it starts with 74 68 69 73");
    check("monitor", "link type IEEE 802.11 with radiotap header (127) is not supported");
    check("silent", "tcpdump ended (exit status: 3) and did not say why");
}

#[test]
fn an_interface_that_vanishes_is_tried_again() {
    let mut intake = start("vanishes");
    assert_eq!(take(&mut intake, 1), [0]);
    wait_for_failure(&mut intake, "vanishes: pcap_loop: The interface disappeared");
    assert_eq!(take(&mut intake, 1), [0]);
    assert_eq!(intake.health().remove(0).restarts, 1);
    stop(intake);
}

#[test]
fn a_tcpdump_that_talks_without_end_is_read_and_stopped() {
    let mut intake = start("chatters");
    assert_eq!(take(&mut intake, 1), [0]);
    expect_nothing(&mut intake);
    stop(intake);
}

#[test]
fn a_missing_tcpdump_is_said() {
    let mut intake = start_from("eth0", PathBuf::from("/nowhere/tcpdump"));
    wait_for_failure(&mut intake, "eth0: tcpdump was not found (/nowhere/tcpdump); install it");
    stop(intake);
    let mut intake = start_from("eth0", PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    wait_for_failure(&mut intake, "Cargo.toml may not be executed; check its mode");
    stop(intake);
}
