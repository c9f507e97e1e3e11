use std::collections::BTreeMap;

use serde_json::{Value, json};
use thingprint_flow::DeviceId;
use thingprint_watch::EventKind;

use super::topics::{self, Topics};
use crate::options::Discovery;
use crate::roster::{Roster, Shown};

/// What a broker is to keep: states, and what Home Assistant reads to find them
/// (<https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload>).
pub(super) struct Announcer {
    topics: Topics,
    discovery: Discovery,
}

impl Announcer {
    pub(super) const fn new(topics: Topics, discovery: Discovery) -> Self {
        Self { topics, discovery }
    }

    /// Every retained message, by topic.
    pub(super) fn wanted(&self, roster: &Roster) -> BTreeMap<String, String> {
        let mut wanted = BTreeMap::from([(self.topics.network(), to_json(&roster.network))]);
        if self.discovery != Discovery::Off {
            wanted.insert(self.topics.network_discovery(), self.network().to_string());
        }
        for (device, shown) in &roster.devices {
            let id = topics::id(*device);
            wanted.insert(self.topics.state(&id), to_json(shown));
            if self.discovery != Discovery::Off {
                wanted.insert(self.topics.discovery(&id), self.device(*device, &id, shown).to_string());
            }
        }
        wanted
    }

    fn device(&self, device: DeviceId, id: &str, shown: &Shown) -> Value {
        let unique = format!("{}_{id}", self.topics.node);
        let state = self.topics.state(id);
        let mut about = json!({
            "identifiers": [unique],
            "name": shown.name,
            "via_device": self.topics.node,
        });
        // With its address, Home Assistant takes it for the device that other integrations know by that address.
        if let (DeviceId::Mac(mac), Discovery::ByMac) = (device, self.discovery)
            && let Some(about) = about.as_object_mut()
        {
            about.insert("connections".to_owned(), json!([["mac", mac.to_string()]]));
        }
        let components = json!({
            "class": sensor(&unique, "class", "Class", "{{ value_json.class }}", &json!({
                "icon": "mdi:fingerprint",
                "json_attributes_topic": state,
            })),
            "confidence": sensor(&unique, "confidence", "Confidence", "{{ value_json.confidence_percent }}", &json!({
                "entity_category": "diagnostic",
                "state_class": "measurement",
                "suggested_display_precision": 1,
                "unit_of_measurement": "%",
            })),
            "findings": sensor(&unique, "findings", "Findings", "{{ value_json.findings }}", &json!({
                "entity_category": "diagnostic",
                "icon": "mdi:shield-alert-outline",
                "state_class": "measurement",
            })),
            "event": event(&unique, &self.topics.event(id)),
        });
        self.payload(&about, &components, &state)
    }

    fn network(&self) -> Value {
        let unique = &self.topics.node;
        let counter = |key: &str, name: &str| {
            let template = format!("{{{{ value_json.{key} }}}}");
            sensor(unique, key, name, &template, &json!({ "state_class": "measurement" }))
        };
        let about = json!({ "identifiers": [unique], "name": "thingprint", "model": "thingprint" });
        let components = json!({
            "devices": counter("devices", "Devices"),
            "new_devices": counter("new_devices", "New devices"),
            "unknown_devices": counter("unknown_devices", "Unknown devices"),
            "findings": counter("findings", "Findings"),
            "event": event(unique, &self.topics.events()),
        });
        self.payload(&about, &components, &self.topics.network())
    }

    fn payload(&self, device: &Value, components: &Value, state_topic: &str) -> Value {
        json!({
            "device": device,
            "origin": {
                "name": "thingprint",
                "sw_version": env!("CARGO_PKG_VERSION"),
                "support_url": env!("CARGO_PKG_REPOSITORY"),
            },
            "components": components,
            "availability_topic": self.topics.status(),
            "state_topic": state_topic,
            "qos": 1,
        })
    }
}

/// A sensor that reads a member of the state.
fn sensor(unique: &str, key: &str, name: &str, template: &str, more: &Value) -> Value {
    let mut sensor = json!({
        "platform": "sensor",
        "unique_id": format!("{unique}_{key}"),
        "name": name,
        "value_template": template,
    });
    if let (Some(sensor), Some(more)) = (sensor.as_object_mut(), more.as_object()) {
        sensor.extend(more.clone());
    }
    sensor
}

/// An entity that fires for each event.
fn event(unique: &str, topic: &str) -> Value {
    let kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    json!({
        "platform": "event",
        "unique_id": format!("{unique}_event"),
        "name": "Event",
        "state_topic": topic,
        "event_types": kinds,
    })
}

fn to_json(value: &impl serde::Serialize) -> String {
    // Texts, numbers and lists of them: nothing in it can fail.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::tests::record;

    fn wanted(discovery: Discovery) -> BTreeMap<String, String> {
        let records = [
            record("a8:40:7c:0b:33:f2", Some("hub/#+\"{{ evil }}\n"), Some("camera")),
            record("192.0.2.9", None, None),
        ];
        Announcer::new(Topics::new("thingprint", "homeassistant"), discovery).wanted(&Roster::new(&records))
    }

    fn json(wanted: &BTreeMap<String, String>, topic: &str) -> Value {
        serde_json::from_str(&wanted[topic]).unwrap()
    }

    #[test]
    fn a_device_joins_by_its_address_unless_that_is_turned_off() {
        let topic = "homeassistant/device/thingprint_a8407c0b33f2/config";
        let joined = json(&wanted(Discovery::ByMac), topic);
        assert_eq!(joined["device"]["connections"], json!([["mac", "a8:40:7c:0b:33:f2"]]));
        assert_eq!(joined["device"]["identifiers"], json!(["thingprint_a8407c0b33f2"]));
        assert_eq!(joined["availability_topic"], "thingprint/status");
        assert_eq!(joined["state_topic"], "thingprint/device/a8407c0b33f2/state");
        assert_eq!(json(&wanted(Discovery::Apart), topic)["device"].get("connections"), None);
        assert_eq!(wanted(Discovery::Off).get(topic), None);
        let by_ip = json(&wanted(Discovery::ByMac), "homeassistant/device/thingprint_192-0-2-9/config");
        assert_eq!(by_ip["device"].get("connections"), None);
    }

    #[test]
    fn every_entity_has_an_identity_of_its_own() {
        let wanted = wanted(Discovery::ByMac);
        let mut seen = std::collections::BTreeSet::new();
        for (topic, payload) in wanted.iter().filter(|(topic, _)| topic.ends_with("/config")) {
            let payload: Value = serde_json::from_str(payload).unwrap();
            for component in payload["components"].as_object().unwrap().values() {
                assert!(
                    seen.insert(component["unique_id"].as_str().unwrap().to_owned()),
                    "{topic}: {component}"
                );
            }
        }
        assert_eq!(seen.len(), 2 * 4 + 5);
    }

    #[test]
    fn templates_read_what_the_state_has() {
        let wanted = wanted(Discovery::ByMac);
        for (topic, payload) in wanted.iter().filter(|(topic, _)| topic.ends_with("/config")) {
            let payload: Value = serde_json::from_str(payload).unwrap();
            let state = json(&wanted, payload["state_topic"].as_str().unwrap());
            for component in payload["components"].as_object().unwrap().values() {
                let Some(template) = component["value_template"].as_str() else { continue };
                let key = template.trim_start_matches("{{ value_json.").trim_end_matches(" }}");
                assert!(state.get(key).is_some(), "{topic}: {key}");
            }
        }
    }

    #[test]
    fn a_hostile_name_is_a_name_and_nothing_else() {
        let wanted = wanted(Discovery::ByMac);
        assert!(wanted.keys().all(|topic| !topic.contains("hub") && !topic.contains(['#', '+'])));
        let payload = json(&wanted, "homeassistant/device/thingprint_a8407c0b33f2/config");
        assert_eq!(payload["device"]["name"], "hub/#+\"{{ evil }} ");
        let components = payload["components"].to_string();
        assert!(!components.contains("evil"), "a template of another's making: {components}");
    }
}
