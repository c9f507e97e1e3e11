use thingprint_instance::{Attribute, BagName, EvidenceSet};

pub(super) const DEVICE: &str = "device";
pub(super) const WINDOW_START: &str = "window_start";
pub(super) const WINDOW_S: &str = "window_s";
pub(super) const LABEL: &str = "label";
pub(super) const KIND: &str = "kind";
pub(super) const FAMILY: &str = "family";
pub(super) const FLOWS: &str = "flows";
pub(super) const PACKETS_UP: &str = "packets_up";
pub(super) const PACKETS_DOWN: &str = "packets_down";
pub(super) const BYTES_UP: &str = "bytes_up";
pub(super) const BYTES_DOWN: &str = "bytes_down";
pub(super) const CAPTURE: &str = "capture";
pub(super) const EXTRACTION: &str = "extraction";

/// One part of the spread of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpreadPart {
    Count,
    Sum,
    Sd,
    Min,
    Max,
}

impl SpreadPart {
    pub(super) const ALL: [Self; 5] = [Self::Count, Self::Sum, Self::Sd, Self::Min, Self::Max];

    /// The column of this part for an attribute.
    pub(super) fn column(self, attribute: Attribute) -> String {
        let part = match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Sd => "sd",
            Self::Min => "min",
            Self::Max => "max",
        };
        format!("{}_{part}", attribute.name())
    }
}

/// The columns of texts, which CSV writes in a form of its own.
pub(super) const TEXTS: [&str; 6] = [DEVICE, LABEL, KIND, FAMILY, CAPTURE, EXTRACTION];

/// The columns without which there is no instance.
pub(super) const REQUIRED: [&str; 2] = [DEVICE, WINDOW_START];

/// The columns of instances with this evidence, in the order of files.
pub(super) fn of(evidence: EvidenceSet) -> Vec<String> {
    let spread = evidence.numbers().flat_map(|attribute| SpreadPart::ALL.map(|part| part.column(attribute)));
    [DEVICE, WINDOW_START, WINDOW_S, LABEL, KIND, FAMILY]
        .into_iter()
        .chain(evidence.numbers().map(Attribute::name))
        .chain(evidence.bags().map(BagName::name))
        .chain([FLOWS, PACKETS_UP, PACKETS_DOWN, BYTES_UP, BYTES_DOWN])
        .map(str::to_owned)
        .chain(spread)
        .chain([CAPTURE.to_owned(), EXTRACTION.to_owned()])
        .collect()
}

/// Every column that is read, in the order in which a record takes them.
pub(super) fn all() -> Vec<String> {
    of(EvidenceSet::all())
}
