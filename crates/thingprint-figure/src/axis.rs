//! What an axis says and how it is divided.

use crate::number::{exact, percent, short};

/// An axis: what is measured along it, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What is measured.
    pub label: String,
    /// The unit, empty where there is none.
    pub unit: String,
    /// How values lie along the axis.
    pub scale: Scale,
    /// First and last value, where they are not to follow from the data. What lies outside is not drawn, and a note
    /// says so. Bounds that are not in order or that the scale cannot show are passed over.
    pub bounds: Option<(f64, f64)>,
    /// Whether values are shares of 1, written as percentages.
    pub percent: bool,
}

impl Axis {
    /// A linear axis, with a unit that may be empty.
    pub fn new(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { label: label.into(), unit: unit.into(), ..Self::default() }
    }

    /// A linear axis of shares, 0 to 1, written as percentages.
    pub fn percent(label: impl Into<String>) -> Self {
        Self { label: label.into(), percent: true, ..Self::default() }
    }

    /// The axis with another scale.
    #[must_use]
    pub fn scale(self, scale: Scale) -> Self {
        Self { scale, ..self }
    }

    /// The axis from one value to another, whatever the data are.
    #[must_use]
    pub fn bounds(self, low: f64, high: f64) -> Self {
        Self { bounds: Some((low, high)), ..self }
    }

    /// A value of the axis in few digits, as beside a bar.
    pub(crate) fn short(&self, value: f64) -> String {
        if self.percent { percent(value) } else { short(value) }
    }

    /// A value of the axis in all digits that mean something, as under the pointer.
    pub(crate) fn exact(&self, value: f64) -> String {
        if self.percent { format!("{}%", exact(value * 100.0)) } else { exact(value) }
    }

    /// Label and unit.
    pub(crate) fn text(&self) -> String {
        let unit = if self.percent && self.unit.is_empty() { "%" } else { self.unit.as_str() };
        match (self.label.is_empty(), unit.is_empty()) {
            (_, true) => self.label.clone(),
            (true, false) => unit.to_owned(),
            (false, false) => format!("{} ({unit})", self.label),
        }
    }
}

/// How values lie along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equal lengths.
    #[default]
    Linear,
    /// Equal ratios are equal lengths, with marks at powers of two. Shows positive values alone.
    Log2,
    /// Equal ratios are equal lengths, with marks at powers of ten. Shows positive values alone.
    Log10,
}

/// A dashed line across a figure at a value that matters, such as a threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct Guide {
    pub(crate) across: Across,
    pub(crate) at: f64,
    pub(crate) label: String,
}

impl Guide {
    /// An upright line at a value of the horizontal axis.
    pub fn x(at: f64, label: impl Into<String>) -> Self {
        Self { across: Across::X, at, label: label.into() }
    }

    /// A level line at a value of the vertical axis.
    pub fn y(at: f64, label: impl Into<String>) -> Self {
        Self { across: Across::Y, at, label: label.into() }
    }
}

/// The axis that a guide stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Across {
    X,
    Y,
}
