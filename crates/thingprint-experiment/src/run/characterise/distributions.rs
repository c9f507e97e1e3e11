//! Volume, duration, rate and sleep (Fig. 3); intervals of DNS and NTP requests (Figs. 6 and 7).
use thingprint_figure::{Axis, Facets, Histogram, Samples, Scale};
use thingprint_instance::Attribute;
use thingprint_table::{Cell, Column, Table};

use super::Traffic;
use crate::definition::Share;
use crate::flows::{FlowRecord, seconds};
use crate::outcome::{Outcome, Section};

/// Bins of a histogram.
const BINS: usize = 40;

/// Gaps shorter and longer than this are no sleep, in seconds.
const SLEEP_S: std::ops::RangeInclusive<f64> = 1.0..=86_400.0;

/// Quantiles that tables show.
const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

pub(super) fn sections(traffic: &Traffic<'_>, shares: &[Share], outcome: &mut Outcome) -> Vec<Section> {
    let numbers = traffic.evidence.numbers();
    let mut sections: Vec<Section> = numbers.map(|number| section(traffic, number, outcome)).collect();
    let shares: Vec<&Share> =
        shares.iter().filter(|share| traffic.instances.contains_key(share.class.as_str())).collect();
    if !shares.is_empty() {
        sections.push(named_shares(traffic, &shares, outcome));
    }
    sections
}

fn section(traffic: &Traffic<'_>, attribute: Attribute, outcome: &mut Outcome) -> Section {
    let mut table = Table::new([
        Column::texts("class"),
        Column::count("values"),
        Column::decimals("5 %", 1),
        Column::decimals("25 %", 1),
        Column::decimals("median", 1),
        Column::decimals("75 %", 1),
        Column::decimals("95 %", 1),
        Column::decimals("most frequent", 0),
        Column::percent("its share", 1),
    ]);
    let mut series = Vec::new();
    for &class in traffic.instances.keys() {
        let mut values = values(traffic, class, attribute);
        values.sort_unstable_by(f64::total_cmp);
        let [low, lower, median, upper, high] = QUANTILES.map(|share| quantile(&values, share));
        let mode = most_frequent(&values);
        if let Some(median) = median {
            outcome.metrics.insert(class, &format!("median_{}", attribute.name()), &[median]);
        }
        if let Some((value, share)) = mode {
            outcome.metrics.insert(class, &format!("mode_{}", attribute.name()), &[value]);
            outcome.metrics.insert(class, &format!("mode_share_{}", attribute.name()), &[share]);
        }
        table.add([
            Cell::from(class),
            Cell::from(values.len()),
            Cell::from(low),
            Cell::from(lower),
            Cell::from(median),
            Cell::from(upper),
            Cell::from(high),
            Cell::from(mode.map(|(value, _)| value)),
            Cell::from(mode.map(|(_, share)| share)),
        ]);
        if traffic.drawn.contains(&class) && !values.is_empty() {
            // A logarithm has no place for nothing.
            values.retain(|value| *value > 0.0);
            series.push(Samples::new(class, values));
        }
    }
    let chart = Histogram {
        title: attribute.title().to_owned(),
        description: format!("Share of the values of each class by {}", attribute.title().to_lowercase()),
        x: Axis::new(attribute.value(), attribute.unit().symbol()).scale(Scale::Log10),
        bins: BINS,
        facets: Facets::Apart,
        series,
    };
    Section {
        name: attribute.name().replace('_', "-"),
        heading: attribute.title().to_owned(),
        prose: prose(attribute, is_by_flow(traffic, attribute)),
        table,
        chart: (!chart.series.is_empty()).then(|| chart.into()),
    }
}

/// What the values of an attribute are.
fn prose(attribute: Attribute, is_by_flow: bool) -> String {
    let what = match (is_by_flow, attribute) {
        (true, Attribute::SLEEP_TIME_S) => "Each gap without a flow is a value",
        (true, _) => "Each flow is a value",
        (false, _) => "The mean of each hour is a value",
    };
    format!(
        "{what}, in {}; the most frequent one is that of values rounded to whole numbers. The axis of the figure is \
         logarithmic, and leaves out zeros.",
        attribute.unit().symbol()
    )
}

/// Whether values are those of single flows.
fn is_by_flow(traffic: &Traffic<'_>, attribute: Attribute) -> bool {
    values_of_flows(attribute).is_some() && !traffic.flows.is_empty()
}

/// The values of a class: of single flows where there are any, else means of hours.
fn values(traffic: &Traffic<'_>, class: &str, attribute: Attribute) -> Vec<f64> {
    if let Some(values) = values_of_flows(attribute).filter(|_| !traffic.flows.is_empty()) {
        return values(traffic.flows.get(class).map(Vec::as_slice).unwrap_or_default());
    }
    let rows = traffic.instances.get(class).map(Vec::as_slice).unwrap_or_default();
    rows.iter().filter_map(|row| row.instance.attributes.get(attribute)).collect()
}

/// How single flows give the values of an attribute.
type ValuesOfFlows = fn(&[&FlowRecord]) -> Vec<f64>;

/// How single flows give the values of an attribute (Fig. 3); `None` for one that has hourly values alone.
fn values_of_flows(attribute: Attribute) -> Option<ValuesOfFlows> {
    match attribute {
        Attribute::FLOW_VOLUME_BYTES => Some(|flows| flows.iter().map(|flow| flow.bytes as f64).collect()),
        Attribute::FLOW_DURATION_S => Some(|flows| flows.iter().map(|flow| flow.duration_s()).collect()),
        Attribute::FLOW_RATE_BPS => Some(|flows| flows.iter().filter_map(|flow| flow.rate_bps()).collect()),
        Attribute::SLEEP_TIME_S => Some(sleeps),
        _ => None,
    }
}

/// Gaps in which a device has no flow, in seconds.
fn sleeps(flows: &[&FlowRecord]) -> Vec<f64> {
    let mut spans: Vec<_> = flows.iter().map(|flow| (flow.device, flow.first, flow.last)).collect();
    spans.sort_unstable();
    let mut gaps = Vec::new();
    for device in spans.chunk_by(|a, b| a.0 == b.0) {
        let Some((_, _, mut end)) = device.first().copied() else { continue };
        for &(_, first, last) in device {
            gaps.push(seconds(first.nanos_since(end)));
            end = end.max(last);
        }
    }
    gaps.retain(|gap| SLEEP_S.contains(gap));
    gaps
}

/// The value below which a share of sorted values lies: the smallest with at least that share up to it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the number of values"
)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The most frequent of sorted values, rounded to whole numbers, and its share; of equals, the lowest.
fn most_frequent(sorted: &[f64]) -> Option<(f64, f64)> {
    let runs = sorted.chunk_by(|a, b| a.round().total_cmp(&b.round()).is_eq());
    let longest = runs.rev().max_by_key(|run| run.len())?;
    Some((longest.first()?.round(), longest.len() as f64 / sorted.len() as f64))
}

fn named_shares(traffic: &Traffic<'_>, shares: &[&Share], outcome: &mut Outcome) -> Section {
    let mut table = Table::new([
        Column::texts("class"),
        Column::texts("attribute"),
        Column::decimals("from", 1),
        Column::decimals("to", 1),
        Column::percent("paper", 0),
        Column::percent("here", 1),
        Column::texts("place"),
    ]);
    for share in shares {
        let values = values(traffic, &share.class, share.attribute);
        let inside = values.iter().filter(|value| (share.low..=share.high).contains(*value)).count();
        let found = (!values.is_empty()).then(|| inside as f64 / values.len() as f64);
        outcome.metrics.insert(&share.class, &share.metric(), found.as_slice());
        table.add([
            Cell::from(share.class.as_str()),
            Cell::from(share.attribute.name()),
            Cell::from(share.low),
            Cell::from(share.high),
            Cell::from(share.paper),
            Cell::from(found),
            Cell::from(share.place.as_str()),
        ]);
    }
    Section {
        name: "shares".to_owned(),
        heading: "Shares that the paper names".to_owned(),
        prose: "The share of a class's values that lie inside an interval.".to_owned(),
        table,
        chart: None,
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{DeviceId, MacAddr, Timestamp};

    use super::*;
    use crate::flows::{Cast, Side};

    fn flow(first_s: i64, last_s: i64) -> FlowRecord {
        FlowRecord {
            class: "a".into(),
            device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])),
            first: Timestamp::from_seconds(first_s),
            last: Timestamp::from_seconds(last_s),
            bytes: 100,
            cast: Cast::Unicast,
            side: Side::Wan,
            protocol: 6,
            server_port: 443,
            domain: None,
        }
    }

    #[test]
    fn sleep_is_time_without_any_flow() {
        // The long flow covers the second one; nothing under a second counts.
        let flows = [flow(0, 100), flow(10, 20), flow(160, 170), flow(170, 180), flow(200_000, 200_001)];
        assert_eq!(sleeps(&flows.iter().collect::<Vec<_>>()), [60.0]);
    }

    #[test]
    fn quantiles_are_values_that_occur() {
        let values = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(QUANTILES.map(|share| quantile(&values, share)), [1.0, 1.0, 2.0, 3.0, 4.0].map(Some));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn the_most_frequent_value_is_a_rounded_one() {
        assert_eq!(most_frequent(&[1.0, 59.6, 60.0, 60.4, 300.0, 301.0]), Some((60.0, 0.5)));
        assert_eq!(most_frequent(&[1.0, 1.2, 7.0, 7.1]), Some((1.0, 0.5)));
        assert_eq!(most_frequent(&[]), None);
    }

    #[test]
    fn a_flow_without_duration_has_no_rate() {
        assert_eq!(flow(5, 5).rate_bps(), None);
        assert_eq!(flow(5, 15).rate_bps(), Some(80.0));
    }
}
