use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use thingprint_flow::{
    DeviceId, DeviceIndex, FiveTuple, Flow, FlowOptions, Identity, Observer, Sighting, Timestamp, Tracker,
    WindowIndex, WindowLength, elect_gateway,
};
use thingprint_protocol::schema::Model;
use thingprint_protocol::{Ear, Engine, Heard, Limits, Listening, ModelSet};
use thingprint_report::{Cell, Table, Type};

use crate::args::{FlowArgs, GlobalArgs};
use crate::copies::without_copies;
use crate::exit::Outcome;
use crate::inputs::expand;
use crate::messages::{Messages, counted};
use crate::output::Output;
use crate::progress::Progress;
use crate::protocols::read_protocol;
use crate::reading::{follow, report_losses, total_length};

/// Try a model on captures.
///
/// Flows are counted by device (one between two local devices is counted for both), by what the model and the built-in
/// models say of them, and by whether the server's port is a standard one. A flow that a built-in model of the same name
/// tells and this one does not is `missed`; one that only this model tells is `extra`; `both` is a flow that both tell.
/// With a model of a new name every flow that it tells is `extra`: look at what the built-in models say of it. `untold`
/// is a flow with payload on a standard port of the model that it does not tell, and no built-in model of its name
/// either: what a new model misses is among these.
#[derive(Debug, Args)]
pub(super) struct TrialArgs {
    /// The protocol model
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Captures: files, folders, quoted globs, or - for standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<OsString>,

    #[command(flatten)]
    flow: FlowArgs,
}

/// What a model says of flows, beside what the built-in models say.
#[derive(Debug)]
struct Trial<'e> {
    own: Ear<'e>,
    built_in: Ear<'e>,
    model: &'e Model,
    counts: BTreeMap<(DeviceIndex, Verdict), u64>,
    flows: BTreeMap<DeviceIndex, u64>,
}

/// What rides with a flow.
#[derive(Debug, Default)]
struct Riding {
    own: Listening,
    built_in: Listening,
    /// Whether there was anything to tell the protocol by.
    has_payload: bool,
}

/// What is said of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Verdict {
    told: &'static str,
    built_in: Option<String>,
    standard_port: Option<bool>,
}

impl TrialArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = Messages::new(global.quiet, global.verbose);
        let options = FlowOptions { window: WindowLength::Capture, ..self.flow.options()? };
        let output = Output::of(global)?;
        let model = read_protocol(&self.file)?;
        let (inputs, found) = expand(&self.captures, messages)?;
        output.check_apart(&inputs)?;
        let inputs = without_copies(&inputs, messages);
        let own = Engine::with_models(Arc::new(ModelSet::compile([model.clone()])?), Limits::default());
        let built_in = Engine::default();
        let trial = Trial::of(&model, &own, &built_in);
        let (gateway, identity) = (options.gateway, options.identity);
        let mut tracker = Tracker::new(options, trial);
        let progress = Progress::bytes("reading", total_length(&inputs), global.quiet);
        let followed = follow(&inputs, self.flow.device.sort, Some(&progress), |packet| tracker.push(packet));
        progress.finish();
        let outcome = followed.report(messages)?;
        let finished = tracker.finish();
        report_losses(finished.counts, finished.observer.built_in.losses(), messages);
        let gateway = gateway.or_else(|| elect_gateway(&finished.votes, &[].into()));
        followed.report_unowned(identity, gateway, messages);
        let gateway = gateway.filter(|_| identity == Identity::Mac).map(DeviceId::Mac);
        let device = |index: DeviceIndex| {
            finished.devices.get(index.as_usize()).copied().filter(|device| Some(*device) != gateway)
        };
        output.table(&finished.observer.table(device)?)?;
        messages.note(finished.observer.summary(device));
        Ok(outcome.max(found))
    }
}

impl<'e> Trial<'e> {
    fn of(model: &'e Model, own: &'e Engine, built_in: &'e Engine) -> Self {
        let (own, built_in) = (Ear::without_messages(own), Ear::without_messages(built_in));
        Self { own, built_in, model, counts: BTreeMap::new(), flows: BTreeMap::new() }
    }

    /// What is said of a flow; `None` where neither this model nor one of its name tells it, and its port does not say
    /// that it `may_be` of the model.
    fn verdict(&self, own: &Heard, built_in: &Heard, may_be: bool) -> Option<Verdict> {
        let service = built_in.model.and_then(|index| self.built_in.engine().models().model(index));
        let service = service.map(|model| model.name().to_owned());
        let is_of_name = service.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(self.model.name()));
        let told = match (own.model.is_some(), is_of_name) {
            (true, true) => "both",
            (true, false) => "extra",
            (false, true) => "missed",
            (false, false) if may_be => "untold",
            (false, false) => return None,
        };
        let standard_port = own.standard_port.or(if may_be { Some(true) } else { built_in.standard_port });
        Some(Verdict { told, built_in: service, standard_port })
    }

    /// Whether a port is one of the model's servers.
    fn has_port(&self, protocol: u8, port: u16) -> bool {
        let mut ports = self.model.metadata.server_ports.iter();
        ports.any(|known| known.ip_protocol.number() == protocol && known.port == port)
    }

    fn table(&self, device: impl Fn(DeviceIndex) -> Option<DeviceId>) -> anyhow::Result<Table> {
        let mut table = Table::new([
            ("device", Type::Text),
            ("model", Type::Text),
            ("told", Type::Text),
            ("built_in", Type::Text),
            ("standard_port", Type::Flag),
            ("flows", Type::Unsigned),
        ]);
        let of_devices =
            self.counts.iter().filter_map(|((at, verdict), flows)| Some((device(*at)?, verdict, flows)));
        let mut rows: Vec<_> = of_devices.collect();
        rows.sort_unstable();
        for (device, verdict, flows) in rows {
            table.push([
                Cell::from(device.to_string()),
                Cell::from(self.model.name()),
                Cell::from(verdict.told),
                Cell::from(verdict.built_in.clone()),
                Cell::from(verdict.standard_port),
                Cell::from(*flows),
            ])?;
        }
        Ok(table)
    }

    fn summary(&self, device: impl Fn(DeviceIndex) -> Option<DeviceId>) -> String {
        let of = |told: &str| -> u64 {
            let counts =
                self.counts.iter().filter(|((at, verdict), _)| verdict.told == told && device(*at).is_some());
            counts.map(|(_, flows)| flows).sum()
        };
        let all: u64 =
            self.flows.iter().filter(|(at, _)| device(**at).is_some()).map(|(_, flows)| flows).sum();
        let (both, missed, extra, untold) = (of("both"), of("missed"), of("extra"), of("untold"));
        let all = counted(all, "flow", "flows");
        format!(
            "{all}: {both} told by both, {missed} missed, {extra} extra, {untold} untold on ports of the model"
        )
    }
}

impl Observer for Trial<'_> {
    type State = Riding;

    fn packet(&mut self, sighting: &Sighting<'_, '_>, state: &mut Riding) {
        state.has_payload |= sighting.ip.payload_bytes > 0;
        self.own.packet(sighting, &mut state.own);
        self.built_in.packet(sighting, &mut state.built_in);
    }

    fn active(&mut self, _: DeviceIndex, _: &FiveTuple, _: Timestamp, _: Timestamp) {}

    fn flow(&mut self, flow: Flow<Self::State>) {
        let (device, server_port) = (flow.device, flow.server_port());
        let may_be = flow.state.has_payload && self.has_port(flow.tuple.protocol(), server_port);
        let Riding { own, built_in, .. } = flow.state;
        let (own, built_in) = (self.own.heard(own, server_port), self.built_in.heard(built_in, server_port));
        *self.flows.entry(device).or_default() += 1;
        if let Some(verdict) = self.verdict(&own, &built_in, may_be) {
            *self.counts.entry((device, verdict)).or_default() += 1;
        }
    }

    fn go_on(&mut self, state: &mut Riding) -> Riding {
        Riding { own: state.own.go_on(), built_in: state.built_in.go_on(), has_payload: false }
    }

    fn ended(&mut self, state: Riding) {
        self.own.ended(state.own);
        self.built_in.ended(state.built_in);
    }

    fn window_closed(&mut self, _: WindowIndex) {}
}
