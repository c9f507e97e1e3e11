use std::fmt;
use std::fs::File;
use std::io::{self, Read};

#[cfg(unix)]
use std::os::fd::AsFd;

use thingprint_flow::SourceClocks;

use crate::error::{LiveError, LiveErrorKind};
use crate::intake::IntakeOptions;
use crate::outlet::Outlet;
use crate::pump::Pump;
use crate::readiness::Readiness;
use crate::source::Source;
use crate::source_spec::SourceKind;

/// Standard input: a capture that another program writes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StdinSpec;

impl SourceKind for StdinSpec {
    const FORM: &'static str = "- (standard input)";

    fn parse(text: &str) -> Option<Result<Self, LiveError>> {
        (text == "-").then_some(Ok(Self))
    }

    fn name(&self) -> String {
        "standard input".to_owned()
    }

    fn source(&self, _: &IntakeOptions) -> Box<dyn Source> {
        Box::new(StdinSource)
    }
}

impl fmt::Display for StdinSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("-")
    }
}

struct StdinSource;

impl Source for StdinSource {
    fn run(&mut self, outlet: &Outlet) -> Result<(), LiveError> {
        let stream =
            open().map_err(|error| LiveError::new(LiveErrorKind::Unreadable, outlet.name(), error))?;
        let pump = Pump::new(outlet);
        let stream = Box::new(pump.watch(stream));
        pump.live(outlet.name(), stream, &mut SourceClocks::trusted()).map(|_| ())
    }

    fn is_once(&self) -> bool {
        true
    }
}

/// Standard input without a buffer, so that what waits in it shows.
#[cfg(unix)]
fn open() -> io::Result<impl Read + Readiness + Send + 'static> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

#[cfg(not(unix))]
fn open() -> io::Result<impl Read + Readiness + Send + 'static> {
    Ok(io::stdin())
}
