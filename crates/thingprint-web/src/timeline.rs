//! The hours of a device as a figure.

use thingprint_figure::{Axis, Class, Colour, Panel, PanelBar, PanelSpan, Timeline};
use thingprint_flow::Timestamp;
use thingprint_watch::WindowRecord;

use crate::time;

/// Distances of the names of times, in hours; the first that gives no more than so many is taken.
const TICK_HOURS: [i64; 7] = [1, 3, 6, 12, 24, 72, 168];
const MOST_TICKS: i64 = 12;
/// Windows closer than this are one after the other, in hours.
const GAP_H: f64 = 0.01;
/// Classes of bars and spans.
const ACCEPTED: usize = 0;
const UNKNOWN: usize = 1;
const UNDER_WAY: usize = 2;

/// Draws windows from a time to another, accepted ones apart from others.
pub(crate) fn timeline(
    name: &str,
    windows: &[&WindowRecord],
    (from, to): (Timestamp, Timestamp),
) -> Timeline {
    let hours = Hours::new(windows, from);
    let panels = [hours.confidence(), hours.volume(), hours.sleep()];
    Timeline {
        title: String::new(),
        description: hours.description(name),
        time: (0.0, hours_since(from, to).max(1.0)),
        ticks: ticks(from, to),
        classes: vec![
            Class::new("class accepted", Colour::Blue),
            Class::new("unknown, or not judged", Colour::Grey),
            Class::new("under way", Colour::Sky),
        ],
        spans: hours.spans(),
        panels: panels.into_iter().filter(|panel| !panel.bars.is_empty()).collect(),
    }
}

/// Windows in the order of time, and the time that they are counted from.
struct Hours<'a> {
    windows: Vec<&'a WindowRecord>,
    from: Timestamp,
}

impl<'a> Hours<'a> {
    fn new(windows: &[&'a WindowRecord], from: Timestamp) -> Self {
        let mut windows = windows.to_vec();
        windows.sort_by_key(|window| (window.window_start, window.part));
        Self { windows, from }
    }

    fn confidence(&self) -> Panel {
        self.panel(Axis::percent("confidence of the best guess").bounds(0.0, 1.0), |window| {
            let answer = window.answer.as_ref()?;
            let taken = if answer.class.is_some() { "" } else { " (unknown)" };
            let words = format!("{}{taken}, {:.0} %", answer.best_guess, answer.confidence * 100.0);
            Some((answer.confidence, words))
        })
    }

    fn volume(&self) -> Panel {
        self.panel(Axis::new("volume, sent and received", "bytes"), |window| {
            let (up, down, flows) = (window.bytes_up, window.bytes_down, window.flows);
            let words = format!("{up} bytes sent, {down} received, {flows} flows");
            Some((up.saturating_add(down) as f64, words))
        })
    }

    fn sleep(&self) -> Panel {
        self.panel(Axis::new("sleep: mean time without a flow", "s"), |window| {
            let sleep = window.sleep_time_s?;
            Some((sleep, format!("{sleep:.0} s without a flow")))
        })
    }

    /// A bar for each window that has a value, which comes with its words.
    fn panel(&self, axis: Axis, value: impl Fn(&WindowRecord) -> Option<(f64, String)>) -> Panel {
        let bar = |window: &&WindowRecord| {
            let (value, words) = value(window)?;
            let (from, to) = self.extent(window);
            let tip = format!("{}{}: {words}", time::minute(window.window_start), remark(window));
            Some(PanelBar { from, to, value, class: class(window), tip })
        };
        Panel { axis, bars: self.windows.iter().filter_map(bar).collect() }
    }

    /// For how long the answer was the same, without a gap.
    fn spans(&self) -> Vec<PanelSpan> {
        let mut spans: Vec<PanelSpan> = Vec::new();
        for window in &self.windows {
            let Some(answer) = &window.answer else { continue };
            let is_accepted = answer.class.is_some();
            let label = answer.class.as_deref().unwrap_or("unknown").to_owned();
            let class = if is_accepted { ACCEPTED } else { UNKNOWN };
            let (from, to) = self.extent(window);
            match spans.last_mut() {
                Some(last) if last.label == label && last.class == class && from - last.to < GAP_H => {
                    last.to = to;
                }
                _ => spans.push(PanelSpan { from, to, label, class }),
            }
        }
        spans
    }

    fn extent(&self, window: &WindowRecord) -> (f64, f64) {
        let from = hours_since(self.from, window.window_start);
        (from, from + window.window_s / 3600.0)
    }

    /// The figure in words, for those who cannot see it.
    fn description(&self, name: &str) -> String {
        let accepted = self.windows.iter().filter(|window| class(window) == ACCEPTED).count();
        let bytes = |window: &&WindowRecord| window.bytes_up.saturating_add(window.bytes_down);
        let most = self.windows.iter().map(bytes).max().unwrap_or(0);
        let count = self.windows.len();
        format!(
            "Windows of {name}: {count} in all, {accepted} with an accepted class, at most {most} bytes in one. The table \
             below has the values."
        )
    }
}

fn hours_since(from: Timestamp, time: Timestamp) -> f64 {
    time.nanos_since(from) as f64 / 3.6e12
}

fn class(window: &WindowRecord) -> usize {
    match &window.answer {
        _ if window.provisional_after_s.is_some() => UNDER_WAY,
        Some(answer) if answer.class.is_some() => ACCEPTED,
        _ => UNKNOWN,
    }
}

fn remark(window: &WindowRecord) -> &'static str {
    match window {
        window if window.provisional_after_s.is_some() => " (so far)",
        window if window.is_cut => " (cut: packets are missing)",
        _ => "",
    }
}

/// Whole hours or days, as many as have room.
fn ticks(from: Timestamp, to: Timestamp) -> Vec<(f64, String)> {
    let hours = time::seconds_between(from, to) / time::HOUR_S;
    let step = TICK_HOURS.into_iter().find(|step| hours / step <= MOST_TICKS).unwrap_or(720);
    let step_s = step * time::HOUR_S;
    let first = (from.as_nanos() / 1_000_000_000).div_euclid(step_s) + 1;
    let pattern = if step < 24 { "%H:%M" } else { "%b %d" };
    let tick = |index: i64| {
        let time = Timestamp::from_seconds((first + index).saturating_mul(step_s));
        let is_midnight = (first + index).saturating_mul(step_s).rem_euclid(time::DAY_S) == 0;
        (hours_since(from, time), time::format(time, if is_midnight { "%b %d" } else { pattern }))
    };
    (0..=MOST_TICKS).map(tick).take_while(|(at, _)| *at <= hours_since(from, to)).collect()
}

#[cfg(test)]
mod tests {
    use thingprint_watch::WindowAnswer;

    use super::*;

    fn window(hour: i64, class: Option<&str>) -> WindowRecord {
        let answer = WindowAnswer {
            class: class.map(str::to_owned),
            best_guess: "lamp".into(),
            confidence: 0.9,
            likeness: None,
            reason: None,
            distribution: Vec::new(),
        };
        WindowRecord {
            device: "0a:00:00:00:00:01".parse().unwrap(),
            window_start: Timestamp::from_seconds(hour * 3600),
            window_s: 3600.0,
            part: 0,
            is_cut: false,
            provisional_after_s: None,
            packets_up: 1,
            packets_down: 1,
            bytes_up: 100,
            bytes_down: 200,
            flows: 1,
            sleep_time_s: Some(4.0),
            answer: Some(answer),
            instance: None,
        }
    }

    #[test]
    fn windows_of_one_class_are_one_span() {
        let windows =
            [window(3, Some("lamp")), window(1, Some("lamp")), window(2, Some("lamp")), window(5, None)];
        let windows: Vec<&WindowRecord> = windows.iter().collect();
        let figure = timeline("x", &windows, (Timestamp::from_seconds(0), Timestamp::from_seconds(6 * 3600)));
        let spans: Vec<_> =
            figure.spans.iter().map(|span| (span.from, span.to, span.label.as_str())).collect();
        assert_eq!(spans, [(1.0, 4.0, "lamp"), (5.0, 6.0, "unknown")]);
        let volume: Vec<f64> = figure.panels[1].bars.iter().map(|bar| bar.value).collect();
        assert_eq!(volume, [300.0; 4]);
        assert_eq!(figure.ticks.len(), 6);
        assert_eq!(figure.ticks[0], (1.0, "01:00".to_owned()));
    }
}
