//! Devices whose class changed.

use std::collections::BTreeMap;

use thingprint_audit::Severity;
use thingprint_flow::DeviceId;
use thingprint_instance::Instance;
use thingprint_model::{Acceptance, Model};

use super::row::{Kind, Row};
use super::side::SideRead;

/// The answer where no class fits surely enough.
const UNKNOWN: &str = "unknown";

/// What a model says of a device.
struct Verdict {
    /// The class, or `unknown`.
    class: String,
    /// The class and how sure it is, in words.
    text: String,
}

/// Devices of both sides of which the model says something else.
pub(super) fn rows(sides: &[SideRead; 2], model: &Model) -> Vec<Row> {
    let [before, after] = sides.each_ref().map(|side| verdicts(side, model));
    let changed = after.into_iter().filter_map(|(device, now)| {
        let was = before.get(&device)?;
        (was.class != now.class).then(|| Row {
            what: "class".to_owned(),
            before: Some(was.text.clone()),
            after: Some(now.text),
            ..Row::new(Severity::Warning, Kind::Verdict, Some(device))
        })
    });
    changed.collect()
}

fn verdicts(side: &SideRead, model: &Model) -> BTreeMap<DeviceId, Verdict> {
    let instances: Vec<&Instance> = side.rows.iter().map(|row| &row.instance).collect();
    let predictions = model.predict_all(&instances, std::num::NonZeroUsize::MIN);
    let mut windows: BTreeMap<DeviceId, Vec<&Instance>> = BTreeMap::new();
    for instance in instances {
        windows.entry(instance.device).or_default().push(instance);
    }
    let acceptance = Acceptance::default();
    let verdict = |of: &thingprint_model::DeviceVerdict| {
        let windows = windows.get(&of.device).map(Vec::as_slice).unwrap_or_default();
        let is_accepted = model.device_doubt(windows, of, &acceptance).is_none();
        let percent = 100.0 * of.confidence;
        let class = if is_accepted { of.class.to_string() } else { UNKNOWN.to_owned() };
        let text = if is_accepted {
            format!("{class} ({percent:.0} %)")
        } else {
            format!("{UNKNOWN}, most like {} ({percent:.0} %)", of.class)
        };
        (of.device, Verdict { class, text })
    };
    model.device_verdicts(&predictions).iter().map(verdict).collect()
}
