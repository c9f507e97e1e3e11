//! Formats of logs. A further one is a file here, and a line in [`LogFormat`].

mod eve;
mod said;
mod zeek;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};
use thingprint_instance::{Attribute, BagName, EvidenceSet, Origin};

use crate::event::Event;
use crate::problem::LogProblem;
use crate::row::{Row, TsvHeader};

/// Which tool wrote logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Zeek: files of values with a header, or JSON.
    Zeek,
    /// Suricata: EVE JSON.
    Eve,
}

/// What a record is.
#[derive(Clone, Debug)]
pub(crate) enum Record {
    Events(Vec<Event>),
    /// Of no use here, and what it is.
    Unused(String),
}

/// Reads the lines of a file.
#[derive(Debug, Default)]
pub(crate) struct LineReader {
    header: TsvHeader,
    /// What kind of records the name of the file says that it holds.
    named: String,
}

/// What records say that evidence comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fact {
    Connection,
    Query,
    TimeRequest,
    Hello,
    CipherSuites,
}

impl LogFormat {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Zeek, Self::Eve];

    /// What instances of such logs come from.
    pub const fn origin(self) -> Origin {
        match self {
            Self::Zeek => Origin::Zeek,
            Self::Eve => Origin::Eve,
        }
    }

    /// The records of connections.
    pub const fn connections(self) -> &'static str {
        match self {
            Self::Zeek => "conn.log of Zeek",
            Self::Eve => "events of type flow in the EVE JSON of Suricata",
        }
    }

    /// Whether a file is such a log by its name: `conn.log`, `conn.2026-11-30-10.log.gz`, `eve.json`.
    pub fn is_named(self, file_name: &str) -> bool {
        match self {
            Self::Zeek => {
                zeek::path_of_name(file_name).is_some_and(zeek::is_read) && file_name.contains(".log")
            }
            Self::Eve => file_name.starts_with("eve") && file_name.contains(".json"),
        }
    }

    /// What such logs can tell, and where each of it comes from.
    pub(crate) fn evidence(self, told: &BTreeSet<Fact>) -> Vec<(EvidenceSet, bool, &'static str)> {
        let flows = [
            Attribute::FLOW_VOLUME_BYTES,
            Attribute::FLOW_DURATION_S,
            Attribute::FLOW_RATE_BPS,
            Attribute::SLEEP_TIME_S,
        ];
        let flows = flows.into_iter().fold(EvidenceSet::NONE, |set, number| set.with(number.into()));
        let flows = flows.with(BagName::PORTS.into()).with(BagName::SERVED_PORTS.into());
        let queries = EvidenceSet::from(Attribute::DNS_INTERVAL_S).with(BagName::DOMAINS.into());
        let names = EvidenceSet::from(BagName::ORGANISATIONS);
        let times = EvidenceSet::from(Attribute::NTP_INTERVAL_S);
        let suites = EvidenceSet::from(BagName::CIPHER_SUITES);
        let (query_log, time_log, suite_log) = match self {
            Self::Zeek => {
                ("dns.log", "ntp.log", "ssl.log with client_ciphers (the policy script ssl-log-ext)")
            }
            Self::Eve => (
                "events of type dns",
                "no event: Suricata logs no NTP",
                "ja3 in events of type tls (ja3-fingerprints: yes)",
            ),
        };
        vec![
            (flows, told.contains(&Fact::Connection), self.connections()),
            (queries, told.contains(&Fact::Query), query_log),
            (names, told.contains(&Fact::Query) || told.contains(&Fact::Hello), query_log),
            (times, told.contains(&Fact::TimeRequest), time_log),
            (suites, told.contains(&Fact::CipherSuites), suite_log),
        ]
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zeek => "Zeek",
            Self::Eve => "Suricata",
        })
    }
}

impl LineReader {
    /// A reader of a file with this name.
    pub(crate) fn of(file_name: &str) -> Self {
        let named = zeek::path_of_name(file_name).unwrap_or_default().to_owned();
        Self { header: TsvHeader::default(), named }
    }

    /// Reads a line; `None` for a line of a header, and for an empty one.
    pub(crate) fn line(&mut self, format: LogFormat, line: &str) -> Result<Option<Record>, LogProblem> {
        let line = line.trim_end_matches(['\n', '\r']);
        if line.is_empty() {
            return Ok(None);
        }
        if line.trim_start().starts_with('{') {
            let map: Map<String, Value> = serde_json::from_str(line).map_err(|_| LogProblem::Unknown)?;
            return match format {
                LogFormat::Zeek => {
                    let path = map.get("_path").and_then(Value::as_str).unwrap_or(&self.named).to_owned();
                    zeek::record(&path, &Row::Json(map)).map(Some)
                }
                LogFormat::Eve => eve::record(&Row::Json(map)).map(Some),
            };
        }
        match format {
            LogFormat::Zeek => zeek::line(&mut self.header, &self.named, line),
            LogFormat::Eve => Err(LogProblem::Unknown),
        }
    }
}
