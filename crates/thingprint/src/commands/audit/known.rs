//! Files of known devices: which of them the devices of captures look like, and what a later run may know them by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use thingprint_audit::report::Observations;
use thingprint_flow::ContentHash;
use thingprint_profile::KnownDevices;
use thingprint_report::Transaction;

use super::survey::Survey;
use crate::exit::{Outcome, Usage};
use crate::files::{read_fingerprints, write_file};
use crate::messages::{Messages, counted};

/// Devices that are named which lost something.
const MOST_NAMED: usize = 3;

/// What devices are known by.
#[derive(Debug, Args)]
#[command(next_help_heading = "Fingerprints")]
pub(super) struct KnownArgs {
    /// Say which known device of this file each device looks like, and by what; `flows --fingerprints` says it of each
    /// flow
    #[arg(long, value_name = "FILE")]
    pub(super) fingerprints: Option<PathBuf>,

    /// Write the devices of these captures, by label or else by address, into a file for --fingerprints, of audit and of
    /// flows. A file that is there already is refused, unless it is that of --fingerprints, which then learns these
    /// captures as well, each once
    #[arg(long, value_name = "FILE")]
    pub(super) fingerprints_out: Option<PathBuf>,
}

impl KnownArgs {
    /// Whether fingerprints are read or written.
    pub(super) fn is_wanted(&self) -> bool {
        self.fingerprints.is_some() || self.fingerprints_out.is_some()
    }

    /// The known devices, where a file of them is given. Whoever learns into a file is the only one until that is done.
    pub(super) fn read(
        &self,
        results: &Transaction,
        messages: Messages,
    ) -> anyhow::Result<Option<KnownDevices>> {
        if let Some(path) = &self.fingerprints_out {
            let name = path.display();
            let wait = || messages.note(format!("waiting for another audit, which learns into {name}"));
            results.lock(path, wait).context("failed to lock fingerprints")?;
        }
        self.check()?;
        self.fingerprints.as_deref().map(read_fingerprints).transpose()
    }

    /// Whether captures are learned, so that their contents have to be known.
    pub(super) fn learns(&self) -> bool {
        self.fingerprints_out.is_some()
    }

    /// Writes what was learned, where that is asked for; says whether all of it had room. `again` reads some of the captures, by their places, without the
    /// others.
    pub(super) fn write(
        &self,
        known: Option<KnownDevices>,
        survey: &Survey,
        again: impl FnOnce(&[usize]) -> anyhow::Result<Survey>,
        (results, messages): (&Transaction, Messages),
    ) -> anyhow::Result<Outcome> {
        let Some(path) = &self.fingerprints_out else { return Ok(Outcome::Done) };
        let mut learned = known.filter(|_| self.learns_on()).unwrap_or_default();
        let hashes = &survey.summary.read.hashes;
        let is_new = |hash: &Option<ContentHash>| hash.is_none_or(|hash| !learned.has_learned(hash));
        let new: Vec<usize> = (0..).zip(hashes).filter(|(_, hash)| is_new(hash)).map(|(at, _)| at).collect();
        let before: BTreeSet<String> = learned.iter().map(|(name, _)| name.to_owned()).collect();
        if new.len() < hashes.len() {
            let old = counted((hashes.len() - new.len()) as u64, "capture was", "captures were");
            messages.note(format!("{old} learned already and count once in {}", path.display()));
        }
        if new.is_empty() && !hashes.is_empty() {
            return Ok(Outcome::Done);
        }
        learned.learn_captures(new.iter().filter_map(|at| *hashes.get(*at)?));
        if new.len() == hashes.len() {
            learn(&mut learned, &survey.seen)?;
        } else {
            learn(&mut learned, &again(&new)?.seen)?;
        }
        let whole = report_lost(&learned.fit(&before), messages);
        let text = learned.to_json().context("failed to write fingerprints")?;
        if text.len() > KnownDevices::MOST_FILE_BYTES {
            bail!(
                "failed to write fingerprints {}: {} bytes, more than could be read again",
                path.display(),
                text.len()
            );
        }
        write_file(results, path, text.as_bytes())?;
        let new = learned.iter().filter(|(name, _)| !before.contains(*name)).count();
        messages.note(format!(
            "fingerprints: {} has {} devices, {new} of them new",
            path.display(),
            learned.len()
        ));
        Ok(whole)
    }

    /// What somebody learned is not written over, unless it comes along.
    fn check(&self) -> Result<(), Usage> {
        let Some(path) = self.fingerprints_out.as_deref().filter(|path| path.exists()) else { return Ok(()) };
        if self.learns_on() {
            return Ok(());
        }
        let name = path.display();
        Err(Usage(format!(
            "--fingerprints-out: {name} is there already; give another name, or let it learn on with --fingerprints {name}"
        )))
    }

    /// Whether the file that is read is the one that is written.
    fn learns_on(&self) -> bool {
        let real = |path: &Option<PathBuf>| path.as_deref().map(Path::canonicalize).and_then(Result::ok);
        real(&self.fingerprints).is_some_and(|path| Some(path) == real(&self.fingerprints_out))
    }
}

/// Learns what the devices of captures show.
fn learn(learned: &mut KnownDevices, seen: &Observations) -> anyhow::Result<()> {
    for (index, traits) in seen.fingerprints.devices().filter(|(_, traits)| !traits.is_empty()) {
        if let Some(device) = seen.devices.get(&index) {
            learned.learn(&seen.name(*device), &traits).context("failed to learn fingerprints")?;
        }
    }
    Ok(())
}

/// Says which devices a file had no room for, with the values that they lost: those that lost most.
fn report_lost(lost: &BTreeMap<String, u64>, messages: Messages) -> Outcome {
    if lost.is_empty() {
        return Outcome::Done;
    }
    let mut order: Vec<(&String, &u64)> = lost.iter().collect();
    order.sort_by_key(|(_, values)| std::cmp::Reverse(**values));
    let named: Vec<String> =
        order.iter().take(MOST_NAMED).map(|(name, values)| format!("{values} of {name}")).collect();
    let more = if order.len() > MOST_NAMED { ", and others" } else { "" };
    messages.warn(format!(
        "fingerprints: the file has no room for {} of {} ({}{more})",
        counted(lost.values().sum(), "value", "values"),
        counted(lost.len() as u64, "device", "devices"),
        named.join(", ")
    ));
    Outcome::Partial
}
