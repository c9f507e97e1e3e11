use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Sources or sinks that are listed. Both come from a configuration by hand; a folder of sources may have more.
const MAX_LISTED: usize = 64;

/// The first of a list, as many as are listed.
pub(super) fn bounded<T>(list: &[T]) -> &[T] {
    list.get(..MAX_LISTED).unwrap_or(list)
}

/// A value with its labels.
pub(super) struct Row {
    labels: Vec<(&'static str, String)>,
    value: f64,
}

impl Row {
    /// A value without labels.
    pub(super) const fn new(value: f64) -> Self {
        Self { labels: Vec::new(), value }
    }

    /// The same with a label more.
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.labels.push((name, value));
        self
    }
}

impl From<f64> for Row {
    fn from(value: f64) -> Self {
        Self::new(value)
    }
}

impl From<u64> for Row {
    fn from(value: u64) -> Self {
        Self::new(value as f64)
    }
}

/// A page of metrics as it is written.
pub(super) struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub(super) const fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self { encoder }
    }

    /// Writes numbers that only grow; the name gets the suffix `_total`.
    pub(super) fn counter(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = Row>,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Counter, rows)
    }

    /// Writes numbers that may fall.
    pub(super) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = Row>,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Gauge, rows)
    }

    fn family(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        rows: impl IntoIterator<Item = Row>,
    ) -> fmt::Result {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut family = self.encoder.encode_descriptor(name, &format!("{help}."), None, kind)?;
        for row in rows {
            let encoder = family.encode_family(&row.labels)?;
            match kind {
                // Seconds have fractions.
                MetricType::Counter if row.value.fract() != 0.0 => {
                    ConstCounter::new(row.value).encode(encoder)?;
                }
                // Counts below 2^53, which the conversion leaves as they are.
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they were u64")]
                MetricType::Counter => ConstCounter::new(row.value as u64).encode(encoder)?,
                _ => ConstGauge::new(row.value).encode(encoder)?,
            }
        }
        Ok(())
    }
}
