//! Which captures are read together, for programs that read them apart.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::call::{Failure, Line, Message};
use crate::exit::Usage;
use crate::inputs::{Input, expand};
use crate::messages::Messages;
use crate::networks::{Network, NetworkBy, networks};

/// Captures of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkCaptures {
    /// The name of the network; `None` where all captures are of one.
    pub network: Option<String>,
    /// Its captures, in the order in which a command reads them.
    pub captures: Vec<PathBuf>,
}

/// The captures that files, folders and globs stand for, by network as `--network-by` says it; and what a command would warn
/// of.
///
/// # Errors
/// When there is no capture, or nothing is known of `network_by`.
pub fn captures(
    named: &[OsString],
    network_by: Option<&str>,
) -> Result<(Vec<NetworkCaptures>, Vec<Message>), Failure> {
    let by = network_by.map(parse).transpose().map_err(|usage| Failure::of(&usage.into()))?;
    let (found, messages) = Line::listen(|line| expand(named, Messages::new(false, false).to(Some(line))));
    let (inputs, _) = found.map_err(|error| Failure::of(&error))?;
    let found = match by {
        None => vec![NetworkCaptures { network: None, captures: paths(&inputs) }],
        Some(by) => networks(&inputs, by).into_iter().map(of_network).collect(),
    };
    Ok((found, messages))
}

fn parse(network_by: &str) -> Result<NetworkBy, Usage> {
    NetworkBy::from_str(network_by, false)
        .map_err(|_| Usage(format!("invalid value '{network_by}' for network_by: expected folder or file")))
}

fn of_network(network: Network) -> NetworkCaptures {
    NetworkCaptures { captures: paths(&network.inputs), network: Some(network.name) }
}

fn paths(inputs: &[Input]) -> Vec<PathBuf> {
    inputs.iter().filter_map(Input::path).map(PathBuf::from).collect()
}
