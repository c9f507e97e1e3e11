//! Captures of several networks in one call.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use thingprint_flow::{GatewayPolicy, LocalNets, Trace, TraceOptions};
use thingprint_pipeline::NetworkSurvey;

use crate::inputs::Input;
use crate::messages::Say;

/// Frames of each capture that are looked at.
const SAMPLED_FRAMES: usize = 5000;
/// Captures that are looked at.
const SAMPLED_CAPTURES: usize = 256;

/// What makes captures those of one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NetworkBy {
    /// Captures in the same folder
    Folder,
    /// Each capture is a network of its own
    File,
}

/// Captures of one network.
#[derive(Debug)]
pub(crate) struct Network {
    /// The folder or the file.
    pub(crate) name: String,
    pub(crate) inputs: Vec<Input>,
}

/// The captures by their networks, in the order of names.
pub(crate) fn networks(inputs: &[Input], by: NetworkBy) -> Vec<Network> {
    let mut networks: BTreeMap<PathBuf, Network> = BTreeMap::new();
    for input in inputs {
        let folder = input.path().and_then(Path::parent).filter(|_| by == NetworkBy::Folder);
        let name = folder.map_or_else(|| input.name(), |folder| folder.display().to_string());
        let name = if name.is_empty() { ".".to_owned() } else { name };
        // `a` and `./a` are one folder; its name is the first one given.
        let key = folder.map(|_| Path::new(&name)).and_then(|folder| folder.canonicalize().ok());
        let key = key.unwrap_or_else(|| PathBuf::from(&name));
        let network = networks.entry(key).or_insert_with(|| Network { name, inputs: Vec::new() });
        network.inputs.push(input.clone());
    }
    let mut networks: Vec<Network> = networks.into_values().collect();
    networks.sort_by(|a, b| a.name.cmp(&b.name));
    networks
}

/// Says when the first frames of captures show several networks.
pub(crate) fn report_networks(
    inputs: &[Input],
    policy: &GatewayPolicy,
    local_nets: &LocalNets,
    messages: impl Say,
) {
    if policy.is_settled() || !inputs.iter().all(Input::is_rewindable) {
        return;
    }
    if let Some(text) = sample(inputs, local_nets).in_words(policy) {
        messages.warn(text);
    }
}

/// The first frames of each capture.
fn sample(inputs: &[Input], local_nets: &LocalNets) -> NetworkSurvey {
    let mut survey = NetworkSurvey::with_local_nets(local_nets.clone());
    for input in inputs.iter().take(SAMPLED_CAPTURES) {
        let mut trace = Trace::new(vec![input.capture()], TraceOptions::default());
        for _ in 0..SAMPLED_FRAMES {
            let Some(packet) = trace.next_packet() else { break };
            survey.observe(&packet);
        }
    }
    survey
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_network_however_it_is_written() {
        let home = tempfile::tempdir().unwrap();
        for folder in ["a", "b"] {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        let names = ["a/1.pcap", "./a/2.pcap", "b/../a/3.pcap", "b/4.pcap"];
        let inputs = names.map(|name| Input::File(home.path().join(name)));
        let counts =
            |by| networks(&inputs, by).iter().map(|network| network.inputs.len()).collect::<Vec<_>>();
        assert_eq!(counts(NetworkBy::Folder), [3, 1]);
        assert_eq!(counts(NetworkBy::File), [1; 4]);
        let first = networks(&inputs, NetworkBy::Folder).remove(0).name;
        assert_eq!(first, home.path().join("a").display().to_string());
    }
}
