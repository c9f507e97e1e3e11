use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use thingprint_audit::report::{GivenProfile, Profiles};
use thingprint_profile::MudProfile;

use crate::exit::Usage;
use crate::files::read_given;
use crate::inputs::kind_in_brackets;
use crate::messages::Messages;

/// Reads what `--mud` names.
pub(in crate::commands) fn read(arguments: &[String]) -> anyhow::Result<Profiles> {
    let mut profiles = Profiles::default();
    for argument in arguments {
        let (owner, path) = path_of(argument);
        if path.is_dir() {
            if owner.is_some() {
                let reason = format!("--mud: {} is a folder: a label has one file", path.display());
                return Err(Usage(reason).into());
            }
            for path in json_files(&path)? {
                profiles.add(read_profile(path, None, true)?);
            }
        } else {
            profiles.add(read_profile(path, owner, false)?);
        }
    }
    Ok(profiles)
}

fn read_profile(path: PathBuf, owner: Option<String>, is_from_folder: bool) -> anyhow::Result<GivenProfile> {
    let name = path.display().to_string();
    let context = || format!("failed to read the MUD profile {name}{}", kind_in_brackets(&path));
    let text = read_given(&path, MudProfile::MOST_FILE_BYTES as u64).with_context(context)?;
    let context = || {
        let kind = if text.contains("ietf-mud:mud") { String::new() } else { kind_in_brackets(&path) };
        format!("failed to read the MUD profile {name}{kind}")
    };
    let profile = MudProfile::from_json(&text).with_context(context)?;
    Ok(GivenProfile::new(path, profile, owner, is_from_folder))
}

/// Fails where a file that was named fits no device: nothing would have been checked. Folders may have more.
pub(in crate::commands) fn check_used(profiles: &Profiles, messages: Messages) -> Result<(), Usage> {
    if let Some(given) = profiles.unused().find(|given| !given.is_from_folder) {
        let path = given.path.display();
        return Err(Usage(match &given.owner {
            Some(owner) => format!("--mud: no device of these captures has the label or address '{owner}'"),
            None => {
                format!("--mud: whose profile is {path}? No device has its name: give --mud LABEL={path}")
            }
        }));
    }
    let (files, unused) = (profiles.len(), profiles.unused().count());
    if files > 0 {
        messages.note(format!("{} of {files} MUD profiles are of devices of these captures", files - unused));
    }
    if files > 0 && files == unused {
        messages
            .warn("no device was held against a MUD profile: files have the names of labels or addresses");
    }
    Ok(())
}

/// Owner and path of an argument; what is a path as a whole has no owner.
pub(in crate::commands) fn path_of(argument: &str) -> (Option<String>, PathBuf) {
    match argument.split_once('=') {
        Some((owner, path)) if !Path::new(argument).exists() => (Some(owner.to_owned()), path.into()),
        _ => (None, argument.into()),
    }
}

/// The files of a folder whose names end in `.json`, in order.
pub(in crate::commands) fn json_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
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
