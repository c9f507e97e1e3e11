//! Captures over TCP, both ways.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use thingprint_live::{Intake, IntakeOptions, LiveErrorKind, Next, SourceSpec, SourceState};

use crate::captures::{big_endian, capture, gzip, records};
use crate::reading::{expect_nothing, start, stop, take, wait_for, wait_for_failure};

/// A server that nothing is read from yet, and an intake that connects to it.
fn served() -> (TcpListener, Intake) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let intake = start(&format!("tcp://{}", listener.local_addr().unwrap()));
    (listener, intake)
}

/// An intake that listens, and its address.
fn listening() -> (Intake, String) {
    let mut intake = start("tcp-listen://127.0.0.1:0");
    let health = wait_for(&mut intake, |health| health.state == SourceState::Reading);
    let message = health.message.unwrap();
    let address = message.strip_prefix("listens on ").unwrap().split(',').next().unwrap().to_owned();
    (intake, address)
}

#[test]
fn a_client_reads_either_byte_order_and_compressed_captures() {
    for bytes in [capture(0..3), big_endian(0..3), gzip(&capture(0..3))] {
        let (listener, mut intake) = served();
        let (mut sender, _) = listener.accept().unwrap();
        sender.write_all(&bytes).unwrap();
        assert_eq!(take(&mut intake, 3), [0, 1, 2]);
        let health = intake.health().remove(0);
        assert_eq!((health.packets, health.state), (3, SourceState::Reading));
        stop(intake);
    }
}

#[test]
fn each_packet_of_a_quiet_stream_comes_at_once() {
    let (listener, mut intake) = served();
    let (mut sender, _) = listener.accept().unwrap();
    sender.write_all(&capture([])).unwrap();
    for second in 0..5 {
        expect_nothing(&mut intake);
        sender.write_all(&records([second])).unwrap();
        assert_eq!(take(&mut intake, 1), [second]);
    }
    stop(intake);
}

#[test]
fn a_client_connects_again_and_says_why() {
    let (listener, mut intake) = served();
    let (mut sender, _) = listener.accept().unwrap();
    sender.write_all(&capture(0..2)).unwrap();
    assert_eq!(take(&mut intake, 2), [0, 1]);
    drop(sender);
    wait_for_failure(&mut intake, "the other side ended the stream after 2 packets (tried again in 1 s)");
    let (mut sender, _) = listener.accept().unwrap();
    // Half a packet, and the end.
    sender.write_all(&capture(2..4)[..24 + 76 + 30]).unwrap();
    drop(sender);
    assert_eq!(take(&mut intake, 1), [2]);
    wait_for_failure(&mut intake, "cut off: 30 of 76 bytes are there (after 1 packets)");
    let (mut sender, _) = listener.accept().unwrap();
    sender.write_all(&capture(4..5)).unwrap();
    assert_eq!(take(&mut intake, 1), [4]);
    let health = intake.health().remove(0);
    assert_eq!((health.restarts, health.packets), (2, 4));
    let notices: Vec<String> = intake.board().take_notices().into_iter().map(|notice| notice.text).collect();
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices[0].starts_with("failed to read tcp://127.0.0.1:"), "{notices:?}");
    stop(intake);
}

#[test]
fn what_cannot_be_reached_or_is_not_a_capture_is_said() {
    let (listener, mut intake) = served();
    let (mut sender, _) = listener.accept().unwrap();
    sender.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    wait_for_failure(&mut intake, "unknown capture format: it starts with 48 54 54 50");
    let (mut sender, _) = listener.accept().unwrap();
    drop(listener);
    let mut broken = capture(0..1);
    broken.extend([0xff; 64]);
    sender.write_all(&broken).unwrap();
    assert_eq!(take(&mut intake, 1), [0]);
    wait_for_failure(&mut intake, "claims 4294967311 bytes, more than 8388608");
    drop(sender);
    wait_for_failure(&mut intake, "nothing listens there");
    stop(intake);
}

#[test]
fn senders_are_read_side_by_side() {
    let (mut intake, address) = listening();
    let silent = TcpStream::connect(&address).unwrap();
    let mut first = TcpStream::connect(&address).unwrap();
    first.write_all(&capture(0..2)).unwrap();
    assert_eq!(take(&mut intake, 2), [0, 1]);
    let mut second = TcpStream::connect(&address).unwrap();
    second.write_all(&big_endian(10..12)).unwrap();
    assert_eq!(take(&mut intake, 2), [10, 11]);
    first.write_all(&records([2])).unwrap();
    assert_eq!(take(&mut intake, 1), [2]);
    wait_for(&mut intake, |health| health.message.as_ref().unwrap().contains("3 senders are connected"));
    drop((silent, first, second));
    let health = wait_for(&mut intake, |health| health.message.as_ref().unwrap().contains("no sender"));
    assert_eq!((health.packets, health.restarts, health.state), (5, 2, SourceState::Failed));
    assert_eq!(health.interruptions, 1, "packets are missing from now on, and once");
    let _again = TcpStream::connect(&address).unwrap();
    wait_for(&mut intake, |health| health.state == SourceState::Reading);
    stop(intake);
}

#[test]
fn a_sender_of_garbage_or_half_a_packet_harms_no_other() {
    let (mut intake, address) = listening();
    let mut good = TcpStream::connect(&address).unwrap();
    good.write_all(&capture(0..1)).unwrap();
    assert_eq!(take(&mut intake, 1), [0]);
    TcpStream::connect(&address).unwrap().write_all(&[0x16; 200]).unwrap();
    TcpStream::connect(&address).unwrap().write_all(&capture(5..6)[..40]).unwrap();
    drop(TcpStream::connect(&address).unwrap());
    wait_for(&mut intake, |health| {
        health.restarts == 3 && health.message.as_ref().unwrap().contains("one sender")
    });
    good.write_all(&records([1])).unwrap();
    assert_eq!(take(&mut intake, 1), [1]);
    let notices: Vec<String> = intake.board().take_notices().into_iter().map(|notice| notice.text).collect();
    let count = |words: &str| notices.iter().filter(|notice| notice.contains(words)).count();
    assert_eq!(
        (count("connected"), count("unknown capture format"), count("is cut off")),
        (4, 1, 1),
        "{notices:?}"
    );
    assert_eq!(count("the file is empty"), 1, "{notices:?}");
    stop(intake);
}

#[test]
fn senders_beyond_the_limit_are_refused_and_counted() {
    let (mut intake, address) = listening();
    let kept: Vec<TcpStream> = (0..16).map(|_| TcpStream::connect(&address).unwrap()).collect();
    wait_for(&mut intake, |health| health.message.as_ref().unwrap().contains("16 senders"));
    let mut refused = TcpStream::connect(&address).unwrap();
    assert_eq!(refused.read(&mut [0; 1]).unwrap(), 0);
    assert_eq!(wait_for(&mut intake, |health| health.left_out == 1).restarts, 15);
    drop(kept);
    wait_for(&mut intake, |health| health.message.as_ref().unwrap().contains("no sender"));
    stop(intake);
}

#[test]
fn an_address_that_is_taken_is_said_and_tried_again() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut intake = start(&format!("tcp-listen://{address}"));
    wait_for_failure(&mut intake, "another program listens there: end it, or take another port");
    drop(taken);
    wait_for(&mut intake, |health| health.state == SourceState::Reading && health.restarts >= 1);
    stop(intake);
}

#[test]
fn a_clock_that_steps_back_begins_a_segment() {
    let (mut intake, address) = listening();
    let mut sender = TcpStream::connect(&address).unwrap();
    sender.write_all(&capture([1000, 10, 11])).unwrap();
    let mut begins = Vec::new();
    while begins.len() < 3 {
        if let Next::Frames(batch) = intake.next(Duration::from_secs(5)) {
            begins.extend(batch.frames().map(|frame| frame.begins_segment));
        }
    }
    assert_eq!(begins, [false, true, false]);
    drop(sender);
    wait_for(&mut intake, |health| health.steps_back == 1);
    stop(intake);
}

#[test]
fn a_full_channel_makes_senders_wait_and_loses_nothing() {
    let (mut intake, address) = listening();
    let packets = 200_000;
    let writer = std::thread::spawn(move || {
        let mut sender = TcpStream::connect(&address).unwrap();
        sender.write_all(&capture(0..packets)).unwrap();
    });
    // The engine is busy elsewhere: 64 batches of 512 frames fit, and the count of them stands still.
    let mut waiting = 0;
    for _ in 0..60 {
        std::thread::sleep(Duration::from_millis(500));
        let before = std::mem::replace(&mut waiting, intake.health().remove(0).packets);
        if waiting > 0 && waiting == before {
            break;
        }
    }
    assert!((1..=66 * 512).contains(&waiting), "{waiting}");
    assert_eq!(take(&mut intake, 200_000), (0..packets).collect::<Vec<_>>());
    writer.join().unwrap();
    stop(intake);
}

#[test]
fn a_stop_ends_a_source_that_waits_for_the_engine() {
    let (intake, address) = listening();
    let writer = std::thread::spawn(move || {
        // Fails when the other side ends.
        let _ = TcpStream::connect(&address).unwrap().write_all(&capture(0..500_000));
    });
    std::thread::sleep(Duration::from_millis(300));
    stop(intake);
    writer.join().unwrap();
}

#[test]
fn sources_that_end_end_the_intake() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcap");
    std::fs::write(&path, capture([0, 1, 2, 1000])).unwrap();
    let mut intake = start(&path.display().to_string());
    assert_eq!(take(&mut intake, 4), [0, 1, 2, 1000]);
    assert!(matches!(intake.next(Duration::from_secs(5)), Next::Ended));
    let health = intake.health().remove(0);
    assert_eq!((health.state, health.message), (SourceState::Ended, None));
    std::fs::write(&path, &capture([0, 1])[..120]).unwrap();
    let mut intake = start(&path.display().to_string());
    while !matches!(intake.next(Duration::from_secs(5)), Next::Ended) {}
    let health = intake.health().remove(0);
    assert_eq!((health.packets, health.state), (1, SourceState::Ended));
    assert!(health.message.as_ref().unwrap().contains("cut off"), "{health:?}");
}

#[test]
fn standard_input_is_read_as_it_comes_until_it_ends() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "stream::reads_standard_input", "--ignored", "--nocapture"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&capture(0..2)).unwrap();
    assert!(lines.any(|line| line == "[0, 1]"));
    stdin.write_all(&records(2..3)).unwrap();
    assert!(lines.any(|line| line == "[2]"));
    drop(stdin);
    assert!(lines.any(|line| line == "standard input: Ended, None"));
    assert!(child.wait().unwrap().success());
}

#[test]
#[ignore = "another test gives it its input"]
fn reads_standard_input() {
    let mut intake = start("-");
    println!("\n{:?}", take(&mut intake, 2));
    println!("{:?}", take(&mut intake, 1));
    assert!(matches!(intake.next(Duration::from_secs(20)), Next::Ended));
    let health = intake.health().remove(0);
    println!("{}: {:?}, {:?}", health.name, health.state, health.message);
    stop(intake);
}

#[test]
fn sources_that_make_no_sense_together_are_refused() {
    let refused = |specs: Vec<SourceSpec>| Intake::start(specs, IntakeOptions::default()).err().unwrap();
    assert_eq!(refused(vec![]).kind, LiveErrorKind::NotASource);
    let twice = vec![SourceSpec::parse("-").unwrap(), SourceSpec::parse("-").unwrap()];
    assert_eq!(
        refused(twice).to_string(),
        "-: it is given twice; its packets would count twice: give it once"
    );
}
