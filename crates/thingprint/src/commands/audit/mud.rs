//! MUD profiles (RFC 8520): written from what devices did, and held against it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use thingprint_audit::report::{Observations, Profiles, Verdict, file_names, to_second};
use thingprint_flow::{DeviceId, DeviceIndex};
use thingprint_profile::{Attribute, MudDraft, MudOptions, MudProfile, NameEvidence, Width, is_mud_url};
use thingprint_report::Transaction;

use crate::destinations::Destinations;
use crate::exit::Usage;
use crate::messages::{Messages, counted};

pub(in crate::commands) mod profiles;

/// Where profiles would be served from, unless somebody says so: a name that nobody owns (RFC 2606).
const URL_BASE: &str = "https://example.com/mud/";

/// Profiles to read and to write.
#[derive(Debug, Args)]
#[command(next_help_heading = "MUD profiles (RFC 8520)")]
pub(super) struct MudArgs {
    /// Hold a device's traffic against its profile: LABEL=FILE (or ADDRESS=FILE); or a file, or a folder of *.json,
    /// which go by their names to the devices of these labels or addresses. What a profile does not allow are findings
    /// of the rule MUD-001
    #[arg(long, value_name = "[LABEL=]FILE|FOLDER")]
    mud: Vec<String>,

    /// Write a profile for each device of what it was seen to do into this folder; files of the same name are replaced
    #[arg(long, value_name = "FOLDER")]
    mud_out: Option<PathBuf>,

    /// What the MUD URLs of written profiles begin with, for devices that gave none by DHCP
    #[arg(long, value_name = "URL", default_value = URL_BASE, requires = "mud_out")]
    mud_url_base: String,

    /// Allow in written profiles also what others sent and the device never answered, or refused: what a lamp that obeys
    /// broadcasts needs, and what every scanner of the network asks for
    #[arg(long, requires = "mud_out")]
    mud_unanswered: bool,

    /// Say who serves a class of controllers: dns, ntp, dhcp, gateway, my-controller, or the URI of a class. May be given
    /// several times. Of a class without one, those that DHCP names count; where it names none, any local address
    #[arg(long, value_name = "CLASS=ADDRESS", value_parser = controller)]
    controller: Vec<(String, IpAddr)>,
}

/// Classes of controllers by short names.
const CLASSES: [(&str, &str); 5] = [
    ("dns", MudProfile::DNS_CONTROLLER),
    ("ntp", MudProfile::NTP_CONTROLLER),
    ("dhcp", MudProfile::DHCP_CONTROLLER),
    ("gateway", MudProfile::GATEWAY_CONTROLLER),
    ("my-controller", MudProfile::MY_CONTROLLER),
];

impl MudArgs {
    /// Whether whom devices talk to matters.
    pub(super) fn is_wanted(&self) -> bool {
        !self.mud.is_empty() || self.mud_out.is_some()
    }

    /// The profiles that are given.
    pub(super) fn read(&self) -> anyhow::Result<Profiles> {
        if !is_mud_url(&self.mud_url_base) {
            let base = &self.mud_url_base;
            return Err(Usage(format!("--mud-url-base: '{base}' is no URL that begins with https://")).into());
        }
        if !self.controller.is_empty() && !self.is_wanted() {
            let reason = "--controller: controllers matter to MUD profiles only: give --mud or --mud-out";
            return Err(Usage(reason.to_owned()).into());
        }
        profiles::read(&self.mud)
    }

    /// Adds who serves the classes of controllers.
    pub(super) fn give_controllers(&self, seen: &mut Observations) {
        for (class, address) in &self.controller {
            seen.mud.give_controller(class, *address);
        }
    }

    /// The files and folders that are given.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.mud.iter().map(|given| profiles::path_of(given).1).collect()
    }

    /// The folder for profiles, with its option.
    pub(super) fn folder(&self) -> Option<(&'static str, &Path)> {
        Some(("--mud-out", self.mud_out.as_deref()?))
    }

    /// Refuses to write profiles over what was read.
    pub(super) fn check_apart(
        &self,
        seen: &Observations,
        destinations: &Destinations<'_>,
    ) -> Result<(), Usage> {
        let Some(folder) = &self.mud_out else { return Ok(()) };
        let names = file_names(seen);
        let mut paths = names.values().map(|name| folder.join(format!("{name}.json")));
        paths.try_for_each(|path| destinations.check_replaced("--mud-out", &path))
    }

    /// Writes a profile for each device, where that is asked for.
    pub(super) fn write(
        &self,
        seen: &Observations,
        results: &Transaction,
        messages: Messages,
    ) -> anyhow::Result<()> {
        let Some(folder) = &self.mud_out else { return Ok(()) };
        let Some((_, last)) = seen.span else { return Ok(()) };
        let context = || format!("failed to write --mud-out {}", folder.display());
        let staged = results.folder(folder).with_context(context)?;
        let (mut written, mut by_others) = (0_u64, 0_u64);
        let names = file_names(seen);
        for (index, device) in &seen.devices {
            let (index, device) = (*index, *device);
            let Some(name) = names.get(&device) else { continue };
            let url = self.url(seen, index, name);
            let options = MudOptions {
                with_unanswered: self.mud_unanswered,
                ..MudOptions::new(&seen.name(device), &url, &to_second(last))
            };
            let draft = seen.mud.profile(index, &options);
            report_draft(&draft, &seen.name(device), messages);
            by_others += named_by_others(&draft.profile);
            staged
                .write(&format!("{name}.json"), draft.profile.to_json().as_bytes())
                .with_context(context)?;
            written += 1;
        }
        staged.finish();
        messages.note(format!("{written} MUD profiles: {}", folder.display()));
        if by_others > 0 {
            messages.note(format!(
                "{} by names that other devices looked up: thingprint:name-source in the profiles says which",
                counted(by_others, "entry goes", "entries go")
            ));
        }
        Ok(())
    }

    /// The URL that a device gave by DHCP, else one below the base.
    fn url(&self, seen: &Observations, index: DeviceIndex, name: &str) -> String {
        let traits = seen.fingerprints.traits(index);
        let mut given = traits.iter().flat_map(|traits| traits.values(Attribute::DhcpMudUrl));
        match (given.next(), given.next()) {
            (Some((url, _)), None) if is_mud_url(url) => url.to_owned(),
            _ => format!("{}/{name}.json", self.mud_url_base.trim_end_matches('/')),
        }
    }
}

/// Checks the devices against the profiles that are given.
pub(super) fn check(
    seen: &Observations,
    profiles: &Profiles,
    messages: Messages,
) -> anyhow::Result<BTreeMap<DeviceId, Verdict>> {
    let verdicts = seen.check(profiles);
    profiles::check_used(profiles, messages)?;
    Ok(verdicts)
}

/// A class of controllers, by its short name or its URI, and an address that serves it.
pub(in crate::commands) fn controller(given: &str) -> Result<(String, IpAddr), String> {
    let (class, address) = given.rsplit_once('=').ok_or("give CLASS=ADDRESS, such as dns=192.168.1.1")?;
    let known = CLASSES.iter().find(|(name, _)| *name == class).map(|(_, uri)| *uri);
    let uri = known.or_else(|| class.contains(':').then_some(class));
    let names = CLASSES.map(|(name, _)| name).join(", ");
    let uri = uri.ok_or_else(|| format!("'{class}' is no class: give one of {names}, or a URI"))?;
    let address = address.parse().map_err(|_| format!("'{address}' is no IP address"))?;
    Ok((uri.to_owned(), address))
}

/// Entries by names that the device itself did not look up, but others did.
fn named_by_others(profile: &MudProfile) -> u64 {
    let entries = profile.from_device.iter().chain(&profile.to_device).flat_map(|list| &list.entries);
    entries.filter(|entry| entry.name_evidence == Some(NameEvidence::OtherDns)).count() as u64
}

/// Says in what a written profile is less, or more, than what was seen.
fn report_draft(draft: &MudDraft, name: &str, messages: Messages) {
    if draft.unanswered_flows > 0 {
        let flows = draft.unanswered_flows;
        messages.detail(format!("{name}: {flows} flows that it never answered are not in its profile"));
    }
    if !draft.widened.is_empty() {
        let entries = draft.widened.len();
        messages.detail(format!(
            "{name}: {entries} entries are for any address or a range of ports: too many to name each"
        ));
    }
    let joined = match draft.width {
        Width::Seen => return,
        Width::ManyNames => "where more than 64 peers with a name have one port, it is for any address",
        Width::AnyAddress => "it is for any address beyond the local networks",
        Width::AnyPort => "it is for any address beyond the local networks, and any port",
    };
    messages.warn(format!("{name}: more entries than a profile may have to be read back: {joined}"));
}

#[cfg(test)]
mod tests {
    use super::controller;

    #[test]
    fn controllers_are_told_by_short_names_and_uris() {
        let check = |given: &str, expected: Result<(&str, &str), &str>| match (controller(given), expected) {
            (Ok((class, address)), Ok(expected)) => {
                assert_eq!((class.as_str(), address.to_string().as_str()), expected);
            }
            (Err(reason), Err(expected)) => assert!(reason.contains(expected), "{reason}"),
            (found, _) => panic!("{given}: {found:?}"),
        };
        check("dns=192.168.1.1", Ok(("urn:ietf:params:mud:dns", "192.168.1.1")));
        check("my-controller=fd00::1", Ok(("my-controller", "fd00::1")));
        check("https://lamp.example/?a=b=10.0.0.1", Ok(("https://lamp.example/?a=b", "10.0.0.1")));
        check("dns", Err("CLASS=ADDRESS"));
        check("lamp=10.0.0.1", Err("'lamp' is no class: give one of dns, ntp, dhcp"));
        check("dns=resolver", Err("'resolver' is no IP address"));
    }
}
