use std::sync::Arc;

use thingprint_protocol::schema::Model;
use thingprint_protocol::{Engine, Fault, Limits, LintLevel, ModelError, ModelSet, Sender, lint};

use crate::conversation::Conversation;
use crate::input::Input;
use crate::parsers::check;

/// Reads a text before a 0 as a model, in our form and in the published one, compiles it, and looks for it in the
/// payload behind the 0.
///
/// A model that is written and read again is the same; lint finds an error exactly where a model does not compile; an
/// error's place lies inside its text.
pub fn models(data: &[u8]) {
    let mut input = Input::new(data);
    let Ok(text) = str::from_utf8(input.line()) else { return };
    match Model::from_any_json(text) {
        Ok(model) => use_model(model, input.rest()),
        Err(error) => check_error(&error),
    }
}

/// Compiles a model, and looks for it in a payload.
pub(crate) fn use_model(model: Model, payload: &[u8]) {
    let written = serde_json::to_string(&model).map(|text| Model::from_json(&text));
    assert!(written.is_ok_and(|read| read.as_ref() == Ok(&model)), "{model:?}");
    let is_refused = lint(&model).iter().any(|lint| lint.level == LintLevel::Error);
    match ModelSet::compile([model]) {
        Ok(set) => {
            assert!(!is_refused, "lint refuses what compiles");
            look_for(set, payload);
        }
        Err(error) => {
            assert!(is_refused, "lint overlooks {error}");
            check_error(&error);
        }
    }
}

/// Looks for models in a payload: as datagrams, and as streams, whose cutting does not matter.
fn look_for(set: ModelSet, payload: &[u8]) {
    let engine = Engine::with_models(Arc::new(set), Limits::default());
    let mut datagrams = Conversation::new(&engine);
    for sender in [Sender::Device, Sender::Peer, Sender::Device] {
        datagrams.udp(sender, payload);
    }
    for (_, message) in datagrams.close() {
        check(payload, Some(message));
    }
}

fn check_error(error: &ModelError) {
    assert!(!error.to_string().is_empty());
    if let Fault::Syntax { text, error } = &error.fault {
        assert!(error.span.start <= error.span.end && error.span.end <= text.len(), "{error:?} of {text:?}");
        assert_eq!(error.pointed_out(text).lines().count(), 2);
    }
}
