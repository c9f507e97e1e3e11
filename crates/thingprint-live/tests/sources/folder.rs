//! Folders into which captures are rotated.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use thingprint_flow::Timestamp;
use thingprint_live::{FolderProgress, Intake, IntakeOptions, Progress, SourceState};

use crate::captures::{BEGIN_S, capture, gzip, records};
use crate::reading::{expect_nothing, says, start, start_with, stop, take, wait_for, wait_for_failure};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file that was not touched for an hour.
    fn old(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
        self.age(name);
    }

    fn age(&self, name: &str) {
        let file = OpenOptions::new().append(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
    }

    fn spec(&self) -> String {
        format!("folder:{}", self.0.path().display())
    }

    fn start(&self) -> Intake {
        start(&self.spec())
    }

    fn start_again(&self, progress: Progress, final_until_s: i64) -> Intake {
        let final_until = Some(Timestamp::from_seconds(BEGIN_S + final_until_s));
        start_with(&self.spec(), IntakeOptions { progress, final_until, ..IntakeOptions::default() })
    }
}

/// Stops an intake that has handed out all frames; what it read, stored and read back.
fn stop_for_restart(mut intake: Intake, files: usize) -> Progress {
    let count =
        |intake: &Intake| intake.progress().values().map(|folder| folder.files().count()).sum::<usize>();
    wait_for(&mut intake, |_| true);
    for _ in 0..500 {
        if count(&intake) == files {
            break;
        }
        expect_idle(&mut intake);
    }
    let text = serde_json::to_string(intake.progress()).unwrap();
    assert_eq!(count(&intake), files, "{text}");
    stop(intake);
    serde_json::from_str(&text).unwrap()
}

fn expect_idle(intake: &mut Intake) {
    assert!(!matches!(intake.next(Duration::from_millis(10)), thingprint_live::Next::Frames(_)));
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn files_come_in_the_order_of_their_packets() {
    let folder = Folder::new();
    folder.old("a.pcap", &capture(20..23));
    folder.old("b.pcap.gz", &gzip(&capture(0..3)));
    folder.old("c.pcap", &capture(10..13));
    let mut intake = folder.start();
    assert_eq!(take(&mut intake, 9), [0, 1, 2, 10, 11, 12, 20, 21, 22]);
    stop(intake);
}

#[test]
fn the_newest_file_is_followed_until_there_is_a_next_one() {
    let folder = Folder::new();
    let mut intake = folder.start();
    let mut file = File::create(folder.path("1.pcap")).unwrap();
    file.write_all(&capture(0..1)[..50]).unwrap();
    expect_nothing(&mut intake);
    file.write_all(&capture(0..1)[50..]).unwrap();
    assert_eq!(take(&mut intake, 1), [0]);
    file.write_all(&records(1..3)).unwrap();
    assert_eq!(take(&mut intake, 2), [1, 2]);
    fs::write(folder.path("2.pcap"), capture(5..6)).unwrap();
    // Its rest comes behind the begin of the next one.
    file.write_all(&records(3..5)).unwrap();
    assert_eq!(take(&mut intake, 3), [3, 4, 5]);
    // The last one is followed like the first.
    append(&folder.path("2.pcap"), &records(6..7));
    assert_eq!(take(&mut intake, 1), [6]);
    expect_nothing(&mut intake);
    stop(intake);
}

#[test]
fn a_file_that_was_left_and_grows_is_read_behind_what_was_read() {
    let folder = Folder::new();
    // Half a packet is missing.
    folder.old("1.pcap", &capture(0..3)[..24 + 2 * 76 + 30]);
    let mut intake = folder.start();
    assert_eq!(take(&mut intake, 2), [0, 1]);
    expect_nothing(&mut intake);
    fs::write(folder.path("1.pcap"), capture(0..4)).unwrap();
    assert_eq!(take(&mut intake, 2), [2, 3]);
    let notices = intake.board().take_notices();
    assert!(notices[0].text.contains("cut off: 30 of 76 bytes are there"), "{notices:?}");
    stop(intake);
}

#[test]
fn a_restart_reads_nothing_twice_and_nothing_that_was_not_stored_never() {
    let folder = Folder::new();
    folder.old("1.pcap", &capture(0..3));
    folder.old("2.pcap.gz", &gzip(&capture(3000..3003)));
    folder.old("3.pcap", &capture(6000..6003));
    let mut intake = folder.start();
    assert_eq!(take(&mut intake, 9).len(), 9);
    let progress = stop_for_restart(intake, 3);

    // Windows up to 6000 are final: the last file is read again, from its start.
    let mut intake = folder.start_again(progress.clone(), 6000);
    assert_eq!(intake.progress().values().flat_map(FolderProgress::files).count(), 2);
    assert_eq!(take(&mut intake, 3), [6000, 6001, 6002]);
    expect_nothing(&mut intake);
    let second = stop_for_restart(intake, 3);
    // All are final, and one more file came meanwhile.
    folder.old("4.pcap", &capture(9000..9003));
    let mut intake = folder.start_again(second, 9000);
    assert_eq!(take(&mut intake, 3), [9000, 9001, 9002]);
    expect_nothing(&mut intake);
    stop(intake);
    // Nothing was stored.
    let mut intake = start_with(&folder.spec(), IntakeOptions { progress, ..IntakeOptions::default() });
    assert_eq!(take(&mut intake, 12).len(), 12);
    stop(intake);
}

#[test]
fn files_that_are_renamed_copied_or_compressed_are_known() {
    let folder = Folder::new();
    for name in ["1.pcap", "2.pcap", "3.pcap"] {
        let begin = name.as_bytes()[0].into();
        folder.old(name, &capture(begin..begin + 2));
    }
    let mut intake = folder.start();
    assert_eq!(take(&mut intake, 6).len(), 6);
    let progress = stop_for_restart(intake, 3);
    fs::rename(folder.path("1.pcap"), folder.path("1.pcap.1")).unwrap();
    let bytes = fs::read(folder.path("2.pcap")).unwrap();
    folder.old("2.pcap.gz", &gzip(&bytes));
    fs::remove_file(folder.path("2.pcap")).unwrap();
    // A copy takes the place of the file, and has more.
    let longer = [fs::read(folder.path("3.pcap")).unwrap(), records(70..71)].concat();
    folder.old("copy", &longer);
    fs::rename(folder.path("copy"), folder.path("3.pcap")).unwrap();
    let mut intake = folder.start_again(progress, 5000);
    assert_eq!(take(&mut intake, 1), [70]);
    expect_nothing(&mut intake);
    // The file with another name is known by it once it is compressed.
    let bytes = fs::read(folder.path("1.pcap.1")).unwrap();
    folder.old("1.pcap.1.gz", &gzip(&bytes));
    fs::remove_file(folder.path("1.pcap.1")).unwrap();
    expect_nothing(&mut intake);
    stop(intake);
}

#[test]
fn a_compressed_file_is_read_when_it_is_whole() {
    let folder = Folder::new();
    let bytes = gzip(&capture(0..200));
    fs::write(folder.path("1.pcap.gz"), &bytes[..bytes.len() / 2]).unwrap();
    let mut intake = folder.start();
    expect_nothing(&mut intake);
    append(&folder.path("1.pcap.gz"), &bytes[bytes.len() / 2..]);
    expect_nothing(&mut intake);
    folder.age("1.pcap.gz");
    assert_eq!(take(&mut intake, 200), (0..200).collect::<Vec<_>>());
    assert_eq!(intake.board().take_notices(), []);
    stop(intake);
}

#[test]
fn a_file_that_lies_there_twice_is_read_once() {
    let folder = Folder::new();
    folder.old("1.pcap", &capture(0..3));
    folder.old("1.pcap.gz", &gzip(&capture(0..3)));
    fs::hard_link(folder.path("1.pcap"), folder.path("2.pcap")).unwrap();
    let mut intake = folder.start();
    assert_eq!(take(&mut intake, 3), [0, 1, 2]);
    expect_nothing(&mut intake);
    stop(intake);
}

#[test]
fn a_file_that_grows_by_half_a_packet_is_not_done_before_its_time() {
    let folder = Folder::new();
    folder.old("1.pcap", &capture(5000..5002)[..24 + 76 + 30]);
    let mut intake = folder.start();
    assert_eq!(take(&mut intake, 1), [5000]);
    expect_nothing(&mut intake);
    append(&folder.path("1.pcap"), &[0; 5]);
    folder.age("1.pcap");
    let read = |intake: &Intake| {
        let file = intake.progress().values().flat_map(FolderProgress::files).next().cloned().unwrap();
        (file.bytes, file.packets, file.last_packet)
    };
    let last = Some(Timestamp::from_seconds(BEGIN_S + 5000));
    while read(&intake).0 == 130 {
        expect_idle(&mut intake);
    }
    assert_eq!(read(&intake), (135, 1, last));
    stop(intake);
}

#[test]
fn a_file_that_is_cut_off_or_replaced_is_read_anew() {
    let folder = Folder::new();
    fs::write(folder.path("1.pcap"), capture(0..3)).unwrap();
    let mut intake = folder.start();
    assert_eq!(take(&mut intake, 3), [0, 1, 2]);
    // Cut off while it is followed, as rotations do that copy it away first.
    fs::write(folder.path("1.pcap"), capture(10..11)).unwrap();
    assert_eq!(take(&mut intake, 1), [10]);
    let notices = intake.board().take_notices();
    assert!(notices[0].text.contains("the file was cut off while it was read"), "{notices:?}");
    // Another one under the same name, while the first one is followed.
    fs::write(folder.path("new"), capture(20..22)).unwrap();
    fs::rename(folder.path("new"), folder.path("1.pcap")).unwrap();
    assert_eq!(take(&mut intake, 2), [20, 21]);
    stop(intake);
}

#[test]
fn a_round_of_files_under_the_same_names_is_read_in_each_round() {
    let folder = Folder::new();
    let mut intake = folder.start();
    for round in 0..3 {
        for (place, name) in ["0.pcap", "1.pcap"].into_iter().enumerate() {
            let begin = round * 100 + i64::try_from(place).unwrap() * 10;
            // The file keeps its number, as with tcpdump -W.
            fs::write(folder.path(name), capture(begin..begin + 2)).unwrap();
            folder.age(name);
            assert_eq!(take(&mut intake, 2), [begin, begin + 1]);
        }
    }
    expect_nothing(&mut intake);
    stop(intake);
}

#[test]
fn a_file_that_was_found_without_packets_is_known_by_those_that_came() {
    let folder = Folder::new();
    let mut intake = folder.start();
    fs::write(folder.path("1.pcap"), capture([])).unwrap();
    expect_nothing(&mut intake);
    append(&folder.path("1.pcap"), &records(0..2));
    assert_eq!(take(&mut intake, 2), [0, 1]);
    fs::write(folder.path("2.pcap"), capture(10..12)).unwrap();
    assert_eq!(take(&mut intake, 2), [10, 11]);
    // Others of the same size are written into it.
    fs::write(folder.path("1.pcap"), capture(20..22)).unwrap();
    assert_eq!(take(&mut intake, 2), [20, 21]);
    stop(intake);
}

#[test]
fn what_is_not_a_capture_is_left_out_and_counted() {
    let folder = Folder::new();
    folder.old("notes.txt", b"These are not the packets that you look for.");
    folder.old("log.gz", &gzip(b"Neither are these, though they are compressed."));
    folder.old(".partial.pcap", &capture(0..1));
    fs::create_dir(folder.path("sub")).unwrap();
    folder.old("short.pcap", &capture([])[..10]);
    folder.old("a.pcap", &capture(1..2));
    let mut intake = folder.start();
    assert_eq!(take(&mut intake, 1), [1]);
    let health = wait_for(&mut intake, |health| health.left_out == 4 && says(health, "left out"));
    let named = "left out, a folder, not a capture or not readable: 3 (log.gz, notes.txt, sub)";
    assert!(
        says(&health, named) && says(&health, "left out, hidden, not a file or beyond the limit: 1"),
        "{health:?}"
    );
    let notices = intake.board().take_notices();
    assert_eq!(notices.len(), 3, "{notices:?}");
    assert!(notices[1].text.ends_with("notes.txt: left out: not a capture"), "{notices:?}");
    let within = "sub: left out: a folder, whose files are not read: name it as a source of its own";
    assert!(notices[2].text.ends_with(within), "{notices:?}");
    // A file that becomes a capture is read.
    fs::write(folder.path("notes.txt"), capture(2..3)).unwrap();
    assert_eq!(take(&mut intake, 1), [2]);
    stop(intake);
}

#[test]
fn a_damaged_file_is_said_and_others_go_on() {
    let folder = Folder::new();
    folder.old("1.pcap", &[capture(0..2), vec![0xff; 100]].concat());
    folder.old("2.pcap", &capture(2..4));
    let mut intake = folder.start();
    assert_eq!(take(&mut intake, 4), [0, 1, 2, 3]);
    let notices = intake.board().take_notices();
    assert!(notices[0].text.contains("1.pcap: a packet or block claims"), "{notices:?}");
    append(&folder.path("1.pcap"), &records(9..10));
    expect_nothing(&mut intake);
    wait_for(&mut intake, |health| says(health, "not read to the end: 1") && health.unread == 1);
    stop(intake);
}

#[test]
fn a_folder_that_is_not_there_is_said_and_tried_again() {
    let folder = Folder::new();
    let path = folder.path("later");
    let mut intake = start(&format!("folder:{}", path.display()));
    wait_for_failure(&mut intake, "create the folder; for an interface of this name, write interface:NAME");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("a.pcap"), capture(0..1)).unwrap();
    assert_eq!(take(&mut intake, 1), [0]);
    assert_eq!(intake.health().remove(0).state, SourceState::Reading);
    stop(intake);
    fs::remove_dir_all(&path).unwrap();
    fs::write(&path, b"x").unwrap();
    let mut intake = start(&format!("folder:{}", path.display()));
    wait_for_failure(&mut intake, "a single capture is written file:PATH");
    stop(intake);
}
