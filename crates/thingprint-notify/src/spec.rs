use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::NotifyError;
use crate::options::NotifyOptions;
use crate::sinks::{KINDS, Sink, Target};

/// Where events are sent: `stdout`, `file:PATH`, `https://...`, `syslog://host:port`, `mqtt://host/prefix`, ...
///
/// It is shown without secrets: of the address of a webhook the host alone, since many hold a key in their path.
#[derive(Clone)]
pub struct SinkSpec {
    name: String,
    target: Arc<dyn Target>,
}

impl SinkSpec {
    /// Reads the text that an option or a configuration has.
    pub fn parse(text: &str) -> Result<Self, NotifyError> {
        // The scheme of an address is the same in any case.
        let (scheme, rest) = text.trim().split_at(text.trim().find(':').unwrap_or(text.trim().len()));
        let text = format!("{}{rest}", scheme.to_ascii_lowercase());
        match KINDS.iter().find_map(|kind| (kind.parse)(&text)) {
            Some(target) => target.map(|target| Self { name: target.to_string(), target }),
            // What is behind the scheme may hold a key.
            None => Err(NotifyError::UnknownSink { scheme: scheme.to_owned(), forms: Self::forms() }),
        }
    }

    /// The forms that there are, for help and errors.
    pub fn forms() -> String {
        let forms: Vec<&str> = KINDS.iter().flat_map(|kind| kind.forms.iter().copied()).collect();
        forms.join(", ")
    }

    /// Whether the sink can be used with these options, as far as that shows without sending: files that are there are
    /// opened, keys and certificates read. Receivers are not asked.
    pub fn check(&self, options: &mut NotifyOptions) -> Result<(), NotifyError> {
        // Whoever is to be written to is kept for the sink that is started.
        let standard_output = options.standard_output.take();
        let opened = self.target.check(options);
        options.standard_output = standard_output;
        opened
    }

    /// Opens the sink; what is elsewhere is connected when the first event comes.
    pub(crate) fn open(&self, options: &mut NotifyOptions) -> Result<Box<dyn Sink>, NotifyError> {
        self.target.open(options)
    }
}

impl FromStr for SinkSpec {
    type Err = NotifyError;

    fn from_str(text: &str) -> Result<Self, NotifyError> {
        Self::parse(text)
    }
}

impl fmt::Display for SinkSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

impl fmt::Debug for SinkSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SinkSpec").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_shown_without_secrets() {
        let check = |text: &str, expected: &str| {
            assert_eq!(SinkSpec::parse(text).unwrap().to_string(), expected, "{text}");
        };
        check("stdout", "stdout");
        check("Http://hooks.example.org", "http://hooks.example.org/");
        check("MQTT://Broker/Attic", "mqtt://Broker:1883/Attic");
        check("FILE:Events.jsonl", "file:Events.jsonl");
        check("file:/var/log/events.jsonl", "file:/var/log/events.jsonl");
        check("http://hooks.example.org", "http://hooks.example.org/");
        check("http://hooks.example.org:8080/T00/B11?key=s3cret", "http://hooks.example.org:8080/...");
        check("syslog://logs.example.org", "syslog://logs.example.org:514");
        check("syslog+tcp://[::1]:6514", "syslog+tcp://[::1]:6514");
        check("syslog:/dev/log", "syslog:/dev/log");
        check("mqtt://broker", "mqtt://broker:1883/thingprint");
        check("mqtt://ann@broker:1884/attic/thingprint", "mqtt://ann@broker:1884/attic/thingprint");
    }

    #[test]
    fn what_cannot_be_a_sink_is_refused_with_the_reason() {
        let check = |text: &str, expected: &str| {
            let error = SinkSpec::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("s3cret"), "{text}: {error}");
        };
        check("stderr", "expected stdout, file:PATH");
        check("", "expected stdout");
        check("htps://hooks.example.org/s3cret", "'htps'");
        check("file:", "names no file");
        check("http://ann:s3cret@hooks.example.org/", "--webhook-key-file");
        check("http:///path", "no host");
        check("syslog://", "it has no host");
        check("syslog+tls://host", "expected stdout");
        check("syslog:", "names no socket");
        check("mqtt://ann:s3cret@broker", "--mqtt-password-file");
        check("mqtt://broker/a//b", "topic");
        check("mqtt://[fe80::1%eth0]", "name of a link");
        check("mqtt://broker/a/#", "topic");
        check("mqtt://broker/$SYS", "topic");
        check("mqtts://broker", "not spoken");
        #[cfg(not(feature = "tls"))]
        check("https://hooks.example.org/", "cargo feature 'tls'");
    }
}
