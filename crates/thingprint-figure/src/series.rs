//! Values that more than one figure draws.

use crate::axis::Axis;
use crate::number::is_drawable;

/// A value with its standard deviation, as far as there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// The value, or the mean of several.
    pub mean: f64,
    /// Standard deviation, in the unit of the mean.
    pub sd: Option<f64>,
}

impl Estimate {
    /// A mean and its standard deviation.
    pub fn new(mean: f64, sd: f64) -> Self {
        Self { mean, sd: Some(sd) }
    }

    /// From one deviation below to one above, where there is a deviation that can be drawn.
    pub(crate) fn spread(self) -> Option<(f64, f64)> {
        let sd = self.sd.filter(|sd| is_drawable(*sd) && *sd > 0.0)?;
        let ends = (self.mean - sd, self.mean + sd);
        (is_drawable(ends.0) && is_drawable(ends.1)).then_some(ends)
    }

    /// What an axis has to reach: the mean, and the ends of the spread.
    pub(crate) fn extent(self) -> impl Iterator<Item = f64> {
        let ends = self.spread().map(|(low, high)| [low, high]);
        [self.mean].into_iter().chain(ends.into_iter().flatten())
    }

    /// Mean and deviation as they show under the pointer, in the unit of an axis.
    pub(crate) fn text(self, axis: &Axis) -> String {
        let deviation = self.sd.map(|sd| format!(" ± {}", axis.exact(sd))).unwrap_or_default();
        format!("{}{deviation}", axis.exact(self.mean))
    }
}

impl From<f64> for Estimate {
    fn from(mean: f64) -> Self {
        Self { mean, sd: None }
    }
}

/// A name and the values that were seen under it, in any order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// What legend or label say.
    pub name: String,
    /// The values.
    pub values: Vec<f64>,
}

impl Samples {
    /// Values under a name.
    pub fn new(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        Self { name: name.into(), values: values.into_iter().collect() }
    }
}
