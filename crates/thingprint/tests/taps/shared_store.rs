//! Collectors that share a store in `PostgreSQL`. The tests say that they skip where there is no server.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::postgres::{PASSWORD, Server};
use super::{begin, home, seen_by, stored, tap};
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
    let (mut first, mut second) = (start(&stage, &collect("attic")), start(&stage, &collect("cellar")));
    std::thread::sleep(Duration::from_secs(4));
    for collector in [&mut first, &mut second] {
        collector.kill().unwrap();
        collector.wait().unwrap();
    }
    let said = stage.ok(&format!("{} --once", collect("attic")));
    assert_eq!(stored(&stage, &store), rows, "{}", said.stderr);
    // Nothing is kept that no window needs any more, and what is shown has no secret.
    let devices = stage.ok(&format!("store {store} devices")).json_lines();
    assert!(!devices.is_empty());
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
