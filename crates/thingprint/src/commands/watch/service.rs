use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Map, Value, json};
use thingprint_flow::Timestamp;
use thingprint_live::{Batch, Intake, Next, SourceHealth as Source, SourceSpec, SourceState as State};
use thingprint_model::Model;
use thingprint_store::{StoreError, Writer, WriterStats};
use thingprint_watch::{
    Account, EventKind, Health, Remembered, Request, RequestError, Severity, StoreHealth, Update, Watcher,
};
use thingprint_web::Backend;

use super::backend::{Job, PageBackend};
use super::events::Outbox;
use super::model::Judging;
use super::pace::Pace;
use super::printer::Printer;
use super::publish::Publishing;
use super::signals::Signals;
use super::sources::{SourceWatch, is_bad, source_health};
use super::station::failed;
use super::{clock, kept};
use crate::configuration::{Running, Successor};
use crate::exit::Outcome;
use crate::left_out::report_left_out;
use crate::messages::counted;
use crate::service_manager::ServiceManager;

/// How long the reading waits for packets before it looks at the time and at requests.
const WAIT: Duration = Duration::from_millis(250);
/// The reading takes stock at least this often while packets come.
const STEP: Duration = Duration::from_millis(250);
/// And after so much time of the packets, in nanoseconds, where they come faster than they did.
const STEP_NS: i64 = 10_000_000_000;
/// How often the state of sources, store and sinks is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often devices are shown to sinks that show them.
const SHOW: Duration = Duration::from_mins(1);
/// And how soon after an event, such as a new device or another class: all devices are read for it, which takes a moment.
const SHOW_NEWS: Duration = Duration::from_secs(10);
/// Time for the store to take what is open at the end.
const CLOSE: Duration = Duration::from_secs(3);
/// Time for sinks to take what waits at the end.
const DELIVER: Duration = Duration::from_secs(1);

/// The thread of the reading: packets in, accounts out, and requests in between.
pub(super) struct Service {
    writer: Writer,
    outbox: Outbox,
    backend: Arc<PageBackend>,
    judging: Judging,
    names: Vec<String>,
    printer: Printer,
    /// What sends parts to a collector; `None` where nothing does.
    publishing: Option<Publishing>,
    started: Timestamp,
    pace: Pace,
    last_arrival: Option<Timestamp>,
    /// When stock was taken last, and the clock of the packets then.
    stepped: (Instant, Option<Timestamp>),
    looked: Instant,
    shown: Option<Instant>,
    /// Whether there was an event since devices were shown.
    has_news: bool,
    sources: SourceWatch,
    store_problem: Option<String>,
    /// What the store has to say beside, such as that it does not prune.
    store_warning: Option<String>,
    /// Whether it was said that the store lost updates.
    has_said_loss: bool,
    /// Why nothing can be stored any more, which ends the reading.
    dead: Option<StoreError>,
    manager: ServiceManager,
    running: Running,
    /// What runs after the end; `None` where nothing does.
    successor: Option<Successor>,
}

impl Service {
    pub(super) fn new(
        writer: Writer,
        outbox: Outbox,
        backend: Arc<PageBackend>,
        (judging, specs, printer): (Judging, &[SourceSpec], Printer),
    ) -> Self {
        let now = Instant::now();
        Self {
            writer,
            outbox,
            backend,
            judging,
            names: specs.iter().map(SourceSpec::name).collect(),
            printer,
            publishing: None,
            started: clock::now(),
            pace: Pace::of(specs),
            last_arrival: None,
            stepped: (now, None),
            looked: now,
            shown: None,
            has_news: false,
            sources: SourceWatch::default(),
            store_problem: None,
            store_warning: None,
            has_said_loss: false,
            dead: None,
            manager: ServiceManager::from_environment(),
            running: Running::from_environment(),
            successor: None,
        }
    }

    /// Reads until all sources ended, a signal comes, or the time is over.
    pub(super) fn run(
        mut self,
        (mut watcher, mut intake): (Watcher<'_>, Intake),
        (signals, jobs, ends): (&Signals, &Receiver<Job>, Option<Instant>),
    ) -> anyhow::Result<Outcome> {
        self.manager.ready();
        let mut is_ended = false;
        loop {
            match intake.next(WAIT) {
                Next::Frames(batch) => self.take(&mut watcher, &batch),
                Next::Idle => self.idle(&mut watcher, &intake),
                Next::Ended => {
                    is_ended = true;
                    break;
                }
            }
            let now = Instant::now();
            if self.dead.is_some() || signals.ends() || ends.is_some_and(|ends| now >= ends) {
                break;
            }
            if signals.take_reload() && self.reload() {
                break;
            }
            for job in jobs.try_iter() {
                self.carry_out(job, &mut watcher);
            }
            if self.is_due(watcher.clock(), now) {
                self.step(&mut watcher, &intake);
            }
            if now.duration_since(self.looked) >= LOOK {
                self.looked = now;
                self.look(&mut watcher, &intake);
            }
        }
        let successor = self.successor.take();
        if successor.is_none() {
            self.manager.stopping();
        }
        let outcome = self.end(watcher, intake, is_ended)?;
        match successor {
            Some(successor) => {
                Err(successor.take_over()).context("failed to begin again with the configuration")
            }
            None => Ok(outcome),
        }
    }

    /// Begins again on SIGHUP where one of these files is another one.
    pub(super) fn look_at(&mut self, files: Vec<PathBuf>) {
        self.running.look_at(files);
    }

    /// Sends parts of what is watched to a collector.
    pub(super) fn publish(&mut self, publishing: Option<Publishing>) {
        self.publishing = publishing;
    }

    /// Opens files again, and reads the configuration again. Whether it is another one, with which the program begins again;
    /// one that is wrong is reported, and the present one stays.
    fn reload(&mut self) -> bool {
        self.manager.reloading();
        self.outbox.ask(thingprint_notify::Notifier::reopen);
        match self.running.reread() {
            Ok(Some(successor)) => {
                self.printer.note("the configuration or one of its files changed: beginning again");
                self.successor = Some(successor);
                return true;
            }
            Ok(None) => {}
            Err(error) => {
                self.printer
                    .warn(format_args!("{error:#}; the watch goes on with the configuration that it has"));
            }
        }
        self.manager.ready();
        false
    }

    fn take(&mut self, watcher: &mut Watcher<'_>, batch: &Batch) {
        watcher.note_time(clock::now());
        for frame in batch.frames() {
            if let Some(frame) = watcher.frame(batch.source(), frame)
                && let Some(publishing) = &mut self.publishing
            {
                publishing.frame(frame);
            }
        }
        self.sources.note_taken(batch.source(), batch.len());
        self.pace.note(watcher.clock(), Instant::now());
        self.last_arrival = Some(clock::now());
    }

    /// No packets came for a moment: time passes without them, or what is known of them leaves.
    fn idle(&mut self, watcher: &mut Watcher<'_>, intake: &Intake) {
        let (now, is_reading) = (Instant::now(), is_any_reading(intake));
        if self.pace.settles(now, is_reading) {
            watcher.settle();
        }
        if let Some(now) = self.pace.clock(now).filter(|_| is_reading) {
            watcher.tick(now);
            if let Some(publishing) = &mut self.publishing {
                publishing.tick(now);
            }
        }
    }

    /// Whether it is time to take stock: by the machine's clock, or by that of packets that are played faster.
    fn is_due(&self, clock: Option<Timestamp>, now: Instant) -> bool {
        let (at, before) = self.stepped;
        let is_ahead = clock.zip(before).is_none_or(|(clock, before)| clock.nanos_since(before) >= STEP_NS);
        now.duration_since(at) >= STEP || is_ahead
    }

    /// Takes stock, and gives out what is known.
    fn step(&mut self, watcher: &mut Watcher<'_>, intake: &Intake) {
        self.stepped = (Instant::now(), watcher.clock());
        let account = watcher.step();
        let memory = watcher.take_memory();
        self.give_out(account, memory, intake);
    }

    fn give_out(&mut self, account: Account, memory: Option<Remembered>, intake: &Intake) {
        if account.updates.is_empty() && memory.is_none() {
            return;
        }
        self.has_news |= account.updates.iter().any(|update| matches!(update, Update::Event(_)));
        let shown = account.updates.iter().map(without_instance).collect();
        // What was read of folders is kept with the windows that it gave.
        let progress = memory.is_some().then(|| intake.progress());
        match self.writer.write_with(account, kept::state(memory, progress)) {
            Ok(number) => self.outbox.put(number, shown),
            // Its thread is gone: nothing that is seen from now on would be kept.
            Err(error) => self.dead = Some(error),
        }
    }

    /// Shows devices to the sinks that show them, if it is time.
    fn show_devices(&mut self) {
        let pause = if self.has_news { SHOW_NEWS } else { SHOW };
        let is_due = self.shown.is_none_or(|shown| shown.elapsed() >= pause);
        if !is_due || self.outbox.ask(thingprint_notify::Notifier::shows_devices) != Some(true) {
            return;
        }
        (self.shown, self.has_news) = (Some(Instant::now()), false);
        if let Ok(devices) = self.backend.records().and_then(|records| records.devices()) {
            self.outbox.ask(|notifier| notifier.show(&devices));
        }
    }

    /// Looks at sources, store and sinks.
    fn look(&mut self, watcher: &mut Watcher<'_>, intake: &Intake) {
        let sources = intake.health();
        self.sources.look(watcher, &sources);
        for notice in intake.board().take_notices() {
            let name = self.names.get(notice.source).map_or("source", String::as_str);
            let says_where = notice.text.contains(name);
            self.printer.note(if says_where { notice.text } else { format!("{name}: {}", notice.text) });
        }
        self.look_at_store(watcher);
        self.show_devices();
        let published = self.publishing.as_mut().map(|publishing| publishing.look(watcher));
        let mut health = self.health(watcher, sources);
        health.sinks.extend(published);
        watcher.note_left_out(&health.losses);
        self.manager.status(&format!("{} devices, {} packets", health.devices, health.capture.packets));
        self.manager.alive();
        self.backend.set_health(health);
    }

    fn look_at_store(&mut self, watcher: &mut Watcher<'_>) {
        let problem = self.writer.problem();
        if let Some(problem) = problem.as_ref().filter(|_| self.store_problem.is_none()) {
            self.printer.warn(problem);
            let text = format!("the store cannot be written: {problem}");
            watcher.note((clock::now(), EventKind::StoreFailed, Severity::Error), "store", text, Map::new());
        }
        // One of an earlier reading may be open still.
        if problem.is_none() {
            watcher.end_event((clock::now(), EventKind::StoreFailed), "store");
        }
        self.store_problem = problem;
        let warning = self.writer.warning();
        if let Some(warning) = warning.as_ref().filter(|_| warning != self.store_warning) {
            self.printer.warn(warning);
        }
        self.store_warning = warning;
        let store = store_health(&self.writer.stats());
        if store.dropped() > 0 && !std::mem::replace(&mut self.has_said_loss, true) {
            let text = "the store loses updates: more wait than may while it cannot be written";
            self.printer.warn(text);
            let evidence = object(json!({
                "windows_dropped": store.windows_dropped,
                "updates_dropped": store.updates_dropped,
            }));
            let kind = (clock::now(), EventKind::UpdatesLost, Severity::Error);
            watcher.note(kind, "store", text.to_owned(), evidence);
        }
    }

    fn health(&self, watcher: &Watcher<'_>, sources: Vec<Source>) -> Health {
        let mut health = watcher.health();
        health.started_at = Some(self.started);
        health.last_arrival = self.last_arrival;
        health.capture.dropped = sources.iter().filter_map(|source| source.dropped).sum();
        health.sources = sources.into_iter().map(source_health).collect();
        health.memory_bytes = resident_bytes();
        let stats = self.writer.stats();
        health.store_waiting = stats.waiting;
        health.store = store_health(&stats);
        health.store_problem.clone_from(&self.store_problem);
        health.model.clone_from(&self.judging.name);
        health.sinks = self.outbox.ask(thingprint_notify::Notifier::health).unwrap_or_default();
        health
    }

    fn carry_out(&mut self, job: Job, watcher: &mut Watcher<'_>) {
        match job {
            Job::Request(request, answer) => {
                let done = self.request(&request, watcher);
                // Who asked may be gone.
                let _ = answer.try_send(done);
            }
            Job::Switch(model, answer) => {
                let done = self.switch(model, watcher);
                let _ = answer.try_send(done);
            }
        }
    }

    fn request(&self, request: &Request, watcher: &mut Watcher<'_>) -> Result<(), RequestError> {
        let stored = self.writer.request(request, clock::now());
        stored.map_err(|error| RequestError(error.to_string()))?;
        match request {
            Request::Label { device, label } => {
                watcher.label(*device, self.backend.label_of(*device, label.as_deref()));
            }
            Request::Acknowledge { event } => watcher.close_event(*event),
            Request::AcknowledgeAll { events } => {
                for event in events {
                    watcher.close_event(*event);
                }
            }
            Request::Mute { device, is_muted } => self.outbox.mute(*device, *is_muted),
            Request::AcknowledgeFinding { device, rule } => watcher.close_finding(*device, rule),
            Request::Train | Request::Decide(_) => {}
        }
        Ok(())
    }

    /// Another model judges from now on, and after the next start.
    fn switch(&mut self, model: Arc<Model>, watcher: &mut Watcher<'_>) -> Result<(), RequestError> {
        let mut bytes = Vec::new();
        model.write_to(&mut bytes).map_err(|error| RequestError(error.to_string()))?;
        let classes = model.classes().len();
        let acceptance = self.judging.acceptance;
        let state = kept::model_state(&self.judging.of, bytes);
        let stored = self.writer.write_with(Account::default(), state);
        stored.map_err(|error| RequestError(error.to_string()))?;
        watcher.switch_model(Arc::clone(&model), acceptance);
        self.judging = self.judging.clone().switched(model);
        self.backend.set_judging(self.judging.clone());
        let text = format!("A model of {classes} classes that was trained on the page judges from now on");
        let evidence = object(json!({ "classes": classes }));
        watcher.note((clock::now(), EventKind::ModelSwitched, Severity::Note), "model", text, evidence);
        Ok(())
    }

    /// Ends the reading: what is open is written, what waits is sent as far as it can be in a moment.
    fn end(mut self, mut watcher: Watcher<'_>, intake: Intake, is_ended: bool) -> anyhow::Result<Outcome> {
        self.look(&mut watcher, &intake);
        let sources = intake.health();
        let late = watcher.health().capture.late;
        let (account, memory, left_out) = watcher.finish(is_ended);
        // Before the store says that the windows are final.
        let (sent, unsent, lacks_parts) =
            self.publishing.take().map(|publishing| publishing.finish(is_ended)).unwrap_or_default();
        self.give_out(account, memory, &intake);
        let left = intake.stop();
        let Self { writer, outbox, printer, dead, backend, .. } = self;
        for name in left {
            printer.warn(format!("{name} did not end; it waits for the system"));
        }
        if let Some(said) = sent {
            printer.note(said);
        }
        for said in unsent {
            printer.warn(said);
        }
        let stored = writer.close(CLOSE);
        if let Some(notifier) = outbox.take() {
            for sink in notifier.stop(DELIVER).into_iter().filter(|sink| sink.waiting > 0) {
                let why = sink.problem.map(|why| format!(": {why}")).unwrap_or_default();
                printer.warn(format!("{}: {} events were not delivered{why}", sink.name, sink.waiting));
            }
        }
        printer.flush(DELIVER);
        if let Ok(stats) = &stored {
            let windows = counted(stats.windows, "window", "windows");
            printer.note(format!("{windows} stored in {}", backend.store_name().display()));
        }
        let stored = store_health(&stored.and_then(|stats| dead.map_or(Ok(stats), Err)).map_err(failed)?);
        let is_partial = say_losses(&printer, &sources, &stored) || late > 0;
        if late > 0 {
            printer.warn(format!(
                "{} came too late for their windows, and count in others: a source was more than five minutes behind another; give it a \
                 watch of its own",
                counted(late, "packet", "packets")
            ));
        }
        let whole = report_left_out(&left_out, &printer);
        printer.flush(DELIVER);
        Ok(if is_partial || lacks_parts { Outcome::Partial } else { whole })
    }
}

/// Whether a source waits for packets or delivers them, so that the time passes where none come.
fn is_any_reading(intake: &Intake) -> bool {
    intake.health().iter().any(|source| source.state == State::Reading)
}

/// Says what is missing in the store at the end; whether something is.
fn say_losses(printer: &Printer, sources: &[Source], stored: &StoreHealth) -> bool {
    let StoreHealth { windows_dropped, updates_dropped, .. } = stored;
    if stored.dropped() > 0 {
        printer.warn(format!(
            "{windows_dropped} windows and {updates_dropped} other updates are not in the store: more waited than may while it could not be written"
        ));
    }
    for source in sources.iter().filter(|source| source.unread > 0) {
        let unread = counted(source.unread, "capture was", "captures were");
        printer.warn(format!("{}: {unread} not read, or not to the end", source.name));
    }
    stored.dropped() > 0 || sources.iter().any(|source| source.unread > 0 || was_never_read(source))
}

/// Whether a source gave nothing, or ended before its end. One that fails when the watch is ended, as a sender that went away
/// does, was read until then.
const fn was_never_read(source: &Source) -> bool {
    is_bad(source) && (source.packets == 0 || matches!(source.state, State::Ended))
}

fn store_health(stats: &WriterStats) -> StoreHealth {
    StoreHealth {
        windows_dropped: stats.windows_dropped,
        updates_dropped: stats.updates_dropped + stats.updates_refused,
        failures: stats.failures,
        waits: stats.waits,
        waited_ms: u64::try_from(stats.waited.as_millis()).unwrap_or(u64::MAX),
    }
}

/// An update as the page and sinks need it: instances are large, and in the store.
fn without_instance(update: &Update) -> Update {
    match update {
        Update::Window(window) => Update::Window(window.without_instance()),
        other => other.clone(),
    }
}

/// Resident memory of this process; `None` where the system does not say.
fn resident_bytes() -> Option<u64> {
    /// Linux counts pages of this size here on all machines that it runs on with default options.
    const PAGE_BYTES: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(PAGE_BYTES)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Messages;

    #[test]
    fn what_the_store_or_a_source_lost_makes_the_end_partial() {
        let printer = Printer::start(Messages::new(true, false)).unwrap();
        let is_partial = |source: Source, store: StoreHealth| say_losses(&printer, &[source], &store);
        let ended = || Source { state: State::Ended, ..Source::default() };
        assert!(!is_partial(ended(), StoreHealth { failures: 3, waits: 1, ..StoreHealth::default() }));
        assert!(is_partial(ended(), StoreHealth { windows_dropped: 1, ..StoreHealth::default() }));
        assert!(is_partial(ended(), StoreHealth { updates_dropped: 1, ..StoreHealth::default() }));
        assert!(is_partial(Source { unread: 1, ..ended() }, StoreHealth::default()));
        let failed = Source { state: State::Failed, ..Source::default() };
        assert!(is_partial(failed.clone(), StoreHealth::default()));
        // A sender that went away was read until then.
        assert!(!is_partial(Source { packets: 5, ..failed }, StoreHealth::default()));
    }
}
