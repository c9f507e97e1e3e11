use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::*;

/// All names in a folder, hidden ones as well.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn finish(transaction: &Transaction, path: &Path, bytes: &[u8]) {
    let mut file = transaction.file(path).unwrap();
    file.write_all(bytes).unwrap();
    file.finish().unwrap();
}

#[test]
fn results_appear_only_when_committed_and_together() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, svg) = (folder.path().join("a.csv"), folder.path().join("b.svg"));
    let transaction = Transaction::default();
    finish(&transaction, &csv, b"new");
    finish(&transaction, &svg, b"figure");
    assert!(!csv.exists() && !svg.exists());
    assert!(transaction.is_under_way());
    transaction.commit().unwrap();
    assert_eq!((fs::read(&csv).unwrap(), fs::read(&svg).unwrap()), (b"new".to_vec(), b"figure".to_vec()));
    assert_eq!(names(folder.path()), ["a.csv", "b.svg"]);
    assert!(!transaction.is_under_way());
}

#[test]
fn what_is_not_finished_or_not_committed_leaves_the_old_and_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home.model");
    fs::write(&path, b"old").unwrap();
    let transaction = Transaction::default();
    let mut half = transaction.file(&path).unwrap();
    half.write_all(b"half").unwrap();
    drop(half);
    transaction.commit().unwrap();
    finish(&transaction, &path, b"whole");
    assert!(transaction.roll_back());
    finish(&transaction, &path, b"whole");
    drop(transaction);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["home.model"]);
}

#[test]
fn where_one_result_cannot_get_its_place_the_others_go_and_the_old_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("old.csv"), b"old").unwrap();
    fs::create_dir(at("figures")).unwrap();
    fs::write(at("figures/a.svg"), b"old").unwrap();
    fs::write(at("figures/gone.svg"), b"stale").unwrap();
    let transaction = Transaction::default();
    finish(&transaction, &at("old.csv"), b"new");
    finish(&transaction, &at("new.csv"), b"new");
    let mut figures = transaction.folder(&at("figures")).unwrap();
    figures.write("a.svg", b"new").unwrap();
    figures.write("b.svg", b"new").unwrap();
    figures.take_away(Path::new("gone.svg"));
    figures.finish();
    let made = transaction.folder(&at("deep/down/mud")).unwrap();
    made.write("x.json", b"{}").unwrap();
    made.finish();
    finish(&transaction, &at("last.csv"), b"new");
    // Somebody makes a folder of that name meanwhile.
    fs::create_dir(at("last.csv")).unwrap();
    let error = transaction.commit().unwrap_err();
    assert_eq!(error.to_string(), format!("write {}", at("last.csv").display()));
    assert_eq!(fs::read(at("old.csv")).unwrap(), b"old");
    assert_eq!(fs::read(at("figures/a.svg")).unwrap(), b"old");
    assert_eq!(names(&at("figures")), ["a.svg", "gone.svg"]);
    assert_eq!(names(folder.path()), ["figures", "last.csv", "old.csv"]);
}

#[test]
fn a_folder_is_made_with_what_is_in_it_or_its_files_are_moved_into_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/mud");
    let transaction = Transaction::default();
    for (name, present) in [("a.json", vec!["a.json"]), ("b.json", vec!["a.json", "b.json"])] {
        let staged = transaction.folder(&path).unwrap();
        staged.write(name, b"{}").unwrap();
        staged.finish();
        transaction.commit().unwrap();
        assert_eq!(names(&path), present);
    }
    let mut staged = transaction.folder(&path).unwrap();
    staged.write("b.json", b"[]").unwrap();
    staged.take_away(Path::new("a.json"));
    staged.take_away(Path::new("never.json"));
    staged.finish();
    transaction.commit().unwrap();
    assert_eq!(names(&path), ["b.json"]);
    assert_eq!(fs::read(path.join("b.json")).unwrap(), b"[]");
    drop(transaction.folder(&folder.path().join("other")).unwrap());
    assert_eq!(names(folder.path()), ["deep"]);
    assert_eq!(names(&folder.path().join("deep")), ["mud"]);
}

#[test]
fn a_folder_that_was_made_for_results_goes_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/figures");
    let transaction = Transaction::default();
    transaction.make_folder(&path).unwrap();
    finish(&transaction, &path.join("a.csv"), b"new");
    transaction.roll_back();
    assert_eq!(names(folder.path()), Vec::<String>::new());
    transaction.make_folder(&path).unwrap();
    finish(&transaction, &path.join("a.csv"), b"new");
    transaction.commit().unwrap();
    transaction.roll_back();
    assert_eq!(names(&path), ["a.csv"]);
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = Transaction::default().file(&missing.join("x.csv")).unwrap_err();
    assert_eq!(error.to_string(), format!("write {}", missing.join("x.csv").display()));
    assert_eq!(error.source().unwrap().to_string(), format!("there is no folder {}", missing.display()));
}

#[test]
fn a_folder_is_not_replaced_and_a_file_is_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let transaction = Transaction::default();
    let error = transaction.file(folder.path()).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "is a directory");
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = transaction.folder(&file).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "not a directory");
}

#[test]
fn one_place_takes_one_result() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("same.csv");
    let transaction = Transaction::default();
    let file = transaction.file(&path).unwrap();
    let again = transaction.file(&folder.path().join("./same.csv")).unwrap_err();
    assert!(matches!(again, ReportError::SameResult { .. }), "{again}");
    drop(file);
    transaction.file(&path).unwrap();
}

#[test]
fn signals_find_everything_that_is_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let transaction = Transaction::default();
    finish(&transaction, &at("finished.csv"), b"new");
    let mut half = transaction.file(&at("half.csv")).unwrap();
    half.write_all(b"half").unwrap();
    half.flush().unwrap();
    let split = transaction.folder(&at("split")).unwrap();
    fs::write(split.path().join("1.pcap"), b"").unwrap();
    transaction.lock(&at("known.json"), || ()).unwrap();
    assert_eq!(names(folder.path()).len(), 4);
    let mut left = None;
    transaction.abandon(|| left = Some(names(folder.path())));
    assert_eq!(left.unwrap(), Vec::<String>::new());
}

#[test]
fn what_killed_runs_left_goes_and_what_live_ones_write_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let live = Transaction::default();
    let mut of_live = live.file(&at("x.csv")).unwrap();
    of_live.write_all(b"live").unwrap();
    let others = [
        ".x.csv.thingprint-abcdef.partial",
        ".x.csv.thingprint-abcde.part",
        ".x.csv.thingprint-abc.ef.part",
        ".x.csv.backup.part",
        ".y.csv.thingprint-abcdef.part",
        "x.csv.thingprint-abcdef.part",
    ];
    for name in others.into_iter().chain([".x.csv.thingprint-abcdef.part", ".x.csv.thingprint-abcdef.old"]) {
        fs::write(at(name), "").unwrap();
    }
    fs::create_dir(at(".x.csv.thingprint-ABC123.part")).unwrap();
    fs::write(at(".x.csv.thingprint-ABC123.part/1.pcap"), "").unwrap();
    let next = Transaction::default();
    finish(&next, &at("x.csv"), b"next");
    next.commit().unwrap();
    of_live.finish().unwrap();
    live.commit().unwrap();
    let mut left: Vec<&str> = others.into_iter().chain(["x.csv"]).collect();
    left.sort_unstable();
    assert_eq!(names(folder.path()), left);
    assert_eq!(fs::read(at("x.csv")).unwrap(), b"live");
}

#[test]
fn a_long_name_has_room_for_a_temporary_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ä".repeat(127));
    let transaction = Transaction::default();
    finish(&transaction, &path, b"new");
    transaction.commit().unwrap();
    assert_eq!(fs::read(path).unwrap(), b"new");
}

#[test]
fn a_lock_is_waited_for_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known.json");
    let first = Transaction::default();
    first.lock(&path, || panic!("nobody has it")).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let second = std::thread::spawn({
        let path = path.clone();
        move || Transaction::default().lock(&path, || tell.send(()).unwrap()).map(drop)
    });
    told.recv().unwrap();
    first.commit().unwrap();
    second.join().unwrap().unwrap();
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_replaced_file_keeps_its_permissions_and_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real", &link).unwrap();
        let transaction = Transaction::default();
        finish(&transaction, &link, b"new");
        transaction.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn what_a_dangling_link_leads_to_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("inner")).unwrap();
        symlink("inner/second", at("first")).unwrap();
        symlink("real", at("inner/second")).unwrap();
        let transaction = Transaction::default();
        finish(&transaction, &at("first"), b"new");
        transaction.commit().unwrap();
        assert!(fs::symlink_metadata(at("first")).unwrap().is_symlink());
        assert_eq!(fs::read(at("inner/real")).unwrap(), b"new");
        symlink("loop", at("loop")).unwrap();
        let error = transaction.file(&at("loop")).unwrap_err();
        assert!(error.source().unwrap().to_string().contains("levels of symbolic links"), "{error:?}");
        symlink("nowhere/real", at("lost")).unwrap();
        let error = transaction.file(&at("lost")).unwrap_err();
        assert!(error.source().unwrap().to_string().contains("there is no folder"), "{error:?}");
    }

    #[test]
    fn no_result_replaces_what_is_read_by_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("home.pcap"), b"capture").unwrap();
        fs::hard_link(at("home.pcap"), at("hard.pcap")).unwrap();
        symlink("home.pcap", at("soft.pcap")).unwrap();
        let transaction = Transaction::default();
        transaction.reads(FileId::of_open(&File::open(at("home.pcap")).unwrap()).unwrap());
        for name in ["home.pcap", "hard.pcap", "soft.pcap"] {
            let error = transaction.file(&at(name)).unwrap_err();
            assert!(matches!(error, ReportError::ReplacesInput { .. }), "{error}");
        }
        transaction.file(&at("other.pcap")).unwrap();
    }

    #[test]
    fn a_new_file_and_a_new_folder_are_as_readable_as_any_others() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let transaction = Transaction::default();
        finish(&transaction, &at("file"), b"");
        transaction.folder(&at("folder")).unwrap().finish();
        transaction.commit().unwrap();
        File::create(at("plain file")).unwrap();
        fs::create_dir(at("plain folder")).unwrap();
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(at("file")), mode(at("plain file")));
        assert_eq!(mode(at("folder")), mode(at("plain folder")));
    }

    #[test]
    fn a_device_is_written_to_and_stays_a_device() {
        let null = Path::new("/dev/null");
        let transaction = Transaction::default();
        finish(&transaction, null, b"gone");
        transaction.commit().unwrap();
        assert!(!fs::metadata(null).unwrap().is_file());
    }
}
