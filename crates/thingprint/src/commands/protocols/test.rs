use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use thingprint_flow::{
    DeviceId, DeviceIds, DeviceIndex, DevicePacket, Flow, FlowOptions, Gateways, Observer, Timestamp,
    WindowLength,
};
use thingprint_pipeline::{End, Run, Stage};
use thingprint_protocol::schema::Model;
use thingprint_protocol::{
    Budget, DetectedProtocol, Engine, FlowPacket, Inspection, Interest, Limits, Message, MessageContext,
    MessageObserver, ModelSet, Sender,
};
use thingprint_report::Labels;
use thingprint_table::{Cell, Table, Type};

use crate::args::{FlowArgs, GlobalArgs};
use crate::copies::without_copies;
use crate::exit::Outcome;
use crate::inputs::expand;
use crate::left_out::report_left_out;
use crate::messages::counted;
use crate::output::Output;
use crate::protocols::read_protocol;
use crate::reading::Reading;

/// Test a model on captures.
///
/// Flows are counted by device (one between two local devices counts for both), by result, by the protocol that the
/// built-in models detect, and by whether the server's port is a standard one. The result is `both` if this model and the
/// built-in model of the same name detect the flow, `missed` if only the built-in model does, and `extra` if only this
/// model does. With a new name every detected flow is `extra`: see the column `built_in`. `undetected` is a flow with
/// payload on a standard port of the model that neither detects: what a new model misses is among these.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// The protocol model
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Captures: files, folders, quoted globs, or - for standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<OsString>,

    #[command(flatten)]
    flow: FlowArgs,
}

/// Compares detection by a model with detection by the built-in models.
struct ModelTest<'e> {
    own: &'e Engine,
    built_in: &'e Engine,
    model: &'e Model,
}

/// Compares the flows of a shard.
struct TestObserver<'e> {
    test: ModelTest<'e>,
    own: Engine,
    budget: Budget,
    ids: DeviceIds,
    counts: Counts,
}

/// Flows by device, and by how they compare.
#[derive(Debug, Default)]
struct Counts {
    comparisons: BTreeMap<(DeviceId, Comparison), u64>,
    flows: BTreeMap<DeviceId, u64>,
}

/// The state of a flow.
#[derive(Debug, Default)]
struct TestState {
    own: Inspection,
    /// Whether there was anything to detect the protocol by.
    has_payload: bool,
}

/// How a flow compares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Comparison {
    result: &'static str,
    built_in: Option<String>,
    standard_port: Option<bool>,
}

impl TestArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let options = FlowOptions { window: WindowLength::Capture, ..self.flow.options()? };
        let output = Output::of(global)?;
        let model = read_protocol(&self.file)?;
        let (inputs, found) = expand(&self.captures, messages)?;
        output.check_apart(&inputs)?;
        let inputs = without_copies(&inputs, messages);
        let own = Engine::with_models(Arc::new(ModelSet::compile([model.clone()])?), Limits::default());
        let built_in = Engine::default();
        let test = ModelTest { own: &own, built_in: &built_in, model: &model };
        let reading = Reading {
            inputs: &inputs,
            flow: options,
            gateways: self.flow.device.gateways().policy(&Labels::default()),
            engine: &built_in,
            threads: global.threads(),
            options: self.flow.device.trace_options(),
            wants_spans: false,
            keeps_gateways: false,
            shows_gateways: false,
            messages,
        };
        let Run { rests, summary } = reading.run(&test, |_| Ok(()))?;
        let outcome = reading.report(&summary, messages)?;
        let whole = report_left_out(&summary.left_out, messages);
        let counts = Counts::of(rests, &summary.gateways);
        output.table(&counts.table(&model)?)?;
        messages.note(counts.summary());
        Ok(outcome.max(found).max(whole))
    }
}

impl ModelTest<'_> {
    /// Compares a flow; `None` if neither this model nor the built-in one of its name detects it, and its port does not
    /// suggest that it `may_be` of the model's protocol.
    fn comparison(
        &self,
        own: DetectedProtocol,
        built_in: DetectedProtocol,
        may_be: bool,
    ) -> Option<Comparison> {
        let services = built_in.services(self.built_in);
        let is_of_name = services.iter().any(|name| name.eq_ignore_ascii_case(self.model.name()));
        let service = (!services.is_empty()).then(|| services.join(","));
        let result = match (own.model.is_some(), is_of_name) {
            (true, true) => "both",
            (true, false) => "extra",
            (false, true) => "missed",
            (false, false) if may_be => "undetected",
            (false, false) => return None,
        };
        let standard_port = own.standard_port.or(if may_be { Some(true) } else { built_in.standard_port });
        Some(Comparison { result, built_in: service, standard_port })
    }

    /// Whether a port is one of the model's servers.
    fn has_port(&self, protocol: u8, port: u16) -> bool {
        let mut ports = self.model.metadata.server_ports.iter();
        ports.any(|known| known.ip_protocol.number() == protocol && known.port == port)
    }
}

impl Counts {
    /// The counts of all shards, without those of gateways.
    fn of(shards: Vec<Self>, gateways: &Gateways) -> Self {
        let is_device = |device: &DeviceId| !matches!(device, DeviceId::Mac(mac) if gateways.contains(*mac));
        let mut all = Self::default();
        for shard in shards {
            all.comparisons
                .extend(shard.comparisons.into_iter().filter(|((device, _), _)| is_device(device)));
            all.flows.extend(shard.flows.into_iter().filter(|(device, _)| is_device(device)));
        }
        all
    }

    fn table(&self, model: &Model) -> anyhow::Result<Table> {
        let mut table = Table::new([
            ("device", Type::Text),
            ("model", Type::Text),
            ("result", Type::Text),
            ("built_in", Type::Text),
            ("standard_port", Type::Flag),
            ("flows", Type::Unsigned),
        ]);
        for ((device, comparison), flows) in &self.comparisons {
            table.push([
                Cell::from(device.to_string()),
                Cell::from(model.name()),
                Cell::from(comparison.result),
                Cell::from(comparison.built_in.clone()),
                Cell::from(comparison.standard_port),
                Cell::from(*flows),
            ])?;
        }
        Ok(table)
    }

    fn summary(&self) -> String {
        let of = |result: &str| -> u64 {
            self.comparisons
                .iter()
                .filter(|((_, comparison), _)| comparison.result == result)
                .map(|(_, flows)| flows)
                .sum()
        };
        let all: u64 = self.flows.values().sum();
        let (both, missed, extra, undetected) = (of("both"), of("missed"), of("extra"), of("undetected"));
        let all = counted(all, "flow", "flows");
        format!(
            "{all}: {both} detected by both, {missed} missed, {extra} extra, {undetected} undetected on ports of the model"
        )
    }
}

impl<'e> Stage for ModelTest<'e> {
    type Observer = TestObserver<'e>;
    type Row = Infallible;
    type Rest = Counts;
    type Key = ();

    fn observer(&self, _: &Engine) -> TestObserver<'e> {
        let own = self.own.only(Interest::NONE);
        TestObserver {
            test: ModelTest { own: self.own, built_in: self.built_in, model: self.model },
            budget: own.budget(),
            own,
            ids: DeviceIds::default(),
            counts: Counts::default(),
        }
    }

    fn take(&self, _: &mut TestObserver<'e>) -> Vec<Infallible> {
        Vec::new()
    }

    fn order(&self, row: &Infallible) -> (Timestamp, ()) {
        match *row {}
    }

    fn device(&self, row: &Infallible) -> Option<DeviceId> {
        match *row {}
    }

    fn finish(&self, observer: TestObserver<'e>, _: &End) -> Counts {
        observer.counts
    }
}

impl Observer for TestObserver<'_> {
    type State = TestState;

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.ids.note(device, id);
        self.budget.device(device, id);
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.ids.forget(device);
        self.budget.forget(device);
    }

    fn packet(&mut self, packet: &DevicePacket<'_, '_>, state: &mut TestState) {
        state.has_payload |= packet.ip.payload_bytes > 0;
        let sender = if packet.is_sent { Sender::Device } else { Sender::Peer };
        let seen = FlowPacket { packet: packet.ip, sender, time: Some(packet.time) };
        self.own.observe(seen, &mut state.own, self.budget.of(packet.device), &mut |_| {});
    }

    fn continue_flow(&mut self, state: &mut TestState) -> TestState {
        TestState { own: state.own.continue_flow(), has_payload: false }
    }

    fn abandon_flow(&mut self, device: DeviceIndex, mut state: TestState) {
        state.own.close(self.budget.of(device));
    }

    fn established(&mut self, device: DeviceIndex) {
        self.budget.established(device);
    }

    fn is_pressed(&self) -> bool {
        self.budget.is_pressed()
    }

    fn relieve(&mut self, device: DeviceIndex, state: &mut TestState) {
        state.own.relieve(self.budget.of(device));
    }

    fn relieved(&mut self) {
        self.budget.relieved();
    }
}

impl MessageObserver for TestObserver<'_> {
    fn interest(&self) -> Interest {
        Interest::NONE
    }

    fn message(&mut self, _: Cow<'_, Message>, _: &MessageContext<'_, '_>, _: &mut TestState) {}

    fn detected(&mut self, mut flow: Flow<TestState>, built_in: DetectedProtocol) {
        self.own.close(&mut flow.state.own, self.budget.of(flow.device), &mut |_, _| {});
        let own = DetectedProtocol::of(&self.own, &flow.state.own, &flow);
        let port = flow.server_port();
        let may_be = flow.state.has_payload && self.test.has_port(flow.tuple.protocol(), port);
        let Some(device) = self.ids.of(flow.device) else { return };
        *self.counts.flows.entry(device).or_default() += 1;
        if let Some(comparison) = self.test.comparison(own, built_in, may_be) {
            *self.counts.comparisons.entry((device, comparison)).or_default() += 1;
        }
    }
}
