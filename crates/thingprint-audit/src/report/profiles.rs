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

    /// The profile of a device: the one whose owner it is, else the file that ends in its address, else the one of its name;
    /// of a device that is alone, also the only file. A file that ends in another address is that of another device with the
    /// same label.
    pub fn of(&self, device: DeviceId, label: Option<&String>, is_alone: bool) -> Option<&GivenProfile> {
        let address = device.to_string();
        let names = || label.into_iter().map(String::as_str).chain([address.as_str()]);
        let is_owner = |given: &&GivenProfile| {
            given.owner.as_deref().is_some_and(|owner| names().any(|name| name == owner))
        };
        let own = folded(&address);
        let is_addressed =
            |given: &&GivenProfile| given.owner.is_none() && given.address().as_ref() == Some(&own);
        let is_named = |given: &&GivenProfile| {
            given.owner.is_none() && given.address().is_none() && names().any(|name| given.is_named(name))
        };
        let is_only = |given: &&GivenProfile| {
            is_alone && self.given.len() == 1 && given.owner.is_none() && !given.is_from_folder
        };
        let all = || self.given.iter();
        let by_name = || all().find(is_addressed).or_else(|| all().find(is_named));
        let found = all().find(is_owner).or_else(by_name).or_else(|| all().find(is_only))?;
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

    /// The address that the name of the file ends in, as it is where several devices have one label; folded.
    fn address(&self) -> Option<String> {
        let stem = self.path.file_stem()?.to_string_lossy();
        let words: Vec<&str> = stem.split('-').collect();
        let is_octet = |word: &str| word.len() == 2 && u8::from_str_radix(word, 16).is_ok();
        let is_number = |word: &str| word.parse::<u8>().is_ok();
        let mac = words.last_chunk::<6>().filter(|words| words.iter().all(|word| is_octet(word)));
        let ip = words.last_chunk::<4>().filter(|words| words.iter().all(|word| is_number(word)));
        mac.map(|words| folded(&words.concat())).or_else(|| ip.map(|words| folded(&words.concat())))
    }

    /// Whether file or profile have this name, or the part of it that a file name keeps; only letters and digits matter.
    fn is_named(&self, name: &str) -> bool {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let texts = [Some(stem.as_ref()), self.profile.systeminfo.as_deref()];
        let (whole, kept) = (folded(name), folded(&slug(name)));
        let is_file = !kept.is_empty() && folded(&stem) == kept;
        is_file || !whole.is_empty() && texts.into_iter().flatten().any(|text| folded(text) == whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(file: &str, systeminfo: &str) -> GivenProfile {
        let text = r#"{"ietf-mud:mud":{"mud-version":1,"mud-url":"https://x.example/x.json",
            "last-update":"2024-05-01T00:00:00Z","is-supported":true,"systeminfo":"WHAT",
            "from-device-policy":{"access-lists":{"access-list":[{"name":"a"}]}},
            "to-device-policy":{"access-lists":{"access-list":[{"name":"b"}]}}},
            "ietf-access-control-list:acls":{"acl":[
            {"name":"a","type":"ipv4-acl-type","aces":{"ace":[]}},{"name":"b","type":"ipv4-acl-type","aces":{"ace":[]}}]}}"#;
        let profile = MudProfile::from_json(&text.replace("WHAT", systeminfo)).unwrap();
        GivenProfile::new(file.into(), profile, None, true)
    }

    #[test]
    fn devices_of_one_label_have_the_files_that_were_written_for_them() {
        let mut profiles = Profiles::default();
        for file in
            ["Lock-hub-02-00-00-00-00-01.json", "Lock-hub-02-00-00-00-00-02.json", "02-00-00-00-00-04.json"]
        {
            profiles.add(given(file, "Lock hub"));
        }
        profiles.add(given("plug-192-168-1-7.json", "plug"));
        profiles.add(given("Camera-2.json", "Camera"));
        let check = |device: &str, label: &str, expected: Option<&str>| {
            let found = profiles.of(device.parse().unwrap(), Some(&label.to_owned()), false);
            assert_eq!(found.map(|given| given.path.to_str().unwrap()), expected, "{device} {label}");
        };
        check("02:00:00:00:00:01", "Lock hub", Some("Lock-hub-02-00-00-00-00-01.json"));
        check("02:00:00:00:00:02", "Lock hub", Some("Lock-hub-02-00-00-00-00-02.json"));
        check("02:00:00:00:00:03", "Lock hub", None);
        check("02:00:00:00:00:04", "Lock hub", Some("02-00-00-00-00-04.json"));
        check("192.168.1.7", "plug", Some("plug-192-168-1-7.json"));
        check("192.168.1.8", "plug", None);
        check("02:00:00:00:00:05", "Camera", Some("Camera-2.json"));
    }
}
