//! Parts of what is watched, on their way to a collector.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};
use thingprint_flow::{Frame, Timestamp};
use thingprint_taps::{
    Name, Parcel, Position, Publisher, PublisherHealth, RunId, Spool, Tap, TapOptions, TransportSpec,
};
use thingprint_watch::{EventKind, Severity, SinkHealth, WatchOptions, Watcher};

use super::clock;
use super::station::failed;
use crate::args::{TransportArgs, transport_of};
use crate::gateways::GatewayChoice;
use crate::messages::counted;
use crate::small_file::{MOST_WRITTEN_BYTES, read_text};

/// Time for parts to be sent at the end; what is left then waits in the spool for the next reading.
const SEND: Duration = Duration::from_secs(5);
/// Parcels that wait in memory while the spool cannot be written; of more, the parts of the oldest are dropped.
const MOST_IN_MEMORY: usize = 8;

/// Sending parts of final windows to a collector.
#[derive(Debug, Args)]
#[command(next_help_heading = "Taps")]
pub(super) struct PublishArgs {
    /// Send the parts of final windows there, for collect: nats://HOST:PORT, tls://HOST:PORT, or folder:PATH
    #[arg(long, value_name = "WHERE")]
    publish: Option<String>,

    /// The network that is watched: all its taps and their collector name it
    #[arg(long, value_name = "NAME", default_value = "default", requires = "publish")]
    network: Name,

    /// The name of this tap, which no other of the network has [default: that of the machine]
    #[arg(long, value_name = "NAME", requires = "publish")]
    tap: Option<Name>,

    /// The folder in which parts wait until they are sent [default: the store with .spool behind its name]
    #[arg(long, value_name = "FOLDER", requires = "publish")]
    spool: Option<PathBuf>,

    /// Bytes that may wait, such as 500M or 10G; of more, the oldest parts are dropped
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "1G", requires = "publish")]
    spool_limit: u64,

    #[command(flatten)]
    pub(super) transport: TransportArgs,
}

/// What cuts parts, and what sends them.
pub(super) struct Publishing {
    tap: Tap,
    publisher: Publisher,
    name: String,
    /// Parcels that could not be written yet.
    unwritten: VecDeque<Parcel>,
    /// Parts that were dropped before they could be written.
    dropped: u64,
    problem: Option<String>,
    has_said_problem: bool,
    /// Dropped parts that were told.
    told: u64,
}

impl PublishArgs {
    /// Where parts are sent; `None` where they are not.
    pub(super) fn spec(&self) -> anyhow::Result<Option<TransportSpec>> {
        let Some(text) = &self.publish else { return Ok(None) };
        let spec = transport_of("--publish", text)?;
        // What is wrong with files and names shows here.
        spec.outbound(&self.transport.options()).map_err(failed)?;
        Ok(Some(spec))
    }

    /// Opens the spool, and goes on behind what is in it.
    pub(super) fn open(
        &self,
        store: &Path,
        options: &WatchOptions,
        gateways: GatewayChoice,
    ) -> anyhow::Result<Option<Publishing>> {
        let Some(spec) = self.spec()? else { return Ok(None) };
        let outbound = spec.outbound(&self.transport.options()).map_err(failed)?;
        let tap = self.tap.clone().unwrap_or_else(|| Name::near(&machine_name()));
        let spool = Spool::open(&self.folder(store), self.spool_limit).map_err(failed)?;
        let begin = || Position::begin(RunId { begun: clock::now(), salt: u64::from(std::process::id()) });
        let position = spool.position().cloned().unwrap_or_else(begin);
        let tap_options = TapOptions {
            network: self.network.clone(),
            tap: tap.clone(),
            instance: options.instance.clone(),
            engine: options.pipeline.engine.clone(),
            gateways: gateways.given,
            can_replay: options.can_replay,
        };
        let publisher = Publisher::start(spool, outbound, (self.network.clone(), tap)).map_err(failed)?;
        Ok(Some(Publishing {
            tap: Tap::new(tap_options, position),
            publisher,
            name: spec.to_string(),
            unwritten: VecDeque::new(),
            dropped: 0,
            problem: None,
            has_said_problem: false,
            told: 0,
        }))
    }

    fn folder(&self, store: &Path) -> PathBuf {
        let beside = || {
            let mut name = store.as_os_str().to_owned();
            name.push(".spool");
            PathBuf::from(name)
        };
        self.spool.clone().unwrap_or_else(beside)
    }
}

impl Publishing {
    /// Takes a frame as the watcher took it. When this returns, a part that ended is on the disk: what the store says is final
    /// is never ahead of it.
    pub(super) fn frame(&mut self, frame: Frame<'_>) {
        if let Some(parcel) = self.tap.frame(frame) {
            self.keep(parcel);
        }
    }

    /// Moves the clock without a frame.
    pub(super) fn tick(&mut self, now: Timestamp) {
        if let Some(parcel) = self.tap.tick(now) {
            self.keep(parcel);
        }
    }

    fn keep(&mut self, parcel: Parcel) {
        self.unwritten.push_back(parcel);
        self.write();
        if self.unwritten.len() > MOST_IN_MEMORY
            && let Some(oldest) = self.unwritten.iter_mut().find(|parcel| !parcel.part.is_empty())
        {
            *oldest = oldest.dropped();
            self.dropped += 1;
        }
    }

    /// Writes what waits for the spool.
    fn write(&mut self) {
        while let Some(parcel) = self.unwritten.front() {
            match self.publisher.put(parcel) {
                Ok(_) => {
                    self.unwritten.pop_front();
                    self.problem = None;
                }
                Err(error) => {
                    self.problem = Some(format!("failed to {error}"));
                    return;
                }
            }
        }
    }

    /// Looks at how it goes, and reports what was dropped and what does not work.
    pub(super) fn look(&mut self, watcher: &mut Watcher<'_>) -> SinkHealth {
        self.write();
        let health = self.publisher.health();
        let dropped = health.dropped + self.dropped;
        if dropped > self.told {
            self.told = dropped;
            let text = format!("{dropped} parts for {} were dropped, since the spool is full", self.name);
            self.note(
                watcher,
                (EventKind::PartsMissing, Severity::Error),
                text,
                &json!({ "dropped": dropped }),
            );
        }
        let problem = self.problem.clone().or(health.problem);
        if let Some(problem) = problem.clone().filter(|_| !self.has_said_problem) {
            let text = format!("parts for {} wait in the spool: {problem}", self.name);
            self.note(
                watcher,
                (EventKind::PartsWaiting, Severity::Warning),
                text,
                &json!({ "message": problem }),
            );
        }
        self.has_said_problem = problem.is_some();
        let waiting = health.waiting + self.unwritten.len() as u64;
        if problem.is_none() && waiting == 0 {
            watcher.end_event((clock::now(), EventKind::PartsWaiting), &self.name);
        }
        SinkHealth {
            name: self.name.clone(),
            delivered: health.sent,
            waiting,
            dropped,
            problem,
            last_delivery: None,
        }
    }

    fn note(
        &self,
        watcher: &mut Watcher<'_>,
        (kind, severity): (EventKind, Severity),
        text: String,
        evidence: &Value,
    ) {
        let evidence: Map<String, Value> = evidence.as_object().cloned().unwrap_or_default();
        watcher.note((clock::now(), kind, severity), &self.name, text, evidence);
    }

    /// Cuts the last part, and sends what waits as far as it can be in a moment; what was sent, what is wrong with it, and
    /// whether parts are missing.
    pub(super) fn finish(self, is_ended: bool) -> (Option<String>, Vec<String>, bool) {
        let Self { tap, publisher, name, mut unwritten, mut dropped, .. } = self;
        unwritten.extend(tap.finish(is_ended));
        let mut said = Vec::new();
        for parcel in unwritten {
            if let Err(error) = publisher.put(&parcel) {
                dropped += 1;
                said.push(format!("failed to {error}"));
            }
        }
        let PublisherHealth { sent, waiting, problem, dropped: of_spool, .. } = publisher.stop(SEND);
        if waiting > 0 {
            let why = problem.map(|why| format!(": {why}")).unwrap_or_default();
            said.push(format!("{waiting} parts for {name} wait in the spool for the next reading{why}"));
        }
        dropped += of_spool;
        if dropped > 0 {
            said.push(format!("{dropped} parts for {name} were dropped, since the spool was full"));
        }
        let sent = format!("{} sent to {name}", counted(sent, "part", "parts"));
        (Some(sent), said, dropped > 0)
    }
}

/// What this machine is called.
fn machine_name() -> String {
    let kernel = read_text(Path::new("/proc/sys/kernel/hostname"), MOST_WRITTEN_BYTES);
    kernel.ok().or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default().trim().to_owned()
}

/// Reads a size such as `500M` or `10G`.
fn parse_size(text: &str) -> Result<u64, String> {
    let expected = || format!("expected bytes, or a number with K, M, G or T, such as 10G, and not '{text}'");
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, unit)) if !unit.is_ascii_digit() => (text.get(..at).unwrap_or_default(), Some(unit)),
        _ => (text, None),
    };
    let factor: u64 = match unit {
        None => 1,
        Some('K') => 1 << 10,
        Some('M') => 1 << 20,
        Some('G') => 1 << 30,
        Some('T') => 1 << 40,
        Some(_) => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    number.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        for (text, bytes) in
            [("100", 100), ("1K", 1024), ("500M", 500 << 20), ("10G", 10 << 30), ("1T", 1 << 40)]
        {
            assert_eq!(parse_size(text), Ok(bytes));
        }
        for text in ["", "G", "0", "-1G", "1.5G", "1g", "99999999999T", "1GB", "1é"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
