use std::collections::BTreeMap;

use thingprint_flow::WindowLength;
use thingprint_instance::{Instance, Labeled};
use thingprint_pipeline::WindowSoFar;

use super::{Extraction, sort};
use crate::copies::without_copies;
use crate::inputs::Input;
use crate::messages::Messages;

/// Windows as they were some seconds after the first packet of their device in them, by these seconds.
pub(crate) type WindowsSoFar = BTreeMap<u32, Vec<Labeled>>;

impl Extraction<'_> {
    /// Reads the captures, and gives each window as it was so many seconds after the first packet of its device in it; what
    /// had nothing by then that makes an instance is left out. What there is to warn of is what [`Self::instances`] says.
    pub(crate) fn windows_so_far(&self, after_s: &[u32]) -> WindowsSoFar {
        let is_by_capture = self.options.flow.window == WindowLength::Capture;
        let inputs = if is_by_capture && self.labels.has_captures() {
            self.inputs.to_vec()
        } else {
            without_copies(self.inputs, Messages::new(true, false))
        };
        let mut windows: WindowsSoFar = after_s.iter().map(|seconds| (*seconds, Vec::new())).collect();
        if is_by_capture {
            for input in &inputs {
                self.add_so_far(std::slice::from_ref(input), &mut windows);
            }
        } else {
            self.add_so_far(&inputs, &mut windows);
        }
        for rows in windows.values_mut() {
            sort(rows);
        }
        windows
    }

    /// Adds the windows of captures that are one trace.
    fn add_so_far(&self, inputs: &[Input], all: &mut WindowsSoFar) {
        let engine = self.protocols.engine();
        let reading = self.reading(inputs, &engine);
        let after_s: Vec<u32> = all.keys().copied().collect();
        let mut found: Vec<(u32, Instance)> = Vec::new();
        let take = |WindowSoFar { after_s, instance, .. }| {
            found.extend(instance.map(|instance| (after_s, instance)));
        };
        let run = reading.pipeline().windows_so_far(&reading.source(), (&self.options, &after_s), take);
        let span = run.summary.span.filter(|_| self.options.flow.window == WindowLength::Capture);
        for (seconds, instance) in found {
            let instance = match (span, inputs) {
                (Some((first, last)), [input]) => {
                    let window_s = last.nanos_since(first).max(0) as f64 / 1e9;
                    Instance { window_start: first, window_s, capture: Some(input.name()), ..instance }
                }
                _ => instance,
            };
            all.entry(seconds).or_default().push(self.labelled(instance));
        }
    }
}
