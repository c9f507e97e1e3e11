use thingprint_audit::Policy;
use thingprint_experiment::{Dataset, Definition};
use thingprint_profile::{KnownDevices, MudProfile};
use thingprint_sim::{Home, Source};

/// Reads a text as a file of fingerprints. What is read comes back as it was when written.
pub fn fingerprints(data: &[u8]) {
    let Some(known) = text(data).and_then(|text| KnownDevices::from_json(text).ok()) else { return };
    // A file that could be read is within the limit of those that are written.
    let written = known.to_json().unwrap_or_else(|error| panic!("what was read cannot be written: {error}"));
    match KnownDevices::from_json(&written) {
        Ok(again) => assert_eq!(again.to_json().ok(), Some(written)),
        Err(error) => panic!("what was written cannot be read: {error}"),
    }
}

/// Reads a text as a MUD profile. What is read comes back as it was when written.
pub fn mud(data: &[u8]) {
    let Some(profile) = text(data).and_then(|text| MudProfile::from_json(text).ok()) else { return };
    let written = profile.to_json();
    match MudProfile::from_json(&written) {
        Ok(again) => assert_eq!(again.to_json(), written),
        Err(error) => panic!("what was written cannot be read: {error}: {written}"),
    }
}

/// Reads a text as a policy of the audit. An error names the file.
pub fn policies(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match Policy::from_toml("policy.toml", text) {
        Ok(policy) => assert!(!policy.name().is_empty()),
        Err(error) => assert!(error.to_string().contains("policy.toml"), "{error}"),
    }
}

/// Reads a text as the definition of an experiment, and as the description of data. An error names the file.
pub fn experiments(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match Definition::from_toml("experiment.toml", text) {
        Ok(definition) => {
            for dataset in &definition.data {
                let _ =
                    (definition.needs(dataset, ""), definition.run_name(dataset), definition.others(dataset));
            }
            let _ = definition.classes();
        }
        Err(error) => assert!(error.to_string().contains("experiment.toml"), "{error}"),
    }
    let _ = Dataset::from_toml("set", text);
}

/// What stands between the files of a home.
pub const NEXT_FILE: &str = "\n# next file\n";

/// Reads a text as the files of a home, its network before its devices. An error names one of them.
pub fn homes(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut files = text.split(NEXT_FILE);
    let dataset = Source { file: "dataset.toml", text: files.next().unwrap_or_default() };
    let devices: Vec<Source<'_>> = files.map(|text| Source { file: "device.toml", text }).collect();
    match Home::from_toml(&dataset, &devices) {
        Ok(home) => assert!(home.labels().len() >= devices.len()),
        Err(error) => assert!(error.to_string().contains(".toml"), "{error}"),
    }
}

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}
