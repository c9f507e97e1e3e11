//! Reads captures as one trace and says what was in them: `count_packets CAPTURE...`
use std::fs::File;
use std::io::{self, Write};

use thingprint_flow::{Capture, Trace, TraceOptions};

fn main() -> io::Result<()> {
    let captures = std::env::args()
        .skip(1)
        .map(|path| Capture::new(path.clone(), move || File::open(&path).map(|file| Box::new(file) as _)));
    let mut trace = Trace::new(captures.collect(), TraceOptions::default());
    let (mut packets, mut ip_bytes) = (0_u64, 0_u64);
    while let Some(packet) = trace.next_packet() {
        packets += 1;
        ip_bytes += packet.ip.map_or(0, |ip| u64::from(ip.total_bytes));
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{packets} packets, {ip_bytes} bytes of IP, {} bytes read", trace.bytes_read())?;
    writeln!(out, "{:#?}", trace.counts())?;
    for problem in trace.problems() {
        writeln!(out, "failed to read {problem}")?;
    }
    Ok(())
}
