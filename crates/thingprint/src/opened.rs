//! Files that are opened for reading, also pipes that nobody writes to yet.

use std::fs::{File, metadata};
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::terminal;

/// How long a named pipe may wait for whoever writes to it without a word.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens a file for reading. A named pipe waits for whoever writes to it, however long that takes; who waits is told why.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if !is_named_pipe(path) {
        return File::open(path);
    }
    let (opened, is_opened) = channel::<()>();
    thread::scope(|scope| {
        // Without a thread nothing is said.
        let _ = thread::Builder::new().spawn_scoped(scope, move || {
            if is_opened.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let name = path.display();
                let text = format!("{name} is a named pipe: waiting for somebody to write to it\n");
                let _ = terminal::messages().write_all(text.as_bytes());
            }
        });
        let file = File::open(path);
        drop(opened);
        file
    })
}

#[cfg(unix)]
fn is_named_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;

    metadata(path).is_ok_and(|there| there.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_named_pipe(path: &Path) -> bool {
    let _ = path;
    false
}
