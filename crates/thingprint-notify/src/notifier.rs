use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use thingprint_watch::{DeviceRecord, Event, SinkHealth};

use crate::delivery::Letter;
use crate::error::NotifyError;
use crate::options::NotifyOptions;
use crate::outlet::Outlet;
use crate::roster::Roster;
use crate::spec::SinkSpec;

/// Sends events to sinks. Each has a thread and a queue; nothing here waits for a receiver but
/// [`flush`](Self::flush) and [`stop`](Self::stop).
pub struct Notifier {
    outlets: Vec<Outlet>,
    shows_devices: bool,
    /// Number of the newest event that was sent.
    newest: Mutex<u64>,
    /// Tells the events of this run from those of others.
    run: String,
}

impl Notifier {
    /// Opens the sinks and starts their threads. Files are opened here, so that a wrong path fails at once; receivers
    /// elsewhere are connected by the threads, and may come later.
    pub fn start(specs: &[SinkSpec], mut options: NotifyOptions) -> Result<Self, NotifyError> {
        let mut names = BTreeSet::new();
        let mut outlets = Vec::with_capacity(specs.len());
        let mut shows_devices = false;
        for spec in specs {
            let name = spec.to_string();
            // Two webhooks of one host have the same name: their paths are not shown.
            if !names.insert(name.clone()) && !name.starts_with("http") {
                return Err(NotifyError::bad_sink(name, "it is given twice; give it once"));
            }
            let sink = spec.open(&mut options)?;
            shows_devices |= sink.shows_devices();
            outlets.push(Outlet::start(&name, sink, options.schedule)?);
        }
        let run = format!("{:016x}", RandomState::new().hash_one("run"));
        Ok(Self { outlets, shows_devices, newest: Mutex::new(0), run })
    }

    /// Goes on after the event of this number: it and those before were sent by an earlier run, and are not sent again when
    /// they are counted once more.
    #[must_use]
    pub fn going_on_after(self, newest: u64) -> Self {
        Self { newest: Mutex::new(newest), ..self }
    }

    /// Sends events, each once: one whose number was sent before is an update of it, which sinks do not get.
    ///
    /// Never waits. The caller leaves out what its [`Selection`](crate::Selection) does not want.
    pub fn send(&self, events: &[Event]) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut letters = Vec::new();
        for event in events {
            if event.id > *newest {
                *newest = event.id;
                letters.push(Arc::new(Letter::new(event, &self.run)));
            }
        }
        if !letters.is_empty() {
            self.outlets.iter().for_each(|outlet| outlet.inbox().put(&letters));
        }
    }

    /// Whether a sink shows devices, so that [`show`](Self::show) is worth its list.
    pub const fn shows_devices(&self) -> bool {
        self.shows_devices
    }

    /// Shows all devices as they are now, where a sink does (MQTT). Devices that are not in the list are taken away there,
    /// also those of an earlier run.
    ///
    /// Never waits; of several lists the last counts. Once a minute is enough, and seconds after an event.
    pub fn show(&self, devices: &[DeviceRecord]) {
        if self.shows_devices {
            let roster = Arc::new(Roster::new(devices));
            self.outlets.iter().for_each(|outlet| outlet.inbox().show(&roster));
        }
    }

    /// Opens files again, as after they were rotated (SIGHUP).
    pub fn reopen(&self) {
        self.outlets.iter().for_each(|outlet| outlet.inbox().reopen());
    }

    /// How each sink goes, in the order in which they were given.
    pub fn health(&self) -> Vec<SinkHealth> {
        self.outlets.iter().map(|outlet| outlet.inbox().health()).collect()
    }

    /// Waits until everything is delivered; whether it came to that within the time.
    pub fn flush(&self, timeout: Duration) -> bool {
        let by = Instant::now() + timeout;
        self.outlets.iter().all(|outlet| outlet.inbox().wait_empty(by))
    }

    /// Delivers what waits, as far as it can be delivered within the time, and ends. A sink that is in the middle of
    /// something is left to itself then. What still waits was not delivered, and is counted as `waiting`.
    pub fn stop(self, timeout: Duration) -> Vec<SinkHealth> {
        let by = Instant::now() + timeout;
        self.outlets.iter().for_each(|outlet| outlet.inbox().stop(by));
        self.outlets.into_iter().map(|outlet| outlet.join(by)).collect()
    }
}
