use hashbrown::HashTable;

use super::flow::{FlowEnd, OpenFlow};
use super::key::FlowKey;
use super::options::FlowEnding;
use crate::Timestamp;

/// Flows that were taken out leave holes; they are closed up when there are more of them than flows, and than this.
const MOST_HOLES: usize = 1024;

/// The flows of one window, in order of appearance.
#[derive(Debug)]
pub(super) struct Table<S> {
    flows: Vec<Option<OpenFlow<S>>>,
    hashes: Vec<u64>,
    index: HashTable<u32>,
}

impl<S> Table<S> {
    pub(super) fn new() -> Self {
        Self { flows: Vec::new(), hashes: Vec::new(), index: HashTable::new() }
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
        self.flows.push(Some(flow));
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.index.insert_unique(hash, at, |&at| hashes.get(at as usize).copied().unwrap_or_default());
    }

    /// Takes out a flow.
    pub(super) fn remove(&mut self, hash: u64, key: &FlowKey) -> Option<OpenFlow<S>> {
        let at = self.position(hash, key)?;
        if let Ok(entry) = self.index.find_entry(hash, |&other| other as usize == at) {
            entry.remove();
        }
        let flow = self.flows.get_mut(at)?.take();
        if self.flows.len() - self.index.len() > self.index.len() + MOST_HOLES {
            self.close_up();
        }
        flow
    }

    /// Empties the table, keeping its memory; the flows come in order of appearance.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (u64, OpenFlow<S>)> + '_ {
        self.index.clear();
        self.hashes.drain(..).zip(self.flows.drain(..)).filter_map(|(hash, flow)| Some((hash, flow?)))
    }

    /// Makes room: takes out the flows that are over by `now`, or where that is less than an eighth, the eighth
    /// that was silent for longest.
    pub(super) fn evict(&mut self, now: Timestamp, ending: FlowEnding) -> Vec<(OpenFlow<S>, FlowEnd)> {
        let share = (self.len() / 8).max(1);
        let mut lasts: Vec<Timestamp> = self.iter().map(|flow| flow.last).collect();
        let (_, &mut oldest, _) = lasts.select_nth_unstable(share - 1);
        let over = self.iter().filter(|flow| flow.is_over(now, ending)).count();
        let (mut kept, mut out) = (Vec::with_capacity(self.len()), Vec::new());
        for (hash, flow) in self.drain() {
            if flow.is_over(now, ending) {
                out.push((flow, FlowEnd::Idle));
            } else if over < share && flow.last <= oldest {
                out.push((flow, FlowEnd::Evicted));
            } else {
                kept.push((hash, flow));
            }
        }
        for (hash, flow) in kept {
            self.insert(hash, flow);
        }
        out
    }

    fn close_up(&mut self) {
        let kept: Vec<_> = self.drain().collect();
        for (hash, flow) in kept {
            self.insert(hash, flow);
        }
    }
}
