use thingprint_figure::{Axis, LinePoint, LineSeries, Lines, Scale};
use thingprint_table::{Cell, Column, Table};

use super::strangers::{ANSWERED, OTHERS_ANSWERED, OTHERS_REJECTED, REJECTED};
use super::{APPEARED, CostGroup, FEW_WINDOWS, LiveCost, METRICS, ROW_METRIC, key, time};
use crate::extraction_cost::ExtractionCost;
use crate::outcome::{Metrics, Section, Summary};

const MILLION: f64 = 1e6;

/// The tables and figures of the answers and of what is kept.
pub(super) fn sections(analysis: &LiveCost, metrics: &Metrics) -> Vec<Section> {
    let mut all = vec![accuracy(analysis, metrics), accepted(analysis, metrics)];
    all.extend(appeared(analysis, metrics));
    all.extend(kept(analysis, metrics));
    all
}

fn accuracy(analysis: &LiveCost, metrics: &Metrics) -> Section {
    let figure = lines(analysis, metrics, ("accuracy", "Accuracy by seconds"));
    Section {
        name: "seconds".to_owned(),
        heading: "Answers by seconds".to_owned(),
        prose: "The same windows at each time: so many seconds after the device's first packet in the window, or at the \
                window's end where that came before; 'whole' are final windows. A window without anything that makes an \
                instance by then is not answered. Accuracy is that of the answers; confident and accepted are shares of all \
                windows asked. Means over the seeds, with their standard deviation (divisor n - 1)."
            .to_owned(),
        table: answers(analysis, metrics, ""),
        chart: Some(figure.into()),
    }
}

fn accepted(analysis: &LiveCost, metrics: &Metrics) -> Section {
    let mut table = Table::new([
        Column::texts("group"),
        Column::texts("time"),
        Column::percent("accepted", 1),
        Column::percent("sd", 1),
        Column::percent("accuracy of accepted", 2),
        Column::decimals("windows of strangers", 0),
        Column::percent("of them not accepted", 1),
        Column::decimals("windows of others", 0),
        Column::percent("of these not accepted", 1),
    ]);
    for (group, time) in points(analysis) {
        let of = |metric: &str| metrics.get(&key(group, &time), metric);
        let accepted = of("accepted");
        table.add([
            Cell::from(group.name.as_str()),
            Cell::from(time.as_str()),
            Cell::from(accepted.map(|summary| summary.mean)),
            Cell::from(accepted.and_then(|summary| summary.sd)),
            Cell::from(of("accepted_accuracy").map(|summary| summary.mean)),
            Cell::from(of(ANSWERED).map(|summary| summary.mean)),
            Cell::from(of(REJECTED).map(|summary| summary.mean)),
            Cell::from(of(OTHERS_ANSWERED).map(|summary| summary.mean)),
            Cell::from(of(OTHERS_REJECTED).map(|summary| summary.mean)),
        ]);
    }
    let figure = lines(analysis, metrics, ("accepted", "Accepted windows by seconds"));
    Section {
        name: "accepted".to_owned(),
        heading: "Accepted by seconds".to_owned(),
        prose: "Accepted are answers whose confidence reaches the threshold, and by the recipe best those of them alone that \
                pass a second test: a final window has to be like those of the class, and of a window under way what it has so \
                far has to be familiar of the class, whatever it lacks. Strangers are the windows of a class that was left out \
                of the training, each class in turn, with the first seed; others are the windows of devices of other data sets. None of them should be \
                accepted."
            .to_owned(),
        table,
        chart: Some(figure.into()),
    }
}

/// Windows in which a device appears; `None` where there are too few to say anything.
fn appeared(analysis: &LiveCost, metrics: &Metrics) -> Option<Section> {
    let table = answers(analysis, metrics, APPEARED);
    let asked = |(group, time): (&CostGroup, String)| {
        metrics.get(&format!("{APPEARED}/{}", key(group, &time)), "asked")
    };
    let asked = points(analysis).find_map(asked).map_or(0.0, |asked| asked.mean);
    (asked >= FEW_WINDOWS as f64).then(|| Section {
        name: "appeared".to_owned(),
        heading: "Windows in which a device appears".to_owned(),
        prose: "The first window of a device after a day of silence, and windows that are a capture of their own.".to_owned(),
        table,
        chart: None,
    })
}

/// The answers of scenarios that begin so.
fn answers(analysis: &LiveCost, metrics: &Metrics, prefix: &str) -> Table {
    let mut table = Table::new([
        Column::texts("group"),
        Column::texts("time"),
        Column::decimals("windows asked", 0),
        Column::percent("answered", 1),
        Column::percent("accuracy", 2),
        Column::percent("accuracy sd", 2),
        Column::percent("confident", 1),
        Column::percent("accuracy of confident", 2),
        Column::percent("accepted", 1),
        Column::percent("accuracy of accepted", 2),
    ]);
    for (group, time) in points(analysis) {
        let key = key(group, &time);
        let key = if prefix.is_empty() { key } else { format!("{prefix}/{key}") };
        let number = |metric: &str| metrics.get(&key, metric);
        let mean = |metric: &str| Cell::from(number(metric).map(|summary| summary.mean));
        if number("asked").is_none() {
            continue;
        }
        let [asked, answered, accuracy, confident, confident_accuracy, accepted, accepted_accuracy] = METRICS;
        table.add([
            Cell::from(group.name.as_str()),
            Cell::from(time.as_str()),
            mean(asked),
            mean(answered),
            mean(accuracy),
            Cell::from(number(accuracy).and_then(|summary: Summary| summary.sd)),
            mean(confident),
            mean(confident_accuracy),
            mean(accepted),
            mean(accepted_accuracy),
        ]);
    }
    table
}

/// What is kept of a device; `None` where nobody measured.
fn kept(analysis: &LiveCost, metrics: &Metrics) -> Option<Section> {
    let mut table = Table::new([
        Column::texts("group"),
        Column::texts("time"),
        Column::decimals("open flows", 1),
        Column::decimals("bytes of flows", 0),
        Column::decimals("bytes of windows", 0),
        Column::decimals("bytes of a stored window", 0),
    ]);
    for (group, time) in points(analysis) {
        let mean = |metric: &str| metrics.get(&key(group, &time), metric).map(|summary| summary.mean);
        let numbers = ["open_flows", "flow_bytes", "window_bytes", ROW_METRIC].map(mean);
        if numbers.iter().all(Option::is_none) {
            continue;
        }
        let names = [Cell::from(group.name.as_str()), Cell::from(time.as_str())];
        table.add(names.into_iter().chain(numbers.map(Cell::from)));
    }
    (table.rows() > 0).then(|| Section {
        name: "kept".to_owned(),
        heading: "What is kept of a device".to_owned(),
        prose: "Of a live reading that collects the evidence of the group alone, the means over all devices and windows: open \
                flows with all that the flow table has of them, and windows that are not final, where each word counts with \
                the room that it may take. A window is final some minutes after its end, so that early in a window that before \
                it is kept, too. Starts of messages that go on in the next segment are not in it; they have a \
                budget of their own. A stored window is a row of a Parquet file."
            .to_owned(),
        table,
        chart: None,
    })
}

/// What a clock and the allocator said; none where nobody measured.
pub(super) fn clocked(costs: &[ExtractionCost]) -> Vec<Section> {
    let Some(first) = costs.first() else { return Vec::new() };
    let time = if first.is_processor_time {
        "Processor time of one thread"
    } else {
        "Time by the clock, in which all else that the machine did is"
    };
    let mut table = Table::new([
        Column::texts("group"),
        Column::count("frames"),
        Column::count("readings"),
        Column::decimals("s for a million frames", 3),
        Column::decimals("sd", 3),
        Column::decimals("least", 3),
        Column::decimals("most", 3),
        Column::decimals("of it reading and decoding", 3),
        Column::decimals("times the first group", 2),
        Column::decimals("most memory MB", 1),
        Column::decimals("most of a device kB", 1),
    ]);
    for cost in costs {
        table.add(row(cost, first));
    }
    vec![Section {
        name: "extraction-costs".to_owned(),
        heading: "Time and memory of extraction".to_owned(),
        prose: format!(
            "{time}, from captures to instances, for a million frames: the mean of the readings, their deviation, and the \
             extremes. The groups were measured in turns. Reading and decoding are the part that every group has; on \
             simulated data the simulation is in it. The memory is the most of a whole reading, and, of a device, the most \
             of its flows and windows at any look. All of this differs from run to run and from machine to machine."
        ),
        table,
        chart: None,
    }]
}

fn row(cost: &ExtractionCost, first: &ExtractionCost) -> Vec<Cell> {
    let each = |seconds: &[f64]| -> Vec<f64> {
        seconds.iter().map(|seconds| seconds * MILLION / cost.frames.max(1) as f64).collect()
    };
    let (all, reading) = (each(&cost.seconds), each(&cost.reading_seconds));
    let summary = Summary::of(&all);
    let mean = |values: &[f64]| Summary::of(values).map(|summary| summary.mean);
    let times = mean(&cost.seconds).zip(mean(&first.seconds)).map(|(own, first)| own / first);
    let most = cost.kept.values().map(|kept| kept.most_bytes).max();
    vec![
        Cell::from(cost.name.as_str()),
        Cell::from(cost.frames),
        Cell::from(cost.seconds.len() as u64),
        Cell::from(summary.map(|summary| summary.mean)),
        Cell::from(summary.and_then(|summary| summary.sd)),
        Cell::from(all.iter().copied().reduce(f64::min)),
        Cell::from(all.iter().copied().reduce(f64::max)),
        Cell::from(mean(&reading)),
        Cell::from(times),
        Cell::from(cost.peak_bytes.map(|bytes| bytes as f64 / MILLION)),
        Cell::from(most.map(|bytes| bytes as f64 / 1e3)),
    ]
}

fn points(analysis: &LiveCost) -> impl Iterator<Item = (&CostGroup, String)> {
    analysis.groups.iter().flat_map(|group| analysis.times().map(move |time| (group, time)))
}

fn lines(analysis: &LiveCost, metrics: &Metrics, (metric, title): (&str, &str)) -> Lines {
    let of_group = |group: &CostGroup| {
        let point = |seconds: &u32| {
            let summary = metrics.get(&key(group, &time(*seconds)), metric)?;
            Some(LinePoint { x: f64::from(*seconds), y: summary.into() })
        };
        LineSeries { name: group.name.clone(), points: analysis.seconds.iter().filter_map(point).collect() }
    };
    Lines {
        title: title.to_owned(),
        description: format!(
            "{title} after the first packet of a device in a window: means over the seeds, a line for each group of evidence"
        ),
        x: Axis::new("time after the first packet", "s").scale(Scale::Log10),
        y: Axis::percent(metric),
        series: analysis.groups.iter().map(of_group).collect(),
        guides: Vec::new(),
    }
}
