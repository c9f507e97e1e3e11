use std::io::Cursor;

use thingprint_flow::LocalNets;
use thingprint_instance::{EvidenceSet, Instance, InstanceOptions};
use thingprint_logs::{LogFile, LogFormat, LogInstances, ReadCounts, Survey};

/// Reads bytes as logs: the first chooses the tool, the rest is a file of connections and one of queries.
///
/// Two readings give the same, no instance is without a packet, and what is read is counted once.
pub fn logs(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let format = if first.is_multiple_of(2) { LogFormat::Zeek } else { LogFormat::Eve };
    let read = instances(format, rest);
    if let Some((rows, counts)) = &read {
        assert!(rows.iter().all(|row| row.counts.packets_up > 0));
        let lines = 2 * rest.split(|byte| *byte == b'\n').count() as u64;
        assert!(
            counts.records + counts.malformed() <= lines || rest.starts_with(&[0x1f, 0x8b]),
            "{counts:?}"
        );
    }
    assert_eq!(instances(format, rest), read);
}

fn instances(format: LogFormat, text: &[u8]) -> Option<(Vec<Instance>, ReadCounts)> {
    let file = |name: &str| {
        let text = text.to_vec();
        LogFile::new(name, move || Ok(Box::new(Cursor::new(text.clone()))))
    };
    let files = [file("conn.log"), file("dns.log")];
    let survey = Survey::of(format, &files, (LocalNets::default(), None), &mut |_| {}).ok()?;
    let mut options = InstanceOptions { origin: format.origin(), ..InstanceOptions::default() };
    options.evidence = survey.evidence(EvidenceSet::all()).0;
    options.flow.identity = survey.identity(options.flow.identity);
    let (mut instances, mut reader) = (LogInstances::new(&survey, options), survey.reader());
    while let Some(event) = reader.next_event() {
        instances.push(event);
    }
    instances.finish();
    Some((instances.take_ready(), reader.counts().clone()))
}
