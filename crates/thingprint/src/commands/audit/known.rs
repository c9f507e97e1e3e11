//! Files of known devices: which of them the devices of captures look like, and what a later run may know them by.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use thingprint_audit::report::Observations;
use thingprint_profile::KnownDevices;

use crate::exit::Usage;
use crate::files::{read_fingerprints, write_file};
use crate::messages::Messages;

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
    /// captures as well
    #[arg(long, value_name = "FILE")]
    pub(super) fingerprints_out: Option<PathBuf>,
}

impl KnownArgs {
    /// Whether fingerprints are read or written.
    pub(super) fn is_wanted(&self) -> bool {
        self.fingerprints.is_some() || self.fingerprints_out.is_some()
    }

    /// The known devices, where a file of them is given.
    pub(super) fn read(&self) -> anyhow::Result<Option<KnownDevices>> {
        self.check()?;
        self.fingerprints.as_deref().map(read_fingerprints).transpose()
    }

    /// Writes what was learned, where that is asked for.
    pub(super) fn write(
        &self,
        known: Option<KnownDevices>,
        seen: &Observations,
        messages: Messages,
    ) -> anyhow::Result<()> {
        let Some(path) = &self.fingerprints_out else { return Ok(()) };
        let mut learned = known.filter(|_| self.learns_on()).unwrap_or_default();
        let (before, mut is_new) = (learned.len(), !self.learns_on());
        for (index, traits) in seen.fingerprints.devices().filter(|(_, traits)| !traits.is_empty()) {
            if let Some(device) = seen.devices.get(&index) {
                let name = seen.name(*device);
                is_new |= !learned.has_all(&name, traits);
                learned.learn(&name, traits).context("failed to learn fingerprints")?;
            }
        }
        let text = learned.to_json();
        if text.len() > KnownDevices::MOST_FILE_BYTES {
            bail!(
                "failed to write fingerprints {}: {} bytes, more than could be read again",
                path.display(),
                text.len()
            );
        }
        write_file(path, text.as_bytes())?;
        let new = learned.len() - before;
        messages.note(format!(
            "fingerprints: {} has {} devices, {new} of them new",
            path.display(),
            learned.len()
        ));
        if !is_new {
            messages.note(
                "these captures show nothing that was not known before: if they were learned already, their flows \
                 count twice now, which changes no answer",
            );
        }
        Ok(())
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
