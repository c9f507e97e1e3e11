//! What is said where something else is given than what a command reads or writes.

use std::fs;

use crate::stage::Stage;

/// A simulated home with its instances, a model and profiles.
fn stage_with_all() -> Stage {
    let stage = Stage::new();
    stage.ok("simulate --duration 3h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv -o home.csv");
    stage.ok("train home.csv -o home.model");
    stage
}

#[test]
fn a_file_of_another_kind_is_called_by_what_it_is() {
    let stage = stage_with_all();
    stage.ok("audit home.pcap --labels labels.csv --mud-out mud -q");
    let model = "a model, not a capture: give it with --model";
    let labels = "a label file: give it with --labels";
    for (status, line, expected) in [
        (1, "devices home.model", model),
        (1, "extract home.model -o x.csv", model),
        (1, "audit labels.csv", "a label file, not a capture: give it with --labels"),
        (1, "identify home.csv", "a table as CSV, not a capture: train, evaluate, classify and compare"),
        (1, "mud export home.pcap --mud labels.csv --to nftables", labels),
        (1, "mud export home.pcap --mud home.pcap --to nftables", "home.pcap (a capture)"),
        (5, "classify home.pcap -m labels.csv", labels),
        (5, "classify home.pcap -m home.csv", "a table as CSV"),
        (1, "train labels.csv -o x.model", labels),
        (1, "train home.model -o x.model", "(a model: give it with --model"),
        (1, "devices home.pcap --labels home.model", "(a model: give it with --model"),
        (1, "devices home.pcap --labels home.pcap", "labels home.pcap: it is a capture: give a CSV file"),
    ] {
        stage.fails(line, status, &[expected]);
    }
}

#[test]
fn labels_that_do_nothing_are_told() {
    let stage = stage_with_all();
    fs::write(stage.path("none.csv"), "mac,label,kind\n").unwrap();
    let said = stage.ok("devices home.pcap --labels none.csv").stderr;
    assert!(said.contains("warning: none.csv: there is no label in it"), "{said}");
    fs::write(stage.path("ip.csv"), "mac,label,kind\n192.168.20.21,camera,iot\n").unwrap();
    for command in ["devices", "audit", "flows"] {
        let said = stage.ok(&format!("{command} home.pcap --labels ip.csv")).stderr;
        assert!(said.contains("warning: 1 label names a device by IP address"), "{command}: {said}");
    }
    let said = stage.ok("devices home.pcap --labels ip.csv --identity ip").stderr;
    assert!(!said.contains("names a device by"), "{said}");
}

#[test]
fn results_that_cannot_be_written_are_told_before_anything_is_read() {
    let stage = stage_with_all();
    fs::write(stage.path("broken.pcap"), "x").unwrap();
    stage.fails("report home.pcap -o r.pdf", 2, &["r.pdf: PDF is not written", "r.html"]);
    let run = stage.run("devices broken.pcap --labels-template nowhere/labels.csv");
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("--labels-template: ") && run.stderr.contains("there is no folder nowhere"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("broken.pcap"), "{}", run.stderr);
}

#[test]
fn a_document_is_refused_with_the_commands_that_write_it() {
    let stage = stage_with_all();
    for command in ["devices", "flows", "extract", "identify"] {
        let line = format!("{command} home.pcap -o x.html");
        stage.fails(&line, 2, &["report, audit and compare write pages", "table, json, jsonl, csv"]);
        stage.fails(&format!("{command} home.pcap -o x.sarif"), 2, &["only audit writes it"]);
    }
    stage.fails("report - -o x.html", 2, &["standard input gives them once", "save them to a file"]);
}

#[test]
fn a_file_has_the_extension_of_its_form() {
    let stage = stage_with_all();
    for (line, right) in [
        ("audit home.pcap --html page.pdf", "page.html"),
        ("audit home.pcap --cipher-plot plot.png", "plot.svg"),
        ("audit home.pcap --sarif log.html", "log.sarif"),
        ("compare home.pcap home.pcap --html page.txt", "page.html"),
        ("classify home.pcap -m home.model --explain=02:00:00:00:00:07 --figure why.png", "why.svg"),
    ] {
        stage.fails(line, 2, &[&format!("name it {right}")]);
    }
    stage.ok("audit home.pcap --html PAGE.HTM --cipher-plot plot --sarif log.json -q");
}

#[test]
fn labels_that_nobody_confirmed_are_no_labels_but_in_instances() {
    let stage = stage_with_all();
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    fs::write(stage.path("proposed.csv"), labels.replace(",osprel-camera,", ",? osprel-camera,")).unwrap();
    for command in ["audit", "flows", "mud export --to nftables"] {
        let said = stage.ok(&format!("{command} home.pcap --labels proposed.csv"));
        assert!(!said.stdout.contains("osprel-camera"), "{command}");
        assert!(said.stderr.contains("1 class that nobody confirmed was left out"), "{}", said.stderr);
    }
    let kept = stage.ok("extract home.pcap --labels proposed.csv -o kept.csv");
    assert!(kept.stderr.contains("train refuses instances with them"), "{}", kept.stderr);
    stage.fails("train kept.csv -o x.model", 1, &["nobody confirmed the label '? osprel-camera'"]);
}

#[test]
fn instances_of_logs_are_not_told_to_be_extracted_with_more() {
    let stage = Stage::new();
    let line = |device: u8, at: u32, bytes: u32| {
        format!(
            "{{\"ts\":{at}.0,\"uid\":\"C{device}{at}\",\"id.orig_h\":\"192.168.1.{device}\",\"id.orig_p\":4000,\
             \"id.resp_h\":\"203.0.113.9\",\"id.resp_p\":443,\"proto\":\"tcp\",\"duration\":1.0,\"orig_bytes\":{bytes},\
             \"resp_bytes\":20,\"conn_state\":\"SF\",\"orig_pkts\":4,\"resp_pkts\":4,\"orig_ip_bytes\":200,\
             \"resp_ip_bytes\":200,\"orig_l2_addr\":\"02:00:00:00:00:0{device}\"}}\n"
        )
    };
    let lines: String =
        (0..6).flat_map(|hour| [line(7, hour * 3600, 10), line(8, hour * 3600, 9000)]).collect();
    fs::write(stage.path("conn.log"), lines).unwrap();
    let labels = "mac,label,kind\n02:00:00:00:00:07,lamp,iot\n02:00:00:00:00:08,camera,iot\n";
    fs::write(stage.path("labels.csv"), labels).unwrap();
    stage.ok("extract --from zeek conn.log --labels labels.csv -o logs.csv");
    let said = stage.ok("train logs.csv -o logs.model");
    assert!(said.stderr.contains("the captures behind them have all of it"), "{}", said.stderr);
    assert!(!said.stderr.contains("--evidence all"), "{}", said.stderr);
}
