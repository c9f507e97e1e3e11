//! Files that commands read and write beside their result.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use thingprint_profile::KnownDevices;
use thingprint_report::{Labels, Transaction};

use crate::inputs::{is_capture_file, kind_in_brackets};
use crate::messages::{Say, counted};
use crate::small_file::{MOST_LABEL_BYTES, read_bytes, read_text};

/// The labels in a file; none without a file.
pub(crate) fn read_labels(path: Option<&Path>, messages: impl Say) -> anyhow::Result<Labels> {
    let Some(path) = path else { return Ok(Labels::default()) };
    let bytes = read_bytes(path, MOST_LABEL_BYTES)
        .with_context(|| format!("failed to read labels {}", path.display()))?;
    let name = path.display().to_string();
    if is_capture_file(path) {
        let advice = "it is a capture: give a CSV file with the columns mac,label,kind, and captures without an option";
        bail!("failed to read labels {}: {advice}", path.display());
    }
    let is_other = !bytes.starts_with(b"mac,");
    let kind = if is_other { kind_in_brackets(path) } else { String::new() };
    let labels = Labels::read(&bytes, &format!("{name}{kind}")).context("failed to read labels")?;
    if labels.is_empty() && labels.same().next().is_none() {
        messages.warn(format!("{}: there is no label in it, so that no device gets one", path.display()));
    }
    for classes in labels.similar_classes() {
        let classes = classes.join("' and '");
        messages.warn(format!(
            "{}: '{classes}' differ only in case or blanks, and are different classes: is it one class?",
            path.display()
        ));
    }
    Ok(labels)
}

/// The labels in a file that somebody confirmed; none without a file.
pub(crate) fn read_confirmed_labels(path: Option<&Path>, messages: impl Say) -> anyhow::Result<Labels> {
    let labels = read_labels(path, messages)?;
    let proposals = labels.proposals().len() as u64;
    if proposals > 0 {
        messages.note(format!(
            "{} left out of the labels: remove the '?' in front of those that are right",
            counted(proposals, "class that nobody confirmed was", "classes that nobody confirmed were")
        ));
    }
    Ok(labels.without_proposals())
}

/// The labels in a file that go into instances as they are, with a note on those that nobody confirmed: `train` refuses them.
pub(crate) fn read_labels_to_keep(path: Option<&Path>, messages: impl Say) -> anyhow::Result<Labels> {
    let labels = read_labels(path, messages)?;
    let proposals = labels.proposals().len() as u64;
    if proposals > 0 {
        messages.note(format!(
            "{} in the labels: train refuses instances with them; remove the '?' in front of those that are right, or train with \
             --trust declared",
            counted(proposals, "class that nobody confirmed is", "classes that nobody confirmed are")
        ));
    }
    Ok(labels)
}

/// The known devices in a file of fingerprints.
pub(crate) fn read_fingerprints(path: &Path) -> anyhow::Result<KnownDevices> {
    let context = || format!("failed to read fingerprints {}", path.display());
    let text = read_given(path, KnownDevices::MOST_FILE_BYTES as u64).with_context(context)?;
    KnownDevices::from_json(&text).with_context(context)
}

/// The text in a file, in which there has to be something, and no more than `most` bytes.
pub(crate) fn read_given(path: &Path, most: u64) -> anyhow::Result<String> {
    let text = read_text(path, most)?;
    if text.trim().is_empty() {
        bail!("the file is empty");
    }
    Ok(text)
}

/// Writes a file that is a result, or a part of one.
pub(crate) fn write_file(results: &Transaction, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let context = || format!("failed to write {}", path.display());
    let mut file = results.file(path).context("failed to write the result")?;
    file.write_all(bytes).with_context(context)?;
    file.finish().context("failed to write the result")
}
