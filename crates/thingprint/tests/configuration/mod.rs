//! `watch` with a configuration file: what it says, what is wrong with it, and what happens when it changes.

use std::fs;

use crate::stage::Stage;

#[test]
fn a_watch_does_what_its_file_says_and_what_is_typed_comes_first() {
    let stage = Stage::new();
    stage.ok("simulate --duration 30m -o home.pcap --labels labels.csv");
    let file = "words = [\"home.pcap\"]\nstore = \"a.db\"\nno-page = true\nnotify = [\"file:a.jsonl\"]\n\
                notify-kinds = [\"new-device\"]\n";
    fs::write(stage.path("watch.toml"), file).unwrap();
    let said = stage.ok("watch --config watch.toml --check");
    for text in ["configuration: watch.toml", "home.pcap", "a.db", "file:a.jsonl"] {
        assert!(said.stderr.contains(text), "{text}: {}", said.stderr);
    }
    assert!(!stage.path("a.jsonl").exists() && !stage.path("a.db").exists(), "--check makes nothing");
    stage.ok("watch --config watch.toml --store b.db --notify file:b.jsonl");
    let sent = fs::read_to_string(stage.path("b.jsonl")).unwrap();
    assert!(!sent.is_empty() && sent.lines().all(|line| line.contains("\"new-device\"")), "{sent}");
}

#[test]
fn a_wrong_file_is_a_usage_error_with_its_line() {
    let stage = Stage::new();
    let check = |file: &str, expected: &[&str]| {
        fs::write(stage.path("watch.toml"), file).unwrap();
        stage.fails("watch --config watch.toml", 2, expected);
    };
    check("interfaces = [\"eth0\"]", &["'watch.toml', line 1", "did you mean 'interface'?"]);
    check("no-page = true\nthreshold = 2", &["line 2", "invalid share '2'"]);
    check("no-page = true\nlisten = \"127.0.0.1:0\"\nwords = [\"x\"]", &["--no-page", "cannot be used with"]);
    stage.fails("watch --config none.toml", 1, &["none.toml"]);
}

#[test]
fn a_printed_configuration_is_read_and_changes_nothing() {
    let stage = Stage::new();
    let printed = stage.ok("watch --print-config").stdout;
    assert!(
        printed.contains("#interface = [\"NAME\"]") && printed.contains("#notify-severity = \"note\""),
        "{printed}"
    );
    fs::write(stage.path("watch.toml"), printed).unwrap();
    stage.fails("watch --config watch.toml", 2, &["nothing to watch"]);
}

/// Under a service manager that is a socket of the test.
#[cfg(target_os = "linux")]
mod service {
    use std::os::unix::net::UnixDatagram;
    use std::process::{Child, Stdio};
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process};

    use super::*;

    /// Far more than a busy machine takes.
    const PATIENCE: Duration = Duration::from_mins(2);

    struct Service {
        child: Child,
        manager: UnixDatagram,
    }

    impl Service {
        fn start(stage: &Stage) -> Self {
            let socket = stage.path("manager");
            let manager = UnixDatagram::bind(&socket).unwrap();
            manager.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut command = stage.command("watch --config watch.toml", Stdio::null());
            let error = fs::File::create(stage.path("stderr")).unwrap();
            let child =
                command.env("NOTIFY_SOCKET", socket).stdout(Stdio::null()).stderr(error).spawn().unwrap();
            Self { child, manager }
        }

        /// Waits for a message; what the service says of its state is passed over.
        fn wait(&self, expected: &str) {
            loop {
                let mut bytes = [0; 512];
                let length = self.manager.recv(&mut bytes).unwrap();
                let message = std::str::from_utf8(&bytes[..length]).unwrap();
                if !message.starts_with("STATUS=") && !message.starts_with("WATCHDOG=") {
                    assert_eq!(message, expected);
                    return;
                }
            }
        }

        fn signal(&self, signal: Signal) {
            kill_process(Pid::from_child(&self.child), signal).unwrap();
        }
    }

    impl Drop for Service {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    #[test]
    fn a_configuration_that_changed_is_taken_and_a_wrong_one_is_not() {
        let stage = Stage::new();
        fs::create_dir(stage.path("captures")).unwrap();
        let write = |more: &str| {
            let file = format!("words = [\"captures\"]\nno-page = true\nstore = \"a.db\"\n{more}\n");
            fs::write(stage.path("watch.toml"), file).unwrap();
        };
        write("notify = [\"file:a.jsonl\"]");
        let mut service = Service::start(&stage);
        service.wait("READY=1");
        assert!(!stage.path("b.jsonl").exists());

        write("notify = [\"file:b.jsonl\"]");
        service.signal(Signal::HUP);
        service.wait("RELOADING=1");
        service.wait("READY=1");
        assert!(stage.path("b.jsonl").exists());

        write("notfy = [\"file:c.jsonl\"]");
        service.signal(Signal::HUP);
        service.wait("RELOADING=1");
        service.wait("READY=1");
        // The state is told before the message is written.
        let told = || fs::read_to_string(stage.path("stderr")).unwrap();
        let begin = Instant::now();
        while !told().contains("goes on") && begin.elapsed().as_secs() < 30 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let said = told();
        assert!(said.contains("did you mean 'notify'?") && said.contains("goes on"), "{said}");

        // A rotated log alone changes nothing.
        write("notify = [\"file:b.jsonl\"]");
        service.signal(Signal::HUP);
        service.wait("RELOADING=1");
        service.wait("READY=1");
        let said = fs::read_to_string(stage.path("stderr")).unwrap();
        assert_eq!(said.matches("beginning again").count(), 1, "{said}");

        // A file that it names is another one.
        fs::write(stage.path("labels.csv"), "mac,label,kind\n").unwrap();
        write("labels = \"labels.csv\"");
        for (labels, times) in [("", 2), ("", 2), ("30:c4:6a:10:7e:b3,plug,iot\n", 3)] {
            if !labels.is_empty() {
                fs::write(stage.path("labels.csv"), format!("mac,label,kind\n{labels}")).unwrap();
            }
            service.signal(Signal::HUP);
            service.wait("RELOADING=1");
            service.wait("READY=1");
            let said = fs::read_to_string(stage.path("stderr")).unwrap();
            assert_eq!(said.matches("beginning again").count(), times, "{labels}: {said}");
        }

        let stopped = Instant::now();
        service.signal(Signal::TERM);
        service.wait("STOPPING=1");
        let status = service.child.wait().unwrap();
        assert!(status.success() && stopped.elapsed() < PATIENCE, "{status} after {:?}", stopped.elapsed());
    }
}
