use crate::evidence::CollectionCost;
use crate::evidence::number::{NumberDefinition, NumberSource, Unit};

pub(super) static DEFINITION: NumberDefinition = NumberDefinition {
    name: "flow_duration_s",
    title: "Flow duration",
    value: "last packet minus first",
    about: "Mean of last minus first packet time over the window's flows.",
    unit: Unit::Seconds,
    cost: Some(CollectionCost::Low),
    is_of_paper: true,
    is_trained_on: true,
    source: NumberSource::Flows(|flow| flow.duration_ns),
};
