use thingprint_audit::Policy;
use thingprint_change::ChangeOptions;
use thingprint_instance::InstanceOptions;
use thingprint_pipeline::{FlowStage, InstanceStage, Pipeline};

use crate::known::LEARNING;
use crate::sightings::SightingStage;
use crate::speech::SpeechStage;

/// What runs over the packets of a live reading: instances, flows with their messages, who is there, and what they say of
/// themselves.
pub type WatchStage = (InstanceStage, (FlowStage, (SightingStage, SpeechStage)));

/// How a network is watched.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// How packets become flows and messages.
    pub pipeline: Pipeline,
    /// How instances are formed; a window is a span of time.
    pub instance: InstanceOptions,
    /// The policy that flows are audited by; `None` for no audit.
    pub policy: Option<Policy>,
    /// How changes are detected.
    pub change: ChangeOptions,
    /// Number of sources.
    pub sources: usize,
    /// Whether the packets can be read again, as those of folders and files can. Then windows that are stored are not given
    /// twice, and what is open at an early end is left to the next reading.
    pub can_replay: bool,
    /// Seconds after a device's first packet in a window at which it is judged before the window's end.
    pub provisional_s: Vec<u32>,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            pipeline: Pipeline { shows_gateways: true, ..Pipeline::default() },
            instance: InstanceOptions::default(),
            policy: Policy::built_in("bcp2026"),
            change: ChangeOptions { adopt_after: usize::try_from(LEARNING).ok(), ..ChangeOptions::default() },
            sources: 1,
            can_replay: false,
            provisional_s: vec![60, 300, 900],
        }
    }
}

impl WatchOptions {
    /// The stage that a [`Watcher`](crate::Watcher) with these options runs.
    pub fn stage(&self) -> WatchStage {
        let flows = FlowStage { has_messages: true, marks_own: true, ..FlowStage::default() };
        (InstanceStage::new(self.instance.clone()), (flows, (SightingStage, SpeechStage::default())))
    }
}
