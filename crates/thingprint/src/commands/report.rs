use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use thingprint_audit::report::{Captures, Report};
use thingprint_flow::{DeviceId, DeviceLosses, FlowOptions, WindowLength};
use thingprint_identity::Knowledge;
use thingprint_instance::DeviceEntry;
use thingprint_model::{Acceptance, Model};
use thingprint_pipeline::{IdentityStage, InventoryStage, Run};
use thingprint_table::Format;

use self::missing::Missing;
use self::stored::Stored;
use self::told::{Known, Told};
use super::classify::Classified;
use super::classify::answer;
use super::compare::reader::{Reader, has_findings, is_store};
use super::compare::side::SideRead;
use super::compare::side_args::{SideArgs, SideFiles};
use super::compare::{check_alike, compared};
use super::devices::inventory;
use crate::args::{GlobalArgs, KnowledgeArgs};
use crate::destinations::Destinations;
use crate::exit::{Outcome, Usage};
use crate::identities::Identities;
use crate::inputs::Input;
use crate::label_report::report_labels;
use crate::left_out::larger_of;
use crate::output::Output;
use crate::reading::Reading;

mod advice;
mod coverage;
mod in_words;
mod inventory;
mod missing;
mod page;
mod stored;
mod stored_page;
mod told;

/// Write a report on a network for people who decide, as one page
///
/// What is on the network, what is unknown, what is unsafe and what to do about it, what changed since an earlier time, and how
/// much of the traffic was judged. The page needs nothing beside it, and prints well.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Captures: files, folders or quoted globs; or a store of `watch` or `collect`
    #[arg(required = true, value_name = "CAPTURE|STORE")]
    captures: Vec<OsString>,

    /// An earlier time, to report what changed: a capture, a folder or quoted glob, instances, or a store
    #[arg(long, value_name = "BEFORE")]
    baseline: Option<OsString>,

    #[command(flatten)]
    knowledge: KnowledgeArgs,

    #[command(flatten)]
    side: SideArgs,
}

impl ReportArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let output = Output::with_documents(global)?;
        check_format(&output)?;
        self.check_standard_input()?;
        let store = self.store()?;
        self.check_read_by(store)?;
        self.destinations(&output).check(None)?;
        let files = self.side.read(messages)?;
        let reader = self.side.reader(&files, global, messages);
        match store {
            Some(store) => self.on_store(store, (&reader, &files), &output),
            None => self.on_captures((&reader, &files), &output),
        }
    }

    /// Writes the page on captures.
    fn on_captures(
        &self,
        (reader, files): (&Reader<'_>, &SideFiles),
        output: &Output,
    ) -> anyhow::Result<Outcome> {
        let (messages, global) = (reader.messages, reader.global);
        let knowledge = self.knowledge.read()?;
        let mut before = self.read_baseline(reader)?;
        before.iter_mut().for_each(SideRead::keep_findings_alone);
        let mut now = reader.read(&self.captures, true)?;
        for side in before.iter().chain([&now]) {
            output.check_apart(&side.inputs)?;
        }
        let (devices, identities, left_out) = self.devices(&now, (files, &knowledge), global)?;
        if let Some(before) = &before {
            before.report("earlier time: ", messages);
        }
        now.left_out = larger_of([&now.left_out, &left_out]);
        now.report("", messages);
        let mut missing = Missing::of(&now, before.as_ref());
        let seen = devices.iter().map(|entry| entry.device).collect();
        report_labels(&files.labels, &seen, messages);
        let model = files.model.as_ref();
        let answers = model.map(|model| answers(&now, model, global)).unwrap_or_default();
        let known = Known {
            labels: &files.labels,
            answers: &answers,
            identities: &identities,
            knowledge: &knowledge,
        };
        let mut outcome = now.outcome.max(missing.outcome());
        let changes = match before {
            Some(before) => {
                check_alike(&before, &now)?;
                let mut compared = compared([before, now], model, messages, false);
                now = std::mem::take(&mut compared.sides[1]);
                compared.call(|device| known.called(device));
                missing.add(&compared);
                outcome = outcome.max(compared.outcome);
                Some(compared)
            }
            None => None,
        };
        let Some(survey) = &mut now.survey else {
            return Err(Usage(format!(
                "report: {} holds no captures: a report is of captures, or of a store",
                now.name
            ))
            .into());
        };
        for audit in &mut survey.seen.audit.devices {
            audit.label = audit.label.take().or_else(|| known.called(audit.device));
        }
        let find = |_, _| None;
        let captures = Captures { names: now.captures.iter().map(Input::name).collect(), find: &find };
        let report = Report::new(&mut survey.seen, &captures, BTreeMap::new(), None);
        let told = Told {
            shared_names: known.shared_names(&devices),
            report: &report,
            policy: &files.policy,
            known,
            devices: &devices,
            windows: &now.rows,
            has_model: model.is_some(),
            changes: changes.as_ref(),
            missing: &missing,
            shows: &survey.shows,
        };
        output.with(|out| Ok(out.write_all(page::page(&told).html().as_bytes())?))?;
        messages.note(told.summary());
        // A page on nothing is no clean bill of health.
        let seen = if told.span().is_none() { Outcome::Partial } else { Outcome::Done };
        Ok(outcome.max(seen))
    }

    /// The earlier time, if one is given.
    fn read_baseline(&self, reader: &Reader<'_>) -> anyhow::Result<Option<SideRead>> {
        let Some(argument) = &self.baseline else { return Ok(None) };
        reader.read(std::slice::from_ref(argument), has_findings(argument)).map(Some)
    }

    /// The store that is reported, where it is one.
    fn store(&self) -> Result<Option<&Path>, Usage> {
        let mut stores = self.captures.iter().map(Path::new).filter(|path| is_store(path));
        match (stores.next(), self.captures.len()) {
            (Some(store), 2..) => {
                let store = thingprint_store::shown(store);
                Err(Usage(format!(
                    "report: {} is a store, which is reported alone: give captures or one store; collect puts what several \
                     taps see into one store",
                    store.display()
                )))
            }
            (store, _) => Ok(store),
        }
    }

    /// Writes the page on what a store has.
    fn on_store(
        &self,
        store: &Path,
        (reader, files): (&Reader<'_>, &SideFiles),
        output: &Output,
    ) -> anyhow::Result<Outcome> {
        let (messages, global) = (reader.messages, reader.global);
        let mut stored = Stored::read(store, &files.labels, &files.policy)?;
        let seen = stored.devices.iter().map(|record| record.sighting.device).collect();
        report_labels(&files.labels, &seen, messages);
        let before = self.read_baseline(reader)?;
        if let Some(before) = &before {
            before.report("earlier time: ", messages);
        }
        let mut outcome = Outcome::Done;
        // Instances are many, and nothing else needs them.
        let now = (before.is_some() || files.model.is_some()).then(|| reader.read(&self.captures, true));
        let now = now.transpose()?.unwrap_or_default();
        now.report("", messages);
        let mut missing = Missing::of(&now, before.as_ref());
        for side in before.iter().chain([&now]) {
            output.check_apart(&side.inputs)?;
            outcome = outcome.max(side.outcome);
        }
        if let Some(model) = &files.model {
            stored.judge(answers(&now, model, global));
        }
        let mut changes = None;
        if let Some(before) = before {
            check_alike(&before, &now)?;
            let mut compared = compared([before, now], files.model.as_ref(), messages, false);
            compared.call(|device| stored.called(device));
            outcome = outcome.max(compared.outcome);
            missing.add(&compared);
            changes = Some(compared);
        }
        stored.changes = changes.as_ref();
        stored.missing = missing;
        output.with(|out| Ok(out.write_all(stored_page::page(&stored).html().as_bytes())?))?;
        messages.note(stored.summary());
        let is_partial = !stored.causes().is_empty() || stored.span().is_none();
        Ok(outcome.max(if is_partial { Outcome::Partial } else { Outcome::Done }))
    }

    /// Refuses options about packets where no packet is read.
    fn check_read_by(&self, store: Option<&Path>) -> Result<(), Usage> {
        let Some(store) = store else { return Ok(()) };
        let reads_captures = self.baseline.as_ref().is_some_and(|before| !is_store(Path::new(before)));
        let mut given = self.knowledge.given();
        if !reads_captures {
            given.extend(self.side.extraction.given());
        }
        if given.is_empty() {
            return Ok(());
        }
        Err(Usage(format!(
            "report: {} is about packets, and {} has none: what is in a store was read by the options of its watch; leave it out, \
             or report captures",
            given.join(", "),
            thingprint_store::shown(store).display()
        )))
    }

    /// What standard input gives cannot be read twice.
    fn check_standard_input(&self) -> Result<(), Usage> {
        if self.captures.iter().any(|capture| capture == "-") {
            let reason = "report: reads captures more than once, and standard input gives them once: save them to a file first";
            return Err(Usage(reason.to_owned()));
        }
        Ok(())
    }

    fn destinations<'a>(&'a self, output: &'a Output) -> Destinations<'a> {
        let mut destinations = Destinations::of(output.results());
        destinations.add("--output", output.file());
        let read = self.side.paths().into_iter().chain(self.knowledge.paths().map(Some));
        read.for_each(|path| _ = destinations.read(path));
        destinations.read(self.baseline.as_deref().map(AsRef::as_ref));
        for capture in &self.captures {
            destinations.read(Some(capture.as_ref()));
        }
        destinations
    }

    /// The inventory without gateways, who devices and gateways say they are, and what caps left out of that.
    fn devices(
        &self,
        now: &SideRead,
        (files, knowledge): (&SideFiles, &Knowledge),
        global: &GlobalArgs,
    ) -> anyhow::Result<(Vec<DeviceEntry>, Identities, DeviceLosses)> {
        let extraction = &self.side.extraction;
        let engine = extraction.models.read()?.engine();
        let device = &extraction.flow.device;
        let reading = Reading {
            inputs: &now.captures,
            flow: FlowOptions { window: WindowLength::Capture, ..extraction.flow.options()? },
            gateways: device.gateways().policy(&files.labels),
            engine: &engine,
            threads: global.threads(),
            options: device.trace_options(),
            wants_spans: false,
            keeps_gateways: false,
            shows_gateways: true,
            messages: global.messages(),
        };
        let Run { rests, summary } = reading.run(&(InventoryStage, IdentityStage::default()), |_| Ok(()))?;
        let (records, said): (Vec<_>, Vec<_>) = rests.into_iter().unzip();
        let identities = Identities::of(said, (&summary, device.identity()), knowledge);
        let left_out = summary.left_out.clone();
        Ok((inventory(Run { rests: records, summary }, device.identity()), identities, left_out))
    }
}

/// Refuses every format but a page.
fn check_format(output: &Output) -> Result<(), Usage> {
    if output.format() == Format::Html {
        return Ok(());
    }
    let reason = "report: writes a page of HTML: name a file such as -o report.html, or give --format html";
    Err(Usage(reason.to_owned()))
}

/// What a model says of each device: the class or `unknown`, and why it is unknown.
fn answers(now: &SideRead, model: &Model, global: &GlobalArgs) -> BTreeMap<DeviceId, answer::Said> {
    let classified = Classified::new(now.rows.clone(), model, global.threads());
    let answers = answer::of_devices(&classified, model, &Acceptance::default());
    answers.iter().map(answer::Answer::said).collect()
}
