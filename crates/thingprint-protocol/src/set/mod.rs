//! Protocol models, compiled to one immutable set.
mod dispatch;
mod headers;
mod model;
mod model_state;
mod section;
#[cfg(test)]
mod tests;

use std::num::NonZeroU16;
use std::sync::{Arc, LazyLock};

use serde::Serialize;
use thingprint_flow::Transport;

use crate::matcher::CompiledCondition;
use crate::protocols::{DESCRIBED, registry};
use crate::schema::{IpProtocol, Model};
use crate::{Fault, ModelError};

use dispatch::Dispatch;

pub(crate) use headers::Headers;
pub(crate) use model::CompiledModel;
pub use model_state::Detection;
pub(crate) use model_state::ModelState;
pub(crate) use section::Payload;

macro_rules! built_in {
    ($($module:ident: $parser:ident, $title:literal, $messages:tt, $exports:tt;)+) => {
        /// The models of the registry, in its order.
        const BUILT_IN: &[&str] = &[
            $(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/", stringify!($module), ".json"))),+
        ];
    };
}
registry!(built_in);

/// Protocol models, ready to be looked for in traffic. It is never changed, so all threads share one.
#[derive(Debug)]
pub struct ModelSet {
    models: Vec<Model>,
    compiled: Vec<CompiledModel>,
    /// Conditions of all models on the packets of a flow.
    conditions: Vec<CompiledCondition>,
    tcp: Dispatch,
    udp: Dispatch,
}

/// Place of a model in its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ModelIndex(NonZeroU16);

impl ModelSet {
    /// Compiles models. They are tried in this order, those with a server port of the flow first.
    pub fn compile(models: impl IntoIterator<Item = Model>) -> Result<Self, ModelError> {
        let models: Vec<Model> = models.into_iter().collect();
        if let Some(model) = models.get(usize::from(u16::MAX)) {
            let reason = format!("a set has at most {} models", u16::MAX);
            return Err(model.error("info.abbreviation", Fault::Meaning(reason)));
        }
        let mut conditions = Vec::new();
        let mut compiled = Vec::with_capacity(models.len());
        for model in &models {
            compiled.push(CompiledModel::compile(model, &mut conditions)?);
        }
        let tcp = Dispatch::build(&compiled, IpProtocol::Tcp);
        let udp = Dispatch::build(&compiled, IpProtocol::Udp);
        Ok(Self { models, compiled, conditions, tcp, udp })
    }

    /// The set of the models that come with the crate.
    pub fn built_in() -> Arc<Self> {
        static SET: LazyLock<Arc<ModelSet>> = LazyLock::new(|| Arc::new(compile_built_in()));
        Arc::clone(&SET)
    }

    /// The models that come with the crate.
    #[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads them")]
    #[expect(clippy::missing_panics_doc, reason = "it never does")]
    pub fn built_in_models() -> Vec<Model> {
        BUILT_IN
            .iter()
            .chain(DESCRIBED)
            .map(|text| Model::from_json(text).expect("a model of our own follows the schema"))
            .collect()
    }

    /// The models that come with the crate, changed by `own`: a model with the abbreviation of another takes its place,
    /// any other is tried before all that come with the crate. One at most may be without an abbreviation.
    pub fn built_in_with(own: Vec<Model>) -> Result<Self, ModelError> {
        let mut built_in = Self::built_in_models();
        let mut first: Vec<Model> = Vec::new();
        for model in own {
            let known = first.iter_mut().chain(&mut built_in).find(|other| other.name() == model.name());
            match known {
                Some(_) if !model.has_name() => {
                    let reason = "another model has no name either".to_owned();
                    return Err(model.error("info.abbreviation", Fault::Meaning(reason)));
                }
                Some(other) => *other = model,
                None => first.push(model),
            }
        }
        first.append(&mut built_in);
        Self::compile(first)
    }

    /// The models, in the order in which they are tried.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// A model of this set.
    pub fn model(&self, index: ModelIndex) -> Option<&Model> {
        self.models.get(index.place())
    }

    /// The names of models of this set, each once.
    pub(crate) fn names(&self, models: impl Iterator<Item = ModelIndex>) -> Vec<&str> {
        let mut names = Vec::new();
        for name in models.filter_map(|index| self.model(index)).map(Model::name) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Whether a port is one of the standard ports of a model's servers.
    pub fn standard_port(&self, index: ModelIndex, port: u16, transport: Transport) -> bool {
        let Some(transport) = IpProtocol::of(transport) else { return false };
        self.compiled(index).is_some_and(|model| model.has_port(transport, port))
    }

    pub(crate) fn compiled(&self, index: ModelIndex) -> Option<&CompiledModel> {
        self.compiled.get(index.place())
    }

    /// The models that have conditions on the packets of a flow.
    pub(crate) fn with_conditions(&self) -> impl Iterator<Item = (ModelIndex, &CompiledModel)> {
        ModelIndex::all().zip(&self.compiled).filter(|(_, model)| model.has_conditions())
    }

    /// Conditions on the packets of a flow, of all models.
    pub(crate) fn conditions(&self) -> &[CompiledCondition] {
        &self.conditions
    }

    /// The models to try on a payload, or on the beginning of a stream, of a packet with these headers: those with a
    /// port of the packet, then the others.
    pub(crate) fn candidates<'a>(
        &'a self,
        headers: Headers,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = (ModelIndex, &'a CompiledModel)> {
        let dispatch = if headers.is_udp { &self.udp } else { &self.tcp };
        let possible = dispatch.possible(bytes, headers.ports);
        possible.filter_map(move |index| {
            let model = self.compiled(index)?;
            model.admits(headers).then_some((index, model))
        })
    }
}

#[expect(clippy::expect_used, reason = "the files are part of the program, and a test compiles them")]
fn compile_built_in() -> ModelSet {
    ModelSet::compile(ModelSet::built_in_models()).expect("models of our own compile")
}

impl ModelIndex {
    /// Every place that a set can have, in order.
    fn all() -> impl Iterator<Item = Self> {
        (1..=u16::MAX).filter_map(NonZeroU16::new).map(Self)
    }

    /// The model at a place, counted from 0.
    fn at(place: usize) -> Option<Self> {
        u16::try_from(place + 1).ok().and_then(NonZeroU16::new).map(Self)
    }

    /// The place, counted from 0.
    pub(crate) const fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}
