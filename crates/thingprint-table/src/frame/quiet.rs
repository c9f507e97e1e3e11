use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How the threads of polars are called in the beginning, whose panics come back to the one that reads.
const POLARS_THREADS: &str = "polars-";

/// Readers that are at work now.
static READERS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a reader that may panic on damaged bytes; `None` where it does. Nothing is printed of that, while panics of anything
/// else are reported as before.
pub(super) fn unless_it_panics<T>(read: impl FnOnce() -> T) -> Option<T> {
    pass_other_panics_on();
    let _at_work = AtWork::begin();
    catch_unwind(AssertUnwindSafe(read)).ok()
}

/// Counts a reader as long as it lives.
struct AtWork {
    was_reading: bool,
}

impl AtWork {
    fn begin() -> Self {
        READERS.fetch_add(1, Ordering::SeqCst);
        Self { was_reading: IS_READING.replace(true) }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        IS_READING.set(self.was_reading);
        READERS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Puts a hook before the one that is there, once.
fn pass_other_panics_on() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !is_of_a_reader() {
                others(panic);
            }
        }));
    });
}

/// Whether the thread that panics reads for us.
fn is_of_a_reader() -> bool {
    let is_helper = || thread::current().name().is_some_and(|name| name.starts_with(POLARS_THREADS));
    IS_READING.get() || (READERS.load(Ordering::SeqCst) > 0 && is_helper())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_of_readers_and_of_their_helpers_alone_are_silent() {
        let seen = unless_it_panics(|| {
            let helper = thread::Builder::new().name("polars-3".to_owned()).spawn(is_of_a_reader).unwrap();
            let other = thread::spawn(is_of_a_reader);
            (is_of_a_reader(), helper.join().unwrap(), other.join().unwrap())
        });
        assert_eq!(seen, Some((true, true, false)));
        assert_eq!(unless_it_panics(|| panic!("a damaged file")), None::<()>);
        assert!(!is_of_a_reader());
    }
}
