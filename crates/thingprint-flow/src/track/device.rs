use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::flow::Flow;
use crate::{DeviceId, Timestamp};

/// A packet has two devices, which need room at once.
const FEWEST_DEVICES: usize = 2;
/// What is freed at once where there is no room, as a share of the most devices.
const FREED_SHARE: usize = 8;
/// The part of the devices that were hardly answered, at most: they are kept as well, but cost next to nothing to make up.
const HARDLY_ANSWERED_SHARE: usize = 2;
/// Flows with an answer from which on a device is more than hardly answered.
const FEW_ANSWERS: u32 = 2;

/// Number of a device inside one tracker; devices that are forgotten give theirs back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceIndex(u32);

impl DeviceIndex {
    /// The device of this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number as an index of a slice.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// The devices of a trace.
#[derive(Debug)]
pub(super) struct Devices {
    ids: Vec<DeviceId>,
    seen: Vec<Seen>,
    free: Vec<u32>,
    table: HashTable<u32>,
    hasher: RandomState,
    /// The place of the device that was found last, nearly always the next one's, too; that of none where it was forgotten.
    latest: usize,
    max: usize,
    /// Devices that were hardly answered, and the most of them.
    hardly_answered: usize,
    max_hardly_answered: usize,
}

/// What is known of a device.
#[derive(Clone, Copy, Debug)]
struct Seen {
    last: Timestamp,
    /// Flows in which somebody answered it.
    answers: u32,
}

/// What looking up a device gave.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    /// It was known.
    Known(Known),
    /// It is new.
    New,
}

/// A device that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) device: DeviceIndex,
    pub(super) is_established: bool,
}

impl Devices {
    pub(super) fn new(max: usize) -> Self {
        Self {
            ids: Vec::new(),
            seen: Vec::new(),
            free: Vec::new(),
            table: HashTable::new(),
            hasher: RandomState::default(),
            latest: usize::MAX,
            max: max.max(FEWEST_DEVICES),
            hardly_answered: 0,
            max_hardly_answered: (max / HARDLY_ANSWERED_SHARE).max(FEWEST_DEVICES),
        }
    }

    /// The id of a device.
    pub(super) fn id(&self, device: DeviceIndex) -> Option<DeviceId> {
        self.ids.get(device.as_usize()).copied()
    }

    /// The ids by index; that of a forgotten device stays until its index is given away again.
    pub(super) fn ids(&self) -> &[DeviceId] {
        &self.ids
    }

    /// Whether somebody answered a device.
    pub(super) fn is_established(&self, device: DeviceIndex) -> bool {
        self.seen.get(device.as_usize()).is_some_and(|seen| seen.answers > 0)
    }

    /// A flow that was closed, with whether somebody answered its device.
    pub(super) fn mark<S>(&self, flow: Flow<S>) -> Flow<S> {
        Flow { is_established: self.is_established(flow.device), ..flow }
    }

    /// Somebody answered a device.
    pub(super) fn note_answer(&mut self, device: DeviceIndex) {
        let Some(seen) = self.seen.get_mut(device.as_usize()) else { return };
        seen.answers = seen.answers.saturating_add(1);
        self.hardly_answered -= usize::from(seen.answers == FEW_ANSWERS);
    }

    /// Looks up a device that was seen at `now`, and remembers it.
    #[inline]
    pub(super) fn find(&mut self, id: DeviceId, now: Timestamp) -> Found {
        if self.ids.get(self.latest) != Some(&id) {
            let hash = self.hasher.hash_one(id);
            let found = self.table.find(hash, |&at| self.ids.get(at as usize) == Some(&id));
            let Some(&at) = found else { return Found::New };
            self.latest = at as usize;
        }
        let (Some(seen), Ok(at)) = (self.seen.get_mut(self.latest), u32::try_from(self.latest)) else {
            return Found::New;
        };
        seen.last = now;
        Found::Known(Known { device: DeviceIndex(at), is_established: seen.answers > 0 })
    }

    /// Whether there is no room for another device, which nobody has answered yet.
    pub(super) fn is_full(&self) -> bool {
        self.table.len() >= self.max || self.hardly_answered >= self.max_hardly_answered
    }

    /// Remembers a device that is new.
    pub(super) fn add(&mut self, id: DeviceId, now: Timestamp) -> Option<DeviceIndex> {
        let hash = self.hasher.hash_one(id);
        let next = || u32::try_from(self.ids.len()).ok();
        let at = self.free.pop().or_else(next)?;
        let new = Seen { last: now, answers: 0 };
        if let (Some(old), Some(seen)) = (self.ids.get_mut(at as usize), self.seen.get_mut(at as usize)) {
            (*old, *seen) = (id, new);
        } else {
            self.ids.push(id);
            self.seen.push(new);
        }
        let (ids, hasher) = (&self.ids, &self.hasher);
        let hash_of = |&at: &u32| ids.get(at as usize).map_or(0, |id| hasher.hash_one(id));
        self.table.insert_unique(hash, at, hash_of);
        self.hardly_answered += 1;
        Some(DeviceIndex(at))
    }

    /// Forgets the devices that were not seen since `since`.
    pub(super) fn forget(&mut self, since: Timestamp) -> Vec<DeviceIndex> {
        let is_silent = |&at: &u32| self.seen.get(at as usize).is_some_and(|seen| seen.last < since);
        let mut silent: Vec<u32> = self.table.iter().copied().filter(is_silent).collect();
        // The table has no order, and the indices are given out again in that of this list.
        silent.sort_unstable();
        let silent: Vec<DeviceIndex> = silent.into_iter().map(DeviceIndex).collect();
        silent.iter().rev().for_each(|device| self.remove(*device));
        silent
    }

    /// Forgets a device; its index is given to another one.
    pub(super) fn remove(&mut self, device: DeviceIndex) {
        let Some(id) = self.id(device) else { return };
        let hash = self.hasher.hash_one(id);
        if let Ok(entry) = self.table.find_entry(hash, |&other| other == device.0) {
            entry.remove();
            self.free.push(device.0);
            if self.latest == device.as_usize() {
                self.latest = usize::MAX;
            }
            let is_hardly = self.seen.get(device.as_usize()).is_some_and(|seen| seen.answers < FEW_ANSWERS);
            self.hardly_answered -= usize::from(is_hardly);
        }
    }

    /// The devices that are worth least, as many as have to go that an eighth of the room is free again: those that nobody
    /// answered come first, then those that were answered in the fewest flows, to a power of two; and among these those that
    /// were silent for longest. An address costs nothing to make up, and its answers cost a frame or two each. `kept` is not
    /// among them.
    pub(super) fn least(&self, kept: Option<DeviceIndex>) -> Vec<DeviceIndex> {
        let beyond = |count: usize, max: usize| count.saturating_sub(max - max / FREED_SHARE);
        let many = if self.hardly_answered >= self.max_hardly_answered {
            beyond(self.hardly_answered, self.max_hardly_answered)
        } else {
            beyond(self.table.len(), self.max)
        };
        let many = many.max(1);
        let others = self.table.iter().copied().filter(|&at| Some(DeviceIndex(at)) != kept);
        let worth = |at: u32| {
            let seen = self.seen.get(at as usize)?;
            Some((seen.answers.checked_ilog2(), seen.last, at))
        };
        let mut order = Vec::with_capacity(self.table.len());
        order.extend(others.filter_map(worth));
        if many < order.len() {
            order.select_nth_unstable(many);
            order.truncate(many);
        }
        order.sort_unstable();
        order.into_iter().map(|(_, _, at)| DeviceIndex(at)).collect()
    }
}

/// Whether an address is one that a device in a local network has: RFC 1918, RFC 3927, RFC 4193, RFC 4291 §2.5.6.
pub fn is_private(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => addr.is_private() || addr.is_link_local(),
        IpAddr::V6(addr) => addr.is_unique_local() || addr.is_unicast_link_local(),
    }
}
