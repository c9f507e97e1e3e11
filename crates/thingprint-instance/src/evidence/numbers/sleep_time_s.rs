use crate::evidence::CollectionCost;
use crate::evidence::number::{NumberDefinition, NumberSource, Unit};

pub(super) static DEFINITION: NumberDefinition = NumberDefinition {
    name: "sleep_time_s",
    title: "Sleep time",
    value: "time without a flow",
    about: "Mean gap without an active flow.",
    unit: Unit::Seconds,
    cost: Some(CollectionCost::Medium),
    is_of_paper: true,
    is_trained_on: true,
    source: NumberSource::Gaps,
};
