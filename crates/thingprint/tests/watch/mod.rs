//! `watch` as a service manager and a person run it.

#[cfg(target_os = "linux")]
mod wire;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stage::Stage;

/// How long a test waits for what has to happen: on a busy machine, seconds become a minute.
const PATIENCE: Duration = Duration::from_mins(2);

/// A stage with some hours of the simulated home.
fn home(hours: u32) -> Stage {
    let stage = Stage::new();
    stage.ok(&format!("simulate --duration {hours}h -o home.pcap --labels labels.csv"));
    stage
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["kind"] == kind).collect()
}

#[test]
fn a_capture_is_watched_to_its_end_and_not_twice() {
    let stage = home(3);
    let events = stage.ok("watch home.pcap --store home.db --no-page").json_lines();
    let devices = stage.ok("devices home.pcap").json_lines();
    assert_eq!(of_kind(&events, "new-device").len(), devices.len());
    assert!(!of_kind(&events, "finding").is_empty());
    let ids: BTreeSet<u64> = events.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), events.len(), "each event once");
    // The same capture again: its devices and findings are known.
    let again = stage.ok("watch home.pcap --store home.db --no-page").json_lines();
    assert_eq!(of_kind(&again, "new-device").len(), 0, "{again:?}");
    assert_eq!(of_kind(&again, "finding").len(), 0, "{again:?}");
}

#[test]
fn captures_of_several_days_are_watched_in_the_order_of_their_packets() {
    let stage = Stage::new();
    stage.ok("simulate --duration 30h -o home.pcap --labels labels.csv");
    let capture = fs::read(stage.path("home.pcap")).unwrap();
    let (head, mut rest) = capture.split_at(24);
    let mut days = [head.to_vec(), head.to_vec(), head.to_vec()];
    let begin = u32::from_le_bytes(rest[..4].try_into().unwrap());
    while let Some((record, behind)) = rest.split_at_checked(16) {
        let word = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().unwrap());
        let (frame, behind) = behind.split_at(word(8) as usize);
        // The third one overlaps with the others.
        let day = if frame[5] % 4 == 0 { 2 } else { usize::from(word(0) - begin >= 15 * 3600) };
        days[day].extend([record, frame].concat());
        rest = behind;
    }
    for (name, day) in ["b", "a", "c"].iter().zip(&days) {
        fs::write(stage.path(&format!("{name}.pcap")), day).unwrap();
    }
    stage.ok("extract home.pcap -o all.jsonl");
    stage.ok("watch a.pcap b.pcap c.pcap --store days.db --no-page -q");
    let rows = |text: &str| -> BTreeSet<String> { text.lines().map(str::to_owned).collect() };
    let stored = stage.ok("store days.db export --with-cut").stdout;
    let extracted = fs::read_to_string(stage.path("all.jsonl")).unwrap();
    assert!(rows(&extracted).len() > 200);
    assert_eq!(rows(&stored), rows(&extracted));
}

#[test]
fn standard_input_is_a_source_and_a_file_takes_the_events() {
    let stage = home(1);
    let said = stage.run_with_stdin("watch - --store a.db --no-page -o events.jsonl", "home.pcap");
    assert_eq!((said.status, said.stdout.as_str()), (0, ""), "{}", said.stderr);
    let events = fs::read_to_string(stage.path("events.jsonl")).unwrap();
    assert!(events.lines().count() > 5 && events.contains("\"new-device\""));
}

#[test]
fn an_event_that_happens_again_after_a_restart_is_not_sent_again() {
    let stage = home(1);
    let capture = fs::read(stage.path("home.pcap")).unwrap();
    fs::write(stage.path("cut.pcap"), &capture[..capture.len() - 10]).unwrap();
    let failures = |said: &str| {
        let events = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.filter(|event| event["kind"] == "source-failed").count()
    };
    let first = stage.run("watch cut.pcap --store a.db --no-page");
    assert_eq!((first.status, failures(&first.stdout)), (4, 1), "{}", first.stderr);
    let again = stage.run("watch cut.pcap --store a.db --no-page");
    assert_eq!((again.status, failures(&again.stdout)), (4, 0), "{}", again.stdout);
    // It was counted: the store has it once, as what happened twice.
    let stored = stage.ok("store a.db events");
    assert_eq!(failures(&stored.stdout), 1, "{}", stored.stdout);
}

#[test]
fn what_cannot_be_watched_is_said() {
    let stage = home(1);
    stage.fails("watch", 2, &["nothing to watch", "-i"]);
    stage.fails("watch ftp://host/x", 2, &["ftp"]);
    stage.fails("watch home.pcap --notify pigeon:home", 2, &["pigeon"]);
    stage.fails("watch home.pcap --window capture", 2, &["--window capture"]);
    stage.fails("watch home.pcap --format csv", 2, &["csv"]);
    stage.fails("watch home.pcap --listen 0.0.0.0:0", 2, &["--token-file", "127.0.0.1"]);
    stage.fails("watch --check none.pcap --no-page", 1, &["none.pcap"]);
    stage.fails(
        "watch --check -i lo --tcpdump none/tcpdump --no-page",
        1,
        &["lo", "none/tcpdump", "--tcpdump"],
    );
    let missing = ["none/home.db", "there is no folder none", "--store"];
    stage.fails("watch --check home.pcap --store none/home.db --no-page", 1, &missing);
    assert!(!stage.path("none").exists(), "--check makes nothing");
    stage.ok("watch --check home.pcap --store home.db --no-page");
    stage.fails("watch home.pcap --notify htps://host/SECRET", 2, &["'htps'"]);
    stage.fails("watch home.pcap --model none.model --no-page", 1, &["none.model"]);
    fs::write(stage.path("text.db"), "this is no store, but a text of some length").unwrap();
    stage.fails("watch home.pcap --store text.db --no-page", 1, &["text.db"]);
    fs::write(stage.path("bad.pcap"), [0; 100]).unwrap();
    let said = stage.run("watch bad.pcap --store b.db --no-page");
    assert_eq!(said.status, 4, "{}", said.stderr);
    assert!(said.stderr.contains("bad.pcap"), "{}", said.stderr);
}

#[test]
fn events_take_the_place_of_nothing_that_is_read() {
    let stage = home(1);
    let before = fs::read(stage.path("home.pcap")).unwrap();
    let watch = "watch home.pcap --store home.db --no-page --labels labels.csv";
    let places = [
        ("--format jsonl -o home.pcap", "home.pcap"),
        ("--notify file:home.pcap", "home.pcap"),
        ("--notify file:labels.csv", "labels.csv"),
    ];
    for (words, place) in places {
        stage.fails(&format!("{watch} {words}"), 2, &["would replace an input", place]);
    }
    assert!(fs::read(stage.path("home.pcap")).unwrap() == before);
    stage.fails("watch nosuch.pcap --store home.db --no-page", 1, &["nosuch.pcap", "No such file"]);
    stage.ok(&format!("{watch} --notify file:events.jsonl -q"));
}

#[test]
fn a_check_tells_of_a_process_that_writes_the_store() {
    let stage = home(1);
    let running = Running::start(&stage, "tcp-listen://127.0.0.1:0 --store a.db");
    let process = format!("process {}", running.child.id());
    stage.fails(
        "watch --check home.pcap --store a.db --no-page",
        1,
        &["a.db", &process, "name another store"],
    );
    stage.ok("watch --check home.pcap --store b.db --no-page");
    drop(running);
    stage.ok("watch --check home.pcap --store a.db --no-page");
}

/// A watch that runs beside the test, and is killed with it.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    /// Starts a watch whose page is at a port of its own; `words` has the rest of its arguments.
    fn start(stage: &Stage, words: &str) -> Self {
        let arguments = format!("watch {words} --listen 127.0.0.1:0");
        let mut command = stage.command(&arguments, Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = lines.find_map(|line| line.unwrap().strip_prefix("page: ").map(str::to_owned)).unwrap();
        // What comes later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    /// The body of a JSON path of the page.
    fn get(&self, path: &str) -> Option<Value> {
        let rest = self.url.strip_prefix("http://").unwrap();
        let (host, query) = rest.split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let token = query.strip_prefix("?token=").unwrap();
        write!(
            stream,
            "GET /api/v1/{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        let from = body.find(['{', '['])?;
        let to = body.rfind(['}', ']'])?;
        serde_json::from_str(&body[from..=to]).ok()
    }

    /// Asks for something.
    fn post(&self, body: &str) {
        let rest = self.url.strip_prefix("http://").unwrap();
        let (host, query) = rest.split_once('/').unwrap();
        let token = query.strip_prefix("?token=").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "POST /api/v1/requests HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: \
             close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Waits until a JSON path says what is expected.
    fn wait(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            if let Some(found) = self.get(path).filter(&is_so) {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "{path}: {:?}", self.get(path));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_watch_in_time_and_what_was_open_is_kept() {
    let stage = home(1);
    let mut watch = Running::start(&stage, "- --store home.db");
    let capture = fs::read(stage.path("home.pcap")).unwrap();
    let mut stdin = watch.child.stdin.take().unwrap();
    stdin.write_all(&capture).unwrap();
    stdin.flush().unwrap();
    let packets = watch.wait("health", |health| health["packets"].as_u64() > Some(100));
    assert_eq!(packets["sources"][0]["state"], "reading");
    // Another watch cannot write the same store, and says who does.
    let pid = watch.child.id().to_string();
    stage.fails("watch home.pcap --store home.db --no-page", 1, &["home.db", &pid]);
    // A check says so as well, after it looked at everything else.
    let check = "watch home.pcap - --store home.db --no-page --check";
    stage.fails(check, 1, &["home.db", &pid, "- (not checked"]);
    let begun = Instant::now();
    watch.signal(rustix::process::Signal::TERM);
    let status = watch.child.wait().unwrap();
    let took = begun.elapsed();
    assert!(status.success() && took < Duration::from_secs(20), "{status} after {took:?}");
    drop(stdin);
    let mut stdout = String::new();
    watch.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert!(stdout.contains("\"new-device\""));
    // The hour was open: what was seen of it is there, as a piece.
    let watch = Running::start(&stage, "tcp-listen://127.0.0.1:0 --store home.db");
    let devices = watch.wait("devices", |devices| !devices["devices"].as_array().unwrap().is_empty());
    let device = devices["devices"].as_array().unwrap().iter().find(|device| device["windows"] != 0).unwrap();
    let path = format!("devices/{}/windows", device["device"].as_str().unwrap());
    let windows = watch.wait(&path, |windows| !windows["windows"].as_array().unwrap().is_empty());
    assert_eq!(windows["windows"][0]["is_cut"], true, "{windows}");
}

#[test]
fn a_sensor_that_went_away_is_an_event_and_so_is_its_return() {
    let stage = home(1);
    let capture = fs::read(stage.path("home.pcap")).unwrap();
    let watch = Running::start(&stage, "tcp-listen://127.0.0.1:0 --store home.db");
    let listens = watch.wait("health", |health| {
        health["sources"][0]["message"].as_str().unwrap_or("").contains("listens on")
    });
    let message = listens["sources"][0]["message"].as_str().unwrap();
    let address = message.strip_prefix("listens on ").unwrap().split(',').next().unwrap();
    let mut sensor = TcpStream::connect(address).unwrap();
    sensor.write_all(&capture).unwrap();
    watch.wait("health", |health| health["packets"].as_u64() > Some(100));
    assert_eq!(watch.get("health").unwrap()["sources"][0]["state"], "reading");
    drop(sensor);
    watch.wait("health", |health| health["sources"][0]["state"] == "failed");
    let has = |kind: &'static str| move |events: &Value| events.to_string().contains(&format!("\"{kind}\""));
    watch.wait("events", has("source-failed"));
    let _sensor = TcpStream::connect(address).unwrap();
    watch.wait("health", |health| health["sources"][0]["state"] == "reading");
    watch.wait("events", has("source-recovered"));
}

/// Kills a watch of a growing folder at moments of no meaning; what was acknowledged is there, whole and once.
#[cfg(unix)]
#[test]
fn a_watch_that_is_killed_loses_no_window_and_counts_none_twice() {
    let kills: u64 = std::env::var("THINGPRINT_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(5);
    let stage = home(8);
    fs::create_dir(stage.path("captures")).unwrap();
    fs::copy(stage.path("home.pcap"), stage.path("captures/home.pcap")).unwrap();
    let mut seen = BTreeSet::new();
    for at in 0..kills {
        let watch = Running::start(&stage, "captures --store home.db");
        std::thread::sleep(Duration::from_millis(at * 37 % 400));
        let mut windows = all_windows(&watch);
        let begun = Instant::now();
        // A watch that stored nothing has nothing to lose: the last ones are killed when windows are stored.
        while 2 * at >= kills && windows.is_empty() {
            assert!(begun.elapsed() < PATIENCE, "run {at}: no window was stored");
            std::thread::sleep(Duration::from_millis(20));
            windows = all_windows(&watch);
        }
        assert!(windows.is_superset(&seen), "run {at}: a stored window is gone");
        seen = windows;
        watch.signal(rustix::process::Signal::KILL);
    }
    assert!(!seen.is_empty(), "the last watches were killed after they had stored windows");
    let whole = Running::start(&stage, "captures --store home.db");
    let extracted = stage.ok("extract home.pcap").json_lines();
    // All windows but the last hour's, which nothing follows.
    let last = extracted.iter().map(|row| row["window_start"].as_str().unwrap()).max().unwrap().to_owned();
    let expected: BTreeSet<Key> = extracted
        .iter()
        .map(|row| (text(&row["device"]), text(&row["window_start"]), 0))
        .filter(|(_, start, _)| *start < last)
        .collect();
    let begun = Instant::now();
    loop {
        let found: BTreeSet<Key> =
            all_windows(&whole).into_iter().filter(|(_, start, _)| *start < last).collect();
        if found == expected {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{} of {} windows", found.len(), expected.len());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Device, start and piece of a window.
type Key = (String, String, u64);

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The windows of all devices, none of them twice.
fn all_windows(watch: &Running) -> BTreeSet<Key> {
    let devices = watch.wait("devices", |devices| devices["devices"].is_array());
    let mut all = BTreeSet::new();
    for device in devices["devices"].as_array().unwrap() {
        let device = text(&device["device"]);
        let windows =
            watch.wait(&format!("devices/{device}/windows"), |windows| windows["windows"].is_array());
        for window in windows["windows"].as_array().unwrap() {
            let key = (device.clone(), text(&window["window_start"]), window["part"].as_u64().unwrap());
            assert!(all.insert(key), "{window} comes twice");
        }
    }
    all
}

#[test]
fn what_a_profile_does_not_allow_is_an_event() {
    let stage = home(3);
    stage.ok("audit home.pcap --labels labels.csv --mud-out profiles");
    let watch = "watch home.pcap --labels labels.csv --no-page --notify-kinds mud-violation";
    let allowed = stage.ok(&format!("{watch} --mud profiles --store a.db")).json_lines();
    assert_eq!(allowed, [Value::Null; 0], "a profile allows what it was written from");
    // A profile that says nothing of names and time servers but what is implied.
    let files = fs::read_dir(stage.path("profiles")).unwrap();
    let file = files.map(|file| file.unwrap().path()).find(|path| path.to_str().unwrap().contains("camera"));
    let file = file.unwrap();
    let mut profile: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for list in profile["ietf-access-control-list:acls"]["acl"].as_array_mut().unwrap() {
        list["aces"]["ace"] = Value::Array(Vec::new());
    }
    fs::write(&file, profile.to_string()).unwrap();
    let denied = stage.ok(&format!("{watch} --mud profiles --store b.db")).json_lines();
    assert!(!denied.is_empty() && denied.iter().all(|event| event["kind"] == "mud-violation"), "{denied:?}");
    let subjects: BTreeSet<&str> = denied.iter().map(|event| event["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects.len(), denied.len(), "each once");
}

/// What each window of a device has: the packets that it sent.
fn packets_of(watch: &Running) -> Vec<(Key, u64)> {
    let mut all = Vec::new();
    for (device, start, part) in all_windows(watch) {
        let windows =
            watch.wait(&format!("devices/{device}/windows"), |windows| windows["windows"].is_array());
        let windows = windows["windows"].as_array().unwrap().clone();
        let window = windows.iter().find(|window| window["window_start"] == *start && window["part"] == part);
        all.push(((device, start, part), window.unwrap()["packets_up"].as_u64().unwrap()));
    }
    all
}

/// A folder that a watch is ended in is read again where it has to be, and no packet counts twice.
#[cfg(unix)]
#[test]
fn a_folder_that_is_left_and_taken_up_again_counts_each_packet_once() {
    let stage = home(5);
    fs::create_dir(stage.path("captures")).unwrap();
    let capture = fs::read(stage.path("home.pcap")).unwrap();
    let growing = stage.path("captures/home.pcap");
    let extracted = stage.ok("extract home.pcap").json_lines();
    let last = extracted.iter().map(|row| row["window_start"].as_str().unwrap()).max().unwrap().to_owned();
    // The file grows while it is followed; each end of the watch leaves an hour open.
    for share in [3, 5, 8] {
        fs::write(&growing, &capture[..capture.len() / 10 * share]).unwrap();
        let mut watch = Running::start(&stage, "captures --store home.db");
        watch.wait("health", |health| health["packets"].as_u64() > Some(500));
        watch.signal(rustix::process::Signal::TERM);
        assert!(watch.child.wait().unwrap().success());
    }
    fs::write(&growing, &capture).unwrap();
    let watch = Running::start(&stage, "captures --store home.db");
    let expected: Vec<(Key, u64)> = {
        let of = |row: &Value| {
            let key = (text(&row["device"]), text(&row["window_start"]), 0);
            (key, row["packets_up"].as_u64().unwrap())
        };
        let mut rows: Vec<_> = extracted.iter().map(of).filter(|((_, start, _), _)| *start < last).collect();
        rows.sort();
        rows
    };
    let begun = Instant::now();
    loop {
        let found = packets_of(&watch).into_iter().filter(|((_, start, _), _)| *start < last);
        let mut found: Vec<_> = found.collect();
        found.sort();
        if found == expected {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{} of {} windows", found.len(), expected.len());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The same as the page does it: label, train, switch.
#[test]
fn a_model_that_was_trained_on_the_page_judges_until_it_is_dropped() {
    let stage = home(12);
    let words = "home.pcap --store home.db --labels labels.csv";
    stage.ok(&format!("watch {words} --no-page -q -o events.jsonl"));
    let watch = Running::start(&stage, "tcp-listen://127.0.0.1:0 --store home.db --labels labels.csv");
    assert_eq!(watch.wait("health", |health| health["model"].is_null())["model"], Value::Null);
    watch.post(r#"{"request":"train"}"#);
    watch.wait("training", |training| training["training"]["trained"].is_object());
    watch.post(r#"{"request":"decide","choice":"switch"}"#);
    watch.wait("health", |health| health["model"] == "trained on the page");
    drop(watch);
    let again = "tcp-listen://127.0.0.1:0 --store home.db --labels labels.csv";
    let watch = Running::start(&stage, again);
    watch.wait("health", |health| health["model"] == "trained on the page");
    drop(watch);
    let watch = Running::start(&stage, &format!("{again} --drop-trained"));
    watch.wait("health", |health| health["started_at"].is_string() && health["model"].is_null());
}
