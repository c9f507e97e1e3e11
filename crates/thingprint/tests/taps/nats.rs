//! Taps and a collector with a server of NATS between them. The tests say that they skip where there is none.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{begin, home, seen_by, stored};
use crate::stage::Stage;

/// How long a server has to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server on this machine, which is killed with the test; its streams stay on disk.
struct Server {
    child: Option<Child>,
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    config: String,
}

impl Server {
    /// A server with these lines in its configuration; `None` where there is no program for it.
    fn new(stage: &Stage, config: &str) -> Option<Self> {
        let folders = ["/usr/sbin", "/usr/bin", "/usr/local/bin"];
        let program =
            folders.iter().map(|folder| Path::new(folder).join("nats-server")).find(|path| path.exists());
        let Some(program) = program else {
            let _ = writeln!(std::io::stderr(), "skipped: no nats-server; apt-get install nats-server");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Some(Self { child: None, program, folder: stage.path("nats"), port, config: config.to_owned() })
    }

    fn start(&mut self) {
        fs::create_dir_all(&self.folder).unwrap();
        let path = self.folder.join("server.conf");
        let store = self.folder.join("streams");
        let text = format!(
            "host: 127.0.0.1\nport: {}\njetstream {{ store_dir: \"{}\" }}\n{}\n",
            self.port,
            store.display(),
            self.config
        );
        fs::write(&path, text).unwrap();
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < end, "the server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What two taps saw of a home in turn.
fn two_turns(stage: &Stage) {
    let turn = begin(stage) + 9000;
    seen_by(stage, "attic", |time, _| time < turn);
    seen_by(stage, "cellar", |time, _| time >= turn);
}

fn tap(stage: &Stage, name: &str, url: &str, more: &str) {
    stage
        .ok(&format!("watch {name}.pcap --store {name}.db --no-page -q --publish {url} --tap {name} {more}"));
}

#[test]
fn what_a_server_carries_is_what_one_reading_gives() {
    let (stage, rows) = home(5);
    // Parts do not fit into one message here.
    let Some(mut server) = Server::new(&stage, "max_payload: 4096") else { return };
    server.start();
    two_turns(&stage);
    tap(&stage, "attic", &server.url(), "");
    tap(&stage, "cellar", &server.url(), "");
    let collect = format!("collect {} --store all.db --once", server.url());
    let said = stage.ok(&collect);
    assert_eq!(stored(&stage, "all.db"), rows, "{}", said.stderr);
    let again = stage.ok(&collect);
    assert_eq!((again.stdout, stored(&stage, "all.db")), (said.stdout, rows));
}

#[test]
fn a_server_that_is_away_gets_everything_when_it_is_back() {
    let (stage, rows) = home(5);
    let Some(mut server) = Server::new(&stage, "") else { return };
    two_turns(&stage);
    let words = format!("--no-page --publish {}", server.url());
    let said = stage.run(&format!("watch attic.pcap --store attic.db {words} --tap attic"));
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert!(said.stderr.contains("wait in the spool"), "{}", said.stderr);
    stage.fails(
        &format!("collect {} --store all.db --once", server.url()),
        1,
        &["failed to reach", "127.0.0.1"],
    );
    server.start();
    // The same again: what was cut before is not cut twice, and is sent now.
    tap(&stage, "attic", &server.url(), "");
    tap(&stage, "cellar", &server.url(), "");
    stage.ok(&format!("collect {} --store all.db --once", server.url()));
    assert_eq!(stored(&stage, "all.db"), rows);
}

#[test]
fn kills_of_tap_server_and_collector_lose_and_double_nothing() {
    let (stage, rows) = home(6);
    let Some(mut server) = Server::new(&stage, "max_payload: 8192") else { return };
    let begin = begin(&stage);
    fs::create_dir(stage.path("captures")).unwrap();
    for half in 0..12 {
        seen_by(&stage, &format!("captures/{half:02}"), |time, _| (time - begin) / 1800 == half);
    }
    let watch = format!("watch captures --store tap.db --no-page -q --publish {} --tap attic", server.url());
    let collect = format!("collect {} --store all.db", server.url());
    for round in 0_u64..6 {
        server.start();
        let start = |words: &str| {
            let mut command = stage.command(words, Stdio::null());
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let (mut tap, mut collector) = (start(&watch), start(&collect));
        std::thread::sleep(Duration::from_millis(150 + round * 250));
        // Each of them first, in turn.
        let mut kill = |number: u64| match number % 3 {
            0 => tap.kill().unwrap(),
            1 => collector.kill().unwrap(),
            _ => server.kill(),
        };
        for number in round..round + 3 {
            kill(number);
            std::thread::sleep(Duration::from_millis(60));
        }
        tap.wait().unwrap();
        collector.wait().unwrap();
    }
    server.start();
    let start_of = |row: &String| {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        row["window_start"].as_str().unwrap().to_owned()
    };
    // A folder never ends: a reading takes what it can in its time.
    let mut collected = Vec::new();
    for _ in 0..20 {
        stage.ok(&format!("{watch} --stop-after 4s"));
        let taps = stage.ok(&format!("{collect} --once")).json_lines();
        assert_eq!((taps[0]["missing"].as_u64(), taps[0]["late"].as_u64()), (Some(0), Some(0)), "{taps:?}");
        collected = stored(&stage, "all.db");
        if collected.len() * 10 > rows.len() * 6 {
            break;
        }
    }
    assert!(collected.len() * 10 > rows.len() * 6, "{} of {}", collected.len(), rows.len());
    let until = collected.iter().map(start_of).max().unwrap();
    let expected: Vec<String> = rows.into_iter().filter(|row| start_of(row) <= until).collect();
    assert_eq!(collected, expected);
}

#[test]
fn a_server_lets_in_who_has_its_password() {
    let (stage, rows) = home(2);
    let config = "authorization { user: ann, password: s3cret }";
    let Some(mut server) = Server::new(&stage, config) else { return };
    server.start();
    fs::write(stage.path("good"), "ann:s3cret\n").unwrap();
    fs::write(stage.path("bad"), "ann:guess\n").unwrap();
    fs::copy(stage.path("home.pcap"), stage.path("attic.pcap")).unwrap();
    let collect = format!("collect {} --store all.db --once", server.url());
    stage.fails(&format!("{collect} --credentials bad"), 1, &["Authorization Violation", "--credentials"]);
    stage.fails(&collect, 1, &["Authorization Violation", "--credentials"]);
    stage.fails(&format!("{collect} --credentials none"), 1, &["none"]);
    tap(&stage, "attic", &server.url(), "--credentials good");
    let said = stage.ok(&format!("{collect} --credentials good"));
    assert_eq!(stored(&stage, "all.db"), rows, "{}", said.stderr);
}
