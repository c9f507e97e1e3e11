use thingprint_flow::{DeviceId, Gateways, MacAddr, Timestamp};

use crate::event::Event;
use crate::gateways::RowCounts;
use crate::stage::Stage;

/// Rows on their way out: they leave in the order of the times at which they became final.
///
/// When everything up to a time of the trace was looked at, the rows from before that time are complete, since none can
/// become final earlier any more. So their order does not depend on how packets were batched and which thread was
/// faster.
pub(crate) struct Pending<'a, S: Stage> {
    stage: &'a S,
    rows: Vec<S::Row>,
    gateways: Gateways,
    /// Whether rows wait until gateways were decided for the first time.
    is_held: bool,
    handed_out: RowCounts,
    /// Rows of what was a gateway then.
    left_out: RowCounts,
}

/// Rows that are not those of devices as they are known in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Misjudged {
    /// Rows of what turned out to be a gateway when they were handed out.
    pub(crate) handed_out: u64,
    /// Rows that were left out of what turned out to be a device.
    pub(crate) left_out: u64,
}

impl<'a, S: Stage> Pending<'a, S> {
    pub(crate) fn new(stage: &'a S, is_held: bool) -> Self {
        Self {
            stage,
            rows: Vec::new(),
            gateways: Gateways::default(),
            is_held,
            handed_out: RowCounts::default(),
            left_out: RowCounts::default(),
        }
    }

    /// Takes rows of a shard.
    pub(crate) fn add(&mut self, rows: Vec<S::Row>) {
        self.rows.extend(rows);
    }

    /// These are known to be gateways from the start.
    pub(crate) fn know(mut self, gateways: Gateways) -> Self {
        self.gateways = gateways;
        self
    }

    /// From now on these are the gateways.
    pub(crate) fn decide(&mut self, gateways: Gateways) {
        self.gateways = gateways;
        self.is_held = false;
    }

    /// What became final before a time, in order.
    pub(crate) fn release(&mut self, before: Timestamp) -> Vec<S::Row> {
        if self.rows.is_empty() || self.is_held {
            return Vec::new();
        }
        let stage = self.stage;
        let all = std::mem::take(&mut self.rows);
        let (due, kept) = all.into_iter().partition(|row| stage.order(row).0 < before);
        self.rows = kept;
        self.order(due)
    }

    /// Everything so far, in order: a segment ends, and the times of the next one are others.
    pub(crate) fn flush(&mut self) -> Vec<S::Row> {
        if self.is_held {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.rows);
        self.order(all)
    }

    /// Everything, in order, with the number of rows that would be others by what is known now.
    pub(crate) fn finish(mut self, gateways: Gateways) -> (Vec<S::Row>, Misjudged) {
        self.gateways = gateways;
        let all = std::mem::take(&mut self.rows);
        let rows = self.order(all);
        let Self { gateways, handed_out, left_out, .. } = self;
        let misjudged =
            Misjudged { handed_out: handed_out.of(&gateways), left_out: left_out.of_others_than(&gateways) };
        (rows, misjudged)
    }

    fn order(&mut self, mut rows: Vec<S::Row>) -> Vec<S::Row> {
        let Self { stage, gateways, left_out, handed_out, .. } = self;
        rows.retain(|row| match gateway_of(*stage, row) {
            Some(mac) if gateways.contains(mac) => {
                left_out.count(mac);
                false
            }
            _ => true,
        });
        rows.sort_by_cached_key(|row| stage.order(row));
        for row in &rows {
            if let Some(mac) = gateway_of(*stage, row) {
                handed_out.count(mac);
            }
        }
        rows
    }
}

/// The address of a row's device, with which the row leaves if it is a gateway's.
fn gateway_of<S: Stage>(stage: &S, row: &S::Row) -> Option<MacAddr> {
    match stage.device(row) {
        Some(DeviceId::Mac(mac)) if !stage.is_own(row) => Some(mac),
        _ => None,
    }
}

/// What takes rows and restarts.
pub(crate) type Sink<'a, R, E> = dyn FnMut(Event<R>) -> Result<(), E> + 'a;

/// Hands rows out, if there are any.
pub(crate) fn hand_out<R, E>(sink: &mut Sink<'_, R, E>, rows: Vec<R>) -> Result<(), E> {
    if rows.is_empty() { Ok(()) } else { sink(Event::Rows(rows)) }
}
