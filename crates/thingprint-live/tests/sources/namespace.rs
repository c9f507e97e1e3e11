//! The real tcpdump on a pair of interfaces between two network namespaces. Skipped, with the reason, where that is not
//! possible: not root, no tcpdump, no namespaces.
//!
//! Each test makes its namespaces, and has this program run a part of it inside.

use std::env;
use std::net::UdpSocket;
use std::process::{Command, Stdio, id};
use std::time::{Duration, Instant, SystemTime};

use thingprint_live::{Intake, IntakeOptions, Next, SourceState};

use crate::reading::{says, start_with, stop, wait_for, wait_for_failure};

/// Names the namespace of the other end, for what runs inside.
const FAR: &str = "THINGPRINT_FAR_NAMESPACE";
/// The interface whose frames are captured.
const INTERFACE: &str = "near0";
const NEAR_ADDRESS: &str = "10.253.7.1";
const FAR_ADDRESS: &str = "10.253.7.2";
/// Discard, which nobody listens at.
const PORT: u16 = 9;
const NEAR_MAC: &str = "02:00:00:00:00:01";
/// Bytes of each datagram; with the headers before them, a frame as long as most links allow.
const DATAGRAM: usize = 1400;
const HEADERS: usize = 14 + 20 + 8;
/// Enough to fill the kernel's usual buffer of 2 MiB ten times.
const DATAGRAMS: u32 = 20_000;

/// Two namespaces with a pair of interfaces between them, which go away with it.
struct Namespaces {
    near: String,
    far: String,
}

impl Namespaces {
    /// Makes them; `None` where that is not possible, with the reason printed.
    fn new(name: &str) -> Option<Self> {
        let pair = Self { near: format!("tp{}{name}n", id()), far: format!("tp{}{name}f", id()) };
        match pair.make() {
            Ok(()) => Some(pair),
            Err(reason) => {
                println!("skipped: {reason}");
                None
            }
        }
    }

    fn make(&self) -> Result<(), String> {
        let Self { near, far } = self;
        run("tcpdump", &["--version"])?;
        ip(&format!("netns add {near}"))?;
        ip(&format!("netns add {far}"))?;
        self.link()
    }

    fn link(&self) -> Result<(), String> {
        let Self { near, far } = self;
        ip(&format!(
            "-n {near} link add {INTERFACE} address {NEAR_MAC} type veth peer name far0 netns {far}"
        ))?;
        ip(&format!("-n {near} addr add {NEAR_ADDRESS}/30 dev {INTERFACE}"))?;
        ip(&format!("-n {near} link set {INTERFACE} up"))?;
        ip(&format!("-n {far} addr add {FAR_ADDRESS}/30 dev far0"))?;
        ip(&format!("-n {far} link set far0 up"))?;
        ip(&format!("-n {far} neigh replace {NEAR_ADDRESS} lladdr {NEAR_MAC} dev far0 nud permanent"))
    }

    /// Runs an ignored test of this program at the near end, with what is given before it.
    fn run_inside(&self, test: &str, before: &[&str]) {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.near]).args(before).arg(env::current_exe().unwrap());
        command.args(["--exact", &format!("namespace::{test}"), "--ignored", "--nocapture"]);
        let output = command.env(FAR, &self.far).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        println!("{said}");
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in [&self.near, &self.far] {
            // It may not be there.
            let _ = ip(&format!("netns del {name}"));
        }
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    run("ip", &arguments.split(' ').collect::<Vec<_>>())
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program} cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

#[test]
fn frames_arrive_whole_and_soon_and_an_interface_may_go_down() {
    let Some(namespaces) = Namespaces::new("a") else { return };
    namespaces.run_inside("near_end", &[]);
}

#[test]
fn one_capability_is_enough_to_capture() {
    let Some(namespaces) = Namespaces::new("b") else { return };
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    if let Err(reason) = run("setpriv", &["--version"]) {
        println!("skipped: {reason}");
        return;
    }
    let with = [&nobody[..], &["--inh-caps=+net_raw", "--ambient-caps=+net_raw"]].concat();
    namespaces.run_inside("capable_user", &with);
    namespaces.run_inside("user_without_capabilities", &nobody);
}

/// The namespace of the other end; `None` where nobody made one.
fn far() -> Option<String> {
    let far = env::var(FAR).ok();
    if far.is_none() {
        println!("skipped: this runs in a namespace that another test makes");
    }
    far
}

/// Starts to capture what [`send`] sends, and waits until tcpdump listens.
fn start() -> Intake {
    let spec = format!("interface:{INTERFACE} udp dst port {PORT}");
    let mut intake = start_with(&spec, IntakeOptions::default());
    wait_for(&mut intake, |health| health.dropped == Some(0));
    intake
}

/// Sends datagrams with these numbers from the other end.
fn send(far: &str, numbers: std::ops::Range<u32>) {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", far]).arg(env::current_exe().unwrap());
    command.args(["--exact", "namespace::far_end", "--ignored"]).stdout(Stdio::null());
    let numbers = format!("{} {}", numbers.start, numbers.end);
    assert!(command.env(FAR, far).env("NUMBERS", numbers).status().unwrap().success());
}

#[test]
#[ignore = "runs in a namespace that another test makes"]
fn far_end() {
    let Some(numbers) = env::var("NUMBERS").ok() else { return };
    let (start, end) = numbers.split_once(' ').unwrap();
    let socket = UdpSocket::bind((FAR_ADDRESS, 0)).unwrap();
    for number in start.parse::<u32>().unwrap()..end.parse().unwrap() {
        let mut datagram = [0x5a; DATAGRAM];
        datagram[..4].copy_from_slice(&number.to_be_bytes());
        // Answers of the other end, where nobody listens, are errors of a connected socket alone.
        socket.send_to(&datagram, (NEAR_ADDRESS, PORT)).unwrap();
    }
}

/// Takes datagrams with these numbers, each whole and in its turn; how long after its capture the last batch came.
fn expect(intake: &mut Intake, numbers: std::ops::Range<u32>) -> Duration {
    let (begun, mut next, mut delay) = (Instant::now(), numbers.start, Duration::ZERO);
    while next < numbers.end {
        let Next::Frames(batch) = intake.next(Duration::from_millis(20)) else {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{next} of {numbers:?}: {:?}",
                intake.health()
            );
            continue;
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        for frame in batch.frames() {
            let captured = u64::try_from(frame.time.as_nanos()).unwrap();
            delay = now.saturating_sub(Duration::from_nanos(captured));
            assert_eq!(
                (frame.bytes.len(), frame.wire_bytes as usize),
                (HEADERS + DATAGRAM, HEADERS + DATAGRAM)
            );
            assert_eq!(frame.bytes[HEADERS..HEADERS + 4], next.to_be_bytes());
            assert!(frame.bytes[HEADERS + 4..].iter().all(|byte| *byte == 0x5a));
            next += 1;
        }
    }
    assert_eq!(next, numbers.end);
    delay
}

#[test]
#[ignore = "runs in a namespace that another test makes"]
fn near_end() {
    let Some(far) = far() else { return };
    let mut intake = start();
    send(&far, 0..DATAGRAMS);
    expect(&mut intake, 0..DATAGRAMS);
    assert_eq!(intake.health()[0].dropped, Some(0));
    let slowest = (0..3).map(|number| {
        std::thread::sleep(Duration::from_millis(300));
        send(&far, number..number + 1);
        expect(&mut intake, number..number + 1)
    });
    let slowest = slowest.max().unwrap();
    println!("a packet of a quiet link came {slowest:?} after its capture");
    assert!(slowest < Duration::from_secs(2));

    ip(&format!("link set {INTERFACE} down")).unwrap();
    let health = wait_for(&mut intake, |health| health.state == SourceState::Failed);
    assert!(says(&health, "the interface is down; packets come again when it is up"), "{health:?}");
    ip(&format!("link set {INTERFACE} up")).unwrap();
    wait_for(&mut intake, |health| health.state == SourceState::Reading && health.message.is_none());
    send(&far, 5..6);
    expect(&mut intake, 5..6);

    ip(&format!("link del {INTERFACE}")).unwrap();
    wait_for_failure(&mut intake, "The interface disappeared; there are lo");
    wait_for_failure(&mut intake, "No such device exists; there are lo");
    stop(intake);
}

#[test]
#[ignore = "runs in a namespace that another test makes"]
fn capable_user() {
    if far().is_some() {
        stop(start());
    }
}

#[test]
#[ignore = "runs in a namespace that another test makes"]
fn user_without_capabilities() {
    if far().is_some() {
        let mut intake = start_with(&format!("interface:{INTERFACE}"), IntakeOptions::default());
        let health = wait_for_failure(&mut intake, "You don't have permission");
        assert!(
            says(&health, "capturing needs CAP_NET_RAW: run as root, give it to tcpdump (setcap"),
            "{health:?}"
        );
        stop(intake);
    }
}
