use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::wheel::Wheel;
use super::{Imported, error};
use crate::{KnowledgeError, TableName};

/// Tables of matchers that the build of Home Assistant writes.
const ZEROCONF: &str = "homeassistant/generated/zeroconf.py";
const DHCP: &str = "homeassistant/generated/dhcp.py";
/// Fewest letters of a host name in front of a star: `esp*` and `bridge` are anybody's.
const LEAST_LETTERS: usize = 6;
const WHAT: &str = "wheel of Home Assistant";

/// The matchers in a wheel of Home Assistant (Apache-2.0): types of services and models of `HomeKit` that one integration alone
/// looks for, and host names of DHCP. The name of the integration stands for the vendor.
pub fn home_assistant(wheel: &[u8]) -> Result<Imported, KnowledgeError> {
    let wheel = Wheel::open(wheel)
        .ok_or_else(|| error(WHAT, "it is no archive; expected homeassistant-VERSION.whl"))?;
    let zeroconf = wheel.text(ZEROCONF);
    let zeroconf = zeroconf
        .ok_or_else(|| error(WHAT, format!("{ZEROCONF} is not in it; expected homeassistant-VERSION.whl")))?;
    let version = wheel.names().find_map(version).unwrap_or_default();
    let source = format!("Home Assistant {version}");
    let mut imported = Imported::new(&format!("Home Assistant {version}"));
    let names = Names { wheel: &wheel };
    for (service, domains) in services(&zeroconf, &mut imported.skipped)? {
        match (domains.iter().next().and_then(|domain| names.name(domain)), domains.len()) {
            (Some(name), 1) => {
                imported.add(TableName::Services, &[&service, &name, "", "", &source, ""])?;
            }
            _ => imported.skipped += 1,
        }
    }
    for (model, row) in members(&literal(&zeroconf, "HOMEKIT").unwrap_or_default()) {
        let name = row.get("domain").and_then(Value::as_str).and_then(|domain| names.name(domain));
        match name {
            Some(name) => add_pattern(&mut imported, ("model", &format!("{model}*")), &name, &source)?,
            None => imported.skipped += 1,
        }
    }
    let hosts = wheel.text(DHCP).and_then(|text| literal(&text, "DHCP")).unwrap_or_default();
    for row in hosts.as_array().into_iter().flatten() {
        let text = |key: &str| row.get(key).and_then(Value::as_str);
        // With an address beside it, the name alone is not enough.
        let host =
            text("hostname").filter(|host| row.get("macaddress").is_none() && letters(host) >= LEAST_LETTERS);
        match (host, text("domain").and_then(|domain| names.name(domain))) {
            (Some(host), Some(name)) => add_pattern(&mut imported, ("host-name", host), &name, &source)?,
            _ => imported.skipped += 1,
        }
    }
    Ok(imported)
}

fn add_pattern(
    imported: &mut Imported,
    (kind, pattern): (&str, &str),
    vendor: &str,
    source: &str,
) -> Result<(), KnowledgeError> {
    imported.add(TableName::Patterns, &[kind, pattern, vendor, "", "", "", "likely", source, ""])
}

/// Names of integrations, out of their manifests.
struct Names<'w, 'a> {
    wheel: &'w Wheel<'a>,
}

impl Names<'_, '_> {
    fn name(&self, domain: &str) -> Option<String> {
        let manifest = self.wheel.text(&format!("homeassistant/components/{domain}/manifest.json"))?;
        let manifest: Value = serde_json::from_str(&manifest).ok()?;
        Some(manifest.get("name")?.as_str()?.to_owned())
    }
}

/// Types of services, each with the integrations that look for it without asking for more.
fn services(text: &str, skipped: &mut u64) -> Result<BTreeMap<String, BTreeSet<String>>, KnowledgeError> {
    let table = literal(text, "ZEROCONF")
        .ok_or_else(|| error(WHAT, format!("{ZEROCONF} has no table ZEROCONF that can be read")))?;
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (service, rows) in members(&table) {
        let Some(service) = service.strip_suffix(".local.") else { continue };
        for row in rows.as_array().into_iter().flatten() {
            let is_alone = row.as_object().is_some_and(|row| row.len() == 1);
            match row.get("domain").and_then(Value::as_str) {
                Some(domain) if is_alone => {
                    found.entry(service.to_owned()).or_default().insert(domain.to_owned());
                }
                _ => {
                    // Several integrations share the type, so that it names nobody.
                    *skipped += 1;
                    found.entry(service.to_owned()).or_default().insert(String::new());
                }
            }
        }
    }
    found.retain(|_, domains| !domains.contains(""));
    Ok(found)
}

fn members(value: &Value) -> Vec<(String, Value)> {
    let object = value.as_object();
    object.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The value that a name is set to in a file of Python, if it is made of texts, lists, objects, numbers and truth values.
fn literal(text: &str, name: &str) -> Option<Value> {
    let start = text
        .find(&format!("\n{name} = "))
        .map(|at| at + 1)
        .or_else(|| text.starts_with(&format!("{name} = ")).then_some(0));
    let typed = || text.find(&format!("\n{name}: ")).map(|at| at + 1);
    let rest = text.get(start.or_else(typed)?..)?;
    let value = rest.get(rest.find(" = ")? + 3..)?;
    serde_json::Deserializer::from_str(&as_json(value)).into_iter::<Value>().next()?.ok()
}

/// A literal of Python as JSON: without commas before a bracket, with truth values in JSON's words.
fn as_json(text: &str) -> String {
    let mut json = String::with_capacity(text.len());
    let mut is_quoted = false;
    let mut is_escaped = false;
    for letter in text.chars() {
        if is_quoted {
            is_quoted = is_escaped || letter != '"';
            is_escaped = !is_escaped && letter == '\\';
        } else if letter == '"' {
            is_quoted = true;
        } else if matches!(letter, '}' | ']') {
            let end = json.trim_end().trim_end_matches(',').len();
            json.truncate(end);
        }
        json.push(letter);
    }
    json.replace(": True", ": true").replace(": False", ": false").replace(": None", ": null")
}

/// The version in the name of the folder of metadata.
fn version(name: &str) -> Option<String> {
    let folder = name.split('/').next()?.strip_suffix(".dist-info")?;
    folder.strip_prefix("homeassistant-").map(str::to_owned)
}

fn letters(pattern: &str) -> usize {
    pattern.chars().filter(|letter| letter.is_alphanumeric()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_python_is_read() {
        let text = "from typing import Final\n\nZEROCONF = {\n    \"_a._tcp.local.\": [\n        {\n            \"domain\": \"acme\",\n        },\n    ],\n    \"_b._tcp.local.\": [\n        {\"domain\": \"acme\", \"name\": \"x,]*\",},\n        {\"domain\": \"bolt\",},\n    ],\n}\n\nDHCP: Final[list[dict[str, str | bool]]] = [\n    {\"domain\": \"acme\", \"registered_devices\": True,},\n]\n";
        let mut skipped = 0;
        let found = services(text, &mut skipped).unwrap();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("_a._tcp".to_owned(), BTreeSet::from(["acme".to_owned()]))]
        );
        assert_eq!(skipped, 1);
        assert_eq!(literal(text, "DHCP").unwrap()[0]["registered_devices"], true);
        assert_eq!(literal(text, "SSDP"), None);
    }

    /// An archive of files that are stored as they are, or packed.
    fn archive(files: &[(&str, &str)], is_packed: bool) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, text) in files {
            let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
            let data = if is_packed { packer.finish().unwrap() } else { text.as_bytes().to_vec() };
            let at = u32::try_from(bytes.len()).unwrap().to_le_bytes();
            let sizes = [
                u32::try_from(data.len()).unwrap().to_le_bytes(),
                u32::try_from(text.len()).unwrap().to_le_bytes(),
            ];
            let method = [if is_packed { 8 } else { 0 }, 0];
            let name_bytes = u16::try_from(name.len()).unwrap().to_le_bytes();
            let shared =
                [&[20, 0, 0, 0][..], &method, &[0; 8], &sizes.concat(), &name_bytes, &[0, 0]].concat();
            bytes.extend([&b"PK\x03\x04"[..], &shared, name.as_bytes(), &data].concat());
            directory.extend([&b"PK\x01\x02\x14\x00"[..], &shared, &[0; 10], &at, name.as_bytes()].concat());
        }
        let counts = [u8::try_from(files.len()).unwrap(), 0];
        let sizes = [directory.len(), bytes.len()].map(|size| u32::try_from(size).unwrap().to_le_bytes());
        let end = [&b"PK\x05\x06"[..], &[0; 4], &counts, &counts, &sizes.concat(), &[0, 0]].concat();
        [bytes, directory, end].concat()
    }

    #[test]
    fn a_wheel_gives_services_models_and_host_names() {
        let zeroconf = "HOMEKIT = {\n    \"Lamp\": {\n        \"domain\": \"acme\",\n    },\n}\n\nZEROCONF = {\n    \"_a._tcp.local.\": [\n        {\"domain\": \"acme\",},\n    ],\n}\n";
        let dhcp = "DHCP = [\n    {\"domain\": \"acme\", \"hostname\": \"acme-lamp*\",},\n    {\"domain\": \"acme\", \"hostname\": \"l*\",},\n    {\"domain\": \"acme\", \"hostname\": \"acme-eye*\", \"macaddress\": \"AABBCC*\",},\n]\n";
        let files = [
            (ZEROCONF, zeroconf),
            (DHCP, dhcp),
            (
                "homeassistant/components/acme/manifest.json",
                "{\"domain\": \"acme\", \"name\": \"Acme Home\"}",
            ),
            ("homeassistant-2026.2.3.dist-info/METADATA", "x"),
        ];
        for is_packed in [false, true] {
            let wheel = archive(&files, is_packed);
            let imported = home_assistant(&wheel).unwrap();
            assert_eq!((imported.name(), imported.skipped()), ("Home Assistant 2026.2.3", 2));
            let text = imported.to_text();
            for row in [
                "_a._tcp,Acme Home,,,Home Assistant 2026.2.3,",
                "model,Lamp*,Acme Home,,,,likely,Home Assistant 2026.2.3,",
                "host-name,acme-lamp*,Acme Home,,,,likely,Home Assistant 2026.2.3,",
            ] {
                assert!(text.contains(row), "{row}: {text}");
            }
            crate::Knowledge::default().import(&text).unwrap();
            for length in 0..wheel.len() {
                let _ = home_assistant(&wheel[..length]);
            }
        }
    }

    #[test]
    fn what_is_no_wheel_says_what_is_expected() {
        let error = home_assistant(b"PK").unwrap_err().to_string();
        assert!(error.contains("expected homeassistant-VERSION.whl"), "{error}");
    }
}
