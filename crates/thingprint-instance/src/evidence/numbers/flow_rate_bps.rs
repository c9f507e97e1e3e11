use crate::evidence::CollectionCost;
use crate::evidence::number::{NumberDefinition, NumberSource, Unit};

const NANOS: f64 = 1e9;

pub(super) static DEFINITION: NumberDefinition = NumberDefinition {
    name: "flow_rate_bps",
    title: "Flow rate",
    value: "mean rate",
    about: "Mean bit rate over the flows that have a duration.",
    unit: Unit::BitsPerSecond,
    cost: Some(CollectionCost::Low),
    is_of_paper: true,
    is_trained_on: true,
    source: NumberSource::FlowRatios {
        parts: |flow| (flow.duration_ns > 0).then_some((flow.bytes, flow.duration_ns)),
        ratio: |bytes, duration_ns| 8.0 * bytes / (duration_ns / NANOS),
    },
};
