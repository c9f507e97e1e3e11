use thingprint_flow::{DeviceId, Gateways, MacAddr, Timestamp};

use crate::event::Event;
use crate::gateways::HandedOut;
use crate::stage::Stage;

/// Rows on their way out: they leave in the order of the times at which they became final.
///
/// When everything up to a time of the trace was looked at, the rows from before that time are complete, since none can
/// become final earlier any more. So their order does not depend on how packets were batched and which thread was
/// faster.
pub(crate) struct Pending<'a, S: Stage, E> {
    stage: &'a S,
    sink: &'a mut dyn FnMut(Event<S::Row>) -> Result<(), E>,
    rows: Vec<S::Row>,
    gateways: Gateways,
    /// Whether rows wait until gateways were decided for the first time.
    is_held: bool,
    handed_out: HandedOut,
}

impl<'a, S: Stage, E> Pending<'a, S, E> {
    pub(crate) fn new(
        stage: &'a S,
        sink: &'a mut dyn FnMut(Event<S::Row>) -> Result<(), E>,
        is_held: bool,
    ) -> Self {
        Self {
            stage,
            sink,
            rows: Vec::new(),
            gateways: Gateways::default(),
            is_held,
            handed_out: HandedOut::default(),
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

    /// Hands out what became final before a time.
    pub(crate) fn release(&mut self, before: Timestamp) -> Result<(), E> {
        if self.rows.is_empty() || self.is_held {
            return Ok(());
        }
        let stage = self.stage;
        let all = std::mem::take(&mut self.rows);
        let (due, kept) = all.into_iter().partition(|row| stage.order(row).0 < before);
        self.rows = kept;
        self.hand_out(due)
    }

    /// Hands out everything so far: a segment ends, and the times of the next one are others.
    pub(crate) fn flush(&mut self) -> Result<(), E> {
        if self.is_held {
            return Ok(());
        }
        let all = std::mem::take(&mut self.rows);
        self.hand_out(all)
    }

    /// Hands out everything; gives the number of rows that were of what turned out to be a gateway later.
    pub(crate) fn finish(mut self, gateways: Gateways) -> Result<u64, E> {
        self.gateways = gateways;
        let all = std::mem::take(&mut self.rows);
        self.hand_out(all)?;
        Ok(self.handed_out.of(&self.gateways))
    }

    fn hand_out(&mut self, mut rows: Vec<S::Row>) -> Result<(), E> {
        rows.retain(|row| self.gateway_of(row).is_none_or(|mac| !self.gateways.contains(mac)));
        if rows.is_empty() {
            return Ok(());
        }
        rows.sort_by_cached_key(|row| self.stage.order(row));
        for row in &rows {
            if let Some(mac) = self.gateway_of(row) {
                self.handed_out.count(mac);
            }
        }
        (self.sink)(Event::Rows(rows))
    }

    /// The address of a row's device, with which the row leaves if it is a gateway's.
    fn gateway_of(&self, row: &S::Row) -> Option<MacAddr> {
        match self.stage.device(row) {
            Some(DeviceId::Mac(mac)) if !self.stage.is_own(row) => Some(mac),
            _ => None,
        }
    }
}
