//! The lists of cipher suites that devices offer, as figures.

use crate::{DeviceAudit, Grade, Suite};
use thingprint_figure::{Axis, Class, Colour, LinePoint, LineSeries, Lines, Strip, StripCell, Strips};
use thingprint_profile::CipherList;

use super::Report;

/// Lists that are drawn of a device: the most frequent ones.
const MOST_OF_DEVICE: usize = 4;
/// Lists that are drawn: more colours and dashes cannot be told apart.
const MOST_LISTS: usize = 32;

/// Fig. 1 of the protocol paper: the binary logarithm of each code over its place in the list.
pub(crate) fn lines(report: &Report) -> Lines {
    let point =
        |(place, code): (usize, &u32)| LinePoint { x: (place + 1) as f64, y: f64::from(*code).log2().into() };
    let series = |(name, list): (String, &CipherList)| LineSeries {
        name,
        points: list.suites.iter().enumerate().map(point).collect(),
    };
    Lines {
        title: "Cipher suites that devices offer".into(),
        description:
            "The binary logarithm of the code of each cipher suite over its place in the list that a client \
                      offers; a line for each list."
                .into(),
        x: Axis::new("place in the list", ""),
        y: Axis::new("binary logarithm of the code", ""),
        series: lists(report).map(series).collect(),
        ..Lines::default()
    }
}

/// The grade of each suite over its place.
pub(crate) fn grades(report: &Report) -> Strips {
    let row = |(label, list): (String, &CipherList)| Strip {
        label,
        cells: list.suites.iter().map(|code| cell(*code)).collect(),
    };
    Strips {
        title: "Grades of the cipher suites that devices offer".into(),
        description:
            "A row for each list that a client offers, with a bar for each cipher suite in its order.".into(),
        x_label: "place in the list".into(),
        classes: vec![
            Class::new("insecure", Colour::Vermillion),
            Class::new("weak", Colour::Orange),
            Class::new("secure", Colour::Sky),
            Class::new("recommended", Colour::Green),
            Class::new("signal or unregistered", Colour::Grey),
        ],
        rows: lists(report).map(row).collect(),
    }
}

/// Lists that are not drawn.
pub(crate) fn left_out(report: &Report) -> usize {
    let all: usize = all_lists(report).map(|(_, lists)| lists.len()).sum();
    all - lists(report).count()
}

/// The lists to draw, with what they are called.
fn lists(report: &Report) -> impl Iterator<Item = (String, &CipherList)> {
    let of_device = |(device, lists): (&DeviceAudit, _)| {
        let name = device.label.clone().unwrap_or_else(|| device.device.to_string());
        let lists: &[CipherList] = lists;
        let is_only = lists.len() == 1;
        let named =
            move |(number, list)| (if is_only { name.clone() } else { format!("{name} {number}") }, list);
        (1..).zip(lists).take(MOST_OF_DEVICE).map(named)
    };
    all_lists(report).flat_map(of_device).take(MOST_LISTS)
}

fn all_lists(report: &Report) -> impl Iterator<Item = (&DeviceAudit, &[CipherList])> {
    let devices = report.audit.devices.iter();
    devices.filter_map(|device| Some((device, &report.shows(device.device)?.cipher_lists[..])))
}

fn cell(code: u32) -> StripCell {
    let suite = u16::try_from(code).ok().and_then(Suite::of);
    let class = match suite.map(|suite| suite.grade) {
        // Codes of three bytes are those of SSL 2.0, which are broken.
        None if code > u32::from(u16::MAX) => 0,
        Some(Some(Grade::Insecure)) => 0,
        Some(Some(Grade::Weak)) => 1,
        Some(Some(Grade::Secure)) => 2,
        Some(Some(Grade::Recommended)) => 3,
        Some(None) | None => 4,
    };
    let name = suite.map_or("", |suite| suite.name);
    StripCell { label: format!("0x{code:04x} {name}"), class }
}
