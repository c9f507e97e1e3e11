use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::flow::Flow;
use crate::{DeviceId, Timestamp};

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
    max: usize,
    pub(super) dropped: u64,
}

/// What is known of a device.
#[derive(Clone, Copy, Debug)]
struct Seen {
    last: Timestamp,
    /// Whether somebody answered it.
    is_established: bool,
}

/// What looking up a device gave.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    /// It was known.
    Known(Known),
    /// It is new.
    New(DeviceIndex),
    /// It is new, and there is no room for it.
    Dropped,
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
            max,
            dropped: 0,
        }
    }

    /// The ids by index; that of a forgotten device stays until its index is given away again.
    pub(super) fn ids(&self) -> &[DeviceId] {
        &self.ids
    }

    /// Whether somebody answered a device.
    pub(super) fn is_established(&self, device: DeviceIndex) -> bool {
        self.seen.get(device.as_usize()).is_some_and(|seen| seen.is_established)
    }

    /// A flow that was closed, with whether somebody answered its device.
    pub(super) fn mark<S>(&self, flow: Flow<S>) -> Flow<S> {
        Flow { is_established: self.is_established(flow.device), ..flow }
    }

    /// Somebody answered a device; says whether that is the first time.
    pub(super) fn establish(&mut self, device: DeviceIndex) -> bool {
        let seen = self.seen.get_mut(device.as_usize());
        seen.is_some_and(|seen| !std::mem::replace(&mut seen.is_established, true))
    }

    /// Looks up a device that was seen at `now`, and remembers it.
    #[inline]
    pub(super) fn find(&mut self, id: DeviceId, now: Timestamp) -> Found {
        let hash = self.hasher.hash_one(id);
        let found = self.table.find(hash, |&at| self.ids.get(at as usize) == Some(&id));
        if let Some(&at) = found
            && let Some(seen) = self.seen.get_mut(at as usize)
        {
            seen.last = now;
            let is_established = seen.is_established;
            return Found::Known(Known { device: DeviceIndex(at), is_established });
        }
        self.add(id, hash, now)
    }

    fn add(&mut self, id: DeviceId, hash: u64, now: Timestamp) -> Found {
        if self.table.len() >= self.max {
            self.dropped += 1;
            return Found::Dropped;
        }
        let next = || u32::try_from(self.ids.len()).ok();
        let Some(at) = self.free.pop().or_else(next) else { return Found::Dropped };
        let new = Seen { last: now, is_established: false };
        if let (Some(old), Some(seen)) = (self.ids.get_mut(at as usize), self.seen.get_mut(at as usize)) {
            (*old, *seen) = (id, new);
        } else {
            self.ids.push(id);
            self.seen.push(new);
        }
        let (ids, hasher) = (&self.ids, &self.hasher);
        let hash_of = |&at: &u32| ids.get(at as usize).map_or(0, |id| hasher.hash_one(id));
        self.table.insert_unique(hash, at, hash_of);
        Found::New(DeviceIndex(at))
    }

    /// Forgets the devices that were not seen since `since`.
    pub(super) fn forget(&mut self, since: Timestamp) -> Vec<DeviceIndex> {
        let is_silent = |&at: &u32| self.seen.get(at as usize).is_some_and(|seen| seen.last < since);
        let mut silent: Vec<u32> = self.table.iter().copied().filter(is_silent).collect();
        // The table has no order, and the indices are given out again in that of this list.
        silent.sort_unstable();
        for &at in &silent {
            let Some(id) = self.ids.get(at as usize) else { continue };
            let hash = self.hasher.hash_one(id);
            if let Ok(entry) = self.table.find_entry(hash, |&other| other == at) {
                entry.remove();
            }
        }
        self.free.extend(silent.iter().rev());
        silent.into_iter().map(DeviceIndex).collect()
    }
}

/// Whether an address is one that a device in a local network has: RFC 1918, RFC 3927, RFC 4193, RFC 4291 §2.5.6.
pub fn is_private(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => addr.is_private() || addr.is_link_local(),
        IpAddr::V6(addr) => addr.is_unique_local() || addr.is_unicast_link_local(),
    }
}
