use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use super::{Kind, Parsed, Sink, Target};
use crate::delivery::{Delivery, Failure};
use crate::error::NotifyError;
use crate::options::NotifyOptions;

/// `stdout`: JSON lines, as the journal or a pipe takes them.
pub(crate) const KIND: Kind = Kind { forms: &["stdout"], parse };

fn parse(text: &str) -> Option<Parsed> {
    (text == "stdout" || text == "-").then(|| Ok(Arc::new(Stdout) as Arc<dyn Target>))
}

struct Stdout;

impl fmt::Display for Stdout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stdout")
    }
}

impl Target for Stdout {
    fn open(&self, options: &mut NotifyOptions) -> Result<Box<dyn Sink>, NotifyError> {
        let to = options.standard_output.take().unwrap_or_else(|| Box::new(io::stdout()));
        Ok(Box::new(Lines { to }))
    }
}

struct Lines {
    to: Box<dyn Write + Send>,
}

impl Sink for Lines {
    fn deliver(&mut self, delivery: &Delivery, _limit: Duration) -> Result<(), Failure> {
        let line = delivery.json() + "\n";
        let written = self.to.write_all(line.as_bytes()).and_then(|()| self.to.flush());
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::never("nobody reads standard output any more"),
            _ => Failure::later(format!("write to standard output: {error}")),
        })
    }
}
