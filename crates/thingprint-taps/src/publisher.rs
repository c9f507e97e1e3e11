use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::TapsError;
use crate::name::Name;
use crate::parcel::Parcel;
use crate::spool::{Kept, Spool};
use crate::transports::{Outbound, Outgoing};

/// Time for one parcel to be sent and acknowledged.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// How soon sending is tried again after it failed; twice as long after each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at least so often.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Sends what is in a spool, in order, on a thread of its own; what was acknowledged leaves the spool.
#[derive(Debug)]
pub struct Publisher {
    inner: Arc<Inner>,
    thread: Option<JoinHandle<()>>,
}

/// How sending goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublisherHealth {
    /// Parcels that were sent.
    pub sent: u64,
    /// Parcels that wait.
    pub waiting: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// Parcels whose parts were dropped, since the spool was full.
    pub dropped: u64,
    /// Why the last attempt failed; `None` where it succeeded.
    pub problem: Option<String>,
}

#[derive(Debug)]
struct Inner {
    spool: Mutex<Spool>,
    news: Mutex<News>,
    changed: Condvar,
    network: Name,
    tap: Name,
}

#[derive(Debug, Default)]
struct News {
    /// Grows when something is put into the spool.
    put: u64,
    ends: bool,
    sent: u64,
    problem: Option<String>,
}

impl Publisher {
    /// Begins to send what is in a spool.
    pub fn start(
        spool: Spool,
        outbound: Box<dyn Outbound>,
        (network, tap): (Name, Name),
    ) -> Result<Self, TapsError> {
        let (spool, news) = (Mutex::new(spool), Mutex::new(News::default()));
        let inner = Arc::new(Inner { spool, news, changed: Condvar::new(), network, tap });
        let sending = Arc::clone(&inner);
        let thread = std::thread::Builder::new().name("publisher".to_owned());
        let thread = thread.spawn(move || sending.run(outbound)).map_err(TapsError::NoThread)?;
        Ok(Self { inner, thread: Some(thread) })
    }

    /// Keeps a parcel, which is on the disk when this returns, and is sent when it is its turn.
    pub fn put(&self, parcel: &Parcel) -> Result<Kept, TapsError> {
        let kept = self.inner.spool().put(parcel)?;
        self.inner.news().put += 1;
        self.inner.changed.notify_all();
        Ok(kept)
    }

    /// How sending goes.
    pub fn health(&self) -> PublisherHealth {
        let (waiting, waiting_bytes, dropped) = {
            let spool = self.inner.spool();
            let (waiting, bytes) = spool.waiting();
            (waiting, bytes, spool.dropped())
        };
        let news = self.inner.news();
        PublisherHealth { sent: news.sent, waiting, waiting_bytes, dropped, problem: news.problem.clone() }
    }

    /// Ends sending when the spool is empty, or when the time is over. What is left is sent by the next one.
    pub fn stop(mut self, limit: Duration) -> PublisherHealth {
        let end = Instant::now() + limit;
        while self.inner.spool().waiting().0 > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let news = self.inner.news();
            let pause = left.min(Duration::from_millis(50));
            drop(self.inner.changed.wait_timeout(news, pause).unwrap_or_else(PoisonError::into_inner));
        }
        self.inner.news().ends = true;
        self.inner.changed.notify_all();
        let health = self.health();
        if let Some(thread) = self.thread.take().filter(|_| health.waiting == 0) {
            // It has nothing to do any more; one that waits for a server ends with the process.
            let _ = thread.join();
        }
        health
    }
}

impl Inner {
    fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, mut outbound: Box<dyn Outbound>) {
        let mut pause = FIRST_PAUSE;
        while !self.news().ends {
            let put = self.news().put;
            match self.send_first(&mut *outbound) {
                Ok(true) => pause = FIRST_PAUSE,
                Ok(false) => self.wait(LONGEST_PAUSE, Some(put)),
                Err(error) => {
                    self.news().problem = Some(format!("failed to {error}"));
                    self.wait(pause, None);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Sends the first parcel; whether there was one.
    fn send_first(&self, outbound: &mut dyn Outbound) -> Result<bool, TapsError> {
        let first = self.spool().first()?;
        let Some((name, bytes)) = first else { return Ok(false) };
        let parcel = Outgoing { network: &self.network, tap: &self.tap, name: &name, bytes: &bytes };
        outbound.send(&parcel, SEND_LIMIT)?;
        self.spool().remove(&name)?;
        let mut news = self.news();
        (news.problem, news.sent) = (None, news.sent + 1);
        drop(news);
        self.changed.notify_all();
        Ok(true)
    }

    /// Waits for the end, for the time, or for another parcel than those that were there.
    fn wait(&self, time: Duration, put: Option<u64>) {
        let end = Instant::now() + time;
        let mut news = self.news();
        while !news.ends && put.is_none_or(|put| news.put == put) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            (news, _) = self.changed.wait_timeout(news, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
