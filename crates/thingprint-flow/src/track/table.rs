use hashbrown::HashTable;

use super::device::DeviceIndex;
use super::flow::OpenFlow;
use super::key::FlowKey;
use crate::Timestamp;

/// Flows that were taken out leave holes; they are closed up when there are more of them than flows, and than this.
const MOST_HOLES: usize = 1024;
/// Where many flows are taken out at once, again and again, holes are closed up when there are more than so many flows for each.
const FLOWS_OF_A_HOLE: usize = 2;

/// The place of a flow that was taken out.
const GONE: u32 = u32::MAX;

/// The flows of one window, in order of appearance.
#[derive(Debug)]
pub(super) struct Table<S> {
    flows: Vec<Option<OpenFlow<S>>>,
    hashes: Vec<u64>,
    index: HashTable<u32>,
    /// The place of the flow that was found last, which is often the next one's, too.
    latest: usize,
}

impl<S> Table<S> {
    pub(super) fn new() -> Self {
        Self { flows: Vec::new(), hashes: Vec::new(), index: HashTable::new(), latest: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &OpenFlow<S>> {
        self.flows.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut OpenFlow<S>> {
        self.flows.iter_mut().flatten()
    }

    /// Where the flow of `key` stands.
    #[inline]
    pub(super) fn position(&self, hash: u64, key: &FlowKey) -> Option<usize> {
        let flow = |at: u32| self.flows.get(at as usize).and_then(Option::as_ref);
        let is_it = |&at: &u32| flow(at).is_some_and(|flow| flow.key == *key);
        self.index.find(hash, is_it).map(|&at| at as usize)
    }

    /// The flow of `key`, whose hash is asked for where it is not the flow that was found last.
    #[inline]
    pub(super) fn find_mut(&mut self, key: &FlowKey, hash: impl FnOnce() -> u64) -> Option<&mut OpenFlow<S>> {
        let latest = self.flows.get(self.latest).and_then(Option::as_ref);
        if latest.is_none_or(|flow| flow.key != *key) {
            self.latest = self.position(hash(), key)?;
        }
        self.flows.get_mut(self.latest)?.as_mut()
    }

    #[inline]
    pub(super) fn get(&self, hash: u64, key: &FlowKey) -> Option<&OpenFlow<S>> {
        self.flows.get(self.position(hash, key)?)?.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, hash: u64, key: &FlowKey) -> Option<&mut OpenFlow<S>> {
        let at = self.position(hash, key)?;
        self.flows.get_mut(at)?.as_mut()
    }

    /// Adds a flow whose key is not there.
    pub(super) fn insert(&mut self, hash: u64, flow: OpenFlow<S>) {
        let Ok(at) = u32::try_from(self.flows.len()) else { return };
        self.latest = self.flows.len();
        self.flows.push(Some(flow));
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.index.insert_unique(hash, at, |&at| hashes.get(at as usize).copied().unwrap_or_default());
    }

    /// Takes out a flow.
    pub(super) fn remove(&mut self, hash: u64, key: &FlowKey) -> Option<OpenFlow<S>> {
        let at = self.position(hash, key)?;
        let flow = self.take(at);
        if self.holes() > self.len() + MOST_HOLES {
            self.close_up();
        }
        flow
    }

    /// Takes out the flow at a place, which leaves a hole.
    fn take(&mut self, at: usize) -> Option<OpenFlow<S>> {
        let hash = *self.hashes.get(at)?;
        if let Ok(entry) = self.index.find_entry(hash, |&other| other as usize == at) {
            entry.remove();
        }
        self.flows.get_mut(at)?.take()
    }

    /// Takes out the flows at these places.
    fn take_all(&mut self, places: Vec<usize>) -> Vec<OpenFlow<S>> {
        let taken = places.into_iter().filter_map(|at| self.take(at)).collect();
        if self.holes() > self.len() / FLOWS_OF_A_HOLE {
            self.close_up();
        }
        taken
    }

    fn holes(&self) -> usize {
        self.flows.len() - self.len()
    }

    /// Empties the table, keeping its memory; the flows come in order of appearance.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (u64, OpenFlow<S>)> + '_ {
        self.index.clear();
        self.hashes.drain(..).zip(self.flows.drain(..)).filter_map(|(hash, flow)| Some((hash, flow?)))
    }

    /// Takes out all flows of devices for which `is_taken` holds, in order of appearance.
    pub(super) fn take_of(&mut self, is_taken: impl Fn(DeviceIndex) -> bool) -> Vec<OpenFlow<S>> {
        let flows = self.flows.iter().enumerate().filter_map(|(at, flow)| Some((at, flow.as_ref()?)));
        let places = flows.filter(|(_, flow)| is_taken(flow.key.device)).map(|(at, _)| at);
        self.take_all(places.collect())
    }

    /// Takes out as many flows of each device as it owes, as far as there are so many: those that were silent for longest.
    /// They come in order of appearance, and are owed no more. `owed` is by the number of the device.
    pub(super) fn take_owed(&mut self, owed: &mut [usize]) -> Vec<OpenFlow<S>> {
        let is_debtor =
            |flow: &OpenFlow<S>| owed.get(flow.key.device.as_usize()).is_some_and(|debt| *debt > 0);
        let flows = self.flows.iter().enumerate().filter_map(|(at, flow)| Some((at, flow.as_ref()?)));
        let mut of_debtors: Vec<(DeviceIndex, Timestamp, usize)> = Vec::with_capacity(self.len());
        of_debtors.extend(
            flows.filter(|(_, flow)| is_debtor(flow)).map(|(at, flow)| (flow.key.device, flow.last, at)),
        );
        of_debtors.sort_unstable();
        let mut places = Vec::new();
        for (device, _, at) in of_debtors {
            if let Some(debt) = owed.get_mut(device.as_usize()).filter(|debt| **debt > 0) {
                *debt -= 1;
                places.push(at);
            }
        }
        places.sort_unstable();
        self.take_all(places)
    }

    /// Moves flows into the holes before them, and finds them at their places from now on.
    fn close_up(&mut self) {
        if self.flows.iter().all(Option::is_some) {
            return;
        }
        let mut next = 0..;
        let place = |flow: &Option<OpenFlow<S>>| match flow {
            Some(_) => next.next().unwrap_or(GONE),
            None => GONE,
        };
        let places: Vec<u32> = self.flows.iter().map(place).collect();
        let mut is_kept = places.iter().map(|place| *place != GONE);
        self.hashes.retain(|_| is_kept.next() == Some(true));
        self.flows.retain(Option::is_some);
        self.index.retain(|at| {
            *at = places.get(*at as usize).copied().unwrap_or(GONE);
            *at != GONE
        });
    }
}
