//! Files that are opened for reading, also pipes that nobody writes to yet.

use std::cell::Cell;
use std::fs::{File, metadata};
use std::io;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::messages::Messages;

/// How long a named pipe may wait for whoever writes to it without a word.
const PATIENCE: Duration = Duration::from_secs(2);

thread_local! {
    /// How the command that runs on this thread says something.
    static MESSAGES: Cell<Messages> = const { Cell::new(Messages::new(false, false)) };
}

/// From now on, who waits on this thread is told in this way. Files are opened in many places that have nothing else to say.
pub(crate) fn say_through(messages: Messages) {
    MESSAGES.set(messages);
}

/// Opens a file for reading. A named pipe waits for whoever writes to it, however long that takes; who waits is told why.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if !is_named_pipe(path) {
        return File::open(path);
    }
    let messages = MESSAGES.get();
    let (opened, is_opened) = channel::<()>();
    thread::scope(|scope| {
        // Without a thread nothing is said.
        let _ = thread::Builder::new().spawn_scoped(scope, move || {
            if is_opened.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                messages
                    .note(format!("{} is a named pipe: waiting for somebody to write to it", path.display()));
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
