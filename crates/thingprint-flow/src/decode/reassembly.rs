use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::quality::FixedState;

use super::aged::Aged;
use super::counts::{DecodeCounts, Malformed};
use super::coverage::Coverage;
use super::network::{Body, Fragment, Network};
use super::senders::Senders;
use crate::track::excess_over;
use crate::{DeviceId, DeviceIndex, LossKind, Timestamp};

/// Largest payload of a datagram in fragments (RFC 791 §3.2, RFC 8200 §4.5).
const MAX_DATAGRAM: usize = 65_535;

/// What a fragment costs besides its bytes: an entry in each of three trees.
const FRAGMENT_OVERHEAD: usize = 128;
/// What a datagram costs besides its fragments: its entry and its key, and a part of its sender's.
const DATAGRAM_OVERHEAD: usize = 512;

/// Bounds of the memory and patience spent on fragments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Datagrams that are remembered after they were complete.
    pub(super) complete: usize,
    /// Bytes held for datagrams that wait, bookkeeping included; and as many for those that were complete.
    pub(super) bytes: usize,
    /// Time from the first fragment that came to the last (RFC 8200 §4.5), in nanoseconds.
    pub(super) patience_ns: i64,
}

/// Puts datagrams together from their fragments (RFC 791 §3.2, RFC 8200 §4.5).
///
/// Senders share the bytes for datagrams that wait: where there are too many, the sender with most lets go of its oldest. A gateway
/// is the sender of all that comes from outside, so those to the address with most go first.
/// Where fragments overlap, the bytes that came first stay. A datagram is complete by the lengths in the headers,
/// also when a snap length left out bytes. Complete ones are remembered for a while, so that a fragment captured
/// twice does not begin a datagram that never ends.
#[derive(Debug)]
pub(super) struct Reassembly {
    limits: Limits,
    waiting: Aged<Key, Datagram>,
    senders: Senders,
    complete: Aged<Key, Digests>,
    /// Payload of the datagram that was completed last.
    payload: Vec<u8>,
}

/// What the fragments of a datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    /// The protocol for IPv4; IPv6 takes it from the first fragment alone.
    protocol: u8,
}

/// A datagram that waits for fragments.
#[derive(Debug)]
struct Datagram {
    sender: DeviceIndex,
    /// Bytes that the sender's share was asked for.
    held_bytes: usize,
    total_bytes: u32,
    wire_bytes: u32,
    /// Time to live and protocol, of the fragment with offset 0.
    first: Option<(u8, u8)>,
    /// Length of the payload, once the last fragment is there.
    length: Option<usize>,
    payload: Vec<u8>,
    /// What was captured of the payload.
    captured: Coverage,
    /// What is there by the headers.
    there: Coverage,
    /// Digest of each fragment, by offset, length and whether others follow.
    fragments: BTreeMap<(usize, usize, bool), u64>,
}

/// Digests of all fragments of a datagram, sorted.
type Digests = Vec<u64>;

impl Reassembly {
    /// Adds a fragment that a host sent, and returns the datagram if this completes it.
    ///
    /// `now` is the highest time seen so far.
    pub(super) fn add(
        &mut self,
        now: Timestamp,
        (sender, part): (DeviceId, &Network<'_>),
        fragment: Fragment,
        counts: &mut DecodeCounts,
    ) -> Result<Option<Network<'_>>, Malformed> {
        let end = check(&part.body, fragment)?;
        let oldest = now.plus_nanos(-self.limits.patience_ns);
        self.expire(oldest, counts);
        self.complete.expire(oldest);

        let key = Key::of(part, fragment);
        let digest = digest(&part.body, fragment);
        if self.complete.get_mut(&key).is_some_and(|seen| seen.binary_search(&digest).is_ok()) {
            counts.fragments_repeated += 1;
            return Ok(None);
        }
        if self.waiting.get_mut(&key).is_none() {
            self.waiting.insert(key, now, Datagram::of(self.senders.begin(sender)));
        }
        let Some(datagram) = self.waiting.get_mut(&key) else { return Ok(None) };
        if datagram.contradicts(fragment, end) {
            return Err(Malformed::Fragment);
        }
        if !datagram.add(part, fragment, digest) {
            counts.fragments_repeated += 1;
        }
        if datagram.is_complete() {
            counts.datagrams += 1;
            return Ok(self.finish(key, now));
        }
        let more = datagram.bytes().saturating_sub(datagram.held_bytes);
        datagram.held_bytes += more;
        let sender = datagram.sender;
        if self.senders.take(sender, more) {
            self.make_room(counts);
        }
        Ok(None)
    }

    /// Gives up every datagram that still waits.
    pub(super) fn end(&mut self, now: Timestamp, counts: &mut DecodeCounts) {
        self.expire(now.plus_nanos(-self.limits.patience_ns), counts);
        counts.datagrams_cut += self.expire(Timestamp::MAX, counts);
    }

    /// Gives up the datagrams that began to wait before a time, and says how many.
    fn expire(&mut self, oldest: Timestamp, counts: &mut DecodeCounts) -> u64 {
        let expired = self.waiting.expire(oldest);
        for datagram in &expired {
            self.senders.end(datagram.sender, datagram.held_bytes, false);
        }
        counts.datagrams_expired += expired.len() as u64;
        expired.len() as u64
    }

    /// Gives up datagrams of the senders that have most, the oldest first.
    #[cold]
    fn make_room(&mut self, counts: &mut DecodeCounts) {
        let mut owed = self.owed();
        let mut given_up = Vec::new();
        for (key, datagram) in self.waiting.iter() {
            let debt = owed.get_mut(&(datagram.sender, key.dst));
            if let Some(debt) = debt.filter(|debt| **debt > 0) {
                *debt = debt.saturating_sub(datagram.held_bytes);
                given_up.push(*key);
            }
        }
        for datagram in given_up.iter().filter_map(|key| self.waiting.remove(key)).collect::<Vec<_>>() {
            counts.datagrams_dropped += 1;
            if let Some(id) = self.senders.id(datagram.sender) {
                counts.left_out.add(id, LossKind::DATAGRAMS, 1);
            }
            self.senders.end(datagram.sender, datagram.held_bytes, false);
        }
    }

    /// The bytes of which senders have to let go, by the address that their datagrams are for.
    fn owed(&self) -> BTreeMap<(DeviceIndex, IpAddr), usize> {
        let owed = self.senders.owed();
        let mut held: BTreeMap<DeviceIndex, BTreeMap<IpAddr, usize>> = BTreeMap::new();
        for (key, datagram) in self.waiting.iter().filter(|(_, datagram)| owed.contains_key(&datagram.sender))
        {
            *held.entry(datagram.sender).or_default().entry(key.dst).or_default() += datagram.held_bytes;
        }
        let mut all = BTreeMap::new();
        for (sender, receivers) in held {
            let bytes: Vec<usize> = receivers.values().copied().collect();
            let kept = bytes.iter().sum::<usize>().saturating_sub(owed.get(&sender).copied().unwrap_or(0));
            let excess = receivers.keys().zip(excess_over(kept, &bytes));
            all.extend(excess.map(|(receiver, excess)| ((sender, *receiver), excess)));
        }
        all
    }

    /// Takes a complete datagram out and remembers its fragments.
    fn finish(&mut self, key: Key, now: Timestamp) -> Option<Network<'_>> {
        let mut datagram = self.waiting.remove(&key)?;
        self.senders.end(datagram.sender, datagram.held_bytes, true);
        let (ttl, protocol) = datagram.first?;
        let length = datagram.length?;
        datagram.payload.truncate(datagram.captured.prefix().min(length));
        self.payload = datagram.payload;
        self.remember(key, now, datagram.fragments.into_values().collect());
        Some(Network {
            src: key.src,
            dst: key.dst,
            ttl,
            // What a stack does with fragments is not what it does with whole packets.
            tos: 0,
            is_unfragmentable: false,
            is_unidentified: false,
            total_bytes: datagram.total_bytes,
            wire_bytes: datagram.wire_bytes,
            body: Body { protocol, captured: &self.payload, length },
            fragment: None,
            is_cut: false,
        })
    }

    fn remember(&mut self, key: Key, now: Timestamp, mut digests: Digests) {
        digests.sort_unstable();
        let bytes = digests.len() * size_of::<u64>();
        self.complete.remove(&key);
        self.complete.insert(key, now, digests);
        self.complete.set_bytes(&key, bytes);
        self.complete.shrink(self.limits.complete, self.limits.bytes);
    }
}

impl Datagram {
    const fn of(sender: DeviceIndex) -> Self {
        Self {
            sender,
            held_bytes: 0,
            total_bytes: 0,
            wire_bytes: 0,
            first: None,
            length: None,
            payload: Vec::new(),
            captured: Coverage::new(),
            there: Coverage::new(),
            fragments: BTreeMap::new(),
        }
    }

    /// Whether a fragment lies past the end of the datagram, or ends it elsewhere than another did.
    fn contradicts(&self, fragment: Fragment, end: usize) -> bool {
        match self.length {
            Some(length) => end > length || (!fragment.more && end != length),
            None => !fragment.more && end < self.there.end(),
        }
    }

    /// Adds a fragment; false if one of this place and length was there before. Bytes that were not captured
    /// then are taken all the same.
    fn add(&mut self, part: &Network<'_>, fragment: Fragment, digest: u64) -> bool {
        let Fragment { offset, more, .. } = fragment;
        let Body { protocol, captured, length } = part.body;
        self.write(offset, captured);
        if self.fragments.insert((offset, length, more), digest).is_some() {
            return false;
        }
        self.there.add(offset..offset + length);
        self.total_bytes = self.total_bytes.saturating_add(part.total_bytes);
        self.wire_bytes = self.wire_bytes.saturating_add(part.wire_bytes);
        if offset == 0 {
            self.first.get_or_insert((part.ttl, protocol));
        }
        if !more {
            self.length = Some(offset + length);
        }
        true
    }

    /// Writes bytes where none are yet.
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        for missing in self.captured.add(offset..offset + bytes.len()) {
            if self.payload.len() < missing.end {
                self.payload.resize(missing.end, 0);
            }
            let source = bytes.get(missing.start - offset..missing.end - offset);
            if let (Some(target), Some(source)) = (self.payload.get_mut(missing), source) {
                target.copy_from_slice(source);
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.length.is_some_and(|length| self.there.prefix() >= length)
    }

    fn bytes(&self) -> usize {
        DATAGRAM_OVERHEAD + self.payload.len() + self.fragments.len() * FRAGMENT_OVERHEAD
    }
}

impl Key {
    fn of(part: &Network<'_>, fragment: Fragment) -> Self {
        let protocol = if part.src.is_ipv4() { part.body.protocol } else { 0 };
        Self { src: part.src, dst: part.dst, id: fragment.id, protocol }
    }
}

impl Default for Reassembly {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            limits,
            waiting: Aged::default(),
            senders: Senders::new(limits.bytes),
            complete: Aged::default(),
            payload: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { complete: 1024, bytes: 16 * 1024 * 1024, patience_ns: 60_000_000_000 }
    }
}

/// Where the fragment ends in its datagram, if it can be one.
fn check(body: &Body<'_>, fragment: Fragment) -> Result<usize, Malformed> {
    let end = fragment.offset + body.length;
    let is_aligned = !fragment.more || body.length.is_multiple_of(8);
    if body.length == 0 || end > MAX_DATAGRAM || !is_aligned {
        return Err(Malformed::Fragment);
    }
    Ok(end)
}

/// Tells a fragment that was captured twice from one of a later datagram with the same number.
fn digest(body: &Body<'_>, fragment: Fragment) -> u64 {
    FixedState::with_seed(0).hash_one((fragment.offset, fragment.more, body.length, body.captured))
}
