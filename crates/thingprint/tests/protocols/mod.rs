//! Protocol models: listed, shown, checked, tested, and added to the built-in ones.

use std::fs;

use serde_json::Value;

use crate::flows::packets;
use crate::stage::{Frame, Stage, capture};

/// What a user reads about the form of models.
const REFERENCE: &str = include_str!("../../../../docs/protocols.md");

/// A protocol whose messages begin with the payload of every [`Frame`].
const COUNT: &str = r#"{"info":{"abbreviation":"count"},"contents":{"request":{"matchers":[
    {"id":"a","type":"byte","pattern":"@0 01 02 03 04"}],"eval":"a"},"select":"request"}}"#;

/// A stage with one model of one's own, and a capture of one flow of it.
fn stage_with_model() -> Stage {
    let stage = Stage::new();
    let frame = |at_s| Frame { at_s, from: [2; 6], to: [4; 6], src: [192, 168, 1, 9], dst: [9, 9, 9, 9] };
    fs::write(stage.path("a.pcap"), capture(&[frame(0), frame(1)])).unwrap();
    fs::create_dir(stage.path("own")).unwrap();
    fs::write(stage.path("own/count.json"), COUNT).unwrap();
    stage
}

#[test]
fn models_are_listed_and_shown() {
    let stage = stage_with_model();
    let listed = stage.ok("protocols list --protocols own").json_lines();
    let from = |name: &str| listed.iter().find(|row| row["name"] == name).unwrap()["from"].clone();
    assert_eq!((from("count"), from("tls")), ("own/count.json".into(), "built-in".into()));
    assert_eq!(stage.ok("protocols list").json_lines().len(), listed.len() - 1);
    let shown = stage.ok("protocols show TLS").json();
    assert_eq!(shown["info"]["abbreviation"], "tls");
    fs::write(stage.path("tls.json"), shown.to_string()).unwrap();
    assert_eq!(stage.ok("protocols lint tls.json").stdout, "", "what is shown is a model");
    stage.fails("protocols show gopher", 2, &["gopher", "tls"]);
    stage.fails("protocols show tls --format csv", 2, &["JSON"]);
}

#[test]
fn models_of_the_user_are_detected_by_every_command() {
    let stage = stage_with_model();
    let service = |command: &str| stage.ok(command).json_lines()[0]["service"].clone();
    assert!(service("flows a.pcap").is_null());
    assert_eq!(service("flows a.pcap --protocols own"), "count");
    stage.ok("devices a.pcap --protocols own");
    let rows = stage.ok("extract a.pcap --protocols own").json_lines();
    let recipe = rows[0]["extraction"].as_str().unwrap();
    let (models, semantics) = recipe.split_once(' ').unwrap();
    assert!(models.starts_with("models=") && models.len() == 23, "{recipe}");
    assert_eq!(semantics, "semantics=2");
    fs::write(stage.path("own/schema.json"), r#"{"$schema":"https://json-schema.org/draft/2020-12/schema"}"#)
        .unwrap();
    assert_eq!(service("flows a.pcap --protocols own"), "count", "a schema is no model");
    fs::write(stage.path("own/twice.json"), COUNT).unwrap();
    stage.fails("flows a.pcap --protocols own", 1, &["count.json", "twice.json", "'count'"]);
    fs::write(stage.path("own/twice.json"), COUNT.replace("\"eval\":\"a\"", "\"eval\":\"b\"")).unwrap();
    stage.fails("extract a.pcap --protocols own", 1, &["twice.json", "contents.request.eval"]);
    fs::write(stage.path("own/twice.json"), "{\n\"colour\": 1}").unwrap();
    stage.fails("devices a.pcap --protocols own", 1, &["twice.json", "line 2", "colour"]);
    fs::create_dir(stage.path("none")).unwrap();
    stage.fails("flows a.pcap --protocols none", 1, &["none", "no model"]);
    assert_eq!(service("flows a.pcap --protocols own/count.json"), "count", "one file");
    stage.fails("flows a.pcap --protocols gone", 1, &["gone"]);
}

#[test]
fn instances_of_other_models_do_not_fit() {
    let stage = stage_with_model();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv --protocols own -o own.csv");
    stage.ok("train own.csv -o own.model");
    stage.fails("classify --model own.model home.pcap", 5, &["models=", "default"]);
    stage.ok("classify --model own.model home.pcap --protocols own");
    stage.ok("extract home.pcap -o plain.csv");
    stage.fails("classify --model own.model plain.csv", 5, &["models="]);
}

#[test]
fn lint_reports_what_is_wrong_and_the_exit_status_how_bad_it_is() {
    let stage = stage_with_model();
    let unused =
        COUNT.replace("],\"eval\"", ",{\"id\":\"b\",\"type\":\"byte\",\"pattern\":\"@0 05\"}],\"eval\"");
    fs::write(stage.path("unused.json"), unused).unwrap();
    let linted = stage.ok("protocols lint unused.json own/count.json");
    let rows = linted.json_lines();
    assert!(rows.iter().any(|row| row["file"] == "unused.json" && row["level"] == "warning"), "{rows:?}");
    assert_eq!(stage.run("protocols lint unused.json --fail-on warning").status, 3);
    fs::write(stage.path("broken.json"), "{\"info\": 1}").unwrap();
    for (arguments, status) in [("", 1), ("--fail-on warning", 1)] {
        let broken = stage.run(&format!("protocols lint broken.json unused.json {arguments}"));
        assert_eq!(broken.status, status, "{}", broken.stderr);
        assert!(
            broken.stdout.contains("line 1") && broken.stdout.contains("unused.json"),
            "{}",
            broken.stdout
        );
        assert!(broken.stderr.contains("1 of 2"), "{}", broken.stderr);
    }
    assert_eq!(stage.run("protocols lint gone.json").status, 1);
    let broken = stage.run("protocols lint broken.json").json_lines().remove(0);
    assert_eq!(broken["path"], "line 1, column 10", "{broken}");
    let folder = stage.ok("protocols lint own");
    assert!(folder.stderr.contains("0 findings in 1 protocol model\n"), "{}", folder.stderr);
}

#[test]
fn a_model_is_compared_with_the_built_in_ones() {
    let stage = stage_with_model();
    let tried = stage.ok("protocols test own/count.json a.pcap").json_lines();
    assert!(tried.iter().all(|row| row["result"] == "extra" && row["flows"] == 1), "{tried:?}");
    assert!(!tried.is_empty());
    let elsewhere = COUNT.replace("04\"", "05\"");
    let with_port = |port: u16| {
        let metadata =
            format!(r#""metadata":{{"server-ports":[{{"ip-protocol":"udp","port":{port}}}]}},"contents""#);
        fs::write(stage.path("other.json"), elsewhere.replace("\"contents\"", &metadata)).unwrap();
        stage.ok("protocols test other.json a.pcap")
    };
    let undetected = with_port(6000);
    assert!(
        undetected
            .json_lines()
            .iter()
            .all(|row| row["result"] == "undetected" && row["standard_port"] == true)
    );
    assert_eq!(undetected.json_lines().len(), tried.len());
    assert!(
        undetected.stderr.contains("1 flow: 0 detected by both, 0 missed, 0 extra, 1 undetected"),
        "{}",
        undetected.stderr
    );
    assert_eq!(with_port(6001).stdout, "");
    stage.ok("simulate --duration 10m -o home.pcap");
    let model = stage.ok("protocols show dns").stdout;
    fs::write(stage.path("dns.json"), model).unwrap();
    fs::write(stage.path("blind.json"), COUNT.replace("count", "dns")).unwrap();
    let of = |file: &str, result: &str| -> u64 {
        let rows = stage.ok(&format!("protocols test {file} home.pcap")).json_lines();
        rows.iter().filter(|row| row["result"] == result).map(|row| row["flows"].as_u64().unwrap()).sum()
    };
    let flows = stage.ok("flows home.pcap").json_lines();
    let dns = flows.iter().filter(|row| row["service"] == "dns").count() as u64;
    assert!(dns > 0);
    assert_eq!((of("dns.json", "both"), of("dns.json", "missed")), (dns, 0));
    assert_eq!((of("blind.json", "both"), of("blind.json", "missed")), (0, dns));
}

/// The reference describes a protocol, has its model and says what the model reads: all three have to fit.
#[test]
fn the_model_of_the_reference_reads_what_the_reference_says() {
    let stage = Stage::new();
    let mut blocks = REFERENCE.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let (model, message) = (blocks.next().unwrap(), blocks.next().unwrap());
    fs::create_dir(stage.path("own")).unwrap();
    fs::write(stage.path("own/glow.json"), model).unwrap();
    assert_eq!(stage.ok("protocols lint own/glow.json --fail-on warning").stdout, "");
    let mut datagram = vec![0x12, 0x34, 0x13, 0x56, 0, 0, 0, 0];
    datagram.extend(b"gl\x01\x00\x00\x07\x00\x01\x031.4\x02\x12mode=warm;pin=4711\xff");
    let length = u16::try_from(datagram.len()).unwrap();
    datagram[4..6].copy_from_slice(&length.to_be_bytes());
    let story = [(17, [[192, 168, 1, 10], [198, 51, 100, 7]], datagram)];
    fs::write(stage.path("a.pcap"), packets(&story)).unwrap();
    let flow = stage.ok("flows a.pcap --protocols own --attributes --identity ip").json_lines().remove(0);
    assert_eq!((&flow["service"], &flow["standard_port"]), (&"glow".into(), &true.into()));
    let expected: Value = serde_json::from_str(message).unwrap();
    assert_eq!(flow["messages"], Value::from(vec![expected]));
    let shown = stage.ok("flows a.pcap --protocols own --attributes --identity ip --show-credentials").stdout;
    assert!(shown.contains("\"pin\":\"4711\""), "{shown}");
}
