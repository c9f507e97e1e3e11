use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};

use thingprint_notify::{Notifier, NotifyOptions, SinkSpec};
use thingprint_watch::Event;

use crate::{PATIENCE, event, events, fast, start};

fn lines(path: &Path) -> Vec<Event> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(path: &Path) -> Vec<u64> {
    lines(path).iter().map(|event| event.id).collect()
}

#[test]
fn a_file_gets_a_line_for_each_event_behind_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let spec = format!("file:{}", path.display());
    let mut hostile = event(1);
    hostile.text = "two\nlines\u{2028}\u{0}".to_owned();
    for event in [hostile.clone(), event(2)] {
        let notifier = start(&spec, fast());
        notifier.send(&[event]);
        assert_eq!(notifier.stop(PATIENCE)[0].delivered, 1);
    }
    assert_eq!(lines(&path), [hostile, event(2)]);
}

#[cfg(unix)]
#[test]
fn a_new_file_is_for_its_owner_and_a_check_makes_none() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let spec = format!("file:{}", path.display());
    SinkSpec::parse(&spec).unwrap().check(&mut NotifyOptions::default()).unwrap();
    assert!(!path.exists());
    let missing = SinkSpec::parse(&format!("file:{}/none/a", folder.path().display())).unwrap();
    assert!(missing.check(&mut NotifyOptions::default()).is_err());
    start(&spec, fast()).stop(PATIENCE);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn an_earlier_run_sent_what_happens_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let notifier = start(&format!("file:{}", path.display()), fast()).going_on_after(2);
    notifier.send(&events(1..=3));
    notifier.stop(PATIENCE);
    assert_eq!(ids(&path), [3]);
}

#[test]
fn a_rotated_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("events.jsonl"), folder.path().join("events.jsonl.1"));
    let notifier = start(&format!("file:{}", path.display()), fast());
    notifier.send(&events(1..=2));
    assert!(notifier.flush(PATIENCE));
    fs::rename(&path, &old).unwrap();
    notifier.send(&events(3..=3));
    assert!(notifier.flush(PATIENCE));
    assert_eq!((ids(&old), ids(&path)), (vec![1, 2], vec![3]));
    // As logrotate does with `create` and `copytruncate`.
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    notifier.send(&events(4..=4));
    assert!(notifier.flush(PATIENCE));
    assert_eq!(ids(&path), [4]);
    fs::write(&path, "").unwrap();
    notifier.reopen();
    notifier.send(&events(5..=5));
    assert!(notifier.flush(PATIENCE));
    assert_eq!(ids(&path), [5]);
}

#[test]
fn a_file_that_cannot_be_written_now_gets_its_events_later() {
    let folder = tempfile::tempdir().unwrap();
    let (there, away) = (folder.path().join("log"), folder.path().join("log.away"));
    fs::create_dir(&there).unwrap();
    let path = there.join("events.jsonl");
    let notifier = start(&format!("file:{}", path.display()), fast());
    fs::rename(&there, &away).unwrap();
    notifier.send(&events(1..=1));
    crate::wait_until("a failure", || notifier.health()[0].problem.is_some());
    fs::rename(&away, &there).unwrap();
    assert!(notifier.flush(PATIENCE));
    assert_eq!(ids(&path), [1]);
    assert_eq!(notifier.health()[0].problem, None);
}

#[test]
fn a_path_that_cannot_be_written_fails_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let check = |path: &Path, expected: &str| {
        let spec: SinkSpec = format!("file:{}", path.display()).parse().unwrap();
        let error = spec.check(&mut NotifyOptions::default()).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(&path.display().to_string()), "{error}");
    };
    check(folder.path(), "not a regular file");
    check(&folder.path().join("missing").join("x"), "create its folder");
}

#[test]
fn standard_output_gets_lines_whole() {
    struct Pipe(Sender<Vec<u8>>);
    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (sender, receiver) = channel();
    let options = NotifyOptions { standard_output: Some(Box::new(Pipe(sender))), ..fast() };
    let notifier = start("stdout", options);
    notifier.send(&[event(1)]);
    let line = receiver.recv_timeout(PATIENCE).unwrap();
    assert_eq!(line.last(), Some(&b'\n'));
    assert_eq!(serde_json::from_slice::<Event>(&line).unwrap(), event(1));
}

#[test]
fn a_sink_is_given_once() {
    let spec: SinkSpec = "stdout".parse().unwrap();
    let error = Notifier::start(&[spec.clone(), spec], fast()).err().unwrap();
    assert!(error.to_string().contains("given twice"), "{error}");
}
