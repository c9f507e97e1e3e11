use std::collections::BTreeSet;

use thingprint_flow::{Identity, LocalNets, MacAddr, Timestamp};
use thingprint_instance::EvidenceSet;
use thingprint_protocol::Message;

use crate::address_book::AddressBook;
use crate::event::{Event, EventKind};
use crate::formats::{Fact, LineReader, LogFormat, Record};
use crate::log_file::LogFile;
use crate::log_reader::{LogReader, Order};
use crate::problem::{LogError, LogProblem};

/// What a first reading of all logs finds: which files there are in which order, who had which address when, and what the
/// logs tell.
#[derive(Debug)]
pub struct Survey<'f> {
    format: LogFormat,
    order: Order<'f>,
    told: BTreeSet<Fact>,
    pub(crate) book: AddressBook,
    /// The first line that could not be read: its file, number and problem.
    problem: Option<(String, u64, LogProblem)>,
    /// The first file that could not be read, or not to its end, and why.
    cut: Option<LogError>,
}

/// Evidence that logs do not tell of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The evidence.
    pub evidence: EvidenceSet,
    /// What would tell of it.
    pub told_by: &'static str,
}

impl<'f> Survey<'f> {
    /// Reads all files once. `gateways` are those that are known, an empty set where there is none, and `None` where traffic
    /// is to show them; `progress` is told of each file that was read.
    ///
    /// What cannot be read of a file is left out, and the second reading counts it. It fails where there is no connection, and where connections have no sizes.
    pub fn of(
        format: LogFormat,
        files: &'f [LogFile],
        (local_nets, gateways): (LocalNets, Option<BTreeSet<MacAddr>>),
        progress: &mut dyn FnMut(&LogFile),
    ) -> Result<Self, LogError> {
        let mut survey = Self {
            format,
            order: Order::default(),
            told: BTreeSet::new(),
            book: AddressBook::new(local_nets, gateways),
            problem: None,
            cut: None,
        };
        let mut firsts = Vec::with_capacity(files.len());
        for file in files {
            let first = survey.file(file)?;
            let name = file.file_name();
            let log = name.find(['.', '_']).and_then(|end| name.get(..end)).unwrap_or(name).to_owned();
            firsts.push((log, first, file));
            progress(file);
        }
        if !survey.told.contains(&Fact::Connection) {
            let expected = format.connections();
            return Err(match (survey.cut, survey.problem) {
                (Some(cut), _) => cut,
                (None, Some((name, line, problem))) => {
                    LogError::UnreadableConnections { expected, name, line, problem }
                }
                (None, None) => LogError::NoConnections(expected),
            });
        }
        survey.order = Order::of(firsts);
        Ok(survey)
    }

    /// Reads a file; gives the time of its first event.
    fn file(&mut self, file: &LogFile) -> Result<Option<Timestamp>, LogError> {
        let (mut reader, mut first) = (LineReader::of(file.file_name()), None);
        let cut = |source| LogError::Unreadable { name: file.name().to_owned(), source };
        let mut lines = match file.lines() {
            Ok(lines) => lines,
            Err(source) => {
                self.cut.get_or_insert_with(|| cut(source));
                return Ok(first);
            }
        };
        loop {
            let (number, line) = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(source) => {
                    self.cut.get_or_insert_with(|| cut(source));
                    break;
                }
            };
            match line.and_then(|line| reader.line(self.format, line)) {
                Ok(Some(Record::Events(events))) => {
                    for event in events {
                        first.get_or_insert(event.written);
                        self.note(&event);
                    }
                }
                Err(LogProblem::Value(field))
                    if SIZES.contains(&field) && !self.told.contains(&Fact::Connection) =>
                {
                    return Err(LogError::NoField { name: file.name().to_owned(), line: number, field });
                }
                // The second reading counts what cannot be read, and what is of no use.
                Err(problem) if self.problem.is_none() => {
                    self.problem = Some((file.name().to_owned(), number, problem));
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(first)
    }

    fn note(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Connection(connection) => {
                self.told.insert(Fact::Connection);
                for host in [connection.originator, connection.responder] {
                    if let Some(mac) = host.mac {
                        self.book.seen(connection.first, host.at.addr, mac);
                    }
                }
            }
            EventKind::Said(said) => {
                if let Some(mac) = said.from.mac {
                    self.book.seen(said.time, said.from.at.addr, mac);
                }
                match &said.message {
                    Message::Dns(_) => _ = self.told.insert(Fact::Query),
                    Message::Ntp(_) => _ = self.told.insert(Fact::TimeRequest),
                    Message::ClientHello(hello) => {
                        self.told.insert(Fact::Hello);
                        if !hello.cipher_suites.is_empty() {
                            self.told.insert(Fact::CipherSuites);
                        }
                    }
                    _ => {}
                }
            }
            EventKind::Lease(lease) => self.book.own(lease.time, lease.address, lease.mac),
        }
    }

    /// The second reading, for instances.
    pub fn reader(&'f self) -> LogReader<'f> {
        LogReader::new(self.format, &self.order)
    }

    /// What the logs tell of the evidence that is asked for, and what they do not.
    pub fn evidence(&self, asked: EvidenceSet) -> (EvidenceSet, Vec<Absence>) {
        let (mut told, mut rest, mut absent) = (EvidenceSet::NONE, asked, Vec::new());
        for (evidence, is_told, told_by) in self.format.evidence(&self.told) {
            let wanted = evidence.within(asked);
            rest = rest.without(evidence);
            if is_told {
                told = told.with(wanted);
            } else if !wanted.is_empty() {
                absent.push(Absence { evidence: wanted, told_by });
            }
        }
        if !rest.is_empty() {
            absent.push(Absence { evidence: rest, told_by: "packets alone" });
        }
        (told, absent)
    }

    /// What stands for a device: link addresses where the logs have any, unless IP addresses are asked for.
    pub fn identity(&self, asked: Identity) -> Identity {
        if self.book.has_link_addresses() { asked } else { Identity::Ip }
    }

    /// The link addresses of gateways, which are not devices.
    pub fn gateways(&self) -> Vec<MacAddr> {
        self.book.gateways()
    }

    /// Addresses, and changes of their owners, for which there was no room.
    pub const fn addresses_dropped(&self) -> u64 {
        self.book.dropped
    }
}

/// Fields of connections without which there is no instance.
const SIZES: [&str; 8] = [
    "orig_pkts",
    "orig_ip_bytes",
    "resp_pkts",
    "resp_ip_bytes",
    "flow.pkts_toserver",
    "flow.bytes_toserver",
    "flow.pkts_toclient",
    "flow.bytes_toclient",
];
