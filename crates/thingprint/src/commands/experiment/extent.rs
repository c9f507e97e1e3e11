use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp as Instant;
use thingprint_flow::Timestamp;
use thingprint_instance::Labeled;

use crate::messages::counted;

/// How much of a data set was read, so that a report on a part of it does not read as one on the whole.
#[derive(Debug)]
pub(super) struct Extent<'a> {
    /// Captures; `None` where there are none, since the data are simulated.
    pub(super) captures: Option<usize>,
    pub(super) rows: &'a [Labeled],
}

impl fmt::Display for Extent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(captures) = self.captures {
            write!(f, "{}, ", counted(captures as u64, "capture", "captures"))?;
        }
        let labelled = || self.rows.iter().filter_map(|row| Some((&row.instance, row.label.as_ref()?)));
        let classes: BTreeSet<&str> = labelled().map(|(_, label)| label.class.as_str()).collect();
        let devices: BTreeSet<_> = labelled().map(|(instance, _)| instance.device).collect();
        write!(
            f,
            "{}, {}, {}",
            counted(labelled().count() as u64, "labelled instance", "labelled instances"),
            counted(classes.len() as u64, "class", "classes"),
            counted(devices.len() as u64, "device", "devices")
        )?;
        let starts = || labelled().map(|(instance, _)| instance.window_start);
        match (starts().min(), starts().max()) {
            (Some(first), Some(last)) => {
                write!(f, ", the first from {} and the last from {} on", hour(first), hour(last))
            }
            _ => Ok(()),
        }
    }
}

/// A time to the minute, UTC.
fn hour(time: Timestamp) -> String {
    match Instant::from_nanosecond(time.as_nanos().into()) {
        Ok(instant) => instant.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => time.to_string(),
    }
}
