//! tmp
#![allow(warnings, clippy::all)]
use std::time::Instant;
use thingprint_flow::*;
use thingprint_instance::*;
use thingprint_report::*;
fn make(n: usize) -> Vec<Labeled> {
    (0..n)
        .map(|i| {
            let bag = |p: &str, k: usize| -> Bag {
                (0..k)
                    .map(|j| (format!("{p}{}.example.com", (i * 7 + j * 13) % 997), (j as u64) + 1))
                    .collect()
            };
            let f = i as f64;
            let sp = Some(Spread { count: i as u64, sum: f * 1.1, sd: f / 3.0, min: f / 7.0, max: f * 9.3 });
            Labeled {
                instance: Instance {
                    device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, (i % 28) as u8, 1])),
                    window_start: Timestamp::from_seconds(1_561_986_000 + 3600 * (i as i64 / 28)),
                    window_s: 3600.0,
                    capture: None,
                    attributes: Attributes([
                        Some(f / 3.0),
                        Some(f / 11.0),
                        Some(f * 0.7),
                        None,
                        Some(300.1),
                        Some(f.sqrt()),
                    ]),
                    bags: Bags {
                        ports: bag("", 4),
                        domains: bag("host", 8),
                        cipher_suites: bag("c02b-c02f-c030-009c-009d-", 2),
                    },
                    counts: Counts {
                        flows: 3,
                        packets_up: i as u64,
                        packets_down: 5,
                        bytes_up: 6,
                        bytes_down: 7,
                    },
                    spread: [sp; 6],
                },
                label: Some(Label { class: format!("Device {}", i % 28), kind: Kind::Iot }),
            }
        })
        .collect()
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "time" {
        let n: usize = args[2].parse().unwrap();
        let all = make(n);
        for format in Format::ALL {
            let t = Instant::now();
            let mut b = Vec::new();
            write_instances(&all, None, format, &mut b).unwrap();
            let w = t.elapsed();
            let t = Instant::now();
            if format != Format::Table {
                let r = read_instances(&b, "x").unwrap();
                let e = t.elapsed();
                assert!(r.rows == all);
                println!("{format}: {} bytes, write {w:?}, read {e:?}", b.len());
            } else {
                println!("{format}: {} bytes, write {w:?}", b.len());
            }
        }
        return;
    }
    let n: usize = args[2].parse().unwrap();
    let rows: usize = args[3].parse().unwrap();
    let seed: u64 = args[4].parse().unwrap();
    let mut b = Vec::new();
    write_instances(&make(rows), None, Format::Parquet, &mut b).unwrap();
    println!("len {}", b.len());
    std::panic::set_hook(Box::new(|_| {}));
    let mut x = seed;
    let mut rnd = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    };
    let (mut ok, mut err, mut panics) = (0, 0, 0);
    let mut slow = std::time::Duration::ZERO;
    for k in 0..n {
        let mut c = b.clone();
        for _ in 0..(1 + rnd() % 3) {
            // half of the hits in the footer
            let len = c.len();
            let at = if rnd() % 2 == 0 {
                (rnd() as usize) % len
            } else {
                len - 1 - (rnd() as usize) % 6000.min(len)
            };
            c[at] = rnd() as u8;
        }
        std::fs::write("/tmp/fuzz_last.parquet", &c).unwrap();
        let t = Instant::now();
        match read_instances(&c, "x") {
            Ok(_) => ok += 1,
            Err(e) if e.to_string().contains("damaged beyond") => panics += 1,
            Err(_) => err += 1,
        }
        if t.elapsed() > slow {
            slow = t.elapsed();
            std::fs::copy("/tmp/fuzz_last.parquet", "/tmp/fuzz_slow.parquet").unwrap();
        }
    }
    println!("ok {ok} err {err} panics {panics} slowest {slow:?}");
}
