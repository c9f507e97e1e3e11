//! Text from outside: what a network, a name of a file, a label, a policy or a model says acts on no terminal, is no formula of
//! a spreadsheet, and shows no secret.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use thingprint_table::escape;

use crate::flows::packets;
use crate::stage::{Said, Stage, text_of};

/// What somebody hostile calls things: it colours, clears, sets the clipboard, turns writing round, hides, begins a line.
const HOSTILE: &str = "\u{1b}[31mR\u{1b}]52;c;cHduZWQ=\u{7}\u{9b}2J\u{202e}x\u{200b}y\u{feff}\u{e0041}\nwarning:\u{a0}forged\r\u{8}z\u{7f}";
/// What a spreadsheet takes for a formula.
const FORMULA: &str = "=cmd|'/C calc'!A0";

/// The rows that there are as text.
const TEXT_FORMATS: [&str; 5] = ["table", "json", "jsonl", "csv", "zeek"];

/// Fails where something of it acts on a terminal.
fn check(arguments: &[&str], said: &Said) {
    for (name, text) in [("stdout", &said.stdout), ("stderr", &said.stderr)] {
        let is_layout = |c: char| c == '\n' || (c == '\t' && arguments.contains(&"zeek"));
        let acting = text.chars().find(|c| escape::is_control(*c) && !is_layout(*c));
        assert_eq!(acting, None, "{arguments:?} {name}: {text:?}");
        let forged = text.lines().find(|line| line.starts_with("warning:\u{a0}"));
        assert_eq!(forged, None, "{arguments:?} {name}: {text}");
    }
}

impl Stage {
    /// Runs the command with these arguments, of which each may hold anything.
    fn shows(&self, arguments: &[&str]) -> Said {
        let said = text_of(self.command("", Stdio::null()).args(arguments));
        check(arguments, &said);
        said
    }
}

/// A UDP datagram.
fn datagram(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    [&[from, to, length, 0].map(u16::to_be_bytes).concat(), payload].concat()
}

/// A DHCP request with these options (RFC 2132).
fn request(options: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; 236];
    bytes[..4].copy_from_slice(&[1, 1, 6, 0]);
    bytes[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    bytes.extend([99, 130, 83, 99, 53, 1, 3]);
    for (code, value) in options {
        bytes.extend([*code, u8::try_from(value.len()).unwrap()]);
        bytes.extend(*value);
    }
    bytes.push(255);
    bytes
}

/// A TCP segment to a server on port 80.
fn segment(seq: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let ports = [49_152_u16, 80].map(u16::to_be_bytes).concat();
    [&ports[..], &seq.to_be_bytes(), &[0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0], payload].concat()
}

/// A capture of a device that says a text wherever it may.
fn capture_of(text: &str) -> Vec<u8> {
    const TO_ALL: [[u8; 4]; 2] = [[0; 4], [255; 4]];
    let short = text.get(..text.floor_char_boundary(200)).unwrap().as_bytes();
    let header = text.replace(['\r', '\n'], "");
    let ssdp = format!(
        "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: {header}\r\nNTS: {header}\r\nUSN: uuid:1::{header}\r\n\
         LOCATION: http://192.168.1.20/{header}\r\nSERVER: {header}\r\n\r\n"
    );
    let http = format!(
        "GET /a?b={header} HTTP/1.1\r\nHost: {header}\r\nUser-Agent: {header}\r\nAuthorization: Basic {header}\r\n\r\n"
    );
    let own = |to: [u8; 4]| [[192, 168, 1, 20], to];
    let dhcp = request(&[(12, short), (60, short), (81, &[&[0, 0, 0], short].concat()), (66, short)]);
    packets(&[
        (17, TO_ALL, datagram(68, 67, &dhcp)),
        (17, own([239, 255, 255, 250]), datagram(1900, 1900, ssdp.as_bytes())),
        (6, own([192, 0, 2, 1]), segment(1, 0x02, b"")),
        (6, own([192, 0, 2, 1]), segment(2, 0x18, http.as_bytes())),
    ])
}

/// A stage with a home whose devices have hostile labels, its instances and a model of them, and a capture of a device that
/// says hostile things.
fn stage() -> Stage {
    let stage = Stage::new();
    stage.ok("simulate --duration 3h -o home.pcap --labels plain.csv");
    let labels = fs::read_to_string(stage.path("plain.csv")).unwrap();
    let hostile = |(at, line): (usize, &str)| match line.split(',').collect::<Vec<_>>()[..] {
        [mac, label, kind] if at > 0 => format!("{mac},\"{FORMULA}{label}{HOSTILE}\",{kind}\n"),
        _ => format!("{line}\n"),
    };
    let labels: String = labels.lines().enumerate().map(hostile).collect();
    fs::write(stage.path("labels.csv"), labels).unwrap();
    fs::write(stage.path("said.pcap"), capture_of(HOSTILE)).unwrap();
    stage
}

#[test]
fn what_a_network_and_labels_say_acts_on_no_terminal() {
    let stage = stage();
    stage.shows(&["extract", "home.pcap", "--labels", "labels.csv", "-o", "a.parquet"]);
    stage.shows(&["train", "a.parquet", "-o", "a.model", "--recipe", "best", "-v"]);
    let commands: [&[&str]; 19] = [
        &["devices", "said.pcap", "home.pcap", "--wide", "--labels", "labels.csv"],
        &["flows", "said.pcap", "--attributes", "--show-credentials"],
        &["flows", "home.pcap", "--labels", "labels.csv"],
        &["extract", "said.pcap", "home.pcap", "--labels", "labels.csv"],
        &["audit", "said.pcap", "home.pcap", "--labels", "labels.csv"],
        &["audit", "--rules"],
        &["classify", "--model", "a.model", "home.pcap", "said.pcap"],
        &["classify", "--model", "a.model", "home.pcap", "--labels", "labels.csv"],
        &["classify", "--model", "a.model", "home.pcap", "--explain"],
        &["evaluate", "a.parquet", "--split", "time=0.7"],
        &["evaluate", "a.parquet", "--model", "a.model"],
        &["protocols", "list"],
        &["identify", "said.pcap", "home.pcap"],
        &["identify", "said.pcap", "--device", "02:00:00:00:00:01"],
        &["identify", "said.pcap", "--statements"],
        &["knowledge", "list"],
        &["compare", "home.pcap", "said.pcap", "--labels", "labels.csv", "--all"],
        &["compare", "said.pcap", "home.pcap", "--labels", "labels.csv", "--model", "a.model"],
        &["compare", "a.parquet", "home.pcap", "--all"],
    ];
    for arguments in commands {
        for format in TEXT_FORMATS {
            let said = stage.shows(&[arguments, &["-v", "--format", format]].concat());
            assert!([0, 2, 4].contains(&said.status), "{arguments:?} {format}: {}", said.stderr);
        }
    }
    for format in ["html", "sarif"] {
        stage.shows(&["audit", "said.pcap", "home.pcap", "--labels", "labels.csv", "--format", format]);
    }
    let captures = ["said.pcap", "home.pcap", "--labels", "labels.csv"];
    let pages: [&[&str]; 3] = [
        &["compare", "--format", "html"],
        &["report", "--format", "html"],
        &["report", "--model", "a.model", "--baseline", "a.parquet", "--format", "html"],
    ];
    for arguments in pages {
        let said = stage.shows(&[arguments, &captures].concat());
        assert!(
            [0, 4].contains(&said.status) && said.stdout.contains("</html>"),
            "{arguments:?}: {}",
            said.stderr
        );
    }
    for to in ["nftables", "iptables", "dnsmasq", "openwrt", "cisco-acl"] {
        let said = stage.shows(&[&["mud", "export", "--to", to], &captures[..]].concat());
        assert_eq!(said.status, 0, "{to}: {}", said.stderr);
    }
    stage.shows(&["devices", "said.pcap", "--labels-template", "template.csv"]);
    let template = fs::read_to_string(stage.path("template.csv")).unwrap();
    assert!(!template.chars().any(|c| escape::is_control(c) && c != '\n'), "{template:?}");
}

/// Names of files, configurations, policies, models of protocols, and arguments themselves.
#[test]
fn names_and_files_act_on_no_terminal() {
    let stage = Stage::new();
    stage.ok("simulate --duration 10m -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv -o a.csv");
    fs::create_dir(stage.path("set")).unwrap();
    let name = |end: &str| format!("set/{HOSTILE}{end}").replace("//", "/");
    fs::copy(stage.path("home.pcap"), stage.path(&name(".pcap"))).unwrap();
    fs::write(stage.path(&name("b.pcap.gz")), "no gzip").unwrap();
    fs::write(stage.path(&name("c.zip")), b"PK\x03\x04\x14\0\0\0").unwrap();
    for (end, text) in [
        ("labels.csv", format!("mac,label,kind\n02:00:00:00:00:01,a,{HOSTILE}\n")),
        ("policy.toml", format!("name = '''{HOSTILE}'''\n[\"{}\"]\n", HOSTILE.escape_default())),
        ("models.json", format!("{{\"name\": \"x\", \"{HOSTILE}\": 1}}")),
        ("config.toml", "\"a\\u001b[31m\" = 1\n".to_owned()),
        ("model", HOSTILE.to_owned()),
        ("mud.json", format!("{{\"{HOSTILE}\": 1}}")),
        ("experiment.toml", format!("name = '''{HOSTILE}'''\n")),
        ("rows.csv", format!("device,window_start,\"{HOSTILE}\"\n\"{HOSTILE}\",2,3\n")),
        ("rows.jsonl", format!("{{\"device\": \"{}\"}}\n", HOSTILE.escape_default())),
    ] {
        fs::write(stage.path(&name(end)), text).unwrap();
    }
    let at = |end: &str| name(end);
    let commands: [&[&str]; 26] = [
        &["extract", "set"],
        &["devices", "set", "home.pcap"],
        &["extract", "home.pcap", "--labels", &at("labels.csv")],
        &["audit", "home.pcap", "--policy", &at("policy.toml")],
        &["audit", "home.pcap", "--mud", &at("mud.json")],
        &["audit", "home.pcap", "--fingerprints", &at("mud.json")],
        &["flows", "home.pcap", "--protocols", &at("models.json")],
        &["protocols", "lint", &at("models.json")],
        &["protocols", "show", HOSTILE],
        &["watch", "--config", &at("config.toml"), "--check"],
        &["watch", "--check", HOSTILE],
        &["watch", "--check", "--notify", HOSTILE, "home.pcap"],
        &["watch", "--check", "--publish", HOSTILE, "home.pcap"],
        &["collect", HOSTILE, "--once"],
        &["classify", "--model", &at("model"), "home.pcap"],
        &["classify", "--model", &at("gone"), "home.pcap"],
        &["experiment", &at("experiment.toml")],
        &["evaluate", &at("rows.csv")],
        &["evaluate", &at("rows.jsonl")],
        &["train", &at("rows.csv"), "-o", "x.model"],
        &["merge", &at("model")],
        &["store", &at("model"), "info"],
        &["simulate", "--home", &at("home"), "-o", "x.pcap"],
        &["extract", "home.pcap", "-o", &at("none/x.csv")],
        &["extract", "home.pcap", "--format", HOSTILE],
        &[HOSTILE, HOSTILE],
    ];
    for arguments in commands {
        let said = stage.shows(&[arguments, &["-v"]].concat());
        assert!(!said.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn cells_are_no_formulas_and_come_back() {
    let stage = stage();
    let rows = |file: &str| {
        let said = stage.shows(&["merge", file, "--format", "jsonl"]);
        assert_eq!(said.status, 1, "no part: {}", said.stderr);
    };
    stage.shows(&["extract", "home.pcap", "--labels", "labels.csv", "-o", "a.csv"]);
    stage.shows(&["extract", "home.pcap", "--labels", "labels.csv", "-o", "a.jsonl"]);
    stage.shows(&["extract", "home.pcap", "--labels", "labels.csv", "--raw-cells", "-o", "raw.csv"]);
    rows("a.csv");
    let text = |name: &str| fs::read_to_string(stage.path(name)).unwrap();
    assert!(text("a.csv").contains(",'=cmd|") && !text("a.csv").contains(",=cmd|"));
    assert!(text("raw.csv").contains(",\"=cmd|") || text("raw.csv").contains(",=cmd|"));
    for file in ["a.csv", "a.jsonl", "raw.csv"] {
        stage.shows(&["train", file, "-o", &format!("{file}.model")]);
    }
    let model = |name: &str| fs::read(stage.path(name)).unwrap();
    assert_eq!(model("a.csv.model"), model("a.jsonl.model"), "labels come back as they were");
    assert_eq!(model("raw.csv.model"), model("a.jsonl.model"));
    stage.shows(&["evaluate", "a.csv", "--split", "time=0.7", "--predictions", "p.csv"]);
    stage.shows(&["evaluate", "a.csv", "--split", "time=0.7", "--predictions", "p.jsonl"]);
    for format in ["json", "csv"] {
        let against =
            |file: &str| stage.shows(&["evaluate", "p.jsonl", "--against", file, "--format", format]);
        assert_eq!(against("p.csv").stdout, against("p.jsonl").stdout);
    }
    for command in ["devices", "flows --attributes", "audit", "extract"] {
        let file = stage.path("formula.pcap");
        fs::write(&file, capture_of(FORMULA)).unwrap();
        let arguments: Vec<&str> = command.split(' ').chain(["formula.pcap", "--format", "csv"]).collect();
        let said = stage.shows(&arguments);
        let cells = csv_cells(&said.stdout);
        let formula =
            cells.iter().find(|cell| cell.starts_with(['=', '+', '-', '@']) && cell.parse::<f64>().is_err());
        assert_eq!(formula, None, "{command}");
    }
    stage.shows(&["devices", "formula.pcap", "--labels", "labels.csv", "--labels-template", "template.csv"]);
    let template = text("template.csv");
    assert!(!csv_cells(&template).iter().any(|cell| cell.trim_start().starts_with('=')), "{template}");
    let again = stage.shows(&["devices", "home.pcap", "--labels", "template.csv", "--format", "jsonl"]);
    assert_eq!(
        again.stdout,
        stage.shows(&["devices", "home.pcap", "--labels", "labels.csv", "--format", "jsonl"]).stdout
    );
}

/// The cells of CSV, lines that are comments as a spreadsheet takes them apart.
fn csv_cells(text: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader
        .records()
        .flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// A secret in every form that hides it today, in each place that a device may write it to.
#[test]
fn secrets_are_hidden_wherever_they_are_said() {
    const SECRETS: [&str; 5] = [
        "http://admin:SECRET1@192.168.1.20/",
        "Lamp/1 (rtsp://SECRET2:x@h/) y",
        "x?authcode=SECRET3",
        "x?code=SECRET4",
        "http://h/?user=SECRET5&k=SECRET6&usr=SECRET7&ticket=SECRET8&sign=SECRET9&hash=SECRET10",
    ];
    let stage = Stage::new();
    let mut shown = 0;
    for secret in SECRETS {
        fs::write(stage.path("secret.pcap"), capture_of(secret)).unwrap();
        hides_in_every_command(&stage, "secret.pcap");
        let asked =
            stage.shows(&["flows", "secret.pcap", "--attributes", "--show-credentials", "--format", "jsonl"]);
        shown += asked.stdout.matches("SECRET").count();
    }
    assert!(shown > 5 * SECRETS.len(), "{shown} are shown to who asks");
}

#[test]
fn secrets_of_an_attack_are_hidden() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/attack/secrets.pcap");
    if path.exists() {
        hides_in_every_command(&Stage::new(), path.to_str().unwrap());
    } else {
        crate::audit::skip("attack/secrets.pcap");
    }
}

#[test]
fn injections_of_an_attack_do_nothing() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/attack/injection.pcap");
    let Some(path) = path.to_str().filter(|_| path.exists()) else {
        return crate::audit::skip("attack/injection.pcap");
    };
    let stage = Stage::new();
    for format in TEXT_FORMATS {
        for command in ["devices --wide", "flows --attributes", "extract", "audit", "identify --statements"] {
            stage.shows(&command.split(' ').chain([path, "-v", "--format", format]).collect::<Vec<_>>());
        }
    }
    for format in ["html", "sarif"] {
        stage.shows(&["audit", path, "--format", format]);
    }
    stage.shows(&["report", path, "--format", "html"]);
    stage.shows(&["compare", path, path, "--all", "--format", "html"]);
    stage.shows(&["mud", "export", path, "--to", "nftables"]);
}

/// Fails where a command writes a text with `SECRET`, plain, in base64 or in hexadecimal digits.
fn hides_in_every_command(stage: &Stage, capture: &str) {
    let files = "--fingerprints-out known.json --mud-out mud --html page.html --sarif log.sarif".split(' ');
    stage.shows(&["audit", capture].into_iter().chain(files).collect::<Vec<_>>());
    let commands: [&[&str]; 8] = [
        &["devices", "--wide"],
        &["identify"],
        &["identify", "--statements"],
        &["flows", "--attributes"],
        &["extract"],
        &["audit"],
        &["audit", "--fingerprints", "known.json"],
        &["flows", "--fingerprints", "known.json"],
    ];
    for arguments in commands {
        for format in ["json", "csv", "table"] {
            let arguments = [arguments, &[capture, "-v", "--format", format]].concat();
            let said = stage.shows(&arguments);
            assert!([0, 4].contains(&said.status), "{arguments:?}: {}", said.stderr);
            for text in [said.stdout, said.stderr] {
                hides(&text, &format!("{arguments:?}"));
            }
        }
    }
    for arguments in
        [&["report", capture, "--format", "html"][..], &["mud", "export", capture, "--to", "nftables"]]
    {
        let said = stage.shows(arguments);
        for text in [said.stdout, said.stderr] {
            hides(&text, &format!("{arguments:?}"));
        }
    }
    for file in ["known.json", "page.html", "log.sarif"] {
        hides(&fs::read_to_string(stage.path(file)).unwrap(), file);
        fs::remove_file(stage.path(file)).unwrap();
    }
    for file in fs::read_dir(stage.path("mud")).into_iter().flatten() {
        let path = file.unwrap().path();
        hides(&fs::read_to_string(&path).unwrap(), &path.display().to_string());
    }
    let _ = fs::remove_dir_all(stage.path("mud"));
}

fn hides(text: &str, place: &str) {
    for secret in ["SECRET", "U0VDUkVU", "534543524554"] {
        let at =
            text.find(secret).map(|at| text.get(text.floor_char_boundary(at.saturating_sub(80))..at + 12));
        assert_eq!(at, None, "{place}");
    }
}
