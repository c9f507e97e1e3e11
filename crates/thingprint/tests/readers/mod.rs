//! Files without an end where a small one belongs: each is read to its limit, and the message says which.

use std::fs;
use std::process::{Command, Stdio};

use crate::stage::Stage;

/// Memory that a reader may ask for, in KiB: one that takes what is given would take more.
const ADDRESS_SPACE_KIB: u64 = 3 << 20;

/// The command line `script` of a shell with a bound on memory, where `$T` is the program: status, and what it says.
fn bounded(stage: &Stage, script: &str) -> (i32, String) {
    let mut command = Command::new("sh");
    let script = format!("ulimit -v {ADDRESS_SPACE_KIB}; {script}");
    command.args(["-c", &script]).current_dir(stage.path("")).env("T", env!("CARGO_BIN_EXE_thingprint"));
    let output = command.stdin(Stdio::null()).output().unwrap();
    (
        output.status.code().unwrap_or(-1),
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat(),
    )
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_without_an_end_is_refused_by_its_limit() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv -o instances.csv");
    fs::create_dir_all(stage.path("home/devices")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", stage.path("home/dataset.toml")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", stage.path("a.csv")).unwrap();
    for (command, place, limit) in [
        ("extract home.pcap --labels /dev/zero", "labels /dev/zero", 256),
        ("audit home.pcap --labels /dev/zero", "labels /dev/zero", 256),
        ("audit home.pcap --mud /dev/zero", "profile /dev/zero", 4),
        ("mud export --mud /dev/zero --to nftables", "profile /dev/zero", 4),
        ("audit home.pcap --fingerprints /dev/zero", "fingerprints /dev/zero", 64),
        ("audit home.pcap --policy /dev/zero", "policy /dev/zero", 4),
        ("audit home.pcap --known-findings /dev/zero", "known findings /dev/zero", 256),
        ("identify home.pcap --knowledge /dev/zero", "--knowledge: failed to read /dev/zero", 64),
        ("knowledge import a.csv -o tables.csv", "import a.csv", 256),
        ("simulate --home home --duration 1h -o other.pcap", "read home/dataset.toml", 4),
        ("experiment /dev/zero", "read /dev/zero", 4),
        ("protocols lint /dev/zero", "/dev/zero", 4),
        ("extract home.pcap --protocols /dev/zero", "protocol model /dev/zero", 4),
        ("evaluate instances.csv --against /dev/zero", "--against /dev/zero", 512),
    ] {
        let (status, said) = bounded(&stage, &format!("$T {command}"));
        let expected = format!("it has more than {limit} MiB, the limit for such a file");
        let is_told = said.contains(place) && said.contains(&expected);
        assert!(is_told && status == 1, "{command}: {status} {said}");
    }
    for command in ["merge /dev/zero -o part", "classify -m /dev/zero home.pcap", "watch --config /dev/zero"]
    {
        let (status, said) = bounded(&stage, &format!("$T {command}"));
        assert!([1, 2, 5].contains(&status) && said.contains("/dev/zero"), "{command}: {status} {said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_row_without_an_end_is_refused_with_its_place() {
    let stage = Stage::new();
    let endless = "tr '\\0' x < /dev/zero";
    for (start, place) in [
        ("device,window_start\\n\"", "read -: line 2"),
        ("device,window_start\\n", "read -: line 2"),
        ("{\"device\":\"", "read -: line 1"),
        ("[{\"device\":\"", "read -: row 1"),
    ] {
        let (status, said) =
            bounded(&stage, &format!("(printf '{start}'; {endless}) | $T train - -o a.model"));
        let is_told = said.contains(place) && said.contains("a row of more than 64 MiB, which is the limit");
        assert!(is_told && status == 1, "{start}: {status} {said}");
    }
    let (status, said) = bounded(&stage, &format!("(printf 'PAR1'; {endless}) | $T train - -o a.model"));
    assert!(said.contains("a Parquet file of more than 1024 MiB") && status == 1, "{status} {said}");
    assert!(!stage.path("a.model").exists());
}

#[test]
#[cfg(unix)]
fn a_folder_inside_that_cannot_be_read_takes_nothing_of_the_others() {
    use std::os::unix::fs::symlink;

    let stage = Stage::new();
    fs::create_dir_all(stage.path("day")).unwrap();
    stage.ok("simulate --duration 1h -o day/home.pcap --labels day/labels.csv");
    let alone = stage.ok("extract day/home.pcap --format jsonl");
    symlink("..", stage.path("day/up")).unwrap();
    assert!(Command::new("mkfifo").arg(stage.path("day/tap.pcap")).status().unwrap().success());
    let skipped = "not read: 1 file that is no capture, and 1 folder that is a link, and 1 pipe, socket or device; --verbose \
                   names them";
    let said = stage.ok("extract day --format jsonl");
    assert!(said.stderr.contains(skipped) && !said.stderr.contains("labels.csv"), "{}", said.stderr);
    let said = stage.ok("extract day --format jsonl -v");
    for name in [
        "day/labels.csv is no capture",
        "day/up is a link to a folder",
        "day/tap.pcap is neither a file nor a folder",
    ] {
        assert!(said.stderr.contains(name), "{}", said.stderr);
    }
    // Paths of more than 4096 bytes are none of this system, whoever reads them (PATH_MAX).
    let deep = "cd day && for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do mkdir $N && cd -P $N; done";
    let mut command = Command::new("sh");
    command.args(["-c", deep]).env("N", "x".repeat(250)).current_dir(stage.path(""));
    assert!(command.status().unwrap().success());
    let said = stage.run("extract day --format jsonl");
    assert_eq!(said.status, 4, "{}", said.stderr);
    assert!(said.stderr.contains("failed to read day/xxx"), "{}", said.stderr);
    assert_eq!(said.json_lines(), alone.json_lines());
}

#[test]
#[cfg(target_os = "linux")]
fn whoever_waits_for_a_named_pipe_says_so() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap --labels labels.csv");
    let readers = [
        "devices pipe",
        "devices home.pcap --labels pipe",
        "audit home.pcap --policy pipe",
        "audit home.pcap --mud pipe",
        "audit home.pcap --fingerprints pipe",
        "classify home.pcap --model pipe",
        "train pipe -o home.model",
        "merge pipe",
    ];
    // A pipe for each; when all have said so, somebody opens the pipes and says nothing, so that all end.
    let begun = readers.iter().enumerate().map(|(at, reader)| {
        let reader = reader.replace("pipe", &format!("pipe{at}"));
        format!("mkfifo pipe{at}; timeout -s INT 120 $T {reader} > said{at} 2>&1 & ")
    });
    let script = format!(
        "{} for turn in $(seq 500); do \
         test \"$(cat said? | grep -c 'waiting for somebody')\" = {} && break; sleep 0.2; done; \
         for pipe in pipe?; do exec 3<> $pipe; exec 3>&-; done; wait; cat said?",
        begun.collect::<String>(),
        readers.len()
    );
    let (_, said) = bounded(&stage, &script);
    let told = said.matches(" is a named pipe: waiting for somebody to write to it").count();
    assert_eq!(told, readers.len(), "{said}");
    // Who writes at once is not waited for.
    let (status, said) = bounded(
        &stage,
        "mkfifo pipe; cat labels.csv > pipe & $T devices home.pcap --labels pipe --format csv",
    );
    assert!(status == 0 && !said.contains("waiting"), "{said}");
    // Who is asked to be quiet is.
    let (status, said) = bounded(
        &stage,
        "mkfifo slow; (sleep 3; cat labels.csv > slow) & $T devices home.pcap --labels slow --format csv -q",
    );
    assert!(status == 0 && !said.contains("waiting"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_for_temporary_files_that_is_full_or_missing_is_named() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap");
    fs::create_dir(stage.path("spool")).unwrap();
    // A file may have 8 KiB here; what would be more is an error as on a full disk.
    let script =
        "trap '' XFSZ; ulimit -f 16; TMPDIR=$PWD/spool $T extract home.pcap --format json 2>&1 > /dev/null";
    let (status, said) = bounded(&stage, script);
    let place = stage.path("spool").canonicalize().unwrap();
    let told = format!(
        "failed to write a temporary file in {}: make room there, or name another folder with TMPDIR",
        place.display()
    );
    assert!(status == 1 && said.contains(&told) && said.contains("File too large"), "{said}");
    let (status, said) = bounded(&stage, "TMPDIR=$PWD/nowhere $T extract home.pcap --format json");
    assert!(status == 1 && said.contains("failed to write a temporary file in "), "{said}");
}
