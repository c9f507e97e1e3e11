use std::cell::Cell;
use std::path::PathBuf;

use thingprint_flow::DeviceId;
use thingprint_profile::MudProfile;

use super::file_names::{folded, slug};

/// MUD profiles to check devices against, each for the devices that it fits.
#[derive(Debug, Default)]
pub struct Profiles {
    given: Vec<GivenProfile>,
}

/// A MUD profile and the device that it is for.
#[derive(Debug)]
pub struct GivenProfile {
    /// Its file.
    pub path: PathBuf,
    /// The profile.
    pub profile: MudProfile,
    /// Label or address of its device, where that was given.
    pub owner: Option<String>,
    /// Whether it is one of a folder's files, some of which may be for no device.
    pub is_from_folder: bool,
    is_used: Cell<bool>,
}

impl Profiles {
    /// Adds a profile.
    pub fn add(&mut self, profile: GivenProfile) {
        self.given.push(profile);
    }

    /// The profiles, in the order in which they were added.
    pub fn all(&self) -> impl Iterator<Item = &GivenProfile> {
        self.given.iter()
    }

    /// Number of profiles.
    pub fn len(&self) -> usize {
        self.given.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// The profile of a device: the one whose owner it is, else the one of its name; of a device that is alone, also the
    /// only file.
    pub fn of(&self, device: DeviceId, label: Option<&String>, is_alone: bool) -> Option<&GivenProfile> {
        let address = device.to_string();
        let names = || label.into_iter().map(String::as_str).chain([address.as_str()]);
        let is_owner = |given: &&GivenProfile| {
            given.owner.as_deref().is_some_and(|owner| names().any(|name| name == owner))
        };
        let is_named =
            |given: &&GivenProfile| given.owner.is_none() && names().any(|name| given.is_named(name));
        let is_only = |given: &&GivenProfile| {
            is_alone && self.given.len() == 1 && given.owner.is_none() && !given.is_from_folder
        };
        let all = || self.given.iter();
        let found = all().find(is_owner).or_else(|| all().find(is_named)).or_else(|| all().find(is_only))?;
        found.is_used.set(true);
        Some(found)
    }

    /// The profiles that [`Profiles::of`] gave to no device.
    pub fn unused(&self) -> impl Iterator<Item = &GivenProfile> {
        self.given.iter().filter(|given| !given.is_used.get())
    }
}

impl GivenProfile {
    /// The profile of a file, for the device of a label or address where one is given.
    pub const fn new(
        path: PathBuf,
        profile: MudProfile,
        owner: Option<String>,
        is_from_folder: bool,
    ) -> Self {
        Self { path, profile, owner, is_from_folder, is_used: Cell::new(false) }
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
