use std::cell::Cell;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use thingprint_flow::DeviceId;
use thingprint_profile::MudProfile;

use super::file_names::slug;
use crate::exit::Usage;
use crate::messages::Messages;

/// Profiles that are given, each for the devices that it fits.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    given: Vec<Given>,
}

/// A profile that is given.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) path: PathBuf,
    pub(super) profile: MudProfile,
    /// Whose it is, where that is said.
    owner: Option<String>,
    is_from_folder: bool,
    is_used: Cell<bool>,
}

impl Profiles {
    /// Reads what `--mud` names.
    pub(super) fn read(arguments: &[String]) -> anyhow::Result<Self> {
        let mut given = Vec::new();
        for argument in arguments {
            let (owner, path) = path_of(argument);
            if path.is_dir() {
                if owner.is_some() {
                    return Err(Usage(format!(
                        "--mud: {} is a folder: a label has one file",
                        path.display()
                    ))
                    .into());
                }
                for path in json_files(&path)? {
                    given.push(Given::read(path, None, true)?);
                }
            } else {
                given.push(Given::read(path, owner, false)?);
            }
        }
        Ok(Self { given })
    }

    /// The profile of a device: the one that is said to be its, else the one of its name; of a device that is alone, also
    /// the only file.
    pub(super) fn of(&mut self, device: DeviceId, label: Option<&String>, is_alone: bool) -> Option<&Given> {
        let address = device.to_string();
        let names = || label.into_iter().map(String::as_str).chain([address.as_str()]);
        let is_owner =
            |given: &&Given| given.owner.as_deref().is_some_and(|owner| names().any(|name| name == owner));
        let is_named = |given: &&Given| given.owner.is_none() && names().any(|name| given.is_named(name));
        let is_only = |given: &&Given| {
            is_alone && self.given.len() == 1 && given.owner.is_none() && !given.is_from_folder
        };
        let all = || self.given.iter();
        let found = all().find(is_owner).or_else(|| all().find(is_named)).or_else(|| all().find(is_only))?;
        found.is_used.set(true);
        Some(found)
    }

    /// Fails where a file that was named is nobody's: nothing would have been checked. Folders may have more.
    pub(super) fn check_used(&self, messages: Messages) -> Result<(), Usage> {
        let unused = || self.given.iter().filter(|given| !given.is_used.get());
        if let Some(given) = unused().find(|given| !given.is_from_folder) {
            let path = given.path.display();
            return Err(Usage(match &given.owner {
                Some(owner) => {
                    format!("--mud: no device of these captures has the label or address '{owner}'")
                }
                None => {
                    format!("--mud: whose profile is {path}? No device has its name: give --mud LABEL={path}")
                }
            }));
        }
        let (files, unused) = (self.given.len(), unused().count());
        if files > 0 {
            messages
                .note(format!("{} of {files} MUD profiles are of devices of these captures", files - unused));
        }
        if files > 0 && files == unused {
            messages.warn(
                "no device was held against a MUD profile: files have the names of labels or addresses",
            );
        }
        Ok(())
    }
}

impl Given {
    fn read(path: PathBuf, owner: Option<String>, is_from_folder: bool) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).with_context(|| format!("failed to read {name}"))?;
        let profile = MudProfile::from_json(&text).with_context(|| format!("failed to read {name}"))?;
        Ok(Self { path, profile, owner, is_from_folder, is_used: Cell::new(false) })
    }

    /// Whether file or profile have this name, or the part of it that a file name keeps; only letters and digits matter.
    fn is_named(&self, name: &str) -> bool {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let own = [Some(stem.as_ref()), self.profile.systeminfo.as_deref()];
        let (whole, kept) = (folded(name), folded(&slug(name)));
        let is_file = !kept.is_empty() && folded(&stem) == kept;
        is_file || !whole.is_empty() && own.into_iter().flatten().any(|own| folded(own) == whole)
    }
}

/// Owner and path of an argument; what is a path as a whole has no owner.
pub(super) fn path_of(argument: &str) -> (Option<String>, PathBuf) {
    match argument.split_once('=') {
        Some((owner, path)) if !Path::new(argument).exists() => (Some(owner.to_owned()), path.into()),
        _ => (None, argument.into()),
    }
}

/// The files of a folder whose names end in `.json`, in order.
pub(super) fn json_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let context = || format!("failed to read {}", folder.display());
    let entries = std::fs::read_dir(folder).with_context(context)?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.with_context(context)?;
    paths.retain(|path| path.is_file() && path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    if paths.is_empty() {
        bail!("{}: there is no MUD profile (*.json) in this folder", context());
    }
    Ok(paths)
}

/// Letters and digits of a name in lower case.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
