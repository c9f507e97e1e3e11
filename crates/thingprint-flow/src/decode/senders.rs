use std::collections::{BTreeMap, HashMap};

use crate::{DeviceId, DeviceIndex, FairCap};

/// Most senders that are remembered because a datagram of theirs was complete.
const MOST_KNOWN: usize = 4096;
/// What is freed at once where there are more, as a share of them.
const FREED_SHARE: usize = 8;

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
    /// Number of datagrams that were complete so far.
    completions: u64,
}

#[derive(Clone, Copy, Debug)]
struct Sender {
    index: DeviceIndex,
    /// Datagrams that wait.
    waiting: usize,
    /// Number of the last datagram that was complete; `None` where none was.
    known: Option<u64>,
}

impl Senders {
    /// Senders that share so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            cap: FairCap::new(bytes),
            by_id: HashMap::new(),
            ids: Vec::new(),
            free: Vec::new(),
            known: 0,
            completions: 0,
        }
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
        self.by_id.insert(id, Sender { index, waiting: 1, known: None });
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
        if is_complete {
            self.completions += 1;
            self.known += usize::from(sender.known.is_none());
            sender.known = Some(self.completions);
            self.cap.establish(index);
        }
        if sender.waiting == 0 && sender.known.is_none() {
            self.forget(id, index);
        }
        if self.known > MOST_KNOWN {
            self.forget_known();
        }
    }

    /// Forgets senders whose last complete datagram was longest ago; one of which datagrams wait is as if none was complete.
    #[cold]
    fn forget_known(&mut self) {
        let known = self.by_id.iter().filter_map(|(id, sender)| Some((sender.known?, *id)));
        let mut known: Vec<(u64, DeviceId)> = known.collect();
        known.sort_unstable();
        for (_, id) in known.into_iter().take(self.known - (MOST_KNOWN - MOST_KNOWN / FREED_SHARE)) {
            let Some(sender) = self.by_id.get_mut(&id) else { continue };
            self.known -= 1;
            sender.known = None;
            let Sender { index, waiting, .. } = *sender;
            if waiting == 0 {
                self.forget(id, index);
            } else {
                self.cap.demote(index);
            }
        }
    }

    fn forget(&mut self, id: DeviceId, index: DeviceIndex) {
        self.by_id.remove(&id);
        self.cap.forget(index);
        self.free.push(index);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MacAddr;

    fn sender(number: u32) -> DeviceId {
        let [a, b, c, d] = number.to_be_bytes();
        DeviceId::Mac(MacAddr::new([2, 0, a, b, c, d]))
    }

    fn complete(senders: &mut Senders, number: u32) -> DeviceIndex {
        let index = senders.begin(sender(number));
        senders.end(index, 0, true);
        index
    }

    #[test]
    fn a_sender_is_established_however_many_were_before_it() {
        let mut senders = Senders::new(1000);
        for number in 0..20_000 {
            complete(&mut senders, number);
            assert!(senders.by_id.len() <= MOST_KNOWN && senders.known == senders.by_id.len(), "{number}");
        }
        let index = complete(&mut senders, 20_000);
        assert!(senders.cap.is_established(index));
        // Who was not heard of for long begins anew.
        let index = senders.begin(sender(0));
        assert!(!senders.cap.is_established(index));
    }
}
