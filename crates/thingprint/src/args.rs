//! Arguments by group; each command resolves them into the options of the crates.

mod device;
mod extraction;
mod flow;
mod global;
mod knowledge;
mod protocols;
mod training;
#[cfg(feature = "live")]
mod transport;

pub(crate) use device::DeviceArgs;
pub(crate) use extraction::ExtractionArgs;
pub(crate) use flow::FlowArgs;
pub(crate) use global::GlobalArgs;
pub(crate) use knowledge::KnowledgeArgs;
pub(crate) use protocols::ModelArgs;
pub(crate) use training::{TrainingArgs, Trust};
#[cfg(feature = "live")]
pub(crate) use transport::{TransportArgs, transport_of};

/// The names of options that were given, of all with whether they were.
fn names_of<const N: usize>(options: [(bool, &'static str); N]) -> Vec<&'static str> {
    options.into_iter().filter_map(|(is_given, name)| is_given.then_some(name)).collect()
}
