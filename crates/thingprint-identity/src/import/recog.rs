use roxmltree::{Document, Node};

use super::{Imported, error};
use crate::{KnowledgeError, TableName};

/// Files of fingerprints that are held against what is read here.
const FILES: [(&str, &str); 4] = [
    ("dhcp_vendor_class.xml", "dhcp-vendor-class"),
    ("http_servers.xml", "server-header"),
    ("http_user_agent.xml", "http-agent"),
    ("mdns_device-info_txt.xml", "model"),
];
/// Types of recog, and those of the tables here.
const TYPES: [(&str, &str); 22] = [
    ("Broadband Router", "gateway"),
    ("Router", "gateway"),
    ("WAP", "access-point"),
    ("Access Point", "access-point"),
    ("Camera", "camera"),
    ("IP Camera", "camera"),
    ("Web cam", "camera"),
    ("DVR", "video-recorder"),
    ("NVR", "video-recorder"),
    ("Printer", "printer"),
    ("Print Server", "printer"),
    ("Multifunction Device", "printer"),
    ("Storage", "nas"),
    ("NAS", "nas"),
    ("Switch", "network-switch"),
    ("VoIP", "voip-phone"),
    ("VoIP Phone", "voip-phone"),
    ("Media Server", "media-player"),
    ("Media Player", "media-player"),
    ("Thermostat", "thermostat"),
    ("Smart TV", "tv"),
    ("Power device", "power-supply"),
];
/// Fingerprints that fit nearly everything name nobody.
const LEAST_PATTERN_BYTES: usize = 5;

/// The fingerprints in files of Rapid7's recog (BSD-2-Clause), by their names and contents: those of the sources that are read
/// here.
pub fn recog<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Result<Imported, KnowledgeError> {
    let mut imported = Imported::new("recog");
    for (name, text) in files {
        let kind = FILES.iter().find(|(file, _)| *file == name);
        let Some((_, kind)) = kind else { continue };
        let document = Document::parse(text).map_err(|problem| error(name, problem.to_string()))?;
        for fingerprint in document.descendants().filter(|node| node.has_tag_name("fingerprint")) {
            let row = Row::of(fingerprint);
            if row.says_nothing() {
                imported.skipped += 1;
                continue;
            }
            let Row { pattern, vendor, model, device_type, os } = &row;
            let cells = [kind, pattern.as_str(), vendor, model, device_type, os, "likely", name, ""];
            imported.add(TableName::Patterns, &cells)?;
        }
    }
    if imported.rows().next().is_none() {
        let files: Vec<&str> = FILES.iter().map(|(file, _)| *file).collect();
        return Err(error(
            "folder of recog",
            format!("none of {} is in it; expected its folder 'xml'", files.join(", ")),
        ));
    }
    Ok(imported)
}

/// A fingerprint as a row of patterns; `{1}` in a value stands for what the first group of the pattern has.
struct Row {
    pattern: String,
    vendor: String,
    model: String,
    device_type: String,
    os: String,
}

impl Row {
    fn of(fingerprint: Node<'_, '_>) -> Self {
        let is_caseless = fingerprint.attribute("flags").is_some_and(|flags| flags.contains("ICASE"));
        let pattern = fingerprint.attribute("pattern").unwrap_or_default();
        let flags = if is_caseless { "(?i)" } else { "" };
        let value = |name: &str| {
            let param = fingerprint.children().find(|node| node.attribute("name") == Some(name))?;
            let place: usize = param.attribute("pos").and_then(|place| place.parse().ok())?;
            // Values that refer to others of the fingerprint are left out.
            let text = param.attribute("value").unwrap_or_default();
            let value = if place == 0 { text.to_owned() } else { format!("{{{place}}}") };
            (place > 0 || !text.contains('{')).then_some(value)
        };
        let kind = value("hw.device").unwrap_or_default();
        let kind = TYPES.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(&kind));
        let os =
            [value("os.product"), value("os.version")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        Self {
            pattern: if pattern.len() < LEAST_PATTERN_BYTES {
                String::new()
            } else {
                format!("re:{flags}{pattern}")
            },
            vendor: value("hw.vendor").unwrap_or_default(),
            model: value("hw.product").unwrap_or_default(),
            device_type: kind.map(|(_, ours)| (*ours).to_owned()).unwrap_or_default(),
            os,
        }
    }

    fn says_nothing(&self) -> bool {
        let said = [&self.vendor, &self.model, &self.device_type, &self.os];
        self.pattern.is_empty() || said.iter().all(|value| value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::recog;

    const FILE: &str = "<fingerprints matches=\"http_header.server\"><fingerprint pattern=\"^Acme-Eye/([\\d.]+)$\" flags=\"REG_ICASE\">\
        <description>Eye</description><param pos=\"0\" name=\"hw.vendor\" value=\"Acme\"/><param pos=\"1\" name=\"hw.product\"/>\
        <param pos=\"0\" name=\"hw.device\" value=\"Web cam\"/><param pos=\"0\" name=\"os.cpe23\" value=\"cpe:/o:{x}\"/></fingerprint>\
        <fingerprint pattern=\"^nginx$\"><param pos=\"0\" name=\"service.product\" value=\"nginx\"/></fingerprint></fingerprints>";

    #[test]
    fn fingerprints_become_patterns() {
        let imported = recog([("http_servers.xml", FILE), ("other.xml", "<")]).unwrap();
        assert_eq!(imported.skipped(), 1);
        let text = imported.to_text();
        assert!(
            text.contains(
                "server-header,re:(?i)^Acme-Eye/([\\d.]+)$,Acme,{1},camera,,likely,http_servers.xml,"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_folder_of_something_else_says_what_is_expected() {
        assert!(recog([("other.xml", "<a/>")]).unwrap_err().to_string().contains("http_servers.xml"));
        assert!(recog([("http_servers.xml", "<a")]).is_err());
    }
}
