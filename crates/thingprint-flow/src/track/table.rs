use hashbrown::HashTable;

use super::flow::{FlowEnd, OpenFlow};
use super::key::FlowKey;
use super::options::FlowEnding;
use crate::Timestamp;

/// The flows of one window, in order of appearance.
#[derive(Debug)]
pub(super) struct Table<S> {
    flows: Vec<OpenFlow<S>>,
    hashes: Vec<u64>,
    index: HashTable<u32>,
}

impl<S> Table<S> {
    pub(super) fn new() -> Self {
        Self { flows: Vec::new(), hashes: Vec::new(), index: HashTable::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.flows.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &OpenFlow<S>> {
        self.flows.iter()
    }

    /// Where the flow of `key` stands.
    #[inline]
    pub(super) fn position(&self, hash: u64, key: &FlowKey) -> Option<usize> {
        self.index.find(hash, |&at| self.flows[at as usize].key == *key).map(|&at| at as usize)
    }

    pub(super) fn get(&self, hash: u64, key: &FlowKey) -> Option<&OpenFlow<S>> {
        self.position(hash, key).map(|at| &self.flows[at])
    }

    #[inline]
    pub(super) fn at(&mut self, position: usize) -> &mut OpenFlow<S> {
        &mut self.flows[position]
    }

    pub(super) fn insert(&mut self, hash: u64, flow: OpenFlow<S>) -> usize {
        let at = self.flows.len();
        self.flows.push(flow);
        self.hashes.push(hash);
        self.link(at);
        at
    }

    /// Empties the table, keeping its memory; the flows come in order of appearance.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (u64, OpenFlow<S>)> + '_ {
        self.index.clear();
        self.hashes.drain(..).zip(self.flows.drain(..))
    }

    /// Takes out the flows that are over by `now`, in order of appearance.
    pub(super) fn take_idle(&mut self, now: Timestamp, ending: FlowEnding) -> Vec<OpenFlow<S>> {
        if !self.flows.iter().any(|flow| flow.is_over(now, ending)) {
            return Vec::new();
        }
        let (over, kept): (Vec<_>, Vec<_>) = self.drain().partition(|(_, flow)| flow.is_over(now, ending));
        for (hash, flow) in kept {
            self.insert(hash, flow);
        }
        over.into_iter().map(|(_, flow)| flow).collect()
    }

    /// Makes room: takes out the flows that are over by `now`, or where that is less than an eighth, the eighth
    /// that was silent for longest.
    pub(super) fn evict(&mut self, now: Timestamp, ending: FlowEnding) -> Vec<(OpenFlow<S>, FlowEnd)> {
        let is_over = |flow: &OpenFlow<S>| flow.is_over(now, ending);
        let share = (self.flows.len() / 8).max(1);
        let mut lasts: Vec<Timestamp> = self.flows.iter().map(|flow| flow.last).collect();
        let (_, &mut oldest, _) = lasts.select_nth_unstable(share - 1);
        let over = self.flows.iter().filter(|flow| is_over(flow)).count();
        let (mut kept, mut out) = (Vec::with_capacity(self.flows.len()), Vec::new());
        for (hash, flow) in self.drain() {
            if is_over(&flow) {
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

    fn link(&mut self, at: usize) {
        let Ok(short) = u32::try_from(at) else { return };
        let hashes = &self.hashes;
        self.index.insert_unique(hashes[at], short, |&at| hashes[at as usize]);
    }
}
