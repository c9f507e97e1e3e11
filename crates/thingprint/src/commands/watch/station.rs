use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use thingprint_audit::report::Profiles;
use thingprint_flow::DeviceId;
use thingprint_identity::Knowledge;
use thingprint_instance::ExtractionRecipe;
use thingprint_live::{Intake, IntakeOptions, SourceSpec};
use thingprint_model::Acceptance;
use thingprint_notify::{Notifier, NotifyOptions, Secret, Selection, SinkSpec};
use thingprint_profile::{MudBuilder, MudLimits};
use thingprint_report::Labels;
use thingprint_store::{Problem, Reader, Store, Writer, WriterOptions};
use thingprint_table::Format;
use thingprint_watch::{Account, WatchOptions, Watcher};
use thingprint_web::{Web, WebOptions, random_token};

use super::backend::PageBackend;
use super::events::Outbox;
use super::kept;
use super::model::Judging;
use super::options::watch_options;
use super::printer::Printer;
use super::service::Service;
use super::signals::Signals;
use super::{WatchArgs, clock};
use crate::args::GlobalArgs;
use crate::commands::audit::mud::profiles;
use crate::destinations::Destinations;
use crate::exit::{Outcome, Usage};
use crate::files::read_confirmed_labels;
use crate::messages::Messages;
use crate::output::Output;
use crate::small_file::{MOST_WRITTEN_BYTES, read_text};

/// The store where none is named.
const STORE: &str = "thingprint.db";
/// The sink that is standard output.
const STDOUT: &str = "stdout";

/// Everything that watching needs, opened and checked.
pub(super) struct Station<'a> {
    plan: Plan<'a>,
    store: Store,
}

/// What watching needs apart from the store.
pub(super) struct Plan<'a> {
    args: &'a WatchArgs,
    global: &'a GlobalArgs,
    messages: Messages,
    specs: Vec<SourceSpec>,
    labels: Labels,
    judging: Judging,
    options: WatchOptions,
    events: Events,
    page: Option<WebOptions>,
    profiles: Profiles,
    knowledge: Arc<Knowledge>,
}

/// Where events go.
struct Events {
    sinks: Vec<SinkSpec>,
    notify: NotifyOptions,
    /// Whether they are printed for a person.
    is_printed: bool,
}

impl<'a> Plan<'a> {
    /// Opens and checks what the command line names; nothing is written.
    pub(super) fn read(
        args: &'a WatchArgs,
        global: &'a GlobalArgs,
        messages: Messages,
    ) -> anyhow::Result<Self> {
        let specs = args.sources()?;
        for file in specs.iter().filter(|spec| matches!(spec, SourceSpec::File(_))) {
            let checked = file.check(&IntakeOptions::default());
            checked.unwrap_or(Ok(())).map_err(|error| anyhow!("failed to read {error}"))?;
        }
        let mut sinks = args.sinks()?;
        let is_printed = add_result(&mut sinks, global)?;
        check_places(args, global, &specs)?;
        let mut notify = notify_options(args)?;
        for sink in &sinks {
            sink.check(&mut notify).map_err(|error| Usage(format!("--notify: failed to {error}")))?;
        }
        args.publish.spec()?;
        let page = if args.no_page { None } else { Some(web_options(args)?) };
        let labels = read_confirmed_labels(args.labels.as_deref(), messages)?;
        let acceptance = Acceptance { confidence: args.threshold, false_alarms: args.false_alarms };
        let judging = Judging::open(args.model.as_deref(), acceptance)?;
        let options = options_for(args, &specs, (&judging, &labels))?;
        let profiles = profiles::read(&args.mud)?;
        let knowledge = Arc::new(args.knowledge.read()?);
        let events = Events { sinks, notify, is_printed };
        Ok(Self {
            args,
            global,
            messages,
            specs,
            labels,
            judging,
            options,
            events,
            page,
            profiles,
            knowledge,
        })
    }
}

impl Plan<'_> {
    /// Checks sources and the store, and says what would be done. Nothing is made or written.
    pub(super) fn check(self) -> anyhow::Result<()> {
        self.check_sources()?;
        let path = store_path(self.args);
        let store = match Reader::open(&path) {
            Ok(_) => "is there",
            Err(error) => match error.problem {
                Problem::Missing => {
                    check_folder(&path)?;
                    "will be made"
                }
                Problem::Older { .. } => "of an older program; it will be brought to the present form",
                _ => return Err(failed(error)),
            },
        };
        self.messages.note(format!("store: {} ({store})", path.display()));
        let model = self.judging.name.as_deref().unwrap_or("none");
        self.messages
            .note(format!("model: {model}; one that was trained on the page is checked at the start"));
        let sinks: Vec<String> = self.events.sinks.iter().map(ToString::to_string).collect();
        let sinks = if sinks.is_empty() { "the page".to_owned() } else { sinks.join(", ") };
        self.messages.note(format!("events: {sinks}"));
        if let Some(page) = &self.page {
            self.messages.note(format!("page: {}", page.listen));
        }
        // Last, so that all else is checked beside a watch that runs.
        Store::check_free(&path).map_err(failed)
    }

    /// Checks tcpdump, interfaces, folders and files, and says which sources show only when they are read.
    fn check_sources(&self) -> anyhow::Result<()> {
        let options = IntakeOptions { tcpdump: self.args.tcpdump.clone(), ..IntakeOptions::default() };
        for spec in &self.specs {
            match spec.check(&options) {
                Some(checked) => {
                    checked.map_err(|error| anyhow!("failed to read {error}"))?;
                    self.messages.note(format!("source: {spec}"));
                }
                None => self.messages.note(format!("source: {spec} (not checked: it shows when it is read)")),
            }
        }
        Ok(())
    }
}

/// Refuses a store in a folder that is not there: a watch makes the file and no folder.
fn check_folder(store: &Path) -> anyhow::Result<()> {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    bail!(
        "failed to make {}: there is no folder {}: create it, or give another place with --store",
        store.display(),
        folder.display()
    )
}

impl<'a> Station<'a> {
    /// Opens and checks what the command line names; nothing is read yet.
    pub(super) fn open(
        args: &'a WatchArgs,
        global: &'a GlobalArgs,
        messages: Messages,
    ) -> anyhow::Result<Self> {
        let mut plan = Plan::read(args, global, messages)?;
        let path = store_path(args);
        let mut store = Store::open(&path).map_err(failed)?;
        if args.drop_trained {
            store.write_with(&Account::default(), &kept::no_model()).map_err(failed)?;
        }
        plan.judging = plan.judging.or_trained(&store, messages)?;
        if plan.judging.is_trained {
            let options = options_for(args, &plan.specs, (&plan.judging, &plan.labels));
            plan.options = options.context(
                "the model that was trained on the page judges: give the options that it was trained with, or another --model",
            )?;
        }
        store.set_recipe(&recipe(&plan.options)).map_err(failed)?;
        Ok(Self { plan, store })
    }

    /// Watches until all sources ended, or a signal or the time asks for the end.
    pub(super) fn run(self, signals: &Signals) -> anyhow::Result<Outcome> {
        let Self { plan, store } = self;
        let knowledge = Arc::clone(&plan.knowledge);
        let Plan { args, global, messages, specs, labels, judging, options, events, page, profiles, .. } =
            plan;
        let Events { sinks, notify, is_printed } = events;
        let printer = Printer::start(messages).context("failed to print events")?;
        let resume = kept::resume(&store).map_err(failed)?;
        let progress = kept::progress(&store).map_err(failed)?;
        let final_until = resume.final_until;
        let (path, recipe) = (store.path().to_owned(), recipe(&options));
        let store_file = path.clone();
        let notifier = Notifier::start(&sinks, notify).map_err(failed)?;
        let selection = Selection { severity: args.notify_severity, kinds: args.notify_kinds.clone() };
        let newest = resume.next_event.saturating_sub(1);
        let outbox = Outbox::new((notifier, selection), is_printed.then(|| printer.clone()), newest);
        for device in resume.devices.iter().filter(|device| device.is_muted) {
            outbox.mute(device.sighting.device, true);
        }
        let given: BTreeMap<DeviceId, String> = resume
            .devices
            .iter()
            .filter_map(|device| Some((device.sighting.device, device.label.clone()?)))
            .collect();
        let written = outbox.clone();
        let writer = WriterOptions {
            keep: args.keep,
            on_commit: Some(Box::new(move |receipt| written.note_written(receipt.number))),
            ..WriterOptions::default()
        };
        let writer = Writer::spawn(store, writer).map_err(failed)?;
        let (jobs, asked) = channel();
        let named = (labels.clone(), judging.clone());
        let backend = Arc::new(PageBackend::new((path, recipe), named, global.threads(), jobs));
        if let Some(page) = page {
            outbox.show_on(serve(page, &backend, (args.token_file.is_none(), messages))?);
        }
        let is_live = specs.iter().all(|spec| matches!(spec, SourceSpec::Interface(_)));
        let intake = IntakeOptions {
            tcpdump: args.tcpdump.clone(),
            progress,
            final_until,
            ..IntakeOptions::default()
        };
        let intake =
            Intake::start(specs.clone(), intake).map_err(|error| anyhow!("failed to read {error}"))?;
        let stage = options.stage();
        let mut watcher = Watcher::new(&options, &stage, resume);
        for device in labels.devices() {
            watcher.label(device, backend.label_of(device, given.get(&device).map(String::as_str)));
        }
        watcher.identify_by(knowledge);
        watcher.judge_by(judging.judge());
        if !profiles.is_empty() {
            watcher.hold_against(&options.pipeline.engine, profiles, mud_builder(args, &options));
        }
        if is_live {
            watcher.begin(clock::now());
        }
        let ends = args.stop_after.map(|after| Instant::now() + after);
        let mut service = Service::new(writer, outbox, Arc::clone(&backend), (judging, &specs, printer));
        service.look_at(args.files());
        service.publish(args.publish.open(&store_file, &options, args.extraction.flow.device.gateways())?);
        service.run((watcher, intake), (signals, &asked, ends))
    }
}

/// Refuses events in the place of a file that is read.
fn check_places(args: &WatchArgs, global: &GlobalArgs, specs: &[SourceSpec]) -> anyhow::Result<()> {
    let output = Output::of(global)?;
    let mut read = Destinations::of(output.results());
    for spec in specs {
        if let SourceSpec::File(file) = spec {
            read.read(Some(file.path()));
        }
    }
    for file in args.files() {
        read.read(Some(&file));
    }
    if let Some(path) = &global.output {
        read.check_replaced("-o", path)?;
    }
    let files = args.notify.iter().filter_map(|text| text.strip_prefix("file:"));
    Ok(files.map(Path::new).try_for_each(|path| read.check_replaced("--notify", path))?)
}

/// An error whose words follow "failed to".
pub(in crate::commands) fn failed(error: impl Display) -> anyhow::Error {
    anyhow!("failed to {error}")
}

/// How sources are watched, so that this model can judge what they show.
fn options_for(
    args: &WatchArgs,
    specs: &[SourceSpec],
    (judging, labels): (&Judging, &Labels),
) -> anyhow::Result<WatchOptions> {
    let options = watch_options(args, judging.model.as_deref(), labels)?;
    let can_replay = |spec: &SourceSpec| matches!(spec, SourceSpec::Folder(_) | SourceSpec::File(_));
    let can_replay = specs.iter().all(can_replay);
    Ok(WatchOptions { sources: specs.len(), can_replay, ..options })
}

/// How instances are made, as files of them say it.
fn recipe(options: &WatchOptions) -> ExtractionRecipe {
    ExtractionRecipe::of(&options.instance).without_evidence()
}

/// The store that is named; else in the state directory of a service, else here.
fn store_path(args: &WatchArgs) -> PathBuf {
    let of_service = || std::env::var_os("STATE_DIRECTORY").map(|folder| Path::new(&folder).join(STORE));
    args.store.clone().or_else(of_service).unwrap_or_else(|| STORE.into())
}

/// Adds the sink that the result goes to: standard output, or the file of `-o`. Whether events are printed for a person
/// instead.
fn add_result(sinks: &mut Vec<SinkSpec>, global: &GlobalArgs) -> anyhow::Result<bool> {
    let output = Output::of(global)?;
    let path = global.output.as_deref().filter(|path| *path != Path::new("-"));
    let is_table = match output.format() {
        Format::Table => true,
        Format::Jsonl => false,
        other => {
            return Err(Usage(format!("watch: events are written as table or jsonl, not as {other}")).into());
        }
    };
    if is_table && path.is_none() {
        return Ok(!sinks.iter().any(|sink| sink.to_string() == STDOUT));
    }
    if is_table {
        return Err(Usage("watch: a file has events as jsonl".to_owned()).into());
    }
    let text = path.map_or_else(|| STDOUT.to_owned(), |path| format!("file:{}", path.display()));
    if !sinks.iter().any(|sink| sink.to_string() == text) {
        sinks.push(SinkSpec::parse(&text).map_err(|error| Usage(format!("-o: failed to {error}")))?);
    }
    Ok(false)
}

/// What knows who serves the classes of controllers.
fn mud_builder(args: &WatchArgs, options: &WatchOptions) -> MudBuilder {
    let builder = MudBuilder::new(MudLimits::default());
    let mut builder = builder.with_local_nets(options.pipeline.flow.local_nets.clone());
    for (class, address) in &args.controller {
        builder.give_controller(class, *address);
    }
    builder
}

fn notify_options(args: &WatchArgs) -> anyhow::Result<NotifyOptions> {
    let secret = |path: &Option<PathBuf>| path.as_deref().map(Secret::read).transpose().map_err(failed);
    Ok(NotifyOptions {
        webhook_key: secret(&args.webhook_key_file)?,
        webhook_roots: args.webhook_roots.clone(),
        mqtt_password: secret(&args.mqtt_password_file)?,
        discovery: args.discovery,
        discovery_prefix: args.discovery_prefix.clone(),
        ..NotifyOptions::default()
    })
}

fn web_options(args: &WatchArgs) -> anyhow::Result<WebOptions> {
    let token = match &args.token_file {
        Some(path) => {
            let text = read_text(path, MOST_WRITTEN_BYTES);
            let text = text.with_context(|| format!("failed to read --token-file {}", path.display()))?;
            Some(text.trim_end().to_owned())
        }
        // Nobody on the machine but who sees the terminal can open the page then.
        None if args.listen.ip().is_loopback() => Some(random_token()?),
        None => None,
    };
    let options = WebOptions {
        listen: args.listen,
        token,
        trusted_hosts: args.trusted_host.clone(),
        ..WebOptions::default()
    };
    let check = options.check();
    check.map_err(|error| Usage(format!("--listen, --token-file: failed to serve the page: {error}")))?;
    Ok(options)
}

/// Serves the page, and says where; with the token, where it is a random one.
fn serve(
    options: WebOptions,
    backend: &Arc<PageBackend>,
    (has_random_token, messages): (bool, Messages),
) -> anyhow::Result<Web> {
    let backend: Arc<dyn thingprint_web::Backend> = Arc::clone(backend) as _;
    let web = Web::start(options, backend).map_err(|error| anyhow!("failed to serve the page: {error}"))?;
    if has_random_token {
        messages.note(format!("page: {}", web.url()));
    } else {
        messages.note(format!("page: http://{}/", web.address()));
    }
    Ok(web)
}
