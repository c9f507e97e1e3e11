use std::fmt;
use std::path::PathBuf;

use thingprint_flow::SourceClocks;

use crate::error::LiveError;
use crate::intake::IntakeOptions;
use crate::outlet::Outlet;
use crate::source::Source;
use crate::source_spec::{SourceKind, not_a_source};
use crate::tcpdump::{self, Tcpdump};

/// Bytes of an interface's name at most (`IFNAMSIZ` of Linux, without the end).
const LONGEST_NAME: usize = 15;

/// An interface of this machine, captured by tcpdump.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InterfaceSpec {
    name: String,
    filter: Option<String>,
}

impl InterfaceSpec {
    pub(crate) fn new(name: &str, filter: Option<&str>) -> Result<Self, LiveError> {
        let text = || format!("interface:{name}");
        if name.is_empty() {
            return Err(not_a_source(&text(), "the interface has no name"));
        }
        if name.len() > LONGEST_NAME {
            let reason = format!("the name of an interface has at most {LONGEST_NAME} bytes");
            return Err(not_a_source(&text(), reason));
        }
        if let Some(odd) = name.chars().find(|c| *c == '/' || c.is_whitespace() || c.is_control()) {
            return Err(not_a_source(&text(), format!("the name of an interface has no {odd:?}")));
        }
        let filter = filter.map(str::trim).filter(|filter| !filter.is_empty()).map(str::to_owned);
        Ok(Self { name: name.to_owned(), filter })
    }

    /// The name of the interface.
    pub fn interface(&self) -> &str {
        &self.name
    }

    /// Which frames are captured, in the language of tcpdump; `None` for all.
    pub fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }
}

impl SourceKind for InterfaceSpec {
    const FORM: &'static str = "interface:NAME [FILTER]";

    fn parse(text: &str) -> Option<Result<Self, LiveError>> {
        let named = text.strip_prefix("interface:")?;
        let (name, filter) = named.split_once(' ').map_or((named, None), |(name, rest)| (name, Some(rest)));
        Some(Self::new(name, filter))
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn check(&self, options: &IntakeOptions) -> Option<Result<(), LiveError>> {
        Some(tcpdump::check(options.tcpdump.as_deref(), self))
    }

    fn source(&self, options: &IntakeOptions) -> Box<dyn Source> {
        Box::new(InterfaceSource {
            spec: self.clone(),
            tcpdump: options.tcpdump.clone(),
            clocks: SourceClocks::trusted(),
            dropped_before: 0,
        })
    }
}

impl fmt::Display for InterfaceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "interface:{}", self.name)?;
        self.filter.iter().try_for_each(|filter| write!(f, " {filter}"))
    }
}

struct InterfaceSource {
    spec: InterfaceSpec,
    tcpdump: Option<PathBuf>,
    clocks: SourceClocks,
    /// Packets that the kernel dropped for children that ended.
    dropped_before: u64,
}

impl Source for InterfaceSource {
    fn run(&mut self, outlet: &Outlet) -> Result<(), LiveError> {
        let tcpdump = Tcpdump::start(self.tcpdump.as_deref(), &self.spec, self.dropped_before, outlet)?;
        let (dropped, ended) = tcpdump.read(&mut self.clocks);
        self.dropped_before += dropped;
        Err(ended)
    }
}
