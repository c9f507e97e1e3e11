use std::collections::BTreeMap;

use either::Either;
use thingprint_audit::Policy;
use thingprint_audit::report::{DoubtfulGateway, MOST_DEVICES, Observations, ObservationsBuilder};
use thingprint_flow::{DeviceId, FlowOptions, GatewayPolicy, Gateways};
use thingprint_pipeline::{Event, FlowStage, Summary, VantageStage};
use thingprint_profile::{DeviceVantage, MudBuilder};
use thingprint_report::Labels;

use crate::exit::Outcome;
use crate::inputs::Input;
use crate::left_out::report_left_out;
use crate::messages::Say;
use crate::reading::Reading;
use crate::vantage_report::{report_vantage, vantage_of};

/// Captures that are to be judged.
pub(in crate::commands) struct Surveying<'a> {
    pub(in crate::commands) reading: Reading<'a>,
    pub(in crate::commands) labels: &'a Labels,
    /// Whether to remember whom devices talk to.
    pub(in crate::commands) wants_mud: bool,
}

/// What was read of captures.
pub(in crate::commands) struct Survey {
    pub(in crate::commands) seen: Observations,
    /// What is known of the captures.
    pub(in crate::commands) summary: Summary,
    /// What the place of the captures shows of each device.
    pub(in crate::commands) shows: BTreeMap<DeviceId, DeviceVantage>,
}

impl Surveying<'_> {
    /// Judges the captures by a policy.
    pub(in crate::commands) fn survey(&self, policy: &Policy) -> anyhow::Result<Survey> {
        let mud = || MudBuilder::default().with_local_nets(self.reading.flow.local_nets.clone());
        let new_builder = || ObservationsBuilder::new(self.reading.engine, policy, self.wants_mud.then(mud));
        let mut builder = new_builder();
        let stage = FlowStage { has_messages: true, marks_own: true, ..FlowStage::default() };
        let max_devices = self.reading.flow.max_devices.min(MOST_DEVICES);
        let flow = FlowOptions { max_devices, ..self.reading.flow.clone() };
        let reading = Reading { flow, ..self.reading.clone() };
        let run = reading.run(&(stage, VantageStage), |event| {
            match event {
                Event::Rows(rows) => rows.into_iter().for_each(|row| match row {
                    Either::Left(row) if row.is_own => builder.own_flow(row.device, row.flow),
                    Either::Left(row) => builder.flow(row.device, row.flow),
                    Either::Right(never) => match never {},
                }),
                Event::Restart => builder = new_builder(),
            }
            Ok(())
        })?;
        let labels = self.labels_of(builder.devices());
        let mut summary = run.summary;
        for relayed in summary.read.relayed.believed(&summary.gateways) {
            if let Some(device) = summary.device_of(relayed, self.reading.flow.identity) {
                builder.relayed_dhcp(device, &relayed.message);
            }
        }
        let mut seen = builder.finish(labels, summary.gateways.clone(), summary.span);
        seen.left_out.merge(std::mem::take(&mut summary.left_out));
        summary.left_out.clone_from(&seen.left_out);
        seen.doubtful_gateways =
            summary.doubtful_gateways.iter().copied().map(DoubtfulGateway::new).collect();
        let places: Vec<Vec<(DeviceId, DeviceVantage)>> =
            run.rests.into_iter().map(|((), places)| places).collect();
        let there = places.iter().flatten().filter(|(_, shows)| shows.is_there()).map(|(device, _)| *device);
        seen.add_silent(there, |device| Some(self.labels.label_of(device, None)?.class.clone()));
        let shows = places.iter().flatten().copied().collect();
        seen.vantage = Some(vantage_of(places, &summary));
        Ok(Survey { seen, summary, shows })
    }

    /// Judges some of the captures, by their places, without the others; the gateways are those that all of them show.
    pub(in crate::commands) fn survey_only(
        &self,
        places: &[usize],
        gateways: &Gateways,
        policy: &Policy,
    ) -> anyhow::Result<Survey> {
        let captures = places.iter().filter_map(|at| self.reading.inputs.get(*at));
        let inputs: Vec<Input> = captures.cloned().collect();
        let given = gateways.macs();
        let gateways = GatewayPolicy { is_none: given.is_empty(), given, ..GatewayPolicy::default() };
        let reading = Reading { inputs: &inputs, gateways, ..self.reading.clone() };
        Surveying { reading, wants_mud: false, ..*self }.survey(policy)
    }

    fn labels_of(&self, devices: impl Iterator<Item = DeviceId>) -> BTreeMap<DeviceId, String> {
        let label = |device: DeviceId| Some((device, self.labels.label_of(device, None)?.class.clone()));
        devices.filter_map(label).collect()
    }
}

impl Survey {
    /// Says what caps, and the place of the captures, left out.
    pub(in crate::commands) fn report_losses(&self, messages: impl Say) -> Outcome {
        let outcome = report_left_out(&self.summary.left_out, messages);
        self.report_oddities(messages);
        outcome
    }

    /// Says what the place of the captures hides, and which of their flows lack messages.
    pub(in crate::commands) fn report_oddities(&self, messages: impl Say) {
        if let Some(vantage) = &self.seen.vantage {
            report_vantage(vantage, messages);
        }
        for left_out in self.seen.messages_left_out() {
            messages.lost(left_out);
        }
    }
}
