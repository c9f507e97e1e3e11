//! Memory depends on what is open, not on how long the trace is.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test")]

use std::alloc::System;
use std::convert::Infallible;

use peakmem_alloc::{PeakMemAlloc, PeakMemAllocTrait};
use thingprint_flow::{Frame, GatewayPolicy, Ip, LinkType, MacAddr, Packet, PlacedPacket, Timestamp};
use thingprint_instance::InstanceOptions;
use thingprint_pipeline::{Event, InstanceStage, PacketReader, Pipeline, ReadEnd, Source};

#[global_allocator]
static MEMORY: PeakMemAlloc<System> = PeakMemAlloc::new(System);

/// Nanoseconds between two packets of a device.
const PERIOD_NS: i64 = 1_800_000_000_000;
const GATEWAY: MacAddr = MacAddr::new([2, 0, 0, 1, 0, 0]);

/// Quiet devices that each say a word to a server every half hour.
#[derive(Clone, Copy)]
struct Quiet {
    devices: i64,
    days: i64,
}

struct QuietReader {
    home: Quiet,
    next: i64,
    end: i64,
}

impl Source for Quiet {
    type Reader = QuietReader;

    fn open(&self) -> QuietReader {
        QuietReader { home: *self, next: 0, end: self.days * 48 * self.devices }
    }

    fn is_rewindable(&self) -> bool {
        true
    }
}

impl PacketReader for QuietReader {
    fn next_packet(&mut self) -> Option<PlacedPacket<'_>> {
        if self.next >= self.end {
            return None;
        }
        let time = Timestamp::from_nanos(self.next * (PERIOD_NS / self.home.devices));
        let [high, low] = u16::try_from(self.next % self.home.devices).unwrap().to_be_bytes();
        let src_port = 40_000 + u16::try_from(self.next % 20_000).unwrap();
        let src = ([192, 168, 1 + high, low].into(), src_port);
        let ip = Ip { total_bytes: 60, payload_bytes: 32, ..Ip::udp(src, ([52, 0, 0, 1].into(), 9999), &[]) };
        self.next += 1;
        let src_mac = Some(MacAddr::new([2, 0, 0, 0, high, low]));
        let packet =
            Packet { time, src_mac, dst_mac: Some(GATEWAY), wire_bytes: 74, ip: Some(ip), other: None };
        let frame = Frame { time, link: LinkType::Ethernet, wire_bytes: 74, bytes: &[], ..Frame::default() };
        Some(PlacedPacket { capture: 0, frame, packet, block: None })
    }

    fn bytes_read(&self) -> u64 {
        0
    }

    fn end(self) -> ReadEnd {
        ReadEnd::default()
    }
}

/// The rows of a trace, and the most bytes that were held.
fn peak(home: Quiet) -> (usize, usize) {
    let gateways = GatewayPolicy { given: [GATEWAY].into(), ..GatewayPolicy::default() };
    let pipeline = Pipeline { gateways, ..Pipeline::default() };
    let mut rows = 0;
    MEMORY.reset_peak_memory();
    let before = MEMORY.get_peak_memory();
    let Ok(_) = pipeline.run(&home, &InstanceStage::new(InstanceOptions::default()), |event| {
        if let Event::Rows(more) = event {
            rows += more.len();
        }
        Ok::<_, Infallible>(())
    });
    (rows, MEMORY.get_peak_memory() - before)
}

#[test]
fn ten_days_take_the_memory_of_one() {
    let [(one_rows, one), (ten_rows, ten)] = [1, 10].map(|days| peak(Quiet { devices: 100, days }));
    assert_eq!((one_rows, ten_rows), (2400, 24_000));
    assert!(ten * 100 <= one * 115, "{one} bytes for a day, {ten} for ten");
}

#[test]
#[ignore = "takes a minute: run by hand"]
fn a_hundred_days_of_a_thousand_devices_take_the_memory_of_one() {
    let peaks = [1, 10, 100].map(|days| peak(Quiet { devices: 1000, days }));
    let [(_, one), others @ ..] = peaks;
    assert!(others.iter().all(|(_, bytes)| bytes * 100 <= one * 115), "rows and bytes: {peaks:?}");
    assert_eq!(peaks.map(|(rows, _)| rows), [24_000, 240_000, 2_400_000]);
}
