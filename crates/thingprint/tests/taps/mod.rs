//! Several taps of one network, and the collector of what they see.

mod nats;
#[path = "../../../thingprint-store/tests/postgres/server.rs"]
mod postgres;
mod shared_store;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stage::Stage;

/// A home of some hours, and the rows of one reading of it.
fn home(hours: u32) -> (Stage, Vec<String>) {
    let stage = Stage::new();
    stage.ok(&format!("simulate --duration {hours}h -o home.pcap --labels labels.csv"));
    stage.ok("extract home.pcap -o all.jsonl");
    let rows = sorted(&fs::read_to_string(stage.path("all.jsonl")).unwrap());
    (stage, rows)
}

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// The rows of a store.
fn stored(stage: &Stage, store: &str) -> Vec<String> {
    sorted(&stage.ok(&format!("store {store} export --with-cut")).stdout)
}

/// Writes the frames of the home that a tap sees into a capture of its own; they are told by time in seconds and bytes.
fn seen_by(stage: &Stage, tap: &str, mut sees: impl FnMut(i64, &[u8]) -> bool) {
    let capture = fs::read(stage.path("home.pcap")).unwrap();
    let (head, mut rest) = capture.split_at(24);
    let mut kept = head.to_vec();
    while let Some((record, behind)) = rest.split_at_checked(16) {
        let word = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().unwrap());
        let (frame, behind) = behind.split_at(word(8) as usize);
        if sees(i64::from(word(0)), frame) {
            kept.extend([record, frame].concat());
        }
        rest = behind;
    }
    fs::write(stage.path(&format!("{tap}.pcap")), kept).unwrap();
}

/// Runs a tap on its capture.
fn tap(stage: &Stage, tap: &str) {
    stage.ok(&format!("watch {tap}.pcap --store {tap}.db --no-page -q --publish folder:share --tap {tap}"));
}

/// The time of the first frame of the home, in seconds.
fn begin(stage: &Stage) -> i64 {
    let mut first = None;
    seen_by(stage, "none", |time, _| {
        first.get_or_insert(time);
        false
    });
    first.unwrap()
}

/// The address of the gateway.
fn gateway(stage: &Stage) -> String {
    let said = stage.ok("extract home.pcap").stderr;
    let rest = said.split_once("the gateway is ").unwrap().1;
    rest.split(' ').next().unwrap().to_owned()
}

#[test]
fn what_taps_see_in_turn_is_what_one_reading_gives() {
    let (stage, rows) = home(5);
    let turn = begin(&stage) + 9000;
    seen_by(&stage, "attic", |time, _| time < turn);
    seen_by(&stage, "cellar", |time, _| time >= turn);
    // Whoever comes first changes nothing.
    tap(&stage, "cellar");
    tap(&stage, "attic");
    let said = stage.ok("collect folder:share --store all.db --once");
    assert_eq!(stored(&stage, "all.db"), rows, "{}", said.stderr);
    let taps = said.json_lines();
    assert_eq!(taps.len(), 2, "{taps:?}");
    assert!(taps.iter().all(|tap| tap["is_ended"] == true && tap["late"] == 0), "{taps:?}");
    // There is nothing more, and nothing changes.
    let again = stage.ok("collect folder:share --store all.db --once").json_lines();
    assert_eq!((again, stored(&stage, "all.db")), (taps, rows));
    stage.ok("report all.db --labels labels.csv -o all.html");
    let page = fs::read_to_string(stage.path("all.html")).unwrap();
    assert!(page.contains("osprel-camera") && page.contains("What a store does not keep"), "{page:.2000}");
}

#[test]
fn taps_of_other_devices_give_the_rows_of_one_reading() {
    let (stage, rows) = home(3);
    let gateway = gateway(&stage);
    let text = |mac: &[u8]| mac.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
    let is_attic = |frame: &[u8]| {
        let ends =
            [&frame[..6], &frame[6..12]].into_iter().filter(|mac| mac[0] & 1 == 0 && text(mac) != gateway);
        // Both directions of a conversation are in one place.
        ends.min().is_some_and(|mac| mac[5] % 2 == 0)
    };
    seen_by(&stage, "attic", |_, frame| is_attic(frame));
    seen_by(&stage, "cellar", |_, frame| !is_attic(frame));
    tap(&stage, "attic");
    tap(&stage, "cellar");
    let said = stage.ok("collect folder:share --store all.db --once");
    let events = stage.ok("store all.db events").json_lines();
    let twice: BTreeSet<&str> = events
        .iter()
        .filter(|event| event["kind"] == "seen-twice")
        .map(|event| event["device"].as_str().unwrap())
        .collect();
    let of_one_tap = |rows: &[String]| -> Vec<String> {
        let is_of_one = |row: &&String| {
            let row: Value = serde_json::from_str(row).unwrap();
            !twice.contains(row["device"].as_str().unwrap())
        };
        rows.iter().filter(is_of_one).cloned().collect()
    };
    let collected = stored(&stage, "all.db");
    assert_eq!(collected.len(), rows.len());
    let (expected, found) = (of_one_tap(&rows), of_one_tap(&collected));
    assert!(expected.len() * 2 > rows.len(), "{} of {}: {twice:?}", expected.len(), rows.len());
    assert_eq!(found, expected, "{}", said.stderr);
}

#[test]
fn what_several_taps_see_at_the_same_time_is_reported() {
    let (stage, rows) = home(2);
    for name in ["attic", "cellar"] {
        seen_by(&stage, name, |_, _| true);
        tap(&stage, name);
    }
    let said = stage.ok("collect folder:share --store all.db --once");
    assert!(said.stderr.contains("seen by several taps"), "{}", said.stderr);
    let events = stage.ok("store all.db events").json_lines();
    let twice: Vec<&Value> = events.iter().filter(|event| event["kind"] == "seen-twice").collect();
    let devices: BTreeSet<String> = rows
        .iter()
        .map(|row| serde_json::from_str::<Value>(row).unwrap()["device"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(twice.len(), devices.len(), "{twice:?}");
    assert!(twice.iter().all(|event| event["evidence"]["flows"].as_u64().unwrap() > 0), "{twice:?}");
}

#[test]
fn what_cannot_be_published_or_collected_is_said() {
    let (stage, _) = home(1);
    let watch = "watch home.pcap --no-page";
    stage.fails(&format!("{watch} --publish pigeon:home"), 2, &["--publish", "'pigeon'", "folder:PATH"]);
    stage.fails(&format!("{watch} --publish folder:share --tap a.b"), 2, &["--tap", "letters, digits"]);
    stage.fails(&format!("{watch} --tap attic"), 2, &["--publish"]);
    stage.fails(&format!("{watch} --publish folder:share --spool-limit 5X"), 2, &["such as 10G"]);
    stage.fails("collect pigeon:home --once", 2, &["'pigeon'", "folder:PATH"]);
    stage.fails("collect folder: --once", 2, &["names no folder"]);
    stage.fails("collect folder:share --once --store mysql://host/db", 2, &["mysql://", "postgres://"]);
    let shared = "collect folder:share --once --store postgres://ann:s3cret@127.0.0.1:1/db";
    stage.fails(&format!("{shared} --parts x"), 2, &["--parts", "shared"]);
    let said = stage.run(shared);
    assert_eq!(said.status, 1);
    assert!(
        said.stderr.contains("postgres://ann@127.0.0.1:1/db") && !said.stderr.contains("s3cret"),
        "{}",
        said.stderr
    );
    for address in [
        "postgres://ann:s3cret@db:0/x",
        "postgres://ann:s3cret@db/x?sslmode=never",
        "postgres://db/x?colour=red",
    ] {
        for words in ["collect folder:share --once --store", "store"] {
            let said =
                stage.run(&format!("{words} {address}{}", if words == "store" { " info" } else { "" }));
            assert!(said.status == 2 && !said.stderr.contains("s3cret"), "{said:?}");
        }
    }
    // Commands that read files name no password either.
    for words in ["train", "extract", "flows", "audit", "report", "classify", "evaluate", "devices", "merge"]
    {
        let said = stage.run(&format!("{words} postgres://ann:s3cret@127.0.0.1:1/db"));
        assert!(said.status != 0 && !said.stderr.contains("s3cret"), "{words}: {said:?}");
    }
    stage.fails("flows postgres://ann:s3cret@db/x", 2, &["postgres://ann@db:5432/x", "export"]);
    stage.fails("watch home.pcap --no-page --store postgres://ann@host/db", 2, &["--store", "collect"]);
    // A store that belongs to another network.
    tap_of(&stage, "default");
    stage.ok("collect folder:share --store a.db --once");
    stage.fails(
        "collect folder:share --store a.db --once --network campus",
        1,
        &["network default", "--network"],
    );
}

fn tap_of(stage: &Stage, network: &str) {
    let words = format!("--publish folder:share --tap attic --network {network}");
    stage.ok(&format!("watch home.pcap --store tap.db --no-page -q {words}"));
}

#[test]
fn a_tap_with_other_options_is_refused_and_the_others_are_collected() {
    let (stage, rows) = home(2);
    tap_of(&stage, "default");
    stage.ok("watch home.pcap --store b.db --no-page -q --publish folder:share --tap cellar --window 30m");
    let said = stage.run("collect folder:share --store all.db --once");
    assert_eq!(said.status, 4, "{}", said.stderr);
    assert!(said.stderr.contains("tap cellar") && said.stderr.contains("same options"), "{}", said.stderr);
    assert_eq!(stored(&stage, "all.db"), rows);
}

#[test]
fn what_does_not_fit_into_the_spool_is_told_and_its_windows_are_cut() {
    let (stage, rows) = home(4);
    let words = "--publish folder:share --tap attic --spool-limit 2K";
    let said = stage.run(&format!("watch home.pcap --store tap.db --no-page -q {words}"));
    assert_eq!(said.status, 4, "{}", said.stderr);
    let said = stage.run("collect folder:share --store all.db --once");
    assert_eq!(said.status, 4, "{}", said.stderr);
    let taps = said.json_lines();
    assert!(taps[0]["dropped"].as_u64().unwrap() > 0, "{taps:?}");
    assert!(said.stderr.contains("tap attic") && said.stderr.contains("spool"), "{}", said.stderr);
    assert!(stored(&stage, "all.db").len() < rows.len());
}

#[test]
fn windows_of_others_are_cut_where_a_part_was_dropped() {
    let (stage, _) = home(4);
    let is_attic = |frame: &[u8]| {
        frame[6..12].iter().chain(&frame[..6]).map(|byte| u32::from(*byte)).sum::<u32>() % 2 == 0
    };
    seen_by(&stage, "attic", |_, frame| is_attic(frame));
    seen_by(&stage, "cellar", |_, frame| !is_attic(frame));
    tap(&stage, "cellar");
    let collected = |limit: &str| {
        let words = format!("--store attic{limit}.db --no-page -q --publish folder:{limit} --tap attic");
        stage.run(&format!("watch attic.pcap {words} --spool-limit {limit}"));
        let parcels = stage.path("share/default/cellar");
        fs::create_dir_all(stage.path(&format!("{limit}/default/cellar"))).unwrap();
        for parcel in fs::read_dir(parcels).unwrap() {
            let parcel = parcel.unwrap();
            fs::copy(parcel.path(), stage.path(&format!("{limit}/default/cellar")).join(parcel.file_name()))
                .unwrap();
        }
        stage.run(&format!("collect folder:{limit} --store all{limit}.db --once"));
        let windows = stage.ok(&format!("store all{limit}.db windows")).json_lines();
        let cut = windows.iter().filter(|window| window["is_cut"] == true).count();
        let events = stage.ok(&format!("store all{limit}.db events --kind parts-missing")).json_lines();
        (windows.len(), cut, events.len())
    };
    let (all, cut, missing) = collected("1G");
    let (left, cut_now, missing_now) = collected("2K");
    assert_eq!(missing, 0);
    assert!(missing_now > 0 && left < all, "{missing_now} {left} {all}");
    // Every window of the other tap is of a time of which something is missing.
    assert!(cut < all && cut_now == left, "{cut} of {all} before, {cut_now} of {left}");
}

#[test]
fn a_tap_that_is_killed_and_a_collector_that_is_killed_change_no_row() {
    let (stage, rows) = home(6);
    // A folder into which captures are rotated each half hour, as tcpdump -G does.
    let begin = begin(&stage);
    fs::create_dir(stage.path("captures")).unwrap();
    for half in 0..12 {
        seen_by(&stage, &format!("captures/{half:02}"), |time, _| (time - begin) / 1800 == half);
    }
    let watch = "watch captures --store tap.db --no-page -q --publish folder:share --tap attic";
    for round in 0_u32..6 {
        let mut killed = Vec::new();
        for words in [watch, "collect folder:share --store all.db"] {
            let mut command = stage.command(words, Stdio::null());
            let command = command.stdout(Stdio::null()).stderr(Stdio::null());
            killed.push(command.spawn().unwrap());
        }
        // From before anything was cut to after much was.
        std::thread::sleep(Duration::from_millis(u64::from(40 + round * 160)));
        for mut child in killed {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    // A folder never ends, and what is open in it is left to the next reading: the last hours come from its files alone.
    let mut collected = Vec::new();
    for _ in 0..20 {
        let said = stage.run(&format!("{watch} --stop-after 4s"));
        assert_eq!(said.status, 0, "{}", said.stderr);
        let taps = stage.ok("collect folder:share --store all.db --once").json_lines();
        collected = stored(&stage, "all.db");
        assert_eq!((taps[0]["missing"].as_u64(), taps[0]["late"].as_u64()), (Some(0), Some(0)), "{taps:?}");
        if collected.len() * 10 > rows.len() * 6 {
            break;
        }
    }
    assert!(collected.len() * 10 > rows.len() * 6, "{} of {}", collected.len(), rows.len());
    let last = |row: &String| {
        let row: Value = serde_json::from_str(row).unwrap();
        row["window_start"].as_str().unwrap().to_owned()
    };
    let until = collected.iter().map(last).max().unwrap();
    let expected: Vec<String> = rows.into_iter().filter(|row| last(row) <= until).collect();
    assert_eq!(collected, expected);
}

/// Has a tap publish what is in a folder, which never ends.
fn endless_tap(stage: &Stage, tap: &str, until_s: i64) {
    let begin = begin(stage);
    fs::create_dir(stage.path(tap)).unwrap();
    seen_by(stage, &format!("{tap}/all"), |time, _| time - begin < until_s);
    stage.ok(&format!(
        "watch {tap} --store {tap}.db --no-page -q --publish folder:share --tap {tap} --stop-after 4s"
    ));
}

#[test]
fn a_tap_holds_back_what_others_saw_until_it_is_not_waited_for_any_more() {
    let (stage, _) = home(4);
    endless_tap(&stage, "attic", 3600);
    endless_tap(&stage, "cellar", 4 * 3600);
    endless_tap(&stage, "porch", 4 * 3600 - 1);
    let holding = |rows: &[Value]| {
        let is_meant = |row: &&Value| row["holds_back"] == true;
        rows.iter().filter(is_meant).map(|row| row["tap"].to_string()).collect::<Vec<_>>()
    };
    let said = stage.ok("collect folder:share --store all.db --once");
    assert_eq!(holding(&said.json_lines()), ["\"attic\""], "{:?}", said.json_lines());
    assert!(said.stderr.contains("warning: tap attic was heard until"), "it is a warning: {}", said.stderr);
    assert!(!said.stderr.contains("porch"), "it is a second behind: {}", said.stderr);

    let mut command = stage.command("collect folder:share --store all.db --wait 1s -q", Stdio::null());
    let collector = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let windows = || stage.ok("store all.db windows").json_lines().len();
    let before = windows();
    wait_for("windows that waited", || windows() > before);
    assert!(Command::new("kill").arg(collector.id().to_string()).status().unwrap().success());
    let output = collector.wait_with_output().unwrap();
    let rows: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(holding(&rows).is_empty(), "nothing waits for it: {rows:?}");
}

#[test]
fn parts_that_wait_are_told_until_they_are_sent_and_are_missing_nowhere() {
    let (stage, _) = home(2);
    fs::create_dir_all(stage.path("captures")).unwrap();
    fs::copy(stage.path("home.pcap"), stage.path("captures/home.pcap")).unwrap();
    fs::create_dir_all(stage.path("share/default")).unwrap();
    // Where parts belong is something else.
    fs::write(stage.path("share/default/attic"), "").unwrap();
    let events = || {
        let publish = "--publish folder:share --tap attic --stop-after 4s";
        stage.ok(&format!("watch captures --store tap.db --no-page -q {publish}"));
        assert!(stage.ok("store tap.db events --kind source-failed").json_lines().is_empty());
        stage.ok("store tap.db events --kind parts-waiting").json_lines()
    };
    let open = events();
    assert!(open.len() == 1 && open[0]["acknowledged_at"].is_null(), "{open:?}");
    stage.ok("report tap.db -o page.html");
    fs::remove_file(stage.path("share/default/attic")).unwrap();
    let ended = events();
    assert!(ended.len() == 1 && ended[0]["acknowledged_at"].is_string(), "{ended:?}");
    assert!(ended[0]["evidence"]["ended_at"].is_string(), "{ended:?}");
}

/// Waits for something that comes.
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !is_there() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A process that is killed where a test ends before it.
struct Running(Child);

impl Running {
    /// Asks it to end, as a service manager does, and waits for it; its status.
    fn terminate(mut self) -> Option<i32> {
        assert!(Command::new("kill").arg(self.0.id().to_string()).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command that goes on until it is asked to end; what it says is in the file `said`.
fn running(stage: &Stage, words: &str) -> Running {
    let said = fs::File::create(stage.path("said")).unwrap();
    let mut command = stage.command(words, Stdio::null());
    Running(command.stdout(Stdio::null()).stderr(said).spawn().unwrap())
}

#[test]
fn a_file_that_cannot_be_written_for_a_while_lacks_no_window_behind_it() {
    let (stage, rows) = home(3);
    fs::rename(stage.path("home.pcap"), stage.path("attic.pcap")).unwrap();
    fs::create_dir(stage.path("share")).unwrap();
    let collect = "collect folder:share --store all.db";
    stage.ok(&format!("{collect} --once"));
    let collector = running(&stage, collect);
    // Another program holds the file to write it.
    let script = "import sqlite3, sys; c = sqlite3.connect('all.db', isolation_level=None); \
                  c.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()";
    let mut command = Command::new("python3");
    command.args(["-c", script]).current_dir(stage.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut holder) = command.spawn() else {
        let _ = writeln!(std::io::stderr(), "skipped: no python3");
        return;
    };
    let mut held = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut held).unwrap();
    assert_eq!(held, "held\n");
    tap(&stage, "attic");
    let said = || fs::read_to_string(stage.path("said")).unwrap();
    wait_for("a failure", || said().contains("trying again"));
    drop(holder.stdin.take());
    holder.wait().unwrap();
    wait_for("all windows", || stored(&stage, "all.db") == rows);
    assert_eq!(collector.terminate(), Some(0), "{}", said());
}

#[test]
fn a_forgotten_device_may_be_in_parts_that_wait() {
    let (stage, rows) = home(1);
    tap_of(&stage, "default");
    stage.ok("collect folder:share --once --store a.db");
    let device = serde_json::from_str::<Value>(&rows[0]).unwrap()["device"].as_str().unwrap().to_owned();
    let said = stage.run(&format!("store a.db forget {device}"));
    assert_eq!(said.status, 4, "{}", said.stderr);
    assert!(said.stderr.contains("kept for windows to come"), "{}", said.stderr);
}
