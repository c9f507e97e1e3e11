use thingprint_flow::{DeviceId, DeviceLosses, Timestamp, WindowLength};
use thingprint_instance::{Instance, InstanceLosses, InstanceObserver, InstanceOptions};
use thingprint_protocol::Engine;

use crate::router::SHARDS;
use crate::stage::{End, Stage};

/// Hands out the instance of each device and window when the window is final, in the order of windows and devices.
///
/// What a shard leaves is which windows came twice.
#[derive(Clone, Debug)]
pub struct InstanceStage {
    options: InstanceOptions,
}

impl InstanceStage {
    /// A stage that makes instances by these options.
    pub fn new(mut options: InstanceOptions) -> Self {
        options.max_bytes = options.max_bytes.div_ceil(SHARDS);
        Self { options }
    }
}

impl Stage for InstanceStage {
    type Observer = InstanceObserver;
    type Row = Instance;
    type Rest = InstanceLosses;
    type Key = (Timestamp, DeviceId);

    fn observer(&self, _: &Engine) -> InstanceObserver {
        InstanceObserver::draining(self.options.clone())
    }

    fn take(&self, observer: &mut InstanceObserver) -> Vec<Instance> {
        observer.take_ready()
    }

    fn order(&self, row: &Instance) -> (Timestamp, Self::Key) {
        let flow = &self.options.flow;
        let final_at = match flow.window {
            WindowLength::Span(_) => {
                let end = flow.window.end_of(flow.window.index_of(row.window_start));
                end.plus_nanos(flow.lateness_ns).plus_nanos(flow.ending.longest_idle_ns())
            }
            WindowLength::Capture => Timestamp::MAX,
        };
        (final_at, (row.window_start, row.device))
    }

    fn device(&self, row: &Instance) -> Option<DeviceId> {
        Some(row.device)
    }

    fn left_out(&self, observer: &InstanceObserver) -> DeviceLosses {
        observer.left_out()
    }

    fn finish(&self, observer: InstanceObserver, _: &End) -> InstanceLosses {
        observer.losses()
    }
}
