//! Collectors that share a store in `PostgreSQL`. The tests say that they skip where there is no server.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::postgres::{PASSWORD, Server};
use super::{begin, home, running, seen_by, stored, tap, wait_for};
use crate::stage::Stage;

fn start(stage: &Stage, words: &str) -> Child {
    let mut command = stage.command(words, Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// What two taps saw of a home in turn.
fn two_turns(stage: &Stage) {
    let turn = begin(stage) + 9000;
    seen_by(stage, "attic", |time, _| time < turn);
    seen_by(stage, "cellar", |time, _| time >= turn);
}

#[test]
fn two_collectors_at_once_give_the_rows_of_one_reading() {
    let Some(server) = Server::new() else { return };
    let (stage, rows) = home(5);
    two_turns(&stage);
    let store = server.url("postgres");
    // A folder for each: no collector sees all parts, and one device is in the parts of both.
    for name in ["attic", "cellar"] {
        let words = format!("--store {name}.db --no-page -q --publish folder:{name}-parts --tap {name}");
        stage.ok(&format!("watch {name}.pcap {words}"));
    }
    let collect =
        |name: &str| format!("collect folder:{name}-parts --store {store} --tap attic --tap cellar");
    let collectors = [start(&stage, &collect("attic")), start(&stage, &collect("cellar"))];
    let parts = || server.sql("postgres", "SELECT count(*) FROM pg_tables WHERE tablename = 'parcels'");
    wait_for("tables", || parts() == "1");
    let windows = || server.sql("postgres", "SELECT count(*) FROM windows").parse::<usize>().unwrap();
    wait_for("all windows", || windows() == rows.len());
    for mut collector in collectors {
        collector.kill().unwrap();
        collector.wait().unwrap();
    }
    let said = stage.ok(&format!("{} --once", collect("attic")));
    assert_eq!(stored(&stage, &store), rows, "{}", said.stderr);
    // Of ten parts and the two that say the end, those are kept that a window can need still.
    let kept: u64 = server.sql("postgres", "SELECT count(*) FROM parcels").parse().unwrap();
    assert!((1..=6).contains(&kept), "{kept}");
    let devices = stage.ok(&format!("store {store} devices")).json_lines();
    let device = devices[0]["device"].as_str().unwrap();
    let said = stage.run(&format!("store {store} forget {device}"));
    assert!(said.status == 4 && said.stderr.contains(&format!("{kept} parts of taps")), "{}", said.stderr);
    stage.ok(&format!("compare {store} {store}"));
}

#[test]
fn kills_of_collectors_and_of_their_server_lose_and_double_nothing() {
    let Some(mut server) = Server::new() else { return };
    let (stage, rows) = home(5);
    let begin = begin(&stage);
    fs::create_dir(stage.path("parts")).unwrap();
    let store = server.url("postgres");
    let collect = format!("collect folder:share --store {store} --tap attic");
    for part in 0..5_u64 {
        let (from, to) = (begin + 3600 * part.cast_signed(), begin + 3600 * (part.cast_signed() + 1));
        seen_by(&stage, &format!("parts/{part}"), |time, _| {
            (from..to).contains(&time) || part == 4 && time >= to
        });
    }
    let watch = "watch parts --store tap.db --no-page -q --publish folder:share --tap attic --stop-after 2s";
    for round in 0..4_u64 {
        let mut collectors = [start(&stage, &collect), start(&stage, &collect)];
        let mut tap = start(&stage, watch);
        std::thread::sleep(Duration::from_millis(300 + round * 350));
        collectors[usize::from(round % 2 == 0)].kill().unwrap();
        server.kill();
        std::thread::sleep(Duration::from_millis(400));
        server.start();
        std::thread::sleep(Duration::from_millis(1500));
        for collector in &mut collectors {
            let _ = collector.kill();
            collector.wait().unwrap();
        }
        tap.wait().unwrap();
    }
    stage.ok(watch);
    let taps = stage.ok(&format!("{collect} --once")).json_lines();
    assert_eq!((taps[0]["missing"].as_u64(), taps[0]["late"].as_u64()), (Some(0), Some(0)), "{taps:?}");
    let found = stored(&stage, &store);
    let start_of = |row: &String| {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        row["window_start"].as_str().unwrap().to_owned()
    };
    assert!(found.len() * 10 > rows.len() * 6, "{} of {}", found.len(), rows.len());
    let until = found.iter().map(start_of).max().unwrap();
    let expected: Vec<String> = rows.into_iter().filter(|row| start_of(row) <= until).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_collector_takes_over_from_one_that_ends_and_says_so() {
    let Some(server) = Server::new() else { return };
    let (stage, rows) = home(2);
    fs::copy(stage.path("home.pcap"), stage.path("attic.pcap")).unwrap();
    let store = server.url("postgres");
    let mut first = start(&stage, &format!("collect folder:other --store {store}"));
    let has_written =
        || server.sql("postgres", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") != "0";
    while !has_written() {
        std::thread::sleep(Duration::from_millis(50));
    }
    tap(&stage, "attic");
    let network = format!("collect folder:share --store {store} --once --network campus");
    stage.fails(&network, 1, &["network default", "--network"]);
    let second = stage.command(&format!("collect folder:share --store {store} --once"), Stdio::null());
    let second = { second }.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    first.kill().unwrap();
    first.wait().unwrap();
    let said = second.wait_with_output().unwrap();
    let stderr = String::from_utf8(said.stderr).unwrap();
    assert!(said.status.success() && stderr.contains("from now on"), "{stderr}");
    assert_eq!(stored(&stage, &store), rows, "{stderr}");
    // By TCP with the password of the environment.
    let by_tcp = |password: &str| {
        let words = format!("store {} info", server.url_by_tcp("ann", "postgres"));
        stage.command(&words, Stdio::null()).env("PGPASSWORD", password).output().unwrap()
    };
    assert!(by_tcp(PASSWORD).status.success());
    let refused = by_tcp("gue55");
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && stderr.contains("~/.pgpass") && !stderr.contains("gue55"),
        "{stderr}"
    );
}

#[test]
fn a_collector_that_lost_the_server_says_that_parts_wait() {
    let Some(mut server) = Server::new() else { return };
    let (stage, _) = home(2);
    fs::copy(stage.path("home.pcap"), stage.path("attic.pcap")).unwrap();
    tap(&stage, "attic");
    let store = server.url("postgres");
    let collector = running(&stage, &format!("collect folder:share --store {store}"));
    let said = || fs::read_to_string(stage.path("said")).unwrap();
    let tables = || server.sql("postgres", "SELECT count(*) FROM pg_tables WHERE tablename = 'windows'");
    wait_for("tables", || tables() == "1");
    wait_for("windows", || server.sql("postgres", "SELECT count(*) FROM windows") != "0");
    server.kill();
    wait_for("a failure", || said().contains("trying again"));
    assert_eq!(collector.terminate(), Some(4), "{}", said());
    assert!(said().contains("wait in the database"), "{}", said());
    assert!(!said().contains("another collector"), "{}", said());
}

#[test]
fn a_store_that_somebody_holds_who_collects_nothing_is_not_waited_for_without_end() {
    let Some(server) = Server::new() else { return };
    let stage = Stage::new();
    fs::create_dir(stage.path("share")).unwrap();
    let store = server.url("postgres");
    let _held = thingprint_store::Store::open(store.as_ref()).unwrap();
    stage.fails(&format!("collect folder:share --once --store {store}"), 1, &["another process holds it"]);
}
