//! Captures that are cut in parts, at the edges of days or at any frame, give the instances of one reading.
//!
//! Run by hand where the shared captures are: `cargo test --release -p thingprint-pipeline --test parts`. Without them,
//! only the simulated home is cut.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test")]
#![allow(clippy::print_stdout, reason = "figures of a run by hand, and what was skipped")]

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use thingprint_flow::{
    Capture, CaptureWriter, DeviceId, DeviceLosses, FlowOptions, GatewayPolicy, LinkType, LossKind, MacAddr,
    Trace, TraceOptions, WindowLength,
};
use thingprint_instance::{
    Assembled, EdgeCounts, EvidenceSet, ExtractionRecipe, Instance, InstanceOptions, Part, PartFile, PartId,
    PartSettings, Partial, Share,
};
use thingprint_pipeline::{Captures, Event, InstanceStage, PartStage, Pipeline, add_edges};
use thingprint_protocol::Engine;
use thingprint_sim::{CaptureReader, Simulation, SimulationOptions, home};

/// Captures as bytes, each with a name.
type Bytes = Vec<(String, Vec<u8>)>;

fn options(is_joy: bool) -> InstanceOptions {
    let options = if is_joy { InstanceOptions::joy() } else { InstanceOptions::default() };
    InstanceOptions { evidence: EvidenceSet::all(), ..options }
}

fn pipeline(options: &InstanceOptions, keeps_gateways: bool) -> Pipeline {
    let flow = FlowOptions { forget_after_ns: None, ..options.flow.clone() };
    Pipeline { flow, threads: NonZeroUsize::MIN, keeps_gateways, ..Pipeline::default() }
}

fn captures(bytes: &[(String, Vec<u8>)]) -> Vec<Capture> {
    let capture = |(name, bytes): &(String, Vec<u8>)| {
        let bytes = bytes.clone();
        Capture::new(name.clone(), move || Ok(Box::new(Cursor::new(bytes.clone())) as _))
    };
    bytes.iter().map(capture).collect()
}

fn one_reading(bytes: &Bytes, options: &InstanceOptions) -> Vec<Instance> {
    let mut instances = Vec::new();
    let source = Captures::new(true, || captures(bytes));
    let run = pipeline(options, false).run(&source, &InstanceStage::new(options.clone()), |event| {
        match event {
            Event::Rows(rows) => instances.extend(rows),
            Event::Restart => instances.clear(),
        }
        Ok::<_, Infallible>(())
    });
    let Ok(_) = run;
    instances.sort_by_key(|instance| (instance.device, instance.window_start));
    instances
}

fn part(bytes: &Bytes, options: &InstanceOptions) -> Part {
    let trace = TraceOptions { keeps_edges: true, ..TraceOptions::default() };
    let source = Captures::new(true, || captures(bytes)).with(trace);
    let run =
        pipeline(options, true)
            .run(&source, &PartStage::new(options.clone()), |_: Event<Infallible>| Ok::<_, Infallible>(()));
    let Ok(run) = run;
    let name = bytes[0].0.clone();
    let mut part = Part::new(PartId::of_text(&name), Some(name), run.summary.evidence)
        .with_datagrams_cut(run.summary.read.counts.datagrams_cut)
        .with_times(run.summary.read.edges)
        .with_left_out(run.summary.left_out);
    for devices in run.rests {
        part.add(devices, run.summary.span);
    }
    part
}

/// Merges parts in another order than that of the trace, one of them twice; gives the size of their files, too.
fn merged(parts: &[Part], options: &InstanceOptions) -> (Assembled, usize) {
    let file = file(parts, options);
    let mut bytes = Vec::new();
    file.write(&mut bytes).unwrap();
    let read = PartFile::read(&mut bytes.as_slice()).unwrap();
    assert_eq!(read, file);
    (assembled(read, options), bytes.len())
}

/// Splits each part by devices, and merges the parts of each share apart.
fn merged_by_shares(parts: &[Part], options: &InstanceOptions) -> Vec<Assembled> {
    let of_share = |share| {
        let mut all = Partial::default();
        for part in parts {
            let file = file(std::slice::from_ref(part), options).of_share(share);
            assert_eq!(file.share, Some(share));
            all = all.merge(file.parts);
        }
        assembled(PartFile { share: Some(share), parts: all, ..file(&[], options) }, options)
    };
    Share::all(NonZeroU32::new(3).unwrap()).map(of_share).collect()
}

fn file(parts: &[Part], options: &InstanceOptions) -> PartFile {
    let mut partial = Partial::default();
    for part in parts.iter().rev().chain(parts.first()) {
        partial.insert(part.clone());
    }
    let (recipe, settings) = (ExtractionRecipe::of(options), PartSettings::default());
    PartFile { recipe, gateways: [].into(), settings, share: None, parts: partial }
}

fn assembled(mut file: PartFile, options: &InstanceOptions) -> Assembled {
    add_edges(&mut file.parts, &Engine::default(), (options, TraceOptions::default()));
    file.assemble(options, &GatewayPolicy::default())
}

/// Cuts a trace before the frames of these numbers; the pieces are captures of their own.
fn cut(bytes: &Bytes, before: &[usize]) -> Vec<Bytes> {
    let mut trace = Trace::new(captures(bytes), TraceOptions::default());
    let mut frames = Vec::new();
    let mut link = LinkType::Ethernet;
    while let Some((frame, _)) = trace.next_frame() {
        link = frame.link;
        frames.push((frame.time, frame.bytes.to_vec(), frame.wire_bytes));
    }
    let mut edges: Vec<usize> = before.iter().map(|at| at % frames.len()).collect();
    edges.extend([0, frames.len()]);
    edges.sort_unstable();
    edges.dedup();
    let piece = |(number, pair): (usize, &[usize])| {
        let mut writer = CaptureWriter::with_link(Vec::new(), link).unwrap();
        for (time, bytes, wire_bytes) in &frames[pair[0]..pair[1]] {
            writer.write(*time, bytes, *wire_bytes).unwrap();
        }
        vec![(format!("piece-{number:03}.pcap"), writer.finish().unwrap())]
    };
    edges.windows(2).enumerate().map(piece).collect()
}

fn check(what: &str, whole: &Bytes, pieces: &[Bytes], options: &InstanceOptions) {
    let expected = one_reading(whole, options);
    let parts: Vec<Part> = pieces.iter().map(|piece| part(piece, options)).collect();
    let (merged, size) = merged(&parts, options);
    let equal = merged.instances.iter().filter(|instance| expected.contains(instance)).count();
    println!(
        "{what}: {} parts of {size} bytes, {equal} of {} instances equal, {:?}",
        parts.len(),
        expected.len(),
        merged.differences
    );
    assert!(!expected.is_empty());
    for (instance, expected) in merged.instances.iter().zip(&expected) {
        assert_eq!(instance, expected, "{what}");
    }
    assert_eq!(merged.instances.len(), expected.len(), "{what}");
    let shares = merged_by_shares(&parts, options);
    let mut apart: Vec<&Instance> = shares.iter().flat_map(|share| &share.instances).collect();
    apart.sort_by_key(|instance| (instance.device, instance.window_start));
    assert!(apart.into_iter().eq(&merged.instances), "{what}, by shares");
    let mut lost = DeviceLosses::default();
    for share in &shares {
        lost.merge(share.left_out.clone());
    }
    assert_eq!(lost, merged.left_out, "{what}, by shares");
    let sum =
        |count: fn(EdgeCounts) -> u64| -> u64 { shares.iter().map(|share| count(share.differences)).sum() };
    let differences = EdgeCounts {
        messages: sum(|counts| counts.messages),
        datagrams: sum(|counts| counts.datagrams),
        flows: sum(|counts| counts.flows),
        overlaps: sum(|counts| counts.overlaps),
    };
    assert_eq!(differences, merged.differences, "{what}, by shares");
}

/// Numbers without an order, the same in each run.
fn scattered(count: usize, seed: usize) -> Vec<usize> {
    (1..=count).map(|at| (at + seed).wrapping_mul(2_654_435_761) >> 3).collect()
}

fn shared(folder: &str) -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: {} is absent", folder.display());
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().contains(".pcap"));
    paths.sort();
    Some(paths)
}

fn read(paths: &[PathBuf]) -> Bytes {
    let read = |path: &PathBuf| {
        let mut bytes = Vec::new();
        File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
        (path.file_name().unwrap().to_string_lossy().into_owned(), bytes)
    };
    paths.iter().map(read).collect()
}

#[test]
fn a_simulated_home_cut_at_any_frames_is_the_same() {
    let simulated = SimulationOptions { duration_s: 3 * 3600, ..SimulationOptions::default() };
    let mut bytes = Vec::new();
    let simulation = Simulation::new(&home().unwrap(), simulated).unwrap();
    CaptureReader::new(simulation).read_to_end(&mut bytes).unwrap();
    let whole = vec![("home.pcap".to_owned(), bytes)];
    for is_joy in [false, true] {
        for cuts in [1, 4, 40] {
            let pieces = cut(&whole, &scattered(cuts, 7));
            check(&format!("home, joy {is_joy}"), &whole, &pieces, &options(is_joy));
        }
    }
}

/// A capture with a SYN to each of many addresses, at the time of the first frame of another one.
fn scan(beside: &Bytes, (mac, peers): ([u8; 6], u32)) -> Bytes {
    let mut trace = Trace::new(captures(beside), TraceOptions::default());
    let (frame, _) = trace.next_frame().unwrap();
    let mut writer = CaptureWriter::with_link(Vec::new(), frame.link).unwrap();
    for peer in 0..peers {
        let mut bytes =
            [&[0xa8, 0x40, 0x7c, 0, 0x10, 1], &mac[..], &[8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0]]
                .concat();
        bytes.extend([192, 168, 20, 99]);
        bytes.extend((0x2d00_0000 + peer).to_be_bytes());
        bytes.extend([0xc0, 0, 1, 187, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0]);
        writer.write(frame.time, &bytes, 54).unwrap();
    }
    vec![(format!("a-{}", beside[0].0), writer.finish().unwrap()), beside[0].clone()]
}

#[test]
fn a_scan_at_the_start_of_a_part_takes_no_flows_of_others_and_is_told() {
    let simulated = SimulationOptions { duration_s: 3 * 3600, ..SimulationOptions::default() };
    let mut bytes = Vec::new();
    let simulation = Simulation::new(&home().unwrap(), simulated).unwrap();
    CaptureReader::new(simulation).read_to_end(&mut bytes).unwrap();
    let whole = vec![("home.pcap".to_owned(), bytes)];
    let mut options = options(false);
    // 500 flows in each shard.
    options.flow.max_flows = 8000;
    let pieces = cut(&whole, &scattered(4, 7));
    let expected = one_reading(&whole, &options);
    let shard = |mac: u64| mac.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
    let of_home: BTreeSet<DeviceId> = expected.iter().map(|instance| instance.device).collect();
    for device in &of_home {
        let DeviceId::Mac(mac) = device else { continue };
        let number = |bytes: [u8; 6]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let beside = (0x0200_0000_0000_u64..0x0200_0001_0000)
            .find(|other| shard(*other) == shard(number(mac.octets())));
        let [_, _, scanner @ ..] = beside.unwrap().to_be_bytes();
        let parts: Vec<Part> =
            pieces.iter().map(|piece| part(&scan(piece, (scanner, 1500)), &options)).collect();
        let (merged, _) = merged(&parts, &options);
        let instances: Vec<&Instance> =
            merged.instances.iter().filter(|instance| of_home.contains(&instance.device)).collect();
        let windows =
            |all: &[&Instance]| -> Vec<_> { all.iter().map(|one| (one.device, one.window_start)).collect() };
        assert_eq!(windows(&instances), windows(&expected.iter().collect::<Vec<_>>()), "{device}");
        for (instance, expected) in instances.into_iter().zip(&expected) {
            assert_eq!(instance, expected, "{device}");
        }
        let lost = merged.left_out.by_size();
        let names: Vec<&str> =
            lost.iter().flat_map(|(_, counts)| counts.keys().map(LossKind::name)).collect();
        assert!(names.contains(&"edge_flows"), "{names:?}");
        assert_eq!(lost.iter().find(|(id, _)| of_home.contains(id)), None);
        assert!(merged.left_out.of(DeviceId::Mac(MacAddr::new(scanner))).is_some(), "{lost:?}");
    }
}

#[test]
fn windows_shorter_than_idle_times_are_the_same() {
    let simulated = SimulationOptions { duration_s: 1800, ..SimulationOptions::default() };
    let mut bytes = Vec::new();
    let simulation = Simulation::new(&home().unwrap(), simulated).unwrap();
    CaptureReader::new(simulation).read_to_end(&mut bytes).unwrap();
    let whole = vec![("home.pcap".to_owned(), bytes)];
    let mut options = options(false);
    options.flow.window = WindowLength::Span(60_000_000_000);
    check("home by minutes", &whole, &cut(&whole, &scattered(9, 3)), &options);
}

#[test]
fn lsif_cut_at_the_edges_of_days_is_the_same() {
    let Some(paths) = shared("lsif") else { return };
    let whole = read(&paths);
    let days: Vec<Bytes> = whole.iter().map(|day| vec![day.clone()]).collect();
    for is_joy in [false, true] {
        check(&format!("lsif by days, joy {is_joy}"), &whole, &days, &options(is_joy));
    }
}

#[test]
fn captures_cut_at_any_frames_are_the_same() {
    for folder in ["lsif", "locks", "hue", "unsw", "blink-hub"] {
        let Some(paths) = shared(folder) else { continue };
        for (number, path) in paths.iter().take(3).enumerate() {
            let whole = read(std::slice::from_ref(path));
            for is_joy in [false, true] {
                let pieces = cut(&whole, &scattered(4 + 3 * number, 11 * number));
                check(&format!("{folder}/{}, joy {is_joy}", whole[0].0), &whole, &pieces, &options(is_joy));
            }
        }
    }
}
