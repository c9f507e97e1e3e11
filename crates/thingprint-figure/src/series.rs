//! Values that more than one figure draws.

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
        let sd = self.sd.filter(|sd| crate::number::is_drawable(*sd) && *sd > 0.0)?;
        let ends = (self.mean - sd, self.mean + sd);
        (crate::number::is_drawable(ends.0) && crate::number::is_drawable(ends.1)).then_some(ends)
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
