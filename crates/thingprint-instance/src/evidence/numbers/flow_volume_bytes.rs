use crate::evidence::CollectionCost;
use crate::evidence::number::{NumberDefinition, NumberSource, Unit};

pub(super) static DEFINITION: NumberDefinition = NumberDefinition {
    name: "flow_volume_bytes",
    title: "Flow volume",
    value: "bytes both ways",
    about: "Mean bytes both ways over the window's flows.",
    unit: Unit::Bytes,
    cost: Some(CollectionCost::Low),
    is_of_paper: true,
    is_trained_on: true,
    source: NumberSource::Flows(|flow| flow.bytes),
};
