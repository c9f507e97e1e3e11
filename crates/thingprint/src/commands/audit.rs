use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use thingprint_audit::report::{self, Captures, Report, RulesDocument};
use thingprint_audit::{Coverage, KnownFindings, Policy, SetAside, Severity};
use thingprint_figure::Figure;
use thingprint_flow::{FlowOptions, TraceOptions, WindowLength};
use thingprint_report::Transaction;
use thingprint_table::{Format, Table, Writes, json};

use self::survey::Surveying;
use crate::args::{FlowArgs, GlobalArgs, ModelArgs};
use crate::copies::without_copies;
use crate::destinations::Destinations;
use crate::exit::{Outcome, Usage};
use crate::files::{read_confirmed_labels, write_file};
use crate::inputs::{Input, expand};
use crate::label_report::report_labels;
use crate::messages::{Kept, Messages};
use crate::networks::NetworkBy;
use crate::output::Output;
use crate::reading::Reading;
use crate::small_file::{MOST_FINDINGS_BYTES, MOST_WRITTEN_BYTES, read_text};

mod known;
pub(super) mod mud;
pub(super) mod survey;

/// Judge what devices say by best practice
///
/// Findings of each device, by the rules of a policy, over the whole trace; what its messages show that no other
/// device shows; and, where asked for, which known device it looks like, and what it does that its MUD profile does
/// not allow. The JSON result is one object; CSV, JSON lines and Parquet have a row for each finding; a table lists
/// the many cipher suites of one grade on one line.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Captures: files, folders, quoted globs, or - for standard input
    #[arg(required_unless_present_any = ["rules", "policy_show"], value_name = "CAPTURE")]
    captures: Vec<OsString>,

    /// List the rules of the policy instead: what each checks, why, an example, how to fix it, what is accepted, how
    /// severe the rest is, and where that is written
    #[arg(long, conflicts_with_all = [
        "captures", "fail_on", "require_judged", "labels", "device", "known_findings", "html", "sarif", "cipher_plot", "fingerprints", "fingerprints_out", "mud",
        "mud_out",
    ])]
    rules: bool,

    /// Print the text of a policy that is built in instead, to be changed and given back with --policy FILE;
    /// docs/policies.md explains its form
    #[arg(long, value_name = "NAME", conflicts_with_all = [
        "captures", "rules", "policy", "format", "fail_on", "require_judged", "labels", "device", "known_findings", "html", "sarif", "cipher_plot", "fingerprints",
        "fingerprints_out", "mud", "mud_out",
    ])]
    policy_show: Option<String>,

    /// What counts as good: bcp2026 (standards and best current practices of 2026), paper2024 (the references of the
    /// protocol paper to the letter), strict (the best alone), or a TOML file of your own
    #[arg(long, value_name = "NAME|FILE", default_value = DEFAULT_POLICY)]
    policy: String,

    /// Exit with status 3 when there is a finding of this severity or a more severe one: note, warning or error; also where
    /// some input could not be read, which is status 4 otherwise
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,

    /// Exit with status 3 when a smaller share of the flows of some device, or of a device and protocol, could be judged, from 0
    /// to 1: what nobody could judge is not clean. Flows in which no protocol was recognised count, those of protocols without a
    /// rule do not
    #[arg(long, value_name = "SHARE", value_parser = share)]
    require_judged: Option<f64>,

    /// What the devices are: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    /// Only of this device: its label or its address; may be given several times
    #[arg(long, value_name = "LABEL|ADDRESS")]
    device: Vec<String>,

    /// Leave out the findings of an earlier audit, and count them: a log that --sarif wrote
    #[arg(long, value_name = "FILE")]
    known_findings: Option<PathBuf>,

    /// Write a page of HTML as well, which needs nothing beside it
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    html: Option<PathBuf>,

    /// Write a log of SARIF 2.1.0 as well
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    sarif: Option<PathBuf>,

    /// Draw the lists of cipher suites that devices offer, as SVG: the logarithm of each code over its place
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    cipher_plot: Option<PathBuf>,

    /// Refused: an audit judges one network at a time
    #[arg(long, value_enum, value_name = "WHAT", hide = true)]
    network_by: Option<NetworkBy>,

    #[command(flatten)]
    known: known::KnownArgs,

    #[command(flatten)]
    mud: mud::MudArgs,

    #[command(flatten)]
    flow: FlowArgs,

    #[command(flatten)]
    models: ModelArgs,
}

/// The policy without `--policy`.
pub(super) const DEFAULT_POLICY: &str = "bcp2026";

impl AuditArgs {
    /// The files that are written beside the result.
    pub(super) fn pages(&self) -> impl Iterator<Item = &Path> {
        [&self.html, &self.sarif, &self.cipher_plot].into_iter().filter_map(Option::as_deref)
    }

    /// What would be written without pseudonyms.
    pub(super) fn names_everybody(&self) -> Option<&'static str> {
        let options = [
            (self.rules, "--rules"),
            (self.policy_show.is_some(), "--policy-show"),
            (self.html.is_some(), "--html"),
            (self.sarif.is_some(), "--sarif"),
            (self.cipher_plot.is_some(), "--cipher-plot"),
            (self.known.is_wanted(), "--fingerprints"),
            (self.mud.is_wanted() || !self.mud.files().is_empty(), "--mud"),
        ];
        options.into_iter().find_map(|(is_given, option)| is_given.then_some(option))
    }

    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        if self.rules {
            return self.list_rules(global);
        }
        if let Some(name) = &self.policy_show {
            return show_policy(name, global);
        }
        self.check_networks()?;
        let messages = global.messages();
        let options = FlowOptions { window: WindowLength::Capture, ..self.flow.options()? };
        let policy = read_policy(&self.policy)?;
        let known_findings = read_known_findings(self.known_findings.as_deref())?;
        let engine = self.models.read()?.engine();
        let output = Output::with_documents(global)?;
        check_pseudonyms(&output)?;
        let labels = read_confirmed_labels(self.labels.as_deref(), messages)?;
        let known = self.known.read(&global.results, messages)?;
        let profiles = self.mud.read()?;
        let kept = Kept::new(messages);
        let (inputs, found) = expand(&self.captures, &kept)?;
        let given = self.mud.files();
        let destinations = self.destinations(&output, &inputs, &given);
        destinations.check(self.mud.folder())?;
        let inputs = without_copies(&inputs, &kept);
        let reading = Reading {
            inputs: &inputs,
            flow: options,
            gateways: self.flow.device.gateways().policy(&labels),
            engine: &engine,
            threads: global.threads(),
            options: TraceOptions { hash: self.known.learns(), ..self.flow.device.trace_options() },
            wants_spans: true,
            keeps_gateways: false,
            shows_gateways: true,
            messages,
        };
        let surveying = Surveying { reading, labels: &labels, wants_mud: self.mud.is_wanted() };
        let mut survey = surveying.survey(&policy)?;
        self.mud.give_controllers(&mut survey.seen);
        let outcome = surveying.reading.report(&survey.summary, &kept)?;
        let outcome = outcome.max(survey.report_losses(&kept));
        self.keep_devices(&mut survey)?;
        report_labels(&labels, &survey.seen.devices.values().copied().collect(), &kept);
        let verdicts = mud::check(&survey.seen, &profiles, messages)?;
        let find = |device, time| survey.summary.spans.capture_of(device, time);
        let captures = Captures { names: inputs.iter().map(Input::name).collect(), find: &find };
        let mut report = Report::new(&mut survey.seen, &captures, verdicts, known.as_ref());
        report.header.notices = kept.into_notices();
        report.set_aside(&known_findings, &policy);
        report_set_aside(&report.header.set_aside, messages);
        self.mud.check_apart(&survey.seen, &destinations)?;
        self.write_beside(&report, &policy, &global.results)?;
        self.mud.write(&survey.seen, &global.results, messages)?;
        let again = |places: &[usize]| surveying.survey_only(places, &survey.summary.gateways, &policy);
        let whole = self.known.write(known, &survey, again, (&global.results, messages))?;
        Writing { report: &report, policy: &policy, messages }.write(&output)?;
        messages.note(report.flows_in_words());
        messages.note(self.conclusion(&report, &policy));
        let fails = self.fail_on.is_some_and(|severity| report.audit.has_at_or_over(severity));
        let fails = self.is_judged_too_little(&report, messages) || fails;
        // Nothing that was heard is no clean bill of health.
        let judged = match report.header.span {
            None => Outcome::Partial,
            Some(_) if fails => Outcome::Findings,
            Some(_) => Outcome::Done,
        };
        Ok(outcome.max(found).max(whole).max(judged))
    }

    /// Keeps the devices that `--device` names; all without it.
    fn keep_devices(&self, survey: &mut survey::Survey) -> Result<(), Usage> {
        if self.device.is_empty() {
            return Ok(());
        }
        survey.seen.keep(&self.device).map_err(|unknown| {
            let hint = if self.labels.is_none() { ": give --labels to name devices by label" } else { "" };
            Usage(format!("--device: no device has the label or address '{unknown}'{hint}"))
        })
    }

    fn check_networks(&self) -> Result<(), Usage> {
        if self.network_by.is_some() {
            let reason = "--network-by: an audit judges one network at a time; audit the captures of each one by themselves";
            return Err(Usage(reason.to_owned()));
        }
        Ok(())
    }

    /// Says which flows could not be judged; whether that are more than is allowed.
    fn is_judged_too_little(&self, report: &Report, messages: Messages) -> bool {
        for (protocol, coverage) in report.audit.coverage().into_iter().filter(|(_, of)| !of.is_whole()) {
            let Coverage { seen, judged, .. } = coverage;
            messages
                .note(format!("{judged} of {seen} flows of {protocol} were judged: {}", coverage.reasons()));
        }
        report.not_judged().into_iter().for_each(|line| messages.note(line));
        let Some(share) = self.require_judged else { return false };
        let mut is_too_little = false;
        for device in report.audit.devices_judged_under(share) {
            let words = device.judgement.share_in_words();
            messages.warn(format!("--require-judged: {}: {words}", device.name()));
            is_too_little = true;
        }
        for (device, protocol, Coverage { seen, judged, .. }) in report.audit.judged_under(share) {
            messages.warn(format!(
                "--require-judged: {}: {judged} of {seen} flows of {protocol} were judged",
                device.name()
            ));
            is_too_little = true;
        }
        is_too_little
    }

    fn list_rules(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let output = Output::with_documents(global)?;
        let policy = read_policy(&self.policy)?;
        match output.format() {
            Format::Json => output.json(&RulesDocument::of(&policy)),
            Format::Table => output.sections(&report::sections(&policy)),
            format if format.writes() == Writes::Document => {
                let reason = format!("--rules: unsupported format '{format}': use table, json or csv");
                Err(Usage(reason).into())
            }
            _ => output.table(&report::rows(&policy)),
        }?;
        Ok(Outcome::Done)
    }

    /// The files that are written, and those that are read.
    fn destinations<'a>(&'a self, output: &'a Output, inputs: &[Input], mud: &[PathBuf]) -> Destinations<'a> {
        let mut destinations = Destinations::of(output.results());
        destinations
            .add("--output", output.file())
            .add("--html", self.html.as_deref())
            .add("--sarif", self.sarif.as_deref())
            .add("--cipher-plot", self.cipher_plot.as_deref())
            .add("--fingerprints-out", self.known.fingerprints_out.as_deref())
            .read(self.labels.as_deref())
            .read(self.known_findings.as_deref())
            .read(Policy::built_in(&self.policy).is_none().then(|| Path::new(&self.policy)))
            .read(self.models.path())
            .read_inputs(inputs)
            .renews("--fingerprints-out", self.known.fingerprints.as_deref());
        for path in mud {
            destinations.read(Some(path));
        }
        destinations
    }

    /// Writes the files that are asked for beside the result.
    fn write_beside(&self, report: &Report, policy: &Policy, results: &Transaction) -> anyhow::Result<()> {
        if let Some(path) = &self.html {
            write_file(results, path, report.page(policy).html().as_bytes())?;
        }
        if let Some(path) = &self.sarif {
            write_file(results, path, sarif_text(report, policy)?.as_bytes())?;
        }
        if let Some(path) = &self.cipher_plot {
            write_file(results, path, report.cipher_plot().svg().as_bytes())?;
        }
        Ok(())
    }

    /// What came out, in a line.
    fn conclusion(&self, report: &Report, policy: &Policy) -> String {
        let default = if self.policy == DEFAULT_POLICY { ", the default" } else { "" };
        let counts = report.counts_and_not_judged();
        let devices = report.devices();
        format!("{devices} by policy {} of {}{default}: {counts}", policy.name(), policy.date())
    }
}

/// The findings in the log of an earlier audit; none without a file.
fn read_known_findings(path: Option<&Path>) -> anyhow::Result<KnownFindings> {
    let Some(path) = path else { return Ok(KnownFindings::default()) };
    let context = || format!("failed to read known findings {}", path.display());
    let text = read_text(path, MOST_FINDINGS_BYTES).with_context(context)?;
    KnownFindings::from_sarif(&text).map_err(anyhow::Error::msg).with_context(context)
}

/// Says which findings are not shown, and which suppressions act no more.
fn report_set_aside(aside: &SetAside, messages: Messages) {
    aside.in_words().into_iter().for_each(|line| messages.note(line));
    aside.over.iter().for_each(|line| messages.warn(line));
}

/// A share from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

/// Prints the text of a built-in policy.
fn show_policy(name: &str, global: &GlobalArgs) -> anyhow::Result<Outcome> {
    let Some(text) = Policy::built_in_text(name) else {
        let names: Vec<&str> = Policy::names().collect();
        let names = names.join(", ");
        return Err(Usage(format!("--policy-show: no policy '{name}' is built in: there are {names}")).into());
    };
    Output::verbatim(global).with(|out| Ok(out.write_all(text.as_bytes())?))?;
    Ok(Outcome::Done)
}

/// Refuses pseudonyms for formats that show what distinguishes devices, which host names do as well.
fn check_pseudonyms(output: &Output) -> Result<(), Usage> {
    let shows_all = matches!(output.format(), Format::Table | Format::Json | Format::Html | Format::Sarif);
    if output.has_pseudonyms() && shows_all {
        let format = output.format();
        return Err(Usage(format!(
            "--pseudonyms: {format} of audit names devices as they are: choose csv, jsonl or parquet"
        )));
    }
    Ok(())
}

/// The policy of a name, or in a file.
pub(in crate::commands) fn read_policy(asked: &str) -> anyhow::Result<Policy> {
    if let Some(policy) = Policy::built_in(asked) {
        return Ok(policy);
    }
    match read_text(Path::new(asked), MOST_WRITTEN_BYTES) {
        Ok(text) if text.trim().is_empty() => bail!("failed to read the policy {asked}: the file is empty"),
        Ok(text) => Policy::from_toml(asked, &text).context("failed to read the policy"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let names: Vec<&str> = Policy::names().collect();
            let names = names.join(", ");
            Err(Usage(format!("--policy: there is no policy and no file '{asked}': there are {names}"))
                .into())
        }
        Err(error) => Err(error).with_context(|| format!("failed to read the policy {asked}")),
    }
}

/// A result that is to be written.
struct Writing<'a> {
    report: &'a Report,
    policy: &'a Policy,
    messages: Messages,
}

impl Writing<'_> {
    fn write(&self, output: &Output) -> anyhow::Result<()> {
        let Self { report, policy, messages } = *self;
        match output.format() {
            Format::Html => output.with(|out| Ok(out.write_all(report.page(policy).html().as_bytes())?)),
            Format::Sarif => {
                let text = sarif_text(report, policy)?;
                output.with(|out| Ok(out.write_all(text.as_bytes())?))
            }
            Format::Json => output.json(&report.document()),
            Format::Table => output.sections(&self.sections()),
            _ => {
                output.table(&report.findings())?;
                if output.has_pseudonyms() {
                    return Ok(());
                }
                for (heading, table) in report.tables_beside() {
                    messages.note(heading);
                    messages.table(&table);
                }
                Ok(())
            }
        }
    }

    /// Tables for people; for those who want to know more, the rules that were broken in words.
    fn sections(&self) -> Vec<(String, Table)> {
        let mut sections = self.report.tables();
        if self.messages.is_verbose() {
            for rule in self.report.broken_rules(self.policy) {
                sections.push(report::section(&rule));
            }
        }
        sections
    }
}

fn sarif_text(report: &Report, policy: &Policy) -> anyhow::Result<String> {
    let log = report.sarif(policy);
    Ok(json::text_pretty(&log)? + "\n")
}
