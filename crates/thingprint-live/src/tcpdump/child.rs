use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use thingprint_flow::SourceClocks;

use super::lines::Lines;
use super::link_state::exists;
use super::message;
use super::minder::{Minded, Minder};
use crate::error::{LiveError, LiveErrorKind};
use crate::outlet::Outlet;
use crate::pump::Pump;
use crate::sources::InterfaceSpec;

/// Folders in which tcpdump is looked for behind those of `PATH`: that of a user often lacks those of the system.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/local/sbin"];
/// Options of tcpdump: no look-ups of names, each packet written at once (without that a quiet link shows nothing for
/// minutes), whole packets, a buffer of 64 MiB in the kernel (the usual 2 MiB overflow within milliseconds), to its output.
/// `--immediate-mode` would save up to a second, and loses packets: its ring has room for 256 of any length.
const OPTIONS: [&str; 8] = ["-n", "-U", "-s", "0", "-B", "65536", "-w", "-"];

/// The time that tcpdump has to end behind its output, before it is killed.
const ENDS_WITHIN: Duration = Duration::from_millis(50);

/// Whether tcpdump runs and the interface is there. Whether it may be captured shows when it is captured.
pub(crate) fn check(path: Option<&Path>, spec: &InterfaceSpec) -> Result<(), LiveError> {
    let path = path.map_or_else(found, Path::to_owned);
    let mut command = Command::new(&path);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().map_err(|error| message::not_started(spec.interface(), &path, &error))?;
    if exists(spec.interface()) { Ok(()) } else { Err(message::no_interface(spec, &path)) }
}

/// A running tcpdump.
pub(crate) struct Tcpdump<'a> {
    spec: &'a InterfaceSpec,
    path: PathBuf,
    outlet: &'a Outlet,
    child: Arc<Mutex<Child>>,
    /// The child has ended, and says nothing any more.
    is_over: Arc<AtomicBool>,
    stdout: ChildStdout,
    minder: JoinHandle<Minded>,
}

impl<'a> Tcpdump<'a> {
    /// Starts tcpdump on an interface.
    pub(crate) fn start(
        path: Option<&Path>,
        spec: &'a InterfaceSpec,
        dropped_before: u64,
        outlet: &'a Outlet,
    ) -> Result<Self, LiveError> {
        let path = path.map_or_else(found, Path::to_owned);
        let failed = |error| message::not_started(spec.interface(), &path, &error);
        let mut child = spawn(&path, spec).map_err(failed)?;
        let (stdout, stderr) = pipes(&mut child).ok_or_else(|| {
            let error = std::io::Error::other("it has no output");
            message::not_started(spec.interface(), &path, &error)
        })?;
        let (child, is_over) = (Arc::new(Mutex::new(child)), Arc::new(AtomicBool::new(false)));
        let minder = Minder {
            interface: spec.interface().to_owned(),
            outlet: outlet.clone(),
            child: Arc::clone(&child),
            is_over: Arc::clone(&is_over),
            dropped_before,
        };
        let spawned = thread::Builder::new().name("tcpdump".to_owned()).spawn(move || minder.mind(stderr));
        let minder = spawned.map_err(|error| {
            end(&child);
            message::not_started(spec.interface(), &path, &error)
        })?;
        Ok(Self { spec, path, outlet, child, is_over, stdout, minder })
    }

    /// Reads it to its end; gives the packets that the kernel dropped meanwhile, and why it ended.
    pub(crate) fn read(self, clocks: &mut SourceClocks) -> (u64, LiveError) {
        let Self { spec, path, outlet, child, is_over, stdout, minder } = self;
        let pump = Pump::new(outlet);
        let stream = Box::new(pump.watch(stdout));
        let result = pump.live(spec.interface(), stream, clocks);
        let status = end(&child);
        is_over.store(true, Ordering::Relaxed);
        let Minded { lines, dropped } = minder.join().unwrap_or_default();
        let error = match result {
            Err(error) if error.kind == LiveErrorKind::Stopped => error,
            // What is not a capture shows in the bytes alone; otherwise tcpdump knows better why they ended.
            Err(error) if error.kind == LiveErrorKind::BadCapture && began(&lines) => error,
            _ => message::ended(spec, &lines, status, &path),
        };
        (dropped, error)
    }
}

/// Whether tcpdump had begun to capture.
fn began(lines: &Lines) -> bool {
    lines.kept().any(|line| line.contains("listening on "))
}

fn spawn(path: &Path, spec: &InterfaceSpec) -> std::io::Result<Child> {
    let mut command = Command::new(path);
    command.args(OPTIONS).args(["-i", spec.interface()]);
    // Behind this, a filter is never taken for an option.
    command.args(spec.filter().map(|filter| ["--", filter]).into_iter().flatten());
    // Messages of the system in the language in which they are known.
    command.env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

fn pipes(child: &mut Child) -> Option<(ChildStdout, ChildStderr)> {
    Some((child.stdout.take()?, child.stderr.take()?))
}

/// Kills a child, if it has not ended, and waits for it; how it ended by itself.
fn end(child: &Mutex<Child>) -> Option<ExitStatus> {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    if let Ok(Some(status)) = child.try_wait() {
        return Some(status);
    }
    // It closes its output before it ends; the rest takes it no time.
    thread::sleep(ENDS_WITHIN);
    if let Ok(Some(status)) = child.try_wait() {
        return Some(status);
    }
    // Fails only where it ended meanwhile.
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// tcpdump, as it is found.
fn found() -> PathBuf {
    let folders = env::var_os("PATH").unwrap_or_default();
    let system = SYSTEM_FOLDERS.map(PathBuf::from);
    let paths = env::split_paths(&folders).chain(system).map(|folder| folder.join("tcpdump"));
    paths.into_iter().find(|path| path.is_file()).unwrap_or_else(|| PathBuf::from("tcpdump"))
}
