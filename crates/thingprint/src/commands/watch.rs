//! `watch`: packets from a wire, and what they show as it happens.

mod backend;
pub(super) mod clock;
mod events;
pub(super) mod kept;
mod labelled;
pub(super) mod model;
mod newest;
mod options;
mod pace;
mod printer;
mod publish;
mod service;
pub(super) mod signals;
mod sources;
pub(super) mod station;

use std::ffi::OsString;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use thingprint_live::SourceSpec;
use thingprint_model::FalseAlarms;
use thingprint_notify::{Discovery, SinkSpec};
use thingprint_store::{is_shared, shown};
use thingprint_watch::{EventKind, Severity};

use self::publish::PublishArgs;
use self::signals::Signals;
use self::station::{Plan, Station};
use crate::args::{ExtractionArgs, GlobalArgs, KnowledgeArgs};
use crate::configuration;
use crate::exit::{Outcome, Usage};
use crate::messages::Messages;
use crate::terminal;

/// Watch a network: who is there, what each device is, and what changed
///
/// Packets come from interfaces, from standard input, from other machines, or from a folder into which captures are rotated.
/// What they show is kept in a store, shown on a page, and sent as events. With -i, the arguments are a filter in the language
/// of tcpdump; else each is a source.
#[derive(Debug, Args)]
#[allow(
    clippy::doc_markdown,
    clippy::struct_excessive_bools,
    reason = "the comments are the help on a terminal"
)]
pub(crate) struct WatchArgs {
    /// Sources: - for standard input, tcp://HOST:PORT, tcp-listen://ADDRESS:PORT, a capture, or a folder of captures; with -i,
    /// a filter such as `not port 22`
    #[arg(value_name = "SOURCE|FILTER")]
    words: Vec<OsString>,

    /// Capture on this interface; repeat it for several. tcpdump does it, and needs the capability CAP_NET_RAW
    #[arg(short, long, value_name = "NAME", help_heading = "Sources")]
    interface: Vec<String>,

    /// A source beside interfaces; repeat it for several
    #[arg(long, value_name = "SOURCE", help_heading = "Sources")]
    source: Vec<String>,

    /// Where tcpdump is [default: looked for in PATH]
    #[arg(long, value_name = "PATH", help_heading = "Sources")]
    tcpdump: Option<PathBuf>,

    /// End after this time, such as 10m or 24h [default: when all sources ended]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Sources")]
    stop_after: Option<Duration>,

    /// The model that judges devices; without one, devices, findings and changes are reported, and no classes
    #[arg(short, long, value_name = "FILE", help_heading = "Judgement")]
    model: Option<PathBuf>,

    /// Drop the model that was trained on the page: the one of --model judges again
    #[arg(long, help_heading = "Judgement")]
    drop_trained: bool,

    /// Confidence from which on an answer is accepted; below it is unknown
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = super::parse_threshold, help_heading = "Judgement")]
    threshold: f64,

    /// How many windows of known devices may be taken for those of strangers: 5% or 1%
    #[arg(long, value_name = "SHARE", default_value_t = FalseAlarms::FivePercent, help_heading = "Judgement")]
    false_alarms: FalseAlarms,

    /// What the devices are: CSV with the columns mac,label,kind; names for people, and labels to train from
    #[arg(short, long, value_name = "FILE", help_heading = "Judgement")]
    labels: Option<PathBuf>,

    /// Policy of the audit: the name of one that is built in, or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "bcp2026", help_heading = "Judgement")]
    policy: String,

    /// Audit nothing
    #[arg(long, conflicts_with = "policy", help_heading = "Judgement")]
    no_audit: bool,

    /// Hold a device against its MUD profile: LABEL=FILE (or ADDRESS=FILE); or a file, or a folder of *.json, which go by their
    /// names to the devices of these labels or addresses
    #[arg(long, value_name = "[LABEL=]FILE|FOLDER", help_heading = "Judgement")]
    mud: Vec<String>,

    /// Who serves a class of controllers in MUD profiles, such as dns=192.168.1.1; repeat it for several
    #[arg(long, value_name = "CLASS=ADDRESS", value_parser = super::audit::mud::controller, help_heading = "Judgement")]
    controller: Vec<(String, IpAddr)>,

    /// The store [default: thingprint.db here; in a service, in its state directory]
    #[arg(long, value_name = "FILE", help_heading = "Store")]
    store: Option<PathBuf>,

    /// How long windows, changes and acknowledged events are kept, such as 90d [default: for ever]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Store")]
    keep: Option<Duration>,

    /// Where the page is served
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7860", help_heading = "Page")]
    listen: SocketAddr,

    /// Serve no page
    #[arg(long, conflicts_with_all = ["listen", "token_file", "trusted_host"], help_heading = "Page")]
    no_page: bool,

    /// A file with the token that opens the page [default: a random one for each start, printed once with the address]
    #[arg(long, value_name = "FILE", help_heading = "Page")]
    token_file: Option<PathBuf>,

    /// A name by which a reverse proxy asks for the page; repeat it for several
    #[arg(long, value_name = "NAME", help_heading = "Page")]
    trusted_host: Vec<String>,

    /// Send events there; repeat it for several: stdout, file:PATH, http(s)://..., syslog://HOST:PORT, syslog:/dev/log,
    /// mqtt://HOST:PORT/PREFIX
    #[arg(long, value_name = "SINK", help_heading = "Events")]
    notify: Vec<String>,

    /// Send events of this severity and above: note, warning or error
    #[arg(long, value_name = "SEVERITY", default_value_t = Severity::Note, help_heading = "Events")]
    notify_severity: Severity,

    /// Send events of these kinds alone, such as new-device,verdict-changed
    #[arg(long, value_name = "KIND,...", value_delimiter = ',', help_heading = "Events")]
    notify_kinds: Vec<EventKind>,

    /// A file with the key that signs webhooks (HMAC-SHA256)
    #[arg(long, value_name = "FILE", help_heading = "Events")]
    webhook_key_file: Option<PathBuf>,

    /// Certificates (PEM) that servers of webhooks are checked against, in place of the public ones
    #[arg(long, value_name = "FILE", help_heading = "Events")]
    webhook_roots: Option<PathBuf>,

    /// A file with the password of the user in mqtt://USER@HOST
    #[arg(long, value_name = "FILE", help_heading = "Events")]
    mqtt_password_file: Option<PathBuf>,

    /// What Home Assistant is shown by MQTT: by-mac, apart (devices without their MAC addresses) or off
    #[arg(long, value_name = "WHAT", default_value = "by-mac", help_heading = "Events")]
    discovery: Discovery,

    /// The topic below which Home Assistant looks for devices
    #[arg(long, value_name = "TOPIC", default_value = "homeassistant", help_heading = "Events")]
    discovery_prefix: String,

    /// A file of TOML with any of these options, such as `interface = ["eth0"]`; what is typed takes the place of what it says
    #[arg(long, value_name = "FILE", help_heading = "Running")]
    config: Option<PathBuf>,

    /// Print a configuration with every option as a comment, and end
    #[arg(long, help_heading = "Running")]
    print_config: bool,

    /// Check options, files, sources and the store, and end: 0 where watching could begin, which it cannot while another process
    /// writes the store. Nothing is made or written
    #[arg(long, help_heading = "Running")]
    check: bool,

    #[command(flatten)]
    publish: PublishArgs,

    #[command(flatten)]
    knowledge: KnowledgeArgs,

    #[command(flatten)]
    extraction: ExtractionArgs,
}

impl WatchArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        if self.print_config {
            terminal::result().write_all(configuration::template_of("watch").as_bytes())?;
            return Ok(Outcome::Done);
        }
        if let Some(store) = self.store.as_deref().filter(|store| is_shared(store)) {
            let store = shown(store);
            return Err(Usage(format!(
                "--store {}: a watch writes a file of its own; publish parts with --publish, and give this to collect",
                store.display()
            ))
            .into());
        }
        if self.check {
            return self.check(global, messages);
        }
        // A signal that comes while a large store is opened must not be lost.
        let signals = Signals::install().context("failed to handle signals")?;
        let station = Station::open(self, global, messages)?;
        station.run(&signals)
    }

    /// Checks what watching would begin with; nothing is made, kept or written. Beside a watch, all but its store is right.
    fn check(&self, global: &GlobalArgs, messages: Messages) -> anyhow::Result<Outcome> {
        // The file became arguments before these were read.
        if let Some(path) = &self.config {
            messages.note(format!("configuration: {}", path.display()));
        }
        Plan::read(self, global, messages)?.check()?;
        Ok(Outcome::Done)
    }

    /// Whether watching could begin again with these arguments, in the place of a watch that runs.
    pub(super) fn verify(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        if self.words.iter().any(|word| word == "-") {
            let reason = "standard input cannot be begun again: restart to take the configuration";
            return Err(Usage(reason.to_owned()).into());
        }
        Plan::read(self, global, Messages::new(true, false)).map(drop)
    }

    /// Files that are read once, when watching begins.
    fn files(&self) -> Vec<PathBuf> {
        let optional = [
            &self.model,
            &self.labels,
            &self.token_file,
            &self.webhook_key_file,
            &self.webhook_roots,
            &self.mqtt_password_file,
        ];
        let named = optional.into_iter().flatten().cloned();
        // Those that are built in, or have a label before them, name no file.
        let profiles =
            self.mud.iter().map(|text| text.split_once('=').map_or(text.as_str(), |(_, path)| path));
        let profiles = profiles.map(PathBuf::from).flat_map(with_files_of_folder);
        let named = named.chain(self.publish.transport.files());
        let tables = self.knowledge.paths().map(Path::to_path_buf);
        named.chain(tables).chain(profiles).chain([PathBuf::from(&self.policy)]).collect()
    }

    /// The sources that the command line names.
    fn sources(&self) -> Result<Vec<SourceSpec>, Usage> {
        let usage = |error: thingprint_live::LiveError| Usage(format!("failed to read {error}"));
        let words = self.words.iter().map(|word| text_of(word)).collect::<Result<Vec<_>, _>>()?;
        let named = self.source.iter().map(|text| SourceSpec::parse(text));
        let mut sources = named.collect::<Result<Vec<_>, _>>().map_err(usage)?;
        if self.interface.is_empty() {
            for word in words {
                sources.push(SourceSpec::parse(word).map_err(usage)?);
            }
        } else {
            let filter = (!words.is_empty()).then(|| words.join(" "));
            for name in &self.interface {
                sources.push(SourceSpec::interface(name, filter.as_deref()).map_err(usage)?);
            }
        }
        if sources.is_empty() {
            return Err(Usage(
                "watch: nothing to watch: name an interface with -i, a folder, tcp://HOST:PORT, or - for standard input"
                    .to_owned(),
            ));
        }
        Ok(sources)
    }

    /// The sinks that events go to.
    fn sinks(&self) -> Result<Vec<SinkSpec>, Usage> {
        let sinks = self.notify.iter().map(|text| SinkSpec::parse(text)).collect::<Result<Vec<_>, _>>();
        sinks.map_err(|error| Usage(format!("--notify: failed to {error}")))
    }
}

/// A path, and the files in it where it is a folder: a file that is written anew leaves the time of its folder as it is.
fn with_files_of_folder(path: PathBuf) -> Vec<PathBuf> {
    let files = std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.take(MOST_PROFILES).collect();
    files.sort();
    files.insert(0, path);
    files
}

fn text_of(word: &OsString) -> Result<&str, Usage> {
    word.to_str().ok_or_else(|| Usage(format!("watch: '{}' is not UTF-8", word.display())))
}

/// Reads a time such as `90s`, `10m`, `24h` or `90d`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("expected a number with s, m, h or d, such as 90d, and not '{text}'");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(expected)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    let seconds = number.checked_mul(seconds).filter(|seconds| (1..=MOST_SECONDS).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| format!("expected 1s to 36500d, and not '{text}'"))
}

/// Files of a folder of profiles that are looked at on SIGHUP; a network has fewer kinds of devices.
const MOST_PROFILES: usize = 10_000;

/// A hundred years: times beyond would not fit into nanoseconds.
const MOST_SECONDS: u64 = 36_500 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_profiles_is_looked_at_with_its_files() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/commands/watch");
        let files = with_files_of_folder(PathBuf::from(folder));
        assert_eq!(files[0], PathBuf::from(folder));
        assert!(files.iter().any(|file| file.ends_with("pace.rs")), "{files:?}");
        assert_eq!(with_files_of_folder(PathBuf::from("camera.json")), [PathBuf::from("camera.json")]);
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("24h", 86_400), ("90d", 7_776_000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "90", "d", "-1h", "1.5h", "0s", "1 h", "99999999d", "1h30m", "1é"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
