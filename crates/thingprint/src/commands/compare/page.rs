use thingprint_audit::Severity;
use thingprint_figure::Page;
use thingprint_table::{Prose, Tone, rfc3339};

use super::side::SideRead;
use super::{Compared, tables};
use crate::left_out;
use crate::messages::counted;

/// The result as a page.
pub(super) fn page(compared: &Compared) -> Page {
    let mut page = Page::new("What changed");
    let count = |severity| compared.rows.iter().filter(|row| row.severity == severity).count() as u64;
    page.summary(format!(
        "{} compared: {}, {}, {}.",
        counted(compared.devices.len() as u64, "device", "devices"),
        counted(count(Severity::Error), "error", "errors"),
        counted(count(Severity::Warning), "warning", "warnings"),
        counted(count(Severity::Note), "note", "notes"),
    ));
    doubts(&mut page, compared);
    for (whose, side) in ["Before", "After"].into_iter().zip(&compared.sides) {
        let warnings = side.notices.iter().filter(|notice| notice.level > Severity::Note);
        warnings.for_each(|notice| _ = page.note(Tone::Medium, format!("{whose}: {notice}.")));
        if !side.left_out.is_empty() {
            page.note(Tone::Medium, format!("{whose}: {}.", left_out::in_words(&side.left_out)));
        }
        let notes = side.notices.iter().filter(|notice| notice.level == Severity::Note && !notice.is_fact);
        notes.for_each(|notice| _ = page.note(Tone::Note, format!("{whose}: {notice}.")));
    }
    page.definitions([("Before", of_side(&compared.sides[0])), ("After", of_side(&compared.sides[1]))]);
    sections(&mut page, compared);
    page.details("How changes are ranked", |page| {
        page.paragraph(
            "Each device is compared with its own earlier time. A word counts as new or gone if it was absent for more than \
             three times its longest pause. A number counts as moved if its middle value moved farther than on the most \
             different earlier day, with a margin of a quarter. What happened in a few windows only counts if it exceeds 1.25 \
             times what any earlier window had. \u{201c}Unusual\u{201d} is the multiple of that limit.",
        );
    });
    page
}

fn doubts(page: &mut Page, compared: &Compared) {
    for doubt in &compared.doubts {
        page.note(Tone::Medium, format!("{doubt}."));
    }
}

/// A section for each table.
fn sections(page: &mut Page, compared: &Compared) {
    for (heading, table) in tables::sections(compared) {
        let rows = counted(table.rows() as u64, "row", "rows");
        page.section(heading).table(&table, rows);
    }
    held_back(page, compared);
}

/// The same tables in one section of another page.
pub(in crate::commands) fn tables(page: &mut Page, compared: &Compared) {
    doubts(page, compared);
    for (heading, table) in tables::sections(compared) {
        page.table(&table, heading);
    }
    held_back(page, compared);
}

fn held_back(page: &mut Page, compared: &Compared) {
    if let Some(name) = &compared.empty_side {
        page.note(Tone::Medium, format!("{name} has no window of any device: there is nothing to compare."));
    } else if compared.rows.is_empty() {
        page.note(Tone::Good, "Nothing is unusual for the device that shows it.");
    }
    if compared.usual > 0 {
        let left_out = counted(compared.usual, "difference is", "differences are");
        page.paragraph(Prose::from(format!(
            "{left_out} usual for the device, or its earlier time is too short to say that; they are left out."
        )));
    }
    if compared.explained > 0 {
        page.paragraph(format!("Held back as well: {}.", compared.held_back()));
    }
}

fn of_side(side: &SideRead) -> String {
    let windows = counted(side.rows.len() as u64, "window", "windows");
    match side.span() {
        Some((first, last)) => {
            format!("{}: {windows} from {} to {}", side.name, rfc3339::format(first), rfc3339::format(last))
        }
        None => format!("{}: no window", side.name),
    }
}
