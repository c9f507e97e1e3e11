use std::collections::{BTreeMap, HashMap};

use crate::{DeviceId, DeviceIndex, FairCap};

/// Most senders that are remembered because a datagram of theirs was complete.
const MOST_KNOWN: usize = 4096;

/// The senders of fragments, who share the bytes for datagrams that wait.
///
/// A sender is established when a datagram of it was complete: it is no address of which single fragments are made up.
#[derive(Debug)]
pub(super) struct Senders {
    cap: FairCap,
    by_id: HashMap<DeviceId, Sender>,
    ids: Vec<DeviceId>,
    free: Vec<DeviceIndex>,
    known: usize,
}

#[derive(Clone, Copy, Debug)]
struct Sender {
    index: DeviceIndex,
    /// Datagrams that wait.
    waiting: usize,
    is_known: bool,
}

impl Senders {
    /// Senders that share so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self { cap: FairCap::new(bytes), by_id: HashMap::new(), ids: Vec::new(), free: Vec::new(), known: 0 }
    }

    /// A datagram of a sender begins to wait.
    pub(super) fn begin(&mut self, id: DeviceId) -> DeviceIndex {
        if let Some(sender) = self.by_id.get_mut(&id) {
            sender.waiting += 1;
            return sender.index;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
            self.ids.push(id);
            DeviceIndex::new(next)
        });
        if let Some(place) = self.ids.get_mut(index.as_usize()) {
            *place = id;
        }
        self.by_id.insert(id, Sender { index, waiting: 1, is_known: false });
        index
    }

    /// A datagram of a sender takes more bytes; says whether there are too many now.
    pub(super) fn take(&mut self, sender: DeviceIndex, bytes: usize) -> bool {
        self.cap.take(sender, bytes)
    }

    /// A datagram of a sender, which took so many bytes, waits no more.
    pub(super) fn end(&mut self, index: DeviceIndex, bytes: usize, is_complete: bool) {
        self.cap.give_back(index, bytes);
        let Some(id) = self.id(index) else { return };
        let Some(sender) = self.by_id.get_mut(&id) else { return };
        sender.waiting = sender.waiting.saturating_sub(1);
        if is_complete && !sender.is_known && self.known < MOST_KNOWN {
            sender.is_known = true;
            self.known += 1;
            self.cap.establish(index);
        }
        if sender.waiting == 0 && !sender.is_known {
            self.by_id.remove(&id);
            self.cap.forget(index);
            self.free.push(index);
        }
    }

    /// The id of a sender.
    pub(super) fn id(&self, index: DeviceIndex) -> Option<DeviceId> {
        self.ids.get(index.as_usize()).copied()
    }

    /// The bytes of which senders have to let go.
    pub(super) fn owed(&self) -> BTreeMap<DeviceIndex, usize> {
        self.cap.excess().into_iter().collect()
    }
}
