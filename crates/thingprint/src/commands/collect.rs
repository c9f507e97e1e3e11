//! `collect`: parts of one network from its taps, and the windows that they give.

mod collection;
mod intake;
mod judging;
mod setback;
mod shared_shelf;
mod table;
mod totals;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use thingprint_flow::MacAddr;
use thingprint_model::{Acceptance, FalseAlarms};
use thingprint_taps::{Depot, Name, Shelf, TransportOptions};

use self::collection::Pace;
use self::intake::Intake;
use self::judging::Materials;
use self::shared_shelf::SharedShelf;
use super::watch::signals::Signals;
use super::watch::{model::Judging, parse_duration, station::failed};
use crate::args::{GlobalArgs, TransportArgs, transport_of};
use crate::exit::{Outcome, Usage};
use crate::files::read_confirmed_labels;
use crate::gateways::GatewayChoice;
use crate::output::Output;

/// Collect what several taps see of one network in one store
///
/// Each tap is a watch with --publish. Windows are stored when no tap can add to them any more: the rows are those of one
/// reading of all packets, as long as one tap at a time sees a device. What several taps saw at the same time counts more than
/// once, and is reported. At the end, the taps are listed.
#[derive(Debug, Args)]
pub(crate) struct CollectArgs {
    /// Where taps send their parts: nats://HOST:PORT, tls://HOST:PORT, or folder:PATH
    #[arg(value_name = "WHERE")]
    from: String,

    /// The store, which `store`, `compare` and `report --baseline` read: a file, or the address (postgres://) of a database that several
    /// collectors share
    #[arg(long, value_name = "STORE", default_value = "thingprint.db", help_heading = "Store")]
    store: PathBuf,

    /// The folder that keeps parts until their windows can change no more [default: the store with .parts behind its name]
    #[arg(long, value_name = "FOLDER", help_heading = "Store")]
    parts: Option<PathBuf>,

    /// The network whose taps are collected
    #[arg(long, value_name = "NAME", default_value = "default", help_heading = "Taps")]
    network: Name,

    /// Wait for this tap from the begin on; repeat it for several [default: a tap is waited for once it was heard of]
    #[arg(long, value_name = "NAME", help_heading = "Taps")]
    tap: Vec<Name>,

    /// How long windows wait for a tap that sends nothing
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "15m", help_heading = "Taps")]
    wait: Duration,

    /// End when everything was taken that is there
    #[arg(long, help_heading = "Taps")]
    once: bool,

    #[command(flatten)]
    transport: TransportArgs,

    /// The model that judges devices
    #[arg(short, long, value_name = "FILE", help_heading = "Judgement")]
    model: Option<PathBuf>,

    /// Confidence from which on an answer is accepted; below it is unknown
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = super::parse_threshold, help_heading = "Judgement")]
    threshold: f64,

    /// How many windows of known devices may be taken for those of strangers: 5% or 1%
    #[arg(long, value_name = "SHARE", default_value_t = FalseAlarms::FivePercent, help_heading = "Judgement")]
    false_alarms: FalseAlarms,

    /// What the devices are: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE", help_heading = "Judgement")]
    labels: Option<PathBuf>,

    /// MAC address of a gateway, which is not a device; repeat it for several [default: those that taps name, or whoever
    /// forwards]
    #[arg(long, value_name = "MAC")]
    gateway: Vec<MacAddr>,

    /// There is no gateway: every device is one
    #[arg(long, conflicts_with = "gateway")]
    no_gateway: bool,
}

impl CollectArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let output = Output::of(global)?;
        let shared_shelf = self.shared_shelf()?;
        let spec = transport_of("collect", &self.from)?;
        let parcels = shared_shelf.clone().map(|shared| Arc::new(shared) as Arc<dyn Shelf>);
        let pieces = self.parts_folder().join("pieces");
        let options = TransportOptions { pieces, shelf: parcels.clone(), ..self.transport.options() };
        let inbox = spec.inbox(&self.network, &options).map_err(failed)?;
        // A signal that comes while a large store is opened must not be lost.
        let signals = Signals::install().context("failed to handle signals")?;
        let labels = read_confirmed_labels(self.labels.as_deref(), messages)?;
        let acceptance = Acceptance { confidence: self.threshold, false_alarms: self.false_alarms };
        let judging = Judging::open(self.model.as_deref(), acceptance)?;
        let choice =
            GatewayChoice { given: self.gateway.iter().copied().collect(), is_none: self.no_gateway };
        let materials =
            Materials { network: self.network.clone(), expected: self.tap.clone(), judging, labels, choice };
        let depot = match parcels {
            Some(parcels) => Depot::shared(parcels),
            None => Depot::open(&self.parts_folder()).map_err(failed)?,
        };
        let mut intake = Intake::open(self.store.clone(), (depot, shared_shelf), &materials, messages)?;
        let pace = Pace { wait: self.wait, is_once: self.once };
        intake.run(inbox, pace, &signals)?;
        let (taps, holding, outcome) = intake.report(pace)?;
        output.table(&table::taps(&taps, &holding))?;
        Ok(outcome)
    }

    /// Where parts are kept by all who share the store; `None` where it is a file.
    fn shared_shelf(&self) -> anyhow::Result<Option<SharedShelf>> {
        thingprint_store::check_name(&self.store)
            .map_err(|error| Usage(format!("--store: {}: {}", error.path.display(), error.problem)))?;
        let shared = SharedShelf::of(&self.store);
        if shared.is_some() && self.parts.is_some() {
            let reason = "--parts: a store that is shared keeps the parts itself; leave it out".to_owned();
            return Err(Usage(reason).into());
        }
        Ok(shared)
    }

    fn parts_folder(&self) -> PathBuf {
        let beside = || {
            let mut name = self.store.as_os_str().to_owned();
            name.push(".parts");
            PathBuf::from(name)
        };
        self.parts.clone().unwrap_or_else(beside)
    }
}
