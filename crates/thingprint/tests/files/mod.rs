//! What becomes of files: results appear together or not at all, and what is read stays.

mod interrupted;

use std::fmt::Write;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::stage::Stage;

/// A stage with a capture, its labels, instances and a model.
fn stage_with_home() -> Stage {
    let stage = Stage::new();
    stage.ok("simulate --duration 3h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv -o instances.csv");
    stage.ok("train instances.csv -o home.model -q");
    stage
}

/// The names in the folder of a stage, hidden ones as well.
fn names(stage: &Stage, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(stage.path(folder)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The command through a shell, where `$T` is the program; the status is that of the last command.
fn shell(stage: &Stage, script: &str) -> (i32, String) {
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(stage.path("")).env("T", env!("CARGO_BIN_EXE_thingprint"));
    let output = command.stdin(Stdio::null()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
#[cfg(unix)]
fn no_result_replaces_an_input_by_whichever_name() {
    let stage = stage_with_home();
    fs::hard_link(stage.path("home.pcap"), stage.path("hard.pcap")).unwrap();
    std::os::unix::fs::symlink("home.pcap", stage.path("soft.pcap")).unwrap();
    let before = fs::read(stage.path("home.pcap")).unwrap();
    for command in [
        "extract - --format csv -o home.pcap < home.pcap",
        "extract - --format csv -o hard.pcap < home.pcap",
        "extract - --format csv -o home.pcap < soft.pcap",
        "extract home.pcap --format csv -o hard.pcap",
        "extract soft.pcap --format csv -o home.pcap",
        "flows - --format csv -o hard.pcap < home.pcap",
        "devices - --labels-template hard.pcap < home.pcap",
        "devices home.pcap -l labels.csv --labels-template hard.pcap",
        "audit - --html home.pcap < home.pcap",
        "audit home.pcap --html hard.pcap",
        "audit - --sarif hard.pcap < home.pcap",
        "audit home.pcap --cipher-plot soft.pcap",
        "audit - --fingerprints-out hard.pcap < home.pcap",
        "classify -m home.model - --format csv -o hard.pcap < home.pcap",
        "classify -m home.model home.pcap --explain=fc:a1:83:20:00:11 --figure hard.pcap",
    ] {
        let (status, said) = shell(&stage, &format!("$T {command}"));
        assert_eq!(status, 2, "{command}: {said}");
        assert!(said.contains("replace an input") || said.contains("is there already"), "{command}: {said}");
        assert!(fs::read(stage.path("home.pcap")).unwrap() == before, "{command} changed the capture");
    }
    let before = fs::read(stage.path("instances.csv")).unwrap();
    for command in [
        "train - -o instances.csv < instances.csv",
        "evaluate - -m home.model --format csv -o instances.csv < instances.csv",
        "evaluate - -m home.model --predictions instances.csv < instances.csv",
    ] {
        let (status, said) = shell(&stage, &format!("$T {command}"));
        assert_eq!(status, 2, "{command}: {said}");
        assert!(said.contains("replace an input"), "{command}: {said}");
        assert!(fs::read(stage.path("instances.csv")).unwrap() == before, "{command} changed its input");
    }
    let (status, said) = shell(&stage, "$T extract - --format csv -o new.csv < home.pcap");
    assert_eq!(status, 0, "{said}");
}

#[test]
fn two_results_in_one_file_are_refused() {
    let stage = Stage::new();
    stage.fails("simulate --duration 10m -o same --labels ./same", 2, &["--output and --labels", "same"]);
    assert_eq!(names(&stage, ""), Vec::<String>::new());
}

#[test]
#[cfg(unix)]
fn what_a_dangling_link_leads_to_is_made() {
    let stage = Stage::new();
    fs::create_dir(stage.path("real")).unwrap();
    std::os::unix::fs::symlink("real/home.pcap", stage.path("link.pcap")).unwrap();
    stage.ok("simulate --duration 10m -o link.pcap");
    assert!(fs::symlink_metadata(stage.path("link.pcap")).unwrap().is_symlink());
    stage.ok("devices real/home.pcap");
    assert_eq!(names(&stage, "real"), ["home.pcap"]);
}

/// Where the system lets files grow to so many blocks of 512 bytes only, and says so instead of ending the process.
#[test]
#[cfg(unix)]
fn where_one_result_finds_no_room_there_is_none() {
    let stage = stage_with_home();
    fs::write(stage.path("old.json"), "old").unwrap();
    fs::create_dir(stage.path("mud")).unwrap();
    fs::write(stage.path("mud/old.json"), "old").unwrap();
    let device =
        stage.ok("classify -m home.model home.pcap").json_lines()[0]["device"].as_str().unwrap().to_owned();
    for (blocks, command) in [
        (1, "audit home.pcap --format json -o old.json --html a.html --sarif a.sarif --cipher-plot a.svg"),
        (
            40,
            "audit home.pcap --format json -o old.json --html a.html --mud-out mud --fingerprints-out known.json",
        ),
        (40, "audit home.pcap --format json -o old.json --mud-out new/mud"),
        (10, "audit home.pcap --html a.html --format json"),
        (100, "extract home.pcap -o new.csv --format json"),
        (10, "extract home.pcap -o new.parquet"),
        (8, "extract home.pcap --partial -o new.part"),
        (2, "flows home.pcap --split flows -o new.csv"),
        (2, "flows home.pcap --split flows"),
        (2, "devices home.pcap --labels-template new.csv --wide --format json -o old.json"),
        (2, "evaluate instances.csv -m home.model --figures figures --predictions p.csv"),
        (2, "evaluate instances.csv -m home.model --figures figures -o old.json"),
        (8, "train instances.csv -o new.model"),
        (10, "classify -m home.model home.pcap --explain=DEVICE --figure new.svg --format json -o old.json"),
        (100, "simulate --duration 1h -o new.pcap --labels new.csv"),
        (100, "demo --folder demo"),
        (1, "generate man man"),
    ] {
        let command = command.replace("DEVICE", &device);
        let before = names(&stage, "");
        let (status, said) = shell(&stage, &format!("ulimit -f {blocks}; $T {command} > /dev/null"));
        assert_eq!(status, 1, "{command}: {said}");
        assert!(said.contains("File too large"), "{command}: {said}");
        assert_eq!(names(&stage, ""), before, "{command}: {said}");
        assert_eq!(fs::read(stage.path("old.json")).unwrap(), b"old", "{command}");
        assert_eq!(names(&stage, "mud"), ["old.json"], "{command}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn where_standard_output_takes_nothing_there_are_no_files() {
    let stage = stage_with_home();
    for command in [
        "audit home.pcap --html a.html --mud-out mud --fingerprints-out known.json",
        "evaluate instances.csv -m home.model --predictions p.csv",
        "flows home.pcap --split flows",
        "devices home.pcap --labels-template template.csv",
        "simulate --duration 1h --labels new.csv",
    ] {
        let before = names(&stage, "");
        let (status, said) = shell(&stage, &format!("$T {command} > /dev/full"));
        assert_eq!(status, 1, "{command}: {said}");
        assert!(said.contains("No space left on device"), "{command}: {said}");
        assert_eq!(names(&stage, ""), before, "{command}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_reported_with_the_name_of_the_file() {
    let stage = stage_with_home();
    for command in [
        "extract home.pcap --format csv",
        "extract home.pcap --format parquet",
        "extract home.pcap --partial",
        "classify -m home.model home.pcap --format jsonl",
        "devices home.pcap --format zeek",
        "flows home.pcap --format jsonl",
        "audit home.pcap --format sarif",
        "report home.pcap --format html",
        "mud export home.pcap --to nftables",
        "simulate --duration 1h",
        "train instances.csv",
    ] {
        let (status, said) = shell(&stage, &format!("$T {command} -o /dev/full"));
        assert_eq!(status, 1, "{command}: {said}");
        assert!(
            said.contains("/dev/full: ") && said.contains("No space left on device"),
            "{command}: {said}"
        );
    }
    let (_, said) = shell(&stage, "$T extract home.pcap --format csv > /dev/full");
    assert!(said.contains("failed to write standard output"), "{said}");
}

#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_ends_a_command_quietly_and_takes_no_files_with_it() {
    let stage = stage_with_home();
    let unread = |command: &str| {
        // The other side is closed before anything is written.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = stage.command(command, Stdio::null());
        command.stdout(writer).stderr(File::create(stage.path("said")).unwrap());
        let status = command.status().unwrap().code();
        let said = fs::read_to_string(stage.path("said")).unwrap();
        assert!(status == Some(0) && !said.contains("error"), "{status:?}: {said}");
    };
    unread("flows home.pcap --split flows -q");
    let whole = names(&stage, "flows");
    stage.ok("flows home.pcap --split again");
    assert_eq!(whole, names(&stage, "again"));
    unread("audit home.pcap --html a.html -q");
    assert!(stage.path("a.html").exists());
    unread("extract home.pcap -q");
}

#[test]
fn nothing_in_a_file_is_an_error_that_names_it() {
    let stage = stage_with_home();
    for name in ["nothing", "nothing.parquet"] {
        fs::write(stage.path(name), "").unwrap();
        for command in [
            "train FILE -o x.model",
            "evaluate FILE",
            "classify -m home.model FILE",
            "classify -m home.model instances.csv FILE",
            "evaluate instances.csv -m home.model --against FILE",
            "classify -m FILE instances.csv",
            "extract home.pcap --labels FILE",
            "devices home.pcap --labels FILE",
            "audit home.pcap --fingerprints FILE",
            "flows home.pcap --fingerprints FILE",
            "audit home.pcap --mud FILE",
            "audit home.pcap --policy FILE",
            "merge FILE",
            "extract FILE",
            "store FILE info",
        ] {
            let command = command.replace("FILE", name);
            let said = stage.run(&command);
            assert_eq!((said.status, said.stdout.as_str()), (1, ""), "{command}: {}", said.stderr);
            assert!(said.stderr.contains(name), "{command}: {}", said.stderr);
            assert!(said.stderr.contains("is empty"), "{command}: {}", said.stderr);
        }
    }
    fs::write(stage.path("blank.csv"), "\n \r\n").unwrap();
    stage.fails("train blank.csv -o x.model", 1, &["blank.csv: the file is empty"]);
    stage.fails("extract home.pcap --labels blank.csv", 1, &["blank.csv: the file is empty"]);
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
fn a_damaged_parquet_file_is_an_error_and_no_panic() {
    let damaged =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/attack/panic-208-01.parquet");
    if !damaged.is_file() {
        eprintln!("skipped: {} is not here", damaged.display());
        return;
    }
    let stage = stage_with_home();
    let file = damaged.display();
    for command in
        [format!("classify -m home.model {file}"), format!("evaluate {file}"), format!("train {file} -o x")]
    {
        let said = stage.run(&command);
        assert_eq!(said.status, 1, "{}", said.stderr);
        assert!(said.stderr.contains("no readable Parquet"), "{}", said.stderr);
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
    }
}

/// Memory in which 300,000 labels, 10 MB, are read.
const LABELS_KB: u32 = 100_000;
/// Memory in which a file with 900,000 values of fingerprints, 12 MB, is read.
const FINGERPRINTS_KB: u32 = 180_000;

/// What files of labels and of fingerprints take in memory stays within a few times their length.
#[test]
#[cfg(target_os = "linux")]
fn large_files_of_labels_and_fingerprints_take_little_more_than_their_length() {
    let stage = Stage::new();
    stage.ok("simulate --duration 10m -o home.pcap");
    let mut labels = "mac,label,kind\n".to_owned();
    for number in 0..300_000_u32 {
        let [a, b, c, d] = number.to_be_bytes();
        writeln!(labels, "02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x},class-{},iot", number % 5000).unwrap();
    }
    fs::write(stage.path("labels.csv"), labels).unwrap();
    let values = |device: u32| -> String {
        let values: Vec<String> = (0..1000).map(|value| format!("\"{device:x}.{value:x}\": 1")).collect();
        let attributes = ["http.host", "dns.name", "tls.server_name"];
        let of = attributes.map(|attribute| format!("\"{attribute}\": {{{}}}", values.join(", ")));
        format!("\"device-{device}\": {{{}}}", of.join(", "))
    };
    let devices: Vec<String> = (0..300).map(values).collect();
    let known = format!(
        "{{\"format\": \"thingprint-fingerprints\", \"version\": 1, \"devices\": {{{}}}}}",
        devices.join(", ")
    );
    fs::write(stage.path("known.json"), known).unwrap();
    for (limit_kb, command) in [
        (LABELS_KB, "devices home.pcap --labels labels.csv -j1"),
        (FINGERPRINTS_KB, "flows home.pcap --fingerprints known.json -j1"),
        (FINGERPRINTS_KB, "audit home.pcap --fingerprints known.json -j1"),
    ] {
        let (status, said) = shell(&stage, &format!("ulimit -d {limit_kb}; $T {command} > /dev/null"));
        assert_eq!(status, 0, "{command}: {said}");
    }
}
