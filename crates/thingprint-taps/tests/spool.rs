//! What waits on the disk of a tap and of a collector.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::Path;
use std::time::Duration;

use thingprint_flow::Timestamp;
use thingprint_taps::{
    Depot, Name, Outbound, Outgoing, Parcel, ParcelHead, Position, Publisher, RunId, Spool, TapsError,
    TransportOptions, TransportSpec,
};

fn parcel(number: u64, bytes: usize) -> Parcel {
    let number_s = i64::try_from(number).unwrap() * 3600;
    let head = ParcelHead {
        network: "home".parse().unwrap(),
        tap: "attic".parse().unwrap(),
        run: RunId { begun: Timestamp::from_seconds(1000), salt: 1 },
        number,
        span: Some((Timestamp::from_seconds(number_s), Timestamp::from_seconds(number_s + 3599))),
        window: Timestamp::from_seconds(number_s),
        until: Timestamp::from_seconds(number_s + 3902),
        is_last: false,
        is_dropped: false,
    };
    Parcel { head, part: vec![7; bytes] }
}

/// What a spool would send: number, and whether the part is there.
fn sent(spool: &mut Spool) -> Vec<(u64, bool)> {
    let mut sent = Vec::new();
    while let Some((name, bytes)) = spool.first().unwrap() {
        let parcel = Parcel::from_bytes(&bytes, "spool").unwrap();
        assert_eq!(parcel.head.is_dropped, parcel.part.is_empty());
        sent.push((parcel.head.number, !parcel.part.is_empty()));
        spool.remove(&name).unwrap();
    }
    sent
}

fn open(folder: &Path) -> Spool {
    Spool::open(folder, 10_000).unwrap()
}

#[test]
fn a_full_spool_drops_the_oldest_parts_and_keeps_what_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    let dropped: Vec<u64> = (0..6).map(|number| spool.put(&parcel(number, 3000)).unwrap().dropped).collect();
    assert_eq!(dropped, [0, 0, 0, 1, 1, 1]);
    // One that never fits.
    assert_eq!(spool.put(&parcel(6, 20_000)).unwrap().dropped, 1);
    assert_eq!(spool.dropped(), 4);
    assert!(spool.waiting().1 <= 10_000, "{:?}", spool.waiting());
    drop(spool);
    let mut spool = open(folder.path());
    let expected: Vec<(u64, bool)> = (0..7).map(|number| (number, (3..6).contains(&number))).collect();
    assert_eq!(sent(&mut spool), expected);
    assert_eq!(spool.waiting(), (0, 0));
}

#[test]
fn a_spool_goes_on_where_it_was_whatever_was_written_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    assert_eq!(spool.position(), None);
    spool.put(&parcel(0, 10)).unwrap();
    let before = std::fs::read(folder.path().join("position.json")).unwrap();
    spool.put(&parcel(1, 10)).unwrap();
    let behind = Position::after(&parcel(1, 10).head);
    assert_eq!(spool.position(), Some(&behind));
    assert!(matches!(Spool::open(folder.path(), 10_000), Err(TapsError::InUse(_))));
    drop(spool);
    // The process was killed behind the parcel, and before its position was written.
    std::fs::write(folder.path().join("position.json"), before).unwrap();
    std::fs::write(folder.path().join("x.parcel.partial"), "half").unwrap();
    let mut spool = open(folder.path());
    assert_eq!(spool.position(), Some(&behind));
    assert_eq!(sent(&mut spool), [(0, true), (1, true)]);
    drop(spool);
    assert_eq!(open(folder.path()).position(), Some(&behind), "all was sent");
}

#[test]
fn a_depot_has_each_parcel_once_and_those_of_a_tap_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let depot = Depot::open(folder.path()).unwrap();
    for number in [2, 0, 1, 2] {
        let parcel = parcel(number, 10);
        depot.put(&parcel, &parcel.to_bytes()).unwrap();
    }
    let numbers: Vec<u64> = depot.parcels().unwrap().iter().map(|(_, parcel)| parcel.head.number).collect();
    assert_eq!(numbers, [0, 1, 2]);
    let (name, _) = depot.parcels().unwrap().remove(0);
    depot.remove(&name).unwrap();
    assert_eq!(depot.parcels().unwrap().len(), 2);
}

/// An end that fails some times.
struct Failing {
    failures: u32,
    inner: Box<dyn Outbound>,
}

impl Outbound for Failing {
    fn send(&mut self, parcel: &Outgoing<'_>, limit: Duration) -> Result<(), TapsError> {
        if self.failures > 0 {
            self.failures -= 1;
            let (transport, problem) = ("folder".to_owned(), "it is away".to_owned());
            return Err(TapsError::Unreachable { transport, problem });
        }
        self.inner.send(parcel, limit)
    }
}

#[test]
fn what_could_not_be_sent_waits_and_is_sent_in_order() {
    let (folder, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (options, network): (_, Name) = (TransportOptions::default(), "home".parse().unwrap());
    let spec = TransportSpec::parse(&format!("folder:{}", shared.path().display())).unwrap();
    let outbound = Failing { failures: 1, inner: spec.outbound(&options).unwrap() };
    let ends = (network.clone(), "attic".parse().unwrap());
    let publisher = Publisher::start(open(folder.path()), Box::new(outbound), ends).unwrap();
    for number in 0..3 {
        publisher.put(&parcel(number, 10)).unwrap();
    }
    let health = publisher.stop(Duration::from_mins(1));
    assert_eq!((health.sent, health.waiting, health.problem), (3, 0, None));
    let mut inbox = spec.inbox(&network, &options).unwrap();
    for number in 0..3 {
        let arrival = inbox.next(Duration::ZERO).unwrap().unwrap();
        assert_eq!(Parcel::from_bytes(&arrival.bytes, &arrival.place).unwrap(), parcel(number, 10));
        inbox.acknowledge().unwrap();
    }
}
