//! Judges captures as one trace: `audit_captures POLICY CAPTURE...` gives a line for each finding, `--json` in front
//! the audit as JSON, `--sarif` the log.
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::File;
use std::io::{self, Write};

use thingprint_audit::{Audit, Auditor, Policy, sarif};
use thingprint_flow::{
    Capture, Flow, FlowOptions, GatewayEvidence, GatewayPolicy, MacAddr, Trace, TraceOptions, Tracker,
    WindowLength,
};
use thingprint_protocol::{Detector, Engine, Heard};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let format = arguments.first().filter(|first| first.starts_with("--")).cloned();
    if format.is_some() {
        arguments.remove(0);
    }
    let [name, captures @ ..] = &arguments[..] else {
        return Err("usage: audit_captures POLICY CAPTURE...".into());
    };
    let policy = Policy::built_in(name).ok_or_else(|| format!("there is no policy '{name}'"))?;
    let audit = audit(policy.clone(), captures);
    let mut out = io::stdout().lock();
    match format.as_deref() {
        Some("--json") => serde_json::to_writer_pretty(&mut out, &audit)?,
        Some("--sarif") => serde_json::to_writer_pretty(&mut out, &sarif::log(&audit, &policy, Vec::new()))?,
        _ => write_lines(&audit, &mut out)?,
    }
    Ok(())
}

fn audit(policy: Policy, captures: &[String]) -> Audit {
    let gateways = gateways(captures);
    let mut trace = trace(captures);
    let engine = Engine::default();
    let mut auditor = Auditor::new(policy);
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| auditor.flow(&engine, &flow));
    let options = FlowOptions { window: WindowLength::Capture, gateways, ..FlowOptions::default() };
    let mut tracker = Tracker::new(options, detector);
    while let Some(packet) = trace.next_packet() {
        tracker.push(&packet);
    }
    let devices = tracker.finish().devices;
    auditor.finish(&devices, &BTreeMap::new())
}

/// Who forwards packets from and to the Internet, by all frames.
fn gateways(captures: &[String]) -> BTreeSet<MacAddr> {
    let mut trace = trace(captures);
    let mut evidence = GatewayEvidence::default();
    while let Some(packet) = trace.next_packet() {
        evidence.observe(&packet);
    }
    GatewayPolicy::default().decide(&evidence).macs()
}

fn trace(captures: &[String]) -> Trace {
    let captures = captures.iter().map(|path| {
        let path = path.clone();
        Capture::new(path.clone(), move || File::open(&path).map(|file| Box::new(file) as _))
    });
    Trace::new(captures.collect(), TraceOptions::default())
}

fn write_lines(audit: &Audit, out: &mut impl Write) -> io::Result<()> {
    for device in &audit.devices {
        writeln!(out, "{} {} flows, {:?}", device.device, device.flows, device.protocols)?;
        for finding in &device.findings {
            let by = format!("{:?}", finding.by).to_lowercase();
            let (rule, severity, seen) = (finding.rule, finding.severity, &finding.seen);
            writeln!(out, "  {rule} {severity:7} {by:6} {:>6}/{:<6} {seen}", finding.flows, finding.total)?;
        }
    }
    Ok(())
}
