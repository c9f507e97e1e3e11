use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;
use thingprint_flow::Timestamp;
use thingprint_watch::{DeviceRecord, Health};

mod census;
mod page;

use census::Census;
use page::{Page, Row};

/// What `/metrics` has to say of its body in the header `Content-Type`.
pub const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The numbers that Prometheus reads. Labels are classes of the model, severities, and the sources and sinks of the
/// configuration: nothing that a device on the network chooses, and no address.
#[derive(Debug)]
pub struct Metrics {
    readings: Arc<Readings>,
    registry: Registry,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Numbers of a reading that has not begun.
    pub fn new() -> Self {
        let readings = Arc::new(Readings::default());
        let mut registry = Registry::with_prefix("thingprint");
        registry.register_collector(Box::new(Arc::clone(&readings)));
        Self { readings, registry }
    }

    /// Takes how the reading and its sinks go, at a time of the machine's clock.
    pub fn update(&self, health: &Health, now: Timestamp) {
        self.readings.lock().health = Some((health.clone(), now));
    }

    /// Counts the devices and their findings.
    pub fn count(&self, devices: &[DeviceRecord]) {
        self.readings.lock().census = Some(Census::new(devices));
    }

    /// The numbers as text of `OpenMetrics`. What is not known yet is left out.
    pub fn render(&self) -> String {
        let mut page = String::new();
        // A text takes all that is written.
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}

#[derive(Debug, Default)]
struct Readings(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    health: Option<(Health, Timestamp)>,
    census: Option<Census>,
}

impl Readings {
    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Readings {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let known = self.lock();
        let mut page = Page::new(encoder);
        page.gauge(
            "build_info",
            "The version that runs; always 1",
            [Row::new(1.0).with("version", version())],
        )?;
        if let Some((health, now)) = &known.health {
            write_capture(&mut page, health)?;
            write_clock(&mut page, health, *now)?;
            write_process(&mut page, health)?;
            write_sources(&mut page, health)?;
            write_sinks(&mut page, health)?;
        }
        known.census.as_ref().map_or(Ok(()), |census| census.write(&mut page))
    }
}

fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

fn write_capture(page: &mut Page<'_>, health: &Health) -> fmt::Result {
    let capture = &health.capture;
    page.counter("capture_packets", "Packets that were read", [capture.packets.into()])?;
    page.counter("capture_bytes", "Bytes of these packets on the wire", [capture.bytes.into()])?;
    page.counter(
        "capture_dropped_packets",
        "Packets that the system dropped since they were read too slowly",
        [capture.dropped.into()],
    )?;
    page.counter(
        "capture_late_packets",
        "Packets that came too late for their window",
        [capture.late.into()],
    )?;
    page.counter(
        "capture_malformed_packets",
        "Packets that could not be decoded",
        [capture.malformed.into()],
    )?;
    page.counter(
        "capture_left_out",
        "Flows, devices, words and messages that a limit left out",
        [capture.left_out.into()],
    )?;
    page.counter(
        "left_out",
        "What limits left out, by kind",
        health
            .losses
            .totals
            .iter()
            .map(|(kind, count)| Row::new(*count as f64).with("kind", kind.name().to_owned())),
    )
}

fn write_clock(page: &mut Page<'_>, health: &Health, now: Timestamp) -> fmt::Result {
    if let Some(clock) = health.clock {
        page.gauge(
            "capture_clock_timestamp_seconds",
            "The clock of the packets, in seconds since 1970",
            [seconds(clock).into()],
        )?;
        page.gauge(
            "capture_lag_seconds",
            "How far the clock of the packets is behind that of the machine",
            [(seconds(now) - seconds(clock)).into()],
        )?;
    }
    if let Some(last) = health.last_arrival {
        page.gauge(
            "capture_silence_seconds",
            "How long no packet came, by the clock of the machine",
            [(seconds(now) - seconds(last)).max(0.0).into()],
        )?;
    }
    if let Some(start) = health.started_at {
        page.gauge(
            "start_time_seconds",
            "When the reading began, in seconds since 1970",
            [seconds(start).into()],
        )?;
    }
    if let Some(window) = health.last_window {
        page.gauge(
            "last_window_timestamp_seconds",
            "Start of the last window that was stored, in seconds since 1970",
            [seconds(window).into()],
        )?;
    }
    Ok(())
}

fn write_process(page: &mut Page<'_>, health: &Health) -> fmt::Result {
    if let Some(bytes) = health.memory_bytes {
        page.gauge("resident_memory_bytes", "Memory that the process has", [(bytes as f64).into()])?;
    }
    page.gauge("open_flows", "Flows that are open", [(health.open_flows as f64).into()])?;
    write_store(page, health)
}

fn write_store(page: &mut Page<'_>, health: &Health) -> fmt::Result {
    let store = &health.store;
    page.gauge(
        "store_waiting_accounts",
        "Accounts that wait for the store; each has the updates of a moment",
        [(health.store_waiting as f64).into()],
    )?;
    page.counter(
        "store_dropped_windows",
        "Windows that the store lost, since too many waited while it could not be written",
        [store.windows_dropped.into()],
    )?;
    page.counter(
        "store_dropped_updates",
        "Other updates that were lost with them",
        [store.updates_dropped.into()],
    )?;
    page.counter("store_failures", "How often writing failed and was tried again", [store.failures.into()])?;
    page.counter("store_waits", "How often the reading waited for the store", [store.waits.into()])?;
    page.counter(
        "store_waited_seconds",
        "How long the reading waited for the store",
        [Row::new(store.waited_ms as f64 / 1e3)],
    )?;
    page.gauge(
        "store_up",
        "1 while the store can be written, else 0",
        [flag(health.store_problem.is_none()).into()],
    )
}

fn write_sources(page: &mut Page<'_>, health: &Health) -> fmt::Result {
    use thingprint_watch::SourceState;

    let sources = page::bounded(&health.sources);
    let rows = |value: fn(&thingprint_watch::SourceHealth) -> f64| {
        sources.iter().map(move |source| Row::new(value(source)).with("source", source.name.clone()))
    };
    page.gauge(
        "source_up",
        "1 while the source delivers or waits for packets, else 0",
        rows(|source| flag(source.state == SourceState::Reading)),
    )?;
    page.counter("source_packets", "Packets from the source", rows(|source| source.packets as f64))?;
    page.counter(
        "source_dropped_packets",
        "Packets that the source lost, where it knows",
        sources.iter().filter_map(|source| {
            source.dropped.map(|dropped| Row::new(dropped as f64).with("source", source.name.clone()))
        }),
    )?;
    page.counter(
        "source_restarts",
        "How often the source was begun again",
        rows(|source| source.restarts as f64),
    )?;
    page.counter(
        "source_wrongly_timed_packets",
        "Packets that were left out, since their times lie alone in the future",
        rows(|source| source.wrongly_timed as f64),
    )?;
    page.counter(
        "source_steps_back",
        "How often the clock of the source stepped back",
        rows(|source| source.steps_back as f64),
    )?;
    page.counter(
        "source_shortened_packets",
        "Packets of which only the beginning was kept",
        rows(|source| source.shortened as f64),
    )?;
    page.gauge(
        "source_left_out",
        "Files that are no captures, and senders that were refused",
        rows(|source| source.left_out as f64),
    )?;
    page.gauge(
        "source_unread_captures",
        "Captures that could not be read, or not to their end",
        rows(|source| source.unread as f64),
    )?;
    page.gauge(
        "sources_left_out",
        "Sources that are not listed here, since there are too many",
        [(health.sources.len().saturating_sub(sources.len()) as f64).into()],
    )
}

fn write_sinks(page: &mut Page<'_>, health: &Health) -> fmt::Result {
    let sinks = page::bounded(&health.sinks);
    let rows = |value: fn(&thingprint_watch::SinkHealth) -> u64| {
        sinks.iter().enumerate().map(move |(number, sink)| {
            // Two webhooks of one host have one name.
            let row = Row::new(value(sink) as f64).with("sink", sink.name.clone());
            row.with("number", (number + 1).to_string())
        })
    };
    page.gauge(
        "sink_up",
        "1 while the last attempt to send an event succeeded, else 0",
        rows(|sink| u64::from(sink.problem.is_none())),
    )?;
    page.counter("sink_delivered_events", "Events that the sink took", rows(|sink| sink.delivered))?;
    page.counter("sink_dropped_events", "Events that the sink never got", rows(|sink| sink.dropped))?;
    page.gauge("sink_waiting_events", "Events that wait for the sink", rows(|sink| sink.waiting))
}

/// Seconds since 1970 as a number with fractions.
fn seconds(time: Timestamp) -> f64 {
    time.as_nanos() as f64 / 1e9
}

const fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{DeviceLosses, LossKind};
    use thingprint_watch::{CaptureHealth, LeftOut, SinkHealth, SourceHealth, SourceState, StoreHealth};

    use super::*;
    use crate::roster::tests::record;

    fn health() -> Health {
        Health {
            clock: Some(Timestamp::from_seconds(1_700_000_000)),
            last_arrival: Some(Timestamp::from_seconds(1_699_999_991)),
            started_at: Some(Timestamp::from_seconds(1_699_999_000)),
            capture: CaptureHealth { packets: 5, bytes: 700, dropped: 2, late: 1, malformed: 3, left_out: 4 },
            sources: vec![SourceHealth {
                name: "eth0".to_owned(),
                state: SourceState::Reading,
                message: None,
                packets: 5,
                dropped: Some(2),
                restarts: 1,
                wrongly_timed: 6,
                unread: 8,
                ..SourceHealth::default()
            }],
            store: StoreHealth { windows_dropped: 11, waited_ms: 1500, ..StoreHealth::default() },
            open_flows: 17,
            memory_bytes: Some(1 << 20),
            last_window: Some(Timestamp::from_seconds(1_699_999_200)),
            store_problem: Some("full".to_owned()),
            sinks: vec![SinkHealth {
                name: "file:a\\b \"c\"\n".to_owned(),
                delivered: 9,
                waiting: 1,
                dropped: 2,
                ..SinkHealth::default()
            }],
            ..Health::default()
        }
    }

    fn whole() -> String {
        let metrics = Metrics::new();
        metrics.update(&health(), Timestamp::from_nanos(1_700_000_001_500_000_000));
        metrics.count(&[
            record("a8:40:7c:0b:33:f2", Some("evil\"} 1\n"), Some("camera")),
            record("a8:40:7c:0b:33:f3", None, Some("camera")),
            record("a8:40:7c:0b:33:f4", None, None),
        ]);
        metrics.render()
    }

    #[test]
    fn numbers_are_open_metrics() {
        let page = whole();
        for line in [
            "# TYPE thingprint_capture_packets counter",
            "thingprint_capture_packets_total 5",
            "thingprint_capture_dropped_packets_total 2",
            "thingprint_capture_lag_seconds 1.5",
            "thingprint_capture_silence_seconds 10.5",
            "thingprint_start_time_seconds 1699999000.0",
            "thingprint_source_up{source=\"eth0\"} 1.0",
            "thingprint_source_dropped_packets_total{source=\"eth0\"} 2",
            "thingprint_source_wrongly_timed_packets_total{source=\"eth0\"} 6",
            "thingprint_source_unread_captures{source=\"eth0\"} 8.0",
            "thingprint_store_dropped_windows_total 11",
            "thingprint_store_waited_seconds_total 1.5",
            "thingprint_store_up 0.0",
            "thingprint_devices{class=\"camera\"} 2.0",
            "thingprint_devices{class=\"unknown\"} 1.0",
            "thingprint_findings{severity=\"error\"} 3.0",
            "thingprint_findings{severity=\"warning\"} 6.0",
            "thingprint_findings{severity=\"note\"} 0.0",
            "thingprint_sink_delivered_events_total{sink=\"file:a\\\\b \\\"c\\\"\\n\",number=\"1\"} 9",
            "# EOF",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is missing:\n{page}");
        }
    }

    #[test]
    fn no_address_and_no_name_of_the_network_is_a_label() {
        let page = whole();
        for text in ["a8:40", "evil", "192.0.2"] {
            assert!(!page.contains(text), "{text}:\n{page}");
        }
    }

    #[test]
    fn what_caps_left_out_is_counted_by_kind_and_names_no_device() {
        let mut losses = DeviceLosses::default();
        losses.add("02:00:00:00:00:01".parse().unwrap(), LossKind::FLOWS, 7);
        losses.add_other(LossKind::CARRIED_FLOWS, 2);
        let health = Health { losses: LeftOut::of(&losses), ..health() };
        let metrics = Metrics::new();
        metrics.update(&health, Timestamp::from_seconds(1_700_000_010));
        let page = metrics.render();
        assert!(page.contains("thingprint_left_out_total{kind=\"flows\"} 7"), "{page}");
        assert!(page.contains("thingprint_left_out_total{kind=\"carried_flows\"} 2"), "{page}");
        assert!(!page.contains("02:00:00:00:00:01"));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let page = Metrics::new().render();
        assert!(page.contains("thingprint_build_info{version="), "{page}");
        assert!(!page.contains("capture") && page.ends_with("# EOF\n"), "{page}");
    }

    #[test]
    fn every_number_is_described_in_the_documentation() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
        let document = std::fs::read_to_string(path).unwrap();
        let page = whole();
        let names = page.lines().filter(|line| !line.starts_with('#'));
        let names = names.filter_map(|line| line.split([' ', '{']).next());
        let missing: Vec<&str> = names.filter(|name| !document.contains(&format!("`{name}"))).collect();
        assert_eq!(missing, [""; 0]);
    }
}
