use std::io::Read;
use std::process::{Child, ChildStderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::counters::Counters;
use super::lines::Lines;
use super::link_state::LinkState;
use crate::health::SourceState;
use crate::outlet::Outlet;
use crate::readiness::Readiness;
use crate::watched_stream::TICK;

/// How often tcpdump is asked what it counted: a loss shows on the page while it still matters.
const COUNT_EVERY: Duration = Duration::from_secs(2);
/// How often the interface is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Bytes of what it says that are read at a time.
const CHUNK: usize = 4096;

/// Listens to a running tcpdump, asks it for its counts, and looks at its interface.
pub(super) struct Minder {
    pub(super) interface: String,
    pub(super) outlet: Outlet,
    pub(super) child: Arc<Mutex<Child>>,
    pub(super) is_over: Arc<AtomicBool>,
    /// Packets that the kernel dropped for children before this one.
    pub(super) dropped_before: u64,
}

/// What was heard of a tcpdump.
#[derive(Debug, Default)]
pub(super) struct Minded {
    /// The last that it said.
    pub(super) lines: Lines,
    /// Packets that the kernel dropped.
    pub(super) dropped: u64,
}

impl Minder {
    /// Minds it to its end.
    pub(super) fn mind(self, mut stderr: ChildStderr) -> Minded {
        let mut minded = Minded::default();
        let (mut counted, mut looked) = (None::<Instant>, Instant::now());
        let mut link = LinkState::Up;
        while self.listen(&mut stderr, &mut minded, &mut counted) {
            if counted.is_some_and(|at| at.elapsed() >= COUNT_EVERY) {
                counted = Some(Instant::now());
                self.ask();
            }
            if looked.elapsed() >= LOOK_EVERY {
                looked = Instant::now();
                link = self.look(link);
            }
        }
        minded
    }

    /// Hears what it says until it says nothing for a moment; false when it says nothing any more.
    ///
    /// Counts are asked for only once it listens: before that, the signal would end it.
    fn listen(&self, stderr: &mut ChildStderr, minded: &mut Minded, counted: &mut Option<Instant>) -> bool {
        let is_over = self.is_over.load(Ordering::Relaxed);
        let wait = if is_over { Duration::ZERO } else { TICK };
        let mut bytes = [0; CHUNK];
        let read = match stderr.wait(wait) {
            // What holds its output open behind its end was started by it, and says nothing of the capture.
            Ok(false) => return !is_over,
            Ok(true) => stderr.read(&mut bytes).unwrap_or(0),
            Err(_) => 0,
        };
        let Minded { lines, dropped } = minded;
        let mut hear = |line: &str| {
            if let Some(counters) = Counters::of(line) {
                *dropped = counters.dropped;
                self.show(*dropped);
            }
            if line.contains("listening on ") && counted.is_none() {
                *counted = Some(Instant::now());
                self.show(0);
            }
        };
        lines.feed(bytes.get(..read).unwrap_or_default(), &mut hear);
        if read == 0 {
            lines.finish(&mut hear);
        }
        read > 0
    }

    fn show(&self, dropped: u64) {
        let dropped = self.dropped_before.saturating_add(dropped);
        self.outlet.update(|health| health.dropped = Some(dropped));
    }

    /// Asks for counts, by the signal that tcpdump has for that.
    ///
    /// The lock keeps a child that ended from being waited for meanwhile, so that its number is not another's.
    fn ask(&self) {
        #[cfg(unix)]
        if let Ok(mut child) = self.child.try_lock()
            && matches!(child.try_wait(), Ok(None))
        {
            use rustix::process::{Pid, Signal, kill_process};
            // One that cannot be asked goes on; its counts stay as they were.
            let _ = kill_process(Pid::from_child(&child), Signal::USR1);
        }
    }

    /// Looks at the interface, and says when it goes down or comes back: tcpdump waits without a word.
    fn look(&self, before: LinkState) -> LinkState {
        let now = LinkState::of(&self.interface);
        if now == before {
            return now;
        }
        let message = now.message(&self.interface);
        self.outlet.notice(
            message.clone().unwrap_or_else(|| format!("{}: the interface is up again", self.interface)),
        );
        let state = if now == LinkState::Down { SourceState::Failed } else { SourceState::Reading };
        self.outlet.set_state(state, message);
        now
    }
}
